"""The command ``parity`` as people call it: a process of its own, with an environment of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from parity_data.settings import Settings

_COMMAND = [sys.executable, "-m", "parity_data.cli"]


@dataclass(frozen=True)
class CommandLine:
    """Runs verbs in a folder, under variables that stand in for the caller's own."""

    folder: Path
    variables: dict[str, str]

    def with_variables(self, **variables: str) -> CommandLine:
        """The same with other variables."""
        return replace(self, variables={**self.variables, **variables})

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a verb to its end."""
        return subprocess.run(
            [*_COMMAND, *words],
            env=self._environment(),
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, *words: str) -> subprocess.Popen[bytes]:
        """Begin a verb as the leader of its own process group; its output goes nowhere."""
        return subprocess.Popen(
            [*_COMMAND, *words],
            env=self._environment(),
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _environment(self) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PARITY_", "DAGSTER_"))}
        return {**inherited, **self.variables}


@pytest.fixture
def command_line(tmp_path: Path) -> Callable[[Settings], CommandLine]:
    """The command line under given settings, with a Dagster home of the test's own."""

    def make(settings: Settings) -> CommandLine:
        variables = {
            "PARITY_SOURCE_URL": settings.need_source().uri(),
            "PARITY_TARGET_URL": settings.need_target().uri(),
            "PARITY_MASKING_KEY": settings.need_key().reveal(),
            "PARITY_RULES": str(settings.rules),
            "PARITY_WORK": str(settings.work),
            "DAGSTER_HOME": str(tmp_path / "home"),
        }
        return CommandLine(tmp_path, variables)

    return make
