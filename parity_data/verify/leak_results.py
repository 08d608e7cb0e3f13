"""What the leak audit found, in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from parity_data.verify.digests import ColumnKey
from parity_data.verify.result import CheckResult


@dataclass(frozen=True)
class LeakHit:
    """Values of one production column found in one staged column beyond chance.

    values: different ones. occurrences: staged values that are or hold one. expected: hits by chance.
    shapes: a few of them, letters as L and digits as N. kept: the staged column is kept by the rules.
    question: kept columns hold the values as a whole, and they are no identifiers, so that this is no leak.
    """

    staged: ColumnKey
    source: ColumnKey
    values: int
    occurrences: int
    expected: float
    shapes: tuple[str, ...]
    inside: bool
    kept: bool = False
    question: bool = False


def check_leaks(hits: Iterable[LeakHit], scanned: Mapping[ColumnKey, int]) -> list[CheckResult]:
    """'leak_audit' for each staged column scanned: value leaked values, bound 0.

    scanned: staged values compared by column.
    """
    by_column: dict[ColumnKey, list[LeakHit]] = defaultdict(list)
    for hit in hits:
        by_column[hit.staged].append(hit)
    return [
        _result(column, by_column.get(column, []), scanned.get(column, 0))
        for column in sorted(scanned.keys() | by_column.keys())
    ]


def _result(column: ColumnKey, hits: list[LeakHit], values: int) -> CheckResult:
    scope = f"{column[0]}.{column[1]}"
    if not hits:
        message = f"{values:,} staged values looked up, none known from a masked column beyond chance."
        return CheckResult("leak_audit", scope, "pass", 0, 0, message)
    leaks = [hit for hit in hits if not hit.question]
    worst = max(leaks or hits, key=lambda hit: hit.values)
    source = f"{worst.source[0]}.{worst.source[1]}"
    shapes = ", ".join(worst.shapes)
    if not leaks:
        message = (
            f"This column is kept, and {worst.values:,} of its values are those of {source}, which is masked "
            f"(shapes {shapes}). Mask both, or keep both."
        )
        return CheckResult("leak_audit", scope, "warn", worst.values, 0, message)
    place = " inside longer texts" if worst.inside else ""
    others = len({hit.source for hit in leaks}) - 1
    more = f"; values of {others} more masked column{'s' if others > 1 else ''} as well" if others else ""
    message = (
        f"{worst.values:,} production value{'s' if worst.values != 1 else ''} of {source} found{place} in "
        f"{worst.occurrences:,} staged value{'s' if worst.occurrences != 1 else ''} "
        f"(shapes {shapes}; {worst.expected:.2g} expected by chance){more}."
    )
    if worst.kept:
        message += (
            " This column is kept: mask it (free_text with rest: keep changes nothing else), or keep both."
        )
    return CheckResult("leak_audit", scope, "fail", worst.values, 0, message)
