"""The privileges that docs/operations.md asks for are enough, run as they stand there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from fix_copies import POLICY, ROOT, contents, copy_database, run_script
from fix_release import Staging
from fix_servers import drop_databases
from psycopg import sql

from parity_data.database import Database
from parity_data.demo.server import Server
from parity_data.refresh.scan import scan_source
from parity_data.settings import Settings

ROLES = ("parity_reader", "parity_stager", "app_owner", "app_reader")
PRODUCTION = """
create role app_owner;
create role app_reader;
create schema app authorization app_owner;
set role app_owner;
create table app.t (id serial primary key, w text);
insert into app.t (w) values ('a'), ('b');
alter table app.t enable row level security;
grant select on app.t to app_reader;
"""


def blocks(language: str, section: str = "Least privileges") -> list[str]:
    text = (ROOT / "docs/operations.md").read_text().split(f"## {section}\n")[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def drop_roles(server: Server) -> None:
    with server.url("postgres").connect(autocommit=True) as connection:
        for role in ROLES:
            connection.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(role)))


def login(server: Server, role: str, database: str) -> Database:
    with server.url("postgres").connect(autocommit=True) as connection:
        connection.execute(
            sql.SQL("alter role {} password {}").format(
                sql.Identifier(role), sql.Literal(server.password_for(role))
            )
        )
    return server.url(database, role)


@pytest.mark.parametrize("owners", ["target", "production"])
def test_the_least_privileges_are_enough(
    owners: str,
    source_db: Database,
    source_server: Server,
    target_server: Server,
    make_settings: Callable[[Database, Database], Settings],
) -> None:
    reader, stager, owned, *_ = blocks("sql")
    (policy,) = blocks("yaml")
    try:
        run_script(source_db, PRODUCTION)
        run_script(source_db, reader)
        run_script(target_server.url("postgres"), stager + (owned if owners == "production" else ""))
        settings = make_settings(
            login(source_server, "parity_reader", str(source_db.name)),
            login(target_server, "parity_stager", "operated"),
        )
        if owners == "production":
            # The database itself belongs to the servers' superuser here, which nobody is a member of.
            run_script(source_db, f"alter database {source_db.name} owner to app_owner")
        (settings.rules / "policy.yaml").write_text(POLICY + (policy if owners == "target" else ""))
        scan_source(replace(settings, source=source_db), write=settings.rules, decide="keep")
        assert copy_database(settings).verdict == "pass"
        assert contents(target_server.url("operated")) == contents(source_db)
    finally:
        drop_databases(target_server, "operated")
        drop_roles(target_server)
        run_script(
            source_db,
            f"alter database {source_db.name} owner to postgres; drop owned by app_owner cascade;"
            " drop owned by parity_reader cascade",
            strict=False,
        )
        drop_roles(source_server)


def test_recovery_by_hand(staging: Staging) -> None:
    """The queries say what they promise, and the exchange by hand is no trouble for the next refresh."""
    look, exchange = (
        block.replace("staging", str(staging.target.name)) for block in blocks("sql", "Recovery by hand")
    )
    history, holder, databases = [query for query in look.split(";") if query.strip()]
    first = staging.refresh()
    staging.next_edition()
    second = staging.refresh()
    with staging.ledger() as held, held.database.connect(autocommit=True) as connection:
        held.lock()
        assert [row[:2] for row in connection.execute(history.encode())] == [
            (second, "current"),
            (first, "previous"),
        ]
        assert [row[0] for row in connection.execute(holder.encode())] == [held.connection.info.backend_pid]
        found = {name for name, _ in connection.execute(databases.encode())}
        assert found == {f"{staging.target.name}{suffix}" for suffix in staging.databases()}
    run_script(staging.target.with_name("postgres"), exchange)
    assert staging.serves() == 1
    staging.refresh()
    assert staging.serves() == 2
