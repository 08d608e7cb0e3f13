"""Production read from a hot standby: rows that the primary cleans away conflict with a long read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fix_release import FaultRunner, Staging, until

from parity_data.demo import _system
from parity_data.demo.server import Server
from parity_data.refresh.doctor import examine

pytestmark = pytest.mark.slow


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
def standby_of(primary: Server, folder: Path, settings: str) -> Iterator[Server]:
    """A running standby."""
    standby = Standby(folder, primary, settings)
    try:
        standby.start()
        yield standby
    finally:
        standby.delete()


def reading_from(standby: Server, staging: Staging) -> Staging:
    """The same staging, refreshed from the standby, which has caught up."""
    source = standby.url(str(staging.settings.need_source().name))
    reads = replace(staging, settings=replace(staging.settings, source=source))

    def caught_up() -> bool:
        with source.connect(autocommit=True) as connection:
            return connection.execute("SELECT edition FROM mark").fetchone() == (staging.edition,)

    until(caught_up, "the standby to catch up")
    return reads


def clean_away(staging: Staging) -> None:
    """Let the primary remove rows that an older snapshot still needs."""
    with staging.settings.need_source().connect(autocommit=True) as primary:
        primary.execute("UPDATE purchase SET note = note || '!' WHERE id % 2 = 0")
        primary.execute("VACUUM purchase")
        primary.execute("CREATE TABLE IF NOT EXISTS replayed ()")
        primary.execute("DROP TABLE replayed")


def test_a_recovery_conflict_ends_the_refresh_and_nothing_else(
    long_lived: Staging, faults: FaultRunner, source_server: Server, server_folder: Path
) -> None:
    old, new = long_lived.serves(), long_lived.next_edition()
    impatient = "max_standby_streaming_delay = '200ms'\nhot_standby_feedback = off\n"
    with standby_of(source_server, server_folder, impatient) as standby:
        reads = reading_from(standby, long_lived)
        found = {finding.name: finding for finding in examine(reads.settings)}
        assert found["standby conflicts"].status == "warn"
        with faults.paused(reads.settings, "in the middle chunk") as held:
            clean_away(long_lived)
            with standby.url("postgres").connect(autocommit=True) as admin:
                conflicts = "SELECT sum(confl_snapshot)::int FROM pg_stat_database_conflicts"
                until(lambda: admin.execute(conflicts).fetchone() != (0,), "a recovery conflict")
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
    friendly = (
        "max_standby_streaming_delay = '200ms'\nhot_standby_feedback = on\nwal_receiver_status_interval = 1\n"
    )
    with standby_of(source_server, server_folder, friendly) as standby:
        reads = reading_from(standby, long_lived)
        found = {finding.name: finding for finding in examine(reads.settings)}
        assert found["standby conflicts"].status == "ok"
        with faults.paused(reads.settings, "in the middle chunk") as held:
            with source_server.url("postgres").connect(autocommit=True) as admin:
                held_back = "SELECT count(*) FROM pg_stat_replication WHERE backend_xmin IS NOT NULL"
                until(lambda: admin.execute(held_back).fetchone() == (1,), "the standby's feedback")
            clean_away(long_lived)
        assert held.outcome.status == 0, held.outcome.text
        assert long_lived.serves() == new
        reads.assert_clean()
