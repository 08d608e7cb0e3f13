"""Links: every reference between tables that the subset honours, declared by the database or the policy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from parity_data.catalog.model import Catalog, Column, ForeignKey, Name
from parity_data.rules.subset import SubsetRules, VirtualKey

Kind = Literal["declared", "virtual", "polymorphic"]


@dataclass(frozen=True)
class Link:
    """A reference from ``table`` to ``referenced``.

    leaf: index of the only partition of ``referenced`` that it may resolve in, None for all of them.
    when: column and value (as text) that a row must have; a row without them references nothing, as if NULL.
    """

    name: str
    table: Name
    columns: tuple[str, ...]
    referenced: Name
    referenced_columns: tuple[str, ...]
    kind: Kind = "declared"
    leaf: int | None = None
    when: tuple[str, str] | None = None

    @property
    def is_self(self) -> bool:
        return self.table == self.referenced


def make_links(catalog: Catalog, virtual: Iterable[VirtualKey] = ()) -> tuple[Link, ...]:
    """All links between tables of the catalog, in the order of table and name.

    A key that refers to a single partition becomes one to the partitioned table, held to that partition.
    """
    leaf_of = {
        leaf.name: (table.name, index)
        for table in catalog.tables.values()
        if table.kind == "p"
        for index, leaf in enumerate(table.leaves)
    }
    links = [_declared(key, leaf_of) for key in catalog.foreign_keys]
    links += [
        Link(
            key.name,
            key.table,
            key.columns,
            key.referenced,
            key.referenced_columns,
            "polymorphic" if key.when else "virtual",
            when=key.when,
        )
        for key in virtual
    ]
    known = [link for link in links if link.table in catalog.tables and link.referenced in catalog.tables]
    return tuple(sorted(known, key=lambda link: (link.table, link.name)))


def _declared(key: ForeignKey, leaf_of: dict[Name, tuple[Name, int]]) -> Link:
    referenced, leaf = leaf_of.get(key.referenced, (key.referenced, None))
    return Link(key.name, key.table, key.columns, referenced, key.referenced_columns, leaf=leaf)


def is_relinked(link: Link, rules: SubsetRules) -> bool:
    """Whether the policy wants references to rows that were not sampled to go to sampled ones."""
    return any(set(columns) == set(link.columns) for columns in rules.of(link.table).relink)


_INTEGERS = frozenset({"int2", "int4", "int8"})


def is_integer(column: Column) -> bool:
    """Whether the column's values travel as 64-bit integers."""
    return column.type.plain.name.name in _INTEGERS and column.type.plain.built_in
