"""Adding lines to a YAML file of rules without touching the ones that are there.

New lines are inserted into the text at places that the parser's marks give, so that comments, order,
quotes, anchors and alignment stay byte for byte. The result is read again and compared before it counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from parity_data.errors import RulesError
from parity_data.rules.document import parse_document
from parity_data.rules.propose import dump, flow_pair

#: New rules of one file: table -> column -> YAML value.
Additions = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class _Edit:
    start: int
    stop: int
    text: str


def add_rules(text: str, additions: Additions, shown: str) -> str:
    """The text of a rules file with columns added at the ends of their tables, new tables at the end.

    additions: columns that the file does not have yet. Raises RulesError when the file is laid out in a
    way that leaves no safe place; the text is then to be edited by hand.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    plain = text.replace("\r\n", "\n")
    root = YAML(typ="safe", pure=True).compose(plain)
    tables_key, tables = _child(root, "tables")
    edits: list[_Edit] = []
    new: dict[str, Mapping[str, Any]] = {}
    for table, columns in additions.items():
        key, node = _child(tables, table)
        if key is None or node is None:
            new[table] = columns
        else:
            edits.append(_extend(plain, key, node, columns))
    if new and tables_key is not None and tables is not None:
        edits.append(_extend(plain, tables_key, tables, new))
    result = plain
    for edit in sorted(edits, key=lambda e: (e.start, e.stop), reverse=True):
        result = result[: edit.start] + edit.text + result[edit.stop :]
    _compare(plain, result, additions, shown)
    return result.replace("\n", newline)


def _child(node: Node | None, name: str) -> tuple[Node | None, Node | None]:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value == name:
                return key, value
    return None, None


def _extend(text: str, key: Node, node: Node, entries: Mapping[str, Any]) -> _Edit:
    """The edit that adds entries to the mapping ``key: node``."""
    indent = key.start_mark.column
    if node.start_mark.index < key.start_mark.index:
        return _spread_alias(text, key, entries)
    if isinstance(node, MappingNode) and not node.flow_style and node.value:
        last_key, last = node.value[-1]
        place = line_end(text, last_character(text, last_key, last))
        return _insert(text, place, dump(entries, node.value[0][0].start_mark.column))
    if isinstance(node, MappingNode) and node.value:
        place = text.rindex("}", 0, node.end_mark.index)
        before = text[:place].rstrip()
        comma = "" if before.endswith(",") else ","
        pairs = ", ".join(flow_pair(name, value) for name, value in entries.items())
        return _Edit(len(before), place, f"{comma} {pairs}")
    # Empty: '{}', or nothing at all behind the colon.
    start = text.index(":", key.end_mark.index) + 1
    stop = node.end_mark.index if isinstance(node, MappingNode) else start
    end = line_end(text, stop)
    rest = text[stop:end].rstrip()
    return _Edit(start, end, f"{rest}\n{dump(entries, indent + 2).rstrip(chr(10))}")


def _spread_alias(text: str, key: Node, entries: Mapping[str, Any]) -> _Edit:
    """``table: *shared`` becomes a mapping of its own that merges the shared one."""
    star = text.index("*", key.end_mark.index)
    stop = star
    while stop < len(text) and not text[stop].isspace() and text[stop] not in ",]}":
        stop += 1
    inner = key.start_mark.column + 2
    end = line_end(text, stop)
    colon = text.index(":", key.end_mark.index) + 1
    lines = f"\n{' ' * inner}<<: {text[star:stop]}\n{dump(entries, inner).rstrip(chr(10))}"
    return _Edit(colon, end, f"{text[stop:end].rstrip()}{lines}")


def last_character(text: str, key: Node, node: Node) -> int:
    """Index within the last line that belongs to an entry of a block mapping."""
    if node.start_mark.index < key.start_mark.index:
        return int(key.end_mark.index)
    if isinstance(node, MappingNode) and not node.flow_style and node.value:
        return last_character(text, *node.value[-1])
    if isinstance(node, ScalarNode) and node.style in ("|", ">"):
        lines = text[: node.end_mark.index].rstrip()
        return len(lines)
    return int(max(node.end_mark.index, key.end_mark.index))


def line_end(text: str, index: int) -> int:
    end = text.find("\n", index)
    return len(text) if end < 0 else end


def _insert(text: str, place: int, lines: str) -> _Edit:
    return _Edit(place, place, "\n" + lines.rstrip("\n") + ("" if place < len(text) else "\n"))


def _compare(before: str, after: str, additions: Additions, shown: str) -> None:
    """Whether exactly the additions were added; read back, not assumed."""
    expected = parse_document(before, shown).value
    expected["tables"] = expected["tables"] or {}
    for table, columns in additions.items():
        expected["tables"][table] = {**(expected["tables"].get(table) or {}), **_plain(columns)}
    try:
        same = parse_document(after, shown).value == expected
    except RulesError:
        same = False
    if not same:
        raise RulesError(
            "The file is laid out in a way that leaves no safe place for new lines.",
            where=shown,
            todo="Write its tables in block style (one line per column), or add the lines by hand.",
        )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, str) else value
