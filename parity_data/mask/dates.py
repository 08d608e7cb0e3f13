"""Days: dates of birth moved within their year, by one keyed cycle per year, wherever they are written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
import polars as pl

from parity_data.mask.cipher import IntegerCipher
from parity_data.mask.keys import KeyRing

#: Masking domain of days, so that a date of birth agrees with the one inside an identity number.
DAYS = "days"

_MONTH_LETTERS = "ABCDEHLMPRST"


class DayCipher:
    """Moves days within a year or month. Safe to share between threads."""

    def __init__(self, keys: KeyRing, domain: str = DAYS) -> None:
        self._cipher = IntegerCipher(keys.subkey("days", domain))
        self._moved = lru_cache(maxsize=200_000)(self._move)

    def move(self, days: pl.Series, within: str = "year") -> pl.Series:
        """days: Date Series of length n, no NULLs. within: 'year' or 'month'. Never the same day."""
        start = days.dt.truncate("1y" if within == "year" else "1mo")
        offset = (days - start).dt.total_days().to_numpy().astype(np.uint64)
        out = np.empty(len(offset), np.int64)
        groups = start.to_physical().to_numpy()
        ends = start.dt.offset_by("1y" if within == "year" else "1mo")
        sizes = (ends - start).dt.total_days().to_numpy()
        for group in np.unique(groups):
            members = np.flatnonzero(groups == group)
            tweak = f"{within}{int(group)}"
            out[members] = self._cipher.step(offset[members], int(sizes[members[0]]), tweak)
        return _add(start, out)

    def _move(self, year: int, month: int, day: int) -> tuple[int, int] | None:
        try:
            moved = self.move(pl.Series([date(year, month, day)], dtype=pl.Date))
        except ValueError:
            return None
        new = moved[0]
        return new.month, new.day

    def move_written(self, compact: list[str], templates: list[str]) -> list[str]:
        """Move dates written inside identifiers. templates: with Y, M and D where the date stands."""
        return [
            self._written(text, template) if "D" in template else text
            for text, template in zip(compact, templates, strict=True)
        ]

    def _written(self, text: str, template: str) -> str:
        found = _read(text, template)
        moved = self._moved(found.year, found.month, found.day) if found else None
        if found is None or moved is None:
            return text
        return _write(text, template, found, *moved)


def _add(start: pl.Series, days: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pl.Series:
    return (start.to_physical().cast(pl.Int64) + pl.Series(days)).cast(pl.Int32).cast(pl.Date)


@dataclass(frozen=True)
class _Written:
    """A date read from an identifier. month_add, day_add: what the kind adds to them, for century or sex."""

    year: int
    month: int
    day: int
    month_add: int
    day_add: int


def _read(text: str, template: str) -> _Written | None:
    year_text, month_text, day_text = (
        "".join(c for c, r in zip(text, template, strict=True) if r == role) for role in "YMD"
    )
    if not (year_text.isdigit() and day_text.isdigit()):
        return None
    if month_text.isdigit():
        month_add = int(month_text) // 20 * 20
        month = int(month_text) - month_add
        if not 1 <= month <= 12:
            month_add = 50
            month = int(month_text) - 50
    else:
        month_add, month = 0, _MONTH_LETTERS.find(month_text) + 1
    day_add = 40 if int(day_text) > 40 else 0
    year = int(year_text)
    if len(year_text) == 2:
        # A fixed window: what a date moves to must not depend on the day of the refresh.
        year += {20: 2000, 40: 2100, 60: 2200, 80: 1800}.get(month_add, 1900 if year > 30 else 2000)
    return _Written(year, month, int(day_text) - day_add, month_add, day_add)


def _write(text: str, template: str, found: _Written, month: int, day: int) -> str:
    width = template.count("M")
    months = f"{month + found.month_add:02d}" if width == 2 else _MONTH_LETTERS[month - 1]
    parts = {"M": iter(months), "D": iter(f"{day + found.day_add:02d}")}
    return "".join(next(parts[r]) if r in parts else c for c, r in zip(text, template, strict=True))
