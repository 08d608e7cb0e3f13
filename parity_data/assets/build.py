"""Put together what Dagster loads."""

from __future__ import annotations

import logging
from pathlib import Path

import dagster as dg

from parity_data import settings as configuration
from parity_data.assets.decisions import decision_assets
from parity_data.assets.load import load_assets
from parity_data.assets.lost import lost_runs_sensor
from parity_data.assets.refreshes import Refreshes, resource
from parity_data.assets.release import release_assets
from parity_data.assets.tables import Known
from parity_data.assets.watch import refresh_selection, watch_checks, watch_job, watch_schedule
from parity_data.errors import ParityError
from parity_data.rules import Policy, load_policy
from parity_data.settings import Settings

JOB = "refresh_staging"
SCHEDULE = "nightly_refresh"

#: Run tag by which the instance keeps two queued refreshes of one target apart.
TARGET_TAG = "parity/target"

#: The form as the launchpad opens it, with everything that can be asked for.
_FORM = {"ops": {"production_catalog": {"config": {"fraction": None, "mode": "release", "note": None}}}}

log = logging.getLogger(__name__)


def build_definitions(settings: Settings, refreshes: Refreshes | None = None) -> dg.Definitions:
    """Assets, checks, job, schedule and resource for these settings.

    No database is asked. Rules or a schedule that cannot be read are named in descriptions, and a run fails
    with the reason. refreshes: None for one that reads the settings anew when a run starts.
    """
    policy, problem = _rules(settings)
    known = Known.of(policy)
    no_schedule = _schedule_problem(settings)
    job = dg.define_asset_job(
        JOB,
        selection=refresh_selection(),
        description="\n\n".join(
            filter(
                None,
                [
                    "Copy production into staging: masked, verified, swapped in when every check passes.",
                    problem,
                    no_schedule,
                ],
            )
        ),
        tags={TARGET_TAG: settings.target.display if settings.target else "not set"},
        executor_def=dg.in_process_executor,
        config=_FORM,
    )
    watch = watch_job()
    return dg.Definitions(
        asset_checks=watch_checks(),
        assets=[*decision_assets(known, problem), *load_assets(known), *release_assets(known)],
        jobs=[job, watch],
        schedules=[
            *([] if no_schedule else [_schedule(settings, job)]),
            watch_schedule(watch, settings.time_zone),
        ],
        sensors=[lost_runs_sensor()],
        resources={"refreshes": resource(refreshes or Refreshes(configuration.load))},
        # The runs that "Materialize" starts are not the job's and take this one. A refresh holds a snapshot
        # and a lock, so it stays in one process.
        executor=dg.in_process_executor,
    )


def lenient_settings() -> Settings:
    """The settings as far as they can be read: what is wrong with them is said when a run starts."""
    try:
        return configuration.load()
    except ParityError as error:
        log.warning("Settings: %s", error)
    try:
        return configuration.load(environ={})
    except ParityError:
        return Settings(None, None, None, rules=Path("scrub_rules").resolve(), work=Path(".parity").resolve())


def _rules(settings: Settings) -> tuple[Policy | None, str | None]:
    try:
        return load_policy(settings.rules), None
    except ParityError as error:
        return None, f"The rules could not be loaded, so the tables are not shown. {error}"


def _schedule_problem(settings: Settings) -> str | None:
    try:
        dg.ScheduleDefinition(job_name=JOB, cron_schedule=settings.schedule)
    except dg.DagsterInvalidDefinitionError:
        return "PARITY_SCHEDULE is not a cron expression, so there is no schedule."
    return None


def _schedule(settings: Settings, job: dg.UnresolvedAssetJobDefinition) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=SCHEDULE,
        job=job,
        cron_schedule=settings.schedule,
        execution_timezone=settings.time_zone,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="A refresh with the rules' fraction, every night. Set PARITY_SCHEDULE (cron) and "
        "PARITY_TIME_ZONE, and turn it on here.",
    )
