"""What is remembered between batches changes nothing but how often a masker is asked."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_data.mask import MaskSpec, compile_mask, memory
from parity_data.mask.column import over_distinct
from parity_data.mask.memory import Memory
from parity_data.mask.testing import KEYS

BATCHES = st.lists(
    st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from("abcde"))
)


def series(values: Sequence[str | None]) -> pl.Series:
    return pl.Series("v", values, dtype=pl.String)


class Asked:
    """A masker that notes what it is asked; what begins with x becomes NULL."""

    def __init__(self) -> None:
        self.values: list[str | None] = []

    def __call__(self, values: pl.Series) -> pl.Series:
        self.values += values.to_list()
        return pl.Series(map(self.of, values.to_list()), dtype=pl.String)

    @staticmethod
    def of(value: str | None) -> str | None:
        if not value:
            return value
        return None if value.startswith("x") else f"<{value[::-1]}>"


@given(BATCHES, st.sampled_from([3, 20, 100_000]), st.sampled_from([10, 8_000_000]))
def test_every_batch_is_masked_as_if_it_were_the_first(
    batches: list[list[str | None]], most: int, most_bytes: int
) -> None:
    asked = Asked()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory, "_MOST_VALUES", most)
        patch.setattr(memory, "_MOST_BYTES", most_bytes)
        remembered = Memory()
        for batch in batches:
            found = over_distinct(asked, series(batch), remembered)
            assert found.name == "v"
            assert found.to_list() == [Asked.of(value) for value in batch]
    assert None not in asked.values
    assert "" not in asked.values


def test_what_is_remembered_is_not_masked_again() -> None:
    asked, remembered = Asked(), Memory()
    for batch in (["a", None, "b", "a"], ["b", "xy", "c", ""], ["xy", "a", "c", "xy"] * 2):
        over_distinct(asked, series([*batch]), remembered)
    assert asked.values == ["a", "b", "xy", "c"]


def test_repeats_between_batches_are_remembered_where_there_are_none_within_one() -> None:
    asked, remembered = Asked(), Memory()
    for _ in range(3):
        over_distinct(asked, series([f"value {i}" for i in range(5_000)]), remembered)
    assert len(asked.values) == 5_000


def test_values_of_which_none_comes_back_are_not_looked_up() -> None:
    remembered = Memory()
    for i in range(4):
        over_distinct(Asked(), series([f"value {i} {j}" for j in range(5_000)]), remembered)
    with remembered.table() as table:
        assert table.may_know(series([f"value 0 {j}" for j in range(5_000)]))
        assert not table.may_know(series([f"value 3 {j}" for j in range(5_000)]))


def test_a_masker_that_fails_leaves_nothing_behind() -> None:
    def fails(values: pl.Series) -> pl.Series:
        raise ValueError

    remembered = Memory()
    with pytest.raises(ValueError):
        over_distinct(fails, series(["a", "a"]), remembered)
    assert over_distinct(Asked(), series(["a", "a"]), remembered).to_list() == ["<a>", "<a>"]


def test_values_that_differ_in_one_byte_are_told_apart() -> None:
    """Of every length up to some words, with the difference at every place."""
    values = [
        "a" * before + char + "a" * after for before in range(20) for after in range(20) for char in "ab\0"
    ]
    remembered = Memory()
    for _ in range(2):
        found = over_distinct(Asked(), series(values), remembered)
        assert found.to_list() == [Asked.of(value) for value in values]


def test_threads_share_a_memory() -> None:
    masker = compile_mask(MaskSpec("city", {}), KEYS[0])
    batches = [series([f"Stadt {i % 700} {n % 3}" for i in range(3_000)]) for n in range(24)]
    alone = [compile_mask(MaskSpec("city", {}), KEYS[0])(batch).to_list() for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        assert [found.to_list() for found in pool.map(masker, batches)] == alone
