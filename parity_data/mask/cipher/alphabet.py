"""Which characters may stand for each other: arrays by code point, read from ``alphabets.json`` once."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources

import numpy as np
import numpy.typing as npt

#: Alphabet of a character that always stays and ends a token.
STAYS = 0
#: The first entry of the table: characters that stay, but inside a token: combining marks and joiners.
MARK = 1

#: Length of arrays by code point.
CODE_POINTS = 0x110000


@dataclass(frozen=True)
class Alphabets:
    """Arrays by code point, all of length 0x110000, and by alphabet.

    of: alphabet number (uint16). index: place in the alphabet, the same for both cases. fold: the small
    letter of a pair, else the character. upper: the capital. kind: 0 other, 1 letter or mark, 2 digit.
    size: members by alphabet. start, members: code points of alphabet a are members[start[a]:][:size[a]].
    """

    of: npt.NDArray[np.uint16]
    index: npt.NDArray[np.uint16]
    fold: npt.NDArray[np.uint32]
    upper: npt.NDArray[np.uint32]
    kind: npt.NDArray[np.uint8]
    size: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    members: npt.NDArray[np.uint32]


@cache
def alphabets() -> Alphabets:
    """The one table. Built on first use (milliseconds), then shared and never written to."""
    text = resources.files(__package__).joinpath("alphabets.json").read_text(encoding="ascii")
    of = np.zeros(CODE_POINTS, np.uint16)
    index = np.zeros(CODE_POINTS, np.uint16)
    fold = np.arange(CODE_POINTS, dtype=np.uint32)
    upper = fold.copy()
    kind = np.zeros(CODE_POINTS, np.uint8)
    groups = [np.zeros(1, np.uint32)]
    entries = [*json.loads(text), *({"script": "digits", "members": f"{zero:x}*a"} for zero in _zeros())]
    for number, entry in enumerate(entries, start=MARK):
        members = _decode(entry["members"])
        of[members], index[members] = number, np.arange(len(members))
        kind[members] = 2 if entry["script"] == "digits" else 1
        if "upper" in entry:
            capitals = _decode(entry["upper"])
            of[capitals], index[capitals], kind[capitals] = number, np.arange(len(members)), 1
            fold[capitals], upper[members] = members, capitals
        groups.append(members)  # type: ignore[arg-type]
    index[of == MARK] = 0
    size = np.array([len(g) for g in groups], np.int64)
    start = np.concatenate([[0], np.cumsum(size)[:-1]])
    return Alphabets(of, index, fold, upper, kind, size, start, np.concatenate(groups).astype(np.uint32))


@lru_cache(maxsize=20_000)
def restricted(alphabet: int, marks: str, member: str) -> tuple[int, ...]:
    """Members that, before these marks, are in the same normal forms as ``member`` is.

    Keeps NFC text in NFC and NFD text in NFD: ``e`` + acute may become ``o`` + acute, which composes
    too, but ``x`` + caron does not compose and must not become ``z`` + caron, which does. Both cases count:
    capital I + dot above composes, small i + dot above does not.
    """
    table = alphabets()
    first = table.start[alphabet]
    group = table.members[first : first + table.size[alphabet]].tolist()

    def forms(code: int) -> tuple[tuple[bool, bool], tuple[bool, bool]]:
        return _forms(chr(code) + marks), _forms(chr(table.upper[code]) + marks)

    wanted = forms(ord(member))
    return tuple(code for code in group if forms(code) == wanted)


def _forms(text: str) -> tuple[bool, bool]:
    return unicodedata.is_normalized("NFC", text), unicodedata.is_normalized("NFD", text)


def _zeros() -> list[int]:
    """First digit of every set of ten decimal digits that the table knows."""
    return [int(zero, 16) for zero in _ZEROS.split()]


def _decode(text: str) -> npt.NDArray[np.int64]:
    """Undo ``make_alphabets._ranges``."""
    parts: list[npt.NDArray[np.int64]] = []
    previous = 0
    for part in text.split(" "):
        step, _, run = part.lstrip("-").partition("*")
        first = previous + (-int(step, 16) if part.startswith("-") else int(step, 16))
        length = int(run, 16) if run else 1
        parts.append(np.arange(first, first + length))
        previous = first + length - 1
    return np.concatenate(parts)


#: Unicode 14.0: sets of decimal digits (category Nd), by their zero.
_ZEROS = (
    "30 660 6F0 7C0 966 9E6 A66 AE6 B66 BE6 C66 CE6 D66 DE6 E50 ED0 F20 1040 1090 17E0 1810 1946 19D0 "
    "1A80 1A90 1B50 1BB0 1C40 1C50 A620 A8D0 A900 A9D0 A9F0 AA50 ABF0 FF10 104A0 10D30 11066 110F0 11136 "
    "111D0 112F0 11450 114D0 11650 116C0 11730 118E0 11950 11C50 11D50 11DA0 16A60 16AC0 16B50 1D7CE 1D7D8 "
    "1D7E2 1D7EC 1D7F6 1E140 1E2F0 1E950 1FBF0"
)
