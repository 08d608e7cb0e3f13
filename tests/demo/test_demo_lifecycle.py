"""The demo as a whole: start, repeat, recover, stop, reset."""

from __future__ import annotations

import os
import signal
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from parity_data import settings
from parity_data.database import Database
from parity_data.demo import lifecycle, shop
from parity_data.demo.server import Server
from parity_data.errors import ParityError

SCALE = 0.01


@pytest.fixture
def work(server_folder: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    folder = server_folder / f"work-{abs(hash(request.node.name)) % 10**8}"
    folder.mkdir()
    yield folder
    lifecycle.reset(folder, quiet)


def quiet(message: str) -> None:
    """Say nothing."""


def answer(database: Database | None, query: str) -> object:
    assert database is not None
    with database.connect() as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def test_whole_life(work: Path) -> None:
    said: list[str] = []
    assert not lifecycle.status(work).running

    state = lifecycle.start(work, SCALE, said.append)
    assert state.running
    assert lifecycle.status(work) == state
    orders = answer(state.source, "select count(*) from shop.orders")
    assert orders == 2004
    assert answer(state.target, "select count(*) from shop.note") == 1
    assert any("rows" in line for line in said)
    passwords = [database.password for database in (state.source, state.target) if database]
    assert all(passwords)
    assert not any(password in line for line in said for password in passwords if password)

    said.clear()
    again = lifecycle.start(work, SCALE, said.append)
    assert again == state
    assert said == []

    assert not lifecycle.stop(work, quiet).running
    assert not state.environment.exists()
    assert not lifecycle.stop(work, quiet).running
    assert settings.load(environ={"PARITY_WORK": str(work)}, folder=work).source is None

    assert answer(lifecycle.start(work, SCALE, quiet).source, "select count(*) from shop.orders") == orders

    assert not lifecycle.reset(work, quiet).running
    assert list(work.iterdir()) == []
    lifecycle.reset(work, quiet)


def test_settings_find_the_demo(work: Path) -> None:
    state = lifecycle.start(work, SCALE, quiet)
    assert stat.S_IMODE(state.environment.stat().st_mode) == 0o600
    found = settings.load(environ={"PARITY_WORK": str(work)}, folder=work)
    assert found.demo
    assert found.need_source().display == state.source.display  # type: ignore[union-attr]
    assert answer(found.need_source(), "select current_user") == lifecycle.READER
    assert answer(found.need_target(), "select current_database()") == "shop"
    key = found.need_key()
    lifecycle.stop(work, quiet)
    lifecycle.start(work, SCALE, quiet)
    assert settings.load(environ={"PARITY_WORK": str(work)}, folder=work).need_key() == key


def test_reader_sees_everything_and_writes_nothing(work: Path) -> None:
    source = lifecycle.start(work, SCALE, quiet).source
    assert source is not None
    owner = Server(work / "demo", "production").url("shop")
    for table in ("shop.orders", "crm.tickets", '"Legacy ERP"."order"'):
        query = f"select count(*) from {table}"  # noqa: S608
        assert answer(source, query) == answer(owner, query) != 0
    with source.connect() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("delete from shop.flags")


def test_two_servers_are_two_clusters(work: Path) -> None:
    state = lifecycle.start(work, SCALE, quiet)
    identity = "select system_identifier from pg_control_system()"
    assert answer(state.source, identity) != answer(state.target, identity)


@pytest.mark.slow
def test_interrupted_fill_is_done_again(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_short(database: Database, scale: float, log: object) -> None:
        with database.connect(autocommit=True) as connection:
            connection.execute("create schema shop")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shop, "fill", cut_short)
        with pytest.raises(KeyboardInterrupt):
            lifecycle.start(work, SCALE, quiet)
    assert not Server(work / "demo", "production").running
    assert not lifecycle.status(work).environment.exists()
    state = lifecycle.start(work, SCALE, quiet)
    assert answer(state.source, "select count(*) from shop.orders") == 2004


@pytest.mark.slow
def test_recovers_after_both_servers_were_killed(work: Path) -> None:
    before = lifecycle.start(work, SCALE, quiet)
    for name in ("production", "staging"):
        pid = Server(work / "demo", name).pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while lifecycle.status(work).running and time.monotonic() < deadline:
        time.sleep(0.01)
    with pytest.raises(ParityError):
        answer(before.source, "select 1")
    state = lifecycle.start(work, SCALE, quiet)
    assert answer(state.source, "select count(*) from shop.orders") == 2004
    assert answer(state.target, "select count(*) from shop.note") == 1


@pytest.mark.slow
def test_stop_leaves_other_servers_alone(work: Path, source_server: Server) -> None:
    lifecycle.start(work, SCALE, quiet)
    lifecycle.stop(work, quiet)
    assert source_server.running
    assert answer(source_server.url("postgres"), "select 1") == 1
