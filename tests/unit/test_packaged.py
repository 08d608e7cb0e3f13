"""What the installed package carries along is what lies at the project's root."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_package_has_the_dagster_settings_of_the_root() -> None:
    packaged = files("parity_data.assets").joinpath("dagster.yaml")
    assert packaged.read_text(encoding="utf-8") == (ROOT / "dagster.yaml").read_text(encoding="utf-8")
