"""How much memory a session gets that makes indexes."""

from __future__ import annotations

import pytest

from parity_data.database import Database
from parity_data.release.build import index_memory

_SHARED = "SELECT pg_size_bytes(current_setting('shared_buffers')) / 1024"


@pytest.mark.parametrize("jobs", [1, 3])
def test_it_grows_with_the_machine_and_is_divided(jobs: int, target_db: Database) -> None:
    with target_db.connect(autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '1MB'")
        row = connection.execute(_SHARED).fetchone()
        assert row is not None
        assert index_memory(connection, jobs) == f"{row[0] // (4 * jobs)}kB"
        connection.execute(
            "SELECT set_config('maintenance_work_mem', %s, false)", [index_memory(connection, jobs)]
        )


def test_what_the_server_says_is_the_least(target_db: Database) -> None:
    with target_db.connect(autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '1900MB'")
        assert index_memory(connection, 1) == f"{1900 * 1024}kB"
