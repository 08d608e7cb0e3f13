"""A schema of more than 150 odd tables arrives as it is: definitions to the byte, rows to the byte."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fix_copies import Copier, contents, definitions, run_script
from fix_servers import fresh_database
from odd_schema import TYPES, script

from parity_data.database import Database
from parity_data.demo.server import Server

pytestmark = pytest.mark.slow

TABLES = (
    "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace::regnamespace::text ~ 'odd'"
)
POSITIONS = "SELECT schemaname, sequencename, last_value FROM pg_sequences ORDER BY 1, 2"


@pytest.fixture(scope="module")
def odd(source_server: Server) -> Iterator[Database]:
    for database in fresh_database(source_server, "odd"):
        run_script(database, script())
        yield database


@pytest.mark.parametrize("method", ["database", "schema", "truncate"])
def test_it_arrives(method: str, odd: Database, target_db: Database, keep_everything: Copier) -> None:
    with odd.connect() as connection:
        row = connection.execute(TABLES).fetchone()
        assert row is not None
        assert row[0] >= 150 + len(TYPES) // 2
        positions = connection.execute(POSITIONS).fetchall()
    if method == "truncate":
        run_script(target_db, definitions(odd))
    keep_everything(odd, target_db, method=method)
    ours = ["--schema=odd", "--schema=odd too"]
    assert definitions(target_db, *ours) == definitions(odd, *ours)
    found, expected = contents(target_db), contents(odd)
    assert {name: found.get(name) for name in expected} == expected
    with target_db.connect() as connection:
        staged = [row for row in connection.execute(POSITIONS).fetchall() if "odd" in row[0]]
    assert staged == positions
