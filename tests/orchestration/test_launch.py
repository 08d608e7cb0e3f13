"""The job in the process of whoever starts it, as the command line does."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from parity_data.assets.build import JOB, build_definitions, lenient_settings
from parity_data.assets.decisions import COVERED
from parity_data.assets.launch import RefreshOutcome, run_refresh
from parity_data.assets.refreshes import Refreshes
from parity_data.assets.release import CHECKS
from parity_data.assets.watch import SCHEDULE as WATCH
from parity_data.database import Database
from parity_data.errors import CheckFailed, ConfigError, LockedError, RulesError, SourceError
from parity_data.refresh import RefreshRequest
from parity_data.release import Ledger
from parity_data.settings import Settings


def refresh(settings: Settings, **asked: object) -> RefreshOutcome:
    request = RefreshRequest(**asked)  # type: ignore[arg-type]
    return run_refresh(settings, request, home=settings.dagster_home)


def instance(settings: Settings) -> dg.DagsterInstance:
    return dg.DagsterInstance.from_config(str(settings.dagster_home))


def tables(database: Database) -> int:
    with database.connect() as connection:
        row = connection.execute(
            "select count(*) from pg_class where relkind in ('r', 'p') and oid >= 16384 "
            "and relnamespace <> 'information_schema'::regnamespace"
        ).fetchone()
    assert row is not None
    return int(row[0])


def next_databases(settings: Settings) -> list[str]:
    target = settings.need_target()
    with target.with_name("postgres").connect() as connection:
        found = connection.execute(
            "select datname from pg_database where starts_with(datname, %s)", [f"{target.name}__next_"]
        )
        return [name for (name,) in found]


def number(value: dg.MetadataValue[Any]) -> int:
    assert isinstance(value, dg.IntMetadataValue)
    assert value.value is not None
    return value.value


def events_text(settings: Settings) -> str:
    """Everything that Dagster stored, as one text."""
    return "\n".join(
        "\n".join(connection.iterdump())
        for path in settings.dagster_home.rglob("*.db")
        for connection in [sqlite3.connect(path)]
    )


def test_a_refresh_replaces_staging_and_is_in_the_history(
    shop_settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    lines: list[str] = []
    request = RefreshRequest(fraction=0.5, note="by hand", requested_by="tester")
    assert tables(shop_settings.need_target()) == 0

    outcome = run_refresh(shop_settings, request, home=shop_settings.dagster_home, progress=lines.append)

    assert outcome.error is None
    assert (outcome.status, outcome.release) == ("success", request.run_id.replace("-", "")[:8])
    assert tables(shop_settings.need_target()) == tables(shop_settings.need_source())
    assert outcome.report is not None
    assert outcome.report.html.is_file()
    assert any(line.startswith("shop.orders: ") for line in lines)
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")
    with Ledger(shop_settings.need_target(), maintenance="postgres") as ledger:
        current = next(r for r in ledger.releases() if r.state == "current")
    assert (current.id, current.note, current.requested_by) == (outcome.release, "by hand", "tester")

    with instance(shop_settings) as stored:
        run = stored.get_run_by_id(request.run_id)
        assert run is not None
        assert (run.status, run.job_name) == (dg.DagsterRunStatus.SUCCESS, JOB)
        made = stored.fetch_materializations(dg.AssetKey(["staging", "shop", "orders"]), limit=1).records
        evaluated = stored.get_records_for_run(
            request.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
        ).records
    materialization = made[0].asset_materialization
    assert materialization is not None
    metadata = materialization.metadata
    assert metadata["dagster/row_count"].value == metadata["rows planned"].value
    assert 0 < number(metadata["rows sent"]) < number(metadata["rows in production"])
    schema = metadata["dagster/column_schema"].value
    assert isinstance(schema, dg.TableSchema)
    assert {c.name: c.type for c in schema.columns}["id"] == "bigint"

    found = [record.event_log_entry.dagster_event.asset_check_evaluation_data for record in evaluated]  # type: ignore[union-attr]
    assert all(check.passed for check in found)
    assert {check.check_name for check in found} == {*CHECKS, COVERED}
    released = [check for check in found if check.asset_key == dg.AssetKey("staging_release")]
    assert len(released) == len(CHECKS)
    # A check that found nothing to look at has not been at work: the shop has something for each.
    idle = [c.check_name for c in released if (c.description or "").startswith("Nothing to check")]
    # These rules keep every column, name no flags and declare nothing; no head is too heavy, no key relinked.
    unasked = ["feature_flags", "declared_differences"]
    assert idle == ["mask_link", "left_out", "relinked", "leak_audit", *unasked]
    assert {check.name for check in outcome.checks} <= {*CHECKS, COVERED}


def test_hostile_names_have_keys_and_keep_their_names(shop_settings: Settings) -> None:
    definitions = build_definitions(shop_settings)
    specs = {spec.key: spec for spec in definitions.resolve_all_asset_specs()}
    names = {str(s.metadata["dagster/table_name"]) for k, s in specs.items() if k.path[0] == "staging"}
    assert 'Legacy ERP.Kunden "Alt" 🎁' in names
    assert len(specs) == 2 * len(names) + 5
    assert all(part.replace("_", "").isalnum() and part.isascii() for key in specs for part in key.path)


@pytest.mark.parametrize("mode", ["hold", "dry_run"])
def test_staging_stays_when_no_release_was_asked_for(shop_settings: Settings, mode: str) -> None:
    outcome = refresh(shop_settings, mode=mode, fraction=0.1)
    assert (outcome.error, outcome.status) == (None, "success")
    assert tables(shop_settings.need_target()) == 0
    assert bool(next_databases(shop_settings)) == (mode == "hold")


def test_a_fraction_out_of_range_is_refused_before_anything_is_touched(shop_settings: Settings) -> None:
    job = build_definitions(shop_settings, Refreshes(lambda: shop_settings)).resolve_job_def(JOB)
    with dg.instance_for_test() as stored:
        result = job.execute_in_process(
            run_config={"ops": {"production_catalog": {"config": {"fraction": 7.0}}}},
            instance=stored,
            raise_on_error=False,
        )
    failed = [e for e in result.all_events if e.is_step_failure]
    assert [e.step_key for e in failed] == ["production_catalog"]
    said = failed[0].step_failure_data.user_failure_data
    assert said is not None
    assert said.description is not None
    assert "The fraction 7 is outside (0, 1]." in said.description
    with pytest.raises(Exception, match="does not exist"):
        Ledger(shop_settings.need_target(), maintenance="postgres", create=False)


def test_a_new_column_stops_the_run_before_rows_move(shop_settings: Settings) -> None:
    with shop_settings.need_source().connect() as connection:
        connection.execute("alter table shop.customers add column ssn text")
    outcome = refresh(shop_settings)
    assert isinstance(outcome.error, RulesError)
    assert "ssn" in str(outcome.error)
    assert not next_databases(shop_settings)
    assert tables(shop_settings.need_target()) == 0


def test_a_table_that_came_after_the_rules_were_loaded_is_not_passed_over(shop_settings: Settings) -> None:
    job = build_definitions(shop_settings, Refreshes(lambda: shop_settings)).resolve_job_def(JOB)
    with shop_settings.need_source().connect() as connection:
        connection.execute("create table shop.late (id int)")
    (shop_settings.rules / "late.yaml").write_text("schema: shop\ntables:\n  late:\n    id: keep\n")
    with dg.instance_for_test() as stored:
        result = job.execute_in_process(instance=stored, raise_on_error=False)
    said = [e.step_failure_data.user_failure_data for e in result.all_events if e.is_step_failure]
    assert said[0] is not None
    assert "shop.late" in (said[0].description or "")
    assert not next_databases(shop_settings)


def test_a_selection_of_tables_is_refused_in_words(shop_settings: Settings) -> None:
    job = build_definitions(shop_settings, Refreshes(lambda: shop_settings)).resolve_job_def(JOB)
    some = [
        dg.AssetKey("production_catalog"),
        dg.AssetKey("pii_map"),
        dg.AssetKey("subset_keys"),
        dg.AssetKey(["scrubbed", "shop", "orders"]),
        dg.AssetKey(["staging", "shop", "orders"]),
        dg.AssetKey("staging_release"),
    ]
    with dg.instance_for_test() as stored:
        result = job.execute_in_process(asset_selection=some, instance=stored, raise_on_error=False)
    failed = [e for e in result.all_events if e.is_step_failure]
    assert [e.step_key for e in failed] == ["production_catalog"]
    said = failed[0].step_failure_data.user_failure_data
    assert said is not None
    assert "a release is one consistent whole" in (said.description or "")
    assert tables(shop_settings.need_target()) == 0


@pytest.mark.parametrize("alone", [["staging_release"], ["staging", "shop", "orders"], ["fidelity_report"]])
def test_an_asset_without_the_catalog_says_where_to_start(shop_settings: Settings, alone: list[str]) -> None:
    job = build_definitions(shop_settings, Refreshes(lambda: shop_settings)).resolve_job_def(JOB)
    with dg.instance_for_test() as stored:
        result = job.execute_in_process(
            asset_selection=[dg.AssetKey(alone)], instance=stored, raise_on_error=False
        )
    said = [e.step_failure_data.user_failure_data for e in result.all_events if e.is_step_failure]
    assert said[0] is not None
    assert "Start over: launch the job refresh_staging." in (said[0].description or "")


def test_decisions_alone_can_be_looked_at_at_another_fraction(shop_settings: Settings) -> None:
    asked = {"ops": {"production_catalog": {"config": {"fraction": 0.1}}}}
    before = (shop_settings.rules / "policy.yaml").read_text()
    job = build_definitions(shop_settings, Refreshes(lambda: shop_settings)).resolve_job_def(JOB)
    first = [dg.AssetKey(name) for name in ("production_catalog", "pii_map", "subset_keys")]
    with dg.instance_for_test() as stored:
        result = job.execute_in_process(asset_selection=first, instance=stored, run_config=asked)
        chosen = result.asset_materializations_for_node("subset_keys")[0].metadata["tables"]
    assert isinstance(chosen, dg.TableMetadataValue)
    tables = {str(record.data["table"]): record.data for record in chosen.records}
    orders = tables["shop.orders"]
    assert {"role", "reason", "rows expected", "kept by quota"} <= set(orders)
    assert 0 < int(orders["rows expected"]) < int(orders["rows in production"])
    assert 0 < int(orders["rows chosen"]) < int(orders["rows in production"])
    assert (shop_settings.rules / "policy.yaml").read_text() == before
    assert not next_databases(shop_settings)


def test_a_check_that_fails_keeps_staging_and_gives_the_report(shop_settings: Settings) -> None:
    # Customers' addresses are masked, but the newsletter's list of the same addresses is not.
    rules = shop_settings.rules / "shop.yaml"
    text, changed = re.subn(
        r"(  customers:\n(?:    .*\n)*?    email: \{mask: )keep", r"\1email", rules.read_text()
    )
    assert changed == 1
    rules.write_text(text)

    outcome = refresh(shop_settings)

    assert isinstance(outcome.error, CheckFailed)
    assert "leak_audit" in str(outcome.error)
    assert outcome.report is not None
    assert '"fail"' in outcome.report.json.read_text()
    assert tables(shop_settings.need_target()) == 0
    assert not next_databases(shop_settings)
    with instance(shop_settings) as stored:
        events = stored.all_logs(outcome.run_id)
        evaluated = [
            e.dagster_event.asset_check_evaluation_data
            for e in events
            if e.dagster_event and e.dagster_event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION
        ]
        failed = [
            e.dagster_event.step_failure_data
            for e in events
            if e.dagster_event and e.dagster_event.is_step_failure
        ]
    assert {check.check_name for check in evaluated if not check.passed} == {"leak_audit"}
    [leak] = [check for check in evaluated if not check.passed]
    assert leak.blocking
    assert {"value", "bound"} <= set(leak.metadata)
    said = failed[0].user_failure_data
    assert said is not None
    assert said.metadata["report.html"].value == str(outcome.report.html)


def test_a_broken_server_is_one_sentence_without_the_password(shop_settings: Settings) -> None:
    source = shop_settings.need_source()
    wrong = Database({**source._parameters, "user": "nobody", "password": "hunter2-hunter2"})
    outcome = refresh(replace(shop_settings, source=wrong))
    assert isinstance(outcome.error, SourceError)
    stored = events_text(shop_settings)
    assert outcome.error.what in stored.replace("''", "'")
    assert "hunter2" not in stored


def test_an_exception_that_quotes_data_is_stored_by_type_and_place_only(
    shop_settings: Settings,
) -> None:
    # The rows' transfer is asked for more than there is, in an exception that quotes it.
    secret = "postgresql://reader:hunter2-hunter2@prod/shop"
    broken = replace(shop_settings, connections=Explosive(secret))
    with pytest.raises(ZeroDivisionError, match="hunter2"):
        refresh(broken)
    stored = events_text(shop_settings)
    assert "An unexpected ZeroDivisionError ended the refresh" in stored
    assert "transfer/run.py:" in stored
    assert "hunter2" not in stored


class Explosive(int):
    """A number that cannot be compared without saying too much."""

    def __new__(cls, text: str) -> Explosive:
        made = super().__new__(cls, 2)
        made.text = text
        return made

    text: str

    def __lt__(self, other: object) -> bool:
        raise ZeroDivisionError(self.text)

    __gt__ = __le__ = __ge__ = __lt__


def test_a_second_refresh_of_the_same_staging_is_refused(shop_settings: Settings) -> None:
    with Ledger(shop_settings.need_target(), maintenance="postgres") as ledger:
        ledger.lock()
        outcome = refresh(shop_settings)
    assert isinstance(outcome.error, LockedError)
    assert refresh(shop_settings, fraction=0.1).error is None


def test_without_databases_everything_loads_and_a_run_says_what_is_missing(
    shop_settings: Settings, tmp_path: Path
) -> None:
    bare = replace(shop_settings, source=None, target=None, masking_key=None)
    keys = {spec.key.path[0] for spec in build_definitions(bare).resolve_all_asset_specs()}
    assert {"production_catalog", "scrubbed", "staging", "staging_release"} <= keys
    outcome = refresh(bare)
    assert isinstance(outcome.error, ConfigError)
    assert outcome.error.what == "No source database is set."


def test_broken_rules_leave_the_rest_loadable_and_a_run_says_what_is_wrong(
    shop_settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    (shop_settings.rules / "policy.yaml").write_text("fraction: much\n")
    definitions = build_definitions(shop_settings)
    assert {s.key.to_user_string() for s in definitions.resolve_all_asset_specs()} == {
        "production_catalog", "pii_map", "subset_keys", "staging_release", "fidelity_report",
    }  # fmt: skip
    assert "policy.yaml:1" in (definitions.resolve_job_def(JOB).description or "")
    outcome = refresh(shop_settings)
    assert isinstance(outcome.error, RulesError)
    shutil.rmtree(shop_settings.rules)
    assert isinstance(refresh(shop_settings).error, RulesError)
    assert capfd.readouterr() == ("", "")


def test_broken_settings_leave_everything_loadable_and_a_run_says_what_is_wrong(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PARITY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PARITY_TIME_ZONE", "Nowhere/Land")
    job = build_definitions(lenient_settings()).resolve_job_def(JOB)
    with dg.instance_for_test() as stored:
        result = job.execute_in_process(instance=stored, raise_on_error=False)
    said = [e.step_failure_data.user_failure_data for e in result.all_events if e.is_step_failure]
    assert said[0] is not None
    assert "PARITY_TIME_ZONE is not a known time zone" in (said[0].description or "")


def test_a_schedule_that_is_no_cron_expression_does_not_stop_loading(shop_settings: Settings) -> None:
    odd = build_definitions(replace(shop_settings, schedule="every night"))
    assert [s.name for s in odd.schedules or []] == [WATCH]  # type: ignore[union-attr]
    assert "PARITY_SCHEDULE" in (odd.resolve_job_def(JOB).description or "")
    [nightly, _] = build_definitions(replace(shop_settings, schedule="5 4 * * *")).schedules or []
    assert isinstance(nightly, dg.ScheduleDefinition)
    assert (nightly.cron_schedule, nightly.default_status) == ("5 4 * * *", dg.DefaultScheduleStatus.STOPPED)


def test_a_home_that_cannot_be_used_is_a_wrong_configuration(shop_settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="DAGSTER_HOME"):
        run_refresh(shop_settings, RefreshRequest(), home=tmp_path / "file" / "home")
