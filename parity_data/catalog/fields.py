"""Values of a column as a server sends and takes them: bytes, and where each value lies in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from parity_data.compiled import byte_at, compiled, copy_bytes, half_at, put_byte, put_half, put_word, word_at

#: How COPY's binary format begins; then come flags and the length of the header's extension, four bytes each.
SIGNATURE = b"PGCOPY\n\xff\r\n\x00"

Bytes = npt.NDArray[np.uint8]
Starts = npt.NDArray[np.int64]
Lengths = npt.NDArray[np.int32]

_BOOL = 16
#: OID of a type -> (Arrow's type, how it is sent). Any other type is the bytes that it is sent as.
_FIXED: dict[int, tuple[pa.DataType, str]] = {
    _BOOL: (pa.bool_(), "u1"),
    20: (pa.int64(), ">i8"),
    21: (pa.int16(), ">i2"),
    23: (pa.int32(), ">i4"),
    700: (pa.float32(), ">f4"),
    701: (pa.float64(), ">f8"),
}
_OF_ARROW = {type_: oid for oid, (type_, _) in _FIXED.items()}
#: OIDs of "char", name, text, json, xml, character(n), varchar and of a literal: their bytes are their text.
_TEXT = frozenset({18, 19, 25, 114, 142, 1042, 1043, 705})
_BYTEA, _OF_TEXT = 17, 25
_VARYING = {
    pa.string(): (_OF_TEXT, np.int32),
    pa.large_string(): (_OF_TEXT, np.int64),
    pa.binary(): (_BYTEA, np.int32),
    pa.large_binary(): (_BYTEA, np.int64),
}


@dataclass(frozen=True, eq=False)
class Fields:
    """n values of one column. raw: bytes, of other columns too. starts: where each begins in them.

    lengths: bytes of each, -1 for NULL. oid: of the type.
    """

    raw: Bytes
    starts: Starts
    lengths: Lengths
    oid: int

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def null_count(self) -> int:
        return int(np.count_nonzero(self.lengths < 0))

    def filter(self, keep: npt.NDArray[np.bool_]) -> Fields:
        """Those of the values that are to be kept."""
        return Fields(self.raw, self.starts[keep], self.lengths[keep], self.oid)

    def arrow(self) -> pa.Array:
        """Numbers, booleans and text as such, anything else as binary. Text is not checked to be UTF-8.

        Raises ValueError for a number that is not as wide as its type.
        """
        return arrays([self])[0]

    @classmethod
    def of(cls, values: pa.Array) -> Fields:
        """The values of an array of numbers, booleans, text or bytes, in its memory where they can be."""
        rows = len(values)
        if values.type in _VARYING:
            oid, kind = _VARYING[values.type]
            ends = np.frombuffer(values.buffers()[1], kind)[values.offset : values.offset + rows + 1]
            data = values.buffers()[2]
            raw = np.empty(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
            starts = ends[:-1].astype(np.int64)
            lengths = np.diff(ends).astype(np.int32)
        else:
            oid = _OF_ARROW[values.type]
            sent = np.dtype(_FIXED[oid][1])
            numbers = values.fill_null(False if oid == _BOOL else 0).to_numpy(zero_copy_only=False)
            raw = np.ascontiguousarray(numbers.astype(sent)).view(np.uint8)
            starts = np.arange(rows, dtype=np.int64) * sent.itemsize
            lengths = np.full(rows, sent.itemsize, np.int32)
        if values.null_count:
            lengths[values.is_null().to_numpy(zero_copy_only=False)] = -1
        return cls(raw, starts, lengths, oid)


def places_of(columns: Sequence[Fields]) -> tuple[npt.NDArray[np.int64], Starts, Lengths]:
    """Where values lie: the address of each of k columns, and k x n starts and lengths.

    The columns must outlive what is done with it.
    """
    bases = np.array([column.raw.ctypes.data for column in columns], np.int64)
    starts = np.stack([column.starts for column in columns])
    return bases, starts, np.stack([column.lengths for column in columns])


def arrays(columns: Sequence[Fields]) -> list[pa.Array]:
    """Columns of equally many rows as Arrow arrays; see ``Fields.arrow``."""
    if not columns:
        return []
    rows = len(columns[0])
    bases, starts, lengths = places_of(columns)
    kinds = [np.dtype(_FIXED[column.oid][1]) if column.oid in _FIXED else None for column in columns]
    widths = np.array([kind.itemsize if kind else 0 for kind in kinds], np.int64)
    totals = np.maximum(lengths, 0).sum(axis=1, dtype=np.int64)
    data: list[Bytes] = [
        np.empty(rows * width if width else total, np.uint8)
        for width, total in zip(widths, totals, strict=True)
    ]
    ends: Starts = np.zeros((len(columns), rows + 1), np.int64)
    into = np.array([values.ctypes.data for values in data], np.int64)
    if not _spread(bases, starts, lengths, widths, into, ends):
        raise ValueError("a number is not as wide as its type")
    made = []
    for i, (column, kind) in enumerate(zip(columns, kinds, strict=True)):
        nulls = column.null_count
        valid = pa.py_buffer(np.packbits(column.lengths >= 0, bitorder="little")) if nulls else None
        if kind is None:
            type_ = pa.large_string() if column.oid in _TEXT else pa.large_binary()
            buffers = [valid, pa.py_buffer(ends[i]), pa.py_buffer(data[i])]
        else:
            type_ = _FIXED[column.oid][0]
            numbers = data[i].view(kind).astype(kind.newbyteorder("="))
            whole = np.packbits(numbers, bitorder="little") if column.oid == _BOOL else numbers
            buffers = [valid, pa.py_buffer(whole)]
        made.append(pa.Array.from_buffers(type_, rows, buffers, nulls))
    return made


@compiled
def _copy(to: int, source: int, length: int) -> None:
    """Like ``copy_bytes``, and faster where there are few."""
    if length > 16:
        copy_bytes(to, source, np.uint64(length))
    elif length >= 8:
        # From both ends, some bytes twice.
        last: np.uint64 = word_at(source + length - 8)
        put_word(to, word_at(source))
        put_word(to + length - 8, last)
    elif length >= 4:
        end: np.uint32 = half_at(source + length - 4)
        put_half(to, half_at(source))
        put_half(to + length - 4, end)
    else:
        for i in range(length):
            put_byte(to + i, byte_at(source + i))


@compiled
def _spread(
    bases: npt.NDArray[np.int64],
    starts: Starts,
    lengths: Lengths,
    widths: npt.NDArray[np.int64],
    into: npt.NDArray[np.int64],
    ends: Starts,
) -> bool:
    """Put the fields of each column behind each other. Gives whether all are as wide as they must be.

    widths: bytes of each field of a column, NULL as zeros; 0 where every field has its own. into: addresses,
    by column, changed. ends: of the fields of such columns; columns x rows + 1, the first zero.
    """
    nothing = np.zeros(8, np.uint8)
    columns, rows = starts.shape
    # A few rows at a time, which stay in the processor's cache from the first column to the last.
    for first in range(0, rows, 256):
        last = min(first + 256, rows)
        for column in range(columns):
            source, to = bases[column], into[column]
            width = widths[column]
            if width:
                for row in range(first, last):
                    length = lengths[column, row]
                    if length == width:
                        _copy(to, source + starts[column, row], width)
                    elif length < 0:
                        _copy(to, nothing.ctypes.data, width)
                    else:
                        return False
                    to += width
            else:
                end = ends[column, first]
                for row in range(first, last):
                    length = lengths[column, row]
                    if length > 0:
                        _copy(to, source + starts[column, row], int(length))
                        to += length
                        end += length
                    ends[column, row + 1] = end
            into[column] = to
    return True


def woven(columns: Sequence[Fields], head: bytes) -> memoryview:
    """Rows of COPY's binary format behind ``head``, out of columns of equally many values."""
    bases, starts, lengths = places_of(columns)
    size = starts.shape[1] * (2 + 4 * len(columns)) + int(np.maximum(lengths, 0).sum(dtype=np.int64))
    into = np.empty(len(head) + size, np.uint8)
    into[: len(head)] = np.frombuffer(head, np.uint8)
    _weave(bases, starts, lengths, into[len(head) :])
    return into.data


@compiled
def _weave(bases: npt.NDArray[np.int64], starts: Starts, lengths: Lengths, into: Bytes) -> None:
    """Rows out of columns: of each row the number of its fields, then each field behind its length."""
    columns, rows = starts.shape
    at = into.ctypes.data
    for row in range(rows):
        put_byte(at, np.uint8(columns >> 8))
        put_byte(at + 1, np.uint8(columns & 0xFF))
        at += 2
        for column in range(columns):
            length = int(lengths[column, row])
            put_byte(at, np.uint8((length >> 24) & 0xFF))
            put_byte(at + 1, np.uint8((length >> 16) & 0xFF))
            put_byte(at + 2, np.uint8((length >> 8) & 0xFF))
            put_byte(at + 3, np.uint8(length & 0xFF))
            at += 4
            if length > 0:
                _copy(at, bases[column] + starts[column, row], length)
                at += length
