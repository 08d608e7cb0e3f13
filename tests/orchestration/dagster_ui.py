"""A real web server and daemon of Dagster as children, driven as the browser drives them: by GraphQL."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

SELECTOR = {"repositoryLocationName": "parity", "repositoryName": "__repository__"}
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}

_LOADED = """{workspaceOrError{... on Workspace{locationEntries{name loadStatus
  locationOrLoadError{__typename ... on PythonError{message}}}}}}"""
_LAUNCH = """mutation($p: ExecutionParams!){launchRun(executionParams:$p){__typename
  ... on LaunchRunSuccess{run{runId}} ... on RunConfigValidationInvalid{errors{message}}
  ... on InvalidSubsetError{message} ... on PythonError{message}}}"""
_RERUN = """mutation($p: ReexecutionParams!){launchRunReexecution(reexecutionParams:$p){__typename
  ... on LaunchRunSuccess{run{runId}} ... on PythonError{message}}}"""
_TERMINATE = """mutation($i: String!){terminateRun(runId:$i, terminatePolicy: SAFE_TERMINATE){__typename}}"""
_RUN = """query($i: ID!){runOrError(runId:$i){... on Run{runId status startTime endTime jobName
  tags{key value} runConfigYaml repositoryOrigin{repositoryLocationName}
  assetMaterializations{assetKey{path} metadataEntries{label __typename
    ... on IntMetadataEntry{intValue} ... on TextMetadataEntry{text} ... on PathMetadataEntry{path}}}
  eventConnection(limit: 5000){events{__typename ... on MessageEvent{message stepKey}
    ... on ExecutionStepFailureEvent{error{message} failureMetadata{description}}
    ... on AssetCheckEvaluationEvent{evaluation{checkName success severity assetKey{path}}}}}}}}"""
_RUNS = """{runsOrError(limit: 100){... on Runs{results{runId status jobName startTime endTime
  tags{key value}}}}}"""
_SCHEDULE_ON = """mutation($s: ScheduleSelector!){startSchedule(scheduleSelector:$s){__typename
  ... on PythonError{message}}}"""
_SCHEDULE_OFF = """mutation($i: String!){stopRunningSchedule(id:$i){__typename}}"""
_SCHEDULE = """query($s: ScheduleSelector!){scheduleOrError(scheduleSelector:$s){... on Schedule{id name
  cronSchedule executionTimezone scheduleState{id status ticks(limit:20){status runIds error{message}}}}}}"""


class DagsterUi:
    """Both processes on one home. Use as a context manager; leaving it ends them."""

    def __init__(self, home: Path, environment: Mapping[str, str], folder: Path) -> None:
        self.home = home
        self._folder = folder
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PARITY_", "DAGSTER_"))}
        self._environment = {**inherited, **environment, "DAGSTER_HOME": str(home)}
        self._children: list[subprocess.Popen[bytes]] = []
        self.port = _free_port()

    def __enter__(self) -> DagsterUi:
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "dagster.yaml").write_bytes((ROOT / "dagster.yaml").read_bytes())
        # Whoever opens an empty home first makes its tables; two at once would be in each other's way.
        subprocess.run(
            [BIN / "dagster", "run", "list"], env=self._environment, cwd=self._folder, check=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        workspace = ["-w", str(ROOT / "workspace.yaml")]
        self._start("webserver", [str(BIN / "dagster-webserver"), *workspace, "-p", str(self.port)])
        self._start("daemon", [str(BIN / "dagster-daemon"), "run", *workspace])
        until(self._loaded, "the code location to load", 90)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in self._children:
            child.send_signal(signal.SIGTERM)
        for child in self._children:
            try:
                child.wait(30)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def _start(self, name: str, command: list[str]) -> None:
        with (self._folder / f"{name}.log").open("wb") as log:
            self._children.append(
                subprocess.Popen(
                    command, env=self._environment, cwd=self._folder, stdout=log, stderr=subprocess.STDOUT
                )
            )

    def _loaded(self) -> bool:
        for child in self._children:
            assert child.poll() is None, f"{child.args!r} ended with {child.returncode}"
        try:
            found = self.query(_LOADED)
        except OSError:
            return False
        entries = found["workspaceOrError"]["locationEntries"]
        loaded = bool(entries) and all(entry["loadStatus"] == "LOADED" for entry in entries)
        for entry in entries if loaded else ():
            error = entry["locationOrLoadError"]
            assert error["__typename"] == "RepositoryLocation", error
        return loaded

    def query(self, text: str, **variables: Any) -> dict[str, Any]:
        """The data of an answer."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql",
            json.dumps({"query": text, "variables": variables}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            document = json.load(answer)
        assert "errors" not in document, document["errors"]
        data: dict[str, Any] = document["data"]
        return data

    def launch(
        self,
        job: str = "refresh_staging",
        *,
        assets: list[list[str]] | None = None,
        **config: Any,
    ) -> str:
        """Launch a run as the launchpad does, and return its id."""
        selector: dict[str, Any] = {**SELECTOR, "jobName": job}
        if assets is not None:
            selector["assetSelection"] = [{"path": path} for path in assets]
        parameters = {
            "selector": selector,
            "mode": "default",
            "runConfigData": {"ops": {"production_catalog": {"config": config}}} if config else {},
            "executionMetadata": {"tags": []},
        }
        answer = self.query(_LAUNCH, p=parameters)["launchRun"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return str(answer["run"]["runId"])

    def refused(self, **config: Any) -> str:
        """Why the launchpad does not launch this, as the name of the answer's type."""
        parameters = {
            "selector": {**SELECTOR, "jobName": "refresh_staging"},
            "mode": "default",
            "runConfigData": {"ops": {"production_catalog": {"config": config}}},
            "executionMetadata": {"tags": []},
        }
        return str(self.query(_LAUNCH, p=parameters)["launchRun"]["__typename"])

    def rerun_from_failure(self, run_id: str) -> str:
        """Press "Re-execute from failure", and return the new run's id."""
        answer = self.query(_RERUN, p={"parentRunId": run_id, "strategy": "FROM_FAILURE"})
        answer = answer["launchRunReexecution"]
        assert answer["__typename"] == "LaunchRunSuccess", answer
        return str(answer["run"]["runId"])

    def cancel(self, run_id: str) -> None:
        answer = self.query(_TERMINATE, i=run_id)["terminateRun"]
        assert answer["__typename"] == "TerminateRunSuccess", answer

    def run(self, run_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.query(_RUN, i=run_id)["runOrError"]
        return found

    def runs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.query(_RUNS)["runsOrError"]["results"]
        return found

    def ended(self, run_id: str, seconds: float = 120) -> dict[str, Any]:
        """The run when it has ended."""
        return until(lambda: _if(self.run(run_id), ENDED), f"run {run_id} to end", seconds)

    def schedule(self, name: str) -> dict[str, Any]:
        selector = {**SELECTOR, "scheduleName": name}
        found: dict[str, Any] = self.query(_SCHEDULE, s=selector)["scheduleOrError"]
        return found

    def turn_on(self, name: str) -> None:
        self.query(_SCHEDULE_ON, s={**SELECTOR, "scheduleName": name})

    def turn_off(self, name: str) -> None:
        self.query(_SCHEDULE_OFF, i=self.schedule(name)["scheduleState"]["id"])


def failures(run: dict[str, Any]) -> list[str]:
    """What the steps that failed say."""
    events = run["eventConnection"]["events"]
    return [
        e["failureMetadata"]["description"] if e["failureMetadata"] else e["error"]["message"]
        for e in events
        if e["__typename"] == "ExecutionStepFailureEvent"
    ]


def checks(run: dict[str, Any]) -> dict[str, bool]:
    """Asset checks of a run, ``key/check`` -> passed."""
    events = run["eventConnection"]["events"]
    found = [e["evaluation"] for e in events if e["__typename"] == "AssetCheckEvaluationEvent"]
    return {"/".join([*e["assetKey"]["path"], e["checkName"]]): e["success"] for e in found}


def assets(run: dict[str, Any]) -> set[str]:
    """Keys of the assets that a run made."""
    return {"/".join(m["assetKey"]["path"]) for m in run["assetMaterializations"]}


def until(look: Callable[[], T | None], what: str, seconds: float = 60) -> T:
    """Look until there is something to see."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"waited {seconds:g} s for {what}")


def _if(run: dict[str, Any], statuses: set[str]) -> dict[str, Any] | None:
    return run if run["status"] in statuses else None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
