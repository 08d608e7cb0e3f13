"""Reading one YAML file into plain values that still know their lines.

YAML 1.2 core schema (https://yaml.org/spec/1.2.2/#103-core-schema), with one deviation that keeps
identifiers safe: a mapping key is always the text as written, so a column called ``yes``, ``null`` or
``1`` needs no quotes. Duplicate keys are errors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from parity_data.errors import RulesError

_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_CONSTANTS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True)
class Located:
    """A YAML value. value: the plain Python value (dict, list, str, int, float, bool, None).

    line: 1-based, of the value. text: as written, of a plain scalar, else None. keys: line of each key of
    a mapping. items: the located values below, by key or by index.
    """

    value: Any
    line: int
    text: str | None = None
    keys: dict[str, int] = field(default_factory=dict)
    items: dict[str | int, Located] = field(default_factory=dict)

    def line_of(self, path: tuple[str | int, ...]) -> int:
        """Line of the value at a path, or of the nearest thing above it that exists."""
        here, line = self, self.line
        for step in path:
            if step in here.items:
                line = (
                    here.keys.get(step, here.items[step].line)
                    if isinstance(step, str)
                    else here.items[step].line
                )
                here = here.items[step]
        return line


def read_document(path: Path, shown: str) -> Located:
    """Read a file. shown: what to call it in errors.

    Raises RulesError with file and line: unreadable, not UTF-8, YAML syntax, duplicate or odd keys.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise RulesError("The file is not UTF-8 text.", where=shown, todo="Save it as UTF-8.") from None
    except OSError as error:
        raise RulesError(f"The file cannot be read ({error.strerror}).", where=shown) from None
    return parse_document(text, shown)


def parse_document(text: str, shown: str) -> Located:
    """Like ``read_document``, from text."""
    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark is not None else ""
        raise RulesError(f"YAML syntax: {_problem(error)}.", where=shown + line) from None
    except YAMLError as error:
        line_number = _line_of_character(text, getattr(error, "position", None))
        reason = getattr(error, "reason", None) or type(error).__name__
        raise RulesError(f"YAML syntax: {reason}.", where=f"{shown}{line_number}") from None
    if node is None:
        return Located(None, 1, text="")
    return _convert(node, shown, ())


def _problem(error: MarkedYAMLError) -> str:
    words = [str(part).strip() for part in (error.context, error.problem) if part]
    return ", ".join(words) or type(error).__name__


def _line_of_character(text: str, position: int | None) -> str:
    return "" if position is None else f":{text.count(chr(10), 0, position) + 1}"


def _convert(node: Any, shown: str, above: tuple[int, ...]) -> Located:
    line = node.start_mark.line + 1
    if id(node) in above:
        raise RulesError("An alias refers to a value that contains it.", where=f"{shown}:{line}")
    above = (*above, id(node))
    if isinstance(node, ScalarNode):
        return _scalar(node, line)
    if isinstance(node, SequenceNode):
        items: dict[str | int, Located] = {
            i: _convert(child, shown, above) for i, child in enumerate(node.value)
        }
        return Located([item.value for item in items.values()], line, items=items)
    return _mapping(node, line, shown, above)


def _scalar(node: ScalarNode, line: int) -> Located:
    if node.style is not None:
        return Located(node.value, line)
    text: str = node.value
    if text in _CONSTANTS:
        return Located(_CONSTANTS[text], line, text=text)
    if _INTEGER.fullmatch(text):
        return Located(int(text), line, text=text)
    if _FLOAT.fullmatch(text):
        return Located(float(text), line, text=text)
    return Located(text, line, text=text)


def _mapping(node: MappingNode, line: int, shown: str, above: tuple[int, ...]) -> Located:
    keys: dict[str, int] = {}
    items: dict[str | int, Located] = {}
    merged: list[Located] = []
    for key_node, value_node in node.value:
        key_line = key_node.start_mark.line + 1
        if not isinstance(key_node, ScalarNode):
            raise RulesError("A key must be a name, not a list or a mapping.", where=f"{shown}:{key_line}")
        key: str = key_node.value
        if key == "<<" and key_node.style is None:
            merged += _merged(_convert(value_node, shown, above), key_line, shown)
            continue
        if key in keys:
            raise RulesError(
                f"The key {key!r} occurs twice, first in line {keys[key]}.",
                where=f"{shown}:{key_line}",
                todo="Keep one of them.",
            )
        keys[key] = key_line
        items[key] = _convert(value_node, shown, above)
    for source in merged:
        for inherited, value in source.items.items():
            if inherited not in items:
                items[inherited] = value
                keys[str(inherited)] = source.keys[str(inherited)]
    return Located({key: item.value for key, item in items.items()}, line, keys=keys, items=items)


def _merged(value: Located, line: int, shown: str) -> list[Located]:
    sources = list(value.items.values()) if isinstance(value.value, list) else [value]
    if not all(isinstance(source.value, dict) for source in sources):
        raise RulesError("'<<' must name a mapping.", where=f"{shown}:{line}")
    return sources
