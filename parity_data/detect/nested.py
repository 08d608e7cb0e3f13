"""JSON, hstore, arrays and composite values as fields: one list of texts per path.

Paths are JSONPath as PostgreSQL writes it: ``$.user.mail``, ``$.items[*].name``, ``$."a.b"``, ``$.by_day.*``.
https://www.postgresql.org/docs/current/functions-json.html#FUNCTIONS-SQLJSON-PATH
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from parity_data.detect.lexicon import lexicon
from parity_data.detect.tokens import MIN_PART, words
from parity_data.detect.values import Sample

#: Paths that are told apart in one column.
MOST_PATHS = 500
#: Share of the documents that have a key, and their least number, from which it is part of a structure.
COMMON = 0.05
LEAST_DOCUMENTS = 2

_PLAIN_KEY = re.compile(r"[^\W\d]\w*")
_STRUCTURAL = re.compile(r"[A-Za-z_$][A-Za-z0-9_. $-]{0,62}")
_MANY_DIGITS = re.compile(r"\d{4}")

#: (path, last key, key above it, value) of a leaf of one document.
Met = tuple[str, str, str, Any]


@dataclass
class Leaf:
    """One path. key: the last key on it. above: the key around that. numeric: only numbers were found.

    boolean: nothing but true and false was.
    """

    key: str
    above: str
    values: dict[str, None] = field(default_factory=dict)
    filled: int = 0
    numeric: bool = True
    boolean: bool = False


@dataclass(frozen=True)
class Opened:
    """The fields of a column.

    data_keys: by the path of an object, those of its keys that are data and not structure, such as an
    e-mail address; such a step of a path is written ``.*``. whole: every document could be opened.
    """

    leaves: dict[str, Leaf]
    data_keys: dict[str, tuple[str, ...]]
    whole: bool


def open_documents(sample: Sample, column: str) -> Opened:
    """The leaves of all documents of a sample. Values that are no JSON make it not whole.

    So do documents nested too deep to be walked; newer versions of Python read deeper ones than they walk.
    """
    documents, having = [], Counter[str]()
    whole = not sample.skipped
    for text in sample.values:
        keys: set[str] = set()
        try:
            document = json.loads(text)
            _gather_keys(document, keys)
        except (ValueError, RecursionError):
            whole = False
            continue
        documents.append(document)
        having.update(keys)
    structure = _Structure(len(documents), having)
    leaves: dict[str, Leaf] = {}
    for document in documents:
        found: list[Met] = []
        try:
            structure.walk(document, "$", column, "", found)
        except RecursionError:
            whole = False
            continue
        for path, key, above, value in found:
            leaf = leaves.get(path)
            if leaf is None:
                if len(leaves) >= MOST_PATHS:
                    whole = False
                    continue
                leaf = leaves[path] = Leaf(key, above)
            if value is None or isinstance(value, bool):
                leaf.boolean |= value is not None and not leaf.filled
                continue
            leaf.filled += 1
            leaf.boolean = False
            leaf.numeric &= isinstance(value, int | float)
            stripped = str(value).strip()
            if stripped:
                leaf.values[stripped] = None
    return Opened(leaves, {path: tuple(keys) for path, keys in structure.data_keys.items()}, whole)


class _Structure:
    """Tells keys that name a field from keys that are data: paths are shown to people, data never is."""

    def __init__(self, documents: int, having: Counter[str]) -> None:
        self._documents, self._having = documents, having
        self.data_keys: dict[str, dict[str, None]] = {}
        self._known: dict[str, bool] = {}
        self._steps: dict[tuple[str, str], str] = {}

    def names_a_field(self, key: str) -> bool:
        """Looks like an identifier, and is common or made of words that name fields."""
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._decide(key)
        return known

    def _decide(self, key: str) -> bool:
        if not names_a_field(key):
            return False
        if self._having[key] >= max(LEAST_DOCUMENTS, COMMON * self._documents):
            return True
        return all(word in lexicon().vocabulary or len(word) < MIN_PART for word in words(key))

    def walk(self, value: Any, path: str, key: str, above: str, found: list[Met]) -> None:
        """Add every leaf to those found."""
        if isinstance(value, dict):
            for inner, item in value.items():
                if self.names_a_field(inner):
                    below = self._steps.get((path, inner))
                    if below is None:
                        below = self._steps[path, inner] = step(path, inner)
                    if isinstance(item, dict | list):
                        self.walk(item, below, inner, key, found)
                    else:
                        found.append((below, inner, key, item))
                else:
                    self.data_keys.setdefault(path, {})[inner] = None
                    self.walk(item, f"{path}.*", key, above, found)
        elif isinstance(value, list):
            below = f"{path}[*]"
            for item in value:
                self.walk(item, below, key, above, found)
        else:
            found.append((path, key, above, value))


def names_a_field(key: str) -> bool:
    """Whether a key is written like an identifier, unlike an address, a number or a name with accents."""
    return _STRUCTURAL.fullmatch(key) is not None and _MANY_DIGITS.search(key) is None


def _gather_keys(value: Any, keys: set[str]) -> None:
    if isinstance(value, dict):
        keys.update(value)
        value = value.values()
    elif not isinstance(value, list):
        return
    for item in value:
        if isinstance(item, dict | list):
            _gather_keys(item, keys)


def looks_like_json(sample: Sample) -> bool:
    """Whether most values of a text column are JSON objects or arrays."""
    opening = [text for text in sample.values if text[:1] in "{[" and text[-1:] in "}]"]
    return len(opening) * 2 > len(sample.values) and any(_is_json(text) for text in opening[:5])


def step(path: str, key: str) -> str:
    """A path one key further down."""
    return f"{path}.{key}" if _PLAIN_KEY.fullmatch(key) else f"{path}.{json.dumps(key, ensure_ascii=False)}"


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
