"""The word lists behind name evidence, read once from ``lexicon.yaml``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from parity_data.detect._packaged import read_packaged
from parity_data.detect.tokens import words
from parity_data.detect.weights import weight

STRENGTHS = ("strong", "fair", "weak")


@dataclass(frozen=True)
class Kind:
    """A kind of personal data. level: direct | quasi | secret | special | text. keep: default for quasi."""

    name: str
    level: str
    label: str
    keep: bool = False


@dataclass(frozen=True)
class Lexicon:
    """phrases: word tuple -> (kind, weight, language). The other sets hold single words or word tuples."""

    kinds: dict[str, Kind]
    phrases: dict[tuple[str, ...], tuple[str, float, str]]
    longest: int
    singles: frozenset[str]
    names: frozenset[str]
    people: frozenset[tuple[str, ...]]
    things: frozenset[str]
    negative: frozenset[str]
    neutral: frozenset[str]
    vocabulary: frozenset[str]


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The word lists as the package ships them."""
    raw = read_packaged("lexicon.yaml")
    kinds: dict[str, Kind] = {}
    phrases: dict[tuple[str, ...], tuple[str, float, str]] = {}
    for name, entry in raw["kinds"].items():
        kinds[name] = Kind(name, entry["level"], entry["label"], entry.get("default") == "keep")
        for strength in STRENGTHS:
            for language, listed in entry.get(strength, {}).items():
                for phrase in _listed(listed):
                    known = phrases.get(phrase)
                    if known is None or known[1] < weight(f"name.{strength}"):
                        phrases[phrase] = (name, weight(f"name.{strength}"), str(language))
    people = frozenset(phrase for listed in raw["person_words"].values() for phrase in _listed(listed))
    names = _single(raw["name_words"])
    sets = [_single(raw[f"{which}_words"]) for which in ("thing", "negative", "neutral")]
    # 'born' + 'e' must not come out of 'borne': only words of three letters and more take part in cutting.
    vocabulary = frozenset(
        word
        for word in {w for phrase in phrases for w in phrase}
        | {w for p in people for w in p}
        | names
        | frozenset().union(*sets)
        if len(word) >= 3
    )
    singles = frozenset(phrase[0] for phrase in phrases if len(phrase) == 1)
    longest = max(map(len, phrases))
    return Lexicon(kinds, phrases, longest, singles, names, people, sets[0], sets[1], sets[2], vocabulary)


def _listed(text: str) -> list[tuple[str, ...]]:
    return [phrase for part in str(text).split(",") if (phrase := words(part.strip()))]


def _single(text: str) -> frozenset[str]:
    return frozenset(word for phrase in _listed(text) for word in phrase)
