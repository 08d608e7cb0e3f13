"""Runs whose process is gone: found and ended, so that they hold back nobody.

Dagster keeps a queued run waiting while another one that takes the same pool has started. It notices by
itself when a run that its own server launched dies, but not when the machine went down with both, nor when
the process of the command line was killed. So every run carries the name of its process.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

import dagster as dg
import psutil

#: Run tag with host, process id and the second in which the process started.
PROCESS_TAG = "parity/process"

# Seconds by which a process seems to start earlier or later when the clock is set.
_CLOCK = 60


def process_tag() -> dict[str, str]:
    """The tag that names this process."""
    process = psutil.Process()
    return {PROCESS_TAG: f"{socket.gethostname()} {process.pid} {process.create_time():.0f}"}


def end_lost_runs(instance: dg.DagsterInstance) -> Iterator[str]:
    """Mark runs of this host as failed whose process is gone, and yield their ids."""
    begun = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
    for run in instance.get_runs(filters=dg.RunsFilter(statuses=begun)):
        if PROCESS_TAG in run.tags and _gone(run.tags[PROCESS_TAG]):
            instance.report_run_failed(
                run, "The process of this run is gone. 'parity releases' tells what staging serves."
            )
            yield run.run_id


def lost_runs_sensor() -> dg.SensorDefinition:
    """The sensor that looks for lost runs."""

    @dg.sensor(
        name="lost_runs",
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Marks runs as failed whose process is gone, so that they do not hold back the next one.",
    )
    def lost_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        ended = list(end_lost_runs(context.instance))
        return dg.SkipReason(f"ended: {', '.join(ended)}" if ended else "every run has its process")

    return lost_runs


def _gone(tag: str) -> bool:
    host, pid, started = tag.rsplit(" ", 2)
    if host != socket.gethostname():
        return False
    try:
        return abs(psutil.Process(int(pid)).create_time() - float(started)) > _CLOCK
    except psutil.NoSuchProcess:
        return True
    except psutil.AccessDenied:
        return False
