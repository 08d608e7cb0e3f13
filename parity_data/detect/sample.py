"""Reading a few rows of every table without burdening production, and without ever failing as a whole.

Every table is read inside a savepoint with its own statement and lock timeout: what cannot be read ends as a
reason, and the scan goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.adapt import Loader

from parity_data.catalog.model import Column, Table
from parity_data.detect.queries import plain_query, rows_query, sparse_query
from parity_data.detect.types import READ_AS, class_of
from parity_data.detect.values import Sample

#: Milliseconds a table may take, and wait for a lock.
TABLE_TIMEOUT_MS = 10_000
LOCK_TIMEOUT_MS = 2_000
#: Milliseconds for looking for the values of a column that is nearly always null.
SPARSE_TIMEOUT_MS = 2_000
#: Values of such a column that are enough.
SPARSE_ROWS = 50

#: Stands for a value too large to look into; no real text starts with this character in practice, and one
#: that does is skipped and counted the same way.
_TOO_LARGE = "\x01"

_CURRENT = "SELECT current_setting('statement_timeout'), current_setting('lock_timeout')"
_TIMEOUTS = "SELECT set_config('statement_timeout', %s, true), set_config('lock_timeout', %s, true)"


@dataclass
class TableSample:
    """What was read of a table. unread: column -> reason in words, for those that could not be read."""

    columns: dict[str, Sample] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    cells: dict[str, list[str | None]] = field(default_factory=dict)

    def rows_of(self, one: str, other: str) -> list[tuple[str | None, str | None]]:
        """Two columns row by row; nothing when either was not read together with the others."""
        first, second = self.cells.get(one, []), self.cells.get(other, [])
        return list(zip(first, second, strict=True)) if len(first) == len(second) else []


@contextmanager
def limits(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Gives the transaction its own timeouts back at the end. connection: inside a transaction."""
    before = connection.execute(_CURRENT).fetchone()
    try:
        yield
    finally:
        if connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS:
            connection.execute(_TIMEOUTS, before)


class _Bytes(Loader):
    """Text as it came, so that one undecodable value does not end the fetch."""

    def load(self, data: Any) -> bytes:
        return bytes(data)


def read_sample(connection: psycopg.Connection[Any], table: Table, rows: int) -> TableSample:
    """Up to ``rows`` rows of a table as distinct texts per column.

    connection: inside a transaction. Columns whose types carry nothing to look at are left out.
    """
    wanted = [c for c in table.columns if READ_AS[class_of(c)] is not None]
    result = TableSample()
    if not wanted:
        reason = _reachable(connection, table)
        if reason is not None:
            result.unread = {c.name: reason for c in table.columns}
        return result
    try:
        _collect(result, wanted, _fetch(connection, table, wanted, rows))
    except (errors.QueryCanceled, errors.LockNotAvailable) as error:
        result.unread = {c.name: _reason(error) for c in table.columns}
        return result
    except psycopg.Error as error:
        if len(wanted) == 1:
            result.unread = {c.name: _reason(error) for c in table.columns}
            return result
        _one_by_one(connection, table, wanted, rows, result)
        if not result.columns:
            result.unread = {c.name: _reason(error) for c in table.columns}
    _look_for_sparse(connection, table, wanted, rows, result)
    return result


def read_texts(
    connection: psycopg.Connection[Any], table: Table, columns: Sequence[str], rows: int
) -> dict[str, tuple[str, ...]]:
    """Distinct texts of some columns in up to ``rows`` rows; nothing where they cannot be read.

    connection: inside a transaction.
    """
    result = TableSample()
    wanted = [table.column(name) for name in columns]
    with suppress(psycopg.Error):
        _collect(result, wanted, _fetch(connection, table, wanted, rows))
    return {name: sample.values for name, sample in result.columns.items()}


def _one_by_one(
    connection: psycopg.Connection[Any],
    table: Table,
    wanted: Sequence[Column],
    rows: int,
    result: TableSample,
) -> None:
    """One column that cannot be read does not hide the others."""
    for column in wanted:
        try:
            _collect(result, [column], _fetch(connection, table, [column], rows, plain=True))
        except psycopg.Error as error:
            result.unread[column.name] = _reason(error)
            if isinstance(error, errors.QueryCanceled | errors.LockNotAvailable):
                rest = wanted[wanted.index(column) + 1 :]
                result.unread.update((c.name, _reason(error)) for c in rest)
                return


def _reachable(connection: psycopg.Connection[Any], table: Table) -> str | None:
    try:
        _fetch(connection, table, [], 1)
    except psycopg.Error as error:
        return _reason(error)
    return None


def _look_for_sparse(
    connection: psycopg.Connection[Any],
    table: Table,
    wanted: Sequence[Column],
    rows: int,
    result: TableSample,
) -> None:
    """Columns that were null in every sampled row, of a table that has more rows than were sampled."""
    for column in wanted:
        sample = result.columns.get(column.name)
        if sample is None or sample.filled or sample.rows < rows or class_of(column) == "number":
            continue
        try:
            fetched = _fetch(connection, table, [column], SPARSE_ROWS, sparse=True)
        except psycopg.Error as error:
            del result.columns[column.name]
            result.unread[column.name] = f"no value in {sample.rows} rows, and {_reason(error)}"
            continue
        _collect(result, [column], fetched)


def _fetch(
    connection: psycopg.Connection[Any],
    table: Table,
    wanted: Sequence[Column],
    rows: int,
    *,
    sparse: bool = False,
    plain: bool = False,
) -> list[tuple[bytes | None, ...]]:
    timeout = SPARSE_TIMEOUT_MS if sparse else TABLE_TIMEOUT_MS
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(_TIMEOUTS, [str(timeout), str(LOCK_TIMEOUT_MS)])
        cursor.adapters.register_loader("text", _Bytes)
        query: sql.Composed
        if sparse:
            query = sparse_query(table, wanted[0], rows)
        elif plain:
            query = plain_query(table, wanted, rows)
        else:
            query = rows_query(table, wanted, rows, connection.info.server_version)
        cursor.execute(query)
        return cursor.fetchall()


def _collect(result: TableSample, wanted: Sequence[Column], fetched: list[tuple[bytes | None, ...]]) -> None:
    for i, column in enumerate(wanted):
        cells = [row[i] for row in fetched]
        try:
            read = [None if cell is None else cell.decode("utf-8") for cell in cells]
        except UnicodeDecodeError:
            result.columns.pop(column.name, None)
            result.unread[column.name] = "its values are not text in the database's encoding"
            continue
        if class_of(column) == "text":
            result.cells[column.name] = read
        texts = [text for text in read if text is not None]
        opened = [text for text in texts if text[:1] != _TOO_LARGE]
        distinct = dict.fromkeys(map(str.strip, opened))
        distinct.pop("", None)
        skipped = len(texts) - len(opened)
        result.columns[column.name] = Sample(tuple(distinct), len(cells), len(texts), skipped)


def _reason(error: psycopg.Error) -> str:
    """Why, by the error's class: the server's own words may quote values."""
    if isinstance(error, errors.QueryCanceled):
        return "reading it took too long"
    if isinstance(error, errors.LockNotAvailable):
        return "it was locked"
    if isinstance(error, errors.InsufficientPrivilege):
        return "reading it is not permitted"
    if isinstance(error, errors.CharacterNotInRepertoire | errors.UntranslatableCharacter):
        return "its values are not text in the database's encoding"
    return f"reading it failed ({type(error).__name__})"
