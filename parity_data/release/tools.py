"""PostgreSQL's own client programs: found, checked for their version, run without secrets in sight.

https://www.postgresql.org/docs/current/app-pgdump.html
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from parity_data.database import Database
from parity_data.embedded import programs
from parity_data.errors import ConfigError, ParityError

_PR_SET_PDEATHSIG = 1
#: Becomes the command that follows it, unless the process that it was to die with is gone already.
_GUARD = f"""
import ctypes, os, sys
ctypes.CDLL(None).prctl({_PR_SET_PDEATHSIG}, {int(signal.SIGTERM)})
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True)
class ClientTools:
    """A folder with pg_dump and pg_restore of one major version."""

    folder: Path
    major: int

    @property
    def dump(self) -> str:
        return str(self.folder / "pg_dump")

    @property
    def restore(self) -> str:
        return str(self.folder / "pg_restore")


def find_client_tools(major: int, configured: Path | None = None) -> ClientTools:
    """Client tools at least as new as ``major``, the newer of both servers' versions.

    configured: the folder or program named by PARITY_CLIENT_TOOLS, which then is the only one looked at.
    Otherwise PATH first, then the wheel of embedded PostgreSQL. Raises ConfigError.
    """
    if configured is not None:
        candidates = _versions([configured if configured.is_dir() else configured.parent])
        if not candidates:
            raise ConfigError(
                "PARITY_CLIENT_TOOLS names no working pg_dump and pg_restore.", where=str(configured)
            )
    else:
        on_path = shutil.which("pg_dump")
        folders = [Path(on_path).parent if on_path else None, programs()]
        candidates = _versions([folder for folder in folders if folder is not None])
    for folder, version in candidates:
        if version >= major:
            return ClientTools(folder, version)
    newest = max((version for _, version in candidates), default=None)
    have = "none were found" if newest is None else f"the newest found is {newest}"
    raise ConfigError(
        f"pg_dump and pg_restore of version {major} or newer are needed; {have}.",
        todo=f"Install the client programs of PostgreSQL {major}, "
        "or name their folder in PARITY_CLIENT_TOOLS.",
    )


def _versions(folders: Sequence[Path]) -> list[tuple[Path, int]]:
    """Those of the folders in which both tools run, with the older one's major version."""
    # All are started before the first is waited for: where a distribution wraps them, each takes a while.
    with ExitStack() as stack:
        asked = [
            [_started(folder / program, stack) for program in ("pg_dump", "pg_restore")] for folder in folders
        ]
        found = [[_major(process) for process in processes] for processes in asked]
    return [
        (folder, min(major for major in majors if major is not None))
        for folder, majors in zip(folders, found, strict=True)
        if None not in majors
    ]


def _started(program: Path, stack: ExitStack) -> subprocess.Popen[str] | None:
    try:
        process = subprocess.Popen(
            [program, "--version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
    except OSError:
        return None
    stack.enter_context(process)
    stack.callback(process.kill)
    return process


def _major(process: subprocess.Popen[str] | None) -> int | None:
    """What the program calls its major version, None where it does not run."""
    if process is None:
        return None
    try:
        output, _ = process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        return None
    if process.returncode:
        return None
    match = re.search(r"(\d+)", output)
    return int(match.group(1)) if match else 0


def run_tool(
    command: Sequence[str],
    database: Database,
    *,
    what: str,
    kind: type[ParityError],
    harmless: str | None = None,
) -> str:
    """Run a client program against the database and return its standard output.

    harmless: what an error says that may be passed over, where the program goes on after errors.

    It dies with us: on Linux by signal even when we are killed. Raises ``kind`` with the program's own
    error lines, without DETAIL, CONTEXT and statements, which can quote values.
    """
    process = subprocess.Popen(
        [*_guarded(), *command],
        env=database.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    try:
        out, err = process.communicate()
    except BaseException:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise
    if process.returncode:
        errors = list(_errors(err))
        others = [error for error in errors if harmless is None or harmless not in error]
        if others or not errors:
            raise kind(f"{what} failed: {others[0] if others else 'it gave no reason'}.", todo=None)
    return out


def _errors(text: str) -> Iterator[str]:
    """The errors a tool printed, cut to what cannot hold data."""
    for line in text.splitlines():
        match = re.search(r"(?:error:|FATAL:|ERROR:)\s*(.*)", line)
        if match:
            message = re.sub(r"^could not execute query: ERROR:\s*", "", match.group(1))
            yield message.rstrip(".")


def _guarded() -> list[str]:
    """What, put before a command, has it die with this process, on Linux.

    A function that the child calls does the same, but makes it a copy of this process and all its pages: a
    tenth of a second with 500 MB, and twice as long for each page to be made ours again when it is written.
    """
    if sys.platform != "linux" or not sys.executable:
        return []
    return [sys.executable, "-I", "-S", "-c", _GUARD, str(os.getpid())]
