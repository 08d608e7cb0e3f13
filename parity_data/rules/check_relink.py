"""``relink`` of the policy's ``subset:`` section against the catalog: where it would break something.

A relinked reference leads to another row than in production, so nothing else may hang on its columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from parity_data.catalog.model import Catalog, Column, Name, Table
from parity_data.mask.compatible import mentions
from parity_data.rules.names import format_name
from parity_data.rules.policy import Policy

#: Integer types, each of which holds the values of those before it.
_INTEGERS = ("int2", "int4", "int8")


@dataclass(frozen=True)
class _Reference:
    """A key of the database or the policy, to whole tables.

    when: the column that tells what a polymorphic one refers to. period: as in ForeignKey.
    """

    table: Name
    columns: tuple[str, ...]
    referenced: Name
    referenced_columns: tuple[str, ...]
    when: str | None = None
    period: bool = False


def check_relink(policy: Policy, catalog: Catalog, name: Name) -> Iterator[tuple[int, str, str]]:
    """What is wrong with a table's entries: (place in the list, what, what to do). The table is there."""
    known = _references(policy, catalog)
    for i, columns in enumerate(policy.subset.of(name).relink):
        own = [r for r in known if r.table == name and set(r.columns) == set(columns)]
        if not own:
            listed = "; ".join(", ".join(r.columns) for r in known if r.table == name) or "none"
            yield (
                i,
                f"No foreign key of the table has the columns {', '.join(columns)}.",
                f"Its foreign keys have: {listed}.",
            )
            continue
        why = next(_reasons(policy, catalog, own[0], known), None)
        if why is not None:
            yield i, f"relink cannot be used for the key ({', '.join(columns)}): {why}.", _REMOVE


_REMOVE = "Remove it: what is referenced is then completed."


def _references(policy: Policy, catalog: Catalog) -> list[_Reference]:
    whole = {leaf.name: table.name for table in catalog.tables.values() for leaf in table.leaves}
    declared = [
        _Reference(
            k.table,
            k.columns,
            whole.get(k.referenced, k.referenced),
            k.referenced_columns,
            period=k.period,
        )
        for k in catalog.foreign_keys
    ]
    return declared + [
        _Reference(k.table, k.columns, k.referenced, k.referenced_columns, k.when[0] if k.when else None)
        for k in policy.subset.virtual_keys
    ]


def _reasons(policy: Policy, catalog: Catalog, key: _Reference, known: list[_Reference]) -> Iterator[str]:
    """Why the key cannot be relinked."""
    table, columns = catalog.tables[key.table], set(key.columns)
    if columns == set(policy.subset.of(key.table).owner):
        yield "it is the owner's, whom the table's rows follow"
    if key.period:
        yield "it refers to periods, which several rows may cover together"
    if key.when is not None:
        yield "it refers now to one table, now to another"
    if _leads_back(key, known):
        yield "it leads back to its own table, and what has no end in it could run in a circle"
    if key.referenced in policy.keep_all or policy.subset.of(key.referenced).role == "reference":
        yield f"{format_name(key.referenced)} is kept for what refers to it, and not sampled"
    yield from _bound(table, columns)
    for other in known:
        if other is not key and other.table == key.table and columns & {*other.columns, other.when}:
            yield f"another key, to {format_name(other.referenced)}, shares a column with it"
        if other.referenced == key.table and columns & set(other.referenced_columns):
            yield f"{format_name(other.table)} refers to its columns"
    referenced = catalog.tables.get(key.referenced)
    theirs_by_name = {c.name: c for c in referenced.columns} if referenced else {}
    for mine, theirs in zip(key.columns, key.referenced_columns, strict=False):
        left, right = next((c for c in table.columns if c.name == mine), None), theirs_by_name.get(theirs)
        if left is not None and right is not None and not _holds(left, right):
            yield f"{mine} ({left.sql_type}) cannot hold every value of {theirs} ({right.sql_type})"


def _bound(table: Table, columns: set[str]) -> Iterator[str]:
    """What of the table itself depends on the columns."""
    keys = (table.primary_key, *table.unique_keys)
    if any(columns & set(key) for key in keys) or any(
        mentions(text, column) for text in table.unique_expressions for column in columns
    ):
        yield "its columns are part of a primary key or a unique index"
    if columns & set(table.partition_columns):
        yield "the table is partitioned by it"
    if any(mentions(check, column) for check in table.checks for column in columns):
        yield "a CHECK of the table speaks of its columns"
    if any(c.generated for c in table.columns if c.name in columns):
        yield "the database computes its columns"


def _leads_back(key: _Reference, known: list[_Reference]) -> bool:
    seen: set[Name] = set()
    todo = [key.referenced]
    while todo:
        name = todo.pop()
        if name == key.table:
            return True
        if name not in seen:
            seen.add(name)
            todo += [other.referenced for other in known if other.table == name]
    return False


def _holds(column: Column, other: Column) -> bool:
    """Whether any value of ``other`` can stand in ``column``."""
    own, theirs = column.type.plain.name, other.type.plain.name
    if own == theirs:
        return True
    both = own.name in _INTEGERS and theirs.name in _INTEGERS
    return both and _INTEGERS.index(own.name) >= _INTEGERS.index(theirs.name)
