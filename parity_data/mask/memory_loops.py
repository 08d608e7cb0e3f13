"""Compiled loops of a table of values: which number each has, and what it became."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from parity_data.compiled import byte_at, compiled, copy_bytes, word_at
from parity_data.hashes import hashed, mixed

U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]

#: Numbers of values that are in no table.
NULL, EMPTY = -1, -2


@compiled
def _same(one: int, other: int, length: int) -> bool:
    end = one + length
    while one + 8 <= end:
        if word_at(one) != word_at(other):
            return False
        one += 8
        other += 8
    while one < end:
        if byte_at(one) != byte_at(other):
            return False
        one += 1
        other += 1
    return True


@compiled
def number(
    data: U8, offsets: I64, valid: U8, adding: bool, seed: np.uint64,
    slots: I32, hashes: U64, bounds: I64, store: U8, count: int, numbers: I32,
) -> int:  # fmt: skip
    """The numbers of n values, of which new ones get the next numbers. Returns how many there are.

    data, offsets: bytes of the values, n + 1 places in them. valid: n, 0 for NULL, or empty. adding: else a
    value that is not in the table gets ``NULL``. seed: of the hashes, so that nobody can choose values that
    meet. slots: open-addressing table of numbers, -1 where it is free. hashes, bounds (of one more), store:
    by number, with room for all that may be new. numbers: n, gets them.
    """
    top = np.uint64(len(slots) - 1)
    source, kept = data.ctypes.data, store.ctypes.data
    for row in range(len(offsets) - 1):
        begin, length = offsets[row], offsets[row + 1] - offsets[row]
        if len(valid) and valid[row] == 0:
            numbers[row] = NULL
            continue
        if length == 0:
            numbers[row] = EMPTY
            continue
        code = mixed(hashed(source + begin, length, seed))
        slot = code & top
        found = slots[slot]
        while found >= 0:
            there = bounds[found]
            if (
                hashes[found] == code
                and bounds[found + 1] - there == length
                and _same(source + begin, kept + there, length)
            ):
                break
            slot = (slot + np.uint64(1)) & top
            found = slots[slot]
        if found < 0 and adding:
            found = count
            slots[slot] = found
            hashes[found] = code
            copy_bytes(kept + bounds[found], source + begin, np.uint64(length))
            bounds[found + 1] = bounds[found] + length
            count += 1
        numbers[row] = found
    return count


@compiled
def enter(slots: I32, hashes: U64, count: int) -> None:
    """Enter the first ``count`` numbers into an empty table."""
    top = np.uint64(len(slots) - 1)
    for i in range(count):
        slot = hashes[i] & top
        while slots[slot] >= 0:
            slot = (slot + np.uint64(1)) & top
        slots[slot] = i


@compiled
def measure(numbers: I32, bounds: I64, lost: U8, offsets: I64, valid: U8) -> int:
    """Where what n values became will lie, and which of it is not NULL. lost: by number, 1 for NULL.

    offsets: n + 1. valid: n. Returns how many are NULL.
    """
    nulls = 0
    offsets[0] = 0
    for row in range(len(numbers)):
        of = numbers[row]
        length = np.int64(0)
        valid[row] = of != NULL and (of < 0 or lost[of] == 0)
        nulls += valid[row] == 0
        if of >= 0:
            length = bounds[of + 1] - bounds[of]
        offsets[row + 1] = offsets[row] + length
    return nulls


@compiled
def gather(numbers: I32, bounds: I64, store: U8, offsets: I64, data: U8) -> None:
    """Put what n values became one after another."""
    source, target = store.ctypes.data, data.ctypes.data
    for row in range(len(numbers)):
        of = numbers[row]
        if of >= 0:
            length = np.uint64(offsets[row + 1] - offsets[row])
            copy_bytes(target + offsets[row], source + bounds[of], length)
