"""The load link: every row that was sent is in staging once and unchanged, to the last bit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from typing import Any, Protocol

import psycopg
from psycopg import sql

from parity_data.catalog.ahead import ahead
from parity_data.catalog.arrow import ArrowReader, ConnectionReader
from parity_data.catalog.fields import Fields
from parity_data.catalog.model import Leaf, Name
from parity_data.database import Database
from parity_data.transfer import Slice, TablePlan, oids, slices
from parity_data.transfer.extract import read_slice
from parity_data.verify._words import Key
from parity_data.verify.multiset import RowSummer, TableSums, changed_columns
from parity_data.verify.result import CheckResult

_SIZES = """
SELECT n.nspname, c.relname, pg_relation_size(c.oid) / current_setting('block_size')::int8,
       pg_relation_size(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'
"""


class Onlooker(Protocol):
    """Sees the rows that one reader reads back."""

    def also(self, plan: TablePlan) -> Sequence[sql.Composable]:
        """What to select besides the plan's columns."""

    def look(self, plan: TablePlan, columns: Sequence[Fields], also: Sequence[Fields]) -> None:
        """A batch. columns: in the plan's order; also: what was asked for."""

    def finish(self) -> None:
        """After the last batch."""


def read_back(
    target: Database,
    connection: psycopg.Connection[Any],
    plans: Sequence[TablePlan],
    key: Key,
    *,
    type_oids: Collection[int],
    connections: int,
    alone: bool = False,
    make_onlooker: Callable[[], Onlooker] | None = None,
) -> dict[Name, TableSums]:
    """Sums over what lies in the target, by table, read afresh over several connections.

    plans: as the rows were sent. connection: to the target. type_oids: of the source's
    user types. alone: whether nobody but ``connection`` sees the rows, so that it reads everything itself.
    make_onlooker: of one for each reader, who sees what is read.
    Raises SourceError or TargetError when reading fails.
    """
    row = connection.execute("SELECT current_setting('server_version_num')::int").fetchone()
    assert row is not None
    sizes = {Name(r[0], r[1]): (int(r[2]), int(r[3])) for r in connection.execute(_SIZES).fetchall()}
    pieces: list[Slice] = []
    for plan in plans:
        leaves = tuple(_measured(leaf, sizes) for leaf in plan.table.leaves if leaf.name in sizes)
        pieces += slices(replace(plan, table=replace(plan.table, leaves=leaves)), None, version=row[0])
    pieces.sort(key=lambda piece: -piece.weight)
    # A translation puts in the OID of what the catalog says stands there: here the source's own again.
    back = {oid: oid for oid in type_oids}
    found = {
        plan.table.name: TableSums(nulls=Counter({column.name: 0 for column in plan.columns}))
        for plan in plans
    }
    workers = 1 if alone else max(1, min(connections, len(pieces)))

    # The largest first, and who is free takes the next.
    waiting = iter(pieces)

    def work(_: int) -> list[tuple[Name, TableSums]]:
        onlooker = None if make_onlooker is None else make_onlooker()
        with closing(ConnectionReader(connection) if alone else ArrowReader(target)) as reader:
            sums = [(piece.table, _sums(reader, piece, key, back, onlooker)) for piece in waiting]
        if onlooker is not None:
            onlooker.finish()
        return sums

    with ThreadPoolExecutor(workers, thread_name_prefix="read-back") as pool:
        for done in pool.map(work, range(workers)):
            for table, sums in done:
                found[table].add(sums)
    return found


def _measured(leaf: Leaf, sizes: Mapping[Name, tuple[int, int]]) -> Leaf:
    """The relation of that name, as large as it is in the target."""
    pages, size = sizes[leaf.name]
    return replace(leaf, pages=pages, bytes=size, kind="r")


def _sums(
    reader: ArrowReader, piece: Slice, key: Key, back: Mapping[int, int], onlooker: Onlooker | None
) -> TableSums:
    summer, total = RowSummer(piece.plan, key), TableSums()
    translations: list[oids.Translation | None] = [
        oids.Translation(p.column.type, back)
        if piece.plan.codec == "binary" and p.mask is None and oids.embeds_oids(p.column.type)
        else None
        for p in piece.plan.columns
    ]
    width = len(piece.plan.columns)
    also = () if onlooker is None else onlooker.also(piece.plan)
    with closing(ahead(read_slice(reader, piece, also))) as batches:
        for columns in batches:
            rows = len(columns[0])
            if onlooker is not None:
                onlooker.look(piece.plan, columns[:width], columns[width : width + len(also)])
            named = zip(columns, translations, strict=False)
            ready = [values if change is None else change(values.arrow()) for values, change in named]
            total.add(summer.sums(ready, rows))
    return total


def check_load(
    sent: Mapping[Name, TableSums],
    there: Mapping[Name, TableSums],
    keys: Mapping[Name, Sequence[str]],
) -> list[CheckResult]:
    """'load_link' for each table that was sent, or for each of its columns that differs; bound 0.

    value: rows lost or too many, or columns that differ. keys: columns of the primary key by table.
    """
    return [
        result
        for table, sums in sorted(sent.items())
        for result in _check(table, sums, there.get(table), keys.get(table, ()))
    ]


def _check(
    table: Name, sent: TableSums, there: TableSums | None, key: Sequence[str]
) -> Iterable[CheckResult]:
    scope = str(table)
    if there is None:
        yield _fail(scope, None, "The table could not be read back from staging.")
        return
    if there.rows != sent.rows:
        gap = abs(there.rows - sent.rows)
        lost = "lost" if there.rows < sent.rows else "too many"
        message = f"{sent.rows:,} rows were sent and {there.rows:,} read back: {gap:,} {lost}."
        yield _fail(scope, gap, message)
        return
    if there == sent:
        columns = len(sent.values)
        message = (
            f"{sent.rows:,} rows read back from staging are those that were sent: the keyed sums over the "
            f"rows and over {columns:,} column{'s' if columns != 1 else ''} are equal."
        )
        yield CheckResult("load_link", scope, "pass", 0, 0, message)
        return
    changed = changed_columns(sent, there, key)
    if not changed or (len(changed) == len(sent.values) > 1):
        message = (
            f"As many rows as were sent, {sent.rows:,}, but not the same: some were lost and others doubled, "
            "or values stand in other rows."
        )
        yield _fail(scope, max(1, len(changed)), message)
        return
    for column in changed:
        moved = sent.values[column] == there.values[column]
        what = "stand in other rows than they were sent in" if moved else "are not those that were sent"
        yield _fail(f"{scope}.{column}", 1, f"Values of this column in staging {what}.")


def _fail(scope: str, value: int | None, message: str) -> CheckResult:
    return CheckResult("load_link", scope, "fail", value, 0, message)
