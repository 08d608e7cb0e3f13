"""Keys for any table name, and runs whose process is gone."""

from __future__ import annotations

import subprocess
import sys

import dagster as dg
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_data.assets.keys import key_part, table_key
from parity_data.assets.lost import PROCESS_TAG, end_lost_runs, process_tag
from parity_data.catalog import Name

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=63)


@given(st.lists(st.tuples(names, names), unique=True, max_size=20))
def test_different_tables_have_different_keys_and_outputs(tables: list[tuple[str, str]]) -> None:
    keys = [table_key("staging", Name(*table)) for table in tables]
    assert len(set(keys)) == len(tables)
    assert all(len(part) <= 63 for key in keys for part in key.path)
    # Dagster names an output after the key; two of a step must differ there too.
    assert len({key.to_python_identifier() for key in keys}) == len(tables)


@pytest.mark.parametrize("name", ["orders", "Orders2", "a_b", "2024", "orders_20240101", "x"])
def test_a_plain_name_is_its_own_key(name: str) -> None:
    assert key_part(name) == name


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ('Kunden "Alt" 🎁', "Kunden_Alt_xee172385"),
        ("a__b", "a_b_x63e5c1c4"),
        ("🎁", "name_x8001511f"),
    ],
)
def test_an_odd_name_keeps_its_likeness_for_ever(name: str, part: str) -> None:
    assert key_part(name) == part


def test_only_runs_without_their_process_are_ended() -> None:
    @dg.job
    def nothing() -> None: ...

    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    host = process_tag()[PROCESS_TAG].rsplit(" ", 2)[0]
    started = f"{psutil.Process(child.pid).create_time():.0f}"
    with dg.instance_for_test() as instance:

        def begun(tags: dict[str, str]) -> str:
            run = instance.create_run_for_job(nothing, tags=tags, status=dg.DagsterRunStatus.STARTED)
            return run.run_id

        own = begun(process_tag())
        theirs = begun({PROCESS_TAG: f"{host} {child.pid} {started}"})
        elsewhere = begun({PROCESS_TAG: f"another-{host} {child.pid} {started}"})
        unnamed = begun({})
        reused = begun({PROCESS_TAG: f"{host} {child.pid} {float(started) - 3600:.0f}"})
        assert set(end_lost_runs(instance)) == {reused}
        child.kill()
        child.wait()
        assert set(end_lost_runs(instance)) == {theirs}
        states = {run.run_id: run.status for run in instance.get_runs()}
    assert {states[own], states[elsewhere], states[unnamed]} == {dg.DagsterRunStatus.STARTED}
    assert {states[theirs], states[reused]} == {dg.DagsterRunStatus.FAILURE}
