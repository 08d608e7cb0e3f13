"""Gathering of the closed world: which values of masked columns are worth looking for in free text."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from parity_data.mask import words
from parity_data.mask.cipher.flat import Flat, Ints
from parity_data.mask.context import MaskSpec
from parity_data.mask.known import ALONE, ANYWHERE, EVERYDAY, LONGEST, SHORT, KnownValues, When
from parity_data.mask.words import U64, Bools

#: Maskers of people's names: their parts name people, too.
NAMES = frozenset({"person_name", "first_name", "last_name"})
#: Maskers of what identifies somebody as a whole.
IDENTIFIERS = frozenset(
    {"email", "username", "phone", "national_id", "iban", "card", "account_number", "passport"}
    | {"driving_licence", "licence_plate", "imei", "vin", "code", "digits"}
)
#: Maskers of what identifies somebody when it is several words.
PLACES = frozenset({"address", "street", "company"})

#: Characters from which a single word counts as an identifier.
_LEAST_IDENTIFIER = 5
_LEAST_USERNAME = 4
_LEAST_NAME = 3
#: A part of a name, and names of parts in scripts that need no blank between them.
_PART = r"[^\s,;/()]+"
_NO_NAME = r"[0-9{}<>=|%$#@*+~^_\\]"
_CJK = r"[\p{Han}\p{Hiragana}\p{Hangul}]{2,}"
_UNSPACED_PARTS = rf"^\s*{_CJK}(?:\s+{_CJK})+\s*$"

#: Values taken up at once, which bounds memory.
_ROWS = 100_000


#: Between numbers of masks of one rank and the next: more than a database has.
_RANK = 20_000


class Gathering:
    """Takes up the values of masked columns, batch by batch, and makes ``KnownValues`` of them."""

    def __init__(self, seed: int | None = None) -> None:
        self._seed = secrets.randbits(63) if seed is None else seed
        self._masks: dict[MaskSpec, int] = {}
        self._words: list[U64] = []
        self._runs: list[npt.NDArray[np.void]] = []

    def wants(self, spec: MaskSpec) -> bool:
        """Whether values under this mask are worth looking for."""
        return spec.name in NAMES | IDENTIFIERS | PLACES

    def add(self, spec: MaskSpec, values: pl.Series) -> None:
        """Take up values of a column with this mask; NULLs are skipped."""
        number = self._masks.setdefault(spec, len(self._masks) + _RANK * _rank(spec))
        for start in range(0, values.len(), _ROWS):
            batch = values.slice(start, _ROWS).drop_nulls().unique()
            batch = batch.filter(batch != "")
            if spec.name in NAMES:
                # Their parts are found one by one, and masked as the column masks them: one by one.
                parts = batch.str.extract_all(_PART).explode().drop_nulls().unique()
                self._take(spec, number, parts.filter(~parts.str.contains(_NO_NAME)), singles=True)
                batch = batch.filter(~batch.str.contains(_UNSPACED_PARTS))
            self._take(spec, number, batch)

    def _take(self, spec: MaskSpec, number: int, values: pl.Series, *, singles: bool = False) -> None:
        """Take up values as a whole. singles: their words by themselves, too."""
        if not values.len():
            return
        found = words.split(Flat.of(values))
        numbers = words.numbers(found.distinct, self._seed)
        of_words = numbers[found.code]
        firsts = np.flatnonzero(np.diff(found.text, prepend=-1))
        sizes = np.diff(np.append(firsts, len(found.text)))
        facts = _Facts.of(found.distinct)
        fits, when = _fits(spec, facts, found.code, firsts, sizes)
        runs = []
        for size in range(1, LONGEST + 1):
            chosen = fits & (sizes == size)
            runs.append((words.run_numbers(of_words, firsts[chosen], size), when[chosen]))
        if singles:
            codes = np.flatnonzero(_single_names(facts, found.code[firsts[sizes == 1]]))
            quiet = np.where(facts.everyday, EVERYDAY, np.where(facts.quiet, SHORT, ANYWHERE))
            alone = np.where(facts.alone, ALONE, quiet).astype(np.uint8)
            runs.append((words.run_numbers(numbers, codes, 1), alone[codes]))
            self._words.append(np.unique(numbers[codes]))
        inside = np.repeat(fits, sizes)
        self._words.append(np.unique(of_words[inside]))
        single = np.concatenate([r for r, _ in runs])
        places = np.concatenate([w for _, w in runs])
        table = np.empty(len(single), [("run", np.uint64), ("mask", np.uint16), ("when", np.uint8)])
        table["run"], table["mask"], table["when"] = single, number, places
        self._runs.append(_first_of_each(table))
        if len(self._runs) > 16:
            self._runs = [_first_of_each(np.concatenate(self._runs))]
            self._words = [np.unique(np.concatenate(self._words))]

    def finish(self) -> KnownValues:
        """Everything taken up so far."""
        if not self._runs:
            return KnownValues(seed=self._seed)
        table = _first_of_each(np.concatenate(self._runs))
        order = sorted(self._masks, key=self._masks.__getitem__)
        table["mask"] = np.searchsorted([self._masks[spec] for spec in order], table["mask"])
        return KnownValues(
            seed=self._seed,
            masks=tuple(order),
            words=np.unique(np.concatenate(self._words)),
            runs=np.ascontiguousarray(table["run"]),
            mask=np.ascontiguousarray(table["mask"]),
            when=np.ascontiguousarray(table["when"]),
        )


@dataclass(frozen=True)
class _Facts:
    """What is known of each distinct word.

    length: characters. letter: consists of letters. digits: how many. alone: a character of an unspaced
    script. hiragana: one of those. katakana: begins with that. quiet: an everyday word, or a very
    short one, which is a name only when it has a capital. everyday: an everyday word.
    """

    length: Ints
    letter: Bools
    digits: Ints
    alone: Bools
    hiragana: Bools
    katakana: Bools
    quiet: Bools
    everyday: Bools

    @classmethod
    def of(cls, distinct: pl.Series) -> _Facts:
        small = words.folded(distinct)
        length = distinct.str.len_chars().to_numpy().astype(np.int64)
        everyday = small.is_in(list(words.common())).to_numpy()
        cased = (small != distinct.str.to_uppercase()).to_numpy()
        first = distinct.str.slice(0, 1)
        points = np.array([ord(c) for c in first.to_list()], np.int64)
        return cls(
            length=length,
            letter=distinct.str.contains(r"^[\p{L}\p{M}]+$").to_numpy(),
            digits=distinct.str.count_matches(r"\d").to_numpy().astype(np.int64),
            alone=(words.classes()[points] == words.ALONE) if len(points) else np.empty(0, bool),
            katakana=(points >= 0x30A0) & (points <= 0x30FF),
            hiragana=(points >= 0x3041) & (points <= 0x309F),
            quiet=(everyday | (length < _LEAST_NAME)) & cased,
            everyday=everyday,
        )


def _fits(spec: MaskSpec, facts: _Facts, code: Ints, firsts: Ints, sizes: Ints) -> tuple[Bools, When]:
    """Which values are telling enough to be looked for as a whole, and where. firsts, sizes: of words."""

    def total(of_distinct: npt.NDArray[np.int64]) -> Ints:
        sums: Ints = np.add.reduceat(of_distinct[code], firsts) if len(firsts) else np.empty(0, np.int64)
        return sums

    digits = total(facts.digits)
    alone, hiragana = total(facts.alone.astype(np.int64)), total(facts.hiragana.astype(np.int64))
    everyday, length = total(facts.everyday.astype(np.int64)), total(facts.length)
    wide = (alone >= 2) & ((hiragana < alone) | (alone >= 3))
    several: Bools = (sizes >= 2) & (sizes <= LONGEST) & (length >= 5)
    plain = everyday < sizes
    if spec.name in NAMES:
        # One word alone is looked for by ``_single_names``. Two everyday words may be a name with capitals.
        fit: Bools = (several & (alone < sizes)) | (wide & (sizes <= LONGEST) & (alone == sizes))
        return fit, np.where(plain, ANYWHERE, SHORT).astype(np.uint8)
    if spec.name in PLACES:
        fit = several & ((digits > 0) | ((sizes >= 3) & (alone == 0))) & plain
    else:
        single = (sizes == 1) & (length >= _LEAST_IDENTIFIER) & (digits > 0)
        if spec.name == "username":
            single = (sizes == 1) & (length >= _LEAST_USERNAME)
        fit = (single | several) & ((digits == 0) | (digits >= _LEAST_IDENTIFIER) | (length > digits)) & plain
    return fit, np.full(len(sizes), ANYWHERE, np.uint8)


def _rank(spec: MaskSpec) -> int:
    """Whose value one is that stands in several columns: a name's before a number's before a place's."""
    return next(rank for rank, names in enumerate((NAMES, IDENTIFIERS, PLACES)) if spec.name in names)


def _single_names(facts: _Facts, values: Ints) -> Bools:
    """Which words name somebody by themselves. values: words that are a whole value.

    A single character does so only in a script without blanks, where it is a value.
    """
    least = np.where(facts.quiet | facts.katakana, 2, _LEAST_NAME)
    long_enough: Bools = facts.length >= least
    found: Bools = facts.letter & ~facts.alone & long_enough
    found[values] |= facts.alone[values]
    return found


def _first_of_each(table: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    """One entry per run, sorted: of the mask that came first, counting wherever it may."""
    order = np.lexsort((table["when"], table["mask"], table["run"]))
    table = table[order]
    return table[np.concatenate([[True], table["run"][1:] != table["run"][:-1]])] if len(table) else table
