"""The closed world of free text: names and identifiers that this database itself holds in masked columns.

Values are kept as numbers of their words, 8 bytes each, under a seed of the run: no value can be read from
them. A text's words are looked up in runs, the longest first, which finds what an Aho-Corasick automaton over
words would, at a tenth of its memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from parity_data.mask import words
from parity_data.mask.cipher.flat import Flat, Ints
from parity_data.mask.context import MaskSpec
from parity_data.mask.words import U64, Bools

#: Words in the longest run that is looked for.
LONGEST = 8
#: Bytes between two words of one value: blanks, commas, quotes, and what imports leave in names.
_GAP = 8
Mask = npt.NDArray[np.uint16]
When = npt.NDArray[np.uint8]

#: Where a known value counts. SHORT: with a capital letter. EVERYDAY: with one, and not where a sentence may
#: begin. ALONE: a character of a script without blanks, apart from others.
ANYWHERE, SHORT, EVERYDAY, ALONE = range(4)

#: Bytes before a word that may begin a sentence.
_ENDS = np.isin(np.arange(256), np.frombuffer(b'.!?:;\n\r\t"(-\xa1\xbf', np.uint8))


@dataclass(frozen=True)
class KnownValues:
    """What texts are searched for. Picklable.

    masks: of the columns the values come from. words: numbers of all words in values, sorted. runs: numbers
    of values, sorted; mask: for each, its place in ``masks``; when: where it counts.
    """

    seed: int = 0
    masks: tuple[MaskSpec, ...] = ()
    words: U64 = field(default_factory=lambda: np.empty(0, np.uint64), repr=False)
    runs: U64 = field(default_factory=lambda: np.empty(0, np.uint64), repr=False)
    mask: Mask = field(default_factory=lambda: np.empty(0, np.uint16), repr=False)
    when: When = field(default_factory=lambda: np.empty(0, np.uint8), repr=False)

    def __len__(self) -> int:
        return len(self.runs)

    def mask_named(self, name: str) -> MaskSpec | None:
        """The first mask of that masker that columns of this database have."""
        return next((spec for spec in self.masks if spec.name == name), None)

    def find(self, texts: pl.Series) -> tuple[Ints, Ints, Ints, Mask]:
        """(text, first byte, end, place in ``masks``) of every value that stands in one of n texts, in order.

        Bytes are counted from the beginning of the first text through all of them. Whole words only, in any
        case and normal form; where values overlap, the one of more words counts.
        """
        flat = Flat.of(texts)
        found = words.split(flat)
        empty = np.empty(0, np.int64)
        if not len(self.runs) or not len(found.start):
            return empty, empty, empty, np.empty(0, np.uint16)
        numbers = words.numbers(found.distinct, self.seed)
        maybe = _contains(self.words, numbers)[found.code]
        linked = np.zeros(len(maybe), bool)
        near = (found.start[1:] - found.end[:-1] <= _GAP) & (found.text[1:] == found.text[:-1])
        linked[:-1] = maybe[1:] & maybe[:-1] & near
        of_words, loud = numbers[found.code], words.capital(found.distinct)[found.code]
        opens = _opens(flat, found)
        free, hits = maybe.copy(), []
        for size in range(LONGEST, 0, -1):
            first = np.flatnonzero(_runs(free, linked, size))
            at = _find(self.runs, words.run_numbers(of_words, first, size))
            good = at >= 0
            good[good] = _allowed(
                self.when[at[good]], first[good], _any(loud, first[good], size), opens, found
            )
            first, at = first[good], at[good]
            chosen = _apart(first, size)
            first, at = first[chosen], at[chosen]
            for i in range(size):
                free[first + i] = False
            hits.append((first, first + size - 1, self.mask[at]))
        begin = np.concatenate([h[0] for h in hits])
        order = np.argsort(begin)
        last = np.concatenate([h[1] for h in hits])[order]
        mask = np.concatenate([h[2] for h in hits])[order]
        begin = begin[order]
        return found.text[begin], found.start[begin], found.end[last], mask


def _contains(known: U64, wanted: U64) -> Bools:
    return np.asarray(_find(known, wanted) >= 0)


def _find(known: U64, wanted: U64) -> Ints:
    """Places in a sorted array, -1 for what it does not hold."""
    if not len(known):
        return np.full(len(wanted), -1)
    at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.where(known[at] == wanted, at, -1)


def _runs(free: Bools, linked: Bools, size: int) -> Bools:
    """Where a run of ``size`` free words begins that follow each other closely."""
    out = free.copy()
    for i in range(size - 1):
        shifted = np.zeros(len(free), bool)
        if i + 1 < len(free):
            shifted[: -(i + 1)] = linked[i : len(linked) - 1] & free[i + 1 :]
        out &= shifted
    return out


def _opens(flat: Flat, found: words.Words) -> Bools:
    """Which words may begin a sentence: first in their text, or behind what ends one."""
    data, start = flat.data, found.start
    before = np.maximum(start - 1, 0)
    blank = data[before] == 32
    before = np.where(blank, np.maximum(before - 1, 0), before)
    first = np.diff(found.text, prepend=-1) > 0
    opens: Bools = first | _ENDS[data[before]]
    return opens


def _allowed(when: When, first: Ints, capital: Bools, opens: Bools, found: words.Words) -> Bools:
    """Which hits count where they stand. first: the first word of each; capital: whether a word has one."""
    last = len(found.start) - 1
    touches = (found.start[first] == found.end[np.maximum(first - 1, 0)]) & (first > 0)
    touches |= (found.end[first] == found.start[np.minimum(first + 1, last)]) & (first < last)
    allowed: Bools = np.select(
        [when == ANYWHERE, when == SHORT, when == EVERYDAY],
        [True, capital, capital & ~opens[first]],
        ~touches,
    )
    return allowed


def _any(loud: Bools, first: Ints, size: int) -> Bools:
    """Whether one of the ``size`` words from each of ``first`` on begins with a capital letter."""
    found: Bools = np.logical_or.reduce([loud[first + i] for i in range(size)])
    return found


def _apart(first: Ints, size: int) -> Bools:
    """Of runs of one size, in order, those that do not begin within an earlier chosen one."""
    chosen = np.ones(len(first), bool)
    close = np.flatnonzero(np.diff(first) < size)
    if len(close):
        end = -1
        for i, place in enumerate(first.tolist()):
            chosen[i] = place >= end
            end = place + size if chosen[i] else end
    return chosen
