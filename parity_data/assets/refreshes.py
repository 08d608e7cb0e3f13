"""The refreshes at work in this process: a Dagster resource that holds them, words errors and ends them."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import dagster as dg

import parity_data
from parity_data.assets.lost import PROCESS_TAG, process_tag
from parity_data.assets.metadata import Metadata, of_report
from parity_data.errors import ConfigError, ParityError
from parity_data.refresh import Refresh, RefreshRequest
from parity_data.report import ReportPaths
from parity_data.settings import Settings
from parity_data.verify.result import CheckResult

Tell = Callable[[str], None]

_PACKAGE = Path(parity_data.__file__).parent


@dataclass
class Work:
    """One run. refresh: None before it starts and after it ended; the rest stays.

    error: what ended it early. bug: the same, when nobody foresaw it. outcome: what staging is afterwards,
    in words. report: None until it was written.
    """

    refresh: Refresh | None = None
    error: ParityError | None = None
    bug: Exception | None = None
    outcome: str | None = None
    report: ReportPaths | None = None
    checks: list[CheckResult] = field(default_factory=list)


class Refreshes:
    """Refreshes by the id of their run.

    A refresh is a held snapshot, a lock and open sessions, so it lives in one process and ends with its run.
    load: gives the settings when a run starts; raises ConfigError. tell: is given every line of progress.
    """

    def __init__(self, load: Callable[[], Settings], tell: Tell | None = None) -> None:
        self._load = load
        self._tell = tell
        self._works: dict[str, Work] = {}

    def settings(self) -> Settings:
        """The settings as they are now. Raises ConfigError."""
        return self._load()

    def work(self, run_id: str) -> Work:
        """What is known of a run, for as long as this process lives."""
        return self._works.setdefault(run_id, Work())

    def start(self, context: dg.AssetExecutionContext, request: RefreshRequest) -> Refresh:
        """The refresh of this run, not opened yet. Raises ConfigError when the settings are wrong."""
        if PROCESS_TAG not in context.run.tags:
            context.instance.add_run_tags(context.run.run_id, process_tag())
        refresh = Refresh(self._load(), request, log=self._log(context))
        self.work(context.run.run_id).refresh = refresh
        return refresh

    @contextmanager
    def stage(self, context: dg.AssetExecutionContext) -> Iterator[Work]:
        """Surround an asset's body: whatever is raised in it reaches Dagster as a sentence without data.

        A ParityError keeps its words. Any other exception is named by its type and place only, since the
        text of a driver's exception may quote rows or addresses. Cancelling passes through.
        """
        work = self.work(context.run.run_id)
        if work.refresh is not None:
            work.refresh.log = self._log(context)
        try:
            yield work
        except ParityError as error:
            work.error = work.error or error
            raise failure(error, of_report(work.report) if work.report else {}) from None
        except Exception as error:
            work.bug = error
            place = _place(error.__traceback__)
            raise dg.Failure(
                f"An unexpected {type(error).__name__} ended the refresh; its text is left out, since it may "
                "quote data. Staging still serves the old release unless staging_release says otherwise.",
                metadata={"where": place},
                allow_retries=False,
            ) from None

    def refresh(self, context: dg.AssetExecutionContext) -> Refresh:
        """The refresh that the run's first asset opened. Raises ConfigError when there is none."""
        refresh = self.work(context.run.run_id).refresh
        if refresh is None:
            again = context.run.parent_run_id is not None
            raise ConfigError(
                "The earlier run's snapshot of production is gone, and a release comes from one snapshot."
                if again
                else "This run did not take a snapshot of production: production_catalog is not part of it.",
                where=context.op_execution_context.op.name,
                todo="Start over: launch the job refresh_staging.",
            )
        return refresh

    def close(self, run_id: str) -> None:
        """End the run's refresh, whatever state it is in: sessions, snapshot, lock, unreleased database."""
        work = self.work(run_id)
        if work.refresh is not None:
            refresh, work.refresh = work.refresh, None
            refresh.close()

    def _log(self, context: dg.AssetExecutionContext) -> logging.Logger:
        log = logging.Logger("parity_data.run")
        log.addHandler(_Forward(context, self._tell))
        return log


class _Forward(logging.Handler):
    """Passes lines on to Dagster's event log, and to whoever watches this process."""

    def __init__(self, context: dg.AssetExecutionContext, tell: Tell | None) -> None:
        super().__init__(logging.INFO)
        self._context = context
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        line = record.getMessage()
        self._context.log.log(record.levelno, line)
        if self._tell is not None:
            self._tell(line)


def failure(error: ParityError, metadata: Metadata) -> dg.Failure:
    """The error as Dagster shows it: the sentence, and its parts beside it."""
    parts = {"where": error.where, "todo": error.todo}
    said = {name: dg.MetadataValue.text(text) for name, text in parts.items() if text}
    return dg.Failure(str(error), metadata={**said, **metadata}, allow_retries=False)


def resource(refreshes: Refreshes) -> dg.ResourceDefinition:
    """The resource that gives assets the refreshes and, when the run ends in any way, ends its refresh."""

    @dg.resource(description="The refresh at work in this run: snapshot, lock, sessions. Needs no config.")
    def held(context: dg.InitResourceContext) -> Iterator[Refreshes]:
        try:
            yield refreshes
        finally:
            if context.run is not None:
                refreshes.close(context.run.run_id)

    return held


def _place(trace: TracebackType | None) -> str:
    """The innermost line of this package, ``transfer/run.py:42``."""
    frames = traceback.extract_tb(trace)
    for frame in reversed(frames):
        path = Path(frame.filename)
        if path.is_relative_to(_PACKAGE):
            return f"{path.relative_to(_PACKAGE)}:{frame.lineno}"
    return "unknown"
