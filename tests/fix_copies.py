"""Whole refreshes between two databases, and what of a copy can be held against its original.

Content is compared as the server's own COPY output, definitions as ``pg_dump`` prints them: neither goes
through the code under test.
"""

from __future__ import annotations

import gzip
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg import sql

from parity_data.database import EXACT_TEXT, Database
from parity_data.demo._system import programs
from parity_data.demo.server import Server
from parity_data.refresh import Refresh, RefreshRequest
from parity_data.refresh.scan import scan_source
from parity_data.secret import Secret
from parity_data.settings import Settings

ROOT = Path(__file__).parent.parent

#: Folders in which the sample databases may lie; they are not part of the project.
SAMPLES = (os.environ.get("PARITY_TEST_SAMPLES"), ROOT.parent / "shared/samples", "/work/shared/samples")

#: Nobody works on these databases, so nobody needs time to leave.
POLICY = "version: 1\nrelease: {grace_seconds: 0}\n"

_RELATIONS = """
select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'm') and c.relpersistence <> 't' and n.nspname !~ '^pg_'
  and n.nspname <> 'information_schema' and (c.relkind = 'r' or c.relispopulated)
order by 1, 2
"""
_HEADER = re.compile(r"^(-- Dumped (from|by) .*|\\(un)?restrict .*)\n", re.MULTILINE)

Copier = Callable[..., Refresh]


def sample(name: str) -> str:
    """The script of a sample database. Skips the test where the samples are not at hand."""
    for folder in filter(None, SAMPLES):
        path = Path(folder) / f"{name}.sql.gz"
        if path.is_file():
            return gzip.decompress(path.read_bytes()).decode()
    pytest.skip(f"needs {name}.sql.gz: name its folder in PARITY_TEST_SAMPLES")


def run_script(database: Database, script: str, *, strict: bool = True) -> None:
    """Feed a script to psql."""
    command = [programs() / "psql", "-qX", "-o", os.devnull, "-v", f"ON_ERROR_STOP={int(strict)}"]
    done = subprocess.run(command, env=database.environment(), input=script, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr


def definitions(database: Database, *options: str) -> str:
    """What pg_dump says of everything but rows, without the lines that name versions and keys."""
    command = [programs() / "pg_dump", "-s", "--restrict-key=parity", *options]
    done = subprocess.run(command, env=database.environment(), text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    return _HEADER.sub("", done.stdout)


def contents(database: Database, *columns: str) -> dict[str, list[bytes]]:
    """Sorted lines of COPY's text format by relation, each partition by itself.

    columns: only these, and only of relations that have them all.
    """
    found: dict[str, list[bytes]] = {}
    listed = sql.SQL(", ").join(map(sql.Identifier, columns)) if columns else sql.SQL("*")
    with database.with_options(**EXACT_TEXT).connect(autocommit=True) as connection:
        for schema, name in connection.execute(_RELATIONS).fetchall():
            query = sql.SQL("copy (select {} from only {}) to stdout").format(
                listed, sql.Identifier(schema, name)
            )
            with connection.cursor().copy(query) as copy:
                found[f"{schema}.{name}"] = sorted(b"".join(copy).split(b"\n"))
    return found


def copy_database(settings: Settings, fraction: float | None = None) -> Refresh:
    """Refresh the target from the source; the closed refresh, with its checks and its report."""
    with Refresh(settings, RefreshRequest(fraction=fraction, requested_by="test")) as refresh:
        refresh.open()
        refresh.map_pii()
        refresh.choose_rows()
        refresh.prepare()
        for sent in refresh.send_rows():
            if sent.error is not None:
                raise sent.error
        refresh.complete()
        refresh.verify()
        refresh.release()
    return refresh


@pytest.fixture
def make_settings(tmp_path: Path, masking_key: Secret) -> Callable[[Database, Database], Settings]:
    """Settings for a pair of databases, with rules and work folder of the test's own."""

    def make(source: Database, target: Database) -> Settings:
        (tmp_path / "rules").mkdir(exist_ok=True)
        (tmp_path / "rules" / "policy.yaml").write_text(POLICY)
        return Settings(source, target, masking_key, rules=tmp_path / "rules", work=tmp_path / "work")

    return make


@pytest.fixture
def keep_everything(make_settings: Callable[[Database, Database], Settings]) -> Copier:
    """Copy one database to another with a rule 'keep' for every column, written by the scan.

    policy: lines to add to policy.yaml. method: of releasing.
    """

    def copy(
        source: Database,
        target: Database,
        fraction: float | None = None,
        *,
        policy: str = "",
        method: str = "database",
    ) -> Refresh:
        settings = make_settings(source, target)
        release = POLICY.replace("{grace_seconds: 0}", f"{{grace_seconds: 0, method: {method}}}")
        (settings.rules / "policy.yaml").write_text(release + policy)
        scan_source(settings, write=settings.rules, decide="keep")
        return copy_database(settings, fraction)

    return copy


@pytest.fixture
def fresh15(postgres15: Server) -> Iterator[Database]:
    """An empty database on the server of PostgreSQL 15."""
    from fix_servers import fresh_database

    yield from fresh_database(postgres15, "old")


@pytest.fixture(params=["18", pytest.param("15", marks=pytest.mark.postgres15)])
def any_source(request: pytest.FixtureRequest) -> Database:
    """An empty database on a server of each version in turn."""
    name = {"18": "source_db", "15": "fresh15"}[request.param]
    found: Database = request.getfixturevalue(name)
    return found


def with_key(settings: Settings, key: Secret) -> Settings:
    """The same settings under another masking key."""
    return replace(settings, masking_key=key)
