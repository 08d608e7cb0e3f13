"""Keyed sums over rows that do not depend on their order: of what was sent, and of what is there.

The hash of a multiset is the sum modulo 2**64 of keyed hashes of its members, kept with their number
(MSet-Add-Hash: Clarke, Devadas, van Dijk, Gassend, Suh, "Incremental Multiset Hash Functions and Their
Application to Memory Integrity Checking", ASIACRYPT 2003). Two tables that differ have equal sums with a
probability of about 2**-64.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from parity_data.transfer.wire import TablePlan
from parity_data.verify import _row_loops
from parity_data.verify._words import Key

U64 = npt.NDArray[np.uint64]

_SIGNATURE = b"PGCOPY\n\xff\r\n\x00"
_HEADER = len(_SIGNATURE) + 8
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


@dataclass
class TableSums:
    """Sums over a table's rows.

    whole: of whole rows. values: by column, of its values. bound: by column, of its values each multiplied by
    its row's primary key, so that a value in another row shows; like ``values`` where there is no key. Both
    are empty where only whole rows were added up.
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

    def agrees(self, other: TableSums) -> bool:
        """Whether both are over the same rows."""
        return (self.rows, self.whole) == (other.rows, other.whole)


class RowSummer:
    """Adds up rows of one table in the form in which COPY takes them.

    type_oids: OIDs of user-defined types on the source, as the plan has them -> on the target.
    """

    def __init__(self, plan: TablePlan, key: Key, type_oids: Mapping[int, int]) -> None:
        names = [p.name for p in plan.columns]
        self._names = names
        self._binary = plan.codec == "binary"
        self._seed = np.uint64(key.seed)
        types = [p.column.type.oid for p in plan.columns]
        oids = b"".join(type_oids.get(oid, oid).to_bytes(4, "big") for oid in types)
        self._oids = np.frombuffer(oids, np.uint8)
        numbers = np.arange(1, len(names) + 1, dtype=np.uint64)
        self._salts = np.uint64(key.salt) ^ (numbers * _SPREAD)
        self._factors = (np.uint64(key.factor) ^ (numbers * _SPREAD)) | np.uint64(1)
        self._in_key = np.array([name in plan.table.primary_key for name in names], bool)
        self._keyed = bool(self._in_key.any())

    def sums(self, copied: bytes) -> TableSums:
        """Over whole rows. copied: what COPY takes or gives, its header and trailer included or not."""
        data = np.frombuffer(copied, np.uint8)
        values, bound = np.zeros((2, len(self._names)), np.uint64)
        columns = self._salts, self._factors, self._in_key, self._keyed, values, bound
        if self._binary:
            start = _HEADER if copied.startswith(_SIGNATURE) else 0
            room = np.empty(-(-len(data) // 4) + len(self._names) + 4, np.uint32).view(np.uint8)
            rows, whole = _row_loops.sum_binary(data, start, self._oids, self._seed, room, *columns)
        else:
            rows, whole = _row_loops.sum_csv(data, self._seed, *columns)
        by_column = [dict(zip(self._names, found.tolist(), strict=True)) for found in (values, bound)]
        return TableSums(int(rows), int(whole), *by_column)


def changed_columns(sent: TableSums, there: TableSums, key: Sequence[str] = ()) -> list[str]:
    """Columns whose values are others, or stand in other rows. key: the primary key's columns."""
    if any(sent.values.get(c) != there.values.get(c) for c in key):
        # What is bound to a key that changed has changed with it.
        return [c for c, number in sent.values.items() if there.values.get(c) != number]
    return [c for c, number in sent.bound.items() if there.bound.get(c) != number]
