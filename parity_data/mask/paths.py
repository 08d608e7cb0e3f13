"""Paths into documents, written as JSONPath, and which of several rules covers a leaf.

``$.email``, ``$.contacts[*].phone``, ``$.items[0].note``, ``$."a.b"``, ``$.by_day.*`` (any key),
``$.**.email`` (any depth, as PostgreSQL writes it). A rule covers what it names and everything below. As in
PostgreSQL's lax mode an array may be passed over in silence: ``$.contacts.phone`` is ``$.contacts[*].phone``.
https://www.postgresql.org/docs/current/functions-json.html#FUNCTIONS-SQLJSON-PATH
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

#: A step of a leaf's path: a key, or a place in an array.
Step = str | int


@dataclass(frozen=True)
class Wild:
    """A step that stands for many. what: 'key' any key, 'item' any place, 'deep' any number of steps."""

    what: str


_KEY, _ITEM, _DEEP = Wild("key"), Wild("item"), Wild("deep")
_STEP = re.compile(
    r"\.(?P<deep>\*\*|(?=\.))|\.(?P<any>\*)|\.(?P<quoted>\"(?:[^\"\\]|\\.)*\")|\.(?P<key>[^.\[\]\"*\s]+)"
    r"|\[(?P<item>\*|\d+)\]"
)


def parse(path: str) -> tuple[Step | Wild, ...]:
    """The steps of a path. Raises ValueError, in words."""
    if not path.startswith("$"):
        raise ValueError(f"the path {path!r} must begin with $")
    steps: list[Step | Wild] = []
    place = 1
    while place < len(path):
        found = _STEP.match(path, place)
        if found is None:
            raise ValueError(f"the path {path!r} cannot be read from character {place + 1} on")
        place = found.end()
        if found["deep"] is not None:
            steps.append(_DEEP)
        elif found["any"]:
            steps.append(_KEY)
        elif found["quoted"]:
            try:
                steps.append(json.loads(found["quoted"]))
            except ValueError:
                raise ValueError(f"the path {path!r} has a key that is no JSON string") from None
        elif found["key"]:
            steps.append(found["key"])
        else:
            steps.append(_ITEM if found["item"] == "*" else int(found["item"]))
    return tuple(steps)


class Rules:
    """Which of n paths covers a leaf: the one that reaches deepest, then the one with fewest wildcards."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = [parse(path) for path in paths]
        self._wild = [sum(isinstance(step, Wild) for step in path) for path in self._paths]
        self.covering = lru_cache(maxsize=10_000)(self._covering)

    def _covering(self, leaf: tuple[Step, ...]) -> int:
        """The number of the rule for a leaf, -1 for none."""
        best, chosen = (-1, 0), -1
        for number, path in enumerate(self._paths):
            reach = _reach(path, leaf)
            if reach >= 0 and (reach, -self._wild[number]) > best:
                best, chosen = (reach, -self._wild[number]), number
        return chosen

    def naming(self, leaf: tuple[Step, ...]) -> int:
        """The number of a rule that names exactly this place, -1 for none."""
        found = [n for n, path in enumerate(self._paths) if _reach(path, leaf) == len(leaf)]
        return min(found, key=lambda n: self._wild[n], default=-1)


def _reach(path: tuple[Step | Wild, ...], leaf: tuple[Step, ...]) -> int:
    """How many steps of a leaf's path a rule's path reaches, -1 when it does not match."""
    if not path:
        return 0
    step, rest = path[0], path[1:]
    if step == _DEEP:
        reached = [_reach(rest, leaf[i:]) for i in range(len(leaf) + 1)]
        return max((i + r for i, r in enumerate(reached) if r >= 0), default=-1)
    best = -1
    if leaf and _matches(step, leaf[0]):
        best = _reach(rest, leaf[1:])
    elif leaf and isinstance(leaf[0], int) and step != _ITEM and not isinstance(step, int):
        best = _reach(path, leaf[1:])
    elif step == _ITEM and not (leaf and isinstance(leaf[0], int)):
        return _reach(rest, leaf)  # lax mode: one value is an array of one
    return best + 1 if best >= 0 else -1


def _matches(step: Step | Wild, found: Step) -> bool:
    if isinstance(step, Wild):
        return isinstance(found, str if step is _KEY else int)
    return step == found and type(step) is type(found)
