"""One server in a folder: starts, stops, survives, hides its password."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from parity_data.database import Database
from parity_data.demo import _system
from parity_data.demo.server import SUPERUSER, Server
from parity_data.errors import ConfigError, ParityError


@pytest.fixture
def server(server_folder: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    server = Server(server_folder, f"own-{abs(hash(request.node.name)) % 10**8}")
    yield server
    server.delete()


def answer(database: Database, query: str) -> object:
    with database.connect() as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def kill(server: Server) -> None:
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while server.running:
        time.sleep(0.01)


def test_starts_twice_and_stops_twice(server: Server) -> None:
    assert not server.running
    server.start()
    pid = server.pid
    server.start()
    assert server.pid == pid
    assert answer(server.url("postgres"), "select 1") == 1
    server.stop()
    server.stop()
    assert not server.running
    with pytest.raises(ParityError):
        server.url("postgres").connect()


def test_keeps_its_data_and_port_over_a_restart(server: Server) -> None:
    server.start()
    before = server.url("postgres")
    with before.connect() as connection:
        connection.execute("create table kept as select 42 as n")
    server.stop()
    server.start()
    assert answer(server.url("postgres"), "select n from kept") == 42
    assert server.url("postgres").display == before.display


def test_recovers_after_sigkill_with_a_client_at_work(server: Server) -> None:
    server.start()
    connection = server.url("postgres").connect()
    connection.execute("create table kept as select generate_series(1, 1000) as n")
    connection.commit()
    connection.execute("create table lost as select 1 as n")
    kill(server)
    server.start()
    assert answer(server.url("postgres"), "select count(*) from kept") == 1000
    assert answer(server.url("postgres"), "select to_regclass('lost')") is None
    connection.close()


def test_another_program_with_the_same_number_is_not_the_server(server: Server) -> None:
    server.start()
    pid_file = server.folder / "cluster" / "data" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    kill(server)
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    assert not server.running
    server.stop()  # must not touch this very process
    server.start()
    assert answer(server.url("postgres"), "select 1") == 1


def test_begins_again_when_the_first_start_was_cut_short(server: Server) -> None:
    half = server.folder / "cluster" / "data"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    server.start()
    assert answer(server.url("postgres"), "select 1") == 1


def test_settings(server: Server) -> None:
    server.start()
    database = server.url("postgres")
    assert answer(database, "show wal_level") == "logical"
    assert answer(database, "show server_encoding") == "UTF8"
    assert answer(database, "show listen_addresses") == "127.0.0.1"
    assert answer(database, "select system_user") == f"scram-sha-256:{SUPERUSER}"
    assert answer(database, "select 'É' ilike 'é'") is True


def test_password_is_needed_and_private(server: Server) -> None:
    server.start()
    url = server.url("postgres")
    assert url.password
    assert url.password not in repr(url) + repr(server)
    assert stat.S_IMODE((server.folder / "state.json").stat().st_mode) == 0o600
    for host in ("127.0.0.1", str(server.socket_folder)):
        parameters = psycopg.conninfo.conninfo_to_dict(url.uri()) | {"host": host, "password": "wrong"}
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(**parameters)


def test_unix_socket(server: Server) -> None:
    server.start()
    parameters = psycopg.conninfo.conninfo_to_dict(server.url("postgres").uri())
    with psycopg.connect(**(parameters | {"host": str(server.socket_folder)})) as connection:
        assert connection.info.host == str(server.socket_folder)


def test_deep_folder_with_awkward_name(server_folder: Path) -> None:
    server = Server(server_folder / 'it\'s, "$HOME"' / ("deep" * 40), "production")
    try:
        server.start()
        assert answer(server.url("postgres"), "select 1") == 1
        sockets = server.socket_folder
        assert sockets is not None
        assert not sockets.is_relative_to(server.folder)
    finally:
        server.delete()
    assert not sockets.exists()
    assert not server.folder.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another account")
def test_root_with_a_private_folder_leaves_its_mode_alone(tmp_path: Path) -> None:
    private = tmp_path / "home"
    private.mkdir(mode=0o700)
    server = Server(private, "production")
    try:
        server.start()
        assert answer(server.url("postgres"), "select 1") == 1
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
        cluster = (server.folder / "cluster").resolve()
        assert cluster.is_relative_to(_system.FALLBACK)
        server.stop()
        server.start()
        assert answer(server.url("postgres"), "select 1") == 1
    finally:
        server.delete()
    assert not cluster.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another account")
def test_root_with_private_programs_copies_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_system, "FALLBACK", Path("/var/tmp") / tmp_path.name)
    private = tmp_path / "venv"
    private.mkdir(mode=0o700)
    (private / "bin").mkdir()
    (private / "bin" / "postgres").symlink_to(_system.programs() / "postgres")
    try:
        copy = _system.usable_programs(private / "bin", _system.server_account())
        assert copy.is_relative_to(_system.FALLBACK)
        assert (copy / "postgres").is_file()
    finally:
        shutil.rmtree(_system.FALLBACK, ignore_errors=True)


def test_url_before_the_first_start(tmp_path: Path) -> None:
    with pytest.raises(ParityError, match="never started"):
        Server(tmp_path, "production").url("postgres")


def test_failing_initdb_is_reported(server_folder: Path, tmp_path: Path) -> None:
    programs = server_folder / "broken"
    programs.mkdir()
    (programs / "initdb").write_text("#!/bin/sh\necho 'initdb: error: no space left'\nexit 1\n")
    (programs / "initdb").chmod(0o755)
    server = Server(server_folder, "broken-server", programs)
    with pytest.raises(ConfigError, match="no space left"):
        server.start()
    server.delete()


@pytest.mark.postgres15
def test_other_programs(postgres15: Server) -> None:
    assert str(answer(postgres15.url("postgres"), "show server_version")).startswith("15.")
