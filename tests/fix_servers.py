"""Real PostgreSQL servers, and fresh databases on them.

Servers start once per process (so once per worker of ``pytest -n``) and stop with it. Databases are
made for one test and dropped after it, with every database whose name starts with theirs: releases
and previous releases go the same way.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql

from parity_data.database import Database
from parity_data.demo.server import Server
from parity_data.secret import Secret

POSTGRES15_PROGRAMS = Path("/usr/lib/postgresql/15/bin")

#: Share of the demo's rows in ``small_shop``.
SMALL = 0.02

_numbers = itertools.count(1)

_NAMES = "select datname from pg_database where starts_with(datname, %s)"
_CREATE = sql.SQL("create database {} template {}")
_UNPROTECT = sql.SQL("alter database {} with is_template false")
_DROP = sql.SQL("drop database if exists {} with (force)")


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """A folder that the unprivileged account of a root user's servers may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="parity-tests-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def source_server(server_folder: Path) -> Iterator[Server]:
    """A running server that plays production."""
    yield from _running(Server(server_folder, "production"))


@pytest.fixture(scope="session")
def target_server(server_folder: Path) -> Iterator[Server]:
    """A running server that plays staging."""
    yield from _running(Server(server_folder, "staging"))


@pytest.fixture(scope="session")
def postgres15(server_folder: Path) -> Iterator[Server]:
    """A running server of PostgreSQL 15, from the machine's own packages."""
    if not (POSTGRES15_PROGRAMS / "initdb").exists():
        pytest.skip(f"needs the server programs of PostgreSQL 15 in {POSTGRES15_PROGRAMS}")
    yield from _running(Server(server_folder, "postgres15", POSTGRES15_PROGRAMS))


@pytest.fixture
def source_db(source_server: Server) -> Iterator[Database]:
    """An empty database on the production server."""
    yield from fresh_database(source_server, "src")


@pytest.fixture
def target_db(target_server: Server) -> Iterator[Database]:
    """An empty database on the staging server."""
    yield from fresh_database(target_server, "dst")


@pytest.fixture(scope="session")
def small_shop(source_server: Server) -> Database:
    """The demo shop at small scale, as a template: read it, never write to it or stay connected."""
    from parity_data.demo import shop

    database = source_server.url("small_shop")
    with source_server.url("postgres").connect(autocommit=True) as admin:
        admin.execute(_CREATE.format(sql.Identifier("small_shop"), sql.Identifier("template0")))
    shop.fill(database, scale=SMALL)
    return database


@pytest.fixture
def shop_db(source_server: Server, small_shop: Database) -> Iterator[Database]:
    """A copy of the small demo shop, free to be changed."""
    from parity_data.demo import shop

    for database in fresh_database(source_server, "shop", template=small_shop.name):
        shop.configure_database(database)  # a template's settings and grants do not come along
        yield database


@pytest.fixture
def masking_key() -> Secret:
    """A masking key that never changes, so that expected pseudonyms may be written down."""
    return Secret("5f1d3c9a7be2480691c4d8aa36f0e27b9d54c1e8630fb72a1c6e9d047f8b35a2")


def fresh_database(server: Server, prefix: str, template: str | None = None) -> Iterator[Database]:
    """Make a database, give its address, and drop it with all whose names start with its name."""
    name = f"{prefix}_{next(_numbers):04d}"
    with server.url("postgres").connect(autocommit=True) as admin:
        admin.execute(_CREATE.format(sql.Identifier(name), sql.Identifier(template or "template0")))
    yield server.url(name)
    drop_databases(server, name)


def drop_databases(server: Server, prefix: str) -> None:
    """Drop every database whose name starts with the prefix, clients or not."""
    with server.url("postgres").connect(autocommit=True) as admin:
        for (name,) in admin.execute(_NAMES, [prefix]).fetchall():
            admin.execute(_UNPROTECT.format(sql.Identifier(name)))
            admin.execute(_DROP.format(sql.Identifier(name)))


def _running(server: Server) -> Iterator[Server]:
    try:
        server.start()
        yield server
    finally:
        server.delete()
