"""The one form a person fills in to start a refresh."""

from __future__ import annotations

from typing import Literal

import dagster as dg
from pydantic import Field

from parity_data.refresh import RefreshRequest

#: Run tag that says who asked, set by whoever starts the run on behalf of a person.
REQUESTED_BY_TAG = "parity/requested_by"
_SCHEDULE_TAG = "dagster/schedule_name"


class RefreshConfig(dg.Config):
    """What a person asks for; everything may be left as it is."""

    # Bounds are checked by RefreshRequest, in the first asset: Dagster would start the run all the same and
    # fail it in words of its own.
    fraction: float | None = Field(
        default=None,
        description="Share of production's root rows, above 0 and at most 1; empty for the rules' fraction.",
    )
    mode: Literal["release", "hold", "dry_run"] = Field(
        default="release",
        description="release: swap in when every check passes. hold: build and verify, then wait for "
        "'parity promote'. dry_run: build, verify, report and drop.",
    )
    note: str | None = Field(
        default=None, description="A word for the ledger and the report. Not the place for secrets."
    )

    def request(self, run: dg.DagsterRun) -> RefreshRequest:
        """The request of this run; the run's id names the release. Raises ConfigError."""
        return RefreshRequest(
            fraction=self.fraction,
            mode=self.mode,
            note=self.note,
            run_id=run.run_id,
            requested_by=_who(run),
        ).checked()


def run_config(request: RefreshRequest) -> dict[str, object]:
    """Dagster's run config that asks for the same."""
    asked = {"fraction": request.fraction, "mode": request.mode, "note": request.note}
    config = {name: value for name, value in asked.items() if value is not None}
    return {"ops": {"production_catalog": {"config": config}}}


def _who(run: dg.DagsterRun) -> str:
    if REQUESTED_BY_TAG in run.tags:
        return run.tags[REQUESTED_BY_TAG]
    if _SCHEDULE_TAG in run.tags:
        return f"schedule {run.tags[_SCHEDULE_TAG]}"
    return run.tags.get("user", "Dagster")
