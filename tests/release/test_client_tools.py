"""Which pg_dump and pg_restore are taken, of those that are there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from fix_release import until

from parity_data import embedded
from parity_data.errors import ConfigError
from parity_data.release import find_client_tools


def tools(folder: Path, dump: str, restore: str) -> Path:
    """A folder with programs that do what is said."""
    folder.mkdir()
    for name, does in (("pg_dump", dump), ("pg_restore", restore)):
        program = folder / name
        program.write_text(f"#!/bin/sh\n{does}\n")
        program.chmod(0o755)
    return folder


def says(version: str) -> str:
    return f"echo 'pg_some (PostgreSQL) {version}'"


@pytest.mark.parametrize(
    ("dump", "restore"),
    [
        (says("13.4"), says("18.1")),
        (says("18.1"), says("13.4")),
        (says("18.1"), "exit 3"),
        ("exit 3", says("18.1")),
    ],
)
def test_those_on_the_path_that_do_not_do_give_way_to_the_wheel(
    dump: str, restore: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tools(tmp_path / 'bin', dump, restore)}:/usr/bin:/bin")
    found = find_client_tools(17)
    assert found.folder == embedded.programs()
    assert found.major == 18


def test_those_on_the_path_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tools(tmp_path / "bin", says("18.0 (Debian 18.0-1)"), says("17.2"))
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    found = find_client_tools(17)
    assert (found.folder, found.major) == (folder, 17)


def test_without_any_it_says_what_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("parity_data.release.tools.programs", lambda: None)
    with pytest.raises(ConfigError, match="none were found"):
        find_client_tools(17)
    monkeypatch.setenv("PATH", f"{tools(tmp_path / 'bin', says('16.3'), says('16.3'))}:/usr/bin:/bin")
    with pytest.raises(ConfigError, match="the newest found is 16"):
        find_client_tools(17)


def test_a_folder_that_is_named_is_the_only_one(tmp_path: Path) -> None:
    folder = tools(tmp_path / "named", says("18.1"), says("18.1"))
    assert find_client_tools(17, folder).folder == folder
    assert find_client_tools(17, folder / "pg_dump").folder == folder
    with pytest.raises(ConfigError, match="names no working"):
        find_client_tools(17, tools(tmp_path / "broken", says("18.1"), "exit 1"))
    with pytest.raises(ConfigError, match="the newest found is 18"):
        find_client_tools(19, folder)


#: Runs a program as a client tool.
_RUN = """
import sys
from parity_data.database import Database
from parity_data.errors import SourceError
from parity_data.release.tools import run_tool
here = Database.parse("postgresql://somebody@/nowhere")
print(run_tool(sys.argv[1:], here, what="the tool", kind=SourceError), end="")
"""


def run(*command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _RUN, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_a_tool_gets_its_arguments_and_its_environment(tmp_path: Path) -> None:
    folder = tools(tmp_path / "bin", 'echo "$1/$2/$PGDATABASE/$PGUSER"', "exit 0")
    output, _ = run(str(folder / "pg_dump"), "--one two", "-I").communicate()
    assert output == "--one two/-I/nowhere/somebody\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has died")
def test_a_tool_does_not_outlive_a_process_that_is_killed(tmp_path: Path) -> None:
    said = tmp_path / "pid"
    folder = tools(tmp_path / "bin", f"echo $$ > {said}.new; mv {said}.new {said}; exec sleep 600", "exit 0")
    process = run(str(folder / "pg_dump"))
    until(said.exists, "the tool to begin")
    tool = psutil.Process(int(said.read_text()))
    os.kill(process.pid, 9)
    process.communicate()
    until(lambda: not tool.is_running() or tool.status() == psutil.STATUS_ZOMBIE, "the tool to end")
