"""What a character is, as far as a mask can promise to keep it: by Python's own Unicode tables.

Nothing here comes from the maskers: a table that masks and checks shared would hide its own holes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from functools import cache

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]

_CHARACTERS = 0x110000
_SCRIPTS = 1 << 10
_UNKNOWN = -1

#: Parts of Hangul syllables compose without being combining marks (Unicode standard, section 3.12).
_JAMO = range(0x1100, 0x1200)

PLAIN, DECOMPOSES, UNSURE = range(3)

#: The properties of a character that have a class, and the words for them in messages.
PROPERTIES = {
    "script": "the script of letters",
    "case": "upper and lower case",
    "format": "what stands between",
}


@cache
def _script_numbers() -> dict[str, int]:
    return {}


def _script(character: str) -> int:
    """A number for the script: the first word of the character's name, 0 for what is no letter."""
    if not character.isalpha():
        return 0
    word = unicodedata.name(character, "?").split(" ")[0]
    numbers = _script_numbers()
    return numbers.setdefault(word, len(numbers) + 1) % _SCRIPTS


def _class(code: int, kept: frozenset[str]) -> int:
    character = chr(code)
    number = 0
    if "format" in kept and not character.isalnum():
        number = code + 1
    number *= _SCRIPTS
    if "script" in kept:
        number += _script(character)
    number *= 3
    if "case" in kept:
        number += character.isupper() - character.islower() + 1
    return number


def _form(code: int) -> int:
    """What the character means for the normal forms of a text (Unicode standard annex 15).

    PLAIN: nothing. DECOMPOSES: the text is not in NFD. UNSURE: its neighbours decide, or it is never in NFC.
    """
    character = chr(code)
    composed = unicodedata.is_normalized("NFC", character)
    if unicodedata.combining(character) or not composed or code in _JAMO:
        return UNSURE
    return PLAIN if unicodedata.is_normalized("NFD", character) else DECOMPOSES


@cache
def forms() -> Classes:
    """PLAIN, DECOMPOSES or UNSURE for each character."""
    return Classes(_form)


class Classes:
    """Class numbers of characters, worked out when a character is first met."""

    def __init__(self, classify: Callable[[int], int]) -> None:
        self._classify = classify
        self._table = np.full(_CHARACTERS, _UNKNOWN, np.int64)

    def of(self, codes: npt.NDArray[np.uint32]) -> I64:
        """Classes of n code points."""
        found = self._table[codes]
        if (found == _UNKNOWN).any():
            self._fill(np.unique(codes[found == _UNKNOWN]).tolist())
            found = self._table[codes]
        return found

    def _fill(self, codes: Iterable[int]) -> None:
        for code in codes:
            self._table[code] = self._classify(code)


@cache
def classes(kept: frozenset[str]) -> Classes:
    """Equal for characters in which every property of ``kept`` is the same; made once and shared."""
    return Classes(lambda code: _class(code, kept))
