"""The refresh as people run it from the Dagster UI: a real web server, a real daemon, real servers.

The tests share both processes and one staging database, and run in the order in which they stand here.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from dagster_ui import DagsterUi, assets, checks, failures, until
from fix_servers import drop_databases, fresh_database  # type: ignore[import-not-found]
from psycopg import sql

from parity_data.assets.launch import run_refresh
from parity_data.assets.lost import PROCESS_TAG
from parity_data.assets.release import CHECKS
from parity_data.database import Database
from parity_data.demo.server import Server
from parity_data.refresh import RefreshRequest
from parity_data.refresh.scan import scan_source
from parity_data.release import Ledger, ReleaseRecord
from parity_data.secret import Secret
from parity_data.settings import Settings

# Two processes start, runs queue, a schedule ticks: test_launch covers the same job within one process.
pytestmark = pytest.mark.slow

PASSWORD = "hunter2-hunter2"
KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"

# A table whose rows can make loading slow, or fail, on the way into a next database, and nowhere else.
_BRAKE = """
create schema brake;
create function brake.check_pedal(pedal text) returns boolean language plpgsql as $$ begin
    if current_database() like '%\\_\\_next\\_%' then
        if pedal = 'slow' then perform pg_sleep(0.05); end if;
        return pedal <> 'refused';
    end if;
    return true;
end $$;
create table brake.pedals (pedal text check (brake.check_pedal(pedal)));
insert into brake.pedals values ('quick');
"""
_PRESS = "insert into brake.pedals select %s from generate_series(1, 2000)"
_RELEASE = "delete from brake.pedals where pedal <> 'quick'"

_COPYING = "select count(*) from pg_stat_activity where query like 'COPY %pedals%' and state = 'active'"
_OURS = "select count(*) from pg_stat_activity where application_name like 'parity-data%'"
_LOCKS = "select count(*) from pg_locks where locktype = 'advisory'"
_NEXT = "select count(*) from pg_database where datname like '%\\_\\_next\\_%'"


@dataclass(frozen=True)
class Place:
    """The servers, the settings, and the UI on them."""

    source_server: Server
    target_server: Server
    settings: Settings
    ui: DagsterUi
    environment: dict[str, str]

    def count(self, server: Server, query: str) -> int:
        with server.url("postgres").connect(autocommit=True) as connection:
            row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return int(row[0])

    def press(self, pedal: str) -> None:
        with self.settings.need_source().connect() as connection:
            connection.execute(_PRESS, [pedal])

    def let_go(self) -> None:
        with self.settings.need_source().connect() as connection:
            connection.execute(_RELEASE)

    def releases(self) -> list[ReleaseRecord]:
        with Ledger(self.settings.need_target(), maintenance="postgres", create=False) as ledger:
            return ledger.releases()

    def current(self) -> str:
        return next(r.id for r in self.releases() if r.state == "current")

    def until_copying(self) -> str:
        """Wait until a run has nothing to do but the slow COPY, and return the run's id."""

        def alone() -> str | None:
            run_id = next((r["runId"] for r in self.ui.runs() if r["status"] == "STARTED"), None)
            if run_id is None or not self.count(self.target_server, _COPYING):
                return None
            waits_for = {
                "staging_release",
                "fidelity_report",
                "scrubbed/brake/pedals",
                "staging/brake/pedals",
            }
            left = self.assets - assets(self.ui.run(run_id))
            return run_id if left == waits_for else None

        return until(alone, "only the slow COPY to be at work", 60)

    @property
    def assets(self) -> set[str]:
        """Keys of all assets, as far as a run has made them."""
        done = [run["runId"] for run in self.ui.runs() if run["status"] == "SUCCESS"]
        return assets(self.ui.run(done[-1]))

    def staged_orders(self) -> int:
        with self.settings.need_target().connect() as connection:
            row = connection.execute("select count(*) from shop.orders").fetchone()
        assert row is not None
        return int(row[0])


@pytest.fixture(scope="module")
def place(
    source_server: Server,
    target_server: Server,
    small_shop: Database,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Place]:
    from parity_data.demo import shop

    folder = tmp_path_factory.mktemp("orchestration")
    for source in fresh_database(source_server, "ui_shop", template=small_shop.name):
        shop.configure_database(source)
        with source.connect() as connection:
            connection.execute(_BRAKE)
        role = f"reader_{source.name}"
        with source.connect(autocommit=True) as connection:
            connection.execute(
                sql.SQL("create role {} superuser login password {}").format(
                    sql.Identifier(role), sql.Literal(PASSWORD)
                )
            )
        named = Database({**source._parameters, "user": role, "password": PASSWORD})
        target = target_server.url("ui_staging")
        settings = Settings(
            source=named,
            target=target,
            masking_key=Secret(KEY),
            rules=folder / "rules",
            work=folder / "work",
            dagster_home=folder / "home",
        )
        scan_source(settings, write=settings.rules, decide="keep")
        policy = settings.rules / "policy.yaml"
        policy.write_text(policy.read_text().replace("grace_seconds: 5", "grace_seconds: 0"))
        environment = {
            "PARITY_SOURCE_URL": url(named),
            "PARITY_TARGET_URL": url(target),
            "PARITY_MASKING_KEY": KEY,
            "PARITY_RULES": str(settings.rules),
            "PARITY_WORK": str(settings.work),
            "PARITY_SCHEDULE": "* * * * *",
            "PARITY_TIME_ZONE": "Europe/Berlin",
        }
        with DagsterUi(folder / "home", environment, folder) as ui:
            yield Place(source_server, target_server, settings, ui, environment)
        drop_databases(target_server, "ui_staging")
        with source.connect(autocommit=True) as connection:
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))


