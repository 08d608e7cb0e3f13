"""What belongs to staging itself, put into a built release after it was checked against production.

Settings, extensions and roles are made anew from the policy; tables and rows come from the release that
serves now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
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
        _add_extensions(own, connection)
        if current is not None:
            _copy_tables(own, current, built, tools, folder)
            with current.connect(role="target", autocommit=True) as old:
                for rows in own.rows:
                    _copy_rows(rows, old, connection)
        assert built.name is not None
        _add_roles_and_settings(own, connection, built.name)


@dataclass(frozen=True)
class SavedRows:
    """Staging's own rows of one table, in the server's COPY format."""

    rows: OwnRows
    columns: list[str]
    data: list[bytes]


def save_rows(
    own: StagingOwn, connection: psycopg.Connection[Any], where: Callable[[Name], Name]
) -> list[SavedRows]:
    """Read staging's own rows out of the release that is being replaced. where: a table's name there now.

    A table that is not there has none. Raises TargetError.
    """
    saved = []
    for rows in own.rows:
        columns = _columns(connection, where(rows.table))
        if columns:
            with connection.cursor().copy(_reading(rows, where(rows.table), columns)) as source:
                saved.append(SavedRows(rows, columns, [bytes(data) for data in source]))
    return saved


def add_belongings_in_place(
    own: StagingOwn, saved: Sequence[SavedRows], connection: psycopg.Connection[Any]
) -> None:
    """Put staging's own things into a release that is built in staging's own database. Raises TargetError."""
    _add_extensions(own, connection)
    for one in saved:
        there = set(_columns(connection, one.rows.table))
        if there.issuperset(one.columns):
            _write_rows(one.rows, one.columns, one.data, connection)
        else:
            raise TargetError(
                "Rows of staging belong to a table that has lost a column.",
                where=str(one.rows.table),
                todo="Mend the section 'staging' of policy.yaml.",
            )
    _add_roles_and_settings(own, connection, connection.info.dbname)


def _add_extensions(own: StagingOwn, connection: psycopg.Connection[Any]) -> None:
    for extension in own.extensions:
        _do(
            connection,
            sql.SQL("CREATE EXTENSION IF NOT EXISTS {} CASCADE").format(sql.Identifier(extension)),
            f"extension {extension}",
        )


def _add_roles_and_settings(own: StagingOwn, connection: psycopg.Connection[Any], database: str) -> None:
    for role in own.roles:
        for statement in _role_statements(role, connection):
            _do(connection, statement, f"role {role.name}")
    for setting in own.settings:
        _do(
            connection,
            sql.SQL("ALTER DATABASE {} SET {} = {}").format(
                sql.Identifier(database),
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
    there = set(_columns(new, rows.table))
    columns = [c for c in _columns(old, rows.table) if c in there]
    if not columns:
        raise TargetError(
            "Rows of staging belong to a table that is not in both releases.",
            where=str(rows.table),
            todo="Mend the section 'staging' of policy.yaml.",
        )
    with old.cursor().copy(_reading(rows, rows.table, columns)) as source:
        _write_rows(rows, columns, source, new)


def _reading(rows: OwnRows, table: Name, columns: Sequence[str]) -> sql.Composed:
    return sql.SQL("COPY (SELECT {} FROM {} WHERE {}) TO STDOUT").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.Identifier(table.schema, table.name),
        sql.SQL(rows.where),  # a condition that the team wrote and reviewed
    )


def _write_rows(
    rows: OwnRows, columns: Sequence[str], data: Iterable[Any], new: psycopg.Connection[Any]
) -> None:
    table = sql.Identifier(rows.table.schema, rows.table.name)
    listed = sql.SQL(", ").join(map(sql.Identifier, columns))
    try:
        with new.transaction():
            new.execute(
                sql.SQL(
                    "CREATE TEMPORARY TABLE parity_rows ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA"
                ).format(listed, table)
            )
            with new.cursor().copy(sql.SQL("COPY parity_rows ({}) FROM STDIN").format(listed)) as sink:
                for part in data:
                    sink.write(part)
            new.execute(
                sql.SQL(
                    "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM parity_rows "
                    "ON CONFLICT DO NOTHING"
                ).format(table, listed, listed)
            )
            new.execute("DROP TABLE parity_rows")
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
