"""Evidence from names: of the column, of what it stands in, and from its comment."""

from __future__ import annotations

from dataclasses import dataclass

from parity_data.detect.lexicon import Lexicon, lexicon
from parity_data.detect.model import Evidence
from parity_data.detect.tokens import split_glued, words
from parity_data.detect.weights import weight as weight_of

#: Kinds that are about people only where the table is: a picture, a place.
_THING_KINDS = frozenset({"photo", "street_address", "geo_location", "person_url", "bank_account", "city"})

_LANGUAGES = {
    "en": "English",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "pt": "Portuguese",
    "it": "Italian",
    "nl": "Dutch",
    "pl": "Polish",
    "ru": "Russian",
    "cy": "Cyrillic",
    "zh": "East Asian",
}


@dataclass(frozen=True)
class Place:
    """What a column stands in. about: 'people' | 'things' | 'unknown'."""

    name: str
    about: str


@dataclass(frozen=True)
class NameVerdict:
    """evidence: for kinds of personal data. neutral: the name says thing, state or measure.

    opaque: no word of the name is known, so that it says nothing either way.
    """

    evidence: tuple[Evidence, ...]
    neutral: bool
    opaque: bool


def place_of(name: str, within: Place | None = None) -> Place:
    """What a table (or a JSON object) is about, by its name; within: the schema or the object around it."""
    lex = lexicon()
    found = _expanded(name, lex)
    about = "unknown"
    if found:
        if found[-1] in lex.things:
            about = "things"
        elif any(found[i:j] in lex.people for i in range(len(found)) for j in range(i + 1, i + 3)):
            about = "people"
        elif any(word in lex.things for word in found):
            about = "things"
    if about == "unknown" and within is not None:
        about = within.about
    return Place(name, about)


def judge_name(column: str, place: Place, comment: str | None = None) -> NameVerdict:
    """Evidence from a column's name in its place, and from its comment."""
    lex = lexicon()
    found = _expanded(column, lex)
    letters = tuple(word for word in found if not word.isdigit())
    singulars = {word for word in letters if word.endswith("s") and word[:-1] in lex.vocabulary}
    evidence: list[Evidence] = []
    matched: set[int] = set()
    for start, stop, kind, weight, language in _phrases(found, lex):
        matched.update(range(start, stop))
        evidence.append(_weighed(found, start, stop, kind, weight, language, place, lex))
    bare = _bare_name(found, matched, place, lex)
    evidence += bare
    for item in _from_comment(comment, lex):
        evidence.append(item)
    known = [
        word
        for word in letters
        if word in singulars or word in lex.vocabulary or (len(word) < 3 and word in lex.neutral)
    ]
    neutral = (
        bool(letters)
        and not evidence
        and any(word in lex.neutral or (word in singulars and word[:-1] in lex.neutral) for word in letters)
    )
    if evidence and any(word in lex.neutral and i not in matched for i, word in enumerate(found)):
        neutral = all(item.weight < 0.3 for item in evidence)
    if evidence and all(item in bare and item.weight <= weight_of("name.of_a_thing") for item in evidence):
        neutral = True
    return NameVerdict(tuple(_strongest(evidence)), neutral, not known and not evidence)


def across_keys(above: str, key: str) -> list[Evidence]:
    """Evidence from words that only mean something together: the end of one key and the start of the next."""
    lex = lexicon()
    upper, lower = _expanded(above, lex), _expanded(key, lex)
    for before in range(min(2, len(upper)), 0, -1):
        hit = lex.phrases.get((*upper[-before:], *lower))
        if hit is not None:
            kind, weight, _ = hit
            reason = f"its key and the one around it together say {lex.kinds[kind].label}"
            return [Evidence("name", reason, weight, kind)]
    return []


def _expanded(name: str, lex: Lexicon) -> tuple[str, ...]:
    out: list[str] = []
    for word in words(name):
        out += (word,) if word in lex.singles else split_glued(word, lex.vocabulary)
    return tuple(out)


def _phrases(found: tuple[str, ...], lex: Lexicon) -> list[tuple[int, int, str, float, str]]:
    """Longest matches from left to right: (start, stop, kind, weight, language)."""
    hits: list[tuple[int, int, str, float, str]] = []
    start = 0
    while start < len(found):
        for stop in range(min(len(found), start + lex.longest), start, -1):
            hit = lex.phrases.get(found[start:stop]) or lex.phrases.get(_singular(found[start:stop]))
            if hit is not None:
                hits.append((start, stop, *hit))
                start = stop
                break
        else:
            start += 1
    return hits


def _singular(phrase: tuple[str, ...]) -> tuple[str, ...]:
    last = phrase[-1]
    return (*phrase[:-1], last[:-1]) if last.endswith("s") and len(last) > 4 else phrase


def _weighed(
    found: tuple[str, ...],
    start: int,
    stop: int,
    kind: str,
    weight: float,
    language: str,
    place: Place,
    lex: Lexicon,
) -> Evidence:
    label = lex.kinds[kind].label
    reason = f"its name says {label} ({_LANGUAGES.get(language, language)})"
    others = [*found[:start], *found[stop:]]
    spoiling = [word for word in others if word in lex.negative]
    if spoiling:
        weight *= weight_of("factors.negative_word")
        reason += f", but '{spoiling[0]}' makes it about something else"
    elif kind in _THING_KINDS and (place.about == "things" or any(word in lex.things for word in others)):
        weight *= weight_of("factors.thing")
        reason += ", but of a thing rather than a person"
    return Evidence("name", reason, round(weight, 3), kind)


def _bare_name(found: tuple[str, ...], matched: set[int], place: Place, lex: Lexicon) -> list[Evidence]:
    """A word for 'name' means a person's or a thing's, by the word before it and by the table."""
    for i, word in enumerate(found):
        if word not in lex.names or i in matched:
            continue
        others = [*found[:i], *found[i + 1 :]]
        if any(other in lex.negative for other in others):
            return []
        if any((other,) in lex.people for other in others):
            return [Evidence("name", "its name says person's name", weight_of("name.strong"), "person_name")]
        if any(other in lex.things or other in lex.neutral for other in others):
            reason = "its name is a word for name, and says that of a thing"
            return [Evidence("name", reason, weight_of("name.of_a_thing"), "person_name")]
        if place.about == "people":
            reason = f"its name is a word for name, and '{place.name}' is about people"
            return [Evidence("name", reason, weight_of("name.in_person_table"), "person_name")]
        if place.about == "things":
            reason = f"its name is a word for name, and '{place.name}' is about things"
            return [Evidence("name", reason, weight_of("name.of_a_thing"), "person_name")]
        reason = f"its name is a word for name, of a person or a thing: '{place.name}' does not tell which"
        return [Evidence("name", reason, weight_of("name.in_unknown_table"), "person_name")]
    return []


def _from_comment(comment: str | None, lex: Lexicon) -> list[Evidence]:
    if not comment:
        return []
    found = words(comment)
    evidence = []
    for _, _, kind, weight, _ in _phrases(found, lex):
        if lex.kinds[kind].level == "quasi" or weight < weight_of("name.fair"):
            continue
        reason = f"its comment speaks of {lex.kinds[kind].label}"
        evidence.append(Evidence("name", reason, round(weight * weight_of("name.comment"), 3), kind))
    return evidence


def _strongest(evidence: list[Evidence]) -> list[Evidence]:
    """One piece per kind: words of one name are not independent of each other."""
    best: dict[str, Evidence] = {}
    for item in evidence:
        if item.kind not in best or best[item.kind].weight < item.weight:
            best[item.kind] = item
    return sorted(best.values(), key=lambda item: -item.weight)
