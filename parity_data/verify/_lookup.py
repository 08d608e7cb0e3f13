"""Which digests are those of production's values: a sieve, then a table of places, then the value itself.

Most digests are not held, and the sieve says so after one look into memory. Digests are evenly spread, so the
place of one among the sorted ones is known from its highest bits, but for a few steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from parity_data.verify import _loops
from parity_data.verify._words import I64, U64, Key, Words

_BITS_PER_DIGEST = 16
_MOST_PLACES = 24

#: Beginnings of runs followed at once, which bounds memory.
_AT_ONCE = 16_384

#: Bits of the set of first words, two megabytes, and of first two words, four: some million different ones
#: leave both useful.
_FIRST, _PAIRS = 24, 25


@dataclass(frozen=True)
class Runs:
    """n runs of words that are held. digests, firsts (words), texts, sizes (words), characters: length n."""

    digests: U64
    firsts: I64
    texts: I64
    sizes: I64
    characters: I64


class Bits:
    """A set of evenly spread numbers that may hold more than were put in. It takes 2**bits bits."""

    def __init__(self, bits: int) -> None:
        self.mask = np.uint64((1 << bits) - 1)
        self.bits = np.zeros(1 << (bits - 3), dtype=np.uint8)

    def add(self, numbers: U64) -> None:
        """Put numbers in."""
        _loops.fill(numbers, self.bits, self.mask)

    def merge(self, other: Bits) -> None:
        """Put in what another of the same size holds."""
        self.bits |= other.bits


class Beginnings:
    """How values begin that are looked for inside texts: with which word, and which two or which one alone.

    Most words of a text are no first word of any value, and most that are one go on in another way.
    """

    def __init__(self) -> None:
        self.first, self.pairs = Bits(_FIRST), Bits(_PAIRS)

    def add(self, words: Words, some: npt.NDArray[np.bool_], key: Key) -> None:
        """Put in texts; some: which of the n."""
        starts, ends = words.starts[:-1][some], words.starts[1:][some]
        first = words.hashes[starts]
        self.first.add(first)
        longer = ends - starts > 1
        first[longer] += words.hashes[starts[longer] + 1] * np.uint64(key.factor)
        self.pairs.add(first)

    def find(self, words: Words, most: int, key: Key) -> tuple[I64, I64, I64]:
        """Where values of up to ``most`` words may begin that are no whole text.

        (first words, texts, fewest words: 1 for the word alone, 2 for more): arrays of the same length.
        """
        some = np.empty(words.hashes.size + 1, np.int64)
        some = some[: _loops.find_first(words.hashes, self.first.bits, self.first.mask, some)]
        firsts, texts, fewest = np.empty((3, 2 * some.size + 1), np.int64)
        found = _loops.find_beginnings(
            some, words.hashes, words.starts, most, self.pairs.bits, self.pairs.mask, np.uint64(key.factor),
            firsts, texts, fewest,
        )  # fmt: skip
        return firsts[:found], texts[:found], fewest[:found]

    def merge(self, other: Beginnings) -> None:
        """Put in what another holds."""
        self.first.merge(other.first)
        self.pairs.merge(other.pairs)


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
        self._places = np.empty((1 << places) + 1, np.int64)
        _loops.find_places(packed, self._top, self._places)

    def held(self, digests: U64, mark: np.uint64, fewer: int) -> npt.NDArray[np.bool_]:
        """Which of the digests are held, seen in fewer rows than ``fewer``, and bear the mark."""
        found = np.empty(digests.size, dtype=np.bool_)
        _loops.find_held(
            digests, mark, np.uint64(fewer), self._count, self._sieve.bits, self._sieve.mask,
            self._places, self._top, self._packed, self._shift, found,
        )  # fmt: skip
        return found

    def runs(
        self,
        words: Words,
        sizes: npt.NDArray[np.bool_],
        begin: Beginnings,
        key: Key,
        mark: np.uint64,
        fewer: int,
        longest: int,
    ) -> tuple[I64, Runs]:
        """Look up every few words in a row that are not a whole text.

        sizes: by number of words, whether to look. begin: how what is held begins. longest: characters that
        longer runs count as.
        Returns how many runs there are by (words, characters), and those that are held.
        """
        counts = np.zeros((sizes.size, longest + 1), dtype=np.int64)
        _loops.count_runs(words.lengths, words.starts, sizes, counts)
        found = []
        some = begin.find(words, sizes.size - 1, key)
        for at in range(0, max(1, some[0].size), _AT_ONCE):
            firsts, texts, fewest = (part[at : at + _AT_ONCE] for part in some)
            room = firsts.size * int(sizes.sum()) + 1
            digests, places = np.empty(room, np.uint64), np.empty((4, room), np.int64)
            maybe = _loops.find_runs(
                firsts, texts, fewest, words.hashes, words.lengths, words.starts, sizes,
                np.uint64(key.factor), np.uint64(key.salt), self._sieve.bits, self._sieve.mask, self._shift,
                digests, *places,
            )  # fmt: skip
            held = np.flatnonzero(self.held(digests[:maybe], mark, fewer))
            found.append((digests[held], places[:, held]))
        digests, places = (np.concatenate(parts, axis=-1) for parts in zip(*found, strict=True))
        firsts, texts, numbers, characters = places
        return counts, Runs(digests, firsts, texts, numbers, np.minimum(characters, longest))
