"""Letters that marks follow: parts of alphabets within which the normal form stays what it is."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from parity_data.mask.cipher import number_loops
from parity_data.mask.cipher.alphabet import MARK, Alphabets, alphabets, restricted
from parity_data.mask.cipher.flat import Ints

U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]

#: Marks after one letter that are looked at.
_MARKS = 30
#: Places of the table of letters and marks at first: a power of two. Letters that are found in it.
_SLOTS = 1 << 12
_MOST_LETTERS = 1 << 18


@dataclass(frozen=True)
class Groups:
    """Alphabets by number, the parts too. size, start, members: as in ``Alphabets``, 1 member for what stays.

    name: a number that does not depend on when a part turned up. bits: of one member, in units of
    2**-20. inverses: 2**64 / size, rounded up; 0 of 1.
    """

    size: Ints
    start: Ints
    members: U32
    name: U64
    bits: Ints
    inverses: U64

    @classmethod
    def of(cls, table: Alphabets) -> Groups:
        size = table.size.copy()
        size[: MARK + 1] = 1
        names = np.arange(len(size), dtype=np.uint64)
        return cls(size, table.start, table.members, names, _bits(size), _inverses(size))

    def with_part(self, members: tuple[int, ...]) -> Groups:
        """These and one more."""
        size = np.array([len(members)], np.int64)
        digest = hashlib.sha256(repr(members).encode()).digest()
        return Groups(
            np.append(self.size, size),
            np.append(self.start, len(self.members)),
            np.append(self.members, np.array(members, np.uint32)),
            np.append(self.name, np.frombuffer(digest[:8], "<u8").astype(np.uint64)),
            np.append(self.bits, _bits(size)),
            np.append(self.inverses, _inverses(size)),
        )


def _bits(size: Ints) -> Ints:
    bits: Ints = np.rint(np.log2(size) * 2**20).astype(np.int64)
    return bits


def _inverses(size: Ints) -> U64:
    # (2**64 - 1) // size + 1 is 2**64 / size rounded up, and wraps around to 0 where the size is 1.
    return np.uint64(2**64 - 1) // size.astype(np.uint64) + np.uint64(1)


class Marked:
    """Alphabets and their parts, numbered as they turn up. Safe to share between threads."""

    def __init__(self, table: Alphabets) -> None:
        self._table = table
        self.groups = Groups.of(table)
        self._numbers: dict[tuple[int, ...], int] = {}
        self._lock = threading.Lock()
        self._forget(_SLOTS)

    def _forget(self, slots: int) -> None:
        self._known = 0
        self._keys, self._found = np.zeros(slots, np.uint64), np.zeros((slots, 2), np.uint32)

    def restrict(self, points: U32, alphabet: U32, member: U32, ends: Ints) -> None:
        """Replace, in place, the alphabets of letters that a mark follows in the same token.

        ends: n + 1 bounds of tokens in the other three.
        """
        missing = np.empty(len(points), np.int64)
        with self._lock:
            lacking = number_loops.restrict(
                points, alphabet, member, ends, self.groups.size, self._keys, self._found, missing
            )
            seen: dict[tuple[int, ...], tuple[int, int]] = {}
            for place in missing[:lacking].tolist():
                letter, marks = int(points[place]), self._marks(place, points, alphabet, ends)
                if (letter, *marks) not in seen:
                    seen[letter, *marks] = self._resolve(
                        letter, marks, int(alphabet[place]), int(member[place])
                    )
                alphabet[place], member[place] = seen[letter, *marks]

    @staticmethod
    def _marks(place: int, points: U32, alphabet: U32, ends: Ints) -> list[int]:
        end = min(int(ends[np.searchsorted(ends, place, side="right")]), place + 1 + _MARKS)
        following = alphabet[place + 1 : end] != MARK
        stop = int(following.argmax()) if following.any() else len(following)
        marks: list[int] = points[place + 1 : place + 1 + stop].tolist()
        return marks

    def _resolve(self, letter: int, marks: list[int], alphabet: int, member: int) -> tuple[int, int]:
        """(alphabet, place in it) of a letter before these marks."""
        members = restricted(alphabet, "".join(map(chr, marks)), chr(letter))
        if len(members) < self._table.size[alphabet]:
            alphabet, member = self._number(members), members.index(letter)
        if len(marks) <= 2:
            self._learn(letter << 42 | marks[0] << 21 | (marks[1] if marks[1:] else 0), alphabet, member)
        return alphabet, member

    def _learn(self, key: int, alphabet: int, member: int) -> None:
        if self._known >= _MOST_LETTERS:
            self._forget(_SLOTS)
        if 2 * self._known >= len(self._keys):
            keys, found = self._keys, self._found
            self._forget(2 * len(keys))
            for place in np.flatnonzero(keys).tolist():
                self._learn(int(keys[place]), *found[place].tolist())
        number_loops.learn(self._keys, self._found, np.uint64(key), alphabet, member)
        self._known += 1

    def _number(self, members: tuple[int, ...]) -> int:
        number = self._numbers.get(members)
        if number is None:
            number = len(self.groups.size)
            self.groups = self.groups.with_part(members)
            self._numbers[members] = number
        return number


@cache
def marked() -> Marked:
    """The one for all scripts."""
    return Marked(alphabets())
