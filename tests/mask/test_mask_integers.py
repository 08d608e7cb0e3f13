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


@pytest.mark.parametrize("masker", ["integer", "number", "age"])
def test_texts_that_no_number_is_written_as_meet_none(masker: str) -> None:
    texts = [f"{n:02}" for n in range(100)] + [f"-{n}" for n in range(100)] + [str(n) for n in range(10)]
    texts += ["-00", "+7", "7.", ".7", "1e5", "٣", "٠٣"]
    new = compile_mask(MaskSpec(masker, {}), KEYS[0])(pl.Series(list(dict.fromkeys(texts))))
    assert new.n_unique() == len(dict.fromkeys(texts))


def decimals(values: list[str]) -> list[str]:
    return compile_mask(MaskSpec("number", {}), KEYS[0], type_name="numeric")(pl.Series(values)).to_list()


def test_equal_numbers_stay_equal_and_different_ones_different_however_they_are_written() -> None:
    values = [f"{whole}.{cents:02}" for whole in range(30) for cents in range(100)]
    new = decimals(values)
    assert len({float(text) for text in new}) == len(values)
    short = decimals([text.rstrip("0") for text in values])
    assert [float(text) for text in short] == [float(text) for text in new]
    assert all(
        text[-1] == other[-1] or "0" not in (text[-1], other[-1])
        for text, other in zip(values, new, strict=True)
    )


def test_numbers_with_exponents_are_masked() -> None:
    values = ["1e+20", "1.5e-07", "-2.25e+100", "NaN", "Infinity", "0.00", "-0", ".0", ":.00"]
    new = decimals(values)
    assert [text.partition("e")[2] for text in new[:3]] == ["+20", "-07", "+100"]
    assert not set(new[:3]) & set(values)
    assert new[3:] == values[3:]
