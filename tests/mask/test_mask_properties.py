"""Every masker keeps what it declares, on values of all planes, formats and lengths."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parity_data.mask import describe, masker_names
from parity_data.mask.testing import assert_keyed, assert_promises, values


def examples(count: int) -> settings:
    return settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("name", masker_names())
@given(data=st.data())
@examples(12)
def test_masker_keeps_its_promises(name: str, data: st.DataObject) -> None:
    info = describe(name)
    assert_promises(info, data.draw(values(info)))


@pytest.mark.slow  # some values of every kind for each masker
@pytest.mark.parametrize("name", masker_names())
@given(data=st.data())
@examples(30)
def test_masker_keeps_its_promises_on_many_values(name: str, data: st.DataObject) -> None:
    info = describe(name)
    assert_promises(info, data.draw(values(info)))


@pytest.mark.parametrize("name", ["code", "driving_licence", "person_name", "token"])
@pytest.mark.parametrize(
    "text", ["I\u0307", "i\u0307", "I\u0307I-7", "ZI\u0307mIr", "U\u0307i", "İzmir", "ŉﬀΰ"]
)
def test_letters_that_compose_in_one_case_only_keep_their_normal_form(name: str, text: str) -> None:
    assert_promises(describe(name), [text, text.swapcase()])


@pytest.mark.parametrize("name", ["card_expiry", "code", "integer", "licence_plate"])
@pytest.mark.parametrize("text", ["t:\u0308", "t\u200b\u0308", "1-\u0301", "T.\u0308i\u0307"])
def test_a_mark_on_punctuation_does_not_hold_a_letter(name: str, text: str) -> None:
    assert_promises(describe(name), [text, text.swapcase()])


@pytest.mark.parametrize("name", [n for n in masker_names() if describe(n).changes])
def test_another_key_gives_another_value(name: str) -> None:
    assert_keyed(describe(name))