def url(database: Database) -> str:
    """A URL with the password in it, as people write it."""
    password = f":{database.password}@" if database.password else "@"
    return database.display.replace("@", password, 1)


def test_a_run_with_a_fraction_makes_every_asset_and_passes_every_check(place: Place) -> None:
    run_id = place.ui.launch(fraction=0.5, note="from the launchpad")
    run = place.ui.ended(run_id)
    assert (run["status"], failures(run)) == ("SUCCESS", [])

    tables = {tuple(a.split("/")[1:]) for a in assets(run) if a.startswith("staging/")}
    assert {("shop", "orders"), ("brake", "pedals")} <= tables
    stages = {"production_catalog", "pii_map", "subset_keys", "staging_release", "fidelity_report"}
    per_table = {f"{stage}/{'/'.join(t)}" for t in tables for stage in ("scrubbed", "staging")}
    assert assets(run) == stages | per_table
    found = checks(run)
    assert set(found) == {f"staging/{'/'.join(t)}/row_count" for t in tables} | {
        "pii_map/rules_cover_catalog",
        *(f"staging_release/{name}" for name in CHECKS),
    }
    assert all(found.values())

    assert place.current() == run_id.replace("-", "")[:8]
    [released] = [r for r in place.releases() if r.state == "current"]
    assert (released.fraction, released.note, released.requested_by) == (
        0.5,
        "from the launchpad",
        "Dagster",
    )
    assert place.staged_orders() > 0


def test_a_form_filled_in_wrongly_is_refused(place: Place) -> None:
    assert place.ui.refused(mode="sideways") == "RunConfigValidationInvalid"
    assert place.ui.refused(fractoin=0.1) == "RunConfigValidationInvalid"
    before = place.releases()
    run = place.ui.ended(place.ui.launch(fraction=7))
    assert run["status"] == "FAILURE"
    assert "The fraction 7 is outside (0, 1]." in failures(run)[0]
    assert place.releases() == before


def test_refreshes_of_one_staging_never_overlap(place: Place) -> None:
    every = [key.split("/") for key in place.assets]
    ids = [
        place.ui.launch(fraction=0.1),
        place.ui.launch(fraction=0.2),
        place.ui.launch("__ASSET_JOB", assets=every),
    ]
    runs = sorted((place.ui.ended(run_id) for run_id in ids), key=lambda run: run["startTime"])
    assert [run["status"] for run in runs] == ["SUCCESS"] * 3
    for earlier, later in itertools.pairwise(runs):
        assert earlier["endTime"] <= later["startTime"]
    # The ledger says the same from inside: each was done before the next one began to build.
    own = {run_id.replace("-", "")[:8] for run_id in ids}
    states = [r.state for r in sorted(place.releases(), key=lambda r: str(r.started_at)) if r.id in own]
    assert states == ["retired", "previous", "current"]


def test_a_run_of_the_command_line_is_in_the_history(place: Place) -> None:
    request = RefreshRequest(fraction=0.1, requested_by="a person")
    outcome = run_refresh(place.settings, request, home=place.ui.home)
    assert outcome.error is None
    run = place.ui.run(request.run_id)
    assert (run["status"], run["jobName"]) == ("SUCCESS", "refresh_staging")
    assert {"staging/shop/orders", "fidelity_report"} <= assets(run)
    assert all(checks(run).values())
    assert "staging_release/row_count" in checks(run)


def test_a_selection_of_tables_says_why_it_makes_no_release(place: Place) -> None:
    before = place.current()
    some = [["production_catalog"], ["pii_map"], ["subset_keys"], ["staging", "shop", "orders"]]
    run = place.ui.ended(place.ui.launch("__ASSET_JOB", assets=[*some, ["staging_release"]]))
    assert run["status"] == "FAILURE"
    assert "a release is one consistent whole" in failures(run)[0]
    assert place.current() == before


def test_running_on_after_a_failure_says_why_it_makes_no_release(place: Place) -> None:
    before = place.current()
    place.press("refused")
    try:
        failed = place.ui.ended(place.ui.launch())
    finally:
        place.let_go()
    assert failed["status"] == "FAILURE"
    assert any("brake.pedals" in said for said in failures(failed))
    again = place.ui.ended(place.ui.rerun_from_failure(failed["runId"]))
    assert again["status"] == "FAILURE"
    assert "snapshot of production is gone" in failures(again)[0]
    assert "Start over: launch the job refresh_staging." in failures(again)[0]
    assert place.current() == before


