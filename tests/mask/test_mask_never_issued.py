"""Numbers that nobody has, and names from lists: what these merge is counted."""

from __future__ import annotations

import polars as pl
import pytest
from stdnum import imei
from stdnum.gb import nhs

from parity_data.errors import RulesError
from parity_data.mask import MaskSpec, compile_mask, describe
from parity_data.mask.context import LENGTHS, MERGED
from parity_data.mask.testing import KEYS

BODIES = 200


def numbers(start: int, count: int, width: int) -> list[str]:
    return [f"{start + 7919 * n:0{width}d}" for n in range(count)]


def test_health_numbers_lie_among_those_of_test_patients() -> None:
    valid = [t + d for t in numbers(400_000_000, 400, 9) for d in "0123456789" if nhs.is_valid(t + d)]
    spec = MaskSpec("national_id", {"kind": "gb_nhs", "range": "test"})
    masked = compile_mask(spec, KEYS[0])(pl.Series(valid)).to_list()
    assert all(nhs.is_valid(text) and text.startswith("999") for text in masked)
    assert len(set(masked)) > 0.99 * len(valid)
    assert describe("national_id").distinct_with(spec.params) == "lossy"


def test_devices_lie_among_those_for_tests() -> None:
    bodies = numbers(35_209_900_176_148, BODIES, 14)
    valid = [body + digit for body in bodies for digit in "0123456789" if imei.is_valid(body + digit)]
    masked = compile_mask(MaskSpec("imei", {"range": "test"}), KEYS[0])(pl.Series(valid)).to_list()
    assert len(valid) == BODIES
    assert all(imei.is_valid(text) and text.startswith("00") for text in masked)
    assert len(set(masked)) == BODIES


def test_a_kind_without_such_a_range_is_refused() -> None:
    with pytest.raises(RulesError, match="never issued"):
        compile_mask(MaskSpec("national_id", {"kind": "us_ssn", "range": "test"}), KEYS[0])


def test_realistic_names_fit_and_say_what_they_merge() -> None:
    letters = "abcdefghijklmnopqrst"
    values = pl.Series([f"M{a}{b}{c}" for a in letters for b in letters for c in letters])
    masker = compile_mask(MaskSpec("last_name", {"style": "realistic"}), KEYS[0], max_length=6)
    masked = pl.concat([masker(values.head(4000)), masker(values)])
    assert masked.str.len_chars().max() == 6
    assert masker.tally[MERGED] == values.len() - masked.n_unique() > 0


def test_addresses_that_changed_their_length_are_counted() -> None:
    values = pl.Series(["a@b.de", "maria@acme-widgets.com", "x@y.io", None, ""])
    masker = compile_mask(MaskSpec("email", {}), KEYS[0])
    masked = masker(values)
    longer = [a for a, b in zip(values, masked, strict=True) if a and b and len(a) != len(b)]
    assert masker.tally[LENGTHS] == len(longer) > 0
