"""Tables of feature flags, compared row by row: each difference is named, and nothing else is said."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from parity_data.catalog.model import Column, Table
from parity_data.catalog.reading import own_rows
from parity_data.verify.result import CheckResult, Status

CHECK = "feature_flags"

#: More rows than this are no table of flags.
MOST_ROWS = 20_000
#: Differences that a message names.
NAMED = 10
_LONGEST = 40

_Row = Mapping[str, str | None]


@dataclass(frozen=True)
class FlagTable:
    """A table of flags. key: columns that name a flag. columns: what is compared, none of it masked.

    shown: columns whose values may stand in a message: those of truth values, numbers and labels.
    """

    table: Table
    key: tuple[str, ...]
    columns: tuple[str, ...]
    shown: frozenset[str]


def flag_table(
    table: Table, masked: Collection[str], *, key: Sequence[str] = (), ignore: Collection[str] = ()
) -> FlagTable | str:
    """How a table is compared, or why it cannot be. masked: columns that staging has other values in."""
    named = tuple(key) or table.primary_key
    there = {column.name for column in table.stored_columns}
    if unknown := sorted({*named, *ignore} - there):
        return f"It has no column {unknown[0]}."
    if not named:
        return "It has no primary key, and the policy names no key."
    if hidden := sorted(set(named) & set(masked)):
        return f"The column {hidden[0]} names its rows and is masked, so none can be found again."
    compared = [c for c in table.stored_columns if c.name not in {*named, *ignore, *masked}]
    return FlagTable(
        table, named, tuple(c.name for c in compared), frozenset(c.name for c in compared if _plain(c))
    )


def _plain(column: Column) -> bool:
    plain = column.type.plain
    return plain.kind == "e" or plain.name.name in {
        *("bool", "int2", "int4", "int8", "numeric", "float4", "float8"),
    }


def check_flags(
    production: psycopg.Connection[Any],
    staging: psycopg.Connection[Any],
    flags: FlagTable,
    on_difference: Status,
) -> CheckResult:
    """'feature_flags' for a table: value rows that differ, bound 0. Raises psycopg.Error.

    on_difference: what a difference is, 'warn' or 'fail'. A message names flags by their key, and values of
    columns in ``shown`` only.
    """
    scope = str(flags.table.name)
    here, there = _read(production, flags), _read(staging, flags)
    if here is None or there is None:
        message = f"It has more than {MOST_ROWS:,} rows, so it is no table of flags."
        return CheckResult(CHECK, scope, "pass", None, 0, message)
    said = list(_differences(flags, here, there))
    if not said:
        message = f"{len(here):,} rows are the same in {len(flags.columns)} columns."
        return CheckResult(CHECK, scope, "pass", 0, 0, message)
    more = f"; and {len(said) - NAMED} more" if len(said) > NAMED else ""
    return CheckResult(CHECK, scope, on_difference, len(said), 0, f"{'; '.join(said[:NAMED])}{more}.")


def _read(connection: psycopg.Connection[Any], flags: FlagTable) -> dict[tuple[str, ...], _Row] | None:
    names = [*flags.key, *flags.columns]
    query = sql.SQL("SELECT {} FROM {} LIMIT {}").format(
        sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in names),
        own_rows(flags.table),
        MOST_ROWS + 1,
    )
    with connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(query).fetchall()
    if len(rows) > MOST_ROWS:
        return None
    width = len(flags.key)
    return {
        tuple(str(part) for part in row[:width]): dict(zip(flags.columns, row[width:], strict=True))
        for row in rows
    }


def _differences(
    flags: FlagTable, here: Mapping[tuple[str, ...], _Row], there: Mapping[tuple[str, ...], _Row]
) -> Iterator[str]:
    for key in sorted(here.keys() | there.keys()):
        name = ", ".join(_short(part) for part in key)
        mine, theirs = here.get(key), there.get(key)
        if mine is None or theirs is None:
            yield f"only {'staging' if mine is None else 'production'} has {name}"
            continue
        parts = [
            f"{column} is {_value(mine[column])} in production and {_value(theirs[column])} in staging"
            if column in flags.shown
            else f"{column} is not the same"
            for column in flags.columns
            if mine[column] != theirs[column]
        ]
        if parts:
            yield f"{name}: {', '.join(parts)}"


def _value(text: str | None) -> str:
    return "NULL" if text is None else _short(text)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
