"""The six words of the report, and its verdict in one sentence."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from parity_data.report.model import ForeignKeyReport, Report, TableReport
from parity_data.report.text import plural, shown
from parity_data.verify.result import CheckResult

Word = Literal["identical", "within chance", "too small to tell", "declared", "different", "not observed"]

MEANING: dict[Word, str] = {
    "identical": "Compared exactly, and no difference found.",
    "within chance": "A difference was measured; it lies within the bound that the check allows for.",
    "too small to tell": "The data are too few for this check to see a difference of the size that matters.",
    "declared": "It differs, and the rules say so and why.",
    "different": "It differs beyond what is allowed, and nobody has declared it.",
    "not observed": "Nothing was measured, so nothing is claimed.",
}

_RANK = {"fail": 2, "warn": 1, "pass": 0}
_OUTCOME = {
    "release": "staging now serves this release",
    "hold": "the release is built and waits to be promoted",
    "dry_run": "this was a dry run, staging is unchanged",
}


def word(check: CheckResult, declared_scopes: frozenset[str] = frozenset()) -> Word:
    """The word for what a check found. declared_scopes: scopes that have a declared difference."""
    if check.declared is not None:
        return "declared"
    if check.status == "fail":
        return "different"
    if "too small to tell" in check.message.lower():
        return "too small to tell"
    if check.status == "warn":
        if check.scope in declared_scopes:
            return "declared"
        return "not observed" if check.value is None else "different"
    if check.value is None:
        return "not observed" if check.bound is not None else "identical"
    if check.value == check.bound or check.value == 0:
        return "identical"
    return "within chance"


def rows_word(table: TableReport) -> Word:
    """The word for a table's rows against the plan."""
    if table.rows_planned is None or table.rows_target is None:
        return "not observed"
    return "identical" if table.rows_planned == table.rows_target else "different"


def key_word(key: ForeignKeyReport) -> Word | None:
    """The word for a foreign key's dangling rows; None where production dangles too, which checks judge."""
    if key.dangling_source is None or key.dangling_target is None:
        return "not observed"
    if key.dangling_source > 0:
        return None
    return "identical" if key.dangling_target == 0 else "different"


def worst(checks: Iterable[CheckResult]) -> str | None:
    """The worst status among checks, None for no check."""
    return max((check.status for check in checks), key=_RANK.__getitem__, default=None)


def sentence(report: Report) -> str:
    """The verdict's reason, one sentence."""
    total, failed, warned = len(report.checks), report.failed, report.warned
    undeclared = len(report.undeclared)
    if report.verdict == "pass":
        if not total:
            first = "No check was run"
        elif failed:
            # A verdict is given to us; a failed check beside a pass must not be hidden.
            first = f"{len(failed):,} of {plural(total, 'check')} failed, yet the release passed"
        elif warned:
            first = f"No check of {total:,} failed, {len(warned):,} warned"
        else:
            first = "The one check holds" if total == 1 else f"All {total:,} checks hold"
        return f"{first}, {_difference_phrase(report)}; {_OUTCOME[report.mode]}."
    kept = "staging is unchanged" if report.mode == "dry_run" else "staging is left as it was"
    if failed:
        names = sorted({check.name for check in failed})
        where = f" ({', '.join(shown(name) for name in names[:3])}{' and others' if len(names) > 3 else ''})"
        first = failed[0].scope
        place = f" on {shown(first)}" if len(failed) == 1 else ""
        return f"{len(failed):,} of {plural(total, 'check')} failed{where}{place}; {kept}."
    if undeclared:
        return f"{plural(undeclared, 'difference')} from production without a declared reason; {kept}."
    return f"The refresh did not complete; {kept}."


def _difference_phrase(report: Report) -> str:
    if not report.differences:
        return "no difference from production found"
    undeclared = len(report.undeclared)
    if not undeclared:
        if len(report.differences) == 1:
            return "the one difference from production is declared"
        return f"all {plural(len(report.differences), 'difference')} from production are declared"
    return f"{undeclared:,} of {plural(len(report.differences), 'difference')} from production undeclared"
