"""Dates: what a shift keeps, in every way of writing, and what becomes of texts that are no date."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parity_data.mask import MaskSpec, compile_mask, describe
from parity_data.mask.testing import KEYS, assert_promises

NO_DATES = [
    "2023-02-30",
    "2023-13-01",
    "2023-02-30 10:00",
    "2023-2-3",
    "30.02.2023",
    "99999999",
    "soon",
    "٢٠٢٣-٠٢-٠١",
]
WAYS = [
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%Y/%m/%d",
    "%d-%m-%Y",
    "%Y%m%d",
    "%Y.%m.%d",
    "%Y-%m-%d 12:30:00",
]
MASKERS = ["birth_date", "date", "date_shift", "timestamp"]


def masked(
    name: str, values: list[str], type_name: str = "text", key: int = 0, **params: object
) -> list[str]:
    masker = compile_mask(MaskSpec(name, params), KEYS[key], type_name=type_name)
    return masker(pl.Series(values, dtype=pl.String)).to_list()


@settings(max_examples=25)
@given(
    st.lists(st.dates(date(1000, 1, 1), date(8999, 12, 31)), min_size=2, max_size=20, unique=True), st.data()
)
def test_a_shift_keeps_the_order_of_dates_among_whatever_else(days: list[date], data: st.DataObject) -> None:
    others = data.draw(st.lists(st.sampled_from(NO_DATES), unique=True))
    new = masked("date_shift", [*map(date.isoformat, days), *others])
    moved = [date.fromisoformat(text) - day for text, day in zip(new, days, strict=False)]
    assert len(set(moved)) == 1
    assert moved[0]
    assert not set(new[len(days) :]) & set(others)
    assert_promises(describe("date_shift"), [*map(date.isoformat, days), *others])


@pytest.mark.parametrize("name", MASKERS)
@pytest.mark.parametrize("way", WAYS)
def test_no_two_dates_of_a_year_meet(name: str, way: str) -> None:
    first = date(2099, 1, 1)
    values = [(first + timedelta(days=n)).strftime(way) for n in range(365)]
    for key in range(3):
        assert len(set(masked(name, [*values, *NO_DATES], key=key))) == len(values) + len(NO_DATES)


@pytest.mark.parametrize("days", [1, 7, 30, 365, 1461, 36500])
def test_months_first_stay_months_first(days: int) -> None:
    values = [date(2020, month, day).strftime("%m/%d/%Y") for month in range(1, 13) for day in range(13, 29)]
    new = masked("date_shift", values, days=days)
    assert len(set(new)) == len(values)
    assert all(int(text[:2]) <= 12 < int(text[3:5]) for text in new)


def test_shifts_at_either_end_of_time_merge_nothing() -> None:
    days = [date(2, 1, 1) + timedelta(days=n) for n in range(-60, 60)]
    days += [date(9998, 12, 31) + timedelta(days=n) for n in range(-60, 60)]
    values = [day.isoformat() for day in days]
    for key in range(4):
        assert len(set(masked("date_shift", values, "date", key))) == len(values)


@pytest.mark.parametrize("text", ["9999-12-31", "0001-01-01", "9999-12-31 23:59:59", "31.12.9999"])
def test_never_stays_never(text: str) -> None:
    info = describe("date_shift")
    assert info.keeps_whole(text)
    for key in range(4):
        assert masked("date_shift", [text], key=key) == [text]
    by_subject = compile_mask(MaskSpec("date_shift", {"by": "id"}), KEYS[0])
    assert by_subject(pl.Series([text] * 40), pl.Series(map(str, range(40)))).unique().to_list() == [text]


def test_ranges_of_numbers_alone_are_shifted() -> None:
    assert_promises(describe("range"), ["{[1,5),[8,12)}", "(,12.50]", "empty"])


def test_clocks_in_other_digits_are_no_clocks() -> None:
    values = ["2024-03-01 ١٢:٣٠:٠٠", "2024-03-01 12:30:00 T99:99:99", "2024-03-01 12:30:60"]
    for name in MASKERS:
        assert_promises(describe(name), values)


@pytest.mark.parametrize("type_name", ["text", "varchar", "citext"])
def test_ages_that_are_none_are_masked_and_meet_no_age(type_name: str) -> None:
    values = [*map(str, range(130)), "007", "07", "9998", "9999", "34 years", "12345", "-3"]
    new = masked("age", values, type_name, width=7)
    assert len(set(new)) == len(values)
    assert all(before != after for before, after in zip(values, new, strict=True))
