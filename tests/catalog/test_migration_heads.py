"""Where each migration tool's book stands on both sides: same, behind, ahead, diverged, dirty, locked."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fix_copies import run_script
from fix_servers import fresh_database
from migration_tables import BOOKS, Book
from psycopg.conninfo import conninfo_to_dict

from parity_data.catalog.migrations import MigrationHead, migration_heads
from parity_data.database import Database
from parity_data.demo.server import Server
from parity_data.verify.result import CheckResult
from parity_data.verify.schema import check_migrations


@pytest.fixture(scope="module")
def connection(source_server: Server) -> Iterator[psycopg.Connection[Any]]:
    """To a database of the module's own, in a transaction that each book ends."""
    for database in fresh_database(source_server, "books"):
        with database.connect() as connection:
            yield connection


def checked(source: Database, target: Database) -> CheckResult:
    """The one result for the two databases."""
    with source.connect() as one, target.connect() as other:
        (found,) = check_migrations(migration_heads(one), migration_heads(other))
    return found


def heads(
    connection: psycopg.Connection[Any],
    book: Book,
    *numbers: int,
    broken: int | None = None,
    locked: bool = False,
) -> list[MigrationHead]:
    """What is read of the book as it is after these migrations. Nothing of it stays."""
    connection.execute(book.tables.replace("{{", "{").replace("}}", "}").encode())
    for number in numbers[-1:] if book.lasts and broken is None else numbers[: 0 if book.lasts else None]:
        connection.execute(book.applied.format(n=number).encode())
    if broken is not None:
        connection.execute(book.broken.format(n=broken).encode())
    if locked:
        connection.execute(book.locked.format().encode())
    found = migration_heads(connection)
    connection.rollback()
    return found


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.tool)
def test_where_each_tool_stands(book: Book, connection: psycopg.Connection[Any]) -> None:
    production = heads(connection, book, 1, 2, 3)

    def said(staging: list[MigrationHead], of: list[MigrationHead] = production) -> tuple[str, str]:
        (found,) = check_migrations(of, staging)
        assert found.message.startswith(f"{book.tool}: ")
        return found.status, found.message

    assert said(production)[0] == "pass"
    # Of a book that holds the newest number only, another newest number is all that can be seen.
    third = "staging is ahead" if book.lasts else "staging has diverged"
    for numbers, words in (
        ((1, 2), "staging is behind"),
        ((1, 2, 3, 4), "staging is ahead"),
        ((1, 2, 5), third),
    ):
        status, message = said(heads(connection, book, *numbers))
        assert status == "fail"
        assert words in message
    if book.broken:
        half_done = heads(connection, book, 1, 2, broken=3)
        assert said(half_done)[0] == "fail"
        assert "dirty" in said(half_done)[1]
        assert said(half_done, of=half_done)[0] == "warn"
    if book.locked:
        locked = heads(connection, book, 1, 2, 3, locked=True)
        assert said(locked)[0] == "fail"
        assert "locked" in said(locked)[1]


ALEMBIC = """
from alembic.config import Config
from alembic import command
import pathlib, sys
folder, url, revisions = sys.argv[1], sys.argv[2], sys.argv[3:]
config = Config()
config.set_main_option("script_location", folder)
config.set_main_option("sqlalchemy.url", url)
versions = pathlib.Path(folder, "versions"); versions.mkdir(parents=True, exist_ok=True)
pathlib.Path(folder, "env.py").write_text('''
from alembic import context
from sqlalchemy import create_engine
with create_engine(context.config.get_main_option("sqlalchemy.url")).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
''')
for name, below in (("one", None), ("two", "one"), ("side", "one")):
    (versions / f"{name}.py").write_text(
        f"revision = {name!r}\\ndown_revision = {below!r}\\ndef upgrade(): pass\\ndef downgrade(): pass\\n")
for revision in revisions:
    command.upgrade(config, revision)
"""

