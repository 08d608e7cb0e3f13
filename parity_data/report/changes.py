"""What is other than in the last report that somebody approved, so that a reader can begin there."""

from __future__ import annotations

from collections.abc import Iterator

from parity_data.report.model import Change, ColumnReport, Report, TableReport
from parity_data.report.text import number, plural, share

#: Growth of a table, and change of a column's share of NULLs in production, that is worth a line.
GROWTH, NULLS = 0.2, 0.02

#: What a report is about, in words, where it differs.
_IDENTITY = (
    ("source_system_identifier", "production is another server"),
    ("target_system_identifier", "staging is another server"),
    ("source_version", "PostgreSQL of production"),
    ("target_version", "PostgreSQL of staging"),
    ("key_id", "masking key"),
    ("rules_digest", "rules"),
    ("product_version", "parity-data"),
)


def changes(before: Report, now: Report) -> tuple[Change, ...]:
    """Every change worth a line: what the report is about, checks, differences, tables, columns, sizes."""
    return (*_identity(before, now), *_checks(before, now), *_differences(before, now), *_tables(before, now))


def _identity(before: Report, now: Report) -> Iterator[Change]:
    for name, what in _IDENTITY:
        old, new = getattr(before, name), getattr(now, name)
        if old != new:
            yield Change("database", f"{what}: {old[:16]} → {new[:16]}")
    if before.fraction != now.fraction:
        yield Change("database", f"fraction: {share(before.fraction)} → {share(now.fraction)}")
    if before.catalog_fingerprint_source != now.catalog_fingerprint_source:
        yield Change("database", "production's schema")


def _checks(before: Report, now: Report) -> Iterator[Change]:
    old = {(check.name, check.scope): check.status for check in before.checks}
    for check in now.checks:
        was = old.get((check.name, check.scope))
        if check.status != "pass" and was != check.status:
            yield Change(check.scope, f"{check.name}: {was or 'not checked'} → {check.status}")
    flagged = {key for key, status in old.items() if status != "pass"}
    new = {(check.name, check.scope): check.status for check in now.checks}
    for name, scope in sorted(flagged):
        if new.get((name, scope), "pass") == "pass":
            yield Change(scope, f"{name}: {old[name, scope]} → {new.get((name, scope), 'not checked')}")
    gone = {name for name, _ in old} - {name for name, _ in new}
    for name in sorted(gone):
        yield Change("database", f"no check {name} any more")


def _differences(before: Report, now: Report) -> Iterator[Change]:
    old, new = ({(d.scope, d.what) for d in report.differences} for report in (before, now))
    undeclared = {(d.scope, d.what) for d in now.undeclared}
    for scope, what in sorted(new - old):
        yield Change(scope, f"new{', undeclared' if (scope, what) in undeclared else ''}: {what}")
    for scope, what in sorted(old - new):
        yield Change(scope, f"gone: {what}")


def _tables(before: Report, now: Report) -> Iterator[Change]:
    old, new = ({table.scope: table for table in report.tables} for report in (before, now))
    for scope in sorted(new.keys() - old.keys()):
        yield Change(scope, f"new table of {plural(len(new[scope].columns), 'column')}")
    for scope in sorted(old.keys() - new.keys()):
        yield Change(scope, "table gone")
    for scope in sorted(old.keys() & new.keys()):
        yield from _table(old[scope], new[scope])


def _table(before: TableReport, now: TableReport) -> Iterator[Change]:
    if before.role != now.role:
        yield Change(now.scope, f"role: {before.role} → {now.role}")
    rows = before.rows_source, now.rows_source
    if rows[0] is not None and rows[1] is not None and abs(rows[1] - rows[0]) > GROWTH * max(rows[0], 1):
        yield Change(now.scope, f"rows in production: {number(rows[0])} → {number(rows[1])}")
    old, new = ({column.name: column for column in table.columns} for table in (before, now))
    for name in [name for name in new if name not in old]:
        yield Change(f"{now.scope}.{name}", f"new column, {new[name].sql_type}, {new[name].mask}")
    for name in [name for name in old if name not in new]:
        yield Change(f"{now.scope}.{name}", "column gone")
    for name, column in new.items():
        if name in old:
            for what in _column(old[name], column):
                yield Change(f"{now.scope}.{name}", what)
    for profile in now.profile.columns if now.profile else ():
        earlier = before.profile.column(profile.name) if before.profile else None
        if earlier is None or earlier.nulls[0] is None or profile.nulls[0] is None:
            continue
        if abs(profile.nulls[0] - earlier.nulls[0]) > NULLS:
            shares = f"{share(earlier.nulls[0], 1)} → {share(profile.nulls[0], 1)}"
            yield Change(f"{now.scope}.{profile.name}", f"NULLs in production: {shares}")


def _column(before: ColumnReport, now: ColumnReport) -> Iterator[str]:
    if before.sql_type != now.sql_type:
        yield f"type: {before.sql_type} → {now.sql_type}"
    if before.mask != now.mask:
        yield f"mask: {before.mask} → {now.mask}"
