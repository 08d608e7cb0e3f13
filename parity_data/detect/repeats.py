"""Kept text that repeats values of columns to be masked, such as a company that bears its owner's full name.

Masking a column is worth little where its values can be read beside it. Only what is recognisable inside a
longer text counts - several words, or a word with digits in it - since single names are everyday words, too.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from parity_data.catalog.model import Catalog, Name, Table
from parity_data.detect.columns import TELLING
from parity_data.detect.defaults import mask_for_values_inside
from parity_data.detect.model import Decision, Evidence, band_of
from parity_data.detect.weights import weight
from parity_data.mask import words
from parity_data.mask.cipher.flat import Flat

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
        for column, values in read(catalog.tables[table], columns).items():
            known.add(f"{table}.{column}", values)
    if not known:
        return decisions
    held = {(d.table, d.column) for d in decisions if d.band == "not_personal"}
    found: dict[tuple[Name, str], Evidence] = {}
    for table, columns in _by_table(place for place in kept if place in held).items():
        for column, values in read(catalog.tables[table], columns).items():
            texts, place = known.find(values)
            if texts:
                reason = f"{texts:,} of {len(values):,} values hold one of {place}, which is to be masked"
                found[table, column] = Evidence(
                    "columns", reason, weight("columns.holds_values"), "free_text"
                )
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


class _Known:
    """Values that are looked for, as numbers of their words, by how many these are, and a column of each."""

    def __init__(self) -> None:
        self._seed = secrets.randbits(63)
        self._places: list[str] = []
        self._runs: dict[int, dict[int, int]] = defaultdict(dict)

    def __bool__(self) -> bool:
        return bool(self._runs)

    def add(self, place: str, values: Sequence[str]) -> None:
        """Take up the values of a column that can be recognised inside longer texts."""
        found, numbers, everyday = self._split(values)
        firsts = np.flatnonzero(np.diff(found.text, prepend=-1))
        sizes = np.diff(np.append(firsts, len(found.text)))
        if not len(firsts):
            return
        length = found.distinct.str.len_chars().to_numpy().astype(np.int64)[found.code]
        characters = np.add.reduceat(length, firsts)
        digits = found.distinct.str.contains(r"\d").to_numpy()[found.code]
        common = np.logical_and.reduceat(everyday, firsts)
        telling = (sizes >= 2) & (sizes <= LONGEST) & (characters >= SHORTEST) & ~common
        telling |= (sizes == 1) & (characters >= SHORTEST_CODE) & digits[firsts]
        self._places.append(place)
        for size in np.unique(sizes[telling]).tolist():
            runs = words.run_numbers(numbers, firsts[telling & (sizes == size)], size)
            self._runs[size].update(dict.fromkeys(runs.tolist(), len(self._places) - 1))

    def find(self, values: Sequence[str]) -> tuple[int, str]:
        """(texts longer than a value in which one stands, the column that most of these are from)."""
        found, numbers, _ = self._split(values)
        hit: dict[int, int] = {}
        for size, known in self._runs.items():
            first = np.arange(max(0, len(found.text) - size + 1))
            ends = first + size - 1
            inside = found.text[first] == found.text[ends]
            whole = (first == 0) | (found.text[np.maximum(first - 1, 0)] != found.text[first])
            whole &= (ends == len(found.text) - 1) | (
                found.text[np.minimum(ends + 1, len(found.text) - 1)] != found.text[first]
            )
            first = first[inside & ~whole]
            runs = words.run_numbers(numbers, first, size)
            some = np.isin(runs, np.fromiter(known, np.uint64, len(known)))
            hit.update(
                (text, known[run])
                for text, run in zip(found.text[first[some]].tolist(), runs[some].tolist(), strict=True)
            )
        places = list(hit.values())
        return len(hit), self._places[max(set(places), key=places.count)] if hit else ""

    def _split(self, values: Sequence[str]) -> tuple[words.Words, words.U64, words.Bools]:
        found = words.split(Flat.of(pl.Series(values, dtype=pl.String)))
        everyday = words.folded(found.distinct).is_in(list(words.common())).to_numpy()
        return found, words.numbers(found.distinct, self._seed)[found.code], everyday[found.code]
