"""Databases that others made arrive exactly: every row, and every definition byte for byte."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fix_command_line import CommandLine
from fix_copies import contents, definitions, run_script, sample

from parity_data.database import Database
from parity_data.settings import Settings


@pytest.mark.slow
@pytest.mark.samples
@pytest.mark.parametrize("name", ["chinook", "northwind", "pagila"])
def test_samples_arrive_exactly(
    name: str,
    any_source: Database,
    target_db: Database,
    make_settings: Callable[[Database, Database], Settings],
    command_line: Callable[[Settings], CommandLine],
) -> None:
    run_script(any_source, sample(name), strict=False)
    settings = make_settings(any_source, target_db)
    parity = command_line(settings)
    scanned = parity.run("scan", "--write", str(settings.rules), "--decide", "keep")
    assert scanned.returncode == 0, scanned.stderr
    refreshed = parity.run("refresh")
    assert refreshed.returncode == 0, refreshed.stderr
    here = contents(any_source)
    assert sum(map(len, here.values())) > 3000  # the script did load
    assert contents(target_db) == here
    assert definitions(target_db) == definitions(any_source)
