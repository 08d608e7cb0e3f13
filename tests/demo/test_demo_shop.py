"""The demo shop holds every special case, at any scale, and the same bytes every time."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from parity_data.database import EXACT_TEXT, Database
from parity_data.demo import shop
from parity_data.demo.server import Server

_RELATIONS = """
select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'm') and n.nspname in ('shop', 'crm', 'Legacy ERP', 'public')
order by 1, 2
"""
_SEQUENCES = "select schemaname, sequencename, last_value from pg_sequences order by 1, 2"


def sorted_contents(database: Database) -> dict[str, str]:
    """A digest of the sorted COPY output of every table, and the positions of all sequences."""
    contents = {}
    with database.with_options(**EXACT_TEXT).connect() as connection:
        for schema, name in connection.execute(_RELATIONS).fetchall():
            statement = sql.SQL("copy (select * from only {}) to stdout").format(sql.Identifier(schema, name))
            with connection.cursor().copy(statement) as copy:
                lines = sorted(b"".join(copy).splitlines(keepends=True))  # type: ignore[arg-type]
            contents[f"{schema}.{name}"] = f"{len(lines)} {hashlib.sha256(b''.join(lines)).hexdigest()}"
        for schema, name, value in connection.execute(_SEQUENCES).fetchall():
            contents[f"sequence {schema}.{name}"] = str(value)
    return contents


def test_two_fills_are_the_same(target_server: Server, source_db: Database, target_db: Database) -> None:
    counts = [shop.fill(database, scale=0.01) for database in (source_db, target_db)]
    first, second = sorted_contents(source_db), sorted_contents(target_db)
    assert counts[0] == counts[1] > 3_000
    assert len(first) > 30
    assert first == second


def test_a_copy_is_the_same(small_shop: Database, shop_db: Database) -> None:
    assert sorted_contents(small_shop) == sorted_contents(shop_db)
    with shop_db.connect() as connection:
        assert connection.execute("show search_path").fetchone() == ("shop, crm, public",)


def read_cases(path: Path) -> dict[str, str]:
    """The queries of a file by the names above them."""
    blocks = re.split(r"^-- ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[2:]
    return {name: query for name, _, query in (block.partition("\n") for block in blocks)}


#: What must be there, and a query that is true when it is.
CASES = read_cases(Path(__file__).with_name("shop_cases.sql"))

#: Types of which at least one column must hold a value, as format_type writes them.
TYPES = (
    "shop.order_status",
    "shop.email_address",
    "citext",
    "hstore",
    "shop.interest[]",
    "crm.channel[]",
    "shop.email_address[]",
    "shop.postal_address",
    "shop.postal_address[]",
    "text[]",
    "numeric[]",
    "daterange",
    "tsrange",
    "shop.tolerance",
    "shop.tolerance_multirange",
    "datemultirange",
    "jsonb",
    "bytea",
    "inet",
    "cidr",
    "macaddr",
    "macaddr8",
    "interval",
    "time with time zone",
    "money",
    "bit(8)",
    "bit varying(24)",
    "tsvector",
    "uuid",
    "point",
    "shop.country_code",
    "shop.iban",
    "shop.amount",
    "real",
    "double precision",
    "boolean",
    "character(3)",
    "character varying(20)",
    "timestamp without time zone",
    "timestamp with time zone",
)

_COLUMNS_OF_TYPE = """
select a.attrelid::regclass::text, quote_ident(a.attname) from pg_attribute a
join pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p')
where format_type(a.atttypid, a.atttypmod) = %s and a.attnum > 0 and c.oid >= 16384
"""


def holds(connection: psycopg.Connection[Any], query: str) -> bool:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0] is True


def test_cases_are_read() -> None:
    assert len(CASES) > 100
    assert all(query.lower().startswith("select") for query in CASES.values())


@pytest.mark.parametrize("case", CASES)
def test_special_case(small_shop: Database, case: str) -> None:
    with small_shop.connect() as connection:
        assert holds(connection, CASES[case])


@pytest.mark.parametrize("name", TYPES)
def test_type(small_shop: Database, name: str) -> None:
    with small_shop.with_options(search_path="public").connect() as connection:
        columns = connection.execute(_COLUMNS_OF_TYPE, [name]).fetchall()
        assert columns
        query = "select exists (select from {} where {} is not null)"
        assert any(holds(connection, query.format(*column)) for column in columns)


@pytest.mark.parametrize("scale", [0.01, 0.05])
def test_odd_rows_stay_at_any_scale(source_db: Database, scale: float) -> None:
    shop.fill(source_db, scale=scale)
    with source_db.connect() as connection:
        lost = [case for case, query in CASES.items() if not holds(connection, query)]
    assert lost == []


@pytest.mark.postgres15
def test_older_server(postgres15: Server) -> None:
    from fix_servers import fresh_database

    for database in fresh_database(postgres15, "shop"):
        assert shop.fill(database, scale=0.01) > 3_000
