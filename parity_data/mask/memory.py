"""What was masked in earlier batches, so that a column costs what is new in it."""

from __future__ import annotations

import secrets
from contextlib import AbstractContextManager
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from parity_data.mask import memory_loops
from parity_data.mask.cipher.flat import Bytes, Flat
from parity_data.mask.cipher.pool import Pool
from parity_data.mask.registry import Function

#: Values and bytes of values beyond which everything is forgotten.
_MOST_VALUES, _MOST_BYTES = 100_000, 8_000_000

#: Values of a batch that are looked up to see whether it is worth it, about; the share that must be known.
_ASKED = 1_024
_WORTH_KNOWING = 0.3

#: Places in the table for every value, at least.
_SLOTS = 2

_ALL = np.empty(0, np.uint8)

_Number = TypeVar("_Number", bound=np.generic)


class Memory:
    """Values of earlier batches, and what they became. Safe to share between threads."""

    def __init__(self) -> None:
        self._tables = Pool(Table)

    def table(self) -> AbstractContextManager[Table]:
        """A table that no other thread has."""
        return self._tables.one()


class Table:
    """Different values by number, and what each became. Not for several threads at once.

    bounds, store: where the values begin in their bytes. made, spelled: the same of what they became, lost: 1
    where that is NULL.
    """

    def __init__(self) -> None:
        self._begun = False
        self._seed = np.uint64(secrets.randbits(64))
        self._forget()

    def _forget(self) -> None:
        self._count = 0
        self._slots = np.full(_SLOTS, -1, np.int32)
        self._hashes, self._lost = np.empty(0, np.uint64), np.empty(0, np.uint8)
        self._bounds, self._made = np.zeros(1, np.int64), np.zeros(1, np.int64)
        self._store, self._spelled = np.empty(0, np.uint8), np.empty(0, np.uint8)

    def may_know(self, values: pl.Series) -> bool:
        """Whether a good part of n values, none of them NULL, is known. Of the first ones nobody can tell."""
        if not self._begun:
            return True
        # From all over: neighbours are often alike, and may be unlike the rest.
        asked = Flat.of(values.gather_every(max(1, len(values) // _ASKED)))
        numbers = self._numbers(asked, _ALL, adding=False)
        return bool((numbers >= 0).mean() >= _WORTH_KNOWING)

    def masked(self, function: Function, values: pl.Series) -> pl.Series:
        """Apply a function to different values that are not known. NULL and '' stay."""
        self._begun = True
        flat, valid = _flat(values)
        self._make_room(values.len(), len(flat.data))
        known = self._count
        numbers = self._numbers(flat, valid, adding=True)
        if self._count > known:
            self._learn(function, known)
        out = self._gathered(numbers).alias(values.name)
        if self._count > _MOST_VALUES or len(self._store) + len(self._spelled) > _MOST_BYTES:
            self._forget()
        return out

    def _numbers(self, flat: Flat, valid: Bytes, *, adding: bool) -> memory_loops.I32:
        numbers = np.empty(len(flat.offsets) - 1, np.int32)
        self._count = int(
            memory_loops.number(
                flat.data, flat.offsets, valid, adding, self._seed,
                self._slots, self._hashes, self._bounds, self._store, self._count, numbers,
            )
        )  # fmt: skip
        return numbers

    def _make_room(self, values: int, size: int) -> None:
        """For so many new values of so many bytes."""
        wanted, used = self._count + values, int(self._bounds[self._count])
        self._hashes = _longer(self._hashes, wanted)
        self._bounds, self._made = _longer(self._bounds, wanted + 1), _longer(self._made, wanted + 1)
        self._lost, self._store = _longer(self._lost, wanted), _longer(self._store, used + size)
        if len(self._slots) < _SLOTS * wanted:
            self._slots = np.full(1 << (_SLOTS * wanted - 1).bit_length(), -1, np.int32)
            memory_loops.enter(self._slots, self._hashes, self._count)

    def _learn(self, function: Function, first: int) -> None:
        """Mask the values from number ``first`` on."""
        bounds = self._bounds[first : self._count + 1]
        new = Flat(self._store[bounds[0] : bounds[-1]].copy(), bounds - bounds[0])
        made, valid = _flat(function(new.series()))
        begin = int(self._made[first])
        self._made[first : self._count + 1] = made.offsets + begin
        self._lost[first : self._count] = (valid == 0) if len(valid) else 0
        self._spelled = _longer(self._spelled, begin + len(made.data))
        self._spelled[begin : begin + len(made.data)] = made.data

    def _gathered(self, numbers: memory_loops.I32) -> pl.Series:
        offsets, valid = np.empty(len(numbers) + 1, np.int64), np.empty(len(numbers), np.uint8)
        nulls = memory_loops.measure(numbers, self._made, self._lost, offsets, valid)
        data = np.empty(int(offsets[-1]), np.uint8)
        memory_loops.gather(numbers, self._made, self._spelled, offsets, data)
        bits = pa.py_buffer(np.packbits(valid, bitorder="little")) if nulls else None
        array = pa.LargeStringArray.from_buffers(
            len(numbers), pa.py_buffer(offsets), pa.py_buffer(data), bits, int(nulls)
        )
        return pl.Series("", array, dtype=pl.String)


def _flat(values: pl.Series) -> tuple[Flat, Bytes]:
    """Bytes of n values; 0 where one is NULL, 1 elsewhere, or nothing where none is."""
    valid = values.is_not_null().to_numpy().astype(np.uint8) if values.null_count() else _ALL
    return Flat.of(values), valid


def _longer(array: npt.NDArray[_Number], wanted: int) -> npt.NDArray[_Number]:
    """The array, or one with the same beginning and room for ``wanted``."""
    if len(array) >= wanted:
        return array
    longer = np.empty(max(wanted, 2 * len(array)), array.dtype)
    longer[: len(array)] = array
    return longer
