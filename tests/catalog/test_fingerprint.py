"""Fingerprints on real servers: the same after a round trip, and each difference in a sentence."""

from __future__ import annotations

import gzip
import os
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest

from parity_data.catalog.fingerprint import (
    Fingerprint,
    FingerprintDifference,
    compare_fingerprints,
    read_fingerprint,
    sequence_positions,
)
from parity_data.catalog.model import Name
from parity_data.database import Database
from parity_data.demo._system import programs
from parity_data.demo.server import Server

EVERYTHING = (Path(__file__).parent / "everything.sql").read_text()
SAMPLES = Path(os.environ.get("PARITY_TEST_SAMPLES", "/work/shared/samples"))


def psql(database: Database, text: str, *, strict: bool = True) -> None:
    """Run a script as its users would."""
    command = [programs() / "psql", "-qX", "-o", os.devnull, "-v", f"ON_ERROR_STOP={int(strict)}"]
    done = subprocess.run(command, env=database.environment(), input=text, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr


def dump(database: Database, *options: str) -> str:
    command = [programs() / "pg_dump", *options]
    done = subprocess.run(command, env=database.environment(), text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def fingerprint(database: Database) -> Fingerprint:
    with database.connect() as connection:
        return read_fingerprint(connection)


def sentences(source: Fingerprint, target: Fingerprint) -> list[str]:
    return [difference.sentence for difference in compare_fingerprints(source, target)]


@pytest.fixture
def fresh15(postgres15: Server) -> Any:
    from fix_servers import fresh_database

    yield from fresh_database(postgres15, "old")


def test_everything_comes_back_the_same_from_a_dump(source_db: Database, target_db: Database) -> None:
    psql(source_db, EVERYTHING)
    psql(target_db, dump(source_db))
    before, after = fingerprint(source_db), fingerprint(target_db)
    assert sentences(before, after) == []
    assert before.digest == after.digest
    # One of each class was there to be compared.
    classes = {key[0] for key in before.entries}
    assert classes >= {
        *(
            "schema",
            "table",
            "column",
            "index",
            "constraint",
            "trigger",
            "rule",
            "policy",
            "view",
            "sequence",
        ),
        *("materialized view", "foreign table", "composite type", "extended statistics", "enum type"),
        *("domain", "range type", "function", "procedure", "aggregate", "operator", "operator class", "cast"),
        *("collation", "text search configuration", "text search dictionary", "extension", "event trigger"),
        *("publication", "published table", "foreign data wrapper", "foreign server", "default privileges"),
        *("database",),
    }


@pytest.mark.postgres15
def test_an_older_server_s_database_restored_on_a_newer_one_differs_in_nothing(
    fresh15: Database, target_db: Database
) -> None:
    psql(fresh15, EVERYTHING)
    psql(target_db, dump(fresh15))
    before, after = fingerprint(fresh15), fingerprint(target_db)
    # Extensions come in the version of the server's own packages: a difference in truth.
    assert [s for s in sentences(before, after) if not s.startswith("The extension")] == []
    with target_db.connect(autocommit=True) as connection:
        connection.execute(
            "create or replace view app.plain as select id, 'ok'::app.mood as mood from app.customers"
        )
    assert sentences(before, fingerprint(target_db)) != []


@pytest.mark.samples
@pytest.mark.parametrize("name", ["chinook", "northwind", "pagila"])
def test_samples_come_back_the_same_from_a_dump(name: str, source_db: Database, target_db: Database) -> None:
    path = SAMPLES / f"{name}.sql.gz"
    if not path.is_file():
        pytest.skip(f"needs the sample database {path.name}")
    psql(source_db, gzip.decompress(path.read_bytes()).decode(), strict=False)
    psql(target_db, dump(source_db, "--schema-only"))
    found = sentences(fingerprint(source_db), fingerprint(target_db))
    # A schema-only dump leaves materialised views without their rows.
    assert [s for s in found if "'not populated'" not in s] == []


def test_the_demo_shop_comes_back_the_same_from_a_dump(shop_db: Database, source_server: Server) -> None:
    from fix_servers import fresh_database

    from parity_data.demo import shop

    # On the same server, which has the shop's roles.
    for copy in fresh_database(source_server, "back"):
        psql(copy, dump(shop_db, "--schema-only"))
        shop.configure_database(copy)
        found = sentences(fingerprint(shop_db), fingerprint(copy))
        assert [s for s in found if "'not populated'" not in s] == []


#: What is done to staging, and words of the only sentence that must come of it.
CHANGES = {
    "drop index app.by_mood": ["index app.by_mood of app.customers is missing in staging"],
    "create index added on app.customers (born)": ["index app.added", "exists in staging but not"],
    "drop index app.by_mood; create index by_mood on app.customers (mood)": [
        "index app.by_mood",
        "definition",
    ],
    "update pg_index set indisvalid = false where indexrelid = 'app.by_mood'::regclass": [
        *("index app.by_mood", "state is not set in production and invalid in staging"),
    ],
    "alter table app.customers set without cluster": [
        "index app.by_lower",
        "'clustered on' holds in production",
    ],
    "create or replace function app.touch() returns trigger language plpgsql as $$begin\nend$$": [
        *("function app.touch()", "definition is not the same from line"),
    ],
    "alter function app.total(bigint, date) volatile": ["function app.total(bigint, date)", "definition"],
    "alter function app.total(bigint, date) owner to pg_monitor": ["belongs to postgres", "to pg_monitor"],
    "alter table app.late validate constraint late_positive": [
        *("constraint app.late.late_positive", "state is not validated in production and not set in staging"),
    ],
    "alter table app.customers drop constraint grown_up": ["constraint app.customers.grown_up is missing"],
    "alter table app.customers drop constraint mail_once": ["constraint app.customers.mail_once is missing"],
    "alter table app.late disable trigger all": ["constraint app.late", "enforcing triggers is", "disabled"],
    "alter table app.customers rename constraint grown_up to other": ["grown_up is missing", "other exists"],
    "comment on column app.customers.mail is 'Anna''s comment'": [
        "app.customers.mail",
        "comment is not the same",
    ],
    "comment on table app.customers is null": [
        "table app.customers",
        "comment in production and none in staging",
    ],
    "comment on index app.by_mood is 'x'": ["index app.by_mood", "comment"],
    "revoke all on app.customers from pg_monitor": [
        *("table app.customers", "pg_monitor may SELECT* in production and nothing in staging"),
    ],
    "grant select on app.base to public": [
        "table app.base",
        "PUBLIC may nothing in production and SELECT in",
    ],
    "revoke update (mood) on app.customers from pg_monitor": ["column app.customers.mood", "may UPDATE"],
    "revoke all on app.base from postgres": ["table app.base", "its owner may nothing"],
    "alter default privileges in schema app revoke select on tables from pg_monitor": [
        "default privileges of postgres"
    ],
    "alter table app.customers add column extra_column int": [
        "column app.customers.extra_column exists in staging"
    ],
    "alter table app.customers drop column extra cascade": ["customers.extra is missing", "by_lower"],
    "alter table app.customers alter column name type text collate app.german": [
        *("column app.customers.name", "type is character varying(40) in production and text in staging"),
    ],
    "alter table app.customers alter column born set default '1901-01-01'": ["default is '2001-02-03'::date"],
    'alter table app.customers alter column "select" drop not null': [
        "customers.select",
        "'not null' holds in prod",
    ],
    "alter table app.customers alter column id set generated always": [
        "identity is by default in production and"
    ],
    "alter table app.customers alter column tags set storage main": [
        "storage is external in production and main"
    ],
    "alter table app.customers alter column extra set compression default": [
        "compression is p in production"
    ],
    "alter table app.customers alter column name set statistics 100": [
        "statistics target is 500 in production"
    ],
    "alter type app.mood add value 'great'": ["enum type app.mood", "only staging has the label great"],
    "alter type app.mood rename value 'ok' to 'fine'": ["lacks the label ok", "label fine"],
    "update pg_enum set enumsortorder = -1 where enumlabel = 'happy'": ["labels stand in another order"],
    "alter table app.customers disable trigger touch": [
        "touch",
        "state is enabled in production and disabled",
    ],
    "alter table app.customers enable trigger touch_off": [
        "touch_off",
        "state is disabled in production and",
    ],
    "alter event trigger watch enable": [
        "event trigger watch",
        "state is disabled in production and enabled",
    ],
    "alter table app.base disable rule no_delete": ["rule app.base.no_delete", "disabled in staging"],
    "alter table app.customers set (fillfactor = 90)": ["table app.customers", "options", "fillfactor=80"],
    "alter table app.customers reset (toast.autovacuum_enabled)": ["table app.customers", "TOAST options"],
    "alter table app.customers replica identity default": [
        "replica identity is full in production and not set"
    ],
    "alter table app.scratch set logged": [
        "table app.scratch",
        "'unlogged' holds in production and not in staging",
    ],
    "alter table app.customers no force row level security": ["row level security forced on the owner"],
    "alter policy own on app.customers using (id = 2)": ["policy app.customers.own", "(id = 2)"],
    "alter table app.child no inherit app.base": ["table app.child", "inherits"],
    "alter domain app.email drop constraint no_blank": ["constraint app.email.no_blank is missing"],
    "alter sequence app.free_sequence increment 6": [
        "sequence app.free_sequence",
        "increment is 5 in production",
    ],
    "alter sequence app.orders_id_seq owned by none": ["sequence app.orders_id_seq", "owning column"],
    "create or replace view app.plain as select id, mood from app.customers where id > 3": ["view app.plain"],
    "refresh materialized view app.unpopulated": ["'not populated' holds in production and not in staging"],
    "alter publication changes set table app.customers": ["published table changes.app.customers"],
    "drop extension pg_trgm cascade": ["extension pg_trgm is missing", "by_likeness"],
    "alter server elsewhere options (set password 'other')": ["foreign server elsewhere", "foreign options"],
    "alter statistics app.mood_born set statistics 100": ["statistics target is 200 in production and 100"],
    "drop cast (int as app.mood)": ["cast integer AS app.mood is missing"],
    "alter text search configuration app.search drop mapping for word": ["app.search", "mappings"],
    "drop table app.late": ["table app.late is missing in staging"],
    'drop schema "Odd.Name" cascade': [
        'table "Odd.Name"."a.b" is missing',
        'schema "Odd.Name" is missing',
        "constraint app.late.late_x_fkey is missing",
    ],
}


@pytest.fixture(scope="module")
def everything(source_server: Server) -> Any:
    """A template with everything in it, and its fingerprint."""
    from fix_servers import fresh_database

    for database in fresh_database(source_server, "everything"):
        psql(database, EVERYTHING)
        yield database, fingerprint(database)


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_named(change: str, everything: tuple[Database, Fingerprint]) -> None:
    database, before = everything
    with database.connect() as connection:
        for statement in change.split("; "):
            connection.execute(statement.encode())
        differences = compare_fingerprints(before, read_fingerprint(connection))
        connection.rollback()
    said = "\n".join(difference.sentence for difference in differences)
    for words in CHANGES[change]:
        assert words in said
    # Nothing else is touched: no noise from what hangs on the object.
    assert len(differences) <= max(2, len(CHANGES[change])), said


def test_no_sentence_quotes_text_from_the_catalog(everything: tuple[Database, Fingerprint]) -> None:
    database, before = everything
    with database.connect() as connection:
        connection.execute("alter table app.customers alter column name set default 'Anna Karlsson'")
        connection.execute("comment on column app.customers.name is 'ask Anna Karlsson'")
        connection.execute("alter table app.customers add check (name <> 'Anna Karlsson')")
        connection.execute("create view app.v as select * from app.customers where name = 'Anna Karlsson'")
        differences = compare_fingerprints(before, read_fingerprint(connection))
        connection.rollback()
    assert len(differences) > 3
    assert not [d.sentence for d in differences if "Karlsson" in d.sentence]


def test_no_secret_stands_in_a_fingerprint(everything: tuple[Database, Fingerprint]) -> None:
    _, before = everything
    assert "db.example" in before.to_json()
    assert "not told" not in before.to_json()


def test_reading_leaves_the_session_as_it_was(everything: tuple[Database, Fingerprint]) -> None:
    database, before = everything
    with database.connect(autocommit=True) as connection:
        connection.execute("set search_path = app; set datestyle = 'German'")
        connection.execute("begin isolation level repeatable read read only")
        assert read_fingerprint(connection).digest == before.digest
        row = connection.execute(
            "select current_setting('search_path'), current_setting('datestyle')"
        ).fetchone()
        assert row == ("app", "German, DMY")


def test_database_settings_are_compared(source_db: Database) -> None:
    before = fingerprint(source_db)
    with source_db.connect(autocommit=True) as connection:
        database = psycopg.sql.Identifier(source_db.name or "")
        for text in (
            "alter database {} set work_mem = '11MB'",
            "alter role postgres in database {} set statement_timeout = '3s'",
            "alter database {} connection limit 7",
            "comment on database {} is 'production'",
            "alter database {} set app.jwt_secret = 'very secret'",
        ):
            connection.execute(psycopg.sql.SQL(text).format(database))
        after = read_fingerprint(connection)
    said = "\n".join(sentences(before, after))
    for words in (
        "setting work_mem is not set in production and 11MB in staging",
        "statement_timeout for role",
    ):
        assert words in said
    assert "connection limit is not set in production and 7" in said
    assert "comment in staging and none in production" in said
    assert "very secret" not in after.to_json()


def test_json_round_trip(everything: tuple[Database, Fingerprint]) -> None:
    _, before = everything
    again = Fingerprint.from_json(before.to_json())
    assert again == before
    assert again.digest == before.digest
    with pytest.raises(ValueError, match="Not a fingerprint"):
        Fingerprint.from_json("[]")


def test_a_missing_column_does_not_shift_the_others() -> None:
    def made(order: str) -> Fingerprint:
        return Fingerprint({("table", "a.b", "column order"): order}, 180000)

    assert sentences(made('["x", "y", "z"]'), made('["x", "z"]')) == []
    assert "another order" in sentences(made('["x", "y"]'), made('["y", "x"]'))[0]


def test_sequence_positions(source_db: Database) -> None:
    with source_db.connect() as connection:
        connection.execute('create sequence public.s increment 3; create sequence public."T t"')
        connection.execute("select nextval('s'), nextval('s')")
        assert sequence_positions(connection) == {
            Name("public", "T t"): (1, False),
            Name("public", "s"): (4, True),
        }


def test_sentence_of_a_long_definition_says_where() -> None:
    long = "CREATE INDEX " + "x" * 300
    difference = FingerprintDifference("changed", "index", "a.i", "definition", long, long + "y")
    assert (
        difference.sentence == "The index a.i differs: its definition is not the same, from character 314 on."
    )
