"""Keyed sums over rows that do not depend on their order: of what was sent, and of what is there.

The hash of a multiset is the sum modulo 2**64 of keyed hashes of its members, kept with their number
(MSet-Add-Hash: Clarke, Devadas, van Dijk, Gassend, Suh, "Incremental Multiset Hash Functions and Their
Application to Memory Integrity Checking", ASIACRYPT 2003). A row's hash is a sum of its values' hashes with
an odd factor for each column (Carter, Wegman 1979), mixed so that values exchanged between rows show.
Two tables that differ have equal sums with a probability of about 2**-64.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from parity_data.catalog.fields import Fields, places_of
from parity_data.transfer.wire import TablePlan, in_arrow, in_fields
from parity_data.verify import _row_loops
from parity_data.verify._words import Key

U64 = npt.NDArray[np.uint64]

_ODD = np.uint64(1)


@dataclass
class TableSums:
    """Sums over a table's rows.

    whole: of whole rows. values: by column, of its values. bound: by column, of its values each multiplied by
    its row's primary key, so that a value in another row shows; like ``values`` where there is no key.
    nulls: by column, how many. They are not compared: equal values have equally many.
    """

    rows: int = 0
    whole: int = 0
    values: dict[str, int] = field(default_factory=dict)
    bound: dict[str, int] = field(default_factory=dict)
    nulls: Counter[str] = field(default_factory=Counter, compare=False)

    def add(self, other: TableSums) -> None:
        """Take up the sums over more rows of the same table."""
        self.rows += other.rows
        self.nulls.update(other.nulls)
        self.whole = (self.whole + other.whole) % 2**64
        for mine, theirs in ((self.values, other.values), (self.bound, other.bound)):
            for column, number in theirs.items():
                mine[column] = (mine.get(column, 0) + number) % 2**64


class RowSummer:
    """Sums over batches of one table, in the form in which ``transfer.wire`` selects them.

    Masked columns are text, kept ones what was selected.
    """

    def __init__(self, plan: TablePlan, key: Key) -> None:
        self._columns = tuple(p.name for p in plan.columns)
        self._padded = {
            p.name
            for p in plan.columns
            if p.column.type.plain.name.name == "bpchar" and (plan.codec == "csv" or p.mask is not None)
        }
        in_key = [i for i, c in enumerate(self._columns) if c in plan.table.primary_key]
        self._key_columns = np.array(in_key, np.int64)
        self._seed = np.uint64(key.seed)
        numbers = np.arange(len(self._columns), dtype=np.uint64)
        self._salts = _row_loops.all_mixed(numbers + np.uint64(key.salt))
        self._factors = _row_loops.all_mixed(self._salts ^ np.uint64(key.factor)) | _ODD
        self._last = np.uint64(key.salt)
        # A number that is it by chance is as rare as any two that have one hash.
        self._null = np.uint64(key.seed)

    def sums(self, columns: Sequence[Fields | pa.Array], rows: int) -> TableSums:
        """Over one batch. columns: in the plan's order, none for a table without columns."""
        found = TableSums(rows)
        if not self._columns or not rows:
            return found
        values = columns[: len(self._columns)]
        ready = []
        for name, column in zip(self._columns, values, strict=True):
            found.nulls[name] += column.null_count
            ready.append(in_fields(_unpadded(column) if name in self._padded else column))
        plain = np.zeros(len(values), np.uint64)
        bound = np.zeros(len(values), np.uint64)
        whole = _row_loops.sum_rows(
            *places_of(ready), self._seed, self._null,
            self._salts, self._factors, self._key_columns, self._last, plain, bound,
        )  # fmt: skip
        bound[self._key_columns] = plain[self._key_columns]
        found.values = dict(zip(self._columns, plain.tolist(), strict=True))
        found.bound = dict(zip(self._columns, bound.tolist(), strict=True))
        found.whole = int(whole)
        return found


def _unpadded(values: Fields | pa.Array) -> pa.Array:
    """Without blanks at the end: PostgreSQL pads character(n), so they are no part of the value."""
    text = pl.Series("", in_arrow(values)).cast(pl.String).str.strip_chars_end(" ")
    return text.to_arrow(compat_level=pl.CompatLevel.oldest())


def changed_columns(sent: TableSums, there: TableSums, key: Sequence[str] = ()) -> list[str]:
    """Columns whose values are others, or stand in other rows. key: the primary key's columns."""
    if any(sent.values.get(c) != there.values.get(c) for c in key):
        # What is bound to a key that changed has changed with it.
        return [c for c, number in sent.values.items() if there.values.get(c) != number]
    return [c for c, number in sent.bound.items() if there.bound.get(c) != number]
