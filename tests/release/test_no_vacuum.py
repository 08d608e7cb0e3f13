"""Autovacuum stays away from tables that are being filled or read back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fix_release import FaultRunner, Staging, until

from parity_data.catalog.model import Name
from parity_data.database import Database
from parity_data.demo.server import Server
from parity_data.release.build import no_vacuum

_ROWS = "INSERT INTO {} SELECT generate_series(1, 10000)"
_TIMES = "SELECT autovacuum_count FROM pg_stat_user_tables WHERE relname = %s"
_LOCKED = """
SELECT l.relation::regclass::text FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.mode = 'ShareUpdateExclusiveLock' AND a.application_name LIKE 'parity-data %'
"""


@pytest.fixture
def eager(target_server: Server) -> Iterator[None]:
    """Autovacuum looks for work every second."""
    with target_server.url("postgres").connect(autocommit=True) as admin:
        admin.execute("ALTER SYSTEM SET autovacuum_naptime = 1")
        admin.execute("SELECT pg_reload_conf()")
        yield
        admin.execute("ALTER SYSTEM RESET autovacuum_naptime")
        admin.execute("SELECT pg_reload_conf()")


def test_it_passes_over_a_table_and_comes_back(target_db: Database, eager: None) -> None:
    with target_db.connect(autocommit=True) as connection:

        def vacuumed(table: str) -> int:
            row = connection.execute(_TIMES, [table]).fetchone()
            assert row is not None
            return int(row[0])

        connection.execute('CREATE TABLE "Held" (n int); CREATE TABLE free (n int)')
        with no_vacuum(target_db, [Name("public", "Held")]):
            connection.execute("SET lock_timeout = '10s'")
            connection.execute(_ROWS.format('"Held"'))  # such a lock would not let it wait
            for _ in range(2):
                seen = vacuumed("free")
                connection.execute(_ROWS.format("free"))
                until(lambda seen=seen: vacuumed("free") > seen, "a vacuum of the other table")
            assert vacuumed("Held") == 0
        until(lambda: vacuumed("Held"), "a vacuum of the table that was held")


@pytest.mark.parametrize("point", ["in the middle chunk", "in the checks"])
def test_a_refresh_holds_what_it_writes_in_pieces(point: str, staging: Staging, faults: FaultRunner) -> None:
    with faults.paused(staging.settings, point) as held:
        (built,) = (name for name in staging.databases() if name.startswith("__next_"))
        with staging.target.with_name(f"{staging.target.name}{built}").connect() as connection:
            assert {row[0] for row in connection.execute(_LOCKED)} == {"person", "purchase"}
    assert held.outcome.status == 0, held.outcome.text
    staging.assert_clean()
