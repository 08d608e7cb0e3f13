"""Kept text that repeats values of columns to be masked, such as a company that bears its owner's full name.

Masking a column is worth little where its values can be read beside it. Only what is recognisable inside a
longer text counts - several words, or a word with digits in it - since single names are everyday words, too.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
import polars as pl

from parity_data.catalog.model import Catalog, Name, Table
from parity_data.detect.columns import TELLING
from parity_data.detect.defaults import mask_for_values_inside
from parity_data.detect.model import Decision, Evidence, band_of
from parity_data.detect.weights import weight
from parity_data.mask import words
from parity_data.mask.cipher.flat import Flat, Ints

#: Kinds whose values tell of somebody where they are met in another text.
_WANTED = TELLING | {"postal_code", "vehicle", "person_url"}
#: Words in the longest value that is looked for.
LONGEST = 8
#: Characters from which several words are no accident, and those of a word with digits.
SHORTEST, SHORTEST_CODE = 8, 6

#: Values of a column as read: of a table, those of the columns named.
Read = Callable[[Table, Sequence[str]], dict[str, Sequence[str]]]


def follow_values(
    catalog: Catalog, decisions: list[Decision], kept: Iterable[tuple[Name, str]], read: Read
) -> list[Decision]:
    """The same decisions, but that kept columns which hold values of masked ones are uncertain.

    kept: columns of plain text that may be masked. read: gives their values, and those of masked columns.
    """
    known = _Known()
    for table, columns in _by_table(
        (d.table, d.column) for d in decisions if d.band != "not_personal" and d.kind in _WANTED
    ).items():
        known.add(table, read(catalog.tables[table], columns))
    if not known:
        return decisions
    held = {(d.table, d.column) for d in decisions if d.band == "not_personal"}
    found: dict[tuple[Name, str], Evidence] = {}
    for table, columns in _by_table(place for place in kept if place in held).items():
        values = read(catalog.tables[table], columns)
        for column, (texts, place) in known.find(values).items():
            reason = f"{texts:,} of {len(values[column]):,} values hold one of {place}, which is to be masked"
            found[table, column] = Evidence("columns", reason, weight("columns.holds_values"), "free_text")
    return [
        _uncertain(catalog, decision, found[decision.table, decision.column])
        if (decision.table, decision.column) in found
        else decision
        for decision in decisions
    ]


def _uncertain(catalog: Catalog, decision: Decision, evidence: Evidence) -> Decision:
    table = catalog.tables[decision.table]
    return replace(
        decision,
        kind="free_text",
        band=band_of(evidence.weight),
        score=evidence.weight,
        evidence=(*decision.evidence, evidence),
        propose=lambda: mask_for_values_inside(table.column(decision.column), table),
    )


def _by_table(places: Iterable[tuple[Name, str]]) -> dict[Name, list[str]]:
    found: dict[Name, list[str]] = defaultdict(list)
    for table, column in places:
        found[table].append(column)
    return found


@dataclass(frozen=True)
class _Words:
    """The words of a table's columns. found: of all their values. column: by value, number of its column."""

    found: words.Words
    numbers: words.U64
    column: Ints

    @staticmethod
    def of(columns: Mapping[str, Sequence[str]], seed: int) -> _Words:
        values = pl.Series(list(chain.from_iterable(columns.values())), dtype=pl.String)
        found = words.split(Flat.of(values))
        column = np.repeat(np.arange(len(columns)), [len(one) for one in columns.values()])
        return _Words(found, words.numbers(found.distinct, seed)[found.code], column)


class _Known:
    """Values that are looked for, as numbers of their words, by how many these are, and a column of each."""

    def __init__(self) -> None:
        self._seed = secrets.randbits(63)
        self._places: list[str] = []
        self._added: dict[int, list[tuple[words.U64, Ints]]] = defaultdict(list)
        self._runs: dict[int, _Runs] = {}

    def __bool__(self) -> bool:
        return bool(self._added)

    def add(self, table: Name, columns: Mapping[str, Sequence[str]]) -> None:
        """Take up the values of columns that can be recognised inside longer texts; before the first find."""
        one = _Words.of(columns, self._seed)
        found = one.found
        firsts = np.flatnonzero(np.diff(found.text, prepend=-1))
        sizes = np.diff(np.append(firsts, len(found.text)))
        if not len(firsts):
            return
        length = found.distinct.str.len_chars().to_numpy().astype(np.int64)[found.code]
        characters = np.add.reduceat(length, firsts)
        digits = found.distinct.str.contains(r"\d").to_numpy()[found.code]
        everyday = words.folded(found.distinct).is_in(list(words.common())).to_numpy()[found.code]
        common = np.logical_and.reduceat(everyday, firsts)
        telling = (sizes >= 2) & (sizes <= LONGEST) & (characters >= SHORTEST) & ~common
        telling |= (sizes == 1) & (characters >= SHORTEST_CODE) & digits[firsts]
        place = one.column[found.text[firsts]] + len(self._places)
        self._places += [f"{table}.{column}" for column in columns]
        for size in np.unique(sizes[telling]).tolist():
            these = telling & (sizes == size)
            runs = words.run_numbers(one.numbers, firsts[these], size)
            self._added[size].append((runs, place[these]))

    def find(self, columns: Mapping[str, Sequence[str]]) -> dict[str, tuple[int, str]]:
        """By column: texts longer than a value in which one stands, and where most of these are from."""
        if not self._runs:
            self._runs = {size: _Runs(added) for size, added in self._added.items()}
        one = _Words.of(columns, self._seed)
        text = one.found.text
        hit: dict[int, int] = {}
        for size, known in self._runs.items():
            first = np.arange(max(0, len(text) - size + 1))
            ends = first + size - 1
            inside = text[first] == text[ends]
            whole = (first == 0) | (text[np.maximum(first - 1, 0)] != text[first])
            whole &= (ends == len(text) - 1) | (text[np.minimum(ends + 1, len(text) - 1)] != text[first])
            first = first[inside & ~whole]
            some, places = known.look_up(words.run_numbers(one.numbers, first, size))
            hit.update(zip(text[first[some]].tolist(), places.tolist(), strict=True))
        by_column: dict[int, list[int]] = defaultdict(list)
        for value, place in hit.items():
            by_column[int(one.column[value])].append(place)
        return {
            column: (len(found), self._places[max(set(found), key=found.count)])
            for i, column in enumerate(columns)
            if (found := by_column.get(i))
        }


class _Runs:
    """Numbers of runs with the column of each: looked up in a table of bits, then among the sorted ones."""

    def __init__(self, added: Sequence[tuple[words.U64, Ints]]) -> None:
        runs = np.concatenate([one for one, _ in added])
        places = np.concatenate([one for _, one in added])
        self._runs, firsts = np.unique(runs, return_index=True)
        self._places = places[firsts]
        bits = len(self._runs).bit_length() + 4
        self._shift = np.uint64(64 - bits)
        self._maybe = np.zeros(1 << bits, dtype=np.bool_)
        self._maybe[self._runs >> self._shift] = True

    def look_up(self, runs: words.U64) -> tuple[Ints, Ints]:
        """(places in ``runs`` of those that are known, the column of each)."""
        some = np.flatnonzero(self._maybe[runs >> self._shift])
        at = np.minimum(np.searchsorted(self._runs, runs[some]), len(self._runs) - 1)
        right = self._runs[at] == runs[some]
        return some[right], self._places[at[right]]
