"""The least roles: each is enough, or the doctor says exactly which commands are missing; they then do."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

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
TARGET_ONLY = "objects: {owners: target, grants: none}\n"
STAGING = "role_staging"


@dataclass(frozen=True)
class Pair:
    """Production as a role sees it that was granted one table, and staging for one that may only connect."""

    settings: Settings
    source_server: Server
    target_server: Server

    @property
    def production(self) -> Database:
        """Production as its administrator sees it."""
        return self.source_server.url(str(self.settings.need_source().name))

    def on_production(self, script: str) -> None:
        run_script(self.production, script)

    def on_staging(self, script: str, database: str = "postgres") -> None:
        run_script(self.target_server.url(database), script)

    def write_rules(self, policy: str = "", method: str = "database") -> None:
        """Keep everything; the scan reads as the owner, since this is not what is tested here."""
        release = POLICY.replace("{grace_seconds: 0}", f"{{grace_seconds: 0, method: {method}}}")
        (self.settings.rules / "policy.yaml").write_text(release + policy)
        scan_source(replace(self.settings, source=self.production), write=self.settings.rules, decide="keep")

    def failures(self) -> dict[str, Finding]:
        return {finding.name: finding for finding in examine(self.settings) if finding.status == "fail"}

    def assert_copied(self, times: int = 1) -> None:
        """Refresh, and find production's rows; from the second time on it replaces what the first built."""
        for _ in range(times):
            assert copy_database(self.settings).verdict == "pass"
        expected, found = contents(self.production), contents(self.target_server.url(STAGING))
        assert {name: rows for name, rows in found.items() if name in expected} == expected


def create_role(server: Server, name: str) -> None:
    """A role that may connect with a password."""
    with server.url("postgres").connect(autocommit=True) as connection:
        connection.execute(
            sql.SQL("create role {} login password {}").format(
                sql.Identifier(name), sql.Literal(server.password_for(name))
            )
        )


def drop_roles(server: Server) -> None:
    with server.url("postgres").connect(autocommit=True) as connection:
        for name in ROLES:
            connection.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(name)))


@pytest.fixture
def plain(
    source_server: Server, target_server: Server, make_settings: Callable[[Database, Database], Settings]
) -> Iterator[Pair]:
    """Neither role has been granted anything yet that it needs."""
    drop_roles(source_server)
    drop_roles(target_server)
    create_role(source_server, "role_owner")
    create_role(source_server, "role_reader")
    create_role(target_server, "role_stager")
    for database in fresh_database(source_server, "roles"):
        run_script(database, PRODUCTION)
        reader = source_server.url(str(database.name), "role_reader")
        settings = make_settings(reader, target_server.url(STAGING, "role_stager"))
        yield Pair(settings, source_server, target_server)
    drop_databases(target_server, STAGING)
    drop_roles(target_server)
    drop_roles(source_server)


@pytest.fixture
def pair(plain: Pair) -> Pair:
    """The source's role may read everything."""
    plain.on_production(READER)
    return plain


def test_the_doctor_says_what_the_source_s_role_lacks(plain: Pair, target_server: Server) -> None:
    admin = replace(plain, settings=replace(plain.settings, target=target_server.url(STAGING)))
    admin.write_rules()
    assert "app.things_id_seq" in admin.failures()["source privileges"].message
    with pytest.raises(SourceError):
        copy_database(admin.settings)
    # The commands that it gives, and nothing else, mend it.
    for name in ("source privileges", "row security"):
        admin.on_production(str(admin.failures()[name].todo))
    assert admin.failures() == {}
    admin.assert_copied()


def test_the_doctor_says_what_the_target_s_role_lacks(pair: Pair) -> None:
    pair.write_rules()
    found = pair.failures()
    assert found["target privileges"].todo == "ALTER ROLE role_stager CREATEDB;"
    assert 'CREATE ROLE "role_owner" NOLOGIN;' in str(found["roles"].todo)
    with pytest.raises(TargetError):
        copy_database(pair.settings)
    for name in ("target privileges", "roles", "owners"):
        if finding := pair.failures().get(name):
            pair.on_staging(re.sub(r";\s*or set owners.*", ";", str(finding.todo)))
    assert pair.failures() == {}
    pair.assert_copied()


