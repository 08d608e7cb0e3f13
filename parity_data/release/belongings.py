"""What belongs to staging itself, put into a built release after it was checked against production.

Settings, extensions and roles are made anew from the policy; tables and rows come from the release that
serves now.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from parity_data.catalog.model import Name
from parity_data.database import Database
from parity_data.errors import TargetError
from parity_data.release.tools import ClientTools, run_tool
from parity_data.rules import StagingOwn
from parity_data.rules.lifecycle import OwnRole, OwnRows

_COLUMNS = """
SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped
AND attgenerated = '' ORDER BY attnum
"""
#: GRANTs on a schema by what a role may do there.
_GRANTS = {
    "read": (
        "GRANT USAGE ON SCHEMA {schema} TO {role}",
        "GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}",
        "GRANT SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
    ),
    "write": (
        "GRANT USAGE ON SCHEMA {schema} TO {role}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
    ),
}


def add_belongings(
    own: StagingOwn, current: Database | None, built: Database, tools: ClientTools, folder: Path
) -> None:
    """Put staging's own things into a built release.

    current: the release that serves now, None for the first one, which has no rows to take over. folder:
    for an archive of structure and rows of staging's own tables. Raises TargetError naming what did not fit.
    """
    with built.connect(role="target", autocommit=True) as connection:
        for extension in own.extensions:
            _do(
                connection,
                sql.SQL("CREATE EXTENSION IF NOT EXISTS {} CASCADE").format(sql.Identifier(extension)),
                f"extension {extension}",
            )
        if current is not None:
            _copy_tables(own, current, built, tools, folder)
            with current.connect(role="target", autocommit=True) as old:
                for rows in own.rows:
                    _copy_rows(rows, old, connection)
        for role in own.roles:
            for statement in _role_statements(role, connection):
                _do(connection, statement, f"role {role.name}")
        for setting in own.settings:
            assert built.name is not None
            _do(
                connection,
                sql.SQL("ALTER DATABASE {} SET {} = {}").format(
                    sql.Identifier(built.name),
                    sql.Identifier(*setting.name.split(".")),
                    sql.Literal(setting.value),
                ),
                f"setting {setting.name}",
            )


def _do(connection: psycopg.Connection[Any], statement: sql.Composed, what: str) -> None:
    try:
        connection.execute(statement)
    except psycopg.Error as error:
        raise _refused(what, error) from None


def _refused(what: str, error: psycopg.Error) -> TargetError:
    return TargetError(
        f"What belongs to staging could not be put into the release ({type(error).__name__}).",
        where=what,
        todo="Mend the section 'staging' of policy.yaml; staging still serves the old release.",
    )


def _copy_tables(
    own: StagingOwn, current: Database, built: Database, tools: ClientTools, folder: Path
) -> None:
    """Structure and rows, with indexes and privileges, of the tables that exist by now."""
    with current.connect(role="target", autocommit=True) as old:
        found = [t for t in own.tables if _columns(old, t)]
    if not found:
        return
    with built.connect(role="target", autocommit=True) as connection:
        for schema in sorted({table.schema for table in found}):
            statement = sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema))
            _do(connection, statement, f"schema {schema}")
    archive = folder / "staging.dump"
    tables = [f"--table={_pattern(table)}" for table in found]
    dump = [tools.dump, "--format=custom", "--no-password", *tables, f"--file={archive}"]
    run_tool(dump, current, what="pg_dump of staging's own tables", kind=TargetError)
    restore = [tools.restore, "--exit-on-error", "--no-password", f"--dbname={built.name}", str(archive)]
    run_tool(restore, built, what="pg_restore of staging's own tables", kind=TargetError)
    archive.unlink()


def _pattern(name: Name) -> str:
    """A pg_dump pattern that matches just this table."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in (name.schema, name.name))


def _copy_rows(rows: OwnRows, old: psycopg.Connection[Any], new: psycopg.Connection[Any]) -> None:
    """Rows that meet the condition, in the columns both sides have; a row that is there already stays."""
    table = sql.Identifier(rows.table.schema, rows.table.name)
    there = set(_columns(new, rows.table))
    columns = [c for c in _columns(old, rows.table) if c in there]
    if not columns:
        raise TargetError(
            "Rows of staging belong to a table that is not in both releases.",
            where=str(rows.table),
            todo="Mend the section 'staging' of policy.yaml.",
        )
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    where = sql.SQL(rows.where)  # a condition that the team wrote and reviewed
    read = sql.SQL("COPY (SELECT {} FROM {} WHERE {}) TO STDOUT").format(listed, table, where)
    try:
        with new.transaction():
            new.execute(
                sql.SQL(
                    "CREATE TEMPORARY TABLE parity_rows ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA"
                ).format(listed, table)
            )
            with (
                old.cursor().copy(read) as source,
                new.cursor().copy(sql.SQL("COPY parity_rows ({}) FROM STDIN").format(listed)) as sink,
            ):
                for data in source:
                    sink.write(data)
            new.execute(
                sql.SQL(
                    "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM parity_rows "
                    "ON CONFLICT DO NOTHING"
                ).format(table, listed, listed)
            )
    except psycopg.Error as error:
        raise _refused(f"rows of {rows.table}", error) from None


def _columns(connection: psycopg.Connection[Any], table: Name) -> list[str]:
    """Names of the columns that can be written; empty where there is no such table."""
    quoted = sql.Identifier(table.schema, table.name).as_string(connection)
    return [row[0] for row in connection.execute(_COLUMNS, [quoted])]


def _role_statements(role: OwnRole, connection: psycopg.Connection[Any]) -> Iterator[sql.Composed]:
    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role.name]).fetchone():
        yield sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role.name))
    for schema in role.schemas:
        for text in _GRANTS[role.may]:
            yield sql.SQL(text).format(schema=sql.Identifier(schema), role=sql.Identifier(role.name))
