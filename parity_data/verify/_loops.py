"""Compiled loops over words: hash them, add their hashes up by text and by every few in a row, look these up.
And over rows: add up the hashes of their values.

They are in one file, since compiled code is made anew where its own source has changed, and not where a
function has changed that was compiled into it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from parity_data.compiled import byte_at, compiled, half_at, word_at

U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]

#: Classes of characters: no part of a word; a letter or mark; a number; a decimal digit.
OTHER, LETTER, NUMBER, DIGIT = 0, 1, 2, 3

#: FNV-1a (Fowler, Noll, Vo); then the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
_PRIME = np.uint64(0x100000001B3)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31 = np.uint64(27), np.uint64(30), np.uint64(31)
#: Multipliers of XXH64, and what is left of 64 bits.
_XX_1, _XX_2 = np.uint64(0x9E3779B185EBCA87), np.uint64(0xC2B2AE3D27D4EB4F)
_XX_4 = np.uint64(0x85EBCA77C2B2AE63)
_S33, _S37 = np.uint64(33), np.uint64(37)


@compiled
def _mixed(x: np.uint64) -> np.uint64:
    x = (x ^ (x >> _S30)) * _MIX_1
    x = (x ^ (x >> _S27)) * _MIX_2
    return x ^ (x >> _S31)


@compiled
def mixed(numbers: U64) -> U64:
    """The numbers with all bits mixed."""
    found = np.empty_like(numbers)
    for i in range(numbers.size):
        found[i] = _mixed(numbers[i])
    return found


@compiled
def split(
    data: U8, offsets: I64, classes: U8, seed: np.uint64,
    hashes: U64, lengths: I64, figures: U8, begins: I64, ends: I64, counts: I64, digits: I64,
) -> int:  # fmt: skip
    """The words of n texts in UTF-8. classes: by code point; small letters of ASCII stand for capitals.

    By word, room for all: hashes, lengths in characters, figures (1 for nothing but numbers), begins and ends
    in ``data``. By text: counts of words, digits. Returns how many words there are.
    """
    words = 0
    for text in range(len(offsets) - 1):
        first, number = words, 0
        inside = False
        for place in range(offsets[text], offsets[text + 1]):
            byte = data[place]
            if byte & 0xC0 == 0x80:
                continue
            point = np.int64(byte)
            width = 1
            if byte >= 0x80:
                width = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
                point &= 0x7F >> width
                for i in range(1, width):
                    point = point << 6 | (np.int64(data[place + i]) & 0x3F)
            kind = classes[point]
            if kind == OTHER:
                if inside:
                    ends[words] = place
                    words += 1
                    inside = False
                continue
            if not inside:
                inside = True
                begins[words], hashes[words], lengths[words], figures[words] = place, seed, 0, 1
            code = hashes[words]
            if width == 1:
                code = (code ^ np.uint64(byte + 32 if 65 <= byte <= 90 else byte)) * _PRIME
            else:
                for i in range(width):
                    code = (code ^ np.uint64(data[place + i])) * _PRIME
            hashes[words] = code
            lengths[words] += 1
            if kind == LETTER:
                figures[words] = 0
            elif kind == DIGIT:
                number += 1
        if inside:
            ends[words] = offsets[text + 1]
            words += 1
        counts[text], digits[text] = words - first, number
    for word in range(words):
        hashes[word] = _mixed(hashes[word])
    return words


@compiled
def _run_digest(total: np.uint64, words: int, salt: np.uint64) -> np.uint64:
    """The digest of so many words, from the sum of their hashes."""
    return _mixed(total + np.uint64(words) * _GOLDEN + salt)


@compiled
def whole(
    hashes: U64, lengths: I64, starts: I64, factor: np.uint64, salt: np.uint64, digests: U64, characters: I64
) -> None:
    """A digest of all words of each text, and their characters. starts: n + 1 places in the words."""
    for text in range(len(starts) - 1):
        total, power = np.uint64(0), np.uint64(1)
        length = np.int64(0)
        for word in range(starts[text], starts[text + 1]):
            total += hashes[word] * power
            power *= factor
            length += lengths[word]
        digests[text] = _run_digest(total, starts[text + 1] - starts[text], salt)
        characters[text] = length


@compiled
def runs(
    hashes: U64, lengths: I64, starts: I64, size: int, factor: np.uint64, salt: np.uint64,
    digests: U64, firsts: I64, texts: I64, characters: I64,
) -> int:  # fmt: skip
    """The same for every ``size`` words in a row of texts that are longer; room for all. Returns how many."""
    found = 0
    for text in range(len(starts) - 1):
        if starts[text + 1] - starts[text] <= size:
            continue
        for first in range(starts[text], starts[text + 1] - size + 1):
            total, power = np.uint64(0), np.uint64(1)
            length = np.int64(0)
            for word in range(first, first + size):
                total += hashes[word] * power
                power *= factor
                length += lengths[word]
            digests[found] = _run_digest(total, size, salt)
            firsts[found], texts[found], characters[found] = first, text, length
            found += 1
    return found


@compiled
def fill(numbers: U64, bits: U8, mask: np.uint64) -> None:
    """Put numbers into a set of bits. mask: of the bits that tell the place."""
    for number in numbers:
        at = number & mask
        bits[at >> np.uint64(3)] |= np.uint8(np.uint64(1) << (at & np.uint64(7)))


@compiled
def _bit(bits: U8, at: np.uint64) -> bool:
    return bool(bits[at >> np.uint64(3)] & np.uint8(np.uint64(1) << (at & np.uint64(7))))


@compiled
def _is_held(
    digest: np.uint64, mark: np.uint64, fewer: np.uint64, count: np.uint64,
    bitmap: U8, mask: np.uint64,
    places: I64, top: np.uint64, packed: U64, shift: np.uint64,
) -> bool:  # fmt: skip
    wanted = digest >> shift
    if not _bit(bitmap, wanted & mask):
        return False
    part = digest >> top
    for i in range(places[part], places[part + np.uint64(1)]):
        if packed[i] >> shift == wanted:
            seen = packed[i] & count
            return bool(seen > np.uint64(0) and seen < fewer and packed[i] & mark == mark)
    return False


@compiled
def find_held(
    digests: U64, mark: np.uint64, fewer: np.uint64, count: np.uint64,
    bitmap: U8, mask: np.uint64,
    places: I64, top: np.uint64, packed: U64, shift: np.uint64, found: npt.NDArray[np.bool_],
) -> None:  # fmt: skip
    """Which of n digests are held; see ``_lookup.Lookup.held``."""
    for i in range(digests.size):
        found[i] = _is_held(
            digests[i], mark, fewer, count, bitmap, mask, places, top, packed, shift
        )  # fmt: skip


@compiled
def find_runs(
    hashes: U64, lengths: I64, starts: I64, sizes: npt.NDArray[np.bool_],
    beginnings: U8, beginnings_mask: np.uint64, factor: np.uint64, salt: np.uint64,
    mark: np.uint64, fewer: np.uint64, count: np.uint64, bitmap: U8, mask: np.uint64,
    places: I64, top: np.uint64, packed: U64, shift: np.uint64, counts: I64, hit: npt.NDArray[np.bool_],
) -> None:  # fmt: skip
    """Look up every few words in a row; see ``_lookup.Lookup.runs``."""
    longest = counts.shape[1] - 1
    for text in range(starts.size - 1):
        end = starts[text + 1]
        words = end - starts[text]
        for first in range(starts[text], end):
            total, power = np.uint64(0), np.uint64(1)
            length = np.int64(0)
            begins = _bit(beginnings, hashes[first] & beginnings_mask)
            for size in range(1, min(sizes.size, end - first + 1, words)):
                word = first + size - 1
                total += hashes[word] * power
                power *= factor
                length += lengths[word]
                if sizes[size]:
                    counts[size, min(length, longest)] += 1
                    if not begins:
                        continue
                    digest = _run_digest(total, size, salt)
                    if _is_held(digest, mark, fewer, count, bitmap, mask, places, top, packed, shift):
                        hit[size] = True


@compiled
def _taken_up(code: np.uint64, word: np.uint64) -> np.uint64:
    """One round of XXH64's ending (Yann Collet): eight more bytes of a value."""
    word *= _XX_2
    word = (word << _S31 | word >> _S33) * _XX_1
    code ^= word
    return (code << _S27 | code >> _S37) * _XX_1 + _XX_4


