"""Columns that only hold the words of others of their row for full-text search: kept where those are kept.

Known by the trigger that fills them: tsvector_update_trigger names its columns.
https://www.postgresql.org/docs/current/textsearch-features.html#TEXTSEARCH-UPDATE-TRIGGERS
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from parity_data.catalog.model import Name
from parity_data.detect.defaults import KEEP
from parity_data.detect.model import Decision, Evidence

_Place = tuple[Name, str]

#: Arguments: the filled column, a configuration, the columns indexed; each ends with a zero byte.
_TRIGGERS = """
SELECT n.nspname, c.relname, t.tgargs
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE t.tgfoid = 'pg_catalog.tsvector_update_trigger'::regproc
"""


def indexed_columns(connection: psycopg.Connection[Any]) -> dict[_Place, tuple[_Place, ...]]:
    """By search column, the columns whose words it holds. connection: inside a transaction."""
    found: dict[_Place, tuple[_Place, ...]] = {}
    with connection.cursor(row_factory=tuple_row) as cursor:
        for schema, table, arguments in cursor.execute(_TRIGGERS).fetchall():
            name = Name(schema, table)
            filled, _, *columns = bytes(arguments).decode().removesuffix("\0").split("\0")
            found[name, filled] = tuple((name, column) for column in columns)
    return found


def follow_indexed(decisions: list[Decision], indexed: Mapping[_Place, tuple[_Place, ...]]) -> list[Decision]:
    """The same decisions, but that search columns are kept where every column they index is."""
    kept = {(d.table, d.column) for d in decisions if d.band == "not_personal"}
    return [
        _kept(decision, sources)
        if (sources := indexed.get((decision.table, decision.column))) and kept.issuperset(sources)
        else decision
        for decision in decisions
    ]


def _kept(decision: Decision, sources: tuple[_Place, ...]) -> Decision:
    listed = ", ".join(column for _, column in sources)
    reason = f"a trigger fills it with the words of {listed}, which are kept"
    return replace(
        decision,
        kind="none",
        band="not_personal",
        score=0.0,
        evidence=(Evidence("reference", reason, 0.0, "none"),),
        propose=lambda: KEEP,
    )
