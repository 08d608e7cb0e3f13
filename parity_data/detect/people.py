"""Name lists by script: how many of a column's values consist of names that people have.

The lists are those of the Faker package's locales (MIT), read from its data modules; nothing is drawn at
random. They say little about one value and much about a column.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterable
from functools import lru_cache

from parity_data.detect.tokens import fold

_TOKEN = re.compile(r"[^\s\d.,;:()\[\]/_&+*\"-]+")

#: The same words come again and again.
_fold = lru_cache(maxsize=1 << 16)(fold)

#: Words inside names that are no names: particles and titles.
# fmt: off
_PARTICLES = frozenset([
    "de", "da", "do", "dos", "das", "di", "del", "della", "la", "le", "van", "von", "der", "den",
    "ter", "ten", "zu", "bin", "ibn", "al", "el", "y", "e", "mr", "mrs", "ms", "dr", "prof", "sr",
    "sra", "herr", "frau", "mme", "jr", "st", "san", "o", "mc", "mac", "ii", "iii", "phd", "md", "pan",
    "pani",
])
# fmt: on
MAX_TOKENS = 5


@lru_cache(maxsize=1)
def _lists() -> tuple[frozenset[str], frozenset[str]]:
    first: set[str] = set()
    last: set[str] = set()
    package = importlib.import_module("faker.providers.person")  # takes a while, and few runs look at values
    for module in pkgutil.iter_modules(package.__path__):
        provider = importlib.import_module(f"{package.__name__}.{module.name}").Provider
        for attribute in dir(provider):
            if attribute.startswith(("first_name", "last_name")):
                listed = getattr(provider, attribute)
                if isinstance(listed, dict | list | tuple | set):
                    target = first if attribute.startswith("first") else last
                    target.update(_folded(listed))
    return frozenset(first), frozenset(last)


def _folded(listed: Iterable[object]) -> Iterable[str]:
    for name in listed:
        for token in _TOKEN.findall(str(name)):
            folded = fold(token)
            if len(folded) > 1 or not folded.isascii():
                yield folded


def share_of_names(values: list[str]) -> tuple[float, str]:
    """Share of values that consist of people's names, and which kind they look like.

    values: distinct, not empty. A value counts when it has one to five words, no digit, and every word that
    is not a particle is in the lists. Returns (0..1, 'first_name' | 'last_name' | 'person_name').
    """
    first, last = _lists()
    firsts = lasts = fulls = hits = 0
    for value in values:
        tokens = tokens_of(value)
        if not 1 <= len(tokens) <= MAX_TOKENS or any(ch.isdigit() for ch in value):
            continue
        in_first = [token in first for token in tokens]
        in_last = [token in last for token in tokens]
        if not all(f or g for f, g in zip(in_first, in_last, strict=True)):
            continue
        hits += 1
        if len(tokens) > 1:
            fulls += any(in_first) and any(in_last)
        else:
            firsts += in_first[0]
            lasts += in_last[0]
    if not values:
        return 0.0, "person_name"
    kind = "person_name" if fulls * 2 >= hits else ("first_name" if firsts >= lasts else "last_name")
    return hits / len(values), kind


def tokens_of(value: str) -> list[str]:
    """The words of a name, folded, without particles and initials."""
    folded = map(_fold, _TOKEN.findall(value))
    return [token for token in folded if token not in _PARTICLES and (len(token) > 1 or not token.isascii())]
