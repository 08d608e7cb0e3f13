"""Strings as one buffer of bytes with offsets, the way Arrow stores them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from parity_data.mask.cipher import word_loops

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Flat:
    """n strings of UTF-8. data: all bytes; offsets: n + 1 places in ``data``, the first 0."""

    data: Bytes
    offsets: Ints

    @classmethod
    def of(cls, values: pl.Series) -> Flat:
        """From a String Series without NULLs."""
        array = values.to_arrow(compat_level=pl.CompatLevel.oldest())
        if isinstance(array, pa.ChunkedArray):
            array = array.combine_chunks()
        return cls.of_arrow(array)

    @classmethod
    def of_arrow(cls, array: pa.Array) -> Flat:
        """From a LargeString or LargeBinary array without NULLs."""
        n = len(array)
        _, offsets_buffer, data_buffer = array.buffers()
        if n == 0 or data_buffer is None:
            return cls(np.zeros(0, np.uint8), np.zeros(n + 1, np.int64))
        offsets = np.frombuffer(offsets_buffer, np.int64)[array.offset : array.offset + n + 1]
        data = np.frombuffer(data_buffer, np.uint8)[offsets[0] : offsets[-1]]
        return cls(data, offsets - offsets[0])

    def series(self, data: Bytes | None = None) -> pl.Series:
        """A String Series, of other bytes of the same lengths where given."""
        data = self.data if data is None else data
        array = pa.LargeStringArray.from_buffers(
            len(self.offsets) - 1, pa.py_buffer(np.ascontiguousarray(self.offsets)), pa.py_buffer(data)
        )
        return pl.Series("", array, dtype=pl.String)

    def pieces(self, begins: Ints, ends: Ints) -> Flat:
        """n pieces of the bytes, as strings of their own."""
        data = np.empty(int((ends - begins).sum()), np.uint8)
        offsets = np.zeros(len(begins) + 1, np.int64)
        word_loops.copy(self.data, begins, ends, data, offsets)
        return Flat(data, offsets)

    def filter(self, some: npt.NDArray[np.bool_]) -> Flat:
        """Those of the strings that are marked."""
        return self if some.all() else self.pieces(self.offsets[:-1][some], self.offsets[1:][some])

    def head(self, n: int) -> Flat:
        """The first n strings, in the same memory."""
        offsets = self.offsets[: n + 1]
        return Flat(self.data[: offsets[-1]], offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Ints:
        return np.diff(self.offsets)


def ragged(lengths: Ints, starts: Ints) -> Ints:
    """Places of the elements of n runs, one after another; run i: lengths[i] places from starts[i] on."""
    total = int(lengths.sum())
    if not total:
        return np.zeros(0, np.int64)
    ends = np.cumsum(lengths)
    places: npt.NDArray[np.int64] = np.arange(total) + np.repeat(starts - (ends - lengths), lengths)
    return places


def code_points(data: Bytes) -> npt.NDArray[np.uint32]:
    """Valid UTF-8 as code points."""
    return np.frombuffer(data.tobytes().decode("utf-8").encode("utf-32-le"), np.uint32)


def utf8(points: npt.NDArray[np.uint32]) -> Bytes:
    """Code points as UTF-8."""
    return np.frombuffer(points.tobytes().decode("utf-32-le").encode("utf-8"), np.uint8)
