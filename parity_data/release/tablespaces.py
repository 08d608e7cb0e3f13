"""Tablespaces: production's where the target has them, others where the policy says so.

https://www.postgresql.org/docs/current/manage-ag-tablespaces.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

from parity_data.catalog.snapshot import Snapshot
from parity_data.errors import TargetError
from parity_data.release.properties import database_tablespace

_OWN = ("pg_default", "pg_global")
_PLACED = """
SELECT c.relkind::text, n.nspname, c.relname, t.spcname
FROM pg_class c JOIN pg_tablespace t ON t.oid = c.reltablespace
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'i', 'I') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY 1, 2, 3
"""
_KINDS = {"r": "TABLE", "p": "TABLE", "m": "MATERIALIZED VIEW", "i": "INDEX", "I": "INDEX"}


class Tablespaces:
    """Where relations go. ``by_hand``: pg_restore must not place them, ``place`` does."""

    def __init__(
        self, snapshot: Snapshot, target: psycopg.Connection[Any], mapping: Mapping[str, str]
    ) -> None:
        """mapping: production's name -> staging's. Raises TargetError for one that is in neither."""
        placed = snapshot.connection.execute(_PLACED).fetchall()
        own = database_tablespace(snapshot)
        used = {row[3] for row in placed} | ({own} - set(_OWN))
        there = {row[0] for row in target.execute("SELECT spcname FROM pg_tablespace")}
        absent = sorted(name for name in used if mapping.get(name, name) not in there)
        if absent:
            raise TargetError(
                f"The target's server lacks {len(absent)} tablespace(s): {', '.join(absent)}.",
                todo="Create them there, or say in policy.yaml what to use instead: "
                f"objects: {{tablespaces: {{{absent[0]}: pg_default}}}}.",
            )
        self.by_hand = any(name in mapping for name in used)
        self.database = None if own in _OWN else mapping.get(own, own)
        self._placed = [
            (kind, schema, name, mapping.get(space, space)) for kind, schema, name, space in placed
        ]

    def place(self, connection: psycopg.Connection[Any], *, indexes: bool) -> None:
        """Move what pg_restore left in the default tablespace. indexes: those, else tables and views."""
        if not self.by_hand:
            return
        for kind, schema, name, space in self._placed:
            if (_KINDS[kind] == "INDEX") is indexes and space != (self.database or "pg_default"):
                connection.execute(
                    sql.SQL("ALTER {} {} SET TABLESPACE {}").format(
                        sql.SQL(_KINDS[kind]), sql.Identifier(schema, name), sql.Identifier(space)
                    )
                )
