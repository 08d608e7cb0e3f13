"""Reading ``declared_differences.yaml``, and adding entries to it without touching those of people."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StrictFloat, StrictInt, StrictStr, model_validator
from pydantic_core import PydanticCustomError
from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node, SequenceNode

from parity_data.errors import RulesError
from parity_data.rules.declared import PROOFS, WITHOUT_BOUND, DeclaredDifference
from parity_data.rules.document import parse_document
from parity_data.rules.edit import last_character, line_end
from parity_data.rules.entry import Entry, Reason, Text
from parity_data.rules.propose import dump

_HEAD = """\
# yaml-language-server: $schema=.schema/declared_differences.json

# Differences between production and staging that are wanted. 'parity verify --propose' adds what differs and
# is not declared; a person says why, for how long, and who answers for it.
version: 1
"""
_KEY = "differences"


def _what(value: Any) -> Any:
    if isinstance(value, str) and value.strip().casefold() in PROOFS:
        raise PydanticCustomError(
            "proof", "cannot be '{value}': what that check finds is a defect of the run", {"value": value}
        )
    return value


def _owner(value: Any) -> Any:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise PydanticCustomError("owner", "needs somebody who answers for it")
    return value


def _day(value: Any) -> Any:
    try:
        date.fromisoformat(value)
    except (TypeError, ValueError):
        raise PydanticCustomError("day", "must be a day such as 2027-01-31") from None
    return value


class DifferenceEntry(Entry):
    """A difference between production and staging that is wanted."""

    scope: Annotated[
        Text, Field(description="schema.table, a column of it, another object, 'server' or 'database'.")
    ]
    what: Annotated[
        Text,
        BeforeValidator(_what),
        Field(description="A class of objects, an attribute, both, a check, or a part of the sentence."),
    ]
    bound: Annotated[StrictInt | StrictFloat, Field(ge=0)] | None = Field(
        default=None, description="How far the check's figure may go, or how many objects may differ."
    )
    reason: Reason
    owner: Annotated[
        StrictStr, BeforeValidator(_owner), Field(min_length=1, description="Who answers for it.")
    ]
    ticket: Text | None = None
    expires: (
        Annotated[StrictStr, BeforeValidator(_day), Field(json_schema_extra={"format": "date"})] | None
    ) = Field(default=None, description="The last day on which it holds without anybody being asked.")

    @model_validator(mode="after")
    def _bound_means_something(self) -> DifferenceEntry:
        if self.bound is not None and self.what.strip().casefold() in WITHOUT_BOUND:
            raise PydanticCustomError("no_bound", "'{what}' takes no bound", {"what": self.what})
        return self


class DeclaredEntry(Entry):
    """declared_differences.yaml"""

    version: Annotated[Literal[1], Field(description="Version of the file format.")]
    differences: list[DifferenceEntry] = Field(default=[], description="What differs, and why it may.")


def difference_of(entry: DifferenceEntry, file: str, line: int) -> DeclaredDifference:
    """The value of an entry. file, line: where it is written."""
    return DeclaredDifference(
        entry.scope,
        entry.what,
        entry.reason,
        bound=entry.bound,
        owner=entry.owner,
        ticket=entry.ticket,
        expires=date.fromisoformat(entry.expires) if entry.expires else None,
        file=file,
        line=line,
    )


@dataclass(frozen=True)
class Proposal:
    """An entry to write. difference: without a reason where a person has to give it. note: what was seen."""

    difference: DeclaredDifference
    note: str = ""


def written(text: str, shown: str) -> set[tuple[str, str]]:
    """(scope, what) of every entry of a file, finished or not. Raises RulesError."""
    value = parse_document(text, shown).value
    entries = value.get(_KEY) if isinstance(value, Mapping) else None
    return {
        (str(e.get("scope")), str(e.get("what")))
        for e in (entries if isinstance(entries, list) else ())
        if isinstance(e, Mapping)
    }


def extended(text: str, proposals: Sequence[Proposal], shown: str) -> str:
    """The file's text with entries added at the end of its list; everything else stays byte for byte.

    text: empty for a new file. Raises RulesError when the list is laid out so that there is no safe place.
    """
    if not text.strip():
        text = _HEAD
    newline = "\r\n" if "\r\n" in text else "\n"
    plain = text.replace("\r\n", "\n")
    result = _added(plain, proposals)
    found, after = parse_document(plain, shown).value, None
    before = found if isinstance(found, Mapping) else {}
    expected = {**before, _KEY: [*(before.get(_KEY) or []), *(_entry(p.difference) for p in proposals)]}
    with contextlib.suppress(RulesError):
        after = parse_document(result, shown).value
    if after != expected:
        raise RulesError(
            "The list is laid out in a way that leaves no safe place for new entries.",
            where=shown,
            todo="Write it in block style, one '- scope: ...' for each entry, or add the entries by hand.",
        )
    return result.replace("\n", newline)


def _added(text: str, proposals: Iterable[Proposal]) -> str:
    root = YAML(typ="safe", pure=True).compose(text)
    key, node = _child(root, _KEY)
    if key is None:
        ending = "" if text.endswith("\n") else "\n"
        return f"{text}{ending}{_KEY}:\n{_lines(proposals, 2)}"
    if isinstance(node, SequenceNode) and node.value and not node.flow_style:
        last = node.value[-1]
        place = line_end(text, last_character(text, last, last))
        lines = _lines(proposals, node.start_mark.column)
        return f"{text[:place]}\n{lines.rstrip()}{text[place:] or chr(10)}"
    if isinstance(node, SequenceNode) and node.value:
        return text  # in brackets: the reader's comparison refuses it
    start = text.index(":", key.end_mark.index) + 1
    # Empty: '[]', '~', or nothing at all behind the colon.
    stop = node.end_mark.index if isinstance(node, SequenceNode) or node.value else start
    end = line_end(text, stop)
    rest = text[stop:end].rstrip()
    lines = _lines(proposals, key.start_mark.column + 2).rstrip()
    return f"{text[:start]}{rest}\n{lines}{text[end:] or chr(10)}"


def _child(node: Node | None, name: str) -> tuple[Any, Any]:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value == name:
                return key, value
    return None, None


def _lines(proposals: Iterable[Proposal], indent: int) -> str:
    """Block style lines of entries, each behind what was seen, as a comment."""
    blanks = " " * indent
    found = []
    for proposal in proposals:
        note = "".join(c if c.isprintable() else "?" for c in " ".join(proposal.note.split()))
        found.append(f"{blanks}# {note}\n" if note else "")
        entry = dump(_entry(proposal.difference), indent + 2)
        found.append(f"{blanks}- {entry[indent + 2 :]}")
    return "".join(found)


def _entry(difference: DeclaredDifference) -> dict[str, Any]:
    """The mapping as it is written; what is not given is left out, but for the reason."""
    entry = {
        "scope": difference.scope,
        "what": difference.what,
        "bound": difference.bound,
        "reason": difference.reason,
        "owner": difference.owner,
        "ticket": difference.ticket,
        "expires": difference.expires.isoformat() if difference.expires else None,
    }
    return {name: value for name, value in entry.items() if value is not None}
