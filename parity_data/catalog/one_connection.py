"""Rows as Arrow batches over a psycopg connection: what a transaction has made nobody else sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
from psycopg import sql

from parity_data.catalog.arrow import BATCH_BYTES, ArrowReader
from parity_data.errors import TargetError

#: Types that arrive as numbers, by OID: those of ``transfer.wire``; everything else is bytes.
_NUMBERS = {21: ">i2", 23: ">i4", 20: ">i8", 700: ">f4", 701: ">f8"}
_BOOL = 16


class ConnectionReader(ArrowReader):
    """Reads in the connection's own transaction. Not for several threads at once; slower than ADBC."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._psycopg = connection

    def batches(self, query: sql.Composable, where: str) -> Iterator[pa.RecordBatch]:
        """Batches of the query's rows. where: what to blame in errors. Raises TargetError."""
        try:
            with self._psycopg.cursor() as cursor:
                cursor.execute(sql.SQL("SELECT * FROM ({}) AS q LIMIT 0").format(query))
                types = [column.type_code for column in cursor.description or ()]
                rows: list[Sequence[bytes | None]] = []
                size = 0
                with cursor.copy(sql.SQL("COPY ({}) TO STDOUT (FORMAT binary)").format(query)) as copy:
                    for row in copy.rows():
                        rows.append(row)
                        size += sum(map(len, filter(None, row)))
                        if size > BATCH_BYTES:
                            yield _batch(rows, types)
                            rows, size = [], 0
                if rows:
                    yield _batch(rows, types)
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            raise TargetError(f"Reading back failed ({type(error).__name__}).", where=where) from None

    def close(self) -> None:
        """The connection belongs to whoever opened it."""


def _batch(rows: Sequence[Sequence[bytes | None]], types: Sequence[int]) -> pa.RecordBatch:
    columns = [_array(values, type_) for values, type_ in zip(zip(*rows, strict=True), types, strict=True)]
    return pa.RecordBatch.from_arrays(columns, [f"c{i}" for i in range(len(columns))])


def _array(values: Sequence[bytes | None], type_: int) -> pa.Array:
    if type_ in _NUMBERS:
        kind = np.dtype(_NUMBERS[type_])
        nothing = bytes(kind.itemsize)
        raw = np.frombuffer(b"".join(nothing if v is None else v for v in values), kind)
        absent = np.fromiter((v is None for v in values), bool, len(values))
        return pa.array(raw.astype(kind.newbyteorder("=")), mask=absent)
    if type_ == _BOOL:
        return pa.array([None if v is None else v != b"\x00" for v in values], pa.bool_())
    return pa.array(values, pa.binary())
