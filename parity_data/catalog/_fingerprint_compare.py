"""Differences between two fingerprints, and the sentence that each makes."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["missing", "unexpected", "changed"]
Objects = Mapping[tuple[str, str], Mapping[str, str]]

#: Attributes that name what an object hangs on; the object goes with it.
_PARENTS = {
    "table": ("table", "view", "materialized view", "foreign table", "composite type"),
    "domain": ("domain",),
}

#: Attributes printed from a parse tree. 16 and later leave out column prefixes that older servers print.
_PRINTED = ("definition", "default", "generated", "using", "with check", "partition bound", "row filter")

_TABLE_PRIVILEGES = ("DELETE", "INSERT", "REFERENCES", "SELECT", "TRIGGER", "TRUNCATE", "UPDATE")

_PREFIX = re.compile(r"[\w$]+\.(?=[\w$])")
_LITERAL = re.compile(r"(E?'(?:[^']|'')*')(?!::regclass)")
_HARMLESS = re.compile(r"'(?:\d{4}-\d\d-\d\d(?:[ T][\d:.+-]*)?|)'")
_LONGEST = 160


@dataclass(frozen=True)
class FingerprintDifference:
    """One difference. kind: 'missing' in the target, 'unexpected' there, or 'changed'.

    attribute: empty when the whole object is missing or unexpected. Values are None where nothing is set.
    They hold definitions in full; ``sentence`` shows no quoted text and no comment.
    """

    kind: Kind
    object_class: str
    name: str
    attribute: str = ""
    source_value: str | None = None
    target_value: str | None = None
    table: str | None = None

    @property
    def sentence(self) -> str:
        """The difference in one sentence for a person."""
        place = f" of {self.table}" if self.table and not self.name.startswith(f"{self.table}.") else ""
        what = f"{self.object_class} {self.name}{place}" if self.name != self.object_class else self.name
        if self.kind == "missing":
            return f"The {what} is missing in staging."
        if self.kind == "unexpected":
            return f"The {what} exists in staging but not in production."
        return f"The {what} differs: {self._change()}."

    def _change(self) -> str:
        source, target, attribute = self.source_value, self.target_value, self.attribute
        if attribute == "comment":
            return _presence("comment", source, target)
        if attribute == "column order":
            return "its columns stand in another order"
        if attribute.startswith("grants to "):
            whom = attribute.removeprefix("grants to ")
            return f"{whom} may {source or 'nothing'} in production and {target or 'nothing'} in staging"
        if attribute == "owner":
            return f"it belongs to {source} in production and to {target} in staging"
        if attribute == "labels" and source and target:
            return _labels(json.loads(source), json.loads(target))
        if "yes" in (source, target):
            holds, lacks = ("production", "staging") if source else ("staging", "production")
            return f"'{attribute}' holds in {holds} and not in {lacks}"
        if "\n" in f"{source}{target}":
            return _lines(attribute, source or "", target or "")
        shown_source, shown_target = _shown(source), _shown(target)
        if shown_source == shown_target or max(len(shown_source), len(shown_target)) > _LONGEST:
            return f"its {attribute} is not the same, {_where(source or '', target or '')}"
        return f"its {attribute} is {shown_source} in production and {shown_target} in staging"


def quote(part: str) -> str:
    """Quotes around a name that would blur where it ends; others stay as they are."""
    return '"' + part.replace('"', '""') + '"' if "." in part or '"' in part else part


def compare_entries(
    source: Objects, target: Objects, source_major: int, target_major: int
) -> list[FingerprintDifference]:
    """Differences between two sets of objects, in the order of their names."""
    differences: list[FingerprintDifference] = []
    for what in sorted(source.keys() | target.keys()):
        here, there = source.get(what), target.get(what)
        table = (here or there or {}).get("table")
        if here is None or there is None:
            if not _goes_with_parent(source, target, here or there or {}):
                kind: Kind = "missing" if there is None else "unexpected"
                differences.append(FingerprintDifference(kind, *what, table=table))
            continue
        for attribute in sorted(here.keys() | there.keys()):
            mine, theirs = here.get(attribute), there.get(attribute)
            if mine != theirs and not _same(attribute, mine, theirs, source_major, target_major):
                differences.append(
                    FingerprintDifference("changed", *what, attribute, mine, theirs, table=table)
                )
    return differences


def _goes_with_parent(source: Objects, target: Objects, attributes: Mapping[str, str]) -> bool:
    """Whether what an object hangs on is absent on one side, and so says it all."""
    table = attributes.get("table")
    if table and "constraint" in attributes:
        key = "constraint", f"{table}.{quote(attributes['constraint'])}"
        if (key in source) != (key in target):
            return True
    for attribute, kinds in _PARENTS.items():
        if parent := attributes.get(attribute):
            return any(((kind, parent) in source) != ((kind, parent) in target) for kind in kinds)
    return False


def _same(
    attribute: str, source: str | None, target: str | None, source_major: int, target_major: int
) -> bool:
    if attribute == "column order" and source and target:
        # A column that only one side has is a difference of its own, not a shift of all that follow it.
        mine, theirs = json.loads(source), json.loads(target)
        both = set(mine) & set(theirs)
        return [c for c in mine if c in both] == [c for c in theirs if c in both]
    if source_major == target_major or source is None or target is None:
        return False
    if attribute.startswith("grants to ") and min(source_major, target_major) < 17:
        return _without_maintain(source) == _without_maintain(target)
    return attribute in _PRINTED and _loose(source) == _loose(target)


def _without_maintain(privileges: str) -> set[str]:
    """Privileges as servers before 17 know them, which had no MAINTAIN."""
    named = set(privileges.split(", ")) - {"MAINTAIN", "MAINTAIN*"}
    for everything, mark in (("ALL", ""), ("ALL*", "*")):
        if named == {privilege + mark for privilege in _TABLE_PRIVILEGES}:
            return {everything}
    return named


def _loose(definition: str) -> str:
    """A definition without what major versions print differently: prefixes, parentheses, blanks, quotes."""
    return re.sub(r'[\s()"]+', "", _PREFIX.sub("", definition.replace('"', "")))


def _presence(what: str, source: str | None, target: str | None) -> str:
    if source is None:
        return f"there is a {what} in staging and none in production"
    if target is None:
        return f"there is a {what} in production and none in staging"
    return f"its {what} is not the same"


def _labels(source: Iterable[str], target: Iterable[str]) -> str:
    mine, theirs = list(source), list(target)
    lacking = [label for label in mine if label not in theirs]
    extra = [label for label in theirs if label not in mine]
    said = [f"staging lacks the label {label}" for label in lacking]
    said += [f"only staging has the label {label}" for label in extra]
    if not said:
        said = ["its labels stand in another order"]
    return ", ".join(said[:5]) + (f", and {len(said) - 5} more" if len(said) > 5 else "")


def _lines(attribute: str, source: str, target: str) -> str:
    mine, theirs = source.splitlines(), target.splitlines()
    changed = [
        tag
        for tag in difflib.SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes()
        if tag[0] != "equal"
    ]
    first = changed[0][1] + 1 if changed else 1
    more = f" and {len(changed) - 1} more places" if len(changed) > 1 else ""
    return f"its {attribute} is not the same from line {first} on{more}"


def _where(source: str, target: str) -> str:
    place = next(
        (i for i, (a, b) in enumerate(zip(source, target, strict=False)) if a != b),
        min(len(source), len(target)),
    )
    return f"from character {place + 1} on"


def _shown(value: str | None) -> str:
    """A value for a sentence, with quoted text left out: a default or a list may quote data."""
    if value is None:
        return "not set"
    return _LITERAL.sub(lambda found: found[1] if _HARMLESS.fullmatch(found[1]) else "'…'", value)
