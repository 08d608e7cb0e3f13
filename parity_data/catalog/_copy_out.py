"""Rows of a query as Arrow batches: compiled code takes them from libpq as COPY sends them, in binary.

https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-BINARY-FORMAT
https://www.postgresql.org/docs/current/libpq-copy.html#LIBPQ-COPY-RECEIVE
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
from collections.abc import Iterator
from typing import Any

import llvmlite.binding
import numpy as np
import numpy.typing as npt
import psycopg
import pyarrow as pa
from numba import types
from psycopg import pq
from psycopg.errors import error_from_result

from parity_data.compiled import compiled

#: Bytes of rows that make a batch; memory in flight is a few of these per connection.
BATCH_BYTES = 8 * 1024 * 1024

_BOOL = 16
#: OID of a type -> (Arrow's type, how it is sent). Any other type arrives as the bytes it is sent as.
_FIXED: dict[int, tuple[pa.DataType, str]] = {
    _BOOL: (pa.bool_(), "u1"),
    20: (pa.int64(), ">i8"),
    21: (pa.int16(), ">i2"),
    23: (pa.int32(), ">i4"),
    700: (pa.float32(), ">f4"),
    701: (pa.float64(), ">f8"),
}
#: OIDs of "char", name, text, json, xml, character(n), varchar and of a literal: their bytes are their text.
_TEXT = frozenset({18, 19, 25, 114, 142, 1042, 1043, 705})

_SIGNATURE = b"PGCOPY\n\xff\r\n\x00"

_Bytes = npt.NDArray[np.uint8]
_Numbers = npt.NDArray[np.int32]


def _function(library: ctypes.CDLL, name: str, signature: Any) -> Any:
    """A function of a library for compiled code, which is kept on disk and finds it by its name."""
    symbol = f"parity_data_{name}"
    llvmlite.binding.add_symbol(symbol, ctypes.cast(getattr(library, name), ctypes.c_void_p).value)
    return types.ExternalFunction(symbol, signature)


# The very libpq that psycopg is linked with, since it made the connections.
_libpq = ctypes.CDLL(sys.modules[pq.PGconn.__module__].__file__)
_get_copy_data = _function(_libpq, "PQgetCopyData", types.int32(types.intp, types.intp, types.int32))
_free = _function(_libpq, "PQfreemem", types.void(types.intp))
_copy = _function(ctypes.CDLL(None), "memcpy", types.intp(types.intp, types.intp, types.uintp))

_LOST, _FULL = -2, -3

#: For how long a server is waited for to take the request to cancel a statement.
_CANCEL_SECONDS = 5.0


@compiled
def _fill(connection: int, raw: _Bytes, pending: npt.NDArray[np.int64]) -> tuple[int, int, int]:
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
        _copy(raw.ctypes.data + used, pending[0], np.uint64(pending[1]))
        _free(pending[0])
        pending[0] = 0
        used += pending[1]
        messages += 1


@compiled
def _locate(
    raw: _Bytes, at: int, used: int, starts: _Numbers, lengths: _Numbers, totals: npt.NDArray[np.int64]
) -> int:
    """Where the fields of each row begin and how long they are, by column; -1 for NULL.

    totals: by column, bytes of all its fields and how many are NULL; zeros, to be added to. Gives the number
    of rows, -1 for what is no such format.
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
                totals[column, 1] += 1
                continue
            if at + length > used:
                return -1
            lengths[column, rows] = length
            totals[column, 0] += length
            at += length
        rows += 1
    return rows


@compiled
def _spread(
    raw: _Bytes,
    rows: int,
    starts: _Numbers,
    lengths: _Numbers,
    widths: npt.NDArray[np.int64],
    into: npt.NDArray[np.int64],
    ends: _Numbers,
) -> bool:
    """Put the fields of each column behind each other. Gives whether all are as wide as they must be.

    widths: bytes of each field of a column, NULL as zeros; 0 where every field has its own. into: addresses,
    by column, changed. ends: of the fields of such columns; columns x rows + 1, the first zero.
    """
    source = raw.ctypes.data
    nothing = np.zeros(8, np.uint8)
    # A few rows at a time, which stay in the processor's cache from the first column to the last.
    for first in range(0, rows, 256):
        last = min(first + 256, rows)
        for column in range(len(widths)):
            to = into[column]
            width = widths[column]
            if width:
                for row in range(first, last):
                    length = lengths[column, row]
                    if length == width:
                        _copy(to, source + starts[column, row], np.uint64(width))
                    elif length < 0:
                        _copy(to, nothing.ctypes.data, np.uint64(width))
                    else:
                        return False
                    to += width
            else:
                end = ends[column, first]
                for row in range(first, last):
                    length = lengths[column, row]
                    if length > 0:
                        _copy(to, source + starts[column, row], np.uint64(length))
                        to += length
                        end += length
                    ends[column, row + 1] = end
            into[column] = to
    return True


