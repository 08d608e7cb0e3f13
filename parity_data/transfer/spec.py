"""The unit of work: a slice of one table, described so that any worker can do it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
import polars as pl
import psycopg
import pyarrow as pa

from parity_data.catalog.arrow import RowAddresses
from parity_data.catalog.fields import Fields
from parity_data.catalog.model import Leaf, Name
from parity_data.database import Database
from parity_data.mask import KeyRing, KnownValues
from parity_data.transfer.encode import Data
from parity_data.transfer.relink import NewKeys
from parity_data.transfer.wire import TablePlan

#: Bytes of table that one slice holds, give or take.
SLICE_BYTES = 48 * 1024 * 1024
#: Into how many the last two slices of a relation are cut, so that workers end at about the same time.
_LAST_CUT = 4
#: Bytes of rows that one slice holds, give or take, where they are fetched by address. A worker waits for the
#: first of them, so others should have something to do meanwhile: with 12 MB, a tenth takes a third longer.
FETCHED_BYTES = 6 * 1024 * 1024
#: Share of a slice's rows above which reading all of it beats fetching the chosen ones by address, even where
#: these are in every block: measured with 15 columns, a tenth takes 0.8 s by address, 2.9 s by reading all,
#: and both meet near a half.
SCAN_ABOVE = 0.35
#: A row of a table that was never analysed, in bytes.
_ROW_BYTES = 100.0


class Observer(Protocol):
    """Sees what passes in the stream, masked columns before and after. Must be picklable once filled.

    observe_rows sees every batch whole: columns in the plan's order, as selected and as they will be encoded;
    those that travel as text as Arrow arrays.
    """

    def observe_kept(self, table: Name, column: str, values: pl.Series) -> None: ...

    def observe_rows(
        self,
        plan: TablePlan,
        before: Sequence[Fields | pa.Array],
        ready: Sequence[Fields | pa.Array],
        rows: int,
    ) -> None: ...


class Writer(Protocol):
    """The writing side of a worker."""

    def write(self, piece: Slice, data: Iterable[Data]) -> None: ...

    def was_written(self, error: psycopg.Error, piece: Slice, rows: int) -> bool: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Access:
    """What a worker needs to reach both sides. snapshot: exported id on the source. known: for free text.

    kept_too: whether the observer wants to see kept texts.
    writer: where everything is written over one connection; else each worker opens its own to ``target``.
    """

    source: Database
    snapshot: str
    target: Database
    keys: KeyRing
    type_oids: dict[int, int] = field(default_factory=dict)
    make_observer: Callable[[], Observer] | None = None
    kept_too: bool = True
    known: KnownValues | None = None
    writer: Writer | None = None


@dataclass(frozen=True)
class Slice:
    """Pages [first, end) of one relation; end None for 'to the last'.

    chosen: None for every row. alone: nothing else is written into the same relation. new_keys: of rows that
    refer to another row than in production.
    """

    plan: TablePlan
    leaf: Leaf
    into: Name
    first: int
    end: int | None
    chosen: RowAddresses | None = None
    alone: bool = False
    new_keys: tuple[NewKeys, ...] = ()

    @property
    def table(self) -> Name:
        return self.plan.table.name

    @property
    def weight(self) -> float:
        """Bytes this slice will read, to start with the heaviest."""
        if self.chosen is not None and self.fetch:
            return self.expected
        pages = (self.end or max(self.leaf.pages, self.first + 1)) - self.first
        return self.leaf.bytes * pages / max(self.leaf.pages, 1)

    @property
    def row_bytes(self) -> float:
        """Bytes that a row takes in production, on average, as the planner has it; a guess before ANALYZE."""
        return _row_bytes(self.leaf)

    @property
    def expected(self) -> float:
        """Bytes of production that the rows to be sent take."""
        return self.weight if self.chosen is None else len(self.chosen) * self.row_bytes

    @property
    def fetch(self) -> bool:
        """Whether to fetch the chosen rows by address instead of scanning the slice."""
        if self.chosen is None:
            return False
        pages = (self.end or max(self.leaf.pages, self.first + 1)) - self.first
        if self.leaf.rows_estimate <= 0:  # never analysed
            return len(np.unique(self.chosen >> 16)) < SCAN_ABOVE * pages
        return len(self.chosen) < SCAN_ABOVE * self.leaf.rows_estimate * pages / max(self.leaf.pages, 1)


@dataclass(frozen=True)
class Sent:
    """What one slice sent.

    nulls, nulls_sent: NULLs by column, before and after masking. unchanged: values by masked column that
    equal their original, but for empty ones; empty: those. found: by masked column, what its mask found in
    texts, by method and kind.
    """

    table: Name
    rows: int
    bytes: int
    seconds: float
    nulls: dict[str, int]
    nulls_sent: dict[str, int]
    unchanged: dict[str, int]
    empty: dict[str, int]
    found: dict[str, Counter[str]] = field(default_factory=dict)
    observed: Any = None


def slices(
    plan: TablePlan,
    chosen: dict[Name, RowAddresses] | None,
    *,
    version: int,
    new_keys: Mapping[Name, tuple[NewKeys, ...]] = MappingProxyType({}),
) -> Iterator[Slice]:
    """Cut a table into slices. chosen: row addresses by leaf, None for all rows. new_keys: by leaf.

    Before PostgreSQL 14 a condition on ctid reads the whole table, so a leaf is one slice there.
    """
    table = plan.table
    masked = {p.name for p in plan.masked}
    reroute = bool(masked.intersection(table.partition_columns)) or _hashed_by_name(plan)
    for leaf in table.leaves:
        if leaf.kind != "r":
            continue
        into = table.name if reroute else leaf.name
        rows = None if chosen is None else chosen.get(leaf.name, np.empty(0, np.int64))
        if rows is not None and not len(rows):
            continue
        starts = _starts(leaf, rows) if version >= 140000 else [0]
        alone = len(starts) == 1 and not reroute
        for first, end in zip(starts, [*starts[1:], None], strict=True):
            part = rows
            if rows is not None:
                low = np.searchsorted(rows, first << 16)
                high = len(rows) if end is None else np.searchsorted(rows, end << 16)
                part = rows[low:high]
                if not len(part):
                    continue
            yield Slice(plan, leaf, into, first, end, part, alone, new_keys.get(leaf.name, ()))


def _starts(leaf: Leaf, rows: RowAddresses | None) -> list[int]:
    """First pages of its slices."""
    if rows is not None and len(rows) < SCAN_ABOVE * leaf.rows_estimate:
        count = math.ceil(len(rows) * _row_bytes(leaf) / FETCHED_BYTES)
        firsts = np.unique(rows[np.arange(1, count) * len(rows) // count] >> 16)
        return [0, *firsts[firsts > 0].tolist()]
    step = max(1, int(leaf.pages * SLICE_BYTES / max(leaf.bytes, 1)))
    starts = list(range(0, max(leaf.pages, 1), step))
    if len(starts) == 1:
        return starts
    return [*starts[:-2], *range(starts[-2], leaf.pages, max(1, step // _LAST_CUT))]


def _row_bytes(leaf: Leaf) -> float:
    return leaf.bytes / leaf.rows_estimate if leaf.rows_estimate > 0 else _ROW_BYTES


def _hashed_by_name(plan: TablePlan) -> bool:
    """Whether a partition key hashes by OID (enums), so that rows may belong elsewhere on the target."""
    by_name = {p.name: p.column.type.plain for p in plan.columns}
    return any(by_name[c].kind == "e" for c in plan.table.partition_columns if c in by_name)
