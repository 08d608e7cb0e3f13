"""Profiles as frozen values. A pair is (production, staging), None where a side was not observed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

#: Shares lie between 0 and 1 and are rounded to four digits.
Shares = tuple[float | None, float | None]
Numbers = tuple[float | None, float | None]
Counts = tuple[int | None, int | None]

CurveKind = Literal["ecdf", "ranks", "lengths", "weekday", "month", "hour", "fan_out"]
How = Literal["every row", "blocks", "not observed"]


@dataclass(frozen=True)
class Looked:
    """The rows of one side that were looked at. why: a reason for fewer than all, in words."""

    how: How
    rows: int
    why: str = ""


@dataclass(frozen=True)
class Curve:
    """Two lines, or pairs of bars, over the same places.

    at: by kind: 'ecdf': the percent of production's quantile; 'ranks': the rank of a value by frequency;
    'lengths': the greatest length of a bar, in characters; 'weekday': 1 for Monday; 'month': 1 for January;
    'hour': 0 to 23, UTC; 'fan_out': the least number of rows of a bar, which ends below the next.
    source, target: share at each place; of 'ecdf' all that lie at or below it. Never a value.
    """

    kind: CurveKind
    at: tuple[int, ...]
    source: tuple[float, ...]
    target: tuple[float, ...]

    @property
    def gap(self) -> float:
        """The largest difference at any place."""
        return max((abs(a - b) for a, b in zip(self.source, self.target, strict=True)), default=0.0)


@dataclass(frozen=True)
class Trait:
    """Share of the values that are not NULL which have a property."""

    label: str
    shares: Shares


@dataclass(frozen=True)
class Lengths:
    """Characters of the values: least, 5 %, median, 95 %, greatest. bytes: by character, on average."""

    source: tuple[int, ...]
    target: tuple[int, ...]
    bytes: Numbers


@dataclass(frozen=True)
class PathProfile:
    """A path in documents: share of the documents that have it, and types of what stands there, by share."""

    path: str
    shares: Shares
    types: tuple[Trait, ...]


@dataclass(frozen=True)
class ColumnProfile:
    """One column. values: looked at, without NULLs.

    nulls: share of the rows looked at. distinct: different values among those looked at.
    planner_distinct: in the whole table, as the planner estimates it from its own sample.
    correlation: of physical order and value, -1 to 1, by the planner. shapes: how texts are written, those of
    many rows and the rest (profile.shapes); empty where none may be named.
    """

    name: str
    values: Counts
    nulls: Shares
    distinct: Counts = (None, None)
    planner_distinct: Numbers = (None, None)
    correlation: Numbers = (None, None)
    traits: tuple[Trait, ...] = ()
    lengths: Lengths | None = None
    curves: tuple[Curve, ...] = ()
    paths: tuple[PathProfile, ...] = ()
    shapes: tuple[Trait, ...] = ()

    @property
    def shapes_gap(self) -> float:
        """Share of the values whose shape is another, as far as shapes are told apart."""
        pairs = [trait.shares for trait in self.shapes]
        return sum(abs(a - b) for a, b in pairs if a is not None and b is not None) / 2

    def curve(self, kind: CurveKind) -> Curve | None:
        """The curve of that kind."""
        return next((curve for curve in self.curves if curve.kind == kind), None)


@dataclass(frozen=True)
class KeyProfile:
    """One foreign key. fan_out: share of the referenced rows by how many rows refer to them.

    largest: rows that refer to one. how: where the figures are from, in words.
    """

    name: str
    fan_out: Curve | None
    largest: Counts
    how: str


@dataclass(frozen=True)
class PairProfile:
    """Association of two columns of a table: 0 for none, 1 where one follows from the other.

    declared: named by the policy. apart: it differs, and a mask of one of them cannot keep it.
    """

    columns: tuple[str, str]
    association: Numbers
    declared: bool = False
    apart: bool = False

    @property
    def gap(self) -> float:
        """The difference of the sides; 0 where one was not observed."""
        mine, theirs = self.association
        return abs(mine - theirs) if mine is not None and theirs is not None else 0.0


@dataclass(frozen=True)
class Physical:
    """Physical age of one table. rows: as the planner estimates them. dead_rows: as the server counts them.

    bloat: share of the heap's bytes that live rows of their average width do not account for.
    """

    heap_bytes: int
    index_bytes: int
    toast_bytes: int
    rows: int
    dead_rows: int
    bloat: float | None


@dataclass(frozen=True)
class TableProfile:
    """One table on both sides. duplicates: rows that equal another one, where no key forbids it."""

    source: Looked
    target: Looked
    physical: tuple[Physical | None, Physical | None] = (None, None)
    duplicates: Counts = (None, None)
    columns: tuple[ColumnProfile, ...] = ()
    keys: tuple[KeyProfile, ...] = ()
    pairs: tuple[PairProfile, ...] = ()

    def column(self, name: str) -> ColumnProfile | None:
        """The profile of a column of that name."""
        return next((column for column in self.columns if column.name == name), None)

    def distinct(self, name: str) -> Counts:
        """Different values of a column, on a side of which every row was looked at."""
        found = self.column(name)
        if found is None:
            return None, None
        mine, theirs = (side.how == "every row" for side in (self.source, self.target))
        return (found.distinct[0] if mine else None), (found.distinct[1] if theirs else None)

    def nulls(self, names: Collection[str]) -> Shares:
        """Share of rows with a NULL in a key, as far as that follows from its columns."""
        found = [self.column(name) for name in names]
        shares = [column.nulls if column is not None else (None, None) for column in found]
        if len(shares) == 1 or all(share == (0, 0) for share in shares):
            return shares[0]
        return None, None

    def key(self, name: str) -> KeyProfile | None:
        """The profile of a foreign key of that name."""
        return next((key for key in self.keys if key.name == name), None)
