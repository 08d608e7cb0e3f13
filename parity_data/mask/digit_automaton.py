"""Regular expressions over decimal digits as deterministic automata.

The subset is that of the numbering plans of ``phonenumbers``: digits, classes, groups, alternatives,
repetition and anchors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import numpy.typing as npt

from parity_data.mask.phone_loops import DEAD, START

_TOKEN = re.compile(
    r"(?P<open>\((?:\?:)?)|(?P<close>\))|(?P<other>\|)|(?P<end>\$)"
    r"|(?P<some>[0-9]|\\d|\[(?:[0-9]-[0-9]|[0-9])+\])"
    r"|(?P<repeat>[?*+]|\{(?P<least>\d+)(?P<comma>,)?(?P<most>\d*)\})"
)

#: What an anchor reads: the end of the text, as one more digit.
_END = 10


@dataclass(frozen=True)
class Automaton:
    """s states. following: (s, 10) uint16, the next state by digit; accepting: s booleans."""

    following: npt.NDArray[np.uint16]
    accepting: npt.NDArray[np.bool_]

    def accepts(self, digits: str) -> bool:
        """Whether the expression matches all of a text of ASCII digits."""
        state = START
        for digit in digits:
            state = int(self.following[state, int(digit)])
        return bool(self.accepting[state])


@dataclass(frozen=True)
class _Part:
    """A part of an expression: whether it matches nothing at all, and the places it begins and ends with."""

    empty: bool
    first: int
    last: int


@dataclass
class _Places:
    """The places of an expression where each digit can be read, and those that follow each. Sets are bits."""

    read: list[int] = field(default_factory=lambda: [0] * (_END + 1))
    follow: list[int] = field(default_factory=lambda: [0])

    def add(self, digits: tuple[int, ...]) -> _Part:
        place = 1 << len(self.follow)
        self.follow.append(0)
        for digit in digits:
            self.read[digit] |= place
        return _Part(False, place, place)

    def joined(self, left: _Part, right: _Part) -> _Part:
        for place in _members(left.last):
            self.follow[place] |= right.first
        return _Part(
            left.empty and right.empty,
            left.first | right.first if left.empty else left.first,
            left.last | right.last if right.empty else right.last,
        )


def automaton(pattern: str) -> Automaton:
    """The automaton of an expression that is to match the whole text.

    A place automaton (Glushkov 1961) made deterministic (Rabin, Scott 1959). Raises ValueError where the
    expression is not of the subset, or needs more states than there are numbers.
    """
    places = _Places()
    whole = _Parser(pattern, places).whole()
    places.follow[0] = whole.first
    ends = whole.last | int(whole.empty)
    number, sets = {0: DEAD, 1: START}, [0, 1]
    rows, accepting = [], []
    for here in sets:
        after = 0
        for place in _members(here):
            after |= places.follow[place]
        row = []
        for digit in range(_END):
            then = after & places.read[digit]
            if then not in number:
                number[then] = len(sets)
                sets.append(then)
            row.append(number[then])
        rows.append(row)
        accepting.append(_ends(here, after & places.read[_END], ends, places.follow, places.read[_END]))
        if len(sets) > np.iinfo(np.uint16).max:
            raise ValueError("The expression needs too many states.")
    return Automaton(np.array(rows, np.uint16), np.array(accepting, np.bool_))


def _ends(here: int, at_end: int, ends: int, follow: list[int], read_end: int) -> bool:
    """Whether a set of places is at the end, through anchors where need be."""
    while at_end & ~here:
        here |= at_end
        for place in _members(at_end):
            at_end |= follow[place] & read_end
    return bool(here & ends)


def _members(places: int) -> list[int]:
    """The numbers of the bits that are set."""
    found = []
    while places:
        lowest = places & -places
        found.append(lowest.bit_length() - 1)
        places ^= lowest
    return found


class _Parser:
    """Reads an expression; each time a part is to be repeated, it is read again."""

    def __init__(self, pattern: str, places: _Places) -> None:
        self._tokens = self._split(pattern)
        self._at = 0
        self._places = places

    @staticmethod
    def _split(pattern: str) -> list[re.Match[str]]:
        tokens, at = [], 0
        while at < len(pattern):
            token = _TOKEN.match(pattern, at)
            if token is None:
                raise ValueError(f"Not known in an expression over digits: {pattern[at : at + 10]!r}")
            tokens.append(token)
            at = token.end()
        return tokens

    def whole(self) -> _Part:
        part = self._alternatives()
        if self._at < len(self._tokens):
            raise ValueError("A bracket is closed that was not opened.")
        return part

    def _kind(self) -> str | None:
        """What comes next, None at the end."""
        return self._tokens[self._at].lastgroup if self._at < len(self._tokens) else None

    def _alternatives(self) -> _Part:
        part = self._sequence()
        while self._kind() == "other":
            self._at += 1
            more = self._sequence()
            part = _Part(part.empty or more.empty, part.first | more.first, part.last | more.last)
        return part

    def _sequence(self) -> _Part:
        part = _Part(True, 0, 0)
        while self._kind() not in (None, "other", "close"):
            part = self._places.joined(part, self._repeated())
        return part

    def _repeated(self) -> _Part:
        begin = self._at
        part = self._one()
        if self._kind() != "repeat":
            return part
        least, most = _times(self._tokens[self._at])
        after = self._at + 1
        if most is not None and not 0 < most >= least:
            raise ValueError("A part of the expression is repeated zero times, or between 2 and 1 times.")
        # Where there is no upper limit, the last of the copies may follow itself.
        for count in range(1, max(least, 1) if most is None else most):
            self._at = begin
            copy = self._one()
            part = self._places.joined(part, _Part(copy.empty or count >= least, copy.first, copy.last))
            if most is None and count == least - 1:
                self._places.joined(copy, copy)
        if most is None and least < 2:
            self._places.joined(part, part)
        self._at = after
        if self._kind() == "repeat":
            raise ValueError("Lazy and possessive repetition are not known.")
        return _Part(part.empty or least == 0, part.first, part.last)

    def _one(self) -> _Part:
        token = self._tokens[self._at]
        self._at += 1
        if token.lastgroup == "open":
            part = self._alternatives()
            if self._kind() != "close":
                raise ValueError("A bracket is not closed.")
            self._at += 1
            return part
        if token.lastgroup == "end":
            return self._places.add((_END,))
        if token.lastgroup == "some":
            return self._places.add(_digits(token[0]))
        raise ValueError(f"Nothing to repeat before {token[0]!r}.")


def _times(token: re.Match[str]) -> tuple[int, int | None]:
    """How often a part is repeated: at least, at most; None without limit."""
    if token[0] in "?*+":
        return {"?": (0, 1), "*": (0, None), "+": (1, None)}[token[0]]
    least = int(token["least"])
    if token["most"]:
        return least, int(token["most"])
    return least, None if token["comma"] else least


@cache
def _digits(token: str) -> tuple[int, ...]:
    """What a digit, ``\\d`` or a class stands for."""
    try:
        return tuple(digit for digit in range(10) if re.fullmatch(token, str(digit)))
    except re.error as error:
        raise ValueError(f"Not a class of digits: {token!r}") from error
