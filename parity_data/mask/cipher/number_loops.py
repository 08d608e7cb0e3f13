"""Compiled loops over numbers: words as numbers of their shape, cut into chunks, and the steps of ciphers.

A word is here a run of alphabets and of places in them. Numbers that must wrap around are unsigned; places
are signed.
"""

from __future__ import annotations

import sys

import numpy as np

from parity_data.compiled import compiled, upper_half
from parity_data.hashes import MIX_1, MIX_2, mixed
from parity_data.mask.cipher.word_loops import I64, U32, U64, Int

_LITTLE = sys.byteorder == "little"

_S29, _S32 = np.uint64(29), np.uint64(32)
_ZERO, _ONE = np.uint64(0), np.uint64(1)

#: Alphabet of characters that stay inside a token (``alphabet.MARK``).
_MARK = 1
#: Chunks of long words, in bits times 2**20. Words of small alphabets, of at most 6 bits a letter, go into
#: chunks of like size, of more than 33 - 6 and at most 66 + 6 bits. Others have chunks of 24 bits and up to
#: 16 more, the last with what would be less than 24: fewer than 64. Each domain is large enough for FF1.
_WIDE, _MOST, _LEAST = 6 << 20, 66 << 20, 24 << 20

#: Alphabets larger than this hold no letter that composes with a mark.
_COMPOSING = 500


@compiled
def restrict(
    points: U32, alphabet: U32, member: U32, ends: I64, size: I64, keys: U64, found: U32, missing: I64
) -> Int:
    """Replace alphabets of letters before marks, as far as ``keys`` and ``found`` know them.

    keys: open-addressing table of (letter, mark, mark or 0), 21 bits each; found: (length of keys, 2), the
    alphabet and the place in it. missing: gets the places of letters that nothing is known of. Returns how
    many.
    """
    lacking = 0
    top = np.uint64(len(keys) - 1)
    for word in range(len(ends) - 1):
        last = ends[word + 1]
        for place in range(ends[word], last - 1):
            if (
                alphabet[place + 1] != _MARK
                or alphabet[place] <= _MARK
                or size[alphabet[place]] >= _COMPOSING
            ):
                continue
            key = np.uint64(points[place]) << np.uint64(42) | np.uint64(points[place + 1]) << np.uint64(21)
            marks = 1
            if place + 2 < last and alphabet[place + 2] == _MARK:
                key |= np.uint64(points[place + 2])
                marks = 2
            if marks == 2 and place + 3 < last and alphabet[place + 3] == _MARK:
                missing[lacking] = place
                lacking += 1
                continue
            slot = mixed(key) & top
            while keys[slot] != _ZERO and keys[slot] != key:
                slot = (slot + _ONE) & top
            if keys[slot] == _ZERO:
                missing[lacking] = place
                lacking += 1
            else:
                alphabet[place], member[place] = found[slot, 0], found[slot, 1]
    return lacking


@compiled
def learn(keys: U64, found: U32, key: np.uint64, alphabet: Int, member: Int) -> None:
    """Enter one letter before marks into the table of ``restrict``."""
    top = np.uint64(len(keys) - 1)
    slot = mixed(key) & top
    while keys[slot] != _ZERO and keys[slot] != key:
        slot = (slot + _ONE) & top
    keys[slot] = key
    found[slot, 0], found[slot, 1] = alphabet, member


@compiled
def _swapped(x: np.uint64) -> np.uint64:
    """Big-endian to and from the machine's order."""
    if not _LITTLE:
        return x
    out = np.uint64(0)
    for i in range(8):
        out |= (x >> np.uint64(8 * i) & np.uint64(0xFF)) << np.uint64(56 - 8 * i)
    return out


