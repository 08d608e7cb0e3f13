"""Compiled: keyed sums over rows in the form in which COPY takes and gives them.

A row's hash is the one that ``hash_array_extended(ARRAY[record_send(ROW(...))], seed)`` gives in a server, so
that either side can work it out: Jenkins' lookup3 in the 64-bit form that PostgreSQL gives it, over what
``record_send`` makes of the row. (Bob Jenkins, lookup3.c, 2006; src/common/hashfn.c hash_bytes_extended,
src/backend/utils/adt/arrayfuncs.c hash_array_extended, rowtypes.c record_send.)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from parity_data.compiled import compiled, copy_bytes, word_at

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_U32 = np.uint64(0xFFFFFFFF)
_START = np.uint64((0x9E3779B9 + 3923095) & 0xFFFFFFFF)
#: Of ``hash_array_extended``: 1 * 31, before the only element's hash.
_ARRAY = np.uint64(31)
_NULL = np.uint64(0x6E756C6C6E756C6C)
_ONE, _EIGHT = np.uint64(1), np.uint64(8)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31, _S32 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(32)
_QUOTE, _COMMA, _LINE = 0x22, 0x2C, 0x0A


@compiled
def _mixed(x: np.uint64) -> np.uint64:
    """The finaliser of SplitMix64 (Steele, Lea, Flood 2014)."""
    x = (x ^ (x >> _S30)) * _MIX_1
    x = (x ^ (x >> _S27)) * _MIX_2
    return x ^ (x >> _S31)


@compiled
def _rotated(x: np.uint32, by: int) -> np.uint32:
    return np.uint32((np.uint32(x) << np.uint32(by)) | (np.uint32(x) >> np.uint32(32 - by)))


@compiled
def _stirred(a: np.uint32, b: np.uint32, c: np.uint32) -> tuple[np.uint32, np.uint32, np.uint32]:
    a = np.uint32(np.uint32(a - c) ^ _rotated(c, 4))
    c = np.uint32(c + b)
    b = np.uint32(np.uint32(b - a) ^ _rotated(a, 6))
    a = np.uint32(a + c)
    c = np.uint32(np.uint32(c - b) ^ _rotated(b, 8))
    b = np.uint32(b + a)
    a = np.uint32(np.uint32(a - c) ^ _rotated(c, 16))
    c = np.uint32(c + b)
    b = np.uint32(np.uint32(b - a) ^ _rotated(a, 19))
    a = np.uint32(a + c)
    c = np.uint32(np.uint32(c - b) ^ _rotated(b, 4))
    b = np.uint32(b + a)
    return a, b, c


@compiled
def server_hash(data: U8, words: U32, length: int, seed: np.uint64) -> np.uint64:
    """PostgreSQL's 64-bit hash of bytes under a seed: ``hash_bytes_extended``, on little-endian machines.

    data: the bytes, from its beginning; words: the same memory as numbers of 32 bits.
    """
    a = b = c = np.uint32(_START + np.uint64(length))
    if seed != np.uint64(0):
        a = np.uint32(a + np.uint32(seed >> _S32))
        b = np.uint32(b + np.uint32(seed & _U32))
        a, b, c = _stirred(a, b, c)
    blocks = length // 12
    for i in range(0, 3 * blocks, 3):
        a = np.uint32(a + words[i])
        b = np.uint32(b + words[i + 1])
        c = np.uint32(c + words[i + 2])
        a, b, c = _stirred(a, b, c)
    at = 12 * blocks
    left = length - at
    # The lowest byte of c is kept for the length.
    for i in range(left):
        byte = np.uint32(data[at + i])
        if i < 4:
            a = np.uint32(a + (byte << np.uint32(8 * i)))
        elif i < 8:
            b = np.uint32(b + (byte << np.uint32(8 * (i - 4))))
        else:
            c = np.uint32(c + (byte << np.uint32(8 * (i - 7))))
    c = np.uint32(np.uint32(c ^ b) - _rotated(b, 14))
    a = np.uint32(np.uint32(a ^ c) - _rotated(c, 11))
    b = np.uint32(np.uint32(b ^ a) - _rotated(a, 25))
    c = np.uint32(np.uint32(c ^ b) - _rotated(b, 16))
    a = np.uint32(np.uint32(a ^ c) - _rotated(c, 4))
    b = np.uint32(np.uint32(b ^ a) - _rotated(a, 14))
    c = np.uint32(np.uint32(c ^ b) - _rotated(b, 24))
    return np.uint64(b) << _S32 | np.uint64(c)


@compiled
def _field_hash(data: U8, begin: int, end: int, salt: np.uint64) -> np.uint64:
    found = salt ^ (np.uint64(end - begin) * _GOLDEN)
    at = begin
    while end - at >= 8:
        found = (found ^ word_at(data, at)) * _MIX_1
        found ^= found >> _S31
        at += 8
    word = np.uint64(0)
    while at < end:
        word = word << _EIGHT | np.uint64(data[at])
        at += 1
    return _mixed(found ^ word)


@compiled
def _take_up(hashes: U64, factors: U64, in_key: Flags, keyed: bool, values: U64, bound: U64) -> None:
    """Add one row's field hashes to the sums by column."""
    key = _ONE
    if keyed:
        key = np.uint64(0)
        for i in range(hashes.size):
            if in_key[i]:
                key += hashes[i] * factors[i]
        key = _mixed(key) | _ONE
    for i in range(hashes.size):
        values[i] += hashes[i]
        bound[i] += hashes[i] if in_key[i] else hashes[i] * key


