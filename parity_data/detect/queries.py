"""The queries that read a sample: which rows, and how each value is brought over.

A large table is never scanned. Its sample has three parts: pages drawn by TABLESAMPLE SYSTEM, both ends of
the primary key's index, and the last pages of the file, where recent rows lie.
https://www.postgresql.org/docs/current/sql-select.html#SQL-FROM
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import sql

from parity_data.catalog.model import Column, Table
from parity_data.detect.types import READ_AS, class_of

#: Pages read of a table; larger ones are sampled down to about so many.
PAGES = 256
#: Pages looked through for values of columns that are nearly always null.
SPARSE_PAGES = 16 * PAGES
#: Pages at the end of a table that hold its most recent rows.
LAST_PAGES = 8
#: Share of a large table's sample for each end of its index, and for its last pages.
END_SHARE = 0.1

#: Characters of a text that are looked at, and bytes up to which a value is opened at all.
CHARACTERS = 2_000
LARGEST_TEXT = 1_000_000
LARGEST_DOCUMENT = 131_072

#: First version that reads a range of row addresses without reading the whole table.
_TID_RANGES = 140_000

_TEXT = sql.SQL("CASE WHEN pg_column_size({c}) > {most} THEN E'\\x01' ELSE left({c}::text, {length}) END")
_JSON = sql.SQL("CASE WHEN pg_column_size({c}) > {most} THEN E'\\x01' ELSE to_jsonb({c})::text END")

_SELECT = sql.SQL("SELECT {reads} FROM ({parts}) s")
_WHOLE = sql.SQL("SELECT {columns} FROM {table} AS t {sampling} ORDER BY hashtext(t.ctid::text) LIMIT {rows}")
# Without the row's address, which views and foreign tables do not have and rights on columns do not cover.
_PLAIN = sql.SQL("SELECT {columns} FROM {table} AS t LIMIT {rows}")
_SPARSE = sql.SQL(
    "SELECT {columns} FROM {table} AS t {sampling} WHERE {columns} IS DISTINCT FROM NULL LIMIT {rows}"
)
_END = sql.SQL("SELECT {columns} FROM {table} AS t ORDER BY {order} LIMIT {rows}")
_LAST = sql.SQL("SELECT {columns} FROM {table} AS t WHERE t.ctid >= {first}::tid LIMIT {rows}")
_SYSTEM = sql.SQL("TABLESAMPLE SYSTEM ({percent}) REPEATABLE (1)")
_UNION = sql.SQL(") UNION ALL (")


def rows_query(table: Table, wanted: Sequence[Column], rows: int, version: int) -> sql.Composed:
    """Rows from all over a table. version: the server's, as libpq gives it."""
    if _without_addresses(table):
        return plain_query(table, wanted, rows)
    pages = sum(leaf.pages for leaf in table.leaves)
    if pages <= PAGES:
        return _select(table, wanted, [_WHOLE.format(**_names(table, wanted), **_limit(rows), **_all())])
    end = max(1, int(rows * END_SHARE))
    parts = []
    for direction in ("ASC", "DESC"):
        if table.primary_key:
            order = sql.SQL(", ").join(
                sql.SQL("t.{} {}").format(sql.Identifier(c), sql.SQL(direction)) for c in table.primary_key
            )
            parts.append(_END.format(**_names(table, wanted), **_limit(end), order=order))
    if version >= _TID_RANGES and len(table.leaves) == 1:
        first = sql.Literal(f"({max(0, pages - LAST_PAGES)},0)")
        parts.append(_LAST.format(**_names(table, wanted), **_limit(end), first=first))
    rest = rows - end * len(parts)
    sampled = _WHOLE.format(**_names(table, wanted), **_limit(rest), sampling=_sampling(pages, PAGES))
    return _select(table, wanted, [sampled, *parts])


def plain_query(table: Table, wanted: Sequence[Column], rows: int) -> sql.Composed:
    """The first rows there are, for what has no addresses or columns whose rights do not cover them."""
    return _select(table, wanted, [_PLAIN.format(**_names(table, wanted), **_limit(rows))])


def sparse_query(table: Table, column: Column, rows: int) -> sql.Composed:
    """Rows in which a column is not null, from a bounded number of pages."""
    pages = sum(leaf.pages for leaf in table.leaves)
    sampling = sql.SQL("")
    if pages > SPARSE_PAGES and not _without_addresses(table):
        sampling = _sampling(pages, SPARSE_PAGES)  # type: ignore[assignment]
    part = _SPARSE.format(**_names(table, [column]), **_limit(rows), sampling=sampling)
    return _select(table, [column], [part])


def _without_addresses(table: Table) -> bool:
    return table.kind in "fv" or any(leaf.kind == "f" for leaf in table.leaves)


def _select(table: Table, wanted: Sequence[Column], parts: Sequence[sql.Composed]) -> sql.Composed:
    values: list[sql.Composable] = [_read(column) for column in wanted]
    reads = sql.SQL(", ").join(values or [sql.SQL("1")])
    inner = sql.SQL("({})").format(_UNION.join(parts)) if len(parts) > 1 else parts[0]
    return _SELECT.format(reads=reads, parts=inner)


def _names(table: Table, wanted: Sequence[Column]) -> dict[str, Any]:
    columns: list[sql.Composable] = [sql.Identifier("t", column.name) for column in wanted]
    return {
        "columns": sql.SQL(", ").join(columns or [sql.SQL("1")]),
        "table": sql.Identifier(table.name.schema, table.name.name),
    }


def _limit(rows: int) -> dict[str, sql.Literal]:
    return {"rows": sql.Literal(rows)}


def _all() -> dict[str, sql.SQL]:
    return {"sampling": sql.SQL("")}


def _sampling(pages: int, wanted: int) -> sql.Composed:
    return _SYSTEM.format(percent=sql.Literal(max(100.0 * wanted / pages, 1e-6)))


def _read(column: Column) -> sql.Composed:
    name = sql.Identifier("s", column.name)
    if READ_AS[class_of(column)] == "json":
        return _JSON.format(c=name, most=sql.Literal(LARGEST_DOCUMENT))
    return _TEXT.format(c=name, most=sql.Literal(LARGEST_TEXT), length=sql.Literal(CHARACTERS))
