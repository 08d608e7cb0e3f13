"""Compiled loops over text: find words, take them apart into characters, write characters over them.

Words are looked up in an open-addressing table (``remembered``), so that only new ones are enciphered. Text
is changed in place, byte by byte: a masked character takes as many bytes as it did. Numbers that must wrap
around are unsigned; places are signed.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from parity_data.compiled import compiled
from parity_data.hashes import mixed

U8 = npt.NDArray[np.uint8]
U16 = npt.NDArray[np.uint16]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
Int = int | np.int64

#: FNV-1a: Fowler, Noll, Vo.
_PRIME = np.uint64(0x100000001B3)
_S24, _S40 = np.uint64(24), np.uint64(40)
_ZERO, _ONE = np.uint64(0), np.uint64(1)

#: A slot of the table: 24 bits of the hash, 16 of the length in bytes, 24 of the place in the store. Words
#: that are longer or lie farther are not found again.
_PLACE = np.uint64((1 << 24) - 1)
_FARTHEST, _LONG = 1 << 24, 1 << 16

#: Alphabet of characters that stay inside a token (``alphabet.MARK``).
_MARK = 1


@compiled
def _width(first: Int) -> Int:
    """Bytes of a character, by its first byte."""
    if first < 0x80:
        return 1
    if first < 0xE0:
        return 2
    return 3 if first < 0xF0 else 4


@compiled
def _point(data: U8, place: Int, width: Int) -> Int:
    """The code point of ``width`` bytes."""
    if width == 1:
        return np.int64(data[place])
    value = np.int64(data[place]) & (0x7F >> width)
    for i in range(1, width):
        value = value << 6 | (np.int64(data[place + i]) & 0x3F)
    return value


@compiled
def _write(data: U8, place: Int, width: Int, point: Int) -> None:
    """The opposite of ``_point``."""
    if width == 1:
        data[place] = point
        return
    for i in range(width - 1, 0, -1):
        data[place + i] = 0x80 | (point & 0x3F)
        point >>= 6
    data[place] = (0xF00 >> width & 0xFF) | point


@compiled
def _put(out: U8, place: Int, end: Int, words: U8, at: Int, fold: U32, upper: U32) -> None:
    """Write small letters over a piece of text, in the case of what stood there."""
    while place < end:
        first = np.int64(out[place])
        if first < 0x80:
            letter = np.int64(words[at])
            out[place] = letter if fold[first] == first else upper[letter]
            place += 1
            at += 1
            continue
        width = _width(first)
        point = _point(out, place, width)
        if fold[point] == point:
            for i in range(width):
                out[place + i] = words[at + i]
        else:
            _write(out, place, width, np.int64(upper[_point(words, at, width)]))
        place += width
        at += width


@compiled
def _letters(out: U8, place: Int, end: Int, kind: U8, of: U16) -> Int:
    """Letters, marks aside, in the run that begins here."""
    count = 0
    while place < end:
        width = _width(np.int64(out[place]))
        point = _point(out, place, width)
        if kind[point] != 1:
            break
        if of[point] != _MARK:
            count += 1
        place += width
    return count


@compiled
def _split(
    out: U8, place: Int, end: Int, cuts: I64, kind: U8, fold: U32, of: U16, seed: np.uint64,
    folded: U8, codes: U64, words: I64, count: Int, used: Int,
) -> tuple[Int, Int]:  # fmt: skip
    """The words of one text, in small letters, after ``count`` others of ``used`` bytes.

    codes: hashes. words: (., 4), begin and end in ``folded``, begin and end in the text. Returns the two
    numbers as they are then.
    """
    # Letters of the run so far, and in all of it, for cuts.
    order: Int = np.int64(0)
    after: Int = np.int64(0)
    total: Int = np.int64(0)
    while place < end:
        first = np.int64(out[place])
        width = 1 if first < 0x80 else _width(first)
        point = first if width == 1 else _point(out, place, width)
        this = kind[point]
        if this == 0:
            place += width
            after = 0
            continue
        words[count, 0], words[count, 2] = used, place
        run, code = this, seed
        while this == run:
            if len(cuts) and this == 1:
                if after != 1:
                    order, total = np.int64(0), _letters(out, place, end, kind, of)
                if of[point] != _MARK:
                    cut: Int = np.int64(0)
                    for c in cuts:
                        cut += order > 0 and order == (c if c > 0 else total + c)
                    if cut and place > words[count, 2]:
                        break
                    order += 1
            after = this
            small = np.int64(fold[point])
            if width == 1:
                folded[used] = small
                code = (code ^ np.uint64(small)) * _PRIME
            else:
                _write(folded, used, width, small)
                for i in range(width):
                    code = (code ^ np.uint64(folded[used + i])) * _PRIME
            used += width
            place += width
            if place == end:
                break
            first = np.int64(out[place])
            width = 1 if first < 0x80 else _width(first)
            point = first if width == 1 else _point(out, place, width)
            this = kind[point]
        words[count, 1], words[count, 3] = used, place
        codes[count] = mixed(code)
        count += 1
    return count, used


@compiled
def take(
    out: U8, offsets: I64, row: Int, kept: I64, kind: U8, fold: U32, of: U16, index: U16,
    points: U32, alphabet: U32, member: U32, places: I64, ends: I64,
) -> tuple[Int, Int]:  # fmt: skip
    """The letters and digits of some texts, each text's as one word.

    out: bytes of the texts, at ``offsets`` (n + 1). row: the text to begin with, which must have room.
    kept: as in ``TokenCipher.whole``, may be empty. Gets by character, with room for one more than texts have
    bytes: points (code points of small letters), alphabet, member (place in the alphabet) and places (in
    ``out``); by text: ends of its characters, after a first 0. Returns (texts, marks).
    """
    # Places that are unsigned are not looked at whether they are negative.
    marks, texts = 0, 0
    count = _ZERO
    ends[0] = 0
    for text in range(row, len(offsets) - 1):
        if offsets[text + 1] - offsets[row] >= len(points) or texts + 1 == len(ends):
            break
        skip = kept[text] if len(kept) else np.int64(0)
        after = np.uint8(0)
        place, end = np.uint64(offsets[text]), np.uint64(offsets[text + 1])
        while place < end:
            byte = out[place]
            if byte < 0x80:
                this = kind[byte]
                if skip > 0 and this != 0:
                    skip -= 1
                    this = np.uint8(0)
                after = this
                # What stays is written over by what comes next: no branch to be mispredicted.
                points[count], places[count] = fold[byte], place
                alphabet[count], member[count] = of[byte], index[byte]
                count += np.uint64(this != 0)
                place += _ONE
                continue
            width = _width(np.int64(byte))
            point = _point(out, np.int64(place), width)
            this = kind[point]
            if after == 0 and this == 1 and of[point] == _MARK:
                # A mark on what stays belongs to no letter of the token.
                this = np.uint8(0)
            if this != 0 and skip > 0:
                skip -= 1
                this = np.uint8(0)
            after = this
            if this != 0:
                points[count], places[count] = fold[point], place
                alphabet[count], member[count] = of[point], index[point]
                marks += of[point] == _MARK
                count += _ONE
            place += np.uint64(width)
        texts += 1
        ends[texts] = np.int64(count)
    return texts, marks


@compiled
def breaks(data: U8, offsets: I64, kind: U8, size: Int, found: I64) -> Int:
    """Places within long texts where no word is, at least ``size`` bytes apart, together with all offsets.

    found: room for them. Returns how many there are.
    """
    count = 0
    for text in range(len(offsets) - 1):
        place, end = offsets[text], offsets[text + 1]
        found[count] = place
        count += 1
        while end - place > size:
            place += size
            while place < end and data[place] & 0xC0 == 0x80:
                place += 1
            while place < end:
                width = _width(np.int64(data[place]))
                if kind[_point(data, place, width)] == 0:
                    found[count] = place
                    count += 1
                    break
                place += width
    found[count] = offsets[-1]
    return count + 1


@compiled
def after_last(data: U8, offsets: I64, byte: Int, found: I64) -> None:
    """Where each of n texts goes on after the last ``byte`` in it, its end where it has none."""
    for text in range(len(offsets) - 1):
        place = offsets[text + 1]
        while place > offsets[text] and data[place - 1] != byte:
            place -= 1
        found[text] = place if place > offsets[text] else offsets[text + 1]


@compiled
def copy(data: U8, begins: I64, ends: I64, out: U8, offsets: I64) -> None:
    """Pieces of bytes one after another; offsets: n + 1, of which the first is 0."""
    free = 0
    for piece in range(len(begins)):
        for place in range(begins[piece], ends[piece]):
            out[free] = data[place]
            free += 1
        offsets[piece + 1] = free


@compiled
def _same(store: U8, place: Int, folded: U8, begin: Int, length: Int) -> bool:
    i = 0
    while i < length and store[place + i] == folded[begin + i]:
        i += 1
    return i == length


@compiled
def find(
    out: U8, offsets: I64, row: Int, cuts: I64, kind: U8, fold: U32, upper: U32, of: U16, seed: np.uint64,
    slots: U64, hashes: U64, bounds: I64, store: U8, known: Int,
    folded: U8, codes: U64, held: U64, words: I64, waiting: I64,
) -> tuple[Int, Int, Int]:  # fmt: skip
    """Mask the words of n texts in place where they are known, and take up those that are not.

    out: bytes of the texts, at ``offsets`` (n + 1). row: the text to begin with. cuts: as in ``TokenCipher``,
    may be empty. slots, hashes, bounds, store: the memory, of which the first ``known`` words have been
    enciphered. folded, codes, held, words: scratch. waiting: (capacity, 3), gets (begin, end, place in store)
    of every piece that waits for a new word. Returns (row where it stopped because something was full, words
    in memory, pieces that wait).

    Texts are taken some at a time, and first all places in memory that they need are looked at: what is not
    in the processor's cache is then fetched for many words at once.
    """
    number, waits = known, 0
    ready, free = bounds[known], bounds[known]
    top = np.uint64(len(slots) - 1)
    while row < len(offsets) - 1:
        last = row + 1
        while last < len(offsets) - 1 and offsets[last + 1] - offsets[row] <= len(folded):
            last += 1
        size = offsets[last] - offsets[row]
        full = size > len(folded) or number + size > len(hashes) or free + 2 * size > len(store)
        if full or waits + size > len(waiting):
            break
        # Typed, so that _split is not compiled for constants as well.
        count: Int = np.int64(0)
        used: Int = np.int64(0)
        for text in range(row, last):
            count, used = _split(
                out, offsets[text], offsets[text + 1], cuts, kind, fold, of, seed,
                folded, codes, words, count, used,
            )  # fmt: skip
        row = last
        for word in range(count):
            held[word] = slots[codes[word] & top]
        for word in range(count):
            held[word] = np.uint64(store[np.int64(held[word] & _PLACE)])
        for word in range(count):
            begin, length = words[word, 0], words[word, 1] - words[word, 0]
            code = codes[word]
            short = length < _LONG
            entry = code >> _S40 << _S40 | np.uint64(length) << _S24
            slot = code & top
            place: Int = -1
            while short and slots[slot] != _ZERO:
                if slots[slot] & ~_PLACE == entry:
                    there = np.int64(slots[slot] & _PLACE)
                    if _same(store, there, folded, begin, length):
                        place = there
                        break
                slot = (slot + _ONE) & top
            if place < 0:
                place = free
                for i in range(length):
                    store[place + i] = folded[begin + i]
                if short and place < _FARTHEST:
                    slots[slot] = entry | np.uint64(place)
                hashes[number] = code
                number += 1
                free += 2 * length
                bounds[number] = free
            if place < ready:
                _put(out, words[word, 2], words[word, 3], store, place + length, fold, upper)
            else:
                waiting[waits, 0], waiting[waits, 1] = words[word, 2], words[word, 3]
                waiting[waits, 2] = place + length
                waits += 1
    return row, number, waits


@compiled
def put(out: U8, waiting: I64, store: U8, fold: U32, upper: U32) -> None:
    """Write enciphered words where pieces wait for them."""
    for part in range(len(waiting)):
        _put(out, waiting[part, 0], waiting[part, 1], store, waiting[part, 2], fold, upper)


@compiled
def put_in_place(
    out: U8, places: I64, points: U32, alphabet: U32, member: U32, start: I64, members: U32,
    fold: U32, upper: U32,
) -> None:  # fmt: skip
    """Write characters over those that ``take`` found, in the case of what stood there."""
    for i in range(len(places)):
        if alphabet[i] <= _MARK:
            continue
        place, letter = places[i], np.int64(members[start[alphabet[i]] + member[i]])
        first = np.int64(out[place])
        if first < 0x80:
            out[place] = letter if fold[first] == first else upper[letter]
            continue
        width = _width(first)
        _write(
            out, place, width, letter if points[i] == _point(out, place, width) else np.int64(upper[letter])
        )


@compiled
def fill(slots: U64, hashes: U64, bounds: I64, count: Int) -> None:
    """Enter ``count`` words into an empty table."""
    top = np.uint64(len(slots) - 1)
    for number in range(count):
        place, length = bounds[number], (bounds[number + 1] - bounds[number]) // 2
        if length < _LONG and place < _FARTHEST:
            slot = hashes[number] & top
            while slots[slot] != _ZERO:
                slot = (slot + _ONE) & top
            slots[slot] = hashes[number] >> _S40 << _S40 | np.uint64(length) << _S24 | np.uint64(place)


@compiled
def unpack(
    words: U8, bounds: I64, of: U16, index: U16, points: U32, alphabet: U32, member: U32, ends: I64
) -> Int:
    """Code points, alphabets and places in them of n words; ends: (n + 1). Returns how many are marks.

    words: each word, and as many bytes for what it becomes; bounds: bytes of both, (n + 1).
    """
    count, marks = 0, 0
    ends[0] = 0
    for word in range(len(bounds) - 1):
        place = bounds[word]
        last = (bounds[word] + bounds[word + 1]) // 2
        while place < last:
            width = _width(np.int64(words[place]))
            point = _point(words, place, width)
            points[count], alphabet[count], member[count] = point, of[point], index[point]
            marks += of[point] == _MARK
            count += 1
            place += width
        ends[word + 1] = count
    return marks


@compiled
def spell(
    words: U8, bounds: I64, points: U32, alphabet: U32, member: U32, ends: I64, start: I64, members: U32
) -> None:
    """Write n words behind those that they were. bounds, ends: as in ``unpack``."""
    for word in range(len(ends) - 1):
        place = (bounds[word] + bounds[word + 1]) // 2
        for i in range(ends[word], ends[word + 1]):
            point = np.int64(points[i])
            if alphabet[i] > _MARK:
                point = np.int64(members[start[alphabet[i]] + member[i]])
            width = 1 if point < 0x80 else 2 if point < 0x800 else 3 if point < 0x10000 else 4
            _write(words, place, width, point)
            place += width
