"""One instant of production: a read-only transaction whose snapshot others join.

https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-SNAPSHOT-SYNCHRONIZATION
"""

from __future__ import annotations

from datetime import datetime
from types import TracebackType
from typing import Any

import psycopg
from psycopg import sql

from parity_data.catalog.model import Name
from parity_data.database import EXACT_TEXT, Database
from parity_data.errors import SourceError

#: Milliseconds that reading may wait for a lock, so that production never queues behind us.
LOCK_TIMEOUT_MS = 10_000
#: Milliseconds for a catalog query; rows are streamed under ``STREAM_TIMEOUT_MS``.
STATEMENT_TIMEOUT_MS = 300_000
STREAM_TIMEOUT_MS = 6 * 3600 * 1000

_IDENTITY = """
SELECT current_setting('server_version_num')::int, current_database(),
       (SELECT system_identifier::text FROM pg_control_system()), pg_is_in_recovery(), now()
"""


def reading(database: Database, version: int, application: str) -> Database:
    """The source with the session settings of a guest: read-only, impatient, text that round-trips.

    version: server_version_num; application: shown in pg_stat_activity, so that a cancelled run can be
    found and ended there.
    """
    settings = {
        **EXACT_TEXT,
        "default_transaction_read_only": "on",
        "lock_timeout": str(LOCK_TIMEOUT_MS),
        "statement_timeout": str(STREAM_TIMEOUT_MS),
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


class Snapshot:
    """A held, exported snapshot. Use as a context manager; closing it ends the instant.

    ``id`` is what other sessions give to SET TRANSACTION SNAPSHOT. ``database`` is the address with the
    session settings of ``reading``.
    """

    def __init__(self, source: Database, *, application: str) -> None:
        with source.connect(role="source", autocommit=True) as probe:
            self.version = probe.info.server_version
        self.database = reading(source, self.version, application)
        self.connection: psycopg.Connection[Any] = self.database.connect(role="source", autocommit=True)
        try:
            execute = self.connection.execute
            execute(sql.SQL("SET statement_timeout = {}").format(STATEMENT_TIMEOUT_MS))
            execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            row = execute(_IDENTITY).fetchone()
            assert row is not None
            self.version, self.name, self.system_identifier, self.is_standby = row[:4]
            self.taken_at: datetime = row[4]
            exported = execute("SELECT pg_export_snapshot()").fetchone()
            assert exported is not None
            self.id: str = exported[0]
        except psycopg.Error as error:
            self.connection.close()
            raise SourceError(
                f"The source does not export a snapshot ({type(error).__name__}).",
                todo="The role needs CONNECT; a connection pooler in transaction mode does not work.",
            ) from None

    def lock(self, tables: list[Name]) -> None:
        """Take ACCESS SHARE on the tables, so that row versions keep their place until the end.

        Raises SourceError naming the table that is locked by somebody else or may not be read.
        """
        for name in tables:
            statement = sql.SQL("LOCK TABLE ONLY {} IN ACCESS SHARE MODE").format(
                sql.Identifier(name.schema, name.name)
            )
            try:
                self.connection.execute(statement)
            except psycopg.errors.LockNotAvailable:
                raise SourceError(
                    f"The table has been locked by another session for {LOCK_TIMEOUT_MS // 1000} seconds.",
                    where=str(name),
                    todo="Wait for it to end, or run the refresh at another time.",
                ) from None
            except psycopg.errors.InsufficientPrivilege:
                raise SourceError(
                    "The source role may not read this table.",
                    where=str(name),
                    todo="GRANT SELECT on it (and USAGE on its schema) to the role, or list its schema "
                    "under ignore_schemas.",
                ) from None
            except psycopg.errors.UndefinedTable:
                raise SourceError(
                    "The table was dropped while the refresh started.", where=str(name), todo="Run it again."
                ) from None

    def close(self) -> None:
        self.connection.close()

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
