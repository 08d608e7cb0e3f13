"""One PostgreSQL server in a folder, from the programs of a wheel or of the machine."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil

from parity_data.database import Database
from parity_data.demo import _system
from parity_data.errors import ConfigError, ParityError

SUPERUSER = "postgres"

START_SECONDS = 60
START_ATTEMPTS = 5

#: Durability is off: a demo may lose its last seconds in a power cut, and can be filled again.
#: What was committed still survives SIGKILL, as written pages stay with the operating system.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "logical",
    "max_connections": "60",
    "shared_buffers": "96MB",
    "maintenance_work_mem": "64MB",
    "max_wal_size": "1GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    "log_min_messages": "warning",
}


class Server:
    """A PostgreSQL server whose files lie under ``folder / name`` and that anybody may delete there.

    programs: folder with initdb and pg_ctl, by default those of the embedded PostgreSQL. A root user's
    server runs as an unprivileged account; where that account cannot enter the folder, the cluster lies
    in /var/lib/parity-data and the folder holds a link to it. Nothing stops the server but ``stop``.
    """

    def __init__(self, folder: Path, name: str, programs: Path | None = None) -> None:
        self.name = name
        self.folder = folder.resolve() / name
        self._programs = programs or _system.programs()
        self._cluster = self.folder / "cluster"
        self._state_file = self.folder / "state.json"

    def __repr__(self) -> str:
        return f"Server({str(self.folder)!r})"

    @property
    def running(self) -> bool:
        """Whether the server process of this folder is alive."""
        return self.pid is not None

    @property
    def pid(self) -> int | None:
        """The process id of the server, None when it does not run.

        The pid file alone proves nothing: after a crash it stays behind, and its number may by then
        belong to another program, or to a dead process nobody has waited for.
        """
        try:
            pid = int((self._cluster / "data" / "postmaster.pid").read_text().splitlines()[0])
            command = psutil.Process(pid).cmdline()
        except (OSError, ValueError, IndexError, psutil.Error):
            return None
        return pid if f"cluster_name={self._cluster_name}" in command else None

    def start(self) -> None:
        """Start the server, making the cluster first if need be; does nothing when it runs.

        Raises ConfigError when the machine cannot run it, ParityError when it does not come up.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._locked():
            if self.running:
                return
            state = self._state()
            if state is None or not (self._cluster / "data" / "PG_VERSION").is_file():
                self._remove_cluster()
                state = self._create()
            self._start(state)

    def stop(self) -> None:
        """Stop the server, cutting off its clients; does nothing when it does not run."""
        if not self.folder.is_dir():
            return
        with self._locked():
            self._stop()

    def delete(self) -> None:
        """Stop the server and remove its files."""
        if not self.folder.is_dir():
            return
        with self._locked():
            self._stop()
            self._remove_cluster()
            self._state_file.unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str, user: str | None = None) -> Database:
        """The address of a database. user: the superuser by default, else a role ``password_for`` knows.

        Raises ParityError when the server was never started.
        """
        state = self._state()
        if state is None or "port" not in state:
            raise ParityError("The server was never started.", where=str(self.folder))
        user = user or SUPERUSER
        return Database(
            {
                "host": "127.0.0.1",
                "port": state["port"],
                "user": user,
                "password": state["passwords"].get(user),
                "dbname": database,
            }
        )

    def password_for(self, user: str) -> str:
        """The password to give to a role, made once and kept with the server's state."""
        with self._locked():
            state = self._state()
            if state is None:
                raise ParityError("The server was never started.", where=str(self.folder))
            if user not in state["passwords"]:
                state["passwords"][user] = secrets.token_urlsafe(24)
                self._write_state(state)
            return str(state["passwords"][user])

    @property
    def _cluster_name(self) -> str:
        # Stands on the server's command line, so that any user can tell its process from others.
        return f"parity_{hashlib.sha256(os.fsencode(self._cluster.resolve())).hexdigest()[:16]}"

    @property
    def socket_folder(self) -> Path | None:
        """The folder of the Unix socket, None before the first start."""
        state = self._state()
        return Path(state["socket"]) if state and "socket" in state else None

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self._cluster / "server.log"

    def _create(self) -> dict[str, Any]:
        account = _system.server_account()
        if _system.can_enter(self.folder, account):
            self._cluster.mkdir()
        else:
            self._cluster.symlink_to(_system.fallback_folder(self.name))
        cluster = self._cluster.resolve()
        _system.own(cluster, account)
        programs = _system.usable_programs(self._programs, account)
        password = secrets.token_urlsafe(24)
        with tempfile.NamedTemporaryFile("w", dir=cluster) as file:
            file.write(password + "\n")
            file.flush()
            _system.own(Path(file.name), account)
            command: list[str | Path] = [programs / "initdb", "-D", cluster / "data", "-U", SUPERUSER]
            command += ["--encoding=UTF8", "--auth=scram-sha-256", f"--pwfile={file.name}", "--no-sync"]
            done = _system.run([*command, "--locale=C.UTF-8"], account)
            if done.returncode and "invalid locale" in done.stdout:
                # A machine without C.UTF-8: PostgreSQL 17 and later bring their own.
                builtin = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
                done = _system.run([*command, *builtin], account)
        if done.returncode:
            raise ConfigError(f"initdb failed: {_last_line(done.stdout)}", where=str(self.folder))
        with (cluster / "data" / "postgresql.conf").open("a") as conf:
            conf.write("\ninclude 'parity.conf'\n")
        state: dict[str, Any] = {"programs": str(programs), "passwords": {SUPERUSER: password}}
        self._write_state(state)
        return state

    def _start(self, state: dict[str, Any]) -> None:
        cluster = self._cluster.resolve()
        data = cluster / "data"
        account = _system.owner_account(data)
        programs = _system.usable_programs(self._programs, account)
        sockets = Path(state["socket"]) if "socket" in state else cluster / "socket"
        if not sockets.is_dir():
            sockets = _system.socket_folder(cluster / "socket", account)
        state["socket"] = str(sockets)
        # What a killed server left behind names a process that, as ``running`` said, is not one any more.
        for leftover in (data / "postmaster.pid", *sockets.glob(".s.PGSQL.*")):
            leftover.unlink(missing_ok=True)
        deadline = time.monotonic() + START_SECONDS
        for attempt in range(START_ATTEMPTS):
            state["port"] = _system.free_port(state.get("port") if attempt == 0 else None)
            self._write_state(state)
            _write_settings(data / "parity.conf", state["port"], sockets)
            _system.own(data / "parity.conf", account)
            while True:
                self.log.unlink(missing_ok=True)
                # pg_ctl goes through a shell: relative names keep a quote in the path away from it.
                command: list[str | Path] = [programs / "pg_ctl", "start", "-D", "data", "-l", "server.log"]
                command += ["-w", "-t", str(START_SECONDS), "-o", f"-c cluster_name={self._cluster_name}"]
                done = _system.run(command, account, START_SECONDS + 60, cluster)
                if done.returncode == 0:
                    return
                log = self.log.read_text(errors="replace") if self.log.exists() else done.stdout
                # Backends that outlived a killed server leave as soon as they notice.
                if "pre-existing shared memory" not in log or time.monotonic() > deadline:
                    break
                time.sleep(0.2)
            if "could not bind" not in log:
                break
        raise ParityError(f"The {self.name} server does not start: {_last_line(log)}", where=str(self.log))

    def _stop(self) -> None:
        pid = self.pid
        if pid is not None:
            data = (self._cluster / "data").resolve()
            account = _system.owner_account(data)
            pg_ctl = _system.usable_programs(self._programs, account) / "pg_ctl"
            for mode in ("fast", "immediate"):
                command: list[str | Path] = [pg_ctl, "stop", "-D", data, "-m", mode, "-w", "-t", "60"]
                with contextlib.suppress(subprocess.TimeoutExpired):
                    _system.run(command, account)
                if not self.running:
                    break
            else:
                raise ParityError(
                    f"The {self.name} server does not stop (process {pid}).", where=str(self.folder)
                )
        state = self._state()
        if state and "socket" in state and not Path(state["socket"]).is_relative_to(self._cluster.resolve()):
            shutil.rmtree(state["socket"], ignore_errors=True)

    def _remove_cluster(self) -> None:
        if self._cluster.is_symlink():
            shutil.rmtree(self._cluster.resolve(), ignore_errors=True)
            self._cluster.unlink()
        elif self._cluster.is_dir():
            shutil.rmtree(self._cluster)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with (self.folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _state(self) -> dict[str, Any] | None:
        try:
            state: dict[str, Any] = json.loads(self._state_file.read_text())
        except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
            return None
        return state

    def _write_state(self, state: dict[str, Any]) -> None:
        write_private(self._state_file, json.dumps(state, indent=1) + "\n")


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def _write_settings(path: Path, port: int, sockets: Path) -> None:
    # The socket setting is a comma-separated list of names, each quoted like an identifier.
    listed = '"' + str(sockets).replace('"', '""') + '"'
    settings = {**SETTINGS, "port": str(port), "unix_socket_directories": listed}
    lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in settings.items()]
    path.write_text("".join(lines))


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    fatal = [line for line in lines if "FATAL" in line or "error" in line.lower()]
    return (fatal or lines or ["no output"])[-1]
