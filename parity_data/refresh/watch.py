"""Watching over a load: production's limits are kept, the lock is still ours, people hear how far it is."""

from __future__ import annotations

import logging
import time
from typing import Any

import psycopg

from parity_data.errors import SourceError
from parity_data.release import Ledger
from parity_data.rules import Load
from parity_data.transfer.control import Control

#: Seconds between looks at production, at the lock, and between lines of progress.
_LOAD_SECONDS = 1.0
_LOCK_SECONDS = 5.0
_LINE_SECONDS = 5.0

#: Statistics are cached for a transaction, and the snapshot's transaction is a long one.
_FORGET = "SELECT pg_stat_clear_snapshot()"
_LAG = """
SELECT CASE WHEN pg_is_in_recovery()
    THEN CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
         ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END
    ELSE (SELECT extract(epoch FROM max(replay_lag)) FROM pg_stat_replication) END::float8
"""
_ACTIVE = """
SELECT count(*) FROM pg_stat_activity
WHERE backend_type = 'client backend' AND state = 'active' AND application_name <> %s
  AND pid <> pg_backend_pid()
"""
#: Sessions that wait for a lock which we hold: a migration, and soon everybody behind it.
_WAITING = """
WITH waiting AS MATERIALIZED (SELECT DISTINCT pid FROM pg_locks WHERE NOT granted)
SELECT count(*) FROM waiting WHERE pg_blocking_pids(pid) && ARRAY(
    SELECT pid FROM pg_stat_activity WHERE application_name = %s)
"""


class Watch:
    """Called over and over while rows move. production: the connection that holds the snapshot."""

    def __init__(
        self,
        production: psycopg.Connection[Any],
        ledger: Ledger,
        limits: Load,
        application: str,
        log: logging.Logger,
    ) -> None:
        self._production = production
        self._ledger = ledger
        self._limits = limits
        self._application = application
        self._log = log
        self._looked = self._locked = self._said = time.monotonic()
        self._in_the_way_since: float | None = None

    def __call__(self, control: Control) -> None:
        """Pause or continue, renew, tell.

        Raises SourceError when the snapshot is gone or production has waited too long for us, LockedError.
        """
        now = time.monotonic()
        if now - self._looked >= _LOAD_SECONDS:
            self._looked = now
            try:
                self._production.execute(_FORGET)
                self._give_way(now)
                self._hold(control)
            except psycopg.errors.SerializationFailure:
                raise SourceError.conflict() from None
            except psycopg.OperationalError:
                raise SourceError.lost() from None
        if now - self._locked >= _LOCK_SECONDS:
            self._locked = now
            self._ledger.renew(patient=True)
        if now - self._said >= _LINE_SECONDS:
            self._said = now
            self._log.info("%s", control.line())

    def _give_way(self, now: float) -> None:
        row = self._production.execute(_WAITING, [self._application]).fetchone()
        if row is None or not row[0]:
            self._in_the_way_since = None
            return
        if self._in_the_way_since is None:
            self._in_the_way_since = now
            self._log.warning("%d session(s) of production wait for a lock that this refresh holds.", row[0])
        limit = self._limits.give_way_after_seconds
        if limit is not None and now - self._in_the_way_since >= limit:
            raise SourceError(
                f"A session of production has waited {limit:g} s for a lock that this refresh held.",
                todo="Run it again when the migration, or whatever wanted a table for itself, has ended.",
            )

    def _hold(self, control: Control) -> None:
        reason = self._too_much()
        if reason is not None and not control.paused:
            self._log.info("Paused, to spare production: %s.", reason)
            control.pause()
        elif reason is None and control.paused:
            self._log.info("Going on.")
            control.go_on()

    def _too_much(self) -> str | None:
        """Which limit production exceeds, in words."""
        limits = self._limits
        if limits.pause_above_lag_seconds is not None:
            row = self._production.execute(_LAG).fetchone()
            if row and row[0] is not None and row[0] > limits.pause_above_lag_seconds:
                return f"replication is {row[0]:.0f} s behind, {limits.pause_above_lag_seconds:g} s allowed"
        if limits.pause_above_active_sessions is not None:
            row = self._production.execute(_ACTIVE, [self._application]).fetchone()
            if row and row[0] > limits.pause_above_active_sessions:
                return f"{row[0]} sessions are active, {limits.pause_above_active_sessions} allowed"
        return None
