"""What dead runs and retired releases left on the server, and how much of the past is kept.

Everything here asks for the ledger's lock to be held: whoever holds it knows that no other run is alive.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import psycopg
from psycopg import sql

from parity_data.release import names
from parity_data.release.ledger import Ledger, ReleaseRecord
from parity_data.release.schemas import drop_left_schemas, size_of

_GIB = 1024**3


def recover(ledger: Ledger) -> list[str]:
    """Put right what a run that died left behind: its entry, its databases, its roles.

    Returns the names of what was dropped.
    """
    ledger.move("building", "failed")
    left = drop_left_schemas(ledger) if ledger.inside else drop_leftovers(ledger)
    return [*left, *_drop_roles(ledger)]


def drop_leftovers(ledger: Ledger) -> list[str]:
    """Drop databases that no release needs any more. Returns their names."""
    target, records = ledger.target, ledger.releases()
    needed = {names.kept_name(target, r.id) for r in records if r.state == "previous"}
    needed |= {names.next_name(target, r.id) for r in records if r.state == "ready"}
    dropped = []
    for name in sorted(ledger.databases()):
        if name.startswith(names.belongings_prefixes(target)) and name not in needed:
            drop_database(ledger, name)
            dropped.append(name)
    return dropped


def drop_database(ledger: Ledger, name: str) -> None:
    """Drop a database with its sessions."""
    ledger.connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def retire_by_size(ledger: Ledger, gib: float) -> list[str]:
    """Drop previous releases, the oldest first, until those that stay take no more than ``gib`` GiB.

    Returns the ids of those that went.
    """
    there = ledger.databases()
    room, gone = gib * _GIB, []
    for record in previous_releases(ledger):
        name = database_of(ledger, record, there)
        room -= size_of(ledger, record) if ledger.inside else _database_size(ledger, name)
        if room < 0:
            ledger.set_state(record.id, "retired")
            if not ledger.inside:
                drop_database(ledger, name)
            gone.append(record.id)
    return gone


def _database_size(ledger: Ledger, name: str) -> float:
    row = ledger.connection.execute("SELECT pg_database_size(%s)", [name]).fetchone()
    assert row is not None
    return float(row[0])


def previous_releases(ledger: Ledger) -> Sequence[ReleaseRecord]:
    """Releases that can be gone back to, the last one that served first."""
    found = [r for r in ledger.releases() if r.state == "previous"]
    return sorted(found, key=lambda r: r.changed_at.timestamp() if r.changed_at else 0, reverse=True)


def database_of(ledger: Ledger, record: ReleaseRecord, there: set[str]) -> str:
    """The database of a previous release. there: names of all databases of the server."""
    kept = names.kept_name(ledger.target, record.id)
    return kept if kept in there else names.previous_name(ledger.target)


def _drop_roles(ledger: Ledger) -> list[str]:
    """Drop roles that failed releases had created and nothing else has come to need."""
    dropped = []
    for record in ledger.releases():
        roles = record.details.get("created_roles", [])
        if record.state != "failed" or not roles:
            continue
        for role in roles:
            # One that still owns something, or that we may not drop, stays: it does no harm.
            with contextlib.suppress(psycopg.errors.Error), ledger.connection.transaction():
                ledger.connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))
                dropped.append(role)
        ledger.add_details(record.id, created_roles=[])
    return dropped
