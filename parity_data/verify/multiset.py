"""Keyed sums over rows that do not depend on their order: of what was sent, and of what is there.

The hash of a multiset is the sum modulo 2**64 of keyed hashes of its members, kept with their number
(MSet-Add-Hash: Clarke, Devadas, van Dijk, Gassend, Suh, "Incremental Multiset Hash Functions and Their
Application to Memory Integrity Checking", ASIACRYPT 2003). A row's hash is a sum of its values' hashes with
an odd factor for each column (Carter, Wegman 1979), mixed so that values exchanged between rows show.
Two tables that differ have equal sums with a probability of about 2**-64.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from parity_data.transfer.wire import TablePlan
from parity_data.verify._words import Key

U64 = npt.NDArray[np.uint64]

_WORDS = {
    pa.int16(): np.uint16,
    pa.int32(): np.uint32,
    pa.int64(): np.uint64,
    pa.float32(): np.uint32,
    pa.float64(): np.uint64,
}
_NULL = np.uint64(0x6E756C6C6E756C6C)
_ODD = np.uint64(1)


@dataclass
class TableSums:
    """Sums over a table's rows.

    whole: of whole rows. values: by column, of its values. bound: by column, of its values each multiplied by
    its row's primary key, so that a value in another row shows; like ``values`` where there is no key.
    """

    rows: int = 0
    whole: int = 0
    values: dict[str, int] = field(default_factory=dict)
    bound: dict[str, int] = field(default_factory=dict)

    def add(self, other: TableSums) -> None:
        """Take up the sums over more rows of the same table."""
        self.rows += other.rows
        self.whole = (self.whole + other.whole) % 2**64
        for mine, theirs in ((self.values, other.values), (self.bound, other.bound)):
            for column, number in theirs.items():
                mine[column] = (mine.get(column, 0) + number) % 2**64


class RowSummer:
    """Sums over batches of one table, in the form in which ``transfer.wire`` selects them.

    Masked columns are text, kept ones what was selected: the bytes of the type's send function, or numbers.
    """

    def __init__(self, plan: TablePlan, key: Key) -> None:
        self._columns = tuple(p.name for p in plan.columns)
        self._padded = {
            p.name
            for p in plan.columns
            if p.column.type.plain.name.name == "bpchar" and (plan.codec == "csv" or p.mask is not None)
        }
        self._key_columns = [i for i, c in enumerate(self._columns) if c in plan.table.primary_key]
        self._seed = key.seed
        self._salts = _mix(np.arange(len(self._columns), dtype=np.uint64) + np.uint64(key.salt))
        self._factors = _mix(self._salts ^ np.uint64(key.factor)) | _ODD
        self._last = np.uint64(key.salt)

    def sums(self, columns: Sequence[pa.Array], rows: int) -> TableSums:
        """Over one batch. columns: in the plan's order, none for a table without columns."""
        if not self._columns:
            return TableSums(rows)
        hashes = [self._hashes(i, values) for i, values in enumerate(columns[: len(self._columns)])]
        keys = self._keys(hashes)
        whole = np.zeros(rows, np.uint64)
        found = TableSums(rows)
        for i, (name, hashed) in enumerate(zip(self._columns, hashes, strict=True)):
            whole += hashed * self._factors[i]
            found.values[name] = int(hashed.sum())
            bound = hashed if keys is None or i in self._key_columns else hashed * keys
            found.bound[name] = int(bound.sum())
        found.whole = int(_mix(whole + self._last).sum())
        return found

    def _keys(self, hashes: list[U64]) -> U64 | None:
        if not self._key_columns:
            return None
        total = np.zeros(len(hashes[0]), np.uint64)
        for i in self._key_columns:
            total += hashes[i] * self._factors[i]
        return _mix(total) | _ODD

    def _hashes(self, place: int, values: pa.Array) -> U64:
        word = _WORDS.get(values.type)
        if word is not None and len(values):
            raw = np.frombuffer(values.buffers()[1], word)[values.offset : values.offset + len(values)]
            hashed = _mix(raw.astype(np.uint64) + self._salts[place])
            if values.null_count:
                hashed[np.asarray(values.is_null().to_numpy(zero_copy_only=False))] = _NULL
            return hashed
        series = pl.Series("", values)
        if self._columns[place] in self._padded:
            # PostgreSQL pads character(n), so blanks at the end are no part of the value.
            series = series.cast(pl.String).str.strip_chars_end(" ")
        elif series.dtype == pl.Boolean:
            series = series.cast(pl.UInt8).cast(pl.String)
        series = series.cast(pl.Binary)
        return _mix(series.hash(self._seed).to_numpy().astype(np.uint64, copy=False) ^ self._salts[place])


def changed_columns(sent: TableSums, there: TableSums, key: Sequence[str] = ()) -> list[str]:
    """Columns whose values are others, or stand in other rows. key: the primary key's columns."""
    if any(sent.values.get(c) != there.values.get(c) for c in key):
        # What is bound to a key that changed has changed with it.
        return [c for c, number in sent.values.items() if there.values.get(c) != number]
    return [c for c, number in sent.bound.items() if there.bound.get(c) != number]


def _mix(x: U64) -> U64:
    """Mix all bits (the finaliser of SplitMix64: Steele, Lea, Flood 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
