"""Association of two columns of a table, measured alike on both sides.

Columns of any type become categories: values where a column has few different ones, else eighths of its
numbers or times by rank, else whether it is NULL. NULL is a category of its own. Each side is measured by
its own categories, so a mask that gives equal values equal pseudonyms leaves the figure as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from parity_data.profile.model import PairProfile
from parity_data.profile.rows import Family

Ints = npt.NDArray[np.int64]

#: Rows that are looked at on one side, among which strong pairs are looked for, and without which nothing is
#: said.
ROWS, SEARCHED_ROWS, LEAST_ROWS = 10_000, 2_500, 100
#: Different values up to which a column is taken by value, and parts of one that is taken by rank.
VALUES, PARTS = 20, 8
#: Columns among which pairs are looked for, pairs that are told, and how strong one must be for that.
COLUMNS, FOUND, STRONG = 16, 5, 0.3
#: Difference beyond which a mask is said to have parted two columns.
APART = 0.1

How = Literal["values", "ranks", "NULLs"]


@dataclass(frozen=True)
class Described:
    """A column on both sides. values: of the rows looked at, in the same order for all columns of a side.

    distinct: different values in production. loses: what its mask does not keep: 'values' where equal values
    may get different ones or the reverse, 'ranks' where order is lost.
    """

    name: str
    production: pl.Series
    staging: pl.Series
    kind: Family
    distinct: int | None
    loses: Collection[How] = ()

    @property
    def how(self) -> How | None:
        """How it becomes categories; None where production has but one."""
        nulls = self.production.null_count()
        if self.kind != "bytes" and self.distinct is not None and self.distinct <= VALUES:
            return "values" if self.distinct + (nulls > 0) > 1 else None
        if self.kind in ("number", "time"):
            return "ranks"
        return "NULLs" if 0 < nulls < len(self.production) else None


def profile_pairs(
    columns: Sequence[Described], declared: Sequence[tuple[str, str]] = (), unfound: Collection[str] = ()
) -> tuple[PairProfile, ...]:
    """Declared pairs in their order, then production's strongest, the strongest first.

    unfound: columns that are no part of a pair unless it is declared, such as surrogate keys.
    """
    by_name = {column.name: column for column in columns}
    if not columns or len(columns[0].production) < LEAST_ROWS:
        return tuple(PairProfile(pair, (None, None), declared=True) for pair in declared)
    sides = _Side(by_name, 0), _Side(by_name, 1)
    few = len(columns[0].production) <= SEARCHED_ROWS
    searched = sides[0] if few else _Side(by_name, 0, SEARCHED_ROWS)
    usable = [c.name for c in columns if c.how is not None and c.name not in unfound][:COLUMNS]
    told = {frozenset(pair) for pair in declared}
    candidates = [pair for pair in combinations(usable, 2) if frozenset(pair) not in told]
    others = sides[0].strongest(searched.strongest(candidates)[:FOUND])

    def profile(pair: tuple[str, str], *, is_declared: bool) -> PairProfile:
        mine, theirs = (side.association(*pair) for side in sides)
        lost = any(column.how in column.loses for column in columns if column.name in pair)
        apart = lost and mine is not None and theirs is not None and abs(mine - theirs) > APART
        return PairProfile(pair, (mine, theirs), is_declared, apart)

    return (
        *(profile(pair, is_declared=True) for pair in declared),
        *(profile(pair, is_declared=False) for pair in others),
    )


class _Side:
    """Production (0) or staging (1). rows: looked at, at even distances."""

    def __init__(self, columns: Mapping[str, Described], side: int, rows: int = ROWS) -> None:
        self._columns, self._side, self._rows = columns, side, rows
        self._codes: dict[str, tuple[Ints, int] | None] = {}

    def association(self, one: str, other: str) -> float | None:
        """Between 0 and 1; None where too few rows, or one category only, are there."""
        left, right = self._coded(one), self._coded(other)
        if left is None or right is None or len(left[0]) < LEAST_ROWS:
            return None
        rows, columns = left[1], right[1]
        counts = np.bincount(left[0] * columns + right[0], minlength=rows * columns).reshape(rows, columns)
        found = cramers_v(counts)
        return None if found is None else round(found, 4)

    def strongest(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Those that are strong, the strongest first."""
        found = [(self.association(*pair) or 0.0, pair) for pair in pairs]
        strong = sorted((one for one in found if one[0] >= STRONG), key=lambda one: (-one[0], one[1]))
        return [pair for _, pair in strong]

    def _coded(self, name: str) -> tuple[Ints, int] | None:
        """A category for each row looked at, and how many there are."""
        if name not in self._codes:
            column = self._columns.get(name)
            how = column.how if column is not None else None
            if column is None or how is None:
                self._codes[name] = None
            else:
                values = (column.production, column.staging)[self._side]
                self._codes[name] = _categories(
                    values.gather_every(max(1, -(-len(values) // self._rows))), how
                )
        return self._codes[name]


def _categories(values: pl.Series, how: How) -> tuple[Ints, int]:
    """0 for NULL, the rest from 1; the number of them."""
    there = values.is_not_null().to_numpy()
    codes = there.astype(np.int64)
    if how == "NULLs" or not there.any():
        return codes, 2
    present = values.drop_nulls()
    if how == "ranks":
        numbers = present.to_numpy()
        ordered = np.sort(numbers)  # NaN last
        edges = ordered[np.arange(1, PARTS) * len(ordered) // PARTS]
        codes[there] += np.searchsorted(edges, numbers, "right")
        return codes, PARTS + 1
    if present.dtype == pl.String:
        encoded = present.to_arrow(compat_level=pl.CompatLevel.oldest()).dictionary_encode()
        at, count = encoded.indices.to_numpy().astype(np.int64), len(encoded.dictionary)
    else:
        different, at = np.unique(present.to_numpy(), return_inverse=True)
        count = len(different)
    if count > VALUES:
        # A mask made more of them: what is rare is one category.
        often = np.argsort(-np.bincount(at, minlength=count), kind="stable")[: VALUES - 1]
        place = np.full(count, VALUES - 1)
        place[often] = np.arange(VALUES - 1)
        at, count = place[at], VALUES
    codes[there] += at
    return codes, count + 1


def cramers_v(counts: npt.NDArray[np.int64]) -> float | None:
    """Cramér's V of a table of counts, corrected for bias; None where a side of it has one category.

    Over r rows and c columns that are not empty, with n in all: phi2 = chi2 / n less its expectation under
    independence, (r-1)(c-1)/(n-1), and not below 0; r and c less (r-1)^2/(n-1) and (c-1)^2/(n-1);
    V = sqrt(phi2 / min(r-1, c-1)). Bergsma, W. (2013), "A bias-correction for Cramér's V and Tschuprow's T",
    Journal of the Korean Statistical Society 42(3), 323-328.
    """
    counts = counts[counts.any(axis=1)][:, counts.any(axis=0)]
    n = int(counts.sum())
    r, c = counts.shape
    if min(r, c) < 2 or n < 2:
        return None
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / n
    phi2 = float(((counts - expected) ** 2 / expected).sum()) / n
    phi2 = max(0.0, phi2 - (r - 1) * (c - 1) / (n - 1))
    rows, columns = (size - (size - 1) ** 2 / (n - 1) for size in (r, c))
    least = min(rows, columns) - 1
    return min(1.0, float(np.sqrt(phi2 / least))) if least > 0 else None
