"""What the key pass reads besides keys: categories, pinned rows, columns with extremes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from psycopg import sql

from parity_data.catalog.arrow import ArrowReader
from parity_data.catalog.model import Catalog, Column, Name, Table
from parity_data.errors import RulesError, SourceError
from parity_data.rules.check_subset import line_of
from parity_data.rules.policy import Policy
from parity_data.subset.keys import Wish

#: Distinct values, by the planner's statistics, up to which a column is a category; and columns by table.
MOST_DISTINCT, MOST_COLUMNS = 50, 6

_DISTINCT = """
SELECT schemaname::text, tablename::text, attname::text, max(n_distinct)::float8
FROM pg_stats WHERE n_distinct BETWEEN 2 AND {} GROUP BY 1, 2, 3
"""

#: Columns that lead an index, so that their least and greatest rows cost nothing to find.
_LEADING = """
SELECT DISTINCT n.nspname::text, c.relname::text, a.attname::text
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam AND m.amname = 'btree'
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
WHERE i.indisvalid AND i.indpred IS NULL AND c.relkind = 'r' AND n.nspname !~ '^pg_'
"""

_CATEGORICAL = frozenset(["bool", "text", "varchar", "bpchar", "name", "citext", "int2", "int4", "int8"])
_ORDERED = frozenset(
    ("int2", "int4", "int8", "numeric", "float4", "float8", "date", "timestamp", "timestamptz")
)


def make_wishes(reader: ArrowReader, catalog: Catalog, policy: Policy) -> dict[Name, Wish]:
    """What to read of every table whose rows go. Raises RulesError for rows to pin that are not there."""
    query = sql.SQL(_DISTINCT).format(sql.Literal(MOST_DISTINCT))
    distinct = {(Name(schema, table), column): count for schema, table, column, count in _rows(reader, query)}
    leading = {(Name(s, t), c) for s, t, c in _rows(reader, sql.SQL(_LEADING))}
    wishes = {}
    for name, table in catalog.tables.items():
        if name in policy.exclude_rows:
            continue
        own = policy.subset.of(name)
        keys = {c for link in table.foreign_keys for c in link.columns} | set(table.primary_key)
        known = {c.name for c in table.columns}
        found = _categories(table, keys, {c: n for (t, c), n in distinct.items() if t == name})
        indexed = [
            c.name
            for c in table.columns
            if (name, c.name) in leading and c.name not in keys and c.type.plain.name.name in _ORDERED
        ]
        _require_pins(reader, table, policy)
        wishes[name] = Wish(
            categories=tuple(dict.fromkeys([*(c for c in own.strata if c in known), *found])),
            pins=_pins(table, own.keep, own.ids),
            extremes=tuple(dict.fromkeys([*indexed, *(c for c in own.extremes if c in known)])),
            latest=own.latest if own.latest in known else None,
        )
    return wishes


def _rows(reader: ArrowReader, query: sql.Composable, where: str = "pg_stats") -> Iterator[tuple[Any, ...]]:
    for batch in reader.batches(query, where):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _categories(table: Table, keys: set[str], distinct: dict[str, float]) -> list[str]:
    """Enums and booleans, then columns with few distinct values, the fewest first."""

    def closed(column: Column) -> bool:
        return column.type.plain.kind == "e" or column.type.plain.name.name == "bool"

    def usable(column: Column) -> bool:
        plain = column.type.plain
        return plain.kind == "e" or plain.name.name in _CATEGORICAL

    found = [
        c
        for c in table.columns
        if c.name not in keys and c.generated != "v" and usable(c) and (closed(c) or c.name in distinct)
    ]
    found.sort(key=lambda c: (not closed(c), distinct.get(c.name, 0), c.position))
    return [c.name for c in found[:MOST_COLUMNS]]


def _require_pins(reader: ArrowReader, table: Table, policy: Policy) -> None:
    """Raise RulesError for a condition that is no SQL, or ids that no row has."""
    own = policy.subset.of(table.name)
    relation = sql.Identifier(table.name.schema, table.name.name)

    def error(what: str, todo: str, *path: object) -> RulesError:
        line = line_of(policy, table.name, *path)
        where = f"{policy.file}:{line}" if line else policy.file
        return RulesError(f"subset.tables, {table.name}: {what}", where=where, todo=todo)

    if own.keep is not None:
        query = sql.SQL("SELECT 1 AS c0 FROM {} WHERE ({}) LIMIT 0").format(relation, sql.SQL(own.keep))
        try:
            list(reader.batches(query, str(table.name)))
        except SourceError as trouble:
            raise error(
                f"keep is no condition that PostgreSQL can evaluate here. {trouble.what}",
                "Write what could stand behind WHERE.",
                "keep",
            ) from None
    if own.ids and len(table.primary_key) == 1:
        key = sql.Identifier(table.primary_key[0])
        query = sql.SQL("SELECT {0}::text AS c0 FROM {1} WHERE {0}::text = ANY ({2})").format(
            key, relation, sql.Literal(list(own.ids))
        )
        found = {row[0] for row in _rows(reader, query, str(table.name))}
        missing = [i for i, text in enumerate(own.ids) if text not in found]
        if missing:
            numbers = ", ".join(str(i + 1) for i in missing[:10])
            raise error(
                f"{len(missing)} of {len(own.ids)} ids are no primary key of any row: number {numbers}.",
                "Remove them, or correct them.",
                "ids",
                missing[0],
            )


def _pins(table: Table, keep: str | None, ids: tuple[str, ...]) -> sql.Composable | None:
    """The condition of rows that the policy pins; its SQL is the policy's own, reviewed like code."""
    parts: list[sql.Composable] = []
    if keep is not None:
        parts.append(sql.SQL("({})").format(sql.SQL(keep)))
    if ids and len(table.primary_key) == 1:
        listed = sql.Literal(list(ids))
        parts.append(sql.SQL("{}::text = ANY ({})").format(sql.Identifier(table.primary_key[0]), listed))
    return sql.SQL(" OR ").join(parts) if parts else None
