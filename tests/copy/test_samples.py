"""Databases that others made arrive exactly: every row, and every definition byte for byte."""

from __future__ import annotations

import pytest
from fix_copies import Copier, contents, definitions, run_script, sample

from parity_data.database import Database


@pytest.mark.slow
@pytest.mark.samples
@pytest.mark.parametrize("name", ["chinook", "northwind", "pagila"])
def test_samples_arrive_exactly(
    name: str, any_source: Database, target_db: Database, keep_everything: Copier
) -> None:
    run_script(any_source, sample(name), strict=False)
    refresh = keep_everything(any_source, target_db)
    assert refresh.verdict == "pass"
    here = contents(any_source)
    assert sum(map(len, here.values())) > 3000  # the script did load
    assert contents(target_db) == here
    assert definitions(target_db) == definitions(any_source)
