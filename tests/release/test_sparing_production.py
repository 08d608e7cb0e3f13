"""What a refresh may ask of production: how many connections, and when it has to wait."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from fix_release import FaultRunner, Staging, set_policy, until
from psycopg import sql

from parity_data.database import Database
from parity_data.demo.server import Server
from parity_data.errors import Cancelled, SourceError
from parity_data.refresh.doctor import examine
from parity_data.transfer.control import Control

OURS = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'parity-data %'"


def limit(staging: Staging, text: str) -> None:
    """Put a limit into the policy."""
    set_policy(staging, "version: 1\n", f"version: 1\nload: {{{text}}}\n")


@pytest.mark.parametrize(("text", "expected"), [("", 5), ("max_source_connections: 2", 2)])
def test_production_sees_no_more_connections_than_allowed(
    text: str, expected: int, staging: Staging, faults: FaultRunner
) -> None:
    if text:
        limit(staging, text)
    with (
        faults.paused(staging.settings, "in every chunk", connections=4) as held,
        staging.settings.need_source().connect(autocommit=True) as production,
    ):
        until(lambda: production.execute(OURS).fetchone() == (expected,), "all workers to read")
    assert held.outcome.status == 0, held.outcome.text


@pytest.mark.parametrize("most", [2, 3])
def test_no_stage_opens_more_connections_than_allowed(most: int, staging: Staging) -> None:
    """Nor do the pass over the keys, the check of the sample and the profiles."""
    limit(staging, f"max_source_connections: {most}")
    staging.settings = replace(staging.settings, connections=4)
    seen, ended = [0], threading.Event()

    def watch() -> None:
        with staging.settings.need_source().connect(autocommit=True) as production:
            while not ended.is_set():
                (count,) = production.execute(OURS).fetchone() or (0,)
                seen[0] = max(seen[0], count)

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        staging.refresh(fraction=0.5)
    finally:
        ended.set()
        watching.join()
    assert seen[0] == most


@contextlib.contextmanager
def busy_sessions(database: Database, count: int) -> Iterator[None]:
    """Sessions that work, or seem to, until the block ends."""
    sessions = [database.connect(autocommit=True) for _ in range(count)]
    threads = [threading.Thread(target=_work, args=(session,)) for session in sessions]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for session in sessions:
            session.cancel_safe()
        for thread in threads:
            thread.join()
        for session in sessions:
            session.close()


def _work(session: psycopg.Connection[Any]) -> None:
    with contextlib.suppress(psycopg.errors.QueryCanceled):
        session.execute("SELECT pg_sleep(600)")


def test_reading_pauses_while_production_is_busy(staging: Staging, faults: FaultRunner) -> None:
    limit(staging, "pause_above_active_sessions: 1")
    production = staging.settings.need_source()
    with faults.paused(staging.settings, "in the middle chunk", log=True) as held:
        with busy_sessions(production, 2):
            until(lambda: "2 sessions are active, 1 allowed" in held.so_far(), "the load to pause")
        until(lambda: "Going on." in held.so_far(), "the load to go on")
    assert held.outcome.status == 0, held.outcome.text
    assert staging.serves() == staging.edition


@pytest.mark.parametrize("gives_way", [True, False])
def test_a_migration_that_waits_for_the_refresh(
    gives_way: bool, staging: Staging, faults: FaultRunner
) -> None:
    if gives_way:
        limit(staging, "give_way_after_seconds: 0.5")
    staging.refresh()
    staging.next_edition()
    with (
        staging.settings.need_source().connect() as migration,
        faults.paused(staging.settings, "in the middle chunk", log=True) as held,
    ):
        migrating = threading.Thread(target=_lock, args=(migration, "0" if gives_way else "3s"))
        migrating.start()
        until(lambda: "1 session(s) of production wait" in held.so_far(), "the refresh to notice")
        if gives_way:
            migrating.join(60)
            assert not migrating.is_alive()
    migrating.join()
    expected = (1, staging.edition - 1) if gives_way else (0, staging.edition)
    assert (held.outcome.status, staging.serves()) == expected, held.outcome.text
    assert ("has waited 0.5 s for a lock" in held.outcome.text) == gives_way
    staging.assert_clean()


def _lock(session: psycopg.Connection[Any], patience: str) -> None:
    session.execute("SELECT set_config('lock_timeout', %s, false)", [patience])
    with contextlib.suppress(psycopg.errors.LockNotAvailable):
        session.execute("LOCK TABLE bare IN ACCESS EXCLUSIVE MODE")
    session.rollback()


def test_a_pause_holds_whoever_brings_a_batch() -> None:
    control = Control(expected=100)
    control.pause()
    passed = threading.Event()

    def work() -> None:
        control.passed(1, 10)
        passed.set()

    worker = threading.Thread(target=work)
    worker.start()
    until(lambda: control.rows == 1, "the worker to bring a batch")
    assert not passed.wait(0.2)
    control.go_on()
    assert passed.wait(60)
    worker.join()
    control.pause()
    control.stop()
    with pytest.raises(Cancelled):
        control.passed(1, 10)


def test_limits_that_the_role_cannot_see_are_refused(staging: Staging, source_server: Server) -> None:
    database = str(staging.settings.need_source().name)
    role = f"blind_{database}"
    name, password = sql.Identifier(role), sql.Literal(source_server.password_for(role))
    settings = replace(staging.settings, source=source_server.url(database, role))
    reads = replace(staging, settings=settings)
    with staging.settings.need_source().connect(autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(name, password))
        admin.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {}").format(name))
        admin.execute(sql.SQL("GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {}").format(name))
        try:
            limit(staging, "pause_above_lag_seconds: 60")
            with pytest.raises(SourceError, match="does not see others' sessions"):
                reads.refresh()
            found = {finding.name: finding for finding in examine(reads.settings)}["limits of the load"]
            assert found.status == "fail"
            admin.execute(str(found.todo).encode())
            reads.refresh()
        finally:
            admin.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(name))
