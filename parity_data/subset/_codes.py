"""Keys as 64-bit codes, made by the server: equal keys have equal codes, and no key value leaves it as text.

A single integer is its own code. All else goes through the hash function of the type itself, which agrees
with its equality (citext, numeric, nondeterministic collations). Two keys out of 50 million share a code by
chance with probability 7e-5; staging's foreign keys, made after the load, would refuse the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from parity_data.catalog.model import Column, Name, Table, Type
from parity_data.subset.links import is_integer

#: Types with an extended hash function; others are hashed by their text.
_HASHABLE = frozenset(
    (
        *("bool", "bytea", "char", "name", "text", "varchar", "bpchar", "citext", "uuid", "oid"),
        *("int2", "int4", "int8", "numeric", "float4", "float8", "inet", "cidr", "macaddr", "macaddr8"),
        *("date", "time", "timetz", "timestamp", "timestamptz", "interval"),
    )
)
#: Their own hash functions, all strict, of the types that keys and categories mostly have: a row made of one
#: value and hashed takes the server twice the time of the whole pass.
_HASH = {
    Name("pg_catalog", "text"): "hashtextextended",
    Name("pg_catalog", "varchar"): "hashtextextended",
    Name("pg_catalog", "bpchar"): "hashbpcharextended",
    Name("pg_catalog", "uuid"): "uuid_hash_extended",
}


@dataclass(frozen=True)
class Code:
    """A key of a table. types: what each column is cast to, None for its own. when: as in Link."""

    columns: tuple[str, ...]
    types: tuple[Name | None, ...]
    when: tuple[str, str] | None = None


def key_code(
    table: Table,
    columns: tuple[str, ...],
    like: tuple[Column, ...] | None = None,
    when: tuple[str, str] | None = None,
) -> Code:
    """The code of columns, comparable with that of ``like``: the columns they refer to."""
    own = [table.column(c) for c in columns]
    if len(own) == 1 and is_integer(own[0]) and (like is None or is_integer(like[0])):
        return Code(columns, (None,), when)
    wanted = like or tuple(own)
    types = tuple(
        _INT8 if is_integer(w) and is_integer(o) else None if _plain(w) == _plain(o) else _plain(w).name
        for o, w in zip(own, wanted, strict=True)
    )
    return Code(columns, types, when)


_INT8 = Name("pg_catalog", "int8")


def _plain(column: Column) -> Type:
    return column.type.plain


def code_sql(table: Table, code: Code, version: int) -> sql.Composed:
    """The SQL of a code; NULL when a part of the key is."""
    columns = [table.column(c) for c in code.columns]
    if len(columns) == 1 and code.types[0] is None and is_integer(columns[0]):
        made: sql.Composable = sql.SQL("{}::int8").format(sql.Identifier(columns[0].name))
    else:
        parts = [
            sql.SQL("{}::{}").format(sql.Identifier(c.name), sql.Identifier(t.schema, t.name))
            if t is not None
            else sql.Identifier(c.name)
            for c, t in zip(columns, code.types, strict=True)
        ]
        types = [t or _plain(c).name for c, t in zip(columns, code.types, strict=True)]
        made = _hash_unless_null(parts, columns, types, version)
    if code.when is not None:
        column, value = code.when
        made = sql.SQL("CASE WHEN {}::text = {} THEN {} END").format(
            sql.Identifier(column), sql.Literal(value), made
        )
    return sql.SQL("{}").format(made)


def _hash_unless_null(
    parts: Sequence[sql.Composable], columns: list[Column], types: list[Name], version: int
) -> sql.Composed:
    """types: what the parts are of."""
    if len(parts) == 1 and types[0] in _HASH:
        function = sql.Identifier("pg_catalog", _HASH[types[0]])
        return sql.SQL("{}({}, 0)").format(function, parts[0])
    names = sql.SQL(", ").join(sql.Identifier(c.name) for c in columns)
    return sql.SQL("CASE WHEN num_nonnulls({}) = {} THEN {} END").format(
        names, sql.Literal(len(columns)), _hash(parts, columns, version)
    )


def _hash(parts: Sequence[sql.Composable], columns: list[Column], version: int) -> sql.Composed:
    row = sql.SQL("ROW({})").format(sql.SQL(", ").join(parts))
    hashable = all(_plain(c).name.name in _HASHABLE or _plain(c).kind == "e" for c in columns)
    if hashable and version >= 140000:
        return sql.SQL("hash_record_extended({}, 0)").format(row)
    return sql.SQL("hashtextextended({}::text, 0)").format(row)


def value_sql(column: Column, version: int) -> sql.Composed:
    """A column's value as a code for counting categories; NULL stays NULL."""
    name = sql.Identifier(column.name)
    if is_integer(column):
        return sql.SQL("{}::int8").format(name)
    if column.type.plain.name.name == "bool":
        return sql.SQL("{}::int4::int8").format(name)
    return _hash_unless_null([name], [column], [column.type.plain.name], version)
