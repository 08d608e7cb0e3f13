"""The fixtures clean up after tests that leave releases behind."""

from __future__ import annotations

from fix_servers import drop_databases, fresh_database
from psycopg import sql

from parity_data.demo.server import Server

_LEFT = "select count(*) from pg_database where starts_with(datname, 'leaves')"


def test_leftovers_go_with_their_database(source_server: Server) -> None:
    databases = fresh_database(source_server, "leaves")
    database = next(databases)
    connection = database.connect()
    with source_server.url("postgres").connect(autocommit=True) as admin:
        for suffix in ("__next", "__previous"):
            name = sql.Identifier(f"{database.name}{suffix}")
            admin.execute(sql.SQL("create database {} with is_template true").format(name))
        assert admin.execute(_LEFT).fetchone() == (3,)
        assert next(databases, None) is None
        assert admin.execute(_LEFT).fetchone() == (0,)
    connection.close()


def test_dropping_nothing_is_fine(source_server: Server) -> None:
    drop_databases(source_server, "never_made")
