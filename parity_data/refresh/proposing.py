"""Entries for differences that nobody declared, written for a person to decide."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from parity_data.refresh.declared import Judged
from parity_data.refresh.request import current_user
from parity_data.report import load_report
from parity_data.rules.declared import DECLARED_FILE, WITHOUT_BOUND, DeclaredDifference
from parity_data.rules.declared_file import Proposal
from parity_data.rules.write import propose_differences
from parity_data.settings import Settings
from parity_data.verify.result import Difference

#: For how long a proposed entry is to hold, unless a person says otherwise.
DAYS = 90

#: Checks that only a refresh makes, so that its report is asked for them.
_OF_A_REFRESH = ("subset_rows", "fan_out", "reference_share", "distribution", "leak_audit")


@dataclass(frozen=True)
class Written:
    """What was proposed, and the file it was written to."""

    proposals: tuple[Proposal, ...]
    file: Path


def propose_undeclared(settings: Settings, now: Judged) -> Written:
    """Add an entry for each undeclared difference: of now, and those that only the newest refresh could see.

    The reason is left empty, so that the rules do not load before somebody has given it. Raises RulesError.
    """
    today = datetime.now(UTC).date()
    found = [*now.differences, *_of_newest_report(settings)]
    proposals = {
        (d.scope, d.key): Proposal(
            DeclaredDifference(
                d.scope,
                d.key,
                reason="",
                bound=_bound(d),
                owner=current_user() or "",
                expires=today + timedelta(days=DAYS),
            ),
            d.what,
        )
        for d in found
        if d.declared is None and d.key is not None
    }
    return Written(
        tuple(propose_differences(settings.rules, proposals.values())), settings.rules / DECLARED_FILE
    )


def _of_newest_report(settings: Settings) -> Iterator[Difference]:
    reports = sorted(
        (settings.work / "releases").glob("*/report.json"), key=lambda path: path.stat().st_mtime
    )
    if reports:
        yield from (d for d in load_report(reports[-1]).differences if d.key in _OF_A_REFRESH)


def _bound(difference: Difference) -> float | None:
    """The figure that was seen, rounded up to two digits."""
    if difference.value is None or difference.key in WITHOUT_BOUND or difference.value <= 0:
        return None
    step = 10.0 ** (math.floor(math.log10(difference.value)) - 1)
    bound = round(math.ceil(difference.value / step - 1e-9) * step, 12)
    return int(bound) if bound.is_integer() else bound
