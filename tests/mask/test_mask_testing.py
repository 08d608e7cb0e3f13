"""The property tests notice a masker that breaks its promises, one promise at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import polars as pl
import pytest
from hypothesis import Phase, given, settings

from parity_data.errors import RulesError
from parity_data.mask import Context, MaskerInfo, describe, register
from parity_data.mask.registry import Function, forget, registering_from
from parity_data.mask.testing import assert_keyed, assert_promises, values
from parity_data.mask.tools import tokens

Spoil = Callable[[pl.Series], pl.Series]


@pytest.fixture
def declared() -> Iterator[Callable[[Spoil], MaskerInfo]]:
    """Declares a masker that promises what 'token' does, and spoils its results."""

    def declare(spoil: Spoil) -> MaskerInfo:
        def make(context: Context) -> Function:
            cipher = tokens(context)
            return lambda column: spoil(cipher.whole(column))

        token = describe("token")
        with registering_from("spoilt"):
            return register(
                MaskerInfo(
                    "spoilt", "Promises much.", "generic", ("text",), "injective", token.keeps, make,
                    samples=token.samples, domain="spoilt",
                )
            )  # fmt: skip

    yield declare
    forget("spoilt")


def hold(info: MaskerInfo, examples: int = 150) -> None:
    """The property test, as a team would run it, but for the search of the smallest example.

    The examples are the same in every run: whether a broken promise is noticed is not left to luck.
    """

    @given(values(info))
    @settings(
        max_examples=examples,
        database=None,
        derandomize=True,
        phases=(Phase.generate,),
        report_multiple_bugs=False,
    )
    def run(texts: list[str]) -> None:
        assert_promises(info, texts)

    run()


def test_a_masker_that_keeps_its_promises_passes(declared: Callable[[Spoil], MaskerInfo]) -> None:
    info = declared(lambda masked: masked)
    hold(info, 20)
    assert_keyed(info)


def _counter() -> Spoil:
    calls = count()
    return lambda masked: masked.str.replace("^.", str(next(calls) % 10))


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda m: m.str.replace_all("0", "1"), id="merges two digits"),
        pytest.param(lambda m: m.str.replace_all("[kK]", "x"), id="merges two letters"),
        pytest.param(lambda m: m.str.replace("7$", "3"), id="merges some endings"),
        pytest.param(lambda m: m.str.replace("(?i)[a-z]$", "a"), id="loses the last letter"),
    ],
)
def test_a_masker_that_merges_values_is_noticed(
    declared: Callable[[Spoil], MaskerInfo], spoil: Spoil
) -> None:
    with pytest.raises(AssertionError, match=r"both became|as it was|changed"):
        hold(declared(spoil))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        pytest.param(lambda m: m + "x", "changed", id="adds a character"),
        pytest.param(lambda m: m.str.to_uppercase(), "changed", id="loses case"),
        pytest.param(lambda m: m.str.replace_all("[a-z]", "я"), "changed", id="changes script"),
        pytest.param(lambda m: m.str.replace_all("-", "_", literal=True), "changed", id="changes format"),
        pytest.param(lambda m: m.sort(), "depends on|both became|changed|as it was", id="looks at the batch"),
        pytest.param(_counter(), "differ|depends on|both became|changed", id="is random"),
    ],
)
def test_a_broken_promise_is_noticed(
    declared: Callable[[Spoil], MaskerInfo], spoil: Spoil, said: str
) -> None:
    with pytest.raises(AssertionError, match=said):
        hold(declared(spoil))


def test_a_masker_that_loses_values_is_noticed(declared: Callable[[Spoil], MaskerInfo]) -> None:
    with pytest.raises(RulesError, match="no Series of as many texts"):
        hold(declared(lambda masked: masked.head(0)))


def test_a_masker_that_ignores_the_key_is_noticed() -> None:
    with pytest.raises(AssertionError, match="alike under"):
        assert_keyed(MaskerInfo(**{**describe("keep").__dict__, "changes": True}))
