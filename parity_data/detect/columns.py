"""Evidence across columns: values that stand in a personal column too, text with this database's own names.

Values are compared folded (case, accents), inside one scan only; what is said of them are counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from parity_data.detect.decide import FAMILIES, Verdict
from parity_data.detect.fields import Field
from parity_data.detect.lexicon import lexicon
from parity_data.detect.model import PERSONAL, Evidence
from parity_data.detect.people import tokens_of
from parity_data.detect.tokens import fold
from parity_data.detect.weights import weight

#: Kinds whose values identify people by themselves, so that meeting them elsewhere tells something.
TELLING = frozenset(
    {"email", "phone", "person_name", "first_name", "last_name", "username", "street_address"}
    | {"national_id", "bank_account", "card_number", "ip_address", "device_id", "secret", "password"}
)
#: Distinct values in common, and their share, from which two columns hold the same things.
LEAST_COMMON, LEAST_SHARE = 3, 0.3
#: Values after which a column without any of these people is not looked at further.
FIRST_LOOK = 60
#: Characters from which a value is no accident elsewhere.
SHORTEST = 4
#: Values of running text with a name of this database's people in it.
LEAST_NAMED = 2


@dataclass
class Known:
    """Values of personal columns: folded value -> (kind, place).

    words: single words that are somebody's whole name in a column. parts: every word of every name. pairs:
    two words of a full name.
    """

    values: dict[str, tuple[str, str]] = field(default_factory=dict)
    words: dict[str, tuple[str, str]] = field(default_factory=dict)
    parts: set[str] = field(default_factory=set)
    pairs: set[tuple[str, str]] = field(default_factory=set)


def known_values(judged: Iterable[tuple[Field, Verdict]]) -> Known:
    """What is known to be personal after a first look at every field."""
    known = Known()
    for one, verdict in judged:
        if one.sample is None or verdict.kind not in TELLING or verdict.score < PERSONAL:
            continue
        if one.type_class not in ("text", "integer", "number"):
            continue
        if any(item.weight < 0 for item in verdict.evidence):
            continue  # its name says so, and its values do not bear it out
        said = (verdict.kind, one.place)
        named = FAMILIES.get(verdict.kind) == "person"
        for value in one.sample.values:
            folded = fold(value)
            if named:
                found = tokens_of(value)
                known.parts.update(word for word in found if len(word) > 2 or not word.isascii())
                if len(found) == 1 and len(folded) >= SHORTEST - 1:
                    known.words.setdefault(folded, said)
                elif len(found) >= 2:
                    known.values.setdefault(folded, said)
                    known.pairs.update(_pairs(found))
            elif len(folded) >= SHORTEST:
                known.values.setdefault(folded, said)
    return known


def across(one: Field, verdict: Verdict, known: Known) -> tuple[Evidence, ...]:
    """Evidence for a field from other columns; none for one that is personal already."""
    if one.sample is None or one.key or verdict.score >= PERSONAL or not one.sample.values:
        return ()
    if one.type_class != "text" or one.values is None:
        return ()
    if one.values.prose:
        return _own_names(one, known)
    values = [fold(value) for value in one.sample.values[:FIRST_LOOK]]
    if known.values.keys().isdisjoint(values) and known.words.keys().isdisjoint(values):
        return _same_people(one, known)
    values += [fold(value) for value in one.sample.values[FIRST_LOOK:]]
    for listed, entry, least in (
        (known.values, "columns.same_values", LEAST_SHARE),
        (known.words, "columns.same_words", 0.6),
    ):
        hits = [listed[value] for value in values if value in listed and listed[value][1] != one.place]
        if len(hits) >= LEAST_COMMON and len(hits) >= least * len(values):
            kind, place = max(set(hits), key=hits.count)
            label = lexicon().kinds[kind].label
            reason = f"{len(hits)} of {len(values)} distinct values also stand in {place} ({label})"
            return (Evidence("columns", reason, weight(entry), kind),)
    return _same_people(one, known)


def _same_people(one: Field, known: Known) -> tuple[Evidence, ...]:
    """Values of two words and more, all of them names of people in other columns, in new combinations."""
    assert one.sample is not None
    named = 0
    for i, value in enumerate(one.sample.values):
        if i == FIRST_LOOK and named < LEAST_COMMON:
            return ()
        found = tokens_of(value)
        named += len(found) >= 2 and all(word in known.parts for word in found)
    n = len(one.sample.values)
    if named < LEAST_COMMON or named < LEAST_SHARE * n:
        return ()
    reason = f"{named} of {n} distinct values consist of words that are people's names in other columns"
    return (
        Evidence("columns", reason, weight("columns.same_people") * min(1.0, 2 * named / n), "person_name"),
    )


def _own_names(one: Field, known: Known) -> tuple[Evidence, ...]:
    """Running text that contains this database's own people, by first and last name side by side."""
    assert one.sample is not None
    named = 0
    for value in one.sample.values:
        found = tokens_of(value)
        named += not known.pairs.isdisjoint(_pairs(found))
    if named < LEAST_NAMED:
        return ()
    reason = (
        f"{named} of {len(one.sample.values)} texts contain the full name of a person from another column"
    )
    return (Evidence("columns", reason, weight("columns.own_names"), "free_text"),)


def _pairs(found: list[str]) -> list[tuple[str, str]]:
    return [(min(a, b), max(a, b)) for a, b in pairwise(found) if len(a) > 2 and len(b) > 2]
