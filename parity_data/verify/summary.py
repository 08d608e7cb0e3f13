"""Many results, one verdict."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from parity_data.verify.result import CheckResult


def verdict(results: Iterable[CheckResult]) -> Literal["pass", "fail"]:
    """'fail' when any check failed, or when there is none: nothing checked is nothing proven."""
    statuses = [result.status for result in results]
    return "pass" if statuses and "fail" not in statuses else "fail"
