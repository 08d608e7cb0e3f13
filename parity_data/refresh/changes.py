"""The last report that somebody approved, and what is other now."""

from __future__ import annotations

import hashlib
from pathlib import Path

from parity_data.errors import ConfigError
from parity_data.release import Ledger
from parity_data.release.reviews import Review, read_reviews
from parity_data.report import Report, load_report
from parity_data.report.changes import changes
from parity_data.report.model import Since


def since_approved(ledger: Ledger, work: Path, now: Report) -> Since | None:
    """What is other than in the newest approved report that lies unchanged in the work folder."""
    for entry in reversed(read_reviews(ledger)):
        before = _report_of(entry, work) if entry.decision == "approved" else None
        if before is not None:
            return Since(entry.release, entry.reviewer, entry.at, changes(before, now))
    return None


def _report_of(entry: Review, work: Path) -> Report | None:
    """The report that was approved, None when it is not there or no longer what was approved."""
    path = work / "releases" / entry.release / "report.json"
    try:
        if hashlib.sha256(path.read_bytes()).hexdigest() != entry.covered.report:
            return None
        return load_report(path)
    except (OSError, ConfigError):
        return None
