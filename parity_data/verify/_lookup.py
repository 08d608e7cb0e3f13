"""Which digests are those of production's values: a sieve, then a table of places, then the value itself.

Most digests are not held, and the sieve says so after one look into memory. Digests are evenly spread, so the
place of one among the sorted ones is known from its highest bits, but for a few steps.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from parity_data.verify import _loops
from parity_data.verify._words import I64, U64, Key, Words

_BITS_PER_DIGEST = 16
_MOST_PLACES = 24


class Bits:
    """A set of evenly spread numbers that may hold more than were put in. It takes 2**bits bits."""

    def __init__(self, bits: int) -> None:
        self.mask = np.uint64((1 << bits) - 1)
        self.bits = np.zeros(1 << (bits - 3), dtype=np.uint8)

    def add(self, numbers: U64) -> None:
        """Put numbers in."""
        _loops.fill(numbers, self.bits, self.mask)

    def holds(self, numbers: U64) -> npt.NDArray[np.bool_]:
        """Which of the numbers may have been put in."""
        at = numbers & self.mask
        found: npt.NDArray[np.bool_] = (
            self.bits[at >> np.uint64(3)] >> (at & np.uint64(7)).astype(np.uint8)
        ) & 1 > 0
        return found

    def merge(self, other: Bits) -> None:
        """Put in what another of the same size holds."""
        self.bits |= other.bits


class Lookup:
    """Looks digests up. packed: sorted, each digest once.

    shift: how many low bits of ``packed`` are no part of the digest. count: which of them say how many rows
    the value was in.
    """

    def __init__(self, packed: U64, *, shift: np.uint64, count: np.uint64) -> None:
        self._packed, self._shift, self._count = packed, shift, count
        size = max(1, packed.size)
        self._sieve = Bits(max(10, math.ceil(math.log2(size * _BITS_PER_DIGEST))))
        self._sieve.add(packed >> shift)
        places = min(max(1, math.ceil(math.log2(size))), _MOST_PLACES)
        self._top = np.uint64(64 - places)
        firsts = np.arange(1 << places, dtype=np.uint64) << self._top
        self._places = np.append(np.searchsorted(packed, firsts), packed.size).astype(np.int64)

    def held(self, digests: U64, mark: np.uint64, fewer: int) -> npt.NDArray[np.bool_]:
        """Which of the digests are held, seen in fewer rows than ``fewer``, and bear the mark."""
        found = np.zeros(digests.size, dtype=np.bool_)
        _loops.find_held(
            digests, mark, np.uint64(fewer), self._count, self._sieve.bits, self._sieve.mask,
            self._places, self._top, self._packed, self._shift, found,
        )  # fmt: skip
        return found

    def runs(
        self,
        words: Words,
        sizes: npt.NDArray[np.bool_],
        begin: Bits,
        key: Key,
        mark: np.uint64,
        fewer: int,
        longest: int,
    ) -> tuple[I64, npt.NDArray[np.bool_]]:
        """Look up every few words in a row that are not a whole text, without keeping their digests.

        sizes: by number of words, whether to look. begin: words that what is held begins with. longest:
        characters that longer runs count as.
        Returns how many runs there are by (words, characters), and by number of words whether one is held.
        """
        counts = np.zeros((sizes.size, longest + 1), dtype=np.int64)
        hit = np.zeros(sizes.size, dtype=np.bool_)
        _loops.find_runs(
            words.hashes, words.lengths, words.starts, sizes, begin.bits, begin.mask,
            np.uint64(key.factor), np.uint64(key.salt), mark, np.uint64(fewer), self._count,
            self._sieve.bits, self._sieve.mask,
            self._places, self._top, self._packed, self._shift, counts, hit,
        )  # fmt: skip
        return counts, hit