@compiled
def _number(data: U8, at: int) -> int:
    """A signed big-endian number of four bytes."""
    found = np.int64(data[at]) << 24 | np.int64(data[at + 1]) << 16
    found |= np.int64(data[at + 2]) << 8 | np.int64(data[at + 3])
    return int(found - (np.int64(1) << 32) if found >> 31 else found)


@compiled
def sum_binary(
    data: U8, at: int, oids: U8, seed: np.uint64, room: U8,
    salts: U64, factors: U64, in_key: Flags, keyed: bool, values: U64, bound: U64,
) -> tuple[int, np.uint64]:  # fmt: skip
    """Add up rows in COPY's binary format, from ``at`` to the end or to its trailer.

    oids: of the columns' types, four big-endian bytes each. room: for what record_send makes of a row. By
    column: salts, factors, in_key, and the sums, values and bound. Returns (rows, sum of the rows' hashes).
    """
    columns = salts.size
    hashes = np.empty(columns, np.uint64)
    words = room.view(np.uint32)
    rows, whole = 0, np.uint64(0)
    while at + 2 <= data.size:
        if data[at] == 0xFF and data[at + 1] == 0xFF:
            break
        at += 2
        room[0] = room[1] = np.uint8(0)
        room[2], room[3] = np.uint8(columns >> 8), np.uint8(columns & 0xFF)
        to = 4
        for i in range(columns):
            length = _number(data, at)
            copy_bytes(room, to, oids, 4 * i, 4)
            copy_bytes(room, to + 4, data, at, 4 + max(length, 0))
            to += 8
            at += 4
            if length < 0:
                hashes[i] = _NULL
                continue
            hashes[i] = _field_hash(data, at, at + length, salts[i])
            to += length
            at += length
        whole += _ARRAY + server_hash(room, words, to, seed)
        _take_up(hashes, factors, in_key, keyed, values, bound)
        rows += 1
    return rows, whole


@compiled
def sum_csv(
    data: U8, seed: np.uint64,
    salts: U64, factors: U64, in_key: Flags, keyed: bool, values: U64, bound: U64,
) -> tuple[int, np.uint64]:  # fmt: skip
    """The same for rows in CSV, every value quoted and NULL nothing; what is hashed of a row is its line."""
    columns = salts.size
    hashes = np.empty(columns, np.uint64)
    rows, whole, at = 0, np.uint64(0), 0
    while at < data.size:
        begin = at
        for i in range(columns):
            hashes[i] = _NULL
            if data[at] == _QUOTE:
                first = at + 1
                at = first
                while data[at] != _QUOTE or (at + 1 < data.size and data[at + 1] == _QUOTE):
                    at += 2 if data[at] == _QUOTE else 1
                hashes[i] = _field_hash(data, first, at, salts[i])
                at += 1
            at += 1  # a comma, or the line's end
        if not columns:
            at += 1
        whole += _field_hash(data, begin, at - 1, seed)
        _take_up(hashes, factors, in_key, keyed, values, bound)
        rows += 1
    return rows, whole
