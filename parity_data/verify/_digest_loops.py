"""Compiled loops over values and their digests: which say anything, what marks them, sorted ones as one.

Texts are given as the address of their bytes and n + 1 places in them, the first 0; see ``Flat``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from parity_data.compiled import byte_at, compiled, word_at

U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_NONE, _S3 = np.uint64(0), np.uint64(3)
_HIGH, _ONES = np.uint64(0x8080808080808080), np.uint64(0x0101010101010101)


@compiled
def find_long(data: int, places: I64, characters: int, wide: int, found: Bools) -> None:
    """Which of n texts have at least so many characters, or ``wide`` bytes."""
    for row in range(places.size - 1):
        at, end = data + places[row], data + places[row + 1]
        left = characters
        if end - at < wide:
            while at < end and left > 0:
                if byte_at(at) & 0xC0 != 0x80:
                    left -= 1
                at += 1
        else:
            left = 0
        found[row] = left <= 0


@compiled
def find_dated(data: int, places: I64, found: Bools) -> None:
    """Which of n texts may begin with a date: up to four digits and a separator; blanks may come first.

    What is not ASCII may be a blank or a digit, too.
    """
    for row in range(places.size - 1):
        at, end = data + places[row], data + places[row + 1]
        while at < end and (byte_at(at) == 32 or 9 <= byte_at(at) <= 13):
            at += 1
        digits = 0
        while at < end and digits <= 4 and 48 <= byte_at(at) <= 57:
            digits += 1
            at += 1
        found[row] = False
        if at < end and digits <= 4:
            byte = byte_at(at)
            found[row] = byte >= 128 or (digits > 0 and 45 <= byte <= 47)


@compiled
def find_byte(data: int, places: I64, byte: int, found: Bools) -> None:
    """Which of n texts hold a byte."""
    wanted = _ONES * np.uint64(byte)
    for row in range(places.size - 1):
        at, end = data + places[row], data + places[row + 1]
        holds = False
        while not holds and at + 8 <= end:
            # A byte of zeros is the only one from which one is borrowed, but for those above it.
            word = word_at(at) ^ wanted
            holds = (word - _ONES) & ~word & _HIGH != _NONE
            at += 8
        while not holds and at < end:
            holds = byte_at(at) == byte
            at += 1
        found[row] = holds


@compiled
def find_made_of(hashes: U64, starts: I64, bits: U8, mask: np.uint64, found: Bools) -> None:
    """Keeps of the texts marked those whose words are all in a set of bits. starts: n + 1 places in words."""
    for text in range(starts.size - 1):
        if not found[text]:
            continue
        word, end = starts[text], starts[text + 1]
        inside = True
        while inside and word < end:
            at = hashes[word] & mask
            inside = bits[at >> _S3] >> np.uint8(at & np.uint64(7)) & np.uint8(1) > 0
            word += 1
        found[text] = inside


@compiled
def _joined(one: np.uint64, other: np.uint64, count: np.uint64) -> np.uint64:
    """Two of one digest: the marks of both, and the sum of their counts, as far as it goes."""
    return (one | other) & ~count | min((one & count) + (other & count), count)


@compiled
def join(packed: U64, shift: np.uint64, count: np.uint64) -> int:
    """Sorted digests, each once, in place. shift, count: see ``_lookup.Lookup``. Returns how many."""
    last = 0
    for i in range(1, packed.size):
        if (packed[i] ^ packed[last]) >> shift == _NONE:
            packed[last] = _joined(packed[last], packed[i], count)
        else:
            last += 1
            packed[last] = packed[i]
    return min(packed.size, last + 1)


@compiled
def unite(packed: U64, shift: np.uint64, count: np.uint64) -> int:
    """The same, each with the smallest count and all marks of those that are alike."""
    last = 0
    for i in range(1, packed.size):
        if (packed[i] ^ packed[last]) >> shift == _NONE:
            least = min(packed[i] & count, packed[last] & count)
            packed[last] = (packed[i] | packed[last]) & ~count | least
        else:
            last += 1
            packed[last] = packed[i]
    return min(packed.size, last + 1)


@compiled
def merge(one: U64, other: U64, shift: np.uint64, count: np.uint64, into: U64) -> int:
    """Two lots of sorted digests, each once in either, as one; room for all. Returns how many there are."""
    i, j, made = 0, 0, 0
    while i < one.size and j < other.size:
        x, y = one[i], other[j]
        if (x ^ y) >> shift == _NONE:
            into[made] = _joined(x, y, count)
            i += 1
            j += 1
        elif x < y:
            into[made] = x
            i += 1
        else:
            into[made] = y
            j += 1
        made += 1
    while i < one.size:
        into[made] = one[i]
        i += 1
        made += 1
    while j < other.size:
        into[made] = other[j]
        j += 1
        made += 1
    return made