def nothing_left(place: Place) -> bool:
    servers = (place.source_server, place.target_server)
    left = [place.count(server, query) for server in servers for query in (_OURS, _LOCKS)]
    return not any(left) and not place.count(place.target_server, _NEXT)


def test_cancelling_in_the_middle_of_a_copy_leaves_nothing(place: Place) -> None:
    before, orders = place.current(), place.staged_orders()
    place.press("slow")
    try:
        run_id = place.ui.launch()
        assert place.until_copying() == run_id
        tags = {t["key"]: t["value"] for t in place.ui.run(run_id)["tags"]}
        worker = psutil.Process(int(tags[PROCESS_TAG].split()[1]))
        place.ui.cancel(run_id)
        # Seconds on an idle machine; how many says the load, so the limit is far beyond.
        until(lambda: nothing_left(place), "sessions, locks and databases to go", 60)
        assert worker.wait(60) is None or not worker.is_running()
        assert place.ui.ended(run_id, 10)["status"] == "CANCELED"
    finally:
        place.let_go()
    assert (place.current(), place.staged_orders()) == (before, orders)
    failed = next(r for r in place.releases() if r.id == run_id.replace("-", "")[:8])
    assert failed.state == "failed"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_cancels_the_command_line_and_leaves_nothing(place: Place, number: int) -> None:
    before = place.current()
    place.press("slow")
    try:
        child = command_line(place)
        run_id = place.until_copying()
        child.send_signal(number)
        until(lambda: nothing_left(place), "sessions, locks and databases to go", 5)
        assert child.wait(10) == 1
    finally:
        place.let_go()
    assert place.current() == before
    assert "The refresh was cancelled" in child.communicate()[1].decode()
    assert place.ui.run(run_id)["status"] == "CANCELED"


def test_a_killed_command_line_holds_nobody_back(place: Place) -> None:
    before = place.current()
    place.press("slow")
    try:
        child = command_line(place)
        lost = place.until_copying()
        child.kill()
        child.communicate()
    finally:
        place.let_go()
    assert place.ui.run(lost)["status"] == "STARTED"
    assert place.current() == before
    # Queued behind the lost one until somebody notices, then clean.
    run = place.ui.ended(place.ui.launch(fraction=0.1))
    assert run["status"] == "SUCCESS"
    assert place.ui.run(lost)["status"] == "FAILURE"
    assert nothing_left(place)


def command_line(place: Place) -> subprocess.Popen[bytes]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PARITY_", "DAGSTER_"))}
    return subprocess.Popen(
        [sys.executable, "-m", "parity_data.cli", "refresh", "--fraction", "1"],
        env={**inherited, **place.environment, "DAGSTER_HOME": str(place.ui.home)},
        cwd=place.settings.work.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def test_the_schedule_turned_on_runs_a_refresh(place: Place) -> None:
    schedule = place.ui.schedule("nightly_refresh")
    assert schedule["scheduleState"]["status"] == "STOPPED"
    assert (schedule["cronSchedule"], schedule["executionTimezone"]) == ("* * * * *", "Europe/Berlin")
    place.ui.turn_on("nightly_refresh")
    try:

        def ticked() -> str | None:
            ticks = place.ui.schedule("nightly_refresh")["scheduleState"]["ticks"]
            return next((t["runIds"][0] for t in ticks if t["status"] == "SUCCESS"), None)

        run_id = until(ticked, "a tick", 90)
    finally:
        place.ui.turn_off("nightly_refresh")
    run = place.ui.ended(run_id)
    assert run["status"] == "SUCCESS"
    released = next(r for r in place.releases() if r.id == run_id.replace("-", "")[:8])
    assert (released.state, released.requested_by) == ("current", "schedule nightly_refresh")


def test_no_secret_is_anywhere_in_the_instance(place: Place) -> None:
    found = []
    for path in place.ui.home.rglob("*"):
        # Journals come and go while the daemon is at work.
        with contextlib.suppress(FileNotFoundError, IsADirectoryError):
            found.append(path.read_bytes())
    text = b"".join(found)
    assert place.settings.need_source().display.encode() in text
    assert PASSWORD.encode() not in text
    assert KEY.encode() not in text
    logs = b"".join(path.read_bytes() for path in place.ui.home.parent.glob("*.log"))
    assert PASSWORD.encode() not in logs


def test_without_any_database_everything_loads_and_a_run_says_what_is_missing(
    place: Place, tmp_path: Path
) -> None:
    environment = {"PARITY_RULES": str(place.settings.rules), "PARITY_WORK": str(tmp_path / "work")}
    with DagsterUi(tmp_path / "home", environment, tmp_path) as ui:
        run = ui.ended(ui.launch(fraction=0.1))
    assert run["status"] == "FAILURE"
    assert "No source database is set." in failures(run)[0]
