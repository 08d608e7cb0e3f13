"""The writing side of a worker: one chunk is one transaction, and a lost connection loses no more than that.

Whether a transaction whose COMMIT was cut off has committed is asked of the server itself afterwards, by its
id, so a chunk is loaded exactly once. A server that crashed may give the id of a transaction it lost to
another one; so after a restart the rows themselves are asked.
https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-SNAPSHOT
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator
from typing import Any

import psycopg
from psycopg import sql

from parity_data.database import Database
from parity_data.transfer.control import Control
from parity_data.transfer.encode import HEADER, TRAILER, Data
from parity_data.transfer.load import copy_into, explain
from parity_data.transfer.spec import Slice

#: Seconds for which a lost target is waited for, a restart or a failover, before the refresh gives up.
RETRY_SECONDS = 120.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0

#: A chunk reported as loaded stays loaded when the server crashes; nothing else waits for the disk.
_BEGIN = """
SELECT pg_current_xact_id()::text, pg_postmaster_start_time()::text,
       set_config('synchronous_commit', 'local', true)
"""
_STARTED = "SELECT pg_postmaster_start_time()::text"
_ROWS = "SELECT count(*) FROM {} WHERE xmin::text::int8 = %s::int8 %% 4294967296"
_STATUS = "SELECT pg_xact_status(%s::xid8)"
_END_OLD = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE backend_xid IS NOT NULL AND backend_xid::text::int8 = %s::int8 %% 4294967296 AND pid <> pg_backend_pid()
"""


class TargetWriter:
    """One writing connection, opened when first needed and again when it was lost."""

    def __init__(self, target: Database, control: Control) -> None:
        self._target = target
        self._control = control
        self._connection: psycopg.Connection[Any] | None = None
        self._transaction: str | None = None
        self._server_started: str | None = None

    def write(self, piece: Slice, data: Iterable[Data]) -> None:
        """Load the slice in one transaction. Raises psycopg.Error, TargetError, or what ``data`` raises."""
        if self._connection is None:
            self._connection = self._target.connect(role="target", autocommit=True)
        self._transaction = None
        with self._connection.transaction(), self._connection.cursor() as cursor:
            row = cursor.execute(_BEGIN).fetchone()
            assert row is not None
            transaction, self._server_started = row[:2]
            if piece.alone:
                into = sql.Identifier(piece.into.schema, piece.into.name)
                cursor.execute(sql.SQL("TRUNCATE ONLY {}").format(into))
            with cursor.copy(copy_into(piece)) as copy:
                for part in data:
                    copy.write(part)
            self._transaction = transaction  # from here on it may be committed without our knowing

    def was_written(self, error: psycopg.Error, piece: Slice, rows: int) -> bool:
        """After an error: connect again, and say whether the slice, so many rows, was committed all the same.

        Raises TargetError when the error has nothing to do with the connection or the target does not come
        back, Cancelled when the load is stopped.
        """
        self._control.check()
        if not lost(error):
            raise explain(error, str(piece.table)) from None
        self.close()
        deadline, pause = time.monotonic() + RETRY_SECONDS, _FIRST_PAUSE
        while True:
            try:
                self._connection = psycopg.connect(self._target.uri(), autocommit=True)
                return self._committed(piece, rows)
            except psycopg.OperationalError as again:
                self.close()
                refused = again.sqlstate is not None and again.sqlstate.startswith(("28", "3D"))
                gone = "does not exist" in str(again) or "password" in str(again)
                if refused or gone or time.monotonic() > deadline:
                    raise explain(error, str(piece.table)) from None
            self._control.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _committed(self, piece: Slice, rows: int) -> bool:
        assert self._connection is not None
        if self._transaction is None:
            return False
        row = self._connection.execute(_STARTED).fetchone()
        if row is None or row[0] != self._server_started:
            into = sql.Identifier(piece.into.schema, piece.into.name)
            row = self._connection.execute(sql.SQL(_ROWS).format(into), [self._transaction]).fetchone()
            return row is not None and row[0] == rows
        while True:
            row = self._connection.execute(_STATUS, [self._transaction]).fetchone()
            status = row[0] if row else None
            if status != "in progress":
                return bool(status == "committed")
            # The server has not noticed yet that its client is gone.
            self._connection.execute(_END_OLD, [self._transaction])
            self._control.sleep(_FIRST_PAUSE)

    def close(self) -> None:
        """Close the connection, whatever state it is in."""
        if self._connection is not None:
            # A dead connection cannot be closed any better.
            with contextlib.suppress(Exception):
                self._connection.close()
        self._connection = None


#: Bytes that are made before they are written.
_AT_ONCE = 16 * 1024 * 1024


def _by_size(data: Iterable[Data]) -> Iterator[tuple[bool, bool, list[Data]]]:
    """(first, last, parts): the data in groups, each made whole before it is given."""
    first, parts, size = True, list[Data](), 0
    for part in data:
        if size > _AT_ONCE:
            yield first, False, parts
            first, parts, size = False, [], 0
        parts.append(part)
        size += len(part)
    yield first, True, parts


class OneTransaction:
    """Writes into tables that were made or emptied in the open transaction of one connection.

    While rows are being made the connection is free, so that it can be asked about their columns.

    Nothing of it can be resumed: when the connection is lost, so is all that was written.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def write(self, piece: Slice, data: Iterable[Data]) -> None:
        """Load the slice. Raises psycopg.Error, or what ``data`` raises."""
        # Rows come frozen, so that a snapshot older than the release never sees its tables empty.
        copying = copy_into(piece, frozen=piece.into == piece.leaf.name)
        binary = piece.plan.codec == "binary"
        for first, last, parts in _by_size(data):
            with self._connection.cursor() as cursor, cursor.copy(copying) as copy:
                if binary and not first:
                    copy.write(HEADER)
                for part in parts:
                    copy.write(part)
                if binary and not last:
                    copy.write(TRAILER)

    def was_written(self, error: psycopg.Error, piece: Slice, rows: int) -> bool:
        """It was not. Raises TargetError."""
        raise explain(error, str(piece.table)) from None

    def close(self) -> None:
        """The connection belongs to whoever opened it."""


def lost(error: psycopg.Error) -> bool:
    """Whether the connection broke, as opposed to the statement."""
    if isinstance(error, psycopg.InterfaceError):
        return True
    state = error.sqlstate
    return isinstance(error, psycopg.OperationalError) and (
        state is None or state.startswith("08") or state in ("57P01", "57P02", "57P03")
    )
