"""Rows as Arrow batches or as fields, in the snapshot, and row addresses as numbers."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing, contextmanager, suppress
from queue import SimpleQueue
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl
import psycopg
import pyarrow as pa
from psycopg import sql

from parity_data.catalog._copy_out import CANCEL_SECONDS, copy_out
from parity_data.catalog.fields import Fields, arrays
from parity_data.compiled import compiled
from parity_data.database import Database
from parity_data.errors import Cancelled, ParityError, SourceError, TargetError

#: Packed row addresses: block number * 65536 + line pointer, ascending.
RowAddresses = npt.NDArray[np.int64]

#: For how long statements that are to be cancelled are waited for before they are cancelled again.
_AGAIN_SECONDS = 0.5

_T = TypeVar("_T")
_R = TypeVar("_R")


class ArrowReader:
    """A connection that gives rows a batch at a time, in a snapshot when one is given.

    Not for several threads at once.
    """

    def __init__(self, database: Database, snapshot: str | None = None) -> None:
        try:
            self._connection: psycopg.Connection[Any] = psycopg.connect(database.uri(), autocommit=True)
        except psycopg.OperationalError as error:
            if snapshot is not None and not re.search("too many|connection slots", str(error)):
                # Who holds the snapshot has been connected all the time.
                raise SourceError.lost() from None
            raise SourceError(
                f"Cannot open another connection to {database.display}: {_code(error)}."
            ) from None
        try:
            if snapshot is not None:
                self._connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                self._connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(snapshot))
        except psycopg.Error as error:
            self.close()
            if error.sqlstate in ("22023", "42704"):  # there is no such snapshot
                raise SourceError.lost() from None
            raise explain(error, "snapshot") from None
        except BaseException:
            self.close()
            raise

    def batches(self, query: sql.Composable, where: str) -> Iterator[pa.RecordBatch]:
        """Batches of the query's rows, none when there are none. where: what to blame in errors.

        Numbers, booleans and text come as such, anything else as the bytes of its binary form. Text is not
        checked to be UTF-8. Raises SourceError.
        """
        for names, columns in self._read(query, where):
            yield pa.RecordBatch.from_arrays(arrays(columns), names)

    def fields(self, query: sql.Composable, where: str) -> Generator[list[Fields]]:
        """The same as the server sends them. Raises SourceError."""
        for _, columns in self._read(query, where):
            yield columns

    def _read(self, query: sql.Composable, where: str) -> Iterator[tuple[list[str], list[Fields]]]:
        try:
            yield from copy_out(self._connection, query.as_bytes(self._connection))
        except psycopg.Error as error:
            raise self._explain(error, where) from None

    def _explain(self, error: psycopg.Error, where: str) -> ParityError:
        return explain(error, where)

    def cancel(self) -> None:
        """Cancel the statement that another thread may be reading, if there is one."""
        with suppress(psycopg.Error):
            self._connection.cancel_safe(timeout=CANCEL_SECONDS)

    def close(self) -> None:
        self._connection.close()


class ConnectionReader(ArrowReader):
    """Reads in the connection's own transaction: what it has made nobody else sees.

    ``batches`` and ``fields`` raise psycopg.OperationalError as it is, and TargetError.
    """

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def _explain(self, error: psycopg.Error, where: str) -> ParityError:
        if isinstance(error, psycopg.OperationalError):
            raise error
        return TargetError(f"Reading back failed ({type(error).__name__}).", where=where)

    def close(self) -> None:
        """The connection belongs to whoever opened it."""


@contextmanager
def open_readers(database: Database, snapshot: str, count: int) -> Iterator[list[ArrowReader]]:
    """So many readers of one snapshot. Raises SourceError."""
    with ExitStack() as stack:
        yield [stack.enter_context(closing(ArrowReader(database, snapshot))) for _ in range(count)]


def explain(error: Exception, where: str) -> SourceError:
    """One sentence for a failed read; the driver's text may quote data, so only its code is used."""
    code = getattr(error, "sqlstate", None)
    known = {
        "42501": ("The source role may not read this.", "GRANT SELECT on it to the role."),
        "55P03": ("It is locked by another session.", "Run the refresh again when the lock is gone."),
        "57014": ("Reading took longer than the statement timeout allows.", None),
        "22021": ("The table holds bytes that are not valid in its encoding.", None),
    }
    if code is None or code.startswith("08") or code in ("57P01", "57P02", "57P03", "25P03", "25P04"):
        return SourceError.lost(where)
    if code == "40001":
        return SourceError.conflict(where)
    what, todo = known.get(code or "", (f"Reading failed ({_code(error)}).", None))
    return SourceError(what, where=where, todo=todo)


