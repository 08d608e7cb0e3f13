"""A database with every kind of object arrives whole, or the report says what was left out and why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fix_copies import Copier, contents, definitions, run_script
from fix_servers import drop_databases, fresh_database

from parity_data.database import Database
from parity_data.demo.server import Server

HERE = Path(__file__).parent
ROLES = ("obj_owner", "obj_reader", "obj_writer")

#: What pg_dump leaves to pg_dumpall, and what it says of sequences only together with rows.
_DATABASE = """
select pg_encoding_to_char(encoding), datcollate, datctype, to_jsonb(d) ->> 'datlocprovider', datconnlimit,
       to_jsonb(d) ->> 'datcollversion', pg_get_userbyid(datdba), datacl::text, datallowconn,
       shobj_description(d.oid, 'pg_database')
from pg_database d where datname = current_database()
"""
_SETTINGS = """
select coalesce(pg_get_userbyid(nullif(setrole, 0)), ''), unnest(setconfig) from pg_db_role_setting s
join pg_database d on d.oid = s.setdatabase where datname = current_database() order by 1, 2
"""
_SEQUENCES = "select schemaname, sequencename, last_value, start_value from pg_sequences order by 1, 2"
_POPULATED = "select matviewname, ispopulated from pg_matviews order by 1"


def run(database: Database, query: str) -> list[tuple[Any, ...]]:
    with database.connect(autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def make_roles(server: Server) -> None:
    with server.url("postgres").connect(autocommit=True) as connection:
        for role in ROLES:
            connection.execute(f"create role {role}".encode())


def drop_roles(server: Server) -> None:
    with server.url("postgres").connect(autocommit=True) as connection:
        for role in ROLES:
            connection.execute(f"drop role if exists {role}".encode())


def with_every_object(server: Server, version: int) -> Iterator[Database]:
    """A database with every object, and settings, grants and limits of the database itself."""
    make_roles(server)
    for database in fresh_database(server, "everything"):
        scripts = ("every_object.sql", f"every_object_{version}.sql")
        run_script(database, "".join((HERE / script).read_text() for script in scripts))
        name = database.name
        run_script(
            database,
            f"""
            alter database {name} set work_mem = '7MB';
            alter database {name} set search_path = app, "Weird ""Schema"" %s", public;
            alter database {name} set "my.setting" = 'it''s, "x"';
            alter role obj_reader in database {name} set statement_timeout = '5s';
            alter role obj_reader set work_mem = '9MB';
            alter role obj_owner in database {name} set search_path = app;
            comment on database {name} is 'it''s all';
            alter database {name} owner to obj_owner;
            revoke all on database {name} from public;
            grant connect, temporary on database {name} to obj_reader with grant option;
            grant connect on database {name} to obj_writer;
            alter database {name} connection limit 17;
            """,
        )
        yield database
        with server.url("postgres").connect(autocommit=True) as admin:
            admin.execute(f"alter database {name} connection limit -1".encode())
        with database.connect(autocommit=True) as connection:
            connection.execute("drop subscription pulled")
    drop_roles(server)


@pytest.fixture
def everything18(source_server: Server, target_server: Server) -> Iterator[tuple[Database, Database]]:
    """The database with every object, and the address of one to be made."""
    for source in with_every_object(source_server, 18):
        yield source, target_server.url("all_of_it")
        drop_databases(target_server, "all_of_it")
    drop_roles(target_server)


@pytest.fixture
def everything15(postgres15: Server) -> Iterator[tuple[Database, Database]]:
    """The same on one server of PostgreSQL 15."""
    for source in with_every_object(postgres15, 15):
        yield source, postgres15.url("all_of_it")
        drop_databases(postgres15, "all_of_it")


@pytest.fixture(params=["18", pytest.param("15", marks=pytest.mark.postgres15)])
def pair(request: pytest.FixtureRequest) -> tuple[Database, Database]:
    found: tuple[Database, Database] = request.getfixturevalue(f"everything{request.param}")
    return found


def without_user_mappings(dump: str) -> str:
    return re.sub(r"--\n-- Name: USER MAPPING .*\n--\n\n(?:.+\n)+\n+", "", dump)


def test_every_kind_of_object_arrives(pair: tuple[Database, Database], keep_everything: Copier) -> None:
    source, target = pair
    refresh = keep_everything(source, target)
    assert [c.message for c in refresh.checks if c.status == "fail"] == []

    expected = without_user_mappings(definitions(source, "--no-subscriptions"))
    assert definitions(target) == expected
    assert contents(target) == contents(source)
    for query in (_DATABASE, _SETTINGS, _SEQUENCES, _POPULATED):
        assert run(target, query) == run(source, query)

    # No trigger fired while rows went in: each would have left a row in app.spoiled, compared above.
    # Nothing that reaches out came along.
    assert run(target, "select count(*) from pg_user_mapping") == [(0,)]
    assert run(
        target,
        "select count(*) from pg_subscription where subdbid = (select oid from pg_database "
        "where datname = current_database())",
    ) == [(0,)]
    left_out = {d.what: d.declared for d in refresh.document.differences if "left out" in d.what}
    assert set(left_out) == {
        "2 user mappings left out",
        "1 subscription left out",
        "2 large objects left out",
        "1 setting that roles have on the whole server left out",
    }
    assert all(left_out.values())
