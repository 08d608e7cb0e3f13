"""How many rows refer to one referenced row, in powers of two, with those that nobody refers to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from psycopg import sql

from parity_data.catalog.arrow import ArrowReader
from parity_data.catalog.model import ForeignKey, Table
from parity_data.catalog.reading import own_rows
from parity_data.profile.model import Counts, Curve, KeyProfile

#: Rows of a table that are grouped by a key at most.
GROUPED_ROWS = 500_000

_COUNTS = sql.SQL(
    "SELECT rows, count(*) FROM (SELECT count(*) AS rows FROM {rows} WHERE {there} GROUP BY {columns}) AS g"
    " GROUP BY rows"
)


@dataclass(frozen=True)
class FanOut:
    """Referenced rows by how many rows refer to them. counts: rows that refer; rows: such referenced ones."""

    counts: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]

    @property
    def largest(self) -> int:
        return int(self.counts.max(initial=0))


def fan_out(reader: ArrowReader, table: Table, key: ForeignKey, referenced: int) -> FanOut:
    """By grouping the whole table. referenced: rows of the referenced table.

    Raises SourceError or TargetError.
    """
    columns = [sql.Identifier(column) for column in key.columns]
    query = _COUNTS.format(
        rows=own_rows(table),
        there=sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(column) for column in columns),
        columns=sql.SQL(", ").join(columns),
    )
    batches = list(reader.batches(query, f"{table.name}.{key.name}"))
    counts, rows = (
        np.concatenate([np.zeros(1, np.int64), *(batch.column(i).to_numpy() for batch in batches)])
        for i in range(2)
    )
    rows[0] = max(0, referenced - int(rows.sum()))
    return FanOut(counts, rows)


def fan_out_of(at: npt.NDArray[np.int32], referenced: int) -> FanOut:
    """From where each reference leads: the position of a referenced row, negative for none."""
    counts, rows = np.unique(np.bincount(at[at >= 0], minlength=referenced), return_counts=True)
    return FanOut(counts.astype(np.int64), rows.astype(np.int64))


def profile_key(name: str, production: FanOut | None, staging: FanOut | None, how: str) -> KeyProfile:
    """The profile of a foreign key; a side that was not observed leaves the curve out."""
    largest: Counts = (
        production.largest if production else None,
        staging.largest if staging else None,
    )
    if production is None or staging is None or not production.rows.sum() or not staging.rows.sum():
        return KeyProfile(name, None, largest, how)
    sides = production, staging
    classes = 1 + max(_class(side.counts).max(initial=0) for side in sides)
    shares = [
        np.round(np.bincount(_class(side.counts), side.rows, minlength=classes) / side.rows.sum(), 4)
        for side in sides
    ]
    at = tuple((1 << number) >> 1 for number in range(classes))
    curve = Curve("fan_out", at, tuple(shares[0].tolist()), tuple(shares[1].tolist()))
    return KeyProfile(name, curve, largest, how)


def _class(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """0 for none, 1 for 1, 2 for 2 and 3, 3 for 4 to 7, ..."""
    return np.ceil(np.log2(counts + 1)).astype(np.int64)