class _Messages:
    """What a COPY sends, a batch at a time."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        self._address: int = connection.pgconn.pgconn_ptr  # type: ignore[attr-defined]
        self.raw: _Bytes = np.empty(BATCH_BYTES, np.uint8)
        self._pending = np.zeros(2, np.int64)
        self._ended = _FULL

    def fill(self) -> tuple[int, int] | None:
        """Put messages into ``raw``: (bytes, messages), None when there are no more."""
        if self._ended != _FULL:
            return None
        if self._pending[0] and self._pending[1] > len(self.raw):
            self.raw = np.empty(self._pending[1], np.uint8)
        used, messages, self._ended = _fill(self._address, self.raw, self._pending)
        return used, messages

    def finish(self) -> None:
        """Learn how it ended. Raises psycopg.Error."""
        results = list(iter(self._connection.pgconn.get_result, None))
        for result in results:
            _check(result)
        if self._ended == _LOST:
            raise psycopg.OperationalError("the connection is lost")

    def leave(self) -> None:
        """Cancel the statement, if it has not ended, and take off the connection what is on its way."""
        if self._ended == _FULL:
            with contextlib.suppress(psycopg.Error):
                self._connection.cancel_safe(timeout=_CANCEL_SECONDS)
            while self.fill() is not None:
                pass
            with contextlib.suppress(psycopg.Error):
                self.finish()


def copy_out(connection: psycopg.Connection[Any], query: bytes) -> Iterator[pa.RecordBatch]:
    """Batches of the query's rows, none when there are none. Raises psycopg.Error.

    Who leaves it half way has the statement cancelled, and so the transaction that the connection is in.
    """
    pgconn = connection.pgconn
    _check(pgconn.prepare(b"", query))
    described = _check(pgconn.describe_prepared(b""))
    names = [(described.fname(i) or b"").decode() for i in range(described.nfields)]
    oids = [described.ftype(i) for i in range(described.nfields)]
    _check(pgconn.exec_(b"COPY (" + query + b") TO STDOUT (FORMAT binary)"))
    messages = _Messages(connection)
    try:
        at = None
        while (found := messages.fill()) is not None:
            used, count = found
            if used:
                at = _header(messages.raw[:used]) if at is None else 0
                batch = _batch(messages.raw, at, used, count, names, oids)
                if batch.num_rows:
                    yield batch
        messages.finish()
    finally:
        messages.leave()


def _check(result: pq.abc.PGresult) -> pq.abc.PGresult:
    if result.status not in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.COPY_OUT):
        raise error_from_result(result)
    return result


def _header(raw: _Bytes) -> int:
    """Bytes of what stands before the first row: signature, flags, length of an extension and it."""
    fixed = len(_SIGNATURE) + 8
    if raw[: len(_SIGNATURE)].tobytes() != _SIGNATURE or len(raw) < fixed:
        raise psycopg.DataError("not the binary format of COPY")
    return fixed + int.from_bytes(raw[fixed - 4 : fixed].tobytes(), "big")


def _batch(
    raw: _Bytes, at: int, used: int, messages: int, names: list[str], oids: list[int]
) -> pa.RecordBatch:
    columns = len(names)
    starts: _Numbers = np.empty((columns, messages), np.int32)
    lengths: _Numbers = np.empty((columns, messages), np.int32)
    totals = np.zeros((columns, 2), np.int64)
    rows = _locate(raw, at, used, starts, lengths, totals)
    if rows < 0:
        raise psycopg.DataError("not the binary format of COPY")
    kinds = [np.dtype(_FIXED[oid][1]) if oid in _FIXED else None for oid in oids]
    widths = np.array([kind.itemsize if kind else 0 for kind in kinds], np.int64)
    data: list[_Bytes] = [
        np.empty(rows * width if width else total, np.uint8)
        for width, total in zip(widths, totals[:, 0], strict=True)
    ]
    ends: _Numbers = np.zeros((columns, rows + 1), np.int32)
    into = np.array([values.ctypes.data for values in data], np.int64)
    if not _spread(raw, rows, starts, lengths, widths, into, ends):
        raise psycopg.DataError("a value is not as wide as its type")
    arrays = []
    for i, (oid, kind) in enumerate(zip(oids, kinds, strict=True)):
        nulls = int(totals[i, 1])
        valid = pa.py_buffer(np.packbits(lengths[i, :rows] >= 0, bitorder="little")) if nulls else None
        if kind is None:
            type_ = pa.string() if oid in _TEXT else pa.binary()
            buffers = [valid, pa.py_buffer(ends[i]), pa.py_buffer(data[i])]
        else:
            type_ = _FIXED[oid][0]
            numbers = data[i].view(kind).astype(kind.newbyteorder("="))
            whole = np.packbits(numbers, bitorder="little") if oid == _BOOL else numbers
            buffers = [valid, pa.py_buffer(whole)]
        arrays.append(pa.Array.from_buffers(type_, rows, buffers, nulls))
    return pa.RecordBatch.from_arrays(arrays, names)
