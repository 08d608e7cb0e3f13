"""Compiled loops over texts before and after masking: where they are equal, and where they are unlike.

Texts are given as the address of their bytes and n + 1 places in them, the first 0; see ``Flat``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from parity_data.compiled import byte_at, compiled, half_at, word_at

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]

_NONE = np.uint64(0)
_S8 = np.uint64(8)
#: Of each byte of a word the highest bit, all others, and the lowest: eight bytes are looked at at once.
_HIGH, _LOW = np.uint64(0x8080808080808080), np.uint64(0x7F7F7F7F7F7F7F7F)
_ONES = np.uint64(0x0101010101010101)
#: 2**64 over the golden ratio (Knuth, The Art of Computer Programming, volume 3, section 6.4).
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@compiled
def _few(address: int, length: int) -> np.uint64:
    """Less than eight bytes as a word, with zeros behind them."""
    word = _NONE
    if length >= 4:
        # Both ends; what they share comes to lie on itself.
        word = np.uint64(half_at(address))
        return word | np.uint64(half_at(address + length - 4)) << np.uint64(8 * (length - 4))
    while length > 0:
        length -= 1
        word = word << _S8 | np.uint64(byte_at(address + length))
    return word


@compiled
def _within(word: np.uint64, first: int, last: int) -> np.uint64:
    """The highest bits of the bytes from ``first`` to ``last``. word: of ASCII."""
    return (word + _ONES * np.uint64(128 - first)) & ~(word + _ONES * np.uint64(127 - last)) & _HIGH


@compiled
def _unlike(
    one: np.uint64, other: np.uint64, script: np.uint64, case: np.uint64, form: np.uint64
) -> np.uint64:
    """Not zero where two words of ASCII differ in what is to be kept, for which all bits are given."""
    capitals, others = _within(one, 65, 90), _within(other, 65, 90)
    small, other_small = _within(one, 97, 122), _within(other, 97, 122)
    letters, other_letters = capitals | small, others | other_small
    words = letters | _within(one, 48, 57)
    found = ((capitals ^ others) | (small ^ other_small)) & case | (letters ^ other_letters) & script
    changed = ((one ^ other) + _LOW) & _HIGH
    return found | ((words ^ (other_letters | _within(other, 48, 57))) | changed & ~words) & form


@compiled
def compare(
    raw: int, places: I64, masked: int, masked_places: I64,
    script: np.uint64, case: np.uint64, form: np.uint64, equal: Bools, odd: Bools,
) -> None:  # fmt: skip
    """Compare n texts. script, case, form: all bits where letters, case, and what stands between are kept.

    Says which are equal, and which are odd: not of one length in bytes, not of ASCII alone, or unlike.
    """
    for row in range(places.size - 1):
        at, other = raw + places[row], masked + masked_places[row]
        length = places[row + 1] - places[row]
        if length != masked_places[row + 1] - masked_places[row]:
            equal[row], odd[row] = False, True
            continue
        differs, wrong = _NONE, _NONE
        end = at + length
        while at + 8 <= end:
            x: np.uint64 = word_at(at)
            y: np.uint64 = word_at(other)
            differs |= x ^ y
            wrong |= (x | y) & _HIGH | _unlike(x & _LOW, y & _LOW, script, case, form)
            at += 8
            other += 8
        if at < end:
            x = _few(at, end - at)
            y = _few(other, end - at)
            differs |= x ^ y
            wrong |= (x | y) & _HIGH | _unlike(x & _LOW, y & _LOW, script, case, form)
        equal[row], odd[row] = differs == _NONE, wrong != _NONE


@compiled
def find_equal(raw: int, places: I64, masked: int, masked_places: I64, equal: Bools) -> None:
    """Which of n texts are equal; seldom any."""
    for row in range(places.size - 1):
        at, other = raw + places[row], masked + masked_places[row]
        length = places[row + 1] - places[row]
        same = length == masked_places[row + 1] - masked_places[row]
        end = at + length
        while same and at + 8 <= end:
            same = word_at(at) == word_at(other)
            at += 8
            other += 8
        equal[row] = same and (at >= end or _few(at, end - at) == _few(other, end - at))


@compiled
def find_capitals(data: int, places: I64, found: Bools, unsure: Bools) -> None:
    """Which of n texts hold a capital of ASCII, and which hold more than ASCII."""
    for row in range(places.size - 1):
        at, end = data + places[row], data + places[row + 1]
        capitals, others = _NONE, _NONE
        while at < end:
            word: np.uint64 = word_at(at) if at + 8 <= end else _few(at, end - at)
            capitals |= _within(word & _LOW, 65, 90) & ~word
            others |= word & _HIGH
            at += 8
        found[row], unsure[row] = capitals != _NONE, others != _NONE


@compiled
def find_first(masked: U64, raw: U64, table: I32, shift: np.uint64, first: Bools) -> None:
    """Which of n pairs of digests come for the first time. table: 2**(64 - shift) times -1, more than n."""
    last = table.size - 1
    for pair in range(masked.size):
        slot = np.int64(((masked[pair] ^ raw[pair] * _GOLDEN) * _GOLDEN) >> shift)
        found = False
        while not found and table[slot] >= 0:
            known = table[slot]
            found = masked[known] == masked[pair] and raw[known] == raw[pair]
            slot = (slot + 1) & last
        first[pair] = not found
        if not found:
            table[slot] = pair
