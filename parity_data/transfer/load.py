"""Write encoded rows into the next database."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from parity_data.database import EXACT_TEXT, Database
from parity_data.errors import TargetError
from parity_data.transfer.spec import Slice

_TYPES = """
SELECT n.nspname, t.typname, t.oid::int8 FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE t.oid >= 10000
"""


def writing(database: Database, version: int, application: str) -> Database:
    """The target with session settings for bulk loading. version: server_version_num."""
    settings = {
        **EXACT_TEXT,
        "default_transaction_read_only": "off",
        "synchronous_commit": "off",
        "statement_timeout": "0",
        "lock_timeout": "0",
        "idle_in_transaction_session_timeout": "0",
        "row_security": "off",
        "application_name": application,
    }
    if version >= 170000:
        settings["transaction_timeout"] = "0"
    if version >= 140000:
        settings["idle_session_timeout"] = "0"
        settings["client_connection_check_interval"] = "1000"
    return database.with_options(**settings)


def type_oids(source: psycopg.Connection[Any], target: psycopg.Connection[Any]) -> dict[int, int]:
    """OIDs of types on the source -> of the types of the same name on the target."""
    there = {(schema, name): oid for schema, name, oid in target.execute(_TYPES)}
    found = source.execute(_TYPES).fetchall()
    return {oid: there[schema, name] for schema, name, oid in found if (schema, name) in there}


def copy_into(piece: Slice, *, frozen: bool | None = None) -> sql.Composed:
    """The COPY that takes what ``wire.Writer`` makes of the slice.

    frozen: whether the relation is new or was emptied in this very transaction, so that nobody will have to
    visit its rows again. By default that is so where it is written in one piece, which empties it first.
    """
    columns = sql.SQL(", ").join(sql.Identifier(p.name) for p in piece.plan.columns)
    options = [sql.SQL("FORMAT binary" if piece.plan.codec == "binary" else "FORMAT csv")]
    if piece.alone if frozen is None else frozen:
        options.append(sql.SQL("FREEZE"))
    return sql.SQL("COPY {} {} FROM STDIN ({})").format(
        sql.Identifier(piece.into.schema, piece.into.name),
        # An empty list is no syntax; a table without stored columns needs none.
        sql.SQL("({})").format(columns) if piece.plan.columns else sql.SQL(""),
        sql.SQL(", ").join(options),
    )


def explain(error: psycopg.Error, where: str) -> TargetError:
    """One sentence for a failed write. The server's own text may quote values and is left out."""
    diagnosis = error.diag
    place = where if diagnosis.column_name is None else f"{where}.{diagnosis.column_name}"
    if isinstance(error, psycopg.errors.DiskFull):
        return TargetError(
            "The target's disk is full.",
            where=place,
            todo="Free space there; staging still serves the old release.",
        )
    if isinstance(error, psycopg.errors.IntegrityError) and diagnosis.constraint_name:
        return TargetError(
            f'A row breaks the constraint "{diagnosis.constraint_name}".',
            where=place,
            todo="Choose a mask that keeps it, or keep the column.",
        )
    if isinstance(error, psycopg.errors.StringDataRightTruncation):
        return TargetError("A masked value is longer than the column allows.", where=place)
    if isinstance(error, psycopg.errors.AdminShutdown | psycopg.errors.CrashShutdown) or (
        isinstance(error, psycopg.OperationalError) and error.sqlstate is None
    ):
        return TargetError(
            "The connection to the target was lost.",
            where=place,
            todo="It did not come back in time. Run the refresh again when it has.",
        )
    return TargetError(f"Writing failed ({type(error).__name__}, SQLSTATE {error.sqlstate}).", where=place)
