"""The command line itself, whatever the verb."""

from __future__ import annotations

import subprocess
import sys

from typer.testing import CliRunner

from parity_data import __version__
from parity_data.cli import app


def test_it_says_its_version() -> None:
    shown = CliRunner().invoke(app, ["--version"])
    assert (shown.exit_code, shown.stdout.strip()) == (0, f"parity-data {__version__}")


def test_help_does_not_wait_for_what_only_a_refresh_needs() -> None:
    heavy = ("dagster", "polars", "pyarrow", "numba", "presidio_analyzer", "jinja2")
    code = f"import parity_data.cli, sys; print([name for name in {heavy} if name in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
