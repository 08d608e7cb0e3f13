"""Volume: every chosen row was sent once and is staged once."""

from __future__ import annotations

from collections.abc import Mapping

from parity_data.catalog.model import Name
from parity_data.verify.result import CheckResult


def check_rows(
    expected: Mapping[Name, int], sent: Mapping[Name, int], staged: Mapping[Name, int]
) -> list[CheckResult]:
    """'row_count' for each table that any side names; all three counts must agree.

    expected: rows chosen in the snapshot; sent: rows written to staging; staged: rows counted there
    afterwards. A table that one side does not name counts as not observed and fails.
    """
    tables = sorted(expected.keys() | sent.keys() | staged.keys())
    return [_check(table, expected.get(table), sent.get(table), staged.get(table)) for table in tables]


def _check(table: Name, expected: int | None, sent: int | None, staged: int | None) -> CheckResult:
    if expected is None:
        message = f"Staging has {_rows(staged or sent)} of a table that was not planned."
    elif sent is None or staged is None:
        message = f"{_rows(expected)} planned, but none {'sent' if sent is None else 'counted in staging'}."
    elif sent != expected:
        message = f"{_rows(expected)} chosen, but {_rows(sent)} sent: {_gap(expected, sent)}."
    elif staged != sent:
        message = f"{_rows(sent)} sent, but {_rows(staged)} staged: {_gap(sent, staged)}."
    else:
        message = f"{_rows(staged)} chosen, sent and staged."
        return CheckResult("row_count", str(table), "pass", staged, expected, message)
    return CheckResult("row_count", str(table), "fail", staged, expected, message)


def _rows(count: int | None) -> str:
    return f"{count or 0:,} row{'s' if count != 1 else ''}"


def _gap(before: int, after: int) -> str:
    return f"{before - after:,} lost" if after < before else f"{after - before:,} too many"