DJANGO = """
import pathlib, sys
folder, name, host, port, user, target = sys.argv[1:7]
app = pathlib.Path(folder, "shop", "migrations"); app.mkdir(parents=True, exist_ok=True)
for place in (app.parent, app): (place / "__init__.py").touch()
for step, below in (("0001_one", []), ("0002_two", [("shop", "0001_one")])):
    (app / f"{step}.py").write_text("from django.db import migrations\\n"
        f"class Migration(migrations.Migration):\\n    dependencies = {below!r}\\n")
sys.path.insert(0, folder)
from django.conf import settings
import django
settings.configure(INSTALLED_APPS=["shop"], DATABASES={"default": {
    "ENGINE": "django.db.backends.postgresql", "NAME": name, "HOST": host, "PORT": port, "USER": user}})
django.setup()
from django.core.management import call_command
call_command("migrate", "shop", target, verbosity=0)
"""

YOYO = """
import pathlib, sys
folder, url, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
for number in (1, 2):
    pathlib.Path(folder, f"000{number}.step.sql").write_text("select 1;")
from yoyo import get_backend, read_migrations
backend = get_backend(url)
migrations = read_migrations(folder)
with backend.lock():
    backend.apply_migrations(backend.to_apply(migrations)[:count])
"""


def run(code: str, database: Database, *arguments: object) -> None:
    """The tool in a process of its own, as its users run it."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, env=database.environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def url(database: Database, scheme: str) -> str:
    """The address as a URL."""
    at = conninfo_to_dict(database.uri())
    return f"{scheme}://{at['user']}@{at['host']}:{at['port']}/{at['dbname']}"


def test_alembic_itself(source_db: Database, target_db: Database, tmp_path: Path) -> None:
    pytest.importorskip("alembic")
    scheme = "postgresql+psycopg"
    run(ALEMBIC, source_db, tmp_path, url(source_db, scheme), "two", "side")
    run(ALEMBIC, target_db, tmp_path, url(target_db, scheme), "two")
    assert "Alembic: staging is behind" in checked(source_db, target_db).message
    assert "Alembic: staging is ahead" in checked(target_db, source_db).message
    run(ALEMBIC, target_db, tmp_path, url(target_db, scheme), "side")
    assert checked(source_db, target_db).message == "Alembic: both sides have the same 2 heads."
    run_script(target_db, "update alembic_version set version_num = 'other' where version_num = 'side';")
    # Which of two heads is newer stands in the scripts, not in the database.
    assert "keeps no history" in checked(source_db, target_db).message


def test_django_itself(source_db: Database, target_db: Database, tmp_path: Path) -> None:
    pytest.importorskip("django")

    def migrate(database: Database, to: str) -> None:
        at = conninfo_to_dict(database.uri())
        run(DJANGO, database, tmp_path, at["dbname"], at["host"], at["port"], at["user"], to)

    migrate(source_db, "0002_two")
    migrate(target_db, "0001_one")
    assert "Django: staging is behind, it lacks 1: shop.0002_two" in checked(source_db, target_db).message
    assert "Django: staging is ahead" in checked(target_db, source_db).message
    migrate(target_db, "0002_two")
    assert checked(source_db, target_db).status == "pass"


def test_yoyo_itself(source_db: Database, target_db: Database, tmp_path: Path) -> None:
    pytest.importorskip("yoyo")
    scheme = "postgresql+psycopg"
    run(YOYO, source_db, tmp_path, url(source_db, scheme), 2)
    run(YOYO, target_db, tmp_path, url(target_db, scheme), 1)
    assert "yoyo: staging is behind, it lacks 1: 0002.step" in checked(source_db, target_db).message
    run(YOYO, target_db, tmp_path, url(target_db, scheme), 2)
    assert checked(source_db, target_db).status == "pass"
    run_script(target_db, "insert into yoyo_lock (locked, ctime, pid) values (1, now(), 7);")
    assert "dirty" in checked(source_db, target_db).message
