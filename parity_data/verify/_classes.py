"""What a character is, as far as a mask can promise to keep it: by Python's own Unicode tables.

Nothing here comes from the maskers: a table that masks and checks shared would hide its own holes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]

_CHARACTERS = 0x110000
_SCRIPTS = 1 << 10
_UNKNOWN = -1

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


class Classes:
    """Class numbers of characters: equal where everything in ``kept`` is the same."""

    def __init__(self, kept: frozenset[str]) -> None:
        self._kept = kept
        self._table = np.full(_CHARACTERS, _UNKNOWN, np.int64)
        self._fill(range(128))
        _, small = np.unique(self._table[:128], return_inverse=True)
        self.bytes = np.full(256, 255, np.uint8)
        self.bytes[:128] = small

    def of(self, codes: npt.NDArray[np.uint32]) -> I64:
        """Classes of n code points."""
        found = self._table[codes]
        if (found == _UNKNOWN).any():
            self._fill(np.unique(codes[found == _UNKNOWN]).tolist())
            found = self._table[codes]
        return found

    def _fill(self, codes: Iterable[int]) -> None:
        for code in codes:
            self._table[code] = _class(code, self._kept)


@cache
def classes(kept: frozenset[str]) -> Classes:
    """The classes for a set of properties; made once and shared."""
    return Classes(kept)