def _code(error: Exception) -> str:
    code = getattr(error, "sqlstate", None)
    return f"SQLSTATE {code}" if code else type(error).__name__


def unpack_tids(values: pa.Array) -> npt.NDArray[np.int64]:
    """Row addresses out of a large_binary array of ``tidsend``: four bytes of block, two of line pointer."""
    start = np.frombuffer(values.buffers()[1], np.int64, len(values) + 1, values.offset * 8)
    raw = np.frombuffer(values.buffers()[2], np.uint8)
    found = np.empty(len(values), np.int64)
    _unpack_tids(raw, start[0], found)
    return found


@compiled
def _unpack_tids(raw: npt.NDArray[np.uint8], start: int, found: npt.NDArray[np.int64]) -> None:
    for i in range(len(found)):
        address = np.int64(0)
        for at in range(start + 6 * i, start + 6 * i + 6):
            address = address << 8 | np.int64(raw[np.uint64(at)])
        found[i] = address


def by_reader(
    readers: Sequence[ArrowReader],
    items: Sequence[_T],
    look: Callable[[_T, ArrowReader], _R],
    ended: threading.Event | None = None,
) -> list[_R]:
    """What ``look`` makes of each item, in their order; each reader is given to one at a time.

    Where one fails, or somebody interrupts, the statements of the others are cancelled. ended: set by who
    wants no more items begun; whoever sets it ends the statements, and Cancelled is raised.
    """
    free: SimpleQueue[ArrowReader] = SimpleQueue()
    for reader in readers:
        free.put(reader)
    ended = ended or threading.Event()

    def with_reader(item: _T) -> _R:
        reader = free.get()
        try:
            if ended.is_set():
                raise Cancelled("Reading was ended.")
            return look(item, reader)
        except BaseException:
            ended.set()
            raise
        finally:
            free.put(reader)

    with ThreadPoolExecutor(len(readers), thread_name_prefix="reads") as pool:
        found = [pool.submit(with_reader, item) for item in items]
        try:
            wait(found, return_when=FIRST_EXCEPTION)
            for one in found:
                if one.done() and (error := one.exception()) is not None:
                    raise error
        except BaseException:
            ended.set()
            end_reading(readers, found)
            raise
        return [one.result() for one in found]


def end_reading(readers: Sequence[ArrowReader], found: Sequence[Future[Any]]) -> None:
    """Cancel what the readers read until all that they find is done. Readers may be added meanwhile."""
    # A statement may begin just after it was to be cancelled.
    while wait(found, timeout=0).not_done:
        for reader in readers:
            reader.cancel()
        wait(found, timeout=_AGAIN_SECONDS)


def tid(address: int) -> str:
    """A packed address as the text of a ``tid``."""
    return f"({address >> 16},{address & 0xFFFF})"


def packed(tid: str) -> int:
    """The packed address that a ``tid`` in text stands for."""
    block, line = tid.strip("()").split(",")
    return int(block) << 16 | int(line)


def tid_array(addresses: RowAddresses) -> str:
    """Packed addresses as the text of an array of ``tid``."""
    block, line = pl.col("block"), pl.col("line")
    texts = pl.concat_str(pl.lit('"('), block, pl.lit(","), line, pl.lit(')"'))
    places = pl.DataFrame({"block": addresses >> 16, "line": addresses & 0xFFFF})
    return "{" + str(places.select(texts.str.join(",")).item()) + "}"
