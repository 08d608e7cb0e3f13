"""Compiled loops over words: hash them, add their hashes up by text and by every few in a row, look these up.

They are in one file, since compiled code is made anew where its own source has changed, and not where a
function has changed that was compiled into it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from parity_data.compiled import byte_at, compiled, low_zeros, set_bits, word_at
from parity_data.hashes import mixed, taken_up

U8 = npt.NDArray[np.uint8]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
Ints = I32 | I64

#: Classes of characters: no part of a word; a letter or mark; a number; a decimal digit.
OTHER, LETTER, NUMBER, DIGIT = 0, 1, 2, 3

#: What texts may hold: characters beyond ASCII, percent signs, beginnings of JSON, arrays, hstore or markup.
WIDE, PERCENT, CONTAINER = 1, 2, 4

#: 2**64 over the golden ratio, as in SplitMix64 (Steele, Lea, Flood 2014).
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)

#: Digests looked up side by side.
_BLOCK = 256

#: Of eight bytes at a time: the highest bit of each and that of the first, the other bits, all bits, and the
#: bit that small letters have and capitals do not.
_HIGH, _FIRST, _LOW = np.uint64(0x8080808080808080), np.uint64(0x80), np.uint64(0x7F7F7F7F7F7F7F7F)
_ALL, _SMALL, _S2 = np.uint64(0xFFFFFFFFFFFFFFFF), np.uint64(0x2020202020202020), np.uint64(2)
#: Added to bytes below 0x80, these set the highest bit of those from a character on, and of those behind one.
_FROM_A, _BEHIND_Z = np.uint64(0x1F1F1F1F1F1F1F1F), np.uint64(0x0505050505050505)
_FROM_0, _BEHIND_9 = np.uint64(0x5050505050505050), np.uint64(0x4646464646464646)


@compiled
def _eight(address: int, last: int) -> np.uint64:
    """The eight bytes at an address as one number, the first in its lowest bits; zeros from ``last`` on."""
    if address + 8 <= last:
        found: np.uint64 = word_at(address)
        return found
    found = np.uint64(0)
    for i in range(last - address):
        found |= np.uint64(byte_at(address + i)) << np.uint64(8 * i)
    return found


@compiled
def _letters(eight: np.uint64) -> np.uint64:
    """The highest bit of each of eight bytes that is a letter of ASCII."""
    small = eight & _LOW | _SMALL
    return (small + _FROM_A) & ~(small + _BEHIND_Z) & ~eight & _HIGH


@compiled
def _figures(eight: np.uint64) -> np.uint64:
    """The highest bit of each of eight bytes that is a digit of ASCII."""
    low = eight & _LOW
    return (low + _FROM_0) & ~(low + _BEHIND_9) & ~eight & _HIGH


@compiled
def _lowest(bytes_: int) -> np.uint64:
    """All bits of up to eight of the lowest bytes."""
    return _ALL if bytes_ >= 8 else (np.uint64(1) << np.uint64(8 * bytes_)) - np.uint64(1)


@compiled
def _word_hash(begin: int, end: int, last: int, seed: np.uint64) -> np.uint64:
    """Of the bytes between two addresses, capitals of ASCII as small letters; still to be mixed."""
    code = seed
    for at in range(begin, end, 8):
        eight = _eight(at, last)
        code = taken_up(code, (eight | _letters(eight) >> _S2) & _lowest(end - at))
    return code


@compiled
def _point(data: U8, place: int) -> tuple[np.int64, int]:
    """The code point that begins at a place in UTF-8, and its bytes."""
    byte = np.int64(data[place])
    if byte < 0x80:
        return byte, 1
    width = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
    point = byte & (0x7F >> width)
    for i in range(1, width):
        point = point << 6 | (np.int64(data[place + i]) & 0x3F)
    return point, width


@compiled
def survey(data: U8, offsets: I64) -> int:
    """What any of n texts in UTF-8 may hold: WIDE | PERCENT | CONTAINER, the last rather too often."""
    wide, percent = np.uint8(0), np.uint8(0)
    for i in range(data.size):
        wide |= data[i]
        percent |= np.uint8(data[i] == 0x25)
    seen = (WIDE if wide & 0x80 else 0) | (PERCENT if percent else 0)
    for text in range(offsets.size - 1):
        place, end = offsets[text], offsets[text + 1]
        while place < end and (data[place] == 0x20 or 0x09 <= data[place] <= 0x0D):
            place += 1
        if place < end:
            byte = data[place]
            # [ { " < or the first byte of a blank that is not ASCII.
            if byte in (0x5B, 0x7B, 0x22, 0x3C, 0xC2, 0xE1, 0xE2, 0xE3):
                return seen | CONTAINER
    return seen


@compiled
def split(
    data: U8, offsets: I64, classes: U8, seed: np.uint64,
    hashes: U64, lengths: I32, figures: U8, begins: Ints, ends: Ints, starts: I64, rows: I64, digits: I64,
) -> tuple[int, int]:  # fmt: skip
    """The words of n texts in UTF-8. classes: by code point, for texts that are not all ASCII.

    By word, room for all: hashes, lengths in characters, figures (1 for nothing but numbers), begins and ends
    in ``data``. By text that has any: starts among the words, with the end of the last, which text, digits.
    Returns how many (words, texts with words) there are.

    Words of ASCII are taken eight bytes at a time, others by character. Either way the hash is of the bytes,
    with small letters of ASCII for capitals.
    """
    base = data.ctypes.data
    last = base + data.size
    words = texts = 0
    starts[0] = 0
    for text in range(len(offsets) - 1):
        number = np.int64(0)
        place, end = offsets[text], offsets[text + 1]
        while place < end:
            eight = _eight(base + place, last)
            letters, numbers = _letters(eight), _figures(eight)
            inside = letters | numbers
            begin = place
            if inside & _FIRST:
                code, any_letter, own = seed, np.uint64(0), np.int64(0)
                while True:
                    size = min(low_zeros(~inside & _HIGH) >> 3, end - place)
                    lowest = _lowest(size)
                    code = taken_up(code, (eight | letters >> _S2) & lowest)
                    any_letter |= letters & lowest
                    own += set_bits(numbers & lowest)
                    place += size
                    if size < 8 or place >= end:
                        break
                    eight = _eight(base + place, last)
                    letters, numbers = _letters(eight), _figures(eight)
                    inside = letters | numbers
                    if not inside & _FIRST:
                        break
                if place >= end or data[place] < 0x80:
                    hashes[words], lengths[words] = mixed(code), place - begin
                    figures[words] = any_letter == np.uint64(0)
                    begins[words], ends[words] = begin, place
                    words += 1
                    number += own
                    # What ends a word is no part of the next.
                    place += 1
                    continue
                place = begin
            elif not eight & _FIRST:
                place += low_zeros(inside | eight & _HIGH) >> 3
                continue
            length, only_numbers = 0, True
            while place < end:
                point, width = _point(data, place)
                kind = classes[point]
                if kind == OTHER:
                    break
                only_numbers &= kind != LETTER
                number += kind == DIGIT
                length += 1
                place += width
            if length:
                hashes[words] = mixed(_word_hash(base + begin, base + place, last, seed))
                lengths[words], figures[words] = length, only_numbers
                begins[words], ends[words] = begin, place
                words += 1
            else:
                place += width
        # What is of no text with words is written over by what comes next.
        rows[texts], digits[texts], starts[texts + 1] = text, number, words
        texts += words > starts[texts]
    return words, texts


@compiled
def _run_digest(total: np.uint64, words: int, salt: np.uint64) -> np.uint64:
    """The digest of so many words, from the sum of their hashes."""
    return mixed(total + np.uint64(words) * _GOLDEN + salt)


@compiled
def whole(
    hashes: U64, lengths: I32, starts: I64, factor: np.uint64, salt: np.uint64, digests: U64, characters: I64
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
def figure_runs(figures: U8, lengths: I32, starts: I64, size: int, firsts: I64, characters: I64) -> int:
    """Every ``size`` words in a row that are nothing but figures, of texts that are longer.

    First words and characters: room for as many as there are words. Returns how many.
    """
    found = 0
    for text in range(len(starts) - 1):
        begin, end = starts[text], starts[text + 1]
        if end - begin <= size:
            continue
        row, length = 0, np.int64(0)
        for word in range(begin, end):
            if figures[word] == 0:
                row, length = 0, np.int64(0)
                continue
            row += 1
            length += lengths[word]
            if row > size:
                length -= lengths[word - size]
            if row >= size:
                firsts[found], characters[found] = word - size + 1, length
                found += 1
    return found


@compiled
def fill(numbers: U64, bits: U8, mask: np.uint64) -> None:
    """Put numbers into a set of bits. mask: of the bits that tell the place."""
    for number in numbers:
        at = number & mask
        bits[at >> np.uint64(3)] |= np.uint8(np.uint64(1) << (at & np.uint64(7)))


@compiled
def find_places(packed: U64, top: np.uint64, places: I64) -> None:
    """Where in sorted numbers those begin whose highest bits are at least 0, 1, 2... top: shift to these."""
    at = 0
    for part in range(places.size):
        while at < packed.size and packed[at] >> top < np.uint64(part):
            at += 1
        places[part] = at


@compiled
def _bit(bits: U8, at: np.uint64) -> bool:
    return bool(bits[at >> np.uint64(3)] & np.uint8(np.uint64(1) << (at & np.uint64(7))))


@compiled
def _is_held(
    digest: np.uint64, mark: np.uint64, fewer: np.uint64, count: np.uint64,
    places: I64, top: np.uint64, packed: U64, shift: np.uint64,
) -> bool:  # fmt: skip
    wanted = digest >> shift
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
    # Looks into memory that do not wait for one another run side by side.
    some = np.empty(_BLOCK, np.int64)
    for begin in range(0, digests.size, _BLOCK):
        left = 0
        for i in range(begin, min(begin + _BLOCK, digests.size)):
            found[i] = False
            some[left] = i
            left += _bit(bitmap, digests[i] >> shift & mask)
        for at in range(left):
            i = some[at]
            found[i] = _is_held(digests[i], mark, fewer, count, places, top, packed, shift)


@compiled
def count_runs(lengths: I32, starts: I64, sizes: npt.NDArray[np.bool_], counts: I64) -> None:
    """Add up how many runs there are by (words, characters); see ``_lookup.Lookup.runs``."""
    longest = np.int64(counts.shape[1] - 1)
    for text in range(starts.size - 1):
        begin, end = starts[text], starts[text + 1]
        for size in range(1, min(sizes.size, end - begin)):
            if not sizes[size]:
                continue
            length = np.int64(0)
            for word in range(begin, begin + size):
                length += lengths[word]
            counts[size, min(length, longest)] += 1
            for word in range(begin + size, end):
                length += np.int64(lengths[word]) - np.int64(lengths[word - size])
                counts[size, min(length, longest)] += 1


@compiled
def find_first(hashes: U64, first: U8, mask: np.uint64, found: I64) -> int:
    """Which words are in the set ``first``; room for one more than there are words. Returns how many."""
    count = 0
    for word in range(hashes.size):
        found[count] = word
        # No branch, so that looks into memory do not wait for one another.
        count += _bit(first, hashes[word] & mask)
    return count


@compiled
def find_beginnings(
    some: I64, hashes: U64, starts: I64, most: int, beginnings: U8, mask: np.uint64, factor: np.uint64,
    firsts: I64, texts: I64, fewest: I64,
) -> int:  # fmt: skip
    """At which of the words ``some``, in ascending order, runs may be held that are no whole text.

    most: words of the longest. By beginning, room for twice as many as ``some``, and one more: first word,
    text, and 1 for the word alone, 2 for more. Returns how many.
    """
    found, text = 0, 0
    for first in some:
        while starts[text + 1] <= first:
            text += 1
        left, words = starts[text + 1] - first, starts[text + 1] - starts[text]
        firsts[found], texts[found], fewest[found] = first, text, 1
        found += (words > 1) & _bit(beginnings, hashes[first] & mask)
        if left > 1:
            pair = hashes[first] + hashes[first + 1] * factor
            firsts[found], texts[found], fewest[found] = first, text, 2
            found += (words > 2) & (most > 1) & _bit(beginnings, pair & mask)
    return found


@compiled
def find_runs(
    begin: I64, within: I64, fewest: I64,
    hashes: U64, lengths: I32, starts: I64, sizes: npt.NDArray[np.bool_], factor: np.uint64, salt: np.uint64,
    bitmap: U8, mask: np.uint64, shift: np.uint64,
    digests: U64, firsts: I64, texts: I64, words: I64, characters: I64,
) -> int:  # fmt: skip
    """Which runs may be held. begin, within, fewest: as of ``find_beginnings``.

    sizes: by number of words, whether to look. By run, room for all, and one more: digest, first word, text,
    words, characters. Returns how many.
    """
    found = 0
    for i in range(begin.size):
        first, text = begin[i], within[i]
        total, power = hashes[first], factor
        length = np.int64(lengths[first])
        end = starts[text + 1]
        most = min(sizes.size - 1, end - starts[text] - 1, end - first if fewest[i] > 1 else 1)
        for size in range(1, most + 1):
            if size > 1:
                total += hashes[first + size - 1] * power
                power *= factor
                length += lengths[first + size - 1]
            if size >= fewest[i] and sizes[size]:
                digest = _run_digest(total, size, salt)
                digests[found], firsts[found], texts[found] = digest, first, text
                words[found], characters[found] = size, length
                found += _bit(bitmap, digest >> shift & mask)
    return found