def test_createdb_alone_is_enough_where_owners_and_grants_stay_behind(pair: Pair) -> None:
    pair.on_staging("alter role role_stager createdb")
    pair.write_rules(TARGET_ONLY)
    assert pair.failures() == {}
    pair.assert_copied(times=2)


def test_a_database_that_belongs_to_somebody_else_is_named(pair: Pair) -> None:
    pair.on_staging(f"alter role role_stager createdb; create database {STAGING}")
    pair.write_rules(TARGET_ONLY)
    found = pair.failures()
    assert list(found) == ["database owner"]
    with pytest.raises(TargetError, match=f"database {STAGING} belongs to postgres"):
        copy_database(pair.settings)
    pair.on_staging(str(found["database owner"].todo).split(" or ")[0])
    assert pair.failures() == {}
    pair.assert_copied()


def test_what_only_a_superuser_creates_is_named(pair: Pair) -> None:
    pair.on_production(
        """
        create function app.on_ddl() returns event_trigger language plpgsql as $$ begin end $$;
        create event trigger watch on ddl_command_end execute function app.on_ddl();
        create function app.length(text) returns int language internal as 'textlen';
        """
    )
    pair.on_staging("alter role role_stager createdb")
    pair.write_rules(TARGET_ONLY)
    found = pair.failures()
    assert list(found) == ["superuser's objects"]
    assert "1 event trigger(s), 1 function in" in found["superuser's objects"].message


def test_the_doctor_examines_both_servers(pair: Pair) -> None:
    pair.on_staging("alter role role_stager createdb")
    pair.write_rules(TARGET_ONLY)
    found = {finding.name: finding for finding in examine(pair.settings)}
    assert found.keys() >= {
        *("masking key", "rules", "source", "source privileges", "source clock", "source connections"),
        *("client tools", "rules cover the catalog", "target", "target privileges", "sessions on staging"),
        *("roles", "extensions", "disk", "target clock", "target connections", "a refresh would", "lock"),
        "work folder",
    }
    assert all(finding.todo for finding in found.values() if finding.status != "ok")
    assert "of 3 tables" in found["a refresh would"].message

    with pair.production.connect() as locking:
        locking.execute("lock table app.guarded in access exclusive mode")
        found = {finding.name: finding for finding in examine(pair.settings)}
    assert found["locks"].status == "warn"
    assert "app.guarded" in found["locks"].message
    assert found["source"].status == "ok"  # its size is not asked for while it is locked


@pytest.mark.parametrize("owns", [True, False])
def test_without_createdb_releases_are_schemas(owns: bool, pair: Pair) -> None:
    pair.on_staging(f"create database {STAGING} {'owner role_stager' if owns else ''}")
    pair.write_rules(TARGET_ONLY)
    assert pair.failures()["target privileges"].todo == "ALTER ROLE role_stager CREATEDB;"
    pair.write_rules(TARGET_ONLY, "schema")
    if not owns:
        with pytest.raises(TargetError, match="GRANT CREATE ON DATABASE"):
            copy_database(pair.settings)
        found = pair.failures()
        assert list(found) == ["target privileges", "schema owner"]
        for finding in found.values():
            pair.on_staging(str(finding.todo), STAGING)
    assert pair.failures() == {}
    pair.assert_copied(times=2)
    assert not [f for f in pair.failures() if f != "lock"]


def test_truncate_needs_no_more_than_the_tables(pair: Pair) -> None:
    pair.on_staging(f"create database {STAGING} owner role_stager")
    pair.on_staging("create role role_owner")
    pair.on_staging(definitions(pair.production, "--no-privileges"), STAGING)
    pair.write_rules(TARGET_ONLY, "truncate")
    assert pair.failures()["relations' owners"].todo == "GRANT role_owner TO role_stager;"
    pair.on_staging("grant role_owner to role_stager")
    assert pair.failures() == {}
    pair.assert_copied(times=2)
