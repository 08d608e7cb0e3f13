"""The load link: every row that was sent is in staging once and unchanged, to the last bit.

Staging hashes its own rows, so that they need not be read; what it gives is known here too (``_row_loops``).
Where both do not agree, and for tables that have no binary form, rows are read back: that alone decides, and
names the columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import psycopg
from psycopg import sql

from parity_data.catalog.model import Leaf, Name
from parity_data.database import Database
from parity_data.errors import TargetError
from parity_data.transfer import Slice, TablePlan, slices
from parity_data.transfer.wire import select_expression
from parity_data.verify._words import Key
from parity_data.verify.multiset import RowSummer, TableSums, changed_columns
from parity_data.verify.result import CheckResult

_SIZES = """
SELECT n.nspname, c.relname, pg_relation_size(c.oid) / current_setting('block_size')::int8,
       pg_relation_size(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'
"""
_HASHED = "SELECT count(*), sum(hash_array_extended(ARRAY[record_send(ROW({}))], {})) FROM ONLY {} WHERE {}"
_READ = "COPY (SELECT {} FROM ONLY {} WHERE {}) TO STDOUT ({})"
_FORMATS = {"binary": "FORMAT binary", "csv": "FORMAT csv, FORCE_QUOTE *"}
#: Bytes that are added up together.
_PART = 4 * 1024 * 1024


class LoadLink:
    """Sums over what lies in the target, by table, over several connections.

    connection: to the target. type_oids: of user types on the source -> on the target. alone: whether nobody
    but ``connection`` sees the rows, so that it does everything itself.
    """

    def __init__(
        self,
        target: Database,
        connection: psycopg.Connection[Any],
        key: Key,
        *,
        type_oids: Mapping[int, int],
        connections: int,
        alone: bool = False,
    ) -> None:
        self._target, self._connection, self._key = target, connection, key
        self._type_oids, self._connections, self._alone = type_oids, connections, alone

    def there(self, plans: Sequence[TablePlan], sent: Mapping[Name, TableSums]) -> dict[Name, TableSums]:
        """What is there of each table. plans: as the rows were sent; sent: their sums.

        By column only where it is not what was sent. Raises psycopg.Error or TargetError when reading fails.
        """
        found = self._all([plan for plan in plans if plan.codec == "binary"], self._hashed)
        unclear = [p for p in plans if not found.get(p.table.name, TableSums(-1)).agrees(sent[p.table.name])]
        return {**found, **self._all(unclear, self._read)}

    def _all(self, plans: Sequence[TablePlan], look: Any) -> dict[Name, TableSums]:
        version = self._connection.info.server_version
        sizes = {Name(r[0], r[1]): (int(r[2]), int(r[3])) for r in self._connection.execute(_SIZES)}
        pieces: list[Slice] = []
        for plan in plans:
            leaves = tuple(_measured(leaf, sizes) for leaf in plan.table.leaves if leaf.name in sizes)
            pieces += slices(replace(plan, table=replace(plan.table, leaves=leaves)), None, version=version)
        pieces.sort(key=lambda piece: -piece.weight)
        found = {plan.table.name: TableSums() for plan in plans}
        workers = 1 if self._alone else max(1, min(self._connections, len(pieces)))

        def work(share: list[Slice]) -> list[tuple[Name, TableSums]]:
            with self._connect() as connection:
                return [(piece.table, look(connection, piece)) for piece in share]

        with ThreadPoolExecutor(workers, thread_name_prefix="load-link") as pool:
            for done in pool.map(work, [pieces[i::workers] for i in range(workers)]):
                for table, sums in done:
                    found[table].add(sums)
        return found

    def _connect(self) -> Any:
        if self._alone:
            return nullcontext(self._connection)
        return self._target.connect(role="target", autocommit=True)

    def _hashed(self, connection: psycopg.Connection[Any], piece: Slice) -> TableSums:
        columns = sql.SQL(", ").join(sql.Identifier(p.name) for p in piece.plan.columns)
        seed = sql.Literal(self._key.seed - 2**64 if self._key.seed >= 2**63 else self._key.seed)
        query = sql.SQL(_HASHED).format(columns, seed, *_where(piece))
        try:
            with connection.transaction():
                row = connection.execute(query).fetchone()
        except (psycopg.errors.ProgramLimitExceeded, psycopg.errors.OutOfMemory):
            return TableSums(-1)  # a row that is too large to be copied once more
        assert row is not None
        return TableSums(int(row[0]), int(row[1] or 0) % 2**64)

    def _read(self, connection: psycopg.Connection[Any], piece: Slice) -> TableSums:
        plan = piece.plan
        summer, total = RowSummer(plan, self._key, self._type_oids), TableSums()
        columns = sql.SQL(", ").join(
            sql.Identifier(p.name) if plan.codec == "binary" else select_expression(p, plan.codec)
            for p in plan.columns
        )
        query = sql.SQL(_READ).format(columns, *_where(piece), sql.SQL(_FORMATS[plan.codec]))
        try:
            with connection.cursor() as cursor, cursor.copy(query) as copy:
                for part in _joined(copy):
                    total.add(summer.sums(part))
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            raise TargetError(
                f"Reading back failed ({type(error).__name__}).", where=str(piece.table)
            ) from None
        return total


def _where(piece: Slice) -> tuple[sql.Composable, sql.Composable]:
    """The relation, and the condition of the slice's rows."""
    relation = sql.Identifier(piece.leaf.name.schema, piece.leaf.name.name)
    condition: sql.Composable = sql.SQL("true")
    if piece.first or piece.end is not None:
        condition = sql.SQL("ctid >= {}::tid").format(sql.Literal(f"({piece.first},0)"))
    if piece.end is not None:
        condition = sql.SQL("{} AND ctid < {}::tid").format(condition, sql.Literal(f"({piece.end},0)"))
    return relation, condition


def _joined(copy: psycopg.Copy) -> Iterator[bytes]:
    """What a COPY gives, in parts of whole rows."""
    parts: list[bytes] = []
    size = 0
    for part in copy:
        parts.append(bytes(part))
        size += len(part)
        if size > _PART:
            yield b"".join(parts)
            parts, size = [], 0
    if parts:
        yield b"".join(parts)


def _measured(leaf: Leaf, sizes: Mapping[Name, tuple[int, int]]) -> Leaf:
    """The relation of that name, as large as it is in the target."""
    pages, size = sizes[leaf.name]
    return replace(leaf, pages=pages, bytes=size, kind="r")


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
        message = f"{sent.rows:,} rows were sent and {there.rows:,} are there: {gap:,} {lost}."
        yield _fail(scope, gap, message)
        return
    if there.agrees(sent):
        columns = len(sent.values)
        message = (
            f"{sent.rows:,} rows in staging are those that were sent: the sums of their keyed hashes over "
            f"{columns:,} column{'s' if columns != 1 else ''} are equal."
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
