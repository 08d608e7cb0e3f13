"""Specimens: values made up for trials, as near as possible to what a column's conditions are about."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any

from parity_data.catalog.model import Column
from parity_data.mask.conditions import Condition
from parity_data.mask.posix import python_pattern

#: Texts drawn from each regular expression.
_DRAWS = 24

#: Characters that stand for 'any' in a regular expression.
_ANY = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789é李 .-_"

#: More than this many repetitions show nothing new.
_MOST_REPEATS = 30

_OF_FAMILY: dict[str, tuple[str, ...]] = {
    "integer": ("0", "7", "42", "999", "10000", "32767", "2147483647", "9223372036854775807", "-5"),
    "number": ("0", "0.07", "12", "1204.50", "-3.9", "99999.99"),
    "date": ("1984-02-29", "2024-03-01", "1999-12-31"),
    "timestamp": ("2024-03-01 12:30:00+00", "1999-12-31 23:59:59+00"),
    "uuid": ("0190163d-8694-739b-aea5-966c26f8ad91",),
    "network": ("84.132.7.19", "10.0.0.0/8", "2001:db8::1"),
    "boolean": ("t", "f"),
    "text": (
        "a",
        "Ab",
        "x1",
        "Maria Lopez",
        "maria@acme.com",
        "AB-1234",
        "12345",
        "a longer text with 7 words in it",
    ),
}


def specimens(
    samples: Sequence[str], family: str, conditions: Sequence[Condition], column: Column
) -> list[str]:
    """Distinct texts: the masker's samples, usual values of the family, labels, and what conditions name.

    The same ones every time.
    """
    random = Random(7)
    found = [*samples, *_OF_FAMILY.get(family, ()), *column.type.plain.labels]
    for condition in conditions:
        found += condition.constants
        for pattern in condition.patterns:
            found += drawn(pattern, random)
        found += _around(condition.numbers, family)
    if family == "text" and column.max_length is not None:
        found += [text[: column.max_length] for text in found]
        found.append("x" * min(column.max_length, 200))
    return [text for text in dict.fromkeys(found) if text]


def _around(numbers: Iterable[Decimal], family: str) -> Iterator[str]:
    """Values at, below and above the numbers of a condition; texts of such lengths."""
    ordered = sorted(set(numbers))
    for number in ordered:
        if family in ("integer", "number"):
            yield from (f"{number + step:f}" for step in (-1, 0, 1, 10, 1000))
        elif family == "text" and number == int(number) and 0 < number <= 200:
            yield from (("Abc1" * (int(number) // 4 + 1))[: int(number)], "7" * int(number))
    for low, high in pairwise(ordered):
        if family in ("integer", "number"):
            yield from (str(int(low + (high - low) * n / 9)) for n in range(1, 9))


def drawn(pattern: str, random: Random, count: int = _DRAWS) -> list[str]:
    """Texts in which PostgreSQL's regular expression is likely found; none for one without counterpart."""
    try:
        # Public nowhere, and there since the module of regular expressions is.
        tree = re._parser.parse(python_pattern(pattern))  # type: ignore[attr-defined]
    except (re.error, OverflowError):
        return []
    return ["".join(_draw(tree, random)) for _ in range(count)]


def _draw(tree: Any, random: Random) -> Iterator[str]:
    for operation, argument in tree:
        name = str(operation)
        if name == "LITERAL":
            yield chr(argument)
        elif name in ("ANY", "NOT_LITERAL"):
            yield random.choice([c for c in _ANY if argument is None or ord(c) != argument])
        elif name == "IN":
            yield _member(argument, random)
        elif name == "BRANCH":
            yield from _draw(random.choice(argument[1]), random)
        elif name == "SUBPATTERN":
            yield from _draw(argument[-1], random)
        elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            low, high, inner = argument
            low, high = int(low), int(high) if int(high) <= _MOST_REPEATS else int(low) + 5
            for _ in range(random.choice((low, high, random.randint(low, high)))):
                yield from _draw(inner, random)


def _member(members: Any, random: Random) -> str:
    """A character of a bracket expression."""
    if str(members[0][0]) == "NEGATE":
        return random.choice([c for c in _ANY if not any(_within(m, c) for m in members[1:])] or ["x"])
    operation, argument = random.choice(members)
    if str(operation) == "LITERAL":
        return chr(argument)
    if str(operation) == "RANGE":
        return chr(random.randint(argument[0], min(argument[1], argument[0] + 500)))
    return random.choice([c for c in _ANY if _within((operation, argument), c)] or ["x"])


def _within(member: Any, char: str) -> bool:
    operation, argument = member
    if str(operation) == "LITERAL":
        return bool(ord(char) == argument)
    if str(operation) == "RANGE":
        return bool(argument[0] <= ord(char) <= argument[1])
    kind = str(argument)
    test: dict[str, bool] = {
        "DIGIT": char.isdigit(),
        "SPACE": char.isspace(),
        "WORD": char.isalnum() or char == "_",
    }
    return bool(test[kind.rpartition("_")[2]] != ("NOT" in kind))
