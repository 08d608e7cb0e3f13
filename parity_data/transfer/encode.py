"""Bytes for COPY: PostgreSQL's binary format, and CSV for what has none.

https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from parity_data.catalog.fields import SIGNATURE, Fields, woven
from parity_data.catalog.model import Type
from parity_data.mask.cipher.flat import Flat
from parity_data.mask.written import days_of

#: Days and microseconds from 1970-01-01 to PostgreSQL's epoch, 2000-01-01.
_EPOCH_DAYS = 10_957
_EPOCH_MICROSECONDS = _EPOCH_DAYS * 86_400_000_000


#: What COPY takes.
Data = bytes | memoryview

#: How the binary format begins, without flags and extension, and how it ends: a count of -1.
HEADER = SIGNATURE + bytes(8)
TRAILER = b"\xff\xff"


class BinaryWriter:
    """Puts batches of columns together to rows."""

    def __init__(self) -> None:
        self._header = HEADER

    def write(self, columns: Sequence[Fields], rows: int) -> Data:
        """Bytes of one batch, with the header before the first."""
        head, self._header = self._header, b""
        # A table without columns still has rows: each is a field count of zero.
        return woven(columns, head) if columns else head + b"\x00\x00" * rows

    def finish(self) -> bytes:
        """Closing bytes, with the header when nothing came before."""
        head, self._header = self._header, b""
        return head + TRAILER


def csv_bytes(columns: list[pa.Array], rows: int) -> bytes:
    """CSV in which a NULL is nothing and every other value is quoted."""
    names = [str(i) for i in range(len(columns))]
    table = pa.Table.from_arrays([pc.cast(column, pa.large_string()) for column in columns], names=names)
    sink = io.BytesIO()
    options = pa.csv.WriteOptions(include_header=False, quoting_style="all_valid")
    pa.csv.write_csv(table, sink, options)
    return sink.getvalue()


def can_encode(plain: Type) -> bool:
    """Whether text of this type can be turned into its binary form here."""
    return plain.kind == "e" or plain.name.name in _TEXT_ENCODERS


def from_text(values: pa.Array, plain: Type) -> pa.Array:
    """Values in PostgreSQL's text form -> Arrow values that are written as the type's binary form.

    values: large strings. Raises ValueError for a text that is no value of the type.
    """
    if plain.kind == "e":
        return values
    return _TEXT_ENCODERS[plain.name.name](values)


def _text(values: pa.Array) -> pa.Array:
    return values


def _jsonb(values: pa.Array) -> pa.Array:
    # jsonb_send: a version byte, then the text.
    prefix = pa.scalar(b"\x01", pa.large_binary())
    return pc.binary_join_element_wise(
        prefix, values.cast(pa.large_binary()), pa.scalar(b"", pa.large_binary())
    )


def _number(dtype: pl.DataType) -> Callable[[pa.Array], pa.Array]:
    def convert(values: pa.Array) -> pa.Array:
        return _cast(values, dtype).to_arrow()

    return convert


def _cast(values: pa.Array, dtype: pl.DataType) -> pl.Series:
    try:
        series = pl.Series(values)
        return series.cast(pl.String).cast(dtype)
    except pl.exceptions.PolarsError as error:
        raise ValueError(f"not a {dtype}") from error


def _boolean(values: pa.Array) -> pa.Array:
    truth = pc.is_in(values, value_set=pa.array(["true", "t"], pa.large_string()))
    return pc.if_else(values.is_valid(), truth, pa.scalar(None, pa.bool_()))


def _infinite(series: pl.Series, number: pl.Expr, low: int, high: int) -> pl.Series:
    """Numbers with 'infinity' and '-infinity' put in as the extremes PostgreSQL stores them as."""
    text = pl.col("text")
    frame = pl.DataFrame({"text": series})
    result = frame.select(
        pl.when(text == "infinity").then(high).when(text == "-infinity").then(low).otherwise(number)
    ).to_series()
    if result.null_count() != series.null_count():
        raise ValueError("not a date or time")
    return result


def _date(values: pa.Array) -> pa.Array:
    plain = days_of(Flat.of_arrow(values)) if not values.null_count else None
    if plain is not None:
        return _as_bytes(plain - _EPOCH_DAYS, ">i4")
    since = pl.col("text").str.to_date("%Y-%m-%d", strict=False).cast(pl.Int32).cast(pl.Int64) - _EPOCH_DAYS
    found = _infinite(pl.Series(values).cast(pl.String), since, -(2**31), 2**31 - 1)
    return _big_endian(found, ">i4")


def _timestamp(values: pa.Array) -> pa.Array:
    # With TimeZone UTC the offset of a timestamptz is always +00.
    text = pl.col("text").str.strip_suffix("+00")
    moment = text.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)
    found = _infinite(
        pl.Series(values).cast(pl.String), moment.cast(pl.Int64) - _EPOCH_MICROSECONDS, -(2**63), 2**63 - 1
    )
    return _big_endian(found, ">i8")


def _big_endian(numbers: pl.Series, dtype: str) -> pa.Array:
    return _with_nulls(_as_bytes(numbers.fill_null(0).to_numpy(), dtype), numbers)


def _as_bytes(numbers: npt.NDArray[np.int64], dtype: str) -> pa.Array:
    width = np.dtype(dtype).itemsize
    offsets = np.arange(0, width * (len(numbers) + 1), width, dtype=np.int64)
    data = [pa.py_buffer(values) for values in (offsets, numbers.astype(dtype))]
    return pa.Array.from_buffers(pa.large_binary(), len(numbers), [None, *data])


def _with_nulls(values: pa.Array, like: pl.Series) -> pa.Array:
    if not like.null_count():
        return values
    return pc.if_else(like.is_not_null().to_arrow(), values, pa.scalar(None, values.type))


def _hexadecimal(strip: str, width: int | None) -> Callable[[pa.Array], pa.Array]:
    def convert(values: pa.Array) -> pa.Array:
        series = pl.Series(values).cast(pl.String)
        text = (
            series.str.replace_all("-", "", literal=True) if strip == "-" else series.str.strip_prefix(strip)
        )
        try:
            found = text.str.decode("hex")
        except pl.exceptions.PolarsError as error:
            raise ValueError("not hexadecimal") from error
        if width is not None and not (found.bin.size() == width).all():
            raise ValueError("wrong length")
        return found.to_arrow().cast(pa.large_binary())

    return convert


_TEXT_ENCODERS: dict[str, Callable[[pa.Array], pa.Array]] = {
    **dict.fromkeys(("text", "varchar", "bpchar", "citext", "name", "json", "xml"), _text),
    "jsonb": _jsonb,
    "int2": _number(pl.Int16()),
    "int4": _number(pl.Int32()),
    "int8": _number(pl.Int64()),
    "float4": _number(pl.Float32()),
    "float8": _number(pl.Float64()),
    "bool": _boolean,
    "date": _date,
    "timestamp": _timestamp,
    "timestamptz": _timestamp,
    "uuid": _hexadecimal("-", 16),
    "bytea": _hexadecimal("\\x", None),
}
