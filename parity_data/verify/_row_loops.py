"""Compiled loops over values and rows: hash them, and add their hashes up."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from parity_data.compiled import compiled
from parity_data.hashes import hashed, mixed

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]


@compiled
def all_mixed(numbers: U64) -> U64:
    """The numbers with all bits mixed."""
    found = np.empty_like(numbers)
    for i in range(numbers.size):
        found[i] = mixed(numbers[i])
    return found


@compiled
def hash_texts(data: int, places: I64, seed: np.uint64, hashes: U64) -> None:
    """A keyed number for each of n texts. data: address of their bytes; places: n + 1 in them."""
    for text in range(hashes.size):
        length = places[text + 1] - places[text]
        hashes[text] = mixed(hashed(data + places[text], length, seed))


@compiled
def sum_rows(
    bases: I64, starts: I64, lengths: I32, seed: np.uint64, null: np.uint64,
    salts: U64, factors: U64, key: I64, last: np.uint64, plain: U64, bound: U64,
) -> np.uint64:  # fmt: skip
    """Keyed sums of n rows of k values; see ``multiset``. Gives the sum of the rows' hashes.

    bases, starts, lengths: where the values lie; see ``catalog.fields.places_of``. seed: of values. null:
    stands for NULL. salts, factors: k, the factors odd. key: places of the columns of the primary key. plain,
    bound: k, to which the sums of the mixed hashes are added, as they are and times an odd number of the key.
    """
    columns, rows = starts.shape
    codes = np.empty(columns, np.uint64)
    whole = np.uint64(0)
    for row in range(rows):
        total, own = np.uint64(0), np.uint64(0)
        for i in range(columns):
            length = np.int64(lengths[i, row])
            code = null if length < 0 else hashed(bases[i] + starts[i, row], int(length), seed)
            codes[i] = mixed(code + salts[i])
            total += factors[i] * codes[i]
            plain[i] += codes[i]
        for i in key:
            own += factors[i] * codes[i]
        own = mixed(own) | np.uint64(1) if key.size else np.uint64(1)
        for i in range(columns):
            bound[i] += own * codes[i]
        whole += mixed(total + last)
    return whole
