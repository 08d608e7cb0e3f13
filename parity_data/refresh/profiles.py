"""Profiles of every table: rows of production in the snapshot, and of what was built, described alike."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl
import psycopg

from parity_data.catalog import Name, Table
from parity_data.catalog.arrow import ArrowReader, ConnectionReader
from parity_data.catalog.model import Column, ForeignKey
from parity_data.errors import ParityError
from parity_data.mask import MaskSpec, describe, keeps_everything
from parity_data.profile import (
    ColumnProfile,
    Counts,
    Described,
    FanOut,
    KeyProfile,
    Looked,
    PairProfile,
    Statistics,
    TableProfile,
    choose,
    fan_out,
    fan_out_of,
    profile_column,
    profile_key,
    profile_pairs,
    read_rows,
    read_statistics,
)
from parity_data.profile.keys import GROUPED_ROWS
from parity_data.profile.pairs import How
from parity_data.profile.rows import family

if TYPE_CHECKING:
    from parity_data.refresh.session import Refresh


def make_profiles(
    refresh: Refresh, connection: psycopg.Connection[Any], staged: dict[Name, int]
) -> dict[Name, TableProfile]:
    """The profile of every table. connection: to what was built. staged: its rows by table.

    What cannot be read is not observed, and says why: a profile describes, and stops nothing.
    """
    statistics = read_statistics(refresh.snapshot.connection), read_statistics(connection)
    alone = refresh.building.connection is not None
    tables = sorted(refresh.catalog.tables.values(), key=lambda table: -table.bytes)
    connections = refresh.policy.load.workers(refresh.settings.connections)
    workers = 1 if alone else max(1, min(connections, len(tables)))

    def work(share: list[Table]) -> dict[Name, TableProfile]:
        with _Profiler(refresh, statistics, staged, connection if alone else None) as profiler:
            return {table.name: profiler.table(table) for table in share}

    found: dict[Name, TableProfile] = {}
    with ThreadPoolExecutor(workers, thread_name_prefix="profile") as pool:
        for done in pool.map(work, [tables[i::workers] for i in range(workers)]):
            found.update(done)
    return {name: found[name] for name in refresh.catalog.tables}


class _Profiler:
    """Makes the profiles of some tables, with a reader of either side of its own.

    connection: the only one that sees what was built, where there is such a one.
    """

    def __init__(
        self,
        refresh: Refresh,
        statistics: tuple[Statistics, Statistics],
        staged: dict[Name, int],
        connection: psycopg.Connection[Any] | None,
    ) -> None:
        self._refresh, self._statistics, self._staged = refresh, statistics, staged
        self._connection = connection
        self._readers: dict[int, ArrowReader] = {}

    def __enter__(self) -> _Profiler:
        return self

    def __exit__(self, *error: object) -> None:
        for side in list(self._readers):
            self._readers.pop(side).close()

    @contextmanager
    def _reader(self, side: int) -> Iterator[ArrowReader]:
        """The reader of production (0) or staging (1); one that failed is not used again."""
        if side and self._connection is not None:
            # A savepoint: the transaction goes on after an error.
            with self._connection.transaction():
                yield ConnectionReader(self._connection)
            return
        if side not in self._readers:
            snapshot = self._refresh.snapshot
            target = self._refresh.building.target
            self._readers[side] = ArrowReader(target) if side else ArrowReader(snapshot.database, snapshot.id)
        try:
            yield self._readers[side]
        except BaseException:
            self._readers.pop(side).close()
            raise

    def table(self, table: Table) -> TableProfile:
        """Both sides of one table."""
        columns = [column for column in table.columns if not column.generated]
        (mine, frame), (theirs, other) = (self._read(table, columns, side) for side in (0, 1))
        masks = self._refresh.masks.get(table.name)
        seen = masks is not None and "not observed" not in (mine.how, theirs.how)
        whole = seen and mine.how == theirs.how == "every row"
        found = tuple(
            self._column(table, column, frame[f"c{i}"], other[f"c{i}"])
            for i, column in enumerate(columns)
            if seen
        )
        return TableProfile(
            source=mine,
            target=theirs,
            physical=(self._statistics[0].physical(table), self._statistics[1].physical(table)),
            duplicates=_duplicates(table, frame, other) if whole else (None, None),
            columns=found,
            pairs=self._pairs(table, columns, found, frame, other) if seen else (),
            keys=tuple(self._key(table, key) for key in table.foreign_keys),
        )

    def _rows(self, name: Name, side: int) -> int:
        return self._staged.get(name, 0) if side else self._refresh.selections[name].total

    def _read(self, table: Table, columns: list[Column], side: int) -> tuple[Looked, pl.DataFrame]:
        limits = self._refresh.policy.profiles
        sampled = choose(
            table,
            self._rows(table.name, side),
            self._statistics[side].sizes(),
            limit=limits.rows,
            room=limits.size,
        )
        if sampled is None or not columns:
            why = "it has no column" if not columns else "a row of it is too large"
            return Looked("not observed", 0, why), pl.DataFrame()
        try:
            with self._reader(side) as reader:
                frame, looked = read_rows(reader, table, columns, sampled)
        except (ParityError, psycopg.Error) as error:
            return Looked("not observed", 0, _why(error)), pl.DataFrame()
        return looked, frame

    def _column(
        self, table: Table, column: Column, production: pl.Series, staging: pl.Series
    ) -> ColumnProfile:
        mask = self._refresh.masks[table.name].get(column.name)
        found = profile_column(
            column.name,
            production,
            staging,
            family(column),
            masked=mask is not None and not keeps_everything(mask),
            document=column.type.plain.name.name in ("json", "jsonb"),
        )
        planner = [statistics.planner(table, column.name) for statistics in self._statistics]
        distinct = [
            p.values(self._rows(table.name, side)) if p is not None else None
            for side, p in enumerate(planner)
        ]
        correlation = [p.correlation if p is not None else None for p in planner]
        return replace(
            found,
            planner_distinct=(distinct[0], distinct[1]),
            correlation=(correlation[0], correlation[1]),
        )

    def _pairs(
        self,
        table: Table,
        columns: list[Column],
        found: tuple[ColumnProfile, ...],
        production: pl.DataFrame,
        staging: pl.DataFrame,
    ) -> tuple[PairProfile, ...]:
        masks = self._refresh.masks[table.name]
        described = [
            Described(
                column.name,
                production[f"c{i}"],
                staging[f"c{i}"],
                family(column),
                profile.distinct[0],
                _loses(masks.get(column.name)),
            )
            for i, (column, profile) in enumerate(zip(columns, found, strict=True))
        ]
        # A number given to each row in turn goes with everything that grows.
        alone = table.primary_key if len(table.primary_key) == 1 else ()
        return profile_pairs(described, self._refresh.policy.profiles.pairs.get(table.name, ()), alone)

    def _key(self, table: Table, key: ForeignKey) -> KeyProfile:
        """Production's fan-out as the key pass has it, else by grouping, like staging's."""
        sides: list[FanOut | None] = []
        sample = self._refresh.selections[table.name].sample
        for side in (0, 1):
            referenced = self._rows(key.referenced, side)
            if not side and sample is not None and key.name in sample.references:
                sides.append(fan_out_of(sample.references[key.name], referenced))
            elif self._rows(table.name, side) > GROUPED_ROWS or key.period:
                sides.append(None)
            else:
                sides.append(self._grouped(table, key, referenced, side))
        how = "every row of both tables"
        if None in sides:
            how = "a period" if key.period else f"more than {GROUPED_ROWS:,} rows"
            how = f"not observed: {how}"
        return profile_key(key.name, sides[0], sides[1], how)

    def _grouped(self, table: Table, key: ForeignKey, referenced: int, side: int) -> FanOut | None:
        try:
            with self._reader(side) as reader:
                return fan_out(reader, table, key, referenced)
        except (ParityError, psycopg.Error):
            return None


def _why(error: ParityError | psycopg.Error) -> str:
    return error.what if isinstance(error, ParityError) else f"reading failed ({type(error).__name__})"


def _loses(mask: MaskSpec | None) -> tuple[How, ...]:
    """What a mask does not keep of a column: equality of its values, their order."""
    if mask is None or keeps_everything(mask):
        return ()
    info = describe(mask.name)
    equal = info.distinct_with(mask.params) != "lossy" and not info.by_batch
    ordered = "order" in info.keeps and not mask.params.get(info.beside)
    lost: list[How] = []
    if not equal:
        lost.append("values")
    if not ordered:
        lost.append("ranks")
    return tuple(lost)


def _duplicates(table: Table, production: pl.DataFrame, staging: pl.DataFrame) -> Counts:
    """Rows that equal another one, where no key forbids it."""
    if table.primary_key or table.unique_keys:
        return None, None
    return _equal(production), _equal(staging)


def _equal(frame: pl.DataFrame) -> int:
    return frame.height - frame.n_unique() if frame.height else 0
