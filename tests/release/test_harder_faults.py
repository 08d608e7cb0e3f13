"""Whatever else can happen to a refresh: signals, servers and networks that go away, disks, locks, time."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from fix_disk import NoRoom
from fix_release import FaultRunner, Outcome, Staging, Watch, kill, until
from psycopg import conninfo, sql

from parity_data.database import Database
from parity_data.demo.server import Server
from parity_data.errors import ParityError, SourceError

pytestmark = pytest.mark.slow

KILLS = 30


@pytest.fixture
def ready(long_lived: Staging) -> Iterator[Staging]:
    """A staging with a release to lose and a new edition to win; clean, and at the newest edition, after.

    Somebody reads it all the time.
    """
    old, new = long_lived.serves(), long_lived.next_edition()
    with Watch(long_lived.target) as watch:
        yield long_lived
        assert long_lived.serves() in (old, new)
        long_lived.refresh()
    assert not watch.wrong
    assert watch.seen == sorted(watch.seen)
    assert set(watch.seen) == {old, new}
    assert long_lived.serves() == new
    long_lived.assert_clean()


def old_edition(staging: Staging) -> int:
    return staging.edition - 1


@pytest.fixture(scope="module")
def seconds(long_lived: Staging, faults: FaultRunner) -> float:
    """What a refresh takes here and now, from the start of its process to its end."""
    faults.run(long_lived.settings)
    started = time.monotonic()
    assert faults.run(long_lived.settings).status == 0
    return time.monotonic() - started


@pytest.mark.parametrize("seed", range(KILLS))
def test_killed_at_any_time(seed: int, seconds: float, ready: Staging, faults: FaultRunner) -> None:
    moment = random.Random(seed).uniform(0, seconds)
    pid, output = faults.start(ready.settings)
    time.sleep(moment)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    outcome = faults.wait(output)
    assert outcome.status in (0, -signal.SIGKILL), outcome.text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("point", ["in pre-data", "in the middle chunk", "in the checks", "before the swap"])
def test_cancelled(point: str, number: signal.Signals, ready: Staging, faults: FaultRunner) -> None:
    with faults.paused(ready.settings, point) as held:
        os.kill(held.pid, number)
    assert held.outcome.status == 3, held.outcome.text
    assert ready.serves() == old_edition(ready)
    ready.assert_clean()  # a cancelled run cleans up itself, not the one after it


def test_production_is_killed(ready: Staging, faults: FaultRunner, source_server: Server) -> None:
    with faults.paused(ready.settings, "in the middle chunk") as held:
        kill(source_server)
        source_server.start()
    assert_failed(held.outcome, "The connection to production was lost")
    assert ready.serves() == old_edition(ready)


def test_the_target_restarts_and_the_load_resumes(
    ready: Staging, faults: FaultRunner, target_server: Server
) -> None:
    with faults.paused(ready.settings, "in the middle chunk") as held:
        kill(target_server)
        target_server.start()
        assert ready.serves() == old_edition(ready)
    assert held.outcome.status == 0, held.outcome.text
    assert ready.serves() == ready.edition


def test_the_target_stays_away(ready: Staging, faults: FaultRunner, target_server: Server) -> None:
    soon = {"parity_data.transfer.target_writer.RETRY_SECONDS": 1.0}
    with faults.paused(ready.settings, "in the middle chunk", constants=soon) as held:
        kill(target_server)
    assert_failed(held.outcome, "The connection to the target was lost")
    target_server.start()
    assert ready.serves() == old_edition(ready)


@pytest.mark.parametrize("point", ["in post-data", "in the checks", "before the swap"])
def test_the_target_is_killed_later(
    point: str, ready: Staging, faults: FaultRunner, target_server: Server
) -> None:
    with faults.paused(ready.settings, point) as held:
        kill(target_server)
    assert held.outcome.status == 1, held.outcome.text
    target_server.start()
    assert ready.serves() == old_edition(ready)


def test_another_run_took_the_lock_while_the_target_was_away(
    ready: Staging, faults: FaultRunner, target_server: Server
) -> None:
    with faults.paused(ready.settings, "in the middle chunk") as held:
        kill(target_server)
        target_server.start()
        ready.refresh()  # takes the lock, and drops what the paused one was building
    assert held.outcome.status == 1, held.outcome.text
    assert ready.serves() == ready.edition


def test_the_snapshot_is_taken_away(ready: Staging, faults: FaultRunner) -> None:
    with (
        faults.paused(ready.settings, "in the middle chunk") as held,
        ready.settings.need_source().connect(autocommit=True) as admin,
    ):
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name LIKE 'parity-data %' AND state = 'idle in transaction'"
        )
    assert_failed(held.outcome, "The connection to production was lost")


class Wire:
    """Passes bytes to a server, and cuts every connection once one of them has passed so many."""

    def __init__(self, database: Database) -> None:
        self._parameters = conninfo.conninfo_to_dict(database.uri())
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.cut_after: int | None = None
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def database(self) -> Database:
        return Database({**self._parameters, "port": self._listener.getsockname()[1]})

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", int(str(self._parameters["port"]))))
                self._open += [client, server]
                for a, b in ((client, server), (server, client)):
                    threading.Thread(target=self._pass, args=(a, b), daemon=True).start()

    def _pass(self, a: socket.socket, b: socket.socket) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while data := a.recv(16384):
                passed += len(data)
                if self.cut_after is not None and passed > self.cut_after:
                    self.cut_after = None
                    self.cuts += 1
                    break
                b.sendall(data)
        for end in (a, b):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
                end.close()

    def close(self) -> None:
        self._listener.close()
        for end in self._open:
            end.close()


@pytest.fixture
def wire_to() -> Iterator[type[Wire]]:
    made: list[Wire] = []

    class Kept(Wire):
        def __init__(self, database: Database) -> None:
            super().__init__(database)
            made.append(self)

    yield Kept
    for wire in made:
        wire.close()


def test_cut_while_reading(ready: Staging, wire_to: type[Wire]) -> None:
    wire = wire_to(ready.settings.need_source())
    wire.cut_after = 150_000
    cut = replace(ready, settings=replace(ready.settings, source=wire.database))
    with pytest.raises(SourceError, match=r"connection to production was lost.*cannot resume"):
        cut.refresh()
    assert wire.cuts == 1
    assert ready.serves() == old_edition(ready)
    ready.assert_clean()


def test_cut_while_writing(ready: Staging, wire_to: type[Wire]) -> None:
    wire = wire_to(ready.target)
    wire.cut_after = 150_000
    cut = replace(ready, settings=replace(ready.settings, target=wire.database))
    cut.refresh()
    assert wire.cuts == 1
    assert ready.serves() == ready.edition


def test_the_target_has_no_room(ready: Staging, no_room: NoRoom) -> None:
    with no_room(ready), pytest.raises(ParityError, match="disk is full"):
        ready.refresh()
    assert ready.serves() == old_edition(ready)


def test_a_table_of_production_is_locked(ready: Staging) -> None:
    with ready.settings.need_source().connect() as other:
        other.execute("LOCK TABLE purchase IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(SourceError, match=r"locked by another session for 10 seconds") as caught:
            ready.refresh()
    assert caught.value.where == "public.purchase"
    assert ready.serves() == old_edition(ready)
    ready.assert_clean()


def test_timeouts_of_the_role_do_not_stop_a_refresh(ready: Staging) -> None:
    with ready.settings.need_source().connect(autocommit=True) as admin:
        name = sql.Identifier(ready.settings.need_source().name or "")
        for setting in ("statement_timeout", "idle_in_transaction_session_timeout", "lock_timeout"):
            admin.execute(sql.SQL("ALTER DATABASE {} SET {} = '30ms'").format(name, sql.Identifier(setting)))
        try:
            ready.refresh()
        finally:
            admin.execute(sql.SQL("ALTER DATABASE {} RESET ALL").format(name))
    assert ready.serves() == ready.edition


def test_reading_takes_too_long(ready: Staging, faults: FaultRunner) -> None:
    short = {"parity_data.catalog.snapshot.STREAM_TIMEOUT_MS": 1}
    assert_failed(faults.run(ready.settings, constants=short), "longer than the statement timeout")
    assert ready.serves() == old_edition(ready)


def test_production_ends_who_is_idle_in_a_transaction(ready: Staging, faults: FaultRunner) -> None:
    impatient = {"idle_in_transaction_session_timeout": "100"}
    with (
        faults.paused(ready.settings, "after the snapshot", source_settings=impatient) as held,
        ready.settings.need_source().connect(autocommit=True) as admin,
    ):
        ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'parity-data %'"
        until(lambda: admin.execute(ours).fetchone() == (0,), "production to end the snapshot")
    assert_failed(held.outcome, "The connection to production was lost")
    assert ready.serves() == old_edition(ready)
    ready.assert_clean()


def test_roles_that_a_dead_run_had_created_go(ready: Staging, faults: FaultRunner) -> None:
    role, rules = f"newcomer_{ready.target.name}", ready.settings.rules / "public.yaml"
    known = rules.read_text()

    def exists() -> bool:
        with ready.target.connect(autocommit=True) as admin:
            return bool(admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone())

    with ready.settings.need_source().connect(autocommit=True) as production:
        production.execute(f"CREATE ROLE {role}; CREATE TABLE theirs (x int)".encode())
        production.execute(f"ALTER TABLE theirs OWNER TO {role}".encode())
        rules.write_text(known + "  theirs:\n    x: keep\n")
        outcome = faults.run(ready.settings, point="in the middle chunk")
        assert outcome.status == -signal.SIGKILL, outcome.text
        assert exists()
        production.execute(f"DROP TABLE theirs; DROP ROLE {role}".encode())
        rules.write_text(known)
    ready.refresh()
    assert not exists()


def test_many_sessions_on_staging(ready: Staging, target_server: Server) -> None:
    with target_server.url("postgres").connect(autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET max_connections = 260")
    target_server.stop()
    target_server.start()
    try:
        sessions = [ready.target.connect() for _ in range(200)]
        for session in sessions[:100]:
            session.execute("SELECT count(*) FROM purchase")  # idle in transaction
        ready.refresh()
        ended = 0
        for session in sessions:
            with contextlib.suppress(psycopg.OperationalError):
                session.execute("SELECT 1")
                continue
            ended += 1
        assert ended == 200
        assert ready.serves() == ready.edition
    finally:
        with target_server.url("postgres").connect(autocommit=True) as admin:
            admin.execute("ALTER SYSTEM RESET max_connections")
        target_server.stop()
        target_server.start()


def assert_failed(outcome: Outcome, words: str) -> None:
    assert outcome.status == 1, outcome.text
    assert words in outcome.text
