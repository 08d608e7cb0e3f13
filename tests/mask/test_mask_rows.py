"""Maskers that look at a row's other column: shifts by subject, shuffles and draws within groups."""

from __future__ import annotations

from collections import Counter
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_data.mask import MaskSpec, compile_mask
from parity_data.mask.testing import KEYS

days = st.dates(date(1900, 1, 1), date(2090, 12, 31))
rows = st.lists(st.tuples(st.sampled_from(["1", "2", "77", None]), days | st.none()), min_size=1, max_size=40)


def shifted(
    subjects: list[str | None], values: list[date | None], key: int = 0, **params: int
) -> list[date | None]:
    masker = compile_mask(MaskSpec("date_shift", {"by": "customer", **params}), KEYS[key], type_name="date")
    assert masker.beside == "customer"
    texts = pl.Series("c", [v and v.isoformat() for v in values], dtype=pl.String)
    out = masker(texts, pl.Series("customer", subjects, dtype=pl.String))
    return [v and date.fromisoformat(v) for v in out.to_list()]


@given(rows)
def test_one_subject_keeps_its_intervals(made: list[tuple[str | None, date | None]]) -> None:
    subjects, values = [s for s, _ in made], [v for _, v in made]
    new = shifted(subjects, values)
    offsets: dict[str | None, set[int]] = {}
    for subject, old, masked in zip(subjects, values, new, strict=True):
        assert (old is None) == (masked is None)
        if old is not None and masked is not None:
            offsets.setdefault(subject, set()).add((masked - old).days)
    assert all(len(found) == 1 and 0 < abs(*found) <= 30 for found in offsets.values())
    assert shifted(subjects[::-1], values[::-1]) == new[::-1]


def test_subjects_move_by_different_days_and_the_same_in_every_column() -> None:
    subjects = [str(n) for n in range(500)]
    one = shifted(subjects, [date(2024, 3, 1)] * 500, days=100)
    assert len(set(one)) > 120
    other = shifted(subjects, [date(2020, 7, 9)] * 500, days=100)
    moves = [(a - date(2024, 3, 1), b - date(2020, 7, 9)) for a, b in zip(one, other, strict=True) if a and b]
    assert all(a == b for a, b in moves)
    assert shifted(subjects, [date(2024, 3, 1)] * 500, key=1, days=100) != one


def test_clocks_and_numbers_as_subjects_stay_whole() -> None:
    masker = compile_mask(MaskSpec("date_shift", {"by": "id"}), KEYS[0], type_name="timestamptz")
    texts = pl.Series(["2024-03-01 12:30:00.5+00", "2024-03-02 12:30:00+00", "infinity", None, ""])
    new = masker(texts, pl.Series(["5", "5", "5", None, "5"])).to_list()
    assert [text and text[10:] for text in new] == [" 12:30:00.5+00", " 12:30:00+00", "", None, ""]
    assert new[2:] == ["infinity", None, ""]
    first, second = (date.fromisoformat((text or "")[:10]) for text in new[:2])
    assert (second - first).days == 1


@pytest.mark.parametrize("name", ["shuffle", "resample"])
@given(rows)
def test_values_stay_in_their_group(name: str, made: list[tuple[str | None, date | None]]) -> None:
    values = pl.Series([v and v.isoformat() for _, v in made], dtype=pl.String)
    groups = pl.Series([s for s, _ in made], dtype=pl.String)
    masker = compile_mask(MaskSpec(name, {"within": "city"}), KEYS[0], type_name="date")
    new = masker(values, groups)
    assert (new.is_null() == values.is_null()).all()
    for group in (*groups.unique(), None):
        mine = groups.is_null() if group is None else (groups == group).fill_null(False)
        before, after = Counter(values.filter(mine)), Counter(new.filter(mine))
        assert set(after) <= set(before)
        assert name == "resample" or before == after
    assert masker(values, groups).to_list() == new.to_list()


def test_a_shuffle_moves_every_row() -> None:
    values = pl.Series([str(n) for n in range(1000)])
    new = compile_mask(MaskSpec("shuffle", {}), KEYS[0])(values)
    assert sorted(new) == sorted(values)
    assert not (new == values).any()
    assert compile_mask(MaskSpec("shuffle", {}), KEYS[1])(values).to_list() != new.to_list()


def test_a_draw_keeps_shares_about() -> None:
    values = pl.Series(["a"] * 9_000 + ["b"] * 1_000 + [None] * 500)
    new = compile_mask(MaskSpec("resample", {}), KEYS[0])(values)
    assert new.null_count() == 500
    assert 850 < (new == "b").sum() < 1150
    assert 850 < (new.slice(9_000, 1_000) == "a").sum() < 950