@compiled
def measure(
    alphabet: U32, member: U32, ends: I64, size: I64, name: U64, bits: I64, seeds: U64, small: Int,
    domain: I64, number: U64, shape: U64, chunks: I64,
) -> Int:  # fmt: skip
    """Domain, number, shape and chunks of n words.

    size, name, bits: by alphabet; bits in units of 2**-20. domain: how many words share the shape, 0 for
    ``small`` and more; below it, number: the word's number among them. shape: (n, 2), a digest of 128 bits of
    the alphabets in their order. chunks: (n, 2), of large shapes: how many of like size the word goes into, 0
    where its alphabets are large; its bits. Returns how many chunks of large words there are at most, their
    first ones aside.
    """
    rest: Int = np.int64(0)
    for word in range(len(ends) - 1):
        one, two = seeds[0], seeds[1]
        members: Int = np.int64(1)
        value = np.uint64(0)
        total, widest = np.int64(0), np.int64(0)
        for place in range(np.uint64(ends[word]), np.uint64(ends[word + 1])):
            of = alphabet[place]
            one = (one ^ name[of]) * MIX_1
            one ^= one >> _S29
            two = (two + name[of]) * MIX_2
            two ^= two >> _S32
            total += bits[of]
            widest = max(widest, bits[of])
            if members:
                members *= size[of]
                value = value * np.uint64(size[of]) + np.uint64(member[place])
                if members >= small:
                    members = 0
        domain[word], number[word] = members, value
        shape[word, 0], shape[word, 1] = mixed(one), mixed(two)
        if members == 0:
            count = 0 if widest > _WIDE else (total - 1) // _MOST + 1
            chunks[word, 0], chunks[word, 1] = count, total
            rest += (count if count else total // _LEAST + 1) - 1
    return rest


@compiled
def _left_half(
    alphabet: U32, member: U32, size: I64, bits: I64, begin: Int, end: Int, have: Int
) -> tuple[Int, np.uint64, np.uint64]:
    """(middle, number, how many there are) of the left half of a chunk of ``have`` bits.

    The halves are as equal as they come, the left one no larger where both ways are as good.
    """
    first, last = np.uint64(begin), np.uint64(end - 1)
    # Twice the bits on the left, less all: what the halves differ by.
    value, members, middle, differ = _ZERO, _ONE, begin + 1, -have
    for place in range(first, last):
        of = alphabet[place]
        more = 2 * bits[of]
        if differ + more >= -differ and place > first:
            break
        radix = np.uint64(size[of])
        value, members = value * radix + np.uint64(member[place]), members * radix
        differ += more
        # What has one member alone goes to the right.
        middle = np.int64(place) + 1 if more else middle
        if differ >= 0:
            break
    return middle, value, members


@compiled
def _value(alphabet: U32, member: U32, size: I64, begin: Int, end: Int) -> tuple[np.uint64, np.uint64]:
    """(number, how many there are) of a part of a word."""
    value, members = _ZERO, _ONE
    for place in range(np.uint64(begin), np.uint64(end)):
        radix = np.uint64(size[alphabet[place]])
        value, members = value * radix + np.uint64(member[place]), members * radix
    return value, members


@compiled
def _radix(alphabet: U32, size: I64, begin: Int, end: Int) -> Int:
    """The radix of a chunk, 0 for a mixed one."""
    radix: Int = size[alphabet[begin]]
    for place in range(np.uint64(begin), np.uint64(end)):
        if size[alphabet[place]] != radix:
            return np.int64(0)
    return radix


@compiled
def cut(
    alphabet: U32, member: U32, ends: I64, large: I64, size: I64, bits: I64, shape: U64, chunks: I64,
    where: I64, halves: U64, heads: U64, tweaks: U64,
) -> Int:  # fmt: skip
    """Chunks of the m words ``large``: the first of each in its order, then all others. Returns how many.

    bits, shape, chunks: as in ``measure``. where: (., 5): number in the word, first chunk of the word, begin,
    middle, end. halves: (4, .): a, b, u, v of FF1. heads, tweaks: (., 2), FF1's block P and the shape, in
    bytes as they go into AES.
    """
    free: Int = np.int64(len(large))
    for leader in range(len(large)):
        word = large[leader]
        begin: Int = ends[word]
        end, count, total = ends[word + 1], chunks[word, 0], chunks[word, 1]
        number, done = np.int64(0), np.int64(0)
        while begin < end:
            chunk: Int = np.int64(leader) if number == 0 else free
            free += number > 0
            last, after = end, total
            if number + 1 != count:
                goal = total * (number + 1) // count if count else done + _LEAST
                next_, after = np.uint64(begin), done
                while next_ < np.uint64(end) and after < goal:
                    after += bits[alphabet[next_]]
                    next_ += _ONE
                last = np.int64(next_)
                if count == 0 and total - after < _LEAST:
                    last, after = end, total
            middle, left, lefts = _left_half(alphabet, member, size, bits, begin, last, after - done)
            where[chunk, 0], where[chunk, 1] = number, leader
            where[chunk, 2], where[chunk, 3], where[chunk, 4] = begin, middle, last
            halves[0, chunk], halves[2, chunk] = left, lefts
            halves[1, chunk], halves[3, chunk] = _value(alphabet, member, size, middle, last)
            fixed = np.int64(0x0102010000000A00) | (middle - begin) & 0xFF
            fixed |= _radix(alphabet, size, begin, last) << 16
            heads[chunk, 0] = _swapped(np.uint64(fixed))
            heads[chunk, 1] = _swapped(np.uint64((last - begin) << 32 | 16))
            tweaks[chunk, 0], tweaks[chunk, 1] = _swapped(shape[word, 0]), _swapped(shape[word, 1])
            begin, done = last, after
            number += 1
    return free


@compiled
def blocks_of(where: I64, halves: U64, first: Int, led: bool, blocks: U64) -> None:
    """A block for AES of each chunk from ``first`` on: its place in its word, its number or its leader's."""
    for i in range(len(blocks)):
        of = where[first + i, 1] if led else first + i
        # The number has up to 80 bits.
        low = halves[0, of] * halves[3, of] + halves[1, of]
        high = upper_half(halves[0, of], halves[3, of]) + np.uint64(low < halves[1, of])
        blocks[i, 0] = _swapped(np.uint64(where[first + i, 0] + (np.int64(1) << 40)) | high << np.uint64(48))
        blocks[i, 1] = _swapped(low)


@compiled
def fold_rest(blocks: U64, where: I64, first: Int, tweaks: U64) -> None:
    """Exclusive or of the enciphered chunks of each word from ``first`` on, for the tweak of its leader."""
    for i in range(len(blocks)):
        leader = where[first + i, 1]
        tweaks[leader, 0] ^= blocks[i, 0]
        tweaks[leader, 1] ^= blocks[i, 1]


@compiled
def step_small(table: U32, number: U64, chosen: I64, times: I64) -> None:
    """Look the numbers of some words up in their shape's table. times: how often each, empty for once."""
    for word in chosen:
        for _ in range(times[word] if len(times) else 1):
            number[word] = table[np.int64(number[word])]


@compiled
def _spread(
    alphabet: U32, member: U32, size: I64, inverses: U64, begin: Int, end: Int, value: np.uint64
) -> None:
    """The opposite of ``_value``. inverses: as in ``Groups``.

    Division by multiplication: exact, since value times size is below 2**64 (Granlund, Montgomery 1994).
    """
    place, first = np.uint64(end), np.uint64(begin)
    while place > first:
        place -= _ONE
        of = alphabet[place]
        inverse = inverses[of]
        if inverse == _ZERO:
            member[place] = 0
            continue
        left = upper_half(value, inverse)
        member[place] = value - left * np.uint64(size[of])
        value = left


@compiled
def spread_small(
    alphabet: U32, member: U32, ends: I64, size: I64, inverses: U64, domain: I64, number: U64
) -> None:
    """Places in alphabets of words of small shapes, from their numbers."""
    for word in range(len(ends) - 1):
        if domain[word]:
            _spread(alphabet, member, size, inverses, ends[word], ends[word + 1], number[word])


@compiled
def spread_large(alphabet: U32, member: U32, size: I64, inverses: U64, where: I64, halves: U64) -> None:
    """The same for chunks of words of large shapes, from their halves."""
    for chunk in range(len(where)):
        _spread(alphabet, member, size, inverses, where[chunk, 2], where[chunk, 3], halves[0, chunk])
        _spread(alphabet, member, size, inverses, where[chunk, 3], where[chunk, 4], halves[1, chunk])


@compiled
def shifts(u: U64, v: U64, shift: U64) -> None:
    """Where the number of the round goes in FF1's last block: before the half, as wide as the larger one."""
    for i in range(len(u)):
        top = max(u[i], v[i]) - _ONE
        width = _ONE
        for bits in (8, 16, 24, 32):
            width += _ONE if top >> np.uint64(bits) else _ZERO
        shift[i] = width * np.uint64(8)


@compiled
def ask(turn: Int, half: U64, shift: U64, state: U64, blocks: U64) -> None:
    """The last block of a round of FF1, before AES. state: (n, 2); blocks: (n, 2), big-endian."""
    for i in range(len(half)):
        blocks[i, 0] = _swapped(state[i, 0])
        blocks[i, 1] = _swapped(state[i, 1] ^ (half[i] | np.uint64(turn) << shift[i]))


@compiled
def answer(
    answers: U64, half: U64, modulus: U64, subtract: bool, turn: Int, shift: U64, state: U64, blocks: U64
) -> None:
    """Add the first 8 bytes of each enciphered block to the halves, in place, or subtract them; ask again.

    turn: the round that comes next and asks what this one has changed; see ``ask``.
    """
    for i in range(len(half)):
        m = modulus[i]
        y = _swapped(answers[i, 0]) % m
        x = half[i] + (m - y if subtract else y)
        x = x - m if x >= m else x
        half[i] = x
        blocks[i, 0] = _swapped(state[i, 0])
        blocks[i, 1] = _swapped(state[i, 1] ^ (x | np.uint64(turn) << shift[i]))


@compiled
def shuffle(order: U64, table: U32, last: Int) -> None:
    """Steps of Sattolo's algorithm (1986), one by random number: for the places ``last``, last - 1 and on."""
    for i in range(len(order)):
        place = last - i
        # The upper 44 bits, times a number of at most 20: the upper part of that is below ``place``.
        other = np.int64((order[i] >> np.uint64(20)) * np.uint64(place) >> np.uint64(44))
        table[place], table[other] = table[other], table[place]
