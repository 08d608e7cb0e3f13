"""A small production, its staging, refreshes that can be made to end badly, and what must be true after."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from fix_servers import fresh_database
from psycopg import sql

from parity_data.database import Database
from parity_data.demo.server import Server
from parity_data.errors import Cancelled, ParityError
from parity_data.refresh import Refresh, RefreshRequest
from parity_data.refresh.scan import scan_source
from parity_data.release import Ledger
from parity_data.secret import Secret
from parity_data.settings import Settings

#: Every wait below ends here with a failure.
PATIENCE_SECONDS = 60

_PRODUCTION = """
CREATE TABLE mark (edition int PRIMARY KEY);
CREATE TABLE person (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE purchase (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, person int NOT NULL REFERENCES person, note text);
CREATE INDEX ON purchase (person);
CREATE TABLE bare (n int, word text);
CREATE MATERIALIZED VIEW spent AS SELECT person, count(*) AS times FROM purchase GROUP BY person;
INSERT INTO person SELECT i, 'person ' || i FROM generate_series(1, 400) AS i;
INSERT INTO bare SELECT i, 'word ' || i FROM generate_series(1, 300) AS i;
ANALYZE;
"""
#: An edition is whole when it says one number everywhere: n rows of purchases for everybody.
_NEXT_EDITION = """
DELETE FROM mark;
INSERT INTO mark VALUES (%(edition)s);
DELETE FROM purchase;
INSERT INTO purchase (person, note) SELECT p.id, 'note ' || p.id || repeat('-', 200)
    FROM person p CROSS JOIN generate_series(1, %(edition)s %% 3 + 4);
REFRESH MATERIALIZED VIEW spent;
"""
_EDITION = """
SELECT (SELECT edition FROM mark), (SELECT count(*) FROM purchase), (SELECT count(*) FROM person),
       (SELECT sum(times)::int FROM spent)
"""
_OUR_SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'parity-data %'"


def read_edition(connection: psycopg.Connection[Any]) -> int:
    """The edition that a database holds; fails when it is not whole."""
    row = connection.execute(_EDITION).fetchone()
    assert row is not None
    edition, purchases, people, spent = row
    assert (people, purchases, spent) == (400, 400 * (edition % 3 + 4), purchases), f"not whole: {row}"
    return int(edition)


@dataclass
class Outcome:
    """How a refresh in a child process ended. status: as in ``fault_child``, negative for a signal."""

    status: int
    text: str


@dataclass
class Paused:
    """A refresh held at a point. output: the file it writes to. outcome: set when it has ended."""

    pid: int
    output: Path
    outcome: Outcome = field(default_factory=lambda: Outcome(0, ""))

    def so_far(self) -> str:
        """What it has said."""
        return self.output.read_text()


class FaultRunner:
    """Starts refreshes in processes of their own, one at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = itertools.count(1)
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "POLARS_MAX_THREADS": "2"}
        self._zygote = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "release" / "fault_child.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def start(self, settings: Settings, **order: Any) -> tuple[int, Path]:
        """Begin a refresh; its process id and the file of its output."""
        output = self._folder / f"{next(self._number)}.out"
        assert self._zygote.stdin is not None
        assert self._zygote.stdout is not None
        whole = {**_order(settings), "output": str(output), **order}
        self._zygote.stdin.write(json.dumps(whole) + "\n")
        self._zygote.stdin.flush()
        return int(self._zygote.stdout.readline()), output

    def wait(self, output: Path) -> Outcome:
        """Wait for its end."""
        assert self._zygote.stdout is not None
        status = int(self._zygote.stdout.readline())
        return Outcome(status, output.read_text() if output.exists() else "")

    def run(self, settings: Settings, **order: Any) -> Outcome:
        """A refresh from begin to end. Orders (point, act, mode, constants, ...): see ``fault_child``."""
        return self.wait(self.start(settings, **order)[1])

    @contextmanager
    def paused(self, settings: Settings, point: str, **order: Any) -> Iterator[Paused]:
        """A refresh that has reached a point and waits there; it goes on when the block ends."""
        number = next(self._number)
        reached, go = (self._folder / f"{number}.{name}" for name in ("reached", "go"))
        environ = {"FAULT_REACHED": str(reached), "FAULT_GO": str(go)}
        pid, output = self.start(settings, point=point, act="pause", environ=environ, **order)
        paused = Paused(pid, output)
        try:
            until(lambda: reached.exists() or not psutil.pid_exists(pid), f"'{point}' to be reached")
            assert reached.exists(), output.read_text()
            yield paused
        finally:
            go.touch()
            paused.outcome = self.wait(output)

    def close(self) -> None:
        assert self._zygote.stdin is not None
        self._zygote.stdin.close()
        self._zygote.wait(timeout=PATIENCE_SECONDS)
        assert self._zygote.stdout is not None
        self._zygote.stdout.close()


def _order(settings: Settings) -> dict[str, Any]:
    assert settings.masking_key is not None
    return {
        "source": settings.need_source().uri(),
        "target": settings.need_target().uri(),
        "key": settings.masking_key.reveal(),
        "rules": str(settings.rules),
        "work": str(settings.work),
    }


