"""Rows of a query: compiled code takes them from libpq as COPY sends them, in binary.

https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-BINARY-FORMAT
https://www.postgresql.org/docs/current/libpq-copy.html#LIBPQ-COPY-RECEIVE
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg
from numba import types
from psycopg import generators, pq
from psycopg.errors import error_from_result

from parity_data.catalog.fields import SIGNATURE, Bytes, Fields, Lengths, Starts
from parity_data.compiled import compiled, copy_bytes, function_of

#: Bytes of rows that make a batch; memory in flight is a few of these per connection.
BATCH_BYTES = 12 * 1024 * 1024

# The very libpq that psycopg is linked with, since it made the connections.
_libpq = ctypes.CDLL(sys.modules[pq.PGconn.__module__].__file__)
_get_copy_data = function_of(_libpq, "PQgetCopyData", types.int32(types.intp, types.intp, types.int32))
_free = function_of(_libpq, "PQfreemem", types.void(types.intp))

_LOST, _FULL = -2, -3

#: For how long a server is waited for to take the request to cancel a statement.
CANCEL_SECONDS = 5.0


@compiled
def _fill(connection: int, raw: Bytes, pending: npt.NDArray[np.int64]) -> tuple[int, int, int]:
    """Put messages into ``raw`` until no other fits: (bytes, messages, why it ended).

    pending: address and bytes of the message that did not fit, address 0 for none.
    """
    used = messages = 0
    while True:
        if pending[0] == 0:
            size = _get_copy_data(connection, pending.ctypes.data, 0)
            if size < 0:
                return used, messages, size
            pending[1] = size
        if used + pending[1] > len(raw):
            return used, messages, _FULL
        copy_bytes(raw.ctypes.data + used, pending[0], np.uint64(pending[1]))
        _free(pending[0])
        pending[0] = 0
        used += pending[1]
        messages += 1


@compiled
def _locate(raw: Bytes, at: int, used: int, starts: Starts, lengths: Lengths) -> int:
    """Where the fields of each row begin and how long they are, by column; -1 for NULL.

    Gives the number of rows, -1 for what is no such format.
    """
    columns, most = starts.shape
    rows = 0
    while at < used:
        if at + 2 > used:
            return -1
        fields = (raw[at] << 8) | raw[at + 1]
        at += 2
        if fields == 0xFFFF:
            return rows if at == used else -1
        if fields != columns or rows == most:
            return -1
        for column in range(columns):
            if at + 4 > used:
                return -1
            length = (raw[at] << 24) | (raw[at + 1] << 16) | (raw[at + 2] << 8) | raw[at + 3]
            at += 4
            starts[column, rows] = at
            if length == 0xFFFFFFFF:
                lengths[column, rows] = -1
                continue
            if at + length > used:
                return -1
            lengths[column, rows] = length
            at += length
        rows += 1
    return rows


class _Messages:
    """What a COPY sends, a batch at a time."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._pending = np.zeros(2, np.int64)
        self._ended = _FULL

    def fill(self) -> tuple[Bytes, int, int] | None:
        """The next messages: (room, bytes of it that they take, how many), None when there are no more."""
        if self._ended != _FULL:
            return None
        if self._connection.closed:
            raise psycopg.OperationalError("the connection is closed")
        address: int = self._connection.pgconn.pgconn_ptr  # type: ignore[attr-defined]
        room = max(BATCH_BYTES, self._pending[1] if self._pending[0] else 0)
        raw: Bytes = np.empty(room, np.uint8)
        used, messages, self._ended = _fill(address, raw, self._pending)
        return raw, used, messages

    def finish(self) -> None:
        """Learn how it ended. Raises psycopg.Error."""
        _check(self._connection.wait(generators.fetch_many(self._connection.pgconn)))
        if self._ended == _LOST:
            raise psycopg.OperationalError("the connection is lost")

    def leave(self) -> None:
        """Cancel the statement, if it has not ended, and take off the connection what is on its way."""
        if self._ended == _FULL and not self._connection.closed:
            with contextlib.suppress(psycopg.Error):
                self._connection.cancel_safe(timeout=CANCEL_SECONDS)
            while self.fill() is not None:
                pass
            with contextlib.suppress(psycopg.Error):
                self.finish()
        _libpq.PQfreemem(ctypes.c_void_p(int(self._pending[0])))
        self._pending[0] = 0


def copy_out(connection: psycopg.Connection[Any], query: bytes) -> Iterator[tuple[list[str], list[Fields]]]:
    """Names and columns of the query's rows, a batch at a time, none when there are none.

    Who leaves it half way has the statement cancelled, and so the transaction that the connection is in.
    Raises psycopg.Error.
    """
    pgconn = connection.pgconn
    pgconn.send_prepare(b"", query)
    _answer(connection)
    pgconn.send_describe_prepared(b"")
    described = _answer(connection)
    names = [(described.fname(i) or b"").decode() for i in range(described.nfields)]
    oids = [described.ftype(i) for i in range(described.nfields)]
    pgconn.send_query(b"COPY (" + query + b") TO STDOUT (FORMAT binary)")
    _answer(connection)
    messages = _Messages(connection)
    try:
        at = None
        while (found := messages.fill()) is not None:
            raw, used, count = found
            if used:
                at = _header(raw[:used]) if at is None else 0
                columns = _columns(raw, at, used, count, oids)
                if not columns or len(columns[0]):
                    yield names, columns
        messages.finish()
    finally:
        messages.leave()


def _answer(connection: psycopg.Connection[Any]) -> pq.abc.PGresult:
    """What the server says to what was sent. Other threads run while it is waited for."""
    results: list[pq.abc.PGresult] = connection.wait(generators.execute(connection.pgconn))
    _check(results)
    return results[-1]


def _check(results: list[pq.abc.PGresult]) -> None:
    for result in results:
        if result.status not in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.COPY_OUT):
            raise error_from_result(result)


def _header(raw: Bytes) -> int:
    """Bytes of what stands before the first row: signature, flags, length of an extension and it."""
    fixed = len(SIGNATURE) + 8
    if raw[: len(SIGNATURE)].tobytes() != SIGNATURE or len(raw) < fixed:
        raise psycopg.DataError("not the binary format of COPY")
    return fixed + int.from_bytes(raw[fixed - 4 : fixed].tobytes(), "big")


def _columns(raw: Bytes, at: int, used: int, messages: int, oids: list[int]) -> list[Fields]:
    starts: Starts = np.empty((len(oids), messages), np.int64)
    lengths: Lengths = np.empty((len(oids), messages), np.int32)
    rows = _locate(raw, at, used, starts, lengths)
    if rows < 0:
        raise psycopg.DataError("not the binary format of COPY")
    return [Fields(raw, starts[i, :rows], lengths[i, :rows], oid) for i, oid in enumerate(oids)]
