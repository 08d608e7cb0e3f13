"""What cannot be read ends as undecided, with its reason, and the scan goes on."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from parity_data.catalog import Name, Snapshot, read_catalog
from parity_data.database import Database
from parity_data.demo.server import Server
from parity_data.detect import Decision, scan


def judged(database: Database) -> dict[str, Decision]:
    with Snapshot(database, application="test") as snapshot:
        decisions = scan(read_catalog(snapshot), snapshot.connection)
    return {f"{d.table.name}.{d.column}": d for d in decisions}


def test_faults_end_as_undecided_with_their_reason(source_server: Server, source_db: Database) -> None:
    with source_db.connect(autocommit=True) as c:
        c.execute(
            "create table forbidden (id int primary key, status text, active bool);"
            "create table partly (id int primary key, status text, title text);"
            "create table locked (id int primary key, status text);"
            "create table fine (id int primary key, status text);"
            "create table huge (id int primary key, status text);"
            "create table hidden (id int primary key, status text);"
            "insert into fine select g, 'open' from generate_series(1, 30) g;"
            "insert into partly select g, 'open', 'a' from generate_series(1, 30) g;"
            "insert into huge select 1, string_agg(md5(g::text), '') from generate_series(1, 60000) g;"
            "insert into hidden select g, 'open' from generate_series(1, 30) g;"
            "alter table hidden enable row level security;"
            "drop role if exists scan_reader; create role scan_reader login;"
            "grant select on fine, locked, huge, hidden to scan_reader;"
            "grant select (id, status) on partly to scan_reader"
        )
        password = source_server.password_for("scan_reader")
        c.execute(f"alter role scan_reader password '{password}'")
    reader = source_server.url(source_db.name or "", "scan_reader")
    release = threading.Event()
    held = threading.Event()

    def hold() -> None:
        with source_db.connect() as c:
            c.execute("lock table locked in access exclusive mode")
            held.set()
            release.wait(30)

    with Snapshot(reader, application="test") as snapshot:
        catalog = read_catalog(snapshot)
        holder = threading.Thread(target=hold)
        holder.start()
        assert held.wait(20)
        try:
            found = {f"{d.table.name}.{d.column}": d for d in scan(catalog, snapshot.connection)}
        finally:
            release.set()
            holder.join()
    undecided = {
        "forbidden.id": "not permitted",
        "forbidden.status": "not permitted",
        "forbidden.active": "not permitted",
        "partly.title": "not permitted",
        "locked.status": "locked",
        "huge.status": "too large",
        "hidden.status": "not permitted",
    }
    for place, reason in undecided.items():
        assert found[place].band == "uncertain", found[place]
        assert any(reason in e.reason for e in found[place].evidence), found[place]
    assert found["partly.status"].band == "not_personal"
    assert found["fine.status"].band == "not_personal"


def test_bytes_that_are_no_text_end_as_undecided(source_server: Server, source_db: Database) -> None:
    name = f"{source_db.name}_ascii"
    with source_server.url("postgres").connect(autocommit=True) as admin:
        admin.execute(f'create database "{name}" template template0 encoding sql_ascii locale "C"')
    database = source_server.url(name)
    with database.connect(autocommit=True) as c:
        c.execute("create table t (id int primary key, status text, kind text)")
        c.execute("insert into t values (1, E'caf\\xe9', 'a'), (2, 'tea', 'b')")
    found = judged(database)
    assert found["t.status"].band == "uncertain"
    assert "not text" in found["t.status"].evidence[-1].reason
    assert found["t.kind"].band == "not_personal"


def test_a_view_that_errors_ends_as_undecided(source_db: Database) -> None:
    """Views are not in the catalog, as their rows are not copied; one that was would be read like this."""
    with source_db.connect(autocommit=True) as c:
        c.execute(
            "create table base (id int primary key, status text, kind text);"
            "insert into base select g, 'open', 'a' from generate_series(1, 30) g;"
            "create view broken as select id, (10 / (id - id))::text as status, kind from base"
        )
    with Snapshot(source_db, application="test") as snapshot:
        catalog = read_catalog(snapshot)
        assert Name("public", "broken") not in catalog.tables
        view = replace(
            catalog.tables[Name("public", "base")], name=Name("public", "broken"), kind="v", primary_key=()
        )
        decisions = scan(replace(catalog, tables={view.name: view}), snapshot.connection)
    found = {d.column: d for d in decisions}
    assert found["status"].band == "uncertain"
    assert "undecided: reading it failed (DivisionByZero)" in [e.reason for e in found["status"].evidence]
    assert found["kind"].band == "not_personal"


def test_a_foreign_partition_that_cannot_be_reached_ends_as_undecided(source_db: Database) -> None:
    with source_db.connect(autocommit=True) as c:
        c.execute(
            "create extension postgres_fdw;"
            "create server away foreign data wrapper postgres_fdw options (host '127.0.0.1', port '1');"
            "create user mapping for current_user server away options (user 'nobody', password 'x');"
            "create table visit (id int, status text) partition by range (id);"
            "create foreign table visit_old partition of visit for values from (0) to (100) server away"
        )
    found = judged(source_db)
    assert found["visit.status"].band == "uncertain"
    assert any("reading it failed" in e.reason for e in found["visit.status"].evidence)


@pytest.mark.slow
def test_a_value_of_a_gigabyte_is_not_fetched(source_db: Database) -> None:
    with source_db.connect(autocommit=True) as c:
        c.execute(
            "create table attachment (id int primary key, status text, document text);"
            "insert into attachment select 1, 'open', repeat('Maria Lopez has called. ', 44000000)"
        )
        assert c.execute("select octet_length(document) > 1e9 from attachment").fetchone() == (True,)
    found = judged(source_db)
    assert found["attachment.document"].band == "uncertain"
    reasons = [e.reason for e in found["attachment.document"].evidence]
    assert "undecided: its values are too large to look into" in reasons
    assert found["attachment.status"].band == "not_personal"
