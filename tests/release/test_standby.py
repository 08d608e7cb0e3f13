"""Production read from a hot standby: rows that the primary cleans away conflict with a long read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fix_release import FaultRunner, Staging, set_policy, until
from psycopg import sql

from parity_data.demo import _system
from parity_data.demo.server import Server
from parity_data.refresh.doctor import examine

pytestmark = pytest.mark.slow

IMPATIENT = "max_standby_streaming_delay = '200ms'\nhot_standby_feedback = off\n"
FRIENDLY = """
max_standby_streaming_delay = '200ms'
hot_standby_feedback = on
wal_receiver_status_interval = 1
"""


class Standby(Server):
    """A streaming replica of another server. settings: lines of its configuration."""

    def __init__(self, folder: Path, primary: Server, settings: str) -> None:
        super().__init__(folder, "standby")
        self._primary = primary
        self._settings = settings

    def _create(self) -> dict[str, Any]:
        account = _system.server_account()
        if _system.can_enter(self.folder, account):
            self._cluster.mkdir()
        else:
            self._cluster.symlink_to(_system.fallback_folder(self.name))
        cluster = self._cluster.resolve()
        _system.own(cluster, account)
        programs = _system.usable_programs(self._programs, account)
        command = [programs / "pg_basebackup", "-D", cluster / "data", "-R", "-X", "stream", "-c", "fast"]
        done = _system.run([*command, "-d", self._primary.url("postgres").uri()], account)
        assert done.returncode == 0, done.stdout
        with (cluster / "data" / "postgresql.auto.conf").open("a") as conf:
            conf.write(self._settings)
        known = self._primary._state()
        assert known is not None
        state = {"programs": str(programs), "passwords": known["passwords"]}
        self._write_state(state)
        return state


@contextmanager
def only_we_clean(primary: Server) -> Iterator[None]:
    """Keep the primary from cleaning by itself: whatever it cleans conflicts with a read on the standby."""
    with primary.url("postgres").connect(autocommit=True) as admin:

        def at_work() -> bool:
            query = "SELECT count(*) FROM pg_stat_activity WHERE starts_with(backend_type, 'autovacuum')"
            return admin.execute(query).fetchone() != (0,)

        admin.execute("ALTER SYSTEM SET autovacuum = off")
        admin.execute("SELECT pg_reload_conf()")
        try:
            until(lambda: not at_work(), "the primary's autovacuum to end")
            yield
        finally:
            admin.execute("ALTER SYSTEM RESET autovacuum")
            admin.execute("SELECT pg_reload_conf()")


@contextmanager
def standby_of(primary: Server, folder: Path, settings: str) -> Iterator[Server]:
    """A running standby. Only the test cleans its primary."""
    standby = Standby(folder, primary, settings)
    with only_we_clean(primary):
        try:
            standby.start()
            yield standby
        finally:
            standby.delete()


def reading_from(standby: Server, staging: Staging) -> Staging:
    """The same staging, refreshed from the standby, which has caught up."""
    production = staging.settings.need_source()
    with production.connect(autocommit=True) as primary:
        written = primary.execute("SELECT pg_current_wal_lsn()").fetchone()
    source = standby.url(str(production.name))

    def caught_up() -> bool:
        with standby.url("postgres").connect(autocommit=True) as connection:
            return connection.execute("SELECT pg_last_wal_replay_lsn() >= %s", written).fetchone() == (True,)

    until(caught_up, "the standby to catch up")
    return replace(staging, settings=replace(staging.settings, source=source))


def clean_away(staging: Staging) -> None:
    """Let the primary remove rows that an older snapshot still needs, without a lock that readers notice."""
    with staging.settings.need_source().connect(autocommit=True) as primary:
        primary.execute("UPDATE purchase SET note = note || '!' WHERE id % 2 = 0")
        primary.execute("VACUUM (TRUNCATE false) purchase")
        replayed(primary)


def replayed(primary: psycopg.Connection[Any]) -> None:
    """Let the standby hear of what was written."""
    primary.execute("CREATE TABLE replayed ()")
    primary.execute("DROP TABLE replayed")


def conflict_over(standby: Server, what: str) -> None:
    """Wait until the standby has ended somebody for it."""
    with standby.url("postgres").connect(autocommit=True) as admin:
        query = sql.SQL("SELECT sum({})::int FROM pg_stat_database_conflicts").format(sql.Identifier(what))
        until(lambda: admin.execute(query).fetchone() != (0,), "a recovery conflict")


def test_a_recovery_conflict_ends_the_refresh_and_nothing_else(
    long_lived: Staging, faults: FaultRunner, source_server: Server, server_folder: Path
) -> None:
    old, new = long_lived.serves(), long_lived.next_edition()
    with standby_of(source_server, server_folder, IMPATIENT) as standby:
        reads = reading_from(standby, long_lived)
        found = {finding.name: finding for finding in examine(reads.settings)}
        assert found["standby conflicts"].status == "warn"
        with faults.paused(reads.settings, "in the middle chunk") as held:
            clean_away(long_lived)
            conflict_over(standby, "confl_snapshot")
        assert held.outcome.status == 1, held.outcome.text
        assert "recovery conflict" in held.outcome.text
        assert long_lived.serves() == old
        reads.assert_clean()
        # Now nothing conflicts, and the standby is as good a source as the primary.
        reads.refresh()
        assert long_lived.serves() == new
        reads.assert_clean()


def test_feedback_keeps_rows_until_the_refresh_has_read_them(
    long_lived: Staging, faults: FaultRunner, source_server: Server, server_folder: Path
) -> None:
    new = long_lived.next_edition()
    with standby_of(source_server, server_folder, FRIENDLY) as standby:
        reads = reading_from(standby, long_lived)
        found = {finding.name: finding for finding in examine(reads.settings)}
        assert found["standby conflicts"].status == "ok"
        assert "a lock on the primary" in found["standby conflicts"].message
        with faults.paused(reads.settings, "in the middle chunk") as held:
            with source_server.url("postgres").connect(autocommit=True) as admin:
                held_back = "SELECT count(*) FROM pg_stat_replication WHERE backend_xmin IS NOT NULL"
                until(lambda: admin.execute(held_back).fetchone() == (1,), "the standby's feedback")
            clean_away(long_lived)
        assert held.outcome.status == 0, held.outcome.text
        assert long_lived.serves() == new
        reads.assert_clean()


def test_feedback_does_not_help_against_a_lock(
    long_lived: Staging, faults: FaultRunner, source_server: Server, server_folder: Path
) -> None:
    old, new = long_lived.serves(), long_lived.next_edition()
    with standby_of(source_server, server_folder, FRIENDLY) as standby:
        reads = reading_from(standby, long_lived)
        with faults.paused(reads.settings, "in the middle chunk") as held:
            with long_lived.settings.need_source().connect() as primary:
                primary.execute("LOCK TABLE purchase IN ACCESS EXCLUSIVE MODE")
            conflict_over(standby, "confl_lock")
        assert held.outcome.status == 1, held.outcome.text
        assert "recovery conflict" in held.outcome.text
        assert long_lived.serves() == old
        reads.assert_clean()
        reads.refresh()
        assert long_lived.serves() == new


def test_reading_pauses_while_a_replica_is_behind(
    long_lived: Staging, faults: FaultRunner, source_server: Server, server_folder: Path
) -> None:
    new = long_lived.next_edition()
    limit = "version: 1\nload: {pause_above_lag_seconds: 0.5}\n"
    set_policy(long_lived, "version: 1\n", limit)
    with (
        standby_of(source_server, server_folder, FRIENDLY) as standby,
        standby.url("postgres").connect(autocommit=True) as replica,
        source_server.url("postgres").connect(autocommit=True) as primary,
    ):
        reading_from(standby, long_lived)

        def behind() -> bool:
            primary.execute("SELECT pg_logical_emit_message(true, 'parity', 'something to replay')")
            return "s behind, 0.5 s allowed" in held.so_far()

        with faults.paused(long_lived.settings, "in the middle chunk", log=True) as held:
            replica.execute("SELECT pg_wal_replay_pause()")
            until(behind, "the load to pause")
            replica.execute("SELECT pg_wal_replay_resume()")
            until(lambda: "Going on." in held.so_far(), "the load to go on")
    set_policy(long_lived, limit, "version: 1\n")
    assert held.outcome.status == 0, held.outcome.text
    assert long_lived.serves() == new
