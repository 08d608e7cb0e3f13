"""Run the refresh job in this process, against the instance that the Dagster UI shows."""

from __future__ import annotations

import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from types import FrameType
from typing import Literal

import dagster as dg
from dagster._core.instance.ref import InstanceRef
from sqlalchemy.engine import Engine
from sqlalchemy.event import listens_for

from parity_data.assets.build import JOB, build_definitions
from parity_data.assets.config import REQUESTED_BY_TAG, run_config
from parity_data.assets.history import event_log
from parity_data.assets.lost import end_lost_runs, process_tag
from parity_data.assets.refreshes import Refreshes, Tell, Work
from parity_data.errors import Cancelled, ConfigError, ParityError
from parity_data.refresh import RefreshRequest
from parity_data.report import ReportPaths
from parity_data.settings import Settings
from parity_data.verify.result import CheckResult

Status = Literal["success", "failure", "cancelled"]

_CONFIG = "dagster.yaml"

# The terminal is for the lines of progress. Events are stored all the same; only the capture of standard
# output, which would take the terminal away from the process, and the echo of every event are off.
_QUIET = {
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    },
    "python_logs": {"python_log_level": "CRITICAL"},
}

# By these tags the UI counts a run among those of the job in the code location.
_LOCATION = {".dagster/repository": "__repository__@parity"}


@dataclass(frozen=True)
class RefreshOutcome:
    """How a refresh ended. release: its id; summary: what staging is afterwards, in words.

    error: None exactly when status is 'success'. report: None when it ended before the report was written.
    """

    run_id: str
    release: str
    status: Status
    summary: str
    error: ParityError | None
    report: ReportPaths | None
    checks: tuple[CheckResult, ...]


def run_refresh(
    settings: Settings, request: RefreshRequest, *, home: Path, progress: Tell = lambda line: None
) -> RefreshOutcome:
    """Run the job ``refresh_staging`` to its end; it appears in the UI's history under ``request.run_id``.

    home: Dagster's folder, made and given its configuration if need be. progress: is given lines for
    people. SIGINT and SIGTERM cancel the refresh. Raises ConfigError when the folder cannot be used, and
    passes an exception on that nobody foresaw; every other ending is in the outcome.
    """
    refreshes = Refreshes(lambda: settings, progress)
    job = build_definitions(settings, refreshes).resolve_job_def(JOB)
    with _terminable(), _open_instance(home) as instance, _held_open(instance):
        for lost in end_lost_runs(instance):
            progress(f"An earlier run, {lost}, was lost with its process; it is marked as failed now.")
        result: dg.ExecuteInProcessResult | None = None
        with suppress(KeyboardInterrupt):
            result = job.execute_in_process(
                run_config=run_config(request),
                instance=instance,
                run_id=request.run_id,
                tags={
                    **_LOCATION,
                    **process_tag(),
                    **({REQUESTED_BY_TAG: request.requested_by} if request.requested_by else {}),
                },
                raise_on_error=False,
            )
        refreshes.close(request.run_id)
        if result is None or _interrupted(result):
            _record_cancel(instance, request.run_id)
    return _outcome(request, refreshes.work(request.run_id), result)


def _outcome(request: RefreshRequest, work: Work, result: dg.ExecuteInProcessResult | None) -> RefreshOutcome:
    status: Status = "failure"
    error = work.error
    if result is not None and result.success:
        status, error = "success", None
    elif result is None or _interrupted(result):
        status, error = (
            "cancelled",
            Cancelled("The refresh was cancelled; staging still serves the old release."),
        )
    elif work.bug is not None:
        raise work.bug
    elif error is None:
        error = ParityError(
            f"Dagster ended the refresh ({_kind(result)}); staging still serves the old release.",
            todo=f"Run {request.run_id} in the Dagster UI has the events.",
        )
    return RefreshOutcome(
        run_id=request.run_id,
        release=request.release,
        status=status,
        summary=work.outcome or "staging is unchanged",
        error=error,
        report=work.report,
        checks=tuple(work.checks),
    )


def _interrupted(result: dg.ExecuteInProcessResult) -> bool:
    return not result.success and _kind(result) == dg.DagsterExecutionInterruptedError.__name__


def _kind(result: dg.ExecuteInProcessResult) -> str:
    """The type of the error that ended the run."""
    for event in result.all_events:
        error = event.job_failure_data.error if event.is_job_failure else None
        if error is not None and error.cls_name:
            return error.cls_name
    return "no error was given"


def _record_cancel(instance: dg.DagsterInstance, run_id: str) -> None:
    """Show a run that a signal ended as cancelled; Dagster takes it for failed."""
    run = instance.get_run_by_id(run_id)
    if run is not None and run.status != dg.DagsterRunStatus.CANCELED:
        instance.report_run_canceled(run, "Cancelled by a signal to the process of the command line.")


@contextmanager
def _open_instance(home: Path) -> Iterator[dg.DagsterInstance]:
    try:
        home.mkdir(parents=True, exist_ok=True)
        if not (home / _CONFIG).exists():
            (home / _CONFIG).write_bytes(files("parity_data.assets").joinpath(_CONFIG).read_bytes())
        overrides = {**_QUIET, **event_log(home.resolve())}
        instance = dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home), overrides=overrides))
        instance.get_runs_count()
    except Exception as error:
        raise ConfigError(
            f"Dagster's folder cannot be used ({type(error).__name__}).",
            where=str(home),
            todo="Set DAGSTER_HOME to a folder that you may write, with a dagster.yaml that is whole.",
        ) from None
    with instance:
        yield instance


@contextmanager
def _held_open(instance: dg.DagsterInstance) -> Iterator[None]:
    """Keep the list of runs open while the run adds to it, each time over a connection of its own.

    Whoever is the last to close such a file writes its log back and waits for the disk.
    https://www.sqlite.org/wal.html
    """
    with ExitStack() as stack:
        runs = Path(instance.root_directory) / "history" / "runs.db"
        if runs.exists():  # not where dagster.yaml keeps the history elsewhere
            connection = stack.enter_context(closing(sqlite3.connect(runs)))
            connection.execute("PRAGMA schema_version")  # a file counts as open once it was read
        yield


@listens_for(Engine, "connect")
def _synchronous(connection: object, record: object) -> None:
    """Wait for the disk at checkpoints only: a crash may lose the last events of the history, no more."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = NORMAL")


@contextmanager
def _terminable() -> Iterator[None]:
    """Treat SIGTERM as SIGINT. Dagster does while a run is at work; this covers what is around it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
