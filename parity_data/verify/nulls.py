"""NULLs: a column has as many in staging as among the rows sent."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from parity_data.catalog.model import Catalog, Name
from parity_data.catalog.reading import own_rows
from parity_data.verify.result import CheckResult

#: A column by table and name.
ColumnKey = tuple[Name, str]

_COUNT = sql.SQL("SELECT {} FROM {}")
#: Not IS NULL, which also holds for a composite value whose fields are all NULL.
_NULLS = sql.SQL("count(*) - count({})")
#: Below the 1,664 columns that a result may have (MaxTupleAttributeNumber).
_COLUMNS_AT_ONCE = 1500


def check_nulls(
    expected: Mapping[ColumnKey, int],
    staged: Mapping[ColumnKey, int],
    masked_null: Collection[ColumnKey] = frozenset(),
    rows: Mapping[Name, int] | None = None,
) -> list[CheckResult]:
    """'null_share' for each column of ``expected``: counts must be equal.

    expected: NULLs among the raw rows that were sent. staged: NULLs counted in staging. masked_null: columns
    that the rules make NULL altogether; with ``rows`` (staged rows by table) every row of them must be.
    """
    return [
        _check(key, count, staged.get(key), key in masked_null, None if rows is None else rows.get(key[0]))
        for key, count in sorted(expected.items())
    ]


def staged_nulls(
    connection: psycopg.Connection[Any], catalog: Catalog
) -> tuple[dict[Name, int], dict[ColumnKey, int]]:
    """(rows by table, NULLs by column) of staging: one sequential scan for each table.

    catalog: names the tables and columns. Raises psycopg.Error.
    """
    rows: dict[Name, int] = {}
    nulls: dict[ColumnKey, int] = {}
    with connection.cursor(row_factory=tuple_row) as cursor:
        for name, table in catalog.tables.items():
            # A table without columns has rows, too.
            for some in _slices(iter([column.name for column in table.columns])) or [[]]:
                counts = [sql.SQL("count(*)"), *(_NULLS.format(sql.Identifier(c)) for c in some)]
                query = _COUNT.format(sql.SQL(", ").join(counts), own_rows(table))
                row = cursor.execute(query).fetchone()
                assert row is not None
                rows[name] = row[0]
                nulls.update(((name, column), n) for column, n in zip(some, row[1:], strict=True))
    return rows, nulls


def _slices(columns: Iterator[str]) -> list[list[str]]:
    return list(iter(lambda: list(islice(columns, _COLUMNS_AT_ONCE)), []))


def _check(
    key: ColumnKey, expected: int, staged: int | None, masked_null: bool, rows: int | None
) -> CheckResult:
    scope = f"{key[0]}.{key[1]}"
    if staged is None:
        return CheckResult("null_share", scope, "fail", None, expected, "The column is not in staging.")
    if masked_null:
        if rows is None or staged == rows:
            message = "NULL in every row, as the rules say."
            return CheckResult("null_share", scope, "pass", staged, staged, message)
        message = f"The rules make every row NULL, but {rows - staged:,} of {rows:,} are not."
        return CheckResult("null_share", scope, "fail", staged, rows, message)
    if staged == expected:
        return CheckResult("null_share", scope, "pass", staged, expected, f"{staged:,} NULLs on both sides.")
    lost = "lost" if staged < expected else "too many"
    message = f"{expected:,} NULLs sent, {staged:,} staged: {abs(expected - staged):,} {lost}."
    return CheckResult("null_share", scope, "fail", staged, expected, message)
