"""Fifty clients read staging through a refresh and a rollback, as ``benchmarks.swap`` measures it."""

from __future__ import annotations

import subprocess
import sys

import pytest
from fix_copies import ROOT

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("method", ["database", "schema"])
def test_fifty_clients_see_whole_releases_and_wait_little(
    method: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-m", "benchmarks.swap", "--clients", "50", "--swaps", "1", "--method", method]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    with capsys.disabled():
        print(f"\nmethod {method}\n{done.stdout}")
    assert done.returncode == 0, done.stderr
    assert "wrong or half answers: 0" in done.stdout