@compiled
def _hash(address: int, length: int, seed: np.uint64) -> np.uint64:
    """A keyed number for a value; without XXH64's finaliser, so it is to be mixed before it is used."""
    code = seed + np.uint64(length + 1) * _XX_1
    at, end = address, address + length
    while at + 8 <= end:
        code = _taken_up(code, word_at(at))
        at += 8
    if at < end:
        # The last bytes, some of them once more.
        if length >= 8:
            word: np.uint64 = word_at(end - 8)
        elif length >= 4:
            word = np.uint64(half_at(at)) << np.uint64(32) | np.uint64(half_at(end - 4))
        else:
            word = np.uint64(0)
            while at < end:
                word = word << np.uint64(8) | np.uint64(byte_at(at))
                at += 1
        code = _taken_up(code, word)
    return code


@compiled
def hash_texts(data: int, places: I64, seed: np.uint64, hashes: U64) -> None:
    """A keyed number for each of n texts. data: address of their bytes; places: n + 1 in them."""
    for text in range(hashes.size):
        length = places[text + 1] - places[text]
        hashes[text] = _mixed(_hash(data + places[text], length, seed))


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
            code = null if length < 0 else _hash(bases[i] + starts[i, row], int(length), seed)
            codes[i] = _mixed(code + salts[i])
            total += factors[i] * codes[i]
            plain[i] += codes[i]
        for i in key:
            own += factors[i] * codes[i]
        own = _mixed(own) | np.uint64(1) if key.size else np.uint64(1)
        for i in range(columns):
            bound[i] += own * codes[i]
        whole += _mixed(total + last)
    return whole
