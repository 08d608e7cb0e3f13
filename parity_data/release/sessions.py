"""The sessions on staging at a swap: told, waited for, ended.

ALTER DATABASE ... RENAME takes an exclusive lock on the database and then waits for its sessions to leave,
while newcomers queue behind the lock. So one session renames and another ends who is still there.
https://www.postgresql.org/docs/current/sql-alterdatabase.html
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg

from parity_data.errors import ParityError
from parity_data.release.ledger import Ledger

#: Channel on which sessions that LISTEN are told of the swap before it happens.
NOTICE_CHANNEL = "parity_release"
#: Seconds between looks at who is there.
_TICK = 0.1

_COUNT = """
SELECT count(*), count(*) FILTER (WHERE state IS DISTINCT FROM 'idle') FROM pg_stat_activity
WHERE datname = %s AND pid <> pg_backend_pid() AND backend_type = 'client backend'
  AND NOT starts_with(application_name, 'parity-data')
"""
_PIDS = """
SELECT pid FROM pg_stat_activity
WHERE datname = ANY(%s) AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


@dataclass(frozen=True)
class Open:
    """Client sessions on staging. busy: those in the middle of a statement or transaction."""

    total: int
    busy: int


def open_sessions(ledger: Ledger) -> Open:
    """Who is on staging now."""
    row = ledger.connection.execute(_COUNT, [ledger.target]).fetchone()
    assert row is not None
    return Open(*row)


def tell(ledger: Ledger, grace_seconds: float) -> None:
    """Tell whoever listens that the database is about to be replaced, and give them time to leave.

    Returns as soon as nobody is left.
    """
    if not open_sessions(ledger).total:
        return
    notify(ledger, f"a new release comes in {grace_seconds:g} s")
    wait_until(lambda: not open_sessions(ledger).total, grace_seconds)


def notify(ledger: Ledger, message: str) -> None:
    """Tell whoever listens."""
    try:
        with ledger.server.connect(role="target", autocommit=True) as connection:
            connection.execute("SELECT pg_notify(%s, %s)", [NOTICE_CHANNEL, message])
    except (ParityError, psycopg.Error):
        pass  # Nobody can listen to a database that takes no connections.


def wait_until(true: Callable[[], bool], seconds: float) -> bool:
    """Wait until something is true, at most so long; whether it is."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() >= deadline:
            return False
        time.sleep(min(_TICK, max(seconds, 0.001)))
    return True


class Usher:
    """Ends the sessions on some databases, over and over, until left. refused: how many it may not end."""

    def __init__(self, ledger: Ledger, databases: Sequence[str]) -> None:
        self._connection = ledger.database.connect(role="target", autocommit=True)
        self._databases = list(databases)
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self.refused = 0

    def _work(self) -> None:
        while True:
            try:
                pids = [row[0] for row in self._connection.execute(_PIDS, [self._databases]).fetchall()]
                self.refused = sum(not self._end(pid) for pid in pids)
            except psycopg.Error:
                return
            if self._left.wait(0.01):
                return

    def _end(self, pid: int) -> bool:
        """One at a time: a session of a role above ours must not save the others."""
        try:
            self._connection.execute("SELECT pg_terminate_backend(%s)", [pid])
        except psycopg.errors.InsufficientPrivilege:
            return False
        return True

    def __enter__(self) -> Usher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._thread.join(timeout=10)
        self._connection.close()
