"""Stagings whose releases are built within their own database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fix_copies import definitions, run_script
from fix_release import Staging, set_policy

from parity_data.database import Database


def use(staging: Staging, method: str, more: str = "") -> Staging:
    """Make staging's empty database, which the fixture dropped, and choose the method."""
    with staging.target.with_name("postgres").connect(autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {staging.target.name} TEMPLATE template0".encode())
    set_policy(staging, "  grace_seconds: 0\n", f"  grace_seconds: 0\n  method: {method}\n{more}")
    return staging


@pytest.fixture
def in_schemas(staging: Staging) -> Staging:
    """A staging whose releases are schemas."""
    return use(staging, "schema")


@pytest.fixture
def emptied(staging: Staging) -> Iterator[Staging]:
    """A staging with production's structure, whose rows are replaced."""
    use(staging, "truncate")
    run_script(staging.target, definitions(staging.settings.need_source()))
    return staging


def schemas(staging: Staging) -> set[str]:
    with staging.target.connect(autocommit=True) as connection:
        rows = connection.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
        ).fetchall()
    return {name for (name,) in rows} - {"parity", "public"}


def query(database: Database, text: str) -> list[tuple[Any, ...]]:
    with database.connect(autocommit=True) as connection:
        return connection.execute(text.encode()).fetchall()
