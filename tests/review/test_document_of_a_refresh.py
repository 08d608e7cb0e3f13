"""The report of a real refresh: equal inputs give equal bytes, and its figures are those of the rows."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from fix_copies import copy_database, run_script
from fix_servers import drop_databases
from psycopg import sql

from parity_data.database import Database
from parity_data.demo.server import Server
from parity_data.report import Report, load_report
from parity_data.report.document import to_bytes
from parity_data.report.html import to_html
from parity_data.settings import Settings

_TABLES = """
create table people (id int primary key, name text not null, email text unique, note text);
create table orders (id int primary key, person int references people, tag text, "when" timestamptz);
insert into people select i, 'Maria Lopez ' || i, 'p' || i || '@acme.com', case i % 3 when 0 then ''
    when 1 then 'Maria called ' || i end from generate_series(1, 400) i;
insert into orders select i, 1 + (i * i) % 400, '', timestamptz '2026-01-01' + i * interval '3 hours'
    from generate_series(1, 2000) i;
vacuum analyze;
"""
_RULES = """
schema: public
tables:
  people: {id: keep, name: person_name, email: email, note: free_text}
  orders: {id: keep, person: keep, tag: token, when: keep}
"""


def _without_times(report: Report) -> Report:
    """The report with what two runs cannot share taken out: times, and the names of run and snapshot."""
    never = datetime(2000, 1, 1, tzinfo=UTC)
    return replace(
        report,
        release="",
        snapshot="",
        snapshot_at=never,
        started_at=never,
        seconds=0.0,
        stages=tuple((name, 0.0) for name, _ in report.stages),
        tables=tuple(replace(table, seconds=0.0) for table in report.tables),
        nights=tuple(replace(night, release="", at="", seconds=0.0) for night in report.nights),
    )


def test_the_same_inputs_give_the_same_bytes_but_for_times(
    source_db: Database,
    target_db: Database,
    target_server: Server,
    make_settings: Callable[[Database, Database], Settings],
) -> None:
    run_script(source_db, _TABLES)
    settings = make_settings(source_db, target_db)
    (settings.rules / "public.yaml").write_text(_RULES, encoding="utf-8")
    written: list[tuple[bytes, bytes]] = []
    for _ in range(2):
        refresh = copy_database(settings, 0.25)
        folder = settings.work / "releases" / refresh.release_id
        report = _without_times(load_report(folder / "report.json"))
        assert report.fraction == 0.25
        assert len(report.checks) > 20
        assert 400 < sum(table.rows_target or 0 for table in report.tables) < 1200
        changed = {c.name: c.changed_share for table in report.tables for c in table.columns}
        # Of the notes a third is NULL and a third empty; no tag holds anything.
        assert (changed["email"], changed["note"], changed["tag"], changed["when"]) == (1, 1, None, None)
        written.append((to_bytes(report), to_html(report, "0" * 64)))
        shutil.rmtree(settings.work)
        drop_databases(target_server, target_db.name)
        with target_server.url("postgres").connect(autocommit=True) as admin:
            admin.execute(sql.SQL("create database {}").format(sql.Identifier(target_db.name)))
    assert written[0] == written[1]
