"""Identifiers as words: camelCase, snake_case, digits, glued words, accents."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache

_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[^\W\d_]+|\d+")
_LETTERS = str.maketrans(
    {"ß": "ss", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "Ae", "đ": "d", "ı": "i"}
)

#: Words shorter than this are not cut into parts: too many short words fit by chance.
MIN_GLUED = 7
MIN_PART = 3


def fold(text: str) -> str:
    """Lower case without accents; scripts without case stay as they are."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    return "".join(ch for ch in plain if not unicodedata.combining(ch)).lower()


def words(identifier: str) -> tuple[str, ...]:
    """The words of an identifier in order, folded; runs of digits are words of their own."""
    spaced = _BOUNDARY.sub(" ", identifier.translate(_LETTERS))
    # Hangul and the like come back composed, as the word lists have them.
    return tuple(unicodedata.normalize("NFC", fold(word)) for word in _WORD.findall(spaced))


def split_glued(word: str, vocabulary: Collection[str]) -> tuple[str, ...]:
    """A word nobody knows, cut into the fewest known words; itself when that is not possible."""
    if word in vocabulary or len(word) < MIN_GLUED or not word.isascii():
        return (word,)
    known = vocabulary if isinstance(vocabulary, frozenset) else frozenset(vocabulary)
    return _cut(word, known) or (word,)


@lru_cache(maxsize=100_000)
def _cut(word: str, vocabulary: frozenset[str]) -> tuple[str, ...] | None:
    best: list[tuple[str, ...] | None] = [()] + [None] * len(word)
    for end in range(MIN_PART, len(word) + 1):
        for start in range(end - MIN_PART + 1):
            before = best[start]
            part = word[start:end]
            if before is not None and part in vocabulary:
                current = best[end]
                if current is None or len(before) + 1 < len(current):
                    best[end] = (*before, part)
    return best[len(word)]
