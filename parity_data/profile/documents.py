"""Paths of JSON documents: how many have them, and which types stand there.

Keys may be somebody's data, such as an address in the place of a field's name: such a step is written ``*``.
A key is shown when it is written like an identifier and many documents on both sides have it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import polars as pl

from parity_data.detect.nested import names_a_field, step
from parity_data.profile.model import PathProfile, Shares, Trait

#: Documents that are looked at on each side, and paths that are shown.
DOCUMENTS, PATHS = 300, 30
#: Documents that must have a key on each side for it to be shown, and the least share of them.
_MEMBERS, _COMMON = 11, 0.02
#: Steps that are followed.
_DEPTH = 12
_TYPES = {str: "text", bool: "boolean", int: "number", float: "number", type(None): "null"}


def profile_paths(production: pl.Series, staging: pl.Series) -> tuple[PathProfile, ...]:
    """The most frequent paths. production, staging: documents as text, without NULLs."""
    sides = _Documents(production), _Documents(staging)
    if any(side.count < _MEMBERS for side in sides):
        return ()
    known = {key for key in sides[0].having if all(side.often(key) for side in sides)}
    for side in sides:
        side.walk(known)
    paths = set(sides[0].paths) | set(sides[1].paths)
    ordered = sorted(paths, key=lambda path: (-max(side.paths[path] for side in sides), path))
    return tuple(_profile(path, *sides) for path in ordered[:PATHS])


def _profile(path: str, production: _Documents, staging: _Documents) -> PathProfile:
    both = production, staging

    def pair(kind: str) -> Shares:
        shares = [
            round(side.types[path, kind] / side.paths[path], 4) if side.paths[path] else None for side in both
        ]
        return shares[0], shares[1]

    kinds = sorted({kind for side in both for at, kind in side.types if at == path})
    there = [round(side.paths[path] / side.count, 4) for side in both]
    return PathProfile(path, (there[0], there[1]), tuple(Trait(kind, pair(kind)) for kind in kinds))


class _Documents:
    """Documents of one side. paths: documents that have each; types: of those, what stands there."""

    def __init__(self, texts: pl.Series) -> None:
        every = max(1, len(texts) // DOCUMENTS)
        self._read = list(_parsed(texts.gather_every(every).head(DOCUMENTS)))
        self.count = len(self._read)
        self.having = Counter(key for document in self._read for key in _keys(document, 0))
        self.paths: Counter[str] = Counter()
        self.types: Counter[tuple[str, str]] = Counter()

    def often(self, key: str) -> bool:
        """Whether the key looks like the name of a field, and enough documents have it."""
        return self.having[key] >= max(_MEMBERS, _COMMON * self.count) and names_a_field(key)

    def walk(self, known: set[str]) -> None:
        """Count paths. known: keys that may be shown."""
        for document in self._read:
            found = set(_leaves(document, "$", known, 0))
            self.types.update(found)
            self.paths.update({path for path, _ in found})


def _parsed(texts: pl.Series) -> Iterator[Any]:
    for text in texts:
        try:
            yield json.loads(text)
        except (ValueError, RecursionError):
            continue


def _keys(value: Any, depth: int) -> set[str]:
    if depth > _DEPTH:
        return set()
    if isinstance(value, dict):
        return set(value).union(*(_keys(item, depth + 1) for item in value.values()))
    if isinstance(value, list):
        return set().union(*(_keys(item, depth + 1) for item in value))
    return set()


def _leaves(value: Any, path: str, known: set[str], depth: int) -> Iterator[tuple[str, str]]:
    """(path, type) of every leaf; of what lies deeper than is followed, the type of its container."""
    if isinstance(value, dict) and value and depth < _DEPTH:
        for key, item in value.items():
            yield from _leaves(item, step(path, key) if key in known else f"{path}.*", known, depth + 1)
    elif isinstance(value, list) and value and depth < _DEPTH:
        for item in value:
            yield from _leaves(item, f"{path}[*]", known, depth + 1)
    else:
        yield path, _TYPES.get(type(value), "object" if isinstance(value, dict) else "array")
