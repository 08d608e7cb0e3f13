"""What the policy may choose for objects, and what stops a refresh before anything is built."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fix_copies import Copier, contents, definitions, run_script
from fix_servers import drop_databases, fresh_database
from psycopg import sql

from parity_data.database import Database
from parity_data.demo.server import Server
from parity_data.errors import TargetError

OBJECTS = """
create table notes (id int primary key, picture oid);
select lo_from_bytea(7001, 'a picture'), lo_from_bytea(7002, repeat('xyz', 2000000)::bytea);
comment on large object 7001 is 'somebody''s face';
grant select on large object 7001 to choice_reader;
insert into notes values (1, 7001), (2, 7002);
create view ids as select id from notes;
grant select on notes to choice_reader;
alter table notes owner to choice_owner;
create function on_ddl() returns event_trigger language plpgsql as $$ begin end $$;
create event trigger watch on ddl_command_end execute function on_ddl();
comment on event trigger watch is 'watches';
create publication feed for table notes;
"""
_LARGE = """
select m.oid::int8, pg_get_userbyid(lomowner), lomacl::text, lo_get(m.oid), d.description
from pg_largeobject_metadata m
left join pg_description d on d.classoid = 'pg_largeobject'::regclass and d.objoid = m.oid order by 1
"""


@pytest.fixture
def source(source_server: Server) -> Iterator[Database]:
    with source_server.url("postgres").connect(autocommit=True) as connection:
        for role in ("choice_owner", "choice_reader"):
            connection.execute(sql.SQL("create role {}").format(sql.Identifier(role)))
    for database in fresh_database(source_server, "choices"):
        run_script(database, OBJECTS)
        yield database
    with source_server.url("postgres").connect(autocommit=True) as connection:
        connection.execute("drop role choice_owner, choice_reader")


@pytest.fixture
def target(target_server: Server) -> Iterator[Database]:
    yield target_server.url("chosen")
    drop_databases(target_server, "chosen")
    with target_server.url("postgres").connect(autocommit=True) as connection:
        connection.execute("drop role if exists choice_owner, choice_reader, choice_stager")


def large_objects(database: Database) -> list[tuple[object, ...]]:
    with database.connect(autocommit=True) as connection:
        return connection.execute(_LARGE.encode()).fetchall()


def test_large_objects_come_along_where_the_policy_says_so(
    source: Database, target: Database, keep_everything: Copier
) -> None:
    refresh = keep_everything(source, target, policy="objects: {large_objects: keep}\n")
    assert large_objects(target) == large_objects(source)
    assert not [d for d in refresh.document.differences if "large object" in d.what]


def test_blank_large_objects_keep_number_and_size(
    source: Database, target: Database, keep_everything: Copier
) -> None:
    refresh = keep_everything(source, target, policy="objects: {large_objects: blank}\n")
    mine, theirs = large_objects(source), large_objects(target)
    assert [(row[0], len(row[3])) for row in mine] == [(row[0], len(row[3])) for row in theirs]
    assert all(set(row[3]) == {0} and row[4] is None for row in theirs)
    assert [d for d in refresh.document.differences if "2 large objects filled" in d.what]


def test_kinds_of_objects_stay_behind_with_their_reason(
    source: Database, target: Database, keep_everything: Copier
) -> None:
    policy = "objects: {exclude: {event trigger: needs a superuser, publication: nobody subscribes}}\n"
    refresh = keep_everything(source, target, policy=policy)
    assert refresh.verdict == "pass"
    assert "EVENT TRIGGER" not in definitions(target)
    assert "PUBLICATION" not in definitions(target)
    reasons = {d.what: d.declared for d in refresh.document.differences}
    assert reasons["1 event trigger left out"] == "needs a superuser"
    assert reasons["1 publication left out"] == "nobody subscribes"


def test_a_role_that_may_only_create_databases_is_enough(
    source: Database, target: Database, target_server: Server, keep_everything: Copier
) -> None:
    """Objects belong to it then, and nobody is granted anything."""
    password = target_server.password_for("choice_stager")
    with target_server.url("postgres").connect(autocommit=True) as connection:
        connection.execute(
            sql.SQL("create role choice_stager login createdb nosuperuser password {}").format(
                sql.Literal(password)
            )
        )
    stager = target_server.url("chosen", "choice_stager")
    policy = "objects: {owners: target, grants: none, exclude: {event trigger: needs a superuser}}\n"
    refresh = keep_everything(source, stager, policy=policy)
    assert refresh.verdict == "pass"
    assert refresh.created_roles == []
    assert contents(stager) == contents(source)
    with stager.connect(autocommit=True) as connection:
        owners = connection.execute(
            "select distinct pg_get_userbyid(relowner) from pg_class where relname in ('notes', 'ids')"
        ).fetchall()
    assert owners == [("choice_stager",)]


def test_tablespaces_are_mapped_or_stop_the_refresh(
    source: Database, target: Database, source_server: Server, target_server: Server, keep_everything: Copier
) -> None:
    run_script(
        source,
        """
        set allow_in_place_tablespaces = on;
        create tablespace choice_fast location '';
        create table placed (x int primary key using index tablespace choice_fast) tablespace choice_fast;
        create index placed_too on placed (x) tablespace choice_fast;
        create table parts (x int) partition by list (x) tablespace choice_fast;
        create materialized view seen tablespace choice_fast as select * from placed;
        """,
    )
    placed = (
        "select c.relname, t.spcname from pg_class c join pg_tablespace t on t.oid = c.reltablespace "
        "where c.relname ~ 'placed|parts|seen' order by 1"
    )
    try:
        with pytest.raises(TargetError, match=r"lacks 1 tablespace\(s\): choice_fast"):
            keep_everything(source, target)
        refresh = keep_everything(
            source, target, policy="objects: {tablespaces: {choice_fast: pg_default}}\n"
        )
        assert refresh.verdict == "pass"
        with target.connect(autocommit=True) as connection:
            assert connection.execute(placed.encode()).fetchall() == []
        run_script(target, "set allow_in_place_tablespaces = on; create tablespace choice_slow location ''")
        keep_everything(source, target, policy="objects: {tablespaces: {choice_fast: choice_slow}}\n")
        with source.connect(autocommit=True) as here, target.connect(autocommit=True) as there:
            mine = here.execute(placed.encode()).fetchall()
            assert len(mine) == 5
            assert there.execute(placed.encode()).fetchall() == [(n, "choice_slow") for n, _ in mine]
    finally:
        drop_databases(source_server, str(source.name))
        drop_databases(target_server, "chosen")
        for server, name in ((source_server, "choice_fast"), (target_server, "choice_slow")):
            with server.url("postgres").connect(autocommit=True) as connection:
                connection.execute(sql.SQL("drop tablespace if exists {}").format(sql.Identifier(name)))


@pytest.mark.postgres15
def test_an_extension_that_the_target_lacks_stops_the_refresh_early(
    fresh15: Database, target: Database, target_server: Server, keep_everything: Copier
) -> None:
    run_script(fresh15, "create extension sslinfo; create extension hstore; create table t (x int);")
    with pytest.raises(TargetError, match=r"lacks 1 extension\(s\) of production: sslinfo\."):
        keep_everything(fresh15, target)
    with target_server.url("postgres").connect(autocommit=True) as connection:
        there = connection.execute("select datname from pg_database where datname ~ '^chosen'").fetchall()
    assert there == [("chosen__releases",)]


@pytest.mark.postgres15
def test_a_newer_database_fits_an_older_server(
    source_db: Database, postgres15: Server, keep_everything: Copier
) -> None:
    """Tools of 18 speak of settings that 15 does not know; that is no reason to fail."""
    run_script(
        source_db, "create table t (x int primary key); insert into t values (1); create index on t (x);"
    )
    target = postgres15.url("downgraded")
    try:
        keep_everything(source_db, target)
        assert contents(target) == contents(source_db)
        assert definitions(target) == definitions(source_db)
    finally:
        drop_databases(postgres15, "downgraded")
