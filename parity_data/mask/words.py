"""Words of many texts at once: where they stand, and numbers that tell them apart.

A word is a run of letters, marks and digits. In scripts written without blanks between words (Han, kana but
for katakana, hangul with its endings, Thai and its neighbours) every character is a word of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from parity_data.mask.cipher.alphabet import MARK, alphabets
from parity_data.mask.cipher.flat import Flat, Ints, code_points, ragged

U64 = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]

NONE, SPACED, ALONE, JOINS = 0, 1, 2, 3

#: Scripts without blanks between words, as ranges of code points.
_UNSPACED = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1100, 0x11FF), (0x1780, 0x17FF), (0x3005, 0x3007),
    (0x3041, 0x309F), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xAC00, 0xD7AF), (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)  # fmt: skip

_FACTOR = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Words:
    """All words of n texts, in order.

    text: which text each is in. start, end: bytes within all texts' bytes. code: number of the distinct word.
    distinct: Series of distinct words as written.
    """

    text: Ints
    start: Ints
    end: Ints
    code: Ints
    distinct: pl.Series


@cache
def classes() -> npt.NDArray[np.uint8]:
    """By code point: no part of a word, part of one, a word of its own, or what joins the word before it."""
    table = alphabets()
    out = np.where(table.kind > 0, SPACED, NONE).astype(np.uint8)
    for first, last in _UNSPACED:
        part = out[first : last + 1]
        part[part == SPACED] = ALONE
    out[table.of == MARK] = JOINS
    return out


def split(flat: Flat) -> Words:
    """The words of n texts."""
    data = flat.data
    if not len(data) or int(data.max()) < 0x80:
        kinds, places = classes()[:128][data], None
        firsts = flat.offsets[:-1]
    else:
        kinds = classes()[code_points(data)]
        places = np.append(np.flatnonzero((data & 0xC0) != 0x80), len(data))
        firsts = np.searchsorted(places, flat.offsets[:-1])
    inside = kinds != NONE
    before = np.concatenate([[NONE], kinds[:-1]])
    begins = inside & ((kinds == ALONE) | (before == NONE) | ((kinds == SPACED) & (before == ALONE)))
    firsts = firsts[firsts < len(kinds)]
    begins[firsts] |= inside[firsts]
    start = np.flatnonzero(begins)
    stops = np.append(np.flatnonzero(begins | ~inside), len(kinds))
    end = stops[np.searchsorted(stops, start, side="right")]
    if places is not None:
        start, end = places[start], places[end]
    text = np.searchsorted(flat.offsets, start, side="right") - 1
    coded = Flat(data[ragged(end - start, start)], np.concatenate([[0], np.cumsum(end - start)]))
    encoded = _arrow(coded).dictionary_encode()
    distinct = pl.Series("", encoded.dictionary, dtype=pl.String)
    return Words(text, start, end, encoded.indices.to_numpy().astype(np.int64), distinct)


def _arrow(flat: Flat) -> pa.Array:
    offsets = pa.py_buffer(np.ascontiguousarray(flat.offsets.astype(np.int64)))
    data = pa.py_buffer(np.ascontiguousarray(flat.data))
    return pa.LargeStringArray.from_buffers(len(flat.offsets) - 1, offsets, data)


def folded(words: pl.Series) -> pl.Series:
    """Words in normal form NFKC and lower case, as they are compared."""
    if (words.str.len_bytes() != words.str.len_chars()).any():
        words = words.str.normalize("NFKC")
    return words.str.to_lowercase()


def numbers(words: pl.Series, seed: int) -> U64:
    """A number by folded word; different words share one with probability 2**-64."""
    hashed: U64 = folded(words).hash(seed=seed).to_numpy().astype(np.uint64, copy=False)
    return hashed


def capital(words: pl.Series) -> Bools:
    """Which words begin with a capital letter."""
    first = words.str.slice(0, 1)
    found: Bools = (first != first.str.to_lowercase()).to_numpy()
    return found


def run_numbers(of_words: U64, first: Ints, size: int) -> U64:
    """A number by run of ``size`` words, from each of ``first`` on. of_words: numbers of all words."""
    total = np.full(len(first), np.uint64(size))
    for i in range(size):
        total = total * _FACTOR + of_words[first + i]
        total ^= total >> np.uint64(29)
    return total


@cache
def common() -> frozenset[str]:
    """Words of everyday language, folded; one of them is a name only when written with a capital."""
    text = resources.files(__package__).joinpath("common_words.txt").read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() if not line.startswith("#") for word in line.split())
