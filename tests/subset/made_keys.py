"""Catalogs and key frames as values: what the key reader would yield, without a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from parity_data.catalog.model import Catalog, Column, ForeignKey, Leaf, Name, Table, Type
from parity_data.subset._codes import Code
from parity_data.subset._draw import draws
from parity_data.subset.keys import TableKeys, link_codes, resolve_links
from parity_data.subset.links import Link, make_links

INTEGER = Type(20, Name("pg_catalog", "int8"), "b", "N")

KEY = b"a key of thirty-two bytes, or so"

#: A value of an integer column, None for NULL.
Value = int | None


@dataclass(frozen=True)
class Made:
    """A table: its columns and rows; primary: columns that make it, none for a table without."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    primary: tuple[str, ...] = ("id",)
    keys: tuple[tuple[tuple[str, ...], str, tuple[str, ...]], ...] = ()
    optional: frozenset[str] = frozenset()
    categories: tuple[str, ...] = ()


def name_of(table: str) -> Name:
    return Name("s", table)


def catalog_of(made: Sequence[Made]) -> Catalog:
    tables = {}
    for i, table in enumerate(made):
        name = name_of(table.name)
        keys = tuple(
            ForeignKey(f"{table.name}_{n}", name, columns, name_of(to), other)
            for n, (columns, to, other) in enumerate(table.keys)
        )
        columns = tuple(
            Column(c, n, INTEGER, "bigint", c in table.optional) for n, c in enumerate(table.columns, 1)
        )
        tables[name] = Table(
            name,
            i,
            "r",
            columns,
            primary_key=table.primary,
            foreign_keys=keys,
            leaves=(Leaf(name, i, "r", 1, 8192, len(table.rows)),),
            bytes=100 * len(table.rows),
        )
    return Catalog("made", 180000, "1", "UTF8", {}, tables)


def keys_of(
    made: Sequence[Made], catalog: Catalog, links: Sequence[Link], key: bytes = KEY
) -> dict[Name, TableKeys]:
    """What ``read_keys`` gives for these rows, resolved."""
    found = {}
    for table in made:
        name = name_of(table.name)
        identity = table.primary or table.columns
        codes = np.array([_code(table, identity, row) or 0 for row in table.rows], np.int64)
        repeats = None if table.primary else _repeats(codes)
        keys = TableKeys(
            catalog.tables[name],
            np.arange(1, len(table.rows) + 1, dtype=np.int64),
            np.zeros(len(table.rows), np.int16),
            draws(codes, repeats, name, key),
        )
        for column in table.categories:
            at = table.columns.index(column)
            keys.categories[column] = np.array(
                [0 if row[at] is None else row[at] + 1 for row in table.rows], np.uint8
            )
        found[name] = keys
    by_name = {name_of(table.name): table for table in made}
    for link in links:
        for code, name in zip(link_codes(catalog, link), (link.table, link.referenced), strict=True):
            found[name].codes[code] = _column(by_name[name], code)
    resolve_links(found, links)
    return found


def _column(table: Made, code: Code) -> tuple[np.ndarray, np.ndarray | None]:
    values = [_code(table, code.columns, row, code.when) for row in table.rows]
    valid = np.array([v is not None for v in values], bool)
    numbers = np.array([v or 0 for v in values], np.int64)
    return numbers, None if valid.all() else valid


def _code(
    table: Made, columns: Sequence[str], row: Sequence[Value], when: tuple[str, str] | None = None
) -> int | None:
    if when is not None and str(row[table.columns.index(when[0])]) != when[1]:
        return None
    values = [row[table.columns.index(c)] for c in columns]
    if table.primary == () and columns == table.columns:
        return hash(tuple(-9 if v is None else v for v in values))
    if any(v is None for v in values):
        return None
    return values[0] if len(values) == 1 else hash(tuple(values))


def _repeats(codes: np.ndarray) -> np.ndarray:
    seen: dict[int, int] = {}
    made = []
    for code in codes.tolist():
        made.append(seen.get(code, 0))
        seen[code] = made[-1] + 1
    return np.array(made, np.int32)


def links_of(catalog: Catalog) -> tuple[Link, ...]:
    return make_links(catalog)


def reversed_catalog(catalog: Catalog) -> Catalog:
    """The same tables in another order."""
    tables: Mapping[Name, Table] = dict(reversed(list(catalog.tables.items())))
    return replace(catalog, tables=tables)
