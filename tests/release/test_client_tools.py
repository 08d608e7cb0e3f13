"""Which pg_dump and pg_restore are taken, of those that are there."""

from __future__ import annotations

from pathlib import Path

import pytest

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
