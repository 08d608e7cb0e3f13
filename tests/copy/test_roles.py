"""The least roles: each is enough, or the doctor says exactly which commands are missing; they then do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from fix_copies import POLICY, contents, copy_database, definitions, run_script
from fix_servers import drop_databases, fresh_database
from psycopg import sql

from parity_data.database import Database
from parity_data.demo.server import Server
from parity_data.errors import SourceError, TargetError
from parity_data.refresh.doctor import examine
from parity_data.refresh.findings import Finding
from parity_data.refresh.scan import scan_source
from parity_data.settings import Settings

MakeSettings = Callable[[Database, Database], Settings]

PRODUCTION = """
create schema app authorization role_owner;
set role role_owner;
create table app.things (id serial primary key, word text);
insert into app.things (word) select 'w' || i from generate_series(1, 50) i;
create table app."Mixed ""case"" X" (x int references app.things);
create table app.guarded (x int);
insert into app.guarded values (1), (2);
alter table app.guarded enable row level security;
create policy nothing on app.guarded using (false);
grant select on app.things to role_reader;
"""
ROLES = ("role_reader", "role_owner", "role_stager")
READER = """
grant usage on schema app to role_reader;
grant select on all tables in schema app to role_reader;
grant select on all sequences in schema app to role_reader;
alter role role_reader bypassrls;
"""


def create_role(server: Server, name: str) -> Database:
    """A role that may connect with a password; the address of the maintenance database as that role."""
    password = server.password_for(name)
    with server.url("postgres").connect(autocommit=True) as connection:
        connection.execute(
            sql.SQL("create role {} login password {}").format(sql.Identifier(name), sql.Literal(password))
        )
    return server.url("postgres", name)


def drop_roles(server: Server) -> None:
    with server.url("postgres").connect(autocommit=True) as connection:
        for name in ROLES:
            connection.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(name)))


def run(server: Server, database: str, script: str) -> None:
    run_script(server.url(database), script)


@pytest.fixture
def production(source_server: Server) -> Iterator[Database]:
    """A database whose owner is a plain role, as a reader sees it who was granted one table only."""
    drop_roles(source_server)
    create_role(source_server, "role_owner")
    reader = create_role(source_server, "role_reader")
    for database in fresh_database(source_server, "roles"):
        run_script(database, PRODUCTION)
        yield reader.with_name(str(database.name))
    drop_roles(source_server)


@pytest.fixture
def staging(target_server: Server) -> Iterator[Database]:
    """A database to be made, by a role that may do nothing but connect."""
    drop_roles(target_server)
    yield create_role(target_server, "role_stager").with_name("role_staging")
    drop_databases(target_server, "role_staging")
    drop_roles(target_server)


def failures(settings: Settings) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine(settings) if finding.status == "fail"}


def rules_for(settings: Settings, source_server: Server, policy: str = "") -> None:
    """Keep everything; the scan reads as the owner, since this is not what is tested here."""
    (settings.rules / "policy.yaml").write_text(POLICY + policy)
    owner = source_server.url(str(settings.need_source().name))
    scan_source(replace(settings, source=owner), write=settings.rules, decide="keep")


def test_the_doctor_says_what_the_source_s_role_lacks(
    production: Database, source_server: Server, target_db: Database, make_settings: MakeSettings
) -> None:
    settings = make_settings(production, target_db)
    rules_for(settings, source_server)
    found = failures(settings)
    assert "app.things_id_seq" in found["source privileges"].message
    with pytest.raises(SourceError):
        copy_database(settings)
    # The commands that it gives, and nothing else, mend it.
    for name in ("source privileges", "row security"):
        finding = failures(settings).get(name)
        assert finding is not None
        run(source_server, str(production.name), str(finding.todo))
    assert failures(settings) == {}
    copy_database(settings)
    assert contents(target_db) == contents(source_server.url(str(production.name)))


def test_the_doctor_says_what_the_target_s_role_lacks(
    production: Database,
    staging: Database,
    source_server: Server,
    target_server: Server,
    make_settings: MakeSettings,
) -> None:
    run(source_server, str(production.name), READER)
    settings = make_settings(production, staging)
    rules_for(settings, source_server)
    found = failures(settings)
    assert found["target privileges"].todo == "ALTER ROLE role_stager CREATEDB;"
    assert 'CREATE ROLE "role_owner" NOLOGIN;' in str(found["roles"].todo)
    with pytest.raises(TargetError):
        copy_database(settings)
    for name in ("target privileges", "roles", "owners"):
        finding = failures(settings).get(name)
        if finding is not None:
            commands = re.sub(r";\s*or set owners.*", ";", str(finding.todo))
            run(target_server, "postgres", commands)
    assert failures(settings) == {}
    copy_database(settings)
    assert contents(target_server.url("role_staging")) == contents(source_server.url(str(production.name)))


def test_createdb_alone_is_enough_where_owners_and_grants_stay_behind(
    production: Database,
    staging: Database,
    source_server: Server,
    target_server: Server,
    make_settings: MakeSettings,
) -> None:
    run(source_server, str(production.name), READER)
    run(target_server, "postgres", "alter role role_stager createdb")
    settings = make_settings(production, staging)
    rules_for(settings, source_server, "objects: {owners: target, grants: none}\n")
    assert failures(settings) == {}
    for _ in range(2):  # the second replaces what the first built
        assert copy_database(settings).verdict == "pass"
    assert contents(staging) == contents(source_server.url(str(production.name)))


def test_a_database_that_belongs_to_somebody_else_is_named(
    production: Database,
    staging: Database,
    source_server: Server,
    target_server: Server,
    make_settings: MakeSettings,
) -> None:
    run(source_server, str(production.name), READER)
    run(target_server, "postgres", "alter role role_stager createdb; create database role_staging")
    settings = make_settings(production, staging)
    rules_for(settings, source_server, "objects: {owners: target, grants: none}\n")
    found = failures(settings)
    assert list(found) == ["database owner"]
    with pytest.raises(TargetError, match="database role_staging belongs to postgres"):
        copy_database(settings)
    run(target_server, "postgres", str(found["database owner"].todo).split(" or ")[0])
    assert failures(settings) == {}
    copy_database(settings)


def test_what_only_a_superuser_creates_is_named(
    production: Database,
    staging: Database,
    source_server: Server,
    target_server: Server,
    make_settings: MakeSettings,
) -> None:
    run(source_server, str(production.name), READER)
    run(
        source_server,
        str(production.name),
        """
        create function app.on_ddl() returns event_trigger language plpgsql as $$ begin end $$;
        create event trigger watch on ddl_command_end execute function app.on_ddl();
        create function app.length(text) returns int language internal as 'textlen';
        """,
    )
    run(target_server, "postgres", "alter role role_stager createdb")
    settings = make_settings(production, staging)
    rules_for(settings, source_server, "objects: {owners: target, grants: none}\n")
    found = failures(settings)
    assert list(found) == ["superuser's objects"]
    assert "1 event trigger(s), 1 function in" in found["superuser's objects"].message


def test_the_doctor_examines_both_servers(
    production: Database, source_server: Server, target_db: Database, make_settings: MakeSettings
) -> None:
    run(source_server, str(production.name), READER)
    settings = make_settings(production, target_db)
    rules_for(settings, source_server)
    found = {finding.name: finding for finding in examine(settings)}
    assert found.keys() >= {
        *("masking key", "rules", "source", "source privileges", "source clock", "source connections"),
        *("client tools", "rules cover the catalog", "target", "target privileges", "sessions on staging"),
        *("roles", "extensions", "disk", "target clock", "target connections", "a refresh would", "lock"),
        "work folder",
    }
    assert all(finding.todo for finding in found.values() if finding.status != "ok")
    assert "of 3 tables" in found["a refresh would"].message

    with source_server.url(str(production.name)).connect() as locking:
        locking.execute("lock table app.guarded in access exclusive mode")
        found = {finding.name: finding for finding in examine(settings)}
    assert found["locks"].status == "warn"
    assert "app.guarded" in found["locks"].message
    assert found["source"].status == "ok"  # its size is not asked for while it is locked


TARGET_ONLY = "objects: {owners: target, grants: none}\n"


@pytest.mark.parametrize("owns", [True, False])
def test_without_createdb_releases_are_schemas(
    owns: bool,
    production: Database,
    staging: Database,
    source_server: Server,
    target_server: Server,
    make_settings: MakeSettings,
) -> None:
    run(source_server, str(production.name), READER)
    run(target_server, "postgres", f"create database role_staging {'owner role_stager' if owns else ''}")
    settings = make_settings(production, staging)
    rules_for(settings, source_server, TARGET_ONLY)
    policy = settings.rules / "policy.yaml"
    assert failures(settings)["target privileges"].todo == "ALTER ROLE role_stager CREATEDB;"
    policy.write_text(policy.read_text().replace("grace_seconds: 0", "grace_seconds: 0, method: schema"))
    if not owns:
        with pytest.raises(TargetError, match="GRANT CREATE ON DATABASE"):
            copy_database(settings)
        found = failures(settings)
        assert list(found) == ["target privileges", "schema owner"]
        for finding in found.values():
            run(target_server, "role_staging", str(finding.todo))
    assert failures(settings) == {}
    for _ in range(2):
        assert copy_database(settings).verdict == "pass"
    assert not [f for f in failures(settings) if f != "lock"]
    expected = contents(source_server.url(str(production.name)))
    found = contents(staging)
    assert {name: rows for name, rows in found.items() if name in expected} == expected


def test_truncate_needs_no_more_than_the_tables(
    production: Database,
    staging: Database,
    source_server: Server,
    target_server: Server,
    make_settings: MakeSettings,
) -> None:
    run(source_server, str(production.name), READER)
    run(target_server, "postgres", "create database role_staging owner role_stager")
    run(target_server, "postgres", "create role role_owner; grant role_owner to role_stager")
    source = source_server.url(str(production.name))
    run(target_server, "role_staging", definitions(source, "--no-privileges"))
    settings = make_settings(production, staging)
    rules_for(settings, source_server, TARGET_ONLY)
    policy = settings.rules / "policy.yaml"
    policy.write_text(policy.read_text().replace("grace_seconds: 0", "grace_seconds: 0, method: truncate"))
    run(target_server, "postgres", "revoke role_owner from role_stager")
    assert failures(settings)["relations' owners"].todo == "GRANT role_owner TO role_stager;"
    run(target_server, "postgres", "grant role_owner to role_stager")
    assert failures(settings) == {}
    for _ in range(2):
        assert copy_database(settings).verdict == "pass"
    expected = contents(source)
    assert {
        name: rows for name, rows in contents(target_server.url("role_staging")).items() if name in expected
    } == expected
