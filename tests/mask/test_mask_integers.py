"""Whole numbers stay within every type that holds them, and join across types."""

from __future__ import annotations

import polars as pl
import pytest

from parity_data.mask import MaskSpec, compile_mask
from parity_data.mask.testing import KEYS

EDGES = [9, 10, 32_766, 32_767, 99_999, 2**31 - 2, 2**31 - 1, 10**10 - 1, 2**63 - 2, 2**63 - 1]


def masked(values: list[int], type_name: str, masker: str = "integer") -> list[int]:
    made = compile_mask(MaskSpec(masker, {}), KEYS[0], type_name=type_name)(pl.Series(map(str, values)))
    return [int(text) for text in made.to_list()]


@pytest.mark.parametrize("masker", ["integer", "number"])
@pytest.mark.parametrize(("type_name", "limit"), [("int2", 2**15), ("int4", 2**31), ("int8", 2**63)])
def test_numbers_stay_within_their_type(masker: str, type_name: str, limit: int) -> None:
    values = [v for v in EDGES if v < limit] + [-v for v in EDGES if v < limit] + [-limit]
    new = masked(values, type_name, masker)
    assert all(-limit <= n < limit for n in new)
    assert len(set(new)) == len(values)
    assert all(a != b and len(str(a)) == len(str(b)) for a, b in zip(values, new, strict=True))


def test_a_small_key_is_masked_onto_all_numbers_of_its_class() -> None:
    assert sorted(masked(list(range(10_000, 32_768)), "int2")) == list(range(10_000, 32_768))


@pytest.mark.parametrize("values", [[v for v in EDGES if v < 2**31]])
def test_keys_of_different_types_join(values: list[int]) -> None:
    assert masked(values, "int4") == masked(values, "int8") == masked(values, "numeric")
    assert masked(values, "int4") == masked(values, "text")
