"""Foreign keys in staging: what resolves in production resolves, what dangles there dangles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from parity_data.catalog.model import Catalog, ForeignKey, Name
from parity_data.verify.result import CheckResult

#: A foreign key by table and constraint name.
KeyName = tuple[Name, str]

_DANGLING = sql.SQL(
    "SELECT count(*) FROM {table} c WHERE {complete}"
    " AND NOT EXISTS (SELECT FROM {referenced} r WHERE {joined})"
)
#: Of a key with PERIOD: the referenced ranges must cover the referencing one together.
_UNCOVERED = sql.SQL(
    "SELECT count(*) FROM {table} c WHERE {complete} AND NOT coalesce("
    "(SELECT range_agg(r.{theirs}) @> c.{mine} FROM {referenced} r WHERE {joined}), false)"
)


def check_foreign_keys(
    connection: psycopg.Connection[Any],
    catalog: Catalog,
    expected_dangling: Mapping[KeyName, int],
    virtual: Iterable[ForeignKey] = (),
) -> list[CheckResult]:
    """'foreign_keys' for each foreign key, those NOT VALID or not enforced included.

    expected_dangling: how many of the chosen rows dangle in production; keys it does not name must not
    dangle at all. virtual: keys that the rules know and the database does not. Raises psycopg.Error.
    """
    results = []
    with connection.cursor(row_factory=tuple_row) as cursor:
        for key in (*catalog.foreign_keys, *virtual):
            row = cursor.execute(_query(catalog, key)).fetchone()
            assert row is not None
            results.append(_check(key, row[0], expected_dangling.get((key.table, key.name), 0)))
    return results


def _query(catalog: Catalog, key: ForeignKey) -> sql.Composed:
    # A key with a NULL in any column refers to nothing under MATCH SIMPLE; MATCH FULL forbids the mixture.
    complete = [sql.SQL("c.{} IS NOT NULL").format(sql.Identifier(column)) for column in key.columns]
    # Spelled out, since the operators of a type may live in any schema.
    operators = key.operators or ("OPERATOR(pg_catalog.=)",) * len(key.columns)
    joined = [
        sql.SQL("r.{} {} c.{}").format(sql.Identifier(theirs), sql.SQL(operator), sql.Identifier(mine))
        for mine, theirs, operator in zip(key.columns, key.referenced_columns, operators, strict=True)
    ]
    parts = {
        "table": _relation(catalog, key.table),
        "referenced": _relation(catalog, key.referenced),
        "complete": sql.SQL(" AND ").join(complete),
    }
    if key.period:
        return _UNCOVERED.format(
            **parts,
            mine=sql.Identifier(key.columns[-1]),
            theirs=sql.Identifier(key.referenced_columns[-1]),
            joined=sql.SQL(" AND ").join(joined[:-1]),
        )
    return _DANGLING.format(**parts, joined=sql.SQL(" AND ").join(joined))


def _relation(catalog: Catalog, name: Name) -> sql.Composable:
    # Foreign keys neither bind nor see rows of inheritance children; those of partitions they do.
    table = catalog.tables.get(name)
    only = table is not None and table.kind != "p"
    return sql.SQL("ONLY " if only else "") + sql.Identifier(name.schema, name.name)


def _check(key: ForeignKey, dangling: int, expected: int) -> CheckResult:
    scope = f"{key.table}.{key.name}"
    if dangling == expected:
        message = f"{dangling:,} rows dangle, as in production." if dangling else "Every row resolves."
        return CheckResult("foreign_keys", scope, "pass", dangling, expected, message)
    rows = f"{dangling:,} row{'s' if dangling != 1 else ''}"
    message = (
        f"{rows} of {key.table} refer to no row of {key.referenced} by ({', '.join(key.columns)}); "
        f"of the rows chosen {expected:,} do so in production."
    )
    return CheckResult("foreign_keys", scope, "fail", dangling, expected, message)
