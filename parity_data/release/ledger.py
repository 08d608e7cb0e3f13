"""The ledger: which releases a staging database has had, and the lock that lets one refresh work at a time.

It lives in a small database of its own beside staging. Renaming databases is transactional and can be done
from any database of the server, so a swap and its record commit together, and a role that may only create
databases needs no rights in ``postgres``.
"""

from __future__ import annotations

import contextlib
import json
import time
from dataclasses import asdict, dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Literal

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from parity_data.database import Database
from parity_data.errors import ConfigError, LockedError, TargetError
from parity_data.release import names

State = Literal["building", "ready", "current", "previous", "retired", "failed"]

#: One key in the ledger database is enough: every staging database has a ledger of its own.
_LOCK_KEY = 0x70617269747921

#: Seconds to wait for the lock: a run that was killed a moment ago gives it up as the server notices.
_LOCK_SECONDS = 2.0
#: So that the lock of a run whose machine is gone is given back, and a client's death noticed in a statement.
_ATTENTIVE = {
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "client_connection_check_interval": "1000",
}

#: Where the ledger's tables are, in a database of its own or in staging's.
SCHEMA = "parity"

_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS parity;
CREATE TABLE IF NOT EXISTS parity.release (
    id text PRIMARY KEY,
    state text NOT NULL CHECK (state IN ('building', 'ready', 'current', 'previous', 'retired', 'failed')),
    verdict text CHECK (verdict IN ('pass', 'fail')),
    fraction float8,
    snapshot_at timestamptz,
    started_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    requested_by text,
    note text,
    details jsonb NOT NULL DEFAULT '{}'
);
COMMENT ON SCHEMA parity IS 'Releases of the staging database beside this one, kept by parity-data.';
"""


@dataclass(frozen=True)
class ReleaseRecord:
    """A release as the ledger knows it. details: source, snapshot, rules digest, key id, report."""

    id: str
    state: State
    verdict: str | None = None
    fraction: float | None = None
    snapshot_at: datetime | None = None
    started_at: datetime | None = None
    changed_at: datetime | None = None
    requested_by: str | None = None
    note: str | None = None
    details: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Ledger:
    """An open ledger. ``target``: the staging database's name; ``server``: its address.

    inside: whether it lies in staging's own database, beside the schemas of its releases.
    """

    def __init__(
        self, database: Database, *, maintenance: str, create: bool = True, inside: bool = False
    ) -> None:
        """Open, and with ``create`` make it if need be.

        Raises ConfigError when the address names no database, TargetError when the server cannot be used.
        """
        if not database.name:
            raise ConfigError("The target URL names no database.", todo="Add it: postgresql://host/database.")
        self.target = database.name
        self.server = database
        self.inside = inside
        self.database = database if inside else database.with_name(names.ledger_name(self.target))
        if create and not inside:
            self._ensure(maintenance)
        self._is_locked = False
        self.connection: psycopg.Connection[Any] = self._connect()
        try:
            if create:
                self.connection.execute(_SCHEMA)
        except psycopg.Error as error:
            self.connection.close()
            raise TargetError(
                f"The ledger of releases cannot be written ({type(error).__name__}).",
                where=self.database.name,
                todo=f"GRANT CREATE ON DATABASE ... TO the target role; a schema {SCHEMA} must belong to it."
                if inside
                else "It must belong to the target role.",
            ) from None

    def _connect(self) -> psycopg.Connection[Any]:
        connection = self.database.connect(role="target", autocommit=True)
        for setting, value in _ATTENTIVE.items():
            with contextlib.suppress(psycopg.errors.UndefinedObject):  # not before PostgreSQL 14
                connection.execute("SELECT set_config(%s, %s, false)", [setting, value])
        return connection

    def renew(self, *, patient: bool = False) -> None:
        """Connect again after the server was lost, and take the lock again that went with the connection.

        patient: leave a server that does not answer for the next call. Raises TargetError when it cannot be
        reached, LockedError when another refresh took the lock in between.
        """
        try:
            if not self.connection.closed:
                self.connection.execute("SELECT 1")
                return
        except psycopg.OperationalError:
            self.connection.close()
        try:
            self.connection = self._connect()
        except TargetError:
            if not patient:
                raise
            return
        if self._is_locked:
            self.lock()

    def _ensure(self, maintenance: str) -> None:
        with self.server.with_name(maintenance).connect(role="target", autocommit=True) as connection:
            name = names.ledger_name(self.target)
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                return
            try:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
                )
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                return
            except psycopg.errors.InsufficientPrivilege:
                raise TargetError(
                    "The target role may not create databases.",
                    where=self.server.display,
                    todo="ALTER ROLE ... CREATEDB: a release is built in a database beside staging.",
                ) from None
            except psycopg.errors.DiskFull:
                raise TargetError(
                    "The target's disk is full.", where=self.server.display, todo="Free space there."
                ) from None

    def lock(self) -> None:
        """Take the lock that one refresh, promote or rollback holds. Raises LockedError."""
        deadline = time.monotonic() + _LOCK_SECONDS
        while not self._try_lock():
            if time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            raise LockedError(
                "Another refresh is at work on this staging database.",
                where=self.server.display,
                todo="Wait for it to end; 'parity releases' shows it.",
            )
        self._is_locked = True

    def _try_lock(self) -> bool:
        row = self.connection.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK_KEY]).fetchone()
        return bool(row and row[0])

    def start(self, record: ReleaseRecord) -> None:
        """Write down a release that is being built. Earlier ones that never ended are marked failed."""
        with self.connection.transaction():
            self.connection.execute(
                "UPDATE parity.release SET state = 'failed', changed_at = now() WHERE state = 'building'"
            )
            self.connection.execute(
                "INSERT INTO parity.release (id, state, fraction, snapshot_at, requested_by, note, details) "
                "VALUES (%s, 'building', %s, %s, %s, %s, %s)",
                [
                    record.id,
                    record.fraction,
                    record.snapshot_at,
                    record.requested_by,
                    record.note,
                    json.dumps(record.details),
                ],
            )

    def set_state(self, release: str, state: State, verdict: str | None = None) -> None:
        """Move a release to a state, and give its verdict if there is one."""
        self.connection.execute(
            "UPDATE parity.release SET state = %s, verdict = coalesce(%s, verdict), changed_at = now() "
            "WHERE id = %s",
            [state, verdict, release],
        )

    def add_details(self, release: str, **details: Any) -> None:
        """Write down more of a release; what has a name already is replaced."""
        self.connection.execute(
            "UPDATE parity.release SET details = details || %s WHERE id = %s", [json.dumps(details), release]
        )

    def move(self, old: State, new: State) -> None:
        """Move whatever release is in one state to another."""
        self.connection.execute(
            "UPDATE parity.release SET state = %s, changed_at = now() WHERE state = %s", [new, old]
        )

    def adopt(self) -> None:
        """Record a current staging database that came from elsewhere, once."""
        self.connection.execute(
            "INSERT INTO parity.release (id, state, note) "
            "SELECT 'initial', 'current', 'there before the first refresh' "
            "WHERE NOT EXISTS (SELECT FROM parity.release WHERE state = 'current') "
            "ON CONFLICT (id) DO UPDATE SET state = 'current', changed_at = now()"
        )

    def releases(self) -> list[ReleaseRecord]:
        """All releases, the newest first."""
        with self.connection.cursor(row_factory=class_row(ReleaseRecord)) as cursor:
            return cursor.execute(
                "SELECT id, state, verdict, fraction, snapshot_at, started_at, changed_at, requested_by, "
                "note, details FROM parity.release ORDER BY started_at DESC, id"
            ).fetchall()

    def databases(self) -> set[str]:
        """Names of all databases on the server."""
        return {row[0] for row in self.connection.execute("SELECT datname FROM pg_database")}

    def system_identifier(self) -> str:
        row = self.connection.execute("SELECT system_identifier::text FROM pg_control_system()").fetchone()
        assert row is not None
        return str(row[0])

    def close(self) -> None:
        """Close, which gives the lock back."""
        self.connection.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
