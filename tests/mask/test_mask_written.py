"""Whole numbers and dates are read as PostgreSQL writes them, and nothing else is."""

from __future__ import annotations

import re
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_data.mask.cipher.flat import Flat
from parity_data.mask.written import days_of, whole_numbers

_NUMBERS = st.integers(-(10**19) + 1, 10**19 - 1)
_ODD = st.text("0123456789-+ .e", max_size=21) | st.text(max_size=5)


def flat(texts: list[str]) -> Flat:
    return Flat.of(pl.Series(texts, dtype=pl.String))


@given(st.lists(_NUMBERS, max_size=20))
def test_whole_numbers_are_read(numbers: list[int]) -> None:
    found = whole_numbers(flat([str(n) for n in numbers]))
    assert found is not None
    assert found[0].tolist() == [abs(n) for n in numbers]
    assert found[1].tolist() == [n < 0 for n in numbers]


@given(st.lists(_NUMBERS.map(str), max_size=3), _ODD, st.lists(_NUMBERS.map(str), max_size=3))
def test_one_text_that_is_no_number_is_told(before: list[str], odd: str, after: list[str]) -> None:
    plain = re.fullmatch(r"0|-?[1-9][0-9]{0,18}", odd, re.ASCII) is not None
    assert (whole_numbers(flat([*before, odd, *after])) is not None) == plain


def test_every_day_of_all_years_is_read() -> None:
    first = date(1, 1, 1)
    every = [first + timedelta(n) for n in range((date(9999, 12, 31) - first).days + 1)]
    found = days_of(flat([day.isoformat() for day in every]))
    assert found is not None
    assert found.tolist() == [day.toordinal() - date(1970, 1, 1).toordinal() for day in every]


@pytest.mark.parametrize("year", [1900, 2000, 2023, 2024])
def test_no_other_day_is_read(year: int) -> None:
    for month in range(14):
        for day in range(34):
            text = f"{year}-{month:02d}-{day:02d}"
            try:
                date(year, month, day)
            except ValueError:
                assert days_of(flat(["2024-02-29", text])) is None
            else:
                assert days_of(flat(["2024-02-29", text])) is not None


@given(st.text("0123456789-", min_size=8, max_size=12) | st.sampled_from(["infinity", "", "0000-01-01"]))
def test_no_other_text_is_read(text: str) -> None:
    try:
        right = len(text) == 10 and date.fromisoformat(text).isoformat() == text
    except ValueError:
        right = False
    assert (days_of(flat([text])) is not None) == right
