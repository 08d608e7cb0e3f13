"""The report in short, as Markdown for the Dagster UI."""

from __future__ import annotations

import re

from parity_data.report.model import ParityLine, Report, TableReport
from parity_data.report.text import duration, moment, number, plural, share, shown
from parity_data.report.words import sentence, worst
from parity_data.verify.result import CheckResult

#: Rows of a list before the rest is only counted.
CHECKS, DIFFERENCES, TABLES, PARITY = 25, 25, 40, 60

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#!|~$&@])")
_SIGN = {"pass": "✓ pass", "warn": "△ warn", "fail": "✗ FAIL"}


def to_markdown(report: Report) -> str:
    """The verdict, key facts, failed and warned checks and the largest tables; a few kB at most."""
    lines = [
        f"**{_SIGN[report.verdict]}** — {escape(sentence(report))}",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {escape(value)} |" for name, value in _facts(report)),
    ]
    flagged = (*report.failed, *report.warned)
    if flagged:
        lines += [
            "",
            "### Checks that need a reader",
            "",
            "| status | check | scope | measured | allowed | message |",
        ]
        lines += ["|---|---|---|---|---|---|", *(_check_line(check) for check in flagged[:CHECKS])]
        lines += _rest(len(flagged) - CHECKS, "check")
    differences = (*report.undeclared, *report.declared)
    if differences:
        lines += ["", "### Differences", ""]
        for difference in differences[:DIFFERENCES]:
            reason = "undeclared" if difference.declared is None else f"declared: {difference.declared}"
            reason += f"; {difference.answers}" if difference.answers else ""
            lines.append(f"- {escape(difference.scope)}: {escape(difference.what)} ({escape(reason)})")
        lines += _rest(len(differences) - DIFFERENCES, "difference")
    if report.parity:
        lines += ["", "### Parity checklist", "", "| | subject | production | staging | finding | in words |"]
        lines += ["|---|---|---|---|---|---|"]
        lines += [_parity_line(line) for line in report.parity[:PARITY]]
        lines += _rest(len(report.parity) - PARITY, "line")
    if report.tables:
        lines += [
            "",
            "### Tables",
            "",
            "| table | role | production | staging | share | masked columns | checks |",
        ]
        lines += ["|---|---|--:|--:|--:|--:|---|"]
        by_table = _checks_by_table(report)
        ordered = sorted(
            report.tables, key=lambda table: (-(table.rows_source or 0), table.schema, table.table)
        )
        lines += [_table_line(table, by_table[table.scope]) for table in ordered[:TABLES]]
        lines += _rest(len(ordered) - TABLES, "smaller table")
    return "\n".join(lines) + "\n"


def escape(text: str) -> str:
    """Text that Markdown and HTML show as it stands, on one line."""
    return _SPECIAL.sub(r"\\\1", shown(text))


def _facts(report: Report) -> list[tuple[str, str]]:
    masked = sum(column.masked for table in report.tables for column in table.columns)
    columns = sum(len(table.columns) for table in report.tables)
    return [
        ("release", f"{report.release} ({report.mode.replace('_', ' ')})"),
        ("source", f"{report.source} (PostgreSQL {report.source_version})"),
        ("target", f"{report.target} (PostgreSQL {report.target_version})"),
        ("snapshot", f"{report.snapshot}, {moment(report.snapshot_at)}"),
        ("fraction", share(report.fraction)),
        ("took", duration(report.seconds)),
        ("tables", f"{len(report.tables):,}, {masked:,} of {plural(columns, 'column')} masked"),
        ("rules, key", f"{report.rules_digest[:16]}, {report.key_id}"),
        ("requested by", report.requested_by or "not stated"),
    ]


def _check_line(check: CheckResult) -> str:
    cells = (check.name, check.scope, number(check.value), number(check.bound), check.message)
    return f"| {_SIGN[check.status]} | " + " | ".join(escape(cell) for cell in cells) + " |"


def _parity_line(line: ParityLine) -> str:
    cells = (line.area, line.item, line.production, line.staging, line.verdict, line.note)
    return "| " + " | ".join(escape(cell) for cell in cells) + " |"


def _table_line(table: TableReport, checks: list[CheckResult]) -> str:
    part = (
        share(table.rows_target / table.rows_source)
        if table.rows_source and table.rows_target is not None
        else "—"
    )
    masked = sum(column.masked for column in table.columns)
    status = worst(checks)
    cells = (table.scope, table.role, number(table.rows_source), number(table.rows_target), part, str(masked))
    return "| " + " | ".join(escape(cell) for cell in cells) + f" | {_SIGN[status] if status else '—'} |"


def _checks_by_table(report: Report) -> dict[str, list[CheckResult]]:
    found: dict[str, list[CheckResult]] = {table.scope: [] for table in report.tables}
    for table in report.tables:
        for column in table.columns:
            found[f"{table.scope}.{column.name}"] = found[table.scope]
    for check in report.checks:
        if check.scope in found:
            found[check.scope].append(check)
    return found


def _rest(count: int, noun: str) -> list[str]:
    return ["", f"… and {plural(count, 'more ' + noun)} in report.json."] if count > 0 else []
