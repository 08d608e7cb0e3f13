"""A moment in which nobody uses the relations of a release, held until the transaction ends.

A query looks its tables up one after the other, so one that began before a swap and goes on after it would
see two releases. With every relation of the old one locked, each query either ended before or finds only the
new.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

from parity_data.errors import TargetError
from parity_data.release.ledger import Ledger

#: How long an attempt may hold up others, how long they are let be between two, and how long to be polite.
_ATTEMPT_MS, _PAUSE_SECONDS, _POLITE_SECONDS = 200, 0.1, 1.0
#: Seconds for those who must be ended to be gone.
_END_SECONDS = 30

_RELATIONS = """
SELECT c.relkind::text, n.nspname, c.relname, pg_get_userbyid(c.relowner)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname = ANY (%s)
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                  AND d.deptype = 'e')
ORDER BY 2, 3
"""
#: LOCK TABLE does not take these; giving them to their owner again does, and changes nothing.
_BY_OWNER = {"m": "ALTER MATERIALIZED VIEW {} OWNER TO {}", "f": "ALTER FOREIGN TABLE {} OWNER TO {}"}


class Busy(Exception):
    """Somebody uses staging and may not be ended."""


def hold_still(
    connection: psycopg.Connection[Any],
    ledger: Ledger,
    schemas: Sequence[str],
    *,
    seconds: float,
    end: bool = True,
) -> None:
    """Lock all relations in the schemas against everybody until the transaction of ``connection`` ends.

    Tries for ``seconds``, letting others go first again and again; then ends who is in the way, or raises
    Busy where ``end`` is false. Raises TargetError when sessions cannot be ended or the role may not lock.
    """
    relations = connection.execute(_RELATIONS, [list(schemas)]).fetchall()
    if not relations:
        return
    deadline = time.monotonic() + max(seconds, _POLITE_SECONDS)
    while True:
        if _try(connection, relations, _ATTEMPT_MS):
            return
        if time.monotonic() >= deadline:
            break
        time.sleep(_PAUSE_SECONDS)
    if not end:
        raise Busy
    with _Doorman(ledger, connection.info.backend_pid) as doorman:
        if not _try(connection, relations, _END_SECONDS * 1000):
            raise TargetError(
                "Sessions that use staging's tables could not be ended"
                + (" (they belong to roles we may not end)." if doorman.refused else "."),
                where=ledger.server.display,
                todo="GRANT pg_signal_backend TO the target role, or end them by hand; then try again.",
            )


def _try(connection: psycopg.Connection[Any], relations: Sequence[tuple[str, ...]], limit_ms: int) -> bool:
    try:
        with connection.transaction():
            connection.execute("SELECT set_config('lock_timeout', %s, true)", [f"{limit_ms}ms"])
            plain = [
                sql.Identifier(schema, name) for kind, schema, name, _ in relations if kind not in _BY_OWNER
            ]
            if plain:
                lock = sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE")
                listed = sql.SQL(", ").join(sql.SQL("ONLY {}").format(name) for name in plain)
                connection.execute(lock.format(listed))
            for kind, schema, name, owner in relations:
                if kind in _BY_OWNER:
                    statement = sql.SQL(_BY_OWNER[kind])
                    connection.execute(statement.format(sql.Identifier(schema, name), sql.Identifier(owner)))
            connection.execute("SELECT set_config('lock_timeout', '0', true)")
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        return False
    except psycopg.errors.InsufficientPrivilege:
        raise TargetError(
            "The target role may not lock the tables of staging.",
            where=connection.info.dbname,
            todo="It must own them, or be a member of the roles that do: 'parity doctor' names them.",
        ) from None
    return True


class _Doorman:
    """Ends the sessions that one backend waits for, again and again. refused: some it may not end."""

    def __init__(self, ledger: Ledger, pid: int) -> None:
        self._connection = ledger.database.connect(role="target", autocommit=True)
        self._pid = pid
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self.refused = False

    def _work(self) -> None:
        while not self._left.wait(0.02):
            try:
                found = self._connection.execute(
                    "SELECT unnest(pg_blocking_pids(%s))", [self._pid]
                ).fetchall()
            except psycopg.Error:
                return
            for (pid,) in found:
                try:
                    self._connection.execute("SELECT pg_terminate_backend(%s)", [pid])
                except psycopg.errors.InsufficientPrivilege:
                    self.refused = True
                except psycopg.Error:
                    return

    def __enter__(self) -> _Doorman:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._thread.join(timeout=10)
        self._connection.close()
