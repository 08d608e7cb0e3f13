"""NULLs: a column has as many in staging as among the rows sent."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from parity_data.catalog.model import Name
from parity_data.verify.result import CheckResult

#: A column by table and name.
ColumnKey = tuple[Name, str]


def check_nulls(
    expected: Mapping[ColumnKey, int],
    staged: Mapping[ColumnKey, int],
    masked_null: Collection[ColumnKey] = frozenset(),
    rows: Mapping[Name, int] | None = None,
) -> list[CheckResult]:
    """'null_share' for each column of ``expected``: counts must be equal.

    expected: NULLs among the raw rows that were sent. staged: NULLs counted in staging. masked_null: columns
    that the rules make NULL altogether; with ``rows`` (staged rows by table) every row of them must be.
    """
    return [
        _check(key, count, staged.get(key), key in masked_null, None if rows is None else rows.get(key[0]))
        for key, count in sorted(expected.items())
    ]


def _check(
    key: ColumnKey, expected: int, staged: int | None, masked_null: bool, rows: int | None
) -> CheckResult:
    scope = f"{key[0]}.{key[1]}"
    if staged is None:
        return CheckResult("null_share", scope, "fail", None, expected, "The column is not in staging.")
    if masked_null:
        if rows is None or staged == rows:
            message = "NULL in every row, as the rules say."
            return CheckResult("null_share", scope, "pass", staged, staged, message)
        message = f"The rules make every row NULL, but {rows - staged:,} of {rows:,} are not."
        return CheckResult("null_share", scope, "fail", staged, rows, message)
    if staged == expected:
        return CheckResult("null_share", scope, "pass", staged, expected, f"{staged:,} NULLs on both sides.")
    lost = "lost" if staged < expected else "too many"
    message = f"{expected:,} NULLs sent, {staged:,} staged: {abs(expected - staged):,} {lost}."
    return CheckResult("null_share", scope, "fail", staged, expected, message)
