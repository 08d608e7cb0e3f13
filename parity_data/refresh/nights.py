"""What the ledger keeps of each refresh, so that the next ones can be held against it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg

from parity_data.release import Ledger, ReleaseRecord
from parity_data.release.reviews import read_reviews
from parity_data.report import Night, Report

#: Nights that a report looks back on.
NIGHTS = 60

#: Under this name in a release's details.
_DETAIL = "night"

_BYTES = """
SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND n.nspname <> ALL (%s)
"""


def built_bytes(connection: psycopg.Connection[Any], hidden: Collection[str]) -> int:
    """Bytes of all tables that were built, with their indexes. Raises psycopg.Error."""
    row = connection.execute(_BYTES, [list(hidden)]).fetchone()
    assert row is not None
    return int(row[0])


def this_night(report: Report, rows: int, size: int) -> Night:
    """The refresh that a report is about. rows, size: of the built copy, size in bytes."""
    return Night(
        report.release,
        _iso(report.snapshot_at),
        report.verdict,
        seconds=report.seconds,
        rows=rows,
        bytes=size,
        undeclared=len(report.undeclared),
        declared=len(report.declared),
        flagged=len(report.failed) + len(report.warned),
    )


def keep_night(ledger: Ledger, night: Night, *, report: str) -> None:
    """Write down what became of a refresh. report: SHA-256 of its report.json."""
    figures = {
        name: getattr(night, name)
        for name in ("seconds", "rows", "bytes", "undeclared", "declared", "flagged")
    }
    ledger.add_details(night.release, report=report, **{_DETAIL: figures})


def nights(ledger: Ledger) -> list[Night]:
    """What is known of every release, the oldest first."""
    decisions = {entry.release: entry.decision for entry in read_reviews(ledger)}
    return [replace(night_of(r), review=decisions.get(r.id)) for r in reversed(ledger.releases())]


def night_of(record: ReleaseRecord) -> Night:
    """What the ledger knows of a release."""
    figures: Mapping[str, Any] = record.details.get(_DETAIL) or {}
    return Night(record.id, _iso(record.snapshot_at), record.verdict, **figures)


def looking_back(earlier: Iterable[Night], this: Night) -> tuple[Night, ...]:
    """The nights that a report shows: those that came to an end, the newest last, this one at the end."""
    ended = [night for night in earlier if night.seconds is not None and night.release != this.release]
    return (*ended[-(NIGHTS - 1) :], this)


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds")
