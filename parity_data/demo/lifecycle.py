"""The demo as a whole: two servers, a filled production, a stale staging, and the settings to reach them."""

from __future__ import annotations

import contextlib
import fcntl
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from parity_data.database import Database
from parity_data.demo import shop
from parity_data.demo.server import Server, write_private

DATABASE = "shop"

#: The role that reads production: sees every row of every table, may write none.
READER = "parity_reader"

Log = Callable[[str], None]

_EXISTS = "select exists (select from pg_database where datname = %s)"
_CREATE = sql.SQL("create database {} template template0")
_DROP = sql.SQL("drop database if exists {} with (force)")
_RENAME = sql.SQL("alter database {} rename to {}")

_HAS_ROLE = "select exists (select from pg_roles where rolname = %s)"
_CREATE_ROLE = sql.SQL("create role {} login bypassrls in role pg_read_all_data, pg_monitor password {}")
_ALTER_ROLE = sql.SQL("alter role {} login bypassrls password {}")

#: What the last manual refresh left in staging: little, old, and of an older migration. The application's
#: roles belong to the server, not to a release, and exist on any staging that an application uses.
_STALE_STAGING = """
do $$ begin create role shop_app nologin; exception when duplicate_object then null; end $$;
do $$ begin create role shop_readonly nologin; exception when duplicate_object then null; end $$;
create schema shop;
create table shop.note (id integer primary key, written_on date not null, body text not null);
comment on table shop.note is 'Staging was last refreshed by hand.';
insert into shop.note values (1, '2024-02-29', 'Restored from last year''s dump, orders missing. Ask ops.');
create table public.alembic_version (version_num varchar(32) primary key);
insert into public.alembic_version values ('1d0aa7c94e11');
"""


@dataclass(frozen=True)
class DemoState:
    """Where the demo stands. source, target: None unless both servers run.

    environment: the file that ``settings`` reads; it is there only while the demo runs.
    """

    folder: Path
    running: bool
    source: Database | None
    target: Database | None
    environment: Path

    def as_dict(self) -> dict[str, str | bool | None]:
        """For programs; addresses are shown without passwords."""
        return {
            "folder": str(self.folder),
            "running": self.running,
            "source": self.source.display if self.source else None,
            "target": self.target.display if self.target else None,
            "environment": str(self.environment),
        }


def start(work: Path, scale: float = 1.0, log: Log = print) -> DemoState:
    """Start both servers under ``work/demo`` and fill them where that was not done, or not finished.

    scale: share of the shop's rows, for the first start only. log: told what is going on, a line at a
    time. Does nothing when the demo runs. Raises ConfigError, ParityError; servers that this call
    started are stopped again then.
    """
    folder = work.resolve() / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        started: list[Server] = []
        try:
            production, staging = servers = _servers(folder)
            for server in servers:
                if not server.running:
                    started.append(server)
                    server.start()
                    log(f"{server.name}: {server.url('postgres').display}")
            _make_reader(production)
            if not _exists(production):
                log(f"filling {production.name} with the demo shop, once")
                _build(production, lambda database: shop.fill(database, scale, log))
            if not _exists(staging):
                _build(staging, _fill_staging)
            _write_environment(folder, production, staging)
        except BaseException:
            if started:
                (folder / "environment").unlink(missing_ok=True)
            for server in started:
                server.stop()
            raise
        return _state(folder)


def status(work: Path) -> DemoState:
    """Where the demo stands; changes nothing."""
    return _state(work.resolve() / "demo")


def stop(work: Path, log: Log = print) -> DemoState:
    """Stop both servers and take their settings away; the data stay. Does nothing when they do not run."""
    folder = work.resolve() / "demo"
    if folder.is_dir():
        with _locked(folder):
            (folder / "environment").unlink(missing_ok=True)
            for server in _servers(folder):
                if server.running:
                    server.stop()
                    log(f"{server.name}: stopped")
    return _state(folder)


def reset(work: Path, log: Log = print) -> DemoState:
    """Stop both servers and delete everything of the demo, its masking key included."""
    folder = work.resolve() / "demo"
    stop(work, log)
    if folder.is_dir():
        for server in _servers(folder):
            server.delete()
        shutil.rmtree(folder, ignore_errors=True)
    return _state(folder)


def _servers(folder: Path) -> tuple[Server, Server]:
    return Server(folder, "production"), Server(folder, "staging")


def _state(folder: Path) -> DemoState:
    environment = folder / "environment"
    production, staging = _servers(folder)
    if not (production.running and staging.running):
        return DemoState(folder, False, None, None, environment)
    return DemoState(folder, True, _source(production), staging.url(DATABASE), environment)


def _source(production: Server) -> Database:
    return production.url(DATABASE, READER)


def _exists(server: Server) -> bool:
    with server.url("postgres").connect(autocommit=True) as admin:
        row = admin.execute(_EXISTS, [DATABASE]).fetchone()
    return row is not None and bool(row[0])


def _build(server: Server, fill: Callable[[Database], object]) -> None:
    """Fill a database under another name and rename it, so that a half-filled one never bears the name."""
    draft = f"{DATABASE}_filling"
    with server.url("postgres").connect(autocommit=True) as admin:
        admin.execute(_DROP.format(sql.Identifier(draft)))
        admin.execute(_CREATE.format(sql.Identifier(draft)))
        fill(server.url(draft))
        admin.execute(_RENAME.format(sql.Identifier(draft), sql.Identifier(DATABASE)))


def _fill_staging(database: Database) -> None:
    with database.connect() as connection:
        connection.execute(_STALE_STAGING)


def _make_reader(production: Server) -> None:
    password = sql.Literal(production.password_for(READER))
    with production.url("postgres").connect(autocommit=True) as admin:
        row = admin.execute(_HAS_ROLE, [READER]).fetchone()
        statement = _ALTER_ROLE if row and row[0] else _CREATE_ROLE
        admin.execute(statement.format(sql.Identifier(READER), password))


def _write_environment(folder: Path, production: Server, staging: Server) -> None:
    key = folder / "masking_key"
    if not key.is_file():
        write_private(key, secrets.token_hex(32) + "\n")
    values = {
        "PARITY_SOURCE_URL": _source(production).uri(),
        "PARITY_TARGET_URL": staging.url(DATABASE).uri(),
        "PARITY_MASKING_KEY": key.read_text().strip(),
    }
    write_private(folder / "environment", "".join(f"{name}='{value}'\n" for name, value in values.items()))


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
