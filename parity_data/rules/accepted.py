"""What production was when its rules were accepted: types, labels, paths and partitions, never a value.

It stands in ``accepted.yaml`` beside the rules and is reviewed like them: a line that changes there is a
change of production that somebody has seen.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from parity_data.catalog.model import Catalog, Column, Name, Table, Type
from parity_data.mask import MaskSpec
from parity_data.rules.maskers import KEEP
from parity_data.rules.names import format_name
from parity_data.rules.policy import AcceptedColumn, AcceptedTable
from parity_data.rules.propose import dump, flow, safe

ACCEPTED_FILE = "accepted.yaml"

#: Stands among what a column looked like when its values could not be read.
UNREADABLE = "unreadable"

#: Accepts every change at once.
EVERYTHING = "all"

_HEAD = """\
# yaml-language-server: $schema=.schema/accepted.json

# What production was when the rules were accepted. A refresh stops, or masks, where production differs.
# 'parity scan --write' adds what is new; '--accept schema.table.column' takes what has changed.
# Review changes here like changes of rules. Comments in this file are not kept.
"""


class Looked(Protocol):
    """What detection saw in a column; ``detect.Decision`` is one."""

    @property
    def table(self) -> Name: ...
    @property
    def column(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def band(self) -> str: ...
    @property
    def mask(self) -> MaskSpec: ...
    @property
    def evidence(self) -> tuple[Any, ...]: ...
    @property
    def paths(self) -> tuple[Any, ...]: ...


def observe(column: Column, masker: str | None, seen: Looked | None) -> AcceptedColumn:
    """A column as production has it now. masker: its rule's. seen: None when nobody looked at values."""
    plain = column.type.plain
    return AcceptedColumn(
        type=type_text(column),
        labels=plain.labels if plain.kind == "e" else (),
        attributes=tuple(f"{name} {_name(inner)}" for name, inner in plain.fields),
        paths=tuple(sorted(p.path for p in seen.paths)) if seen is not None and opens(masker) else (),
        looks=looks(seen) if seen is not None and masker == KEEP else (),
    )


def opens(masker: str | None) -> bool:
    """Whether a column's paths matter: it is kept, or masked path by path."""
    return masker in (KEEP, "json", "hstore", "composite")


def looks(seen: Looked) -> tuple[str, ...]:
    """What a column seems to hold: kinds of personal data, or that it could not be read."""
    if unread(seen) is not None:
        return (UNREADABLE,)
    return (seen.kind,) if seen.band == "personal" else ()


def unread(seen: Looked) -> str | None:
    """Why a column's values could not be read, None when they were."""
    for item in seen.evidence:
        if item.source == "sample" and item.weight >= 0.5:
            return str(item.reason)
    return None


def type_text(column: Column) -> str:
    """The SQL type, with the schema of types that people made, whatever the search path."""
    inner = column.type.element if column.type.element is not None else column.type
    if inner.built_in:
        return column.sql_type
    _, bracket, modifier = column.sql_type.partition("(")
    size = f"{bracket}{modifier.partition(')')[0]})" if bracket else ""
    return format_name(inner.name) + size + ("[]" if inner is not column.type else "")


def _name(inner: Type) -> str:
    if inner.element is not None:
        return f"{_name(inner.element)}[]"
    return inner.name.name if inner.built_in else format_name(inner.name)


def updated(
    accepted: Mapping[Name, AcceptedTable],
    catalog: Catalog,
    rules: Mapping[Name, Mapping[str, Any]],
    seen: Iterable[Looked],
    accept: Collection[str] = (),
) -> dict[Name, AcceptedTable]:
    """The state with everything added that has a rule and is new, and what is gone left out.

    rules: of the columns in force. accept: ``schema.table`` or ``schema.table.column`` of what has changed
    and is taken as it is now; EVERYTHING for all.
    """
    looked = {(s.table, s.column): s for s in seen}
    result: dict[Name, AcceptedTable] = {}
    for name, table in catalog.tables.items():
        ruled = rules.get(name, {})
        known = accepted.get(name)
        columns: dict[str, AcceptedColumn] = {}
        for column in table.stored_columns:
            old = known.columns.get(column.name) if known else None
            where = f"{format_name(name)}.{column.name}"
            if column.name not in ruled:
                continue
            now = observe(column, ruled[column.name].mask.name, looked.get((name, column.name)))
            if old is None or {EVERYTHING, where, format_name(name)} & set(accept):
                columns[column.name] = now if old is None else _together(old, now)
            else:
                columns[column.name] = old
        if columns:
            take = known is None or bool({EVERYTHING, format_name(name)} & set(accept))
            result[name] = AcceptedTable(columns, _partitions(table, known, take=take))
    return result


def _together(old: AcceptedColumn, now: AcceptedColumn) -> AcceptedColumn:
    """Paths that this sample did not show stay accepted."""
    return replace(now, paths=tuple(sorted({*old.paths, *now.paths}))) if now.paths else now


def _partitions(table: Table, known: AcceptedTable | None, *, take: bool) -> tuple[str, ...]:
    old = known.partitions if known else ()
    if table.kind != "p" or not take:
        return old
    new = [format_name(leaf.name) for leaf in new_partitions(table, old)]
    return (*old, *new)


def new_partitions(table: Table, known: Iterable[str]) -> list[Any]:
    """Partitions that no accepted name or pattern names."""
    from parity_data.rules.patterns import matches

    patterns = list(known)
    return [
        leaf
        for leaf in table.leaves
        if leaf.name != table.name and not any(matches(p, format_name(leaf.name)) for p in patterns)
    ]


def to_text(accepted: Mapping[Name, AcceptedTable]) -> str:
    """The file. A column of which only the type is known takes one word."""
    tables = {}
    for name, known in accepted.items():
        entry: dict[str, Any] = {"columns": {c: _column(column) for c, column in known.columns.items()}}
        if known.partitions:
            entry["partitions"] = list(known.partitions)
        tables[format_name(name)] = entry
    return f"{_HEAD}{dump({'version': 1, 'tables': tables}, indent=0)}"


def _column(column: AcceptedColumn) -> Any:
    more = {
        name: list(getattr(column, name))
        for name in ("labels", "attributes", "paths", "looks")
        if getattr(column, name)
    }
    return flow(safe({"type": column.type, **more})) if more else column.type


def accepted_path(folder: Path) -> Path:
    """Where the file stands."""
    return folder / ACCEPTED_FILE
