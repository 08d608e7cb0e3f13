"""Between refreshes: has production moved on, and has a person signed what staging serves?

Two asset checks of their own, so that they can be run at any time, and the job that runs them. No refresh
runs them: it compares more, and nobody can have signed a release that is being built.
"""

# No postponed annotations: Dagster reads those of a check's parameters as they stand.

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from parity_data.assets import metadata
from parity_data.assets.keys import RELEASE, REPORT
from parity_data.assets.refreshes import Refreshes
from parity_data.errors import ParityError
from parity_data.refresh.drift import compare_now
from parity_data.refresh.review import newest_standing

JOB = "watch_drift"
SCHEDULE = "drift_watch"
DRIFT, SIGNED = "drift", "signed_off"

#: Every quarter of an hour, a light look.
_CRON = "*/15 * * * *"


def watch_checks() -> list[dg.AssetChecksDefinition]:
    """'drift' on staging_release and 'signed_off' on fidelity_report."""

    @dg.asset_check(
        asset=RELEASE,
        name=DRIFT,
        description="Schema, extensions, migrations and sequences of production, as they are now, are what "
        "staging serves.",
    )
    def drift(refreshes: dg.ResourceParam[Refreshes]) -> dg.AssetCheckResult:
        with _in_words():
            found = compare_now(refreshes.settings()).checks
        bad = [check for check in found if check.status != "pass"]
        return dg.AssetCheckResult(
            passed=not bad,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{bad[0].scope}: {bad[0].message}"
            if bad
            else f"{len(found)} comparisons, no drift.",
            metadata=metadata.of_check(found),
        )

    @dg.asset_check(
        asset=REPORT,
        name=SIGNED,
        description="A person has read the newest release's report and approved it with 'parity review'.",
    )
    def signed_off(refreshes: dg.ResourceParam[Refreshes]) -> dg.AssetCheckResult:
        with _in_words():
            release, found = newest_standing(refreshes.settings())
        by = f" by {found.review.reviewer} at {found.review.at}" if found.review else ""
        said = {"none": "is not reviewed yet", "void": f"has an approval that is void: {found.problem}"}
        return dg.AssetCheckResult(
            passed=found.state == "approved",
            severity=dg.AssetCheckSeverity.WARN,
            description=f"Release {release} {said.get(found.state, f'is {found.state}{by}')}.",
            metadata={"release": release, "state": found.state},
        )

    return [drift, signed_off]


def refresh_selection() -> dg.AssetSelection:
    """What a refresh runs: every asset and check but those of this module."""
    return dg.AssetSelection.all() - _selection()


def watch_job() -> "dg.UnresolvedAssetJobDefinition":
    """The job that runs both checks."""
    return dg.define_asset_job(
        JOB,
        selection=_selection(),
        description="Looks whether production has moved on since the refresh, and whether a person signed.",
        executor_def=dg.in_process_executor,
    )


def watch_schedule(job: "dg.UnresolvedAssetJobDefinition", time_zone: str) -> dg.ScheduleDefinition:
    """Runs the job every quarter of an hour, once it is turned on."""
    return dg.ScheduleDefinition(
        name=SCHEDULE,
        job=job,
        cron_schedule=_CRON,
        execution_timezone=time_zone,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="A light look at production between refreshes: schema, migrations, sequences.",
    )


def _selection() -> dg.AssetSelection:
    return dg.AssetSelection.checks(
        dg.AssetCheckKey(asset_key=RELEASE, name=DRIFT), dg.AssetCheckKey(asset_key=REPORT, name=SIGNED)
    )


@contextmanager
def _in_words() -> Iterator[None]:
    """Whatever goes wrong reaches Dagster as a sentence without data."""
    try:
        yield
    except ParityError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    except Exception as error:
        raise dg.Failure(
            f"An unexpected {type(error).__name__} ended the look.", allow_retries=False
        ) from None
