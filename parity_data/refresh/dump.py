"""A schema dump as a database: restored into a PostgreSQL server that lives only as long as it is needed."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from parity_data.database import Database
from parity_data.demo.server import Server
from parity_data.errors import ConfigError
from parity_data.release import find_client_tools

#: What a plain dump lacks on an empty server, and what says nothing of tables and columns.
_HARMLESS = re.compile(
    r'role ".*" does not exist|schema "public" already exists|permission denied to set parameter'
    r'|unrecognized configuration parameter|publication ".*"|transaction_timeout'
)

_ERROR = re.compile(r"(?:ERROR|FATAL|error|fatal):\s+(.*)")

#: The first bytes of pg_dump's custom format.
_CUSTOM = b"PGDMP"


@contextmanager
def restored(file: Path) -> Iterator[Database]:
    """A database made from a dump of ``pg_dump --schema-only``, plain or in custom format.

    Raises ConfigError when the file cannot be read or something in it cannot be made here, since a table
    that is missing would look like one that production does not have.
    """
    if not file.is_file():
        raise ConfigError("There is no such file.", where=str(file), todo="Make it: pg_dump --schema-only.")
    with tempfile.TemporaryDirectory(prefix="parity-schema-") as place:
        folder = Path(place)
        folder.chmod(0o755)
        server = Server(folder, "schema")
        try:
            server.start()
            database = server.url("postgres").with_name("schema")
            with server.url("postgres").connect(autocommit=True) as admin:
                admin.execute("CREATE DATABASE schema TEMPLATE template0 ENCODING 'UTF8'")
                major = admin.info.server_version // 10000
            _restore(file, database, major)
            yield database
        finally:
            server.delete()


def _restore(file: Path, database: Database, major: int) -> None:
    with file.open("rb") as stream:
        custom = stream.read(len(_CUSTOM)) == _CUSTOM
    tools = find_client_tools(major)
    if custom:
        command = [tools.restore, "--no-owner", "--no-privileges", "-d", str(database.name), str(file)]
    else:
        psql = str(Path(tools.restore).with_name("psql"))
        command = [psql, "-X", "-q", "-d", str(database.name), "-f", str(file)]
    done = subprocess.run(
        command,
        env=database.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    messages = [m[1].strip() for line in done.stderr.splitlines() if (m := _ERROR.search(line))]
    wrong = [message for message in messages if not _HARMLESS.search(message)]
    if wrong:
        raise ConfigError(
            f"The dump does not restore on an empty server: {wrong[0]}"
            + (f" ({len(wrong) - 1} more such errors)" if len(wrong) > 1 else ""),
            where=str(file),
            todo="Dump all schemas that depend on each other, and leave out what needs an extension that "
            "the embedded PostgreSQL lacks.",
        )
    if done.returncode and not messages:
        raise ConfigError("The dump cannot be restored.", where=str(file))
