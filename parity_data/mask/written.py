"""Whole numbers and dates out of many texts at once, as PostgreSQL writes them.

Nothing else is read: what ``05``, ``+5``, ``infinity`` and dates of five-digit years mean is for others to
tell.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from parity_data.compiled import compiled
from parity_data.mask.cipher.flat import Bytes, Flat, Ints

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

#: Digits of numbers that are below 2**64 whatever they are.
_DIGITS = 19
_ZERO, _MINUS = 48, 45


def whole_numbers(texts: Flat) -> tuple[U64, npt.NDArray[np.bool_]] | None:
    """(how large each of n numbers is, which are below zero); None unless all are whole numbers.

    At most 19 digits, without zeros before them.
    """
    found, below = np.empty(len(texts), np.uint64), np.empty(len(texts), np.bool_)
    return (found, below) if _whole_numbers(texts.data, texts.offsets, found, below) else None


def days_of(texts: Flat) -> I64 | None:
    """Days from 1970-01-01 of n dates of the years 1 to 9999; None unless all are such."""
    found = np.empty(len(texts), np.int64)
    return found if _days(texts.data, texts.offsets, found) else None


@compiled
def _whole_numbers(data: Bytes, offsets: Ints, found: U64, below: npt.NDArray[np.bool_]) -> bool:
    for text in range(len(offsets) - 1):
        at, end = np.uint64(offsets[text]), np.uint64(offsets[text + 1])
        negative = at < end and data[at] == _MINUS
        at += np.uint64(negative)
        digits = end - at
        if digits < 1 or digits > _DIGITS or (data[at] == _ZERO and (digits > 1 or negative)):
            return False
        value = np.uint64(0)
        while at < end:
            digit = np.uint64(data[at]) - np.uint64(_ZERO)
            if digit > np.uint64(9):
                return False
            value = value * np.uint64(10) + digit
            at += np.uint64(1)
        found[text], below[text] = value, negative
    return True


@compiled
def _days(data: Bytes, offsets: Ints, found: I64) -> bool:
    for text in range(len(offsets) - 1):
        at = np.uint64(offsets[text])
        if offsets[text + 1] - offsets[text] != 10 or data[at + np.uint64(4)] != _MINUS:
            return False
        if data[at + np.uint64(7)] != _MINUS:
            return False
        number = np.int64(0)
        for i in range(10):
            digit = np.int64(data[at + np.uint64(i)]) - _ZERO
            if i == 4 or i == 7:
                continue
            if digit < 0 or digit > 9:
                return False
            number = number * 10 + digit
        year, month, day = number // 10_000, number // 100 % 100, number % 100
        if year < 1 or month < 1 or month > 12 or day < 1:
            return False
        leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
        long = (
            month == 1 or month == 3 or month == 5 or month == 7 or month == 8 or month == 10 or month == 12
        )
        last = 31 if long else (28 + leap if month == 2 else 30)
        if day > last:
            return False
        # Days before the month, were January and February the end of the year before (Richards 1998).
        since = (month + 9) % 12
        years = year - (month <= 2)
        found[text] = (
            365 * years + years // 4 - years // 100 + years // 400 + (153 * since + 2) // 5 + day - 719_469
        )
    return True