@dataclass
class Staging:
    """A production of numbered editions, and the staging that follows it."""

    settings: Settings
    edition: int = 0

    @property
    def target(self) -> Database:
        return self.settings.need_target()

    def next_edition(self) -> int:
        """Let production move on."""
        self.edition += 1
        with self.settings.need_source().connect(autocommit=True) as connection:
            for statement in _NEXT_EDITION.split(";")[:-1]:
                text = statement % {"edition": self.edition} if "%" in statement else statement
                connection.execute(text.encode())
        return self.edition

    def refresh(self, **asked: Any) -> str:
        """A whole refresh in this process; the release's id. Raises what it raises."""
        request = RefreshRequest(**asked)
        with Refresh(self.settings, request) as run:
            run.open()
            run.map_pii()
            run.choose_rows()
            run.prepare()
            errors = [sent.error for sent in run.send_rows() if sent.error is not None]
            # Tables that stopped because another failed say only that they stopped.
            for error in sorted(errors, key=lambda e: isinstance(e, Cancelled)):
                raise error
            run.complete()
            run.verify()
            run.release()
        return request.release

    def serves(self, name: str | None = None) -> int:
        """The edition that staging, or the database of that name, holds."""
        where = self.target if name is None else self.target.with_name(name)
        with where.connect(autocommit=True) as connection:
            return read_edition(connection)

    def ledger(self) -> Ledger:
        return Ledger(self.target, maintenance="postgres")

    def databases(self) -> set[str]:
        """What is there of this staging, without its own name: '', '__prev', '__releases' and so on."""
        assert self.target.name is not None
        with self.target.with_name("postgres").connect(autocommit=True) as connection:
            found = connection.execute(
                "SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [self.target.name]
            ).fetchall()
        return {name.removeprefix(self.target.name) for (name,) in found}

    def assert_clean(self) -> None:
        """Nothing is left behind: no database, lock, session, file or process of a run."""
        assert self.databases() <= {"", "__prev", "__releases"}
        left = {p.name for p in self.settings.work.iterdir()} - {"releases", "detection.json"}
        assert not left, f"left in the work folder: {left}"
        until(lambda: not self._sessions(), "our sessions to end")
        with self.ledger() as ledger:
            ledger.lock()
            assert not [r for r in ledger.releases() if r.state == "building"]
        assert not _tools_at_work(str(self.settings.work))

    def _sessions(self) -> int:
        count = 0
        for database in (self.settings.need_source(), self.target.with_name("postgres")):
            with database.connect(autocommit=True) as connection:
                row = connection.execute(_OUR_SESSIONS).fetchone()
                assert row is not None
                count += row[0]
        return count


def _tools_at_work(folder: str) -> list[int]:
    """pg_dump and pg_restore processes that work on files of the folder."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "status"]):
        line = " ".join(process.info["cmdline"] or [])
        if folder in line and process.info["status"] != psutil.STATUS_ZOMBIE and "pg_" in line:
            found.append(process.info["pid"])
    return found


def until(true: Callable[[], object], what: str) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline, f"waited {PATIENCE_SECONDS} s for {what}"
        time.sleep(0.02)


def kill(server: Server) -> None:
    """Kill a server as the OOM killer does, and wait until it is gone."""
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: not server.running, "the server to be gone")


@dataclass
class Watch:
    """Reads staging over and over, as an application does that connects again when it is sent away."""

    target: Database
    seen: list[int] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Watch:
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        until(lambda: self.seen or self.wrong, "a first answer")
        return self

    def __exit__(self, *_: object) -> None:
        seen = len(self.seen)
        until(lambda: len(self.seen) > seen or self.wrong, "an answer at the end")
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                with self.target.connect(autocommit=True) as connection:
                    while not self._stop.wait(0.01):
                        self.seen.append(read_edition(connection))
            except (psycopg.OperationalError, ParityError):
                self._stop.wait(0.01)  # sent away by the swap, or the server is gone
            except (AssertionError, psycopg.Error) as error:
                self.wrong.append(f"{type(error).__name__}: {error}")
                return


@pytest.fixture(scope="session")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultRunner]:
    """Refreshes that end at a point, each in a process of its own."""
    runner = FaultRunner(tmp_path_factory.mktemp("faults"))
    yield runner
    runner.close()


def make_staging(source: Database, target: Database, folder: Path, key: Secret) -> Staging:
    """Fill the source with edition 1, write rules that keep everything; there is no staging yet."""
    assert target.name is not None
    with target.with_name("postgres").connect(autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(target.name)))
    with source.connect(autocommit=True) as connection:
        connection.execute(_PRODUCTION)
    settings = Settings(source, target, key, rules=folder / "rules", work=folder / "work")
    staging = Staging(settings)
    staging.next_edition()
    scan_source(settings, write=settings.rules, decide="keep")
    set_policy(staging, "grace_seconds: 5", "grace_seconds: 0")
    return staging


def set_policy(staging: Staging, old: str, new: str) -> None:
    """Change the text of the policy."""
    policy = staging.settings.rules / "policy.yaml"
    text = policy.read_text()
    assert old in text
    policy.write_text(text.replace(old, new))


@pytest.fixture
def staging(source_db: Database, target_db: Database, masking_key: Secret, tmp_path: Path) -> Staging:
    """A staging that nobody has refreshed yet."""
    return make_staging(source_db, target_db, tmp_path, masking_key)


@pytest.fixture(scope="module")
def long_lived(
    source_server: Server, target_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Staging]:
    """A staging that has been refreshed, and lives through all faults of a module."""
    folder = tmp_path_factory.mktemp("staging")
    key = Secret("5f1d3c9a7be2480691c4d8aa36f0e27b9d54c1e8630fb72a1c6e9d047f8b35a2")
    for source in fresh_database(source_server, "src"):
        for target in fresh_database(target_server, "dst"):
            staging = make_staging(source, target, folder, key)
            staging.refresh()
            yield staging
