"""Build the next staging database beside the current one: schema first, then what rests on rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from parity_data.catalog.model import Catalog, Name
from parity_data.catalog.snapshot import LOCK_TIMEOUT_MS, Snapshot
from parity_data.database import Database
from parity_data.errors import SourceError, TargetError
from parity_data.release.tools import ClientTools, run_tool

#: Kinds of archive entries that never come along, and why the report says so.
EXCLUDED_ENTRIES = {
    "SUBSCRIPTION": "subscriptions would pull from, or hold a slot on, production's publishers",
    "USER MAPPING": "user mappings hold passwords for foreign servers",
}

#: What pg_restore calls objects whose name elsewhere is another.
_ARCHIVE_KINDS = {"EXTENDED STATISTICS": "STATISTICS"}

#: Bytes that a session may use for an index: what is set, or its part of a quarter of the shared buffers, as
#: they tell how large the machine is; never more than 2 GiB.
_INDEX_MEMORY = """
SELECT greatest(pg_size_bytes(current_setting('maintenance_work_mem')),
                least(pg_size_bytes(current_setting('shared_buffers')) / (4 * %s), 2147483647 / 1024 * 1024))
"""
_MATERIALIZED_VIEWS = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'm' AND c.relispopulated AND n.nspname !~ '^pg_'
"""
#: Pairs (view, materialised view it reads), through ordinary views in between.
_VIEW_DEPENDENCIES = """
WITH RECURSIVE reads AS (
    SELECT DISTINCT r.ev_class AS reader, d.refobjid AS read
    FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
         AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
), chain AS (
    SELECT reader, read FROM reads UNION
    SELECT chain.reader, reads.read FROM chain JOIN reads ON reads.reader = chain.read
)
SELECT rn.nspname, r.relname, bn.nspname, b.relname
FROM chain JOIN pg_class r ON r.oid = reader JOIN pg_namespace rn ON rn.oid = r.relnamespace
     JOIN pg_class b ON b.oid = read JOIN pg_namespace bn ON bn.oid = b.relnamespace
WHERE r.relkind = 'm' AND b.relkind = 'm'
"""


def dump_schema(
    snapshot: Snapshot, tools: ClientTools, file: Path, *, ignore_schemas: Iterable[str] = ()
) -> None:
    """Write the snapshot's schema, no rows and no statistics, to an archive. Raises SourceError."""
    command = [
        tools.dump,
        "--schema-only",
        "--format=custom",
        "--no-password",
        f"--snapshot={snapshot.id}",
        f"--lock-wait-timeout={LOCK_TIMEOUT_MS}",
        f"--file={file}",
    ]
    if tools.major >= 18:
        # Planner statistics hold production's values in clear.
        command.append("--no-statistics")
    command += [f"--exclude-schema={_pattern(schema)}" for schema in ignore_schemas]
    run_tool(command, snapshot.database, what="pg_dump of the schema", kind=SourceError)


def _pattern(name: str) -> str:
    """A pg_dump pattern that matches just this name."""
    return '"' + name.replace('"', '""') + '"'


def archive_entries(
    tools: ClientTools, file: Path, target: Database, exclude: Mapping[str, str]
) -> tuple[list[str], list[tuple[str, str]]]:
    """Table-of-contents lines of the archive: those to restore; then kind and reason of those left out.

    exclude: kinds that the policy leaves out, with the reason, besides EXCLUDED_ENTRIES.
    """
    reasons = {**EXCLUDED_ENTRIES, **{kind.upper(): reason for kind, reason in exclude.items()}}
    kinds = {_ARCHIVE_KINDS.get(kind, kind): kind for kind in reasons}
    listing = run_tool(
        [tools.restore, "--list", str(file)], target, what="pg_restore --list", kind=TargetError
    )
    kept: list[str] = []
    excluded: list[tuple[str, str]] = []
    for line in listing.split("\n"):  # names may hold what else Python takes for the end of a line
        if line.startswith(";") or not line.strip():
            continue
        description = _description(line)
        subject = _subject(line)
        kind = next((kinds[k] for k in kinds if subject.startswith(k + " ")), None)
        if kind is None:
            kept.append(line)
        elif subject == description and not subject.startswith("PUBLICATION TABLE"):
            excluded.append((kind.lower(), reasons[kind]))
    return kept, excluded


def of_kind(entries: Iterable[str], kind: str) -> list[str]:
    """The lines of a table of contents that are of one kind, such as 'SCHEMA', with comments and grants.

    pg_restore passes over a comment or a grant whose object is not in the same list.
    """
    return [line for line in entries if _subject(line).startswith(kind + " ")]


def _subject(line: str) -> str:
    """The description without what tells a comment, label or grant from its object."""
    return re.sub(r"^(COMMENT|SECURITY LABEL|ACL) - ", "", _description(line))


def _description(line: str) -> str:
    """'SCHEMA - app owner' out of '7; 2615 2200 SCHEMA - app owner'."""
    return line.split(";", 1)[1].split(None, 2)[2]


def index_memory(connection: psycopg.Connection[Any], jobs: int) -> str:
    """maintenance_work_mem for so many sessions that make indexes at a time, as a setting: '262144kB'."""
    row = connection.execute(_INDEX_MEMORY, [jobs]).fetchone()
    assert row is not None
    return f"{row[0] // 1024}kB"


def restore(
    section: str,
    target: Database,
    tools: ClientTools,
    file: Path,
    entries: list[str],
    *,
    jobs: int,
    version: int,
    options: Sequence[str] = (),
) -> None:
    """Restore one section ('pre-data' or 'post-data') of the archive.

    version: the target's, 180006. options: of pg_restore, such as '--no-owner'. Raises TargetError.
    """
    # Tools of 17 and newer set a parameter that older servers do not know, and would stop at it.
    knows_all = tools.major < 17 or version >= 170000
    use_list = file.with_suffix(f".{section}.list")
    use_list.write_text("\n".join(entries) + "\n", encoding="utf-8")
    command = [
        tools.restore,
        *(["--exit-on-error"] if knows_all else []),
        "--no-password",
        f"--section={section}",
        f"--use-list={use_list}",
        f"--dbname={target.name}",
        *options,
        *([f"--jobs={jobs}"] if section == "post-data" else []),
        str(file),
    ]
    run_tool(
        command,
        target,
        what=f"pg_restore of the {section} section",
        kind=TargetError,
        harmless=None if knows_all else 'unrecognized configuration parameter "transaction_timeout"',
    )


def restore_here(
    section: str,
    connection: psycopg.Connection[Any],
    target: Database,
    tools: ClientTools,
    file: Path,
    entries: list[str],
    *,
    options: Sequence[str] = (),
) -> None:
    """Restore one section of the archive within the open transaction of a connection. Raises TargetError.

    options: of pg_restore. What it would do is written down as a script and given to the connection.
    """
    use_list, script = (file.with_suffix(f".{section}.{kind}") for kind in ("list", "sql"))
    use_list.write_text("\n".join(entries) + "\n", encoding="utf-8")
    command = [tools.restore, f"--section={section}", f"--use-list={use_list}", f"--file={script}", *options]
    run_tool([*command, str(file)], target, what=f"pg_restore of the {section} section", kind=TargetError)
    text = script.read_bytes()
    script.unlink()
    if guard := re.search(rb"^\\restrict (\S+)$", text, re.MULTILINE):  # means something to psql only
        text = re.sub(rb"^\\(?:un)?restrict " + re.escape(guard[1]) + rb"$", b"", text, flags=re.MULTILINE)
    if connection.info.server_version < 170000:
        text = re.sub(rb"^SET transaction_timeout = 0;$", b"", text, flags=re.MULTILINE)
    # A message is decoded as a whole, so the encoding of its text must be set before.
    encoding = re.search(rb"^SET client_encoding = '(\w+)';$", text, re.MULTILINE)
    try:
        connection.execute(
            "SELECT set_config('client_encoding', %s, false)", [encoding[1].decode() if encoding else "UTF8"]
        )
        connection.execute(text)
        connection.execute("SELECT set_config('client_encoding', 'UTF8', false)")
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        raise TargetError(
            f"The {section} section cannot be restored: {error.diag.message_primary}."
        ) from None


def set_sequences(
    connection: psycopg.Connection[Any], positions: Mapping[Name, tuple[int | None, bool]]
) -> None:
    """Put every sequence where production's stands."""
    for name, (value, called) in positions.items():
        if value is not None:
            relation = sql.Identifier(name.schema, name.name).as_string(connection)
            connection.execute("SELECT setval(%s::regclass, %s, %s)", [relation, value, called])


def refresh_views(connection: psycopg.Connection[Any], snapshot: Snapshot) -> int:
    """Fill the materialised views that are filled in production, in the order they read each other."""
    populated = {Name(*row) for row in snapshot.connection.execute(_MATERIALIZED_VIEWS)}
    reads: dict[Name, set[Name]] = {name: set() for name in populated}
    for reader_schema, reader, schema, name in snapshot.connection.execute(_VIEW_DEPENDENCIES):
        if Name(reader_schema, reader) in reads:
            reads[Name(reader_schema, reader)].add(Name(schema, name))
    done: set[Name] = set()
    while len(done) < len(populated):
        for view in sorted(name for name in populated - done if not (reads[name] & populated) - done):
            connection.execute(
                sql.SQL("REFRESH MATERIALIZED VIEW {}").format(sql.Identifier(view.schema, view.name))
            )
            done.add(view)
    return len(done)


@contextmanager
def no_vacuum(target: Database, tables: Sequence[Name]) -> Iterator[None]:
    """Keep autovacuum off tables while they are filled, or read back.

    It would take time from both, in vain: whoever gives the table a key waits for a second
    (deadlock_timeout) until PostgreSQL ends its vacuum, and the swap ends it, too. Autovacuum passes over a
    table whose lock it cannot have at once; the lock taken here holds up neither COPY nor SELECT. Where it
    cannot be had, or is lost, the work goes on without.
    https://www.postgresql.org/docs/current/explicit-locking.html. Raises TargetError when there is no
    connection.
    """
    if not tables:
        yield
        return
    locked = sql.SQL(", ").join(sql.SQL("ONLY {}").format(sql.Identifier(t.schema, t.name)) for t in tables)
    with closing(target.connect(role="target")) as connection:
        with suppress(psycopg.Error):
            connection.execute(sql.SQL("LOCK TABLE {} IN SHARE UPDATE EXCLUSIVE MODE").format(locked))
        yield


def analyze(target: Database, catalog: Catalog, *, connections: int) -> dict[Name, str]:
    """ANALYZE every table, the largest first, over several connections.

    Returns tables that cannot be analysed, with the condition: a type without an order that works fails
    in production, too. Raises TargetError or psycopg.OperationalError when the server gives up.
    """
    tables = [t.name for t in sorted(catalog.tables.values(), key=lambda t: -t.bytes)]

    def work(part: list[Name]) -> dict[Name, str]:
        with target.connect(role="target", autocommit=True) as connection:
            return analyze_tables(connection, part)

    with ThreadPoolExecutor(connections) as pool:
        found = list(pool.map(work, [tables[i::connections] for i in range(connections)]))
    return {name: why for part in found for name, why in part.items()}


def analyze_tables(connection: psycopg.Connection[Any], tables: Iterable[Name]) -> dict[Name, str]:
    """ANALYZE tables one after the other; returns and raises what ``analyze`` does."""
    failed = {}
    for name in tables:
        try:
            with connection.transaction():
                connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(name.schema, name.name)))
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:
            failed[name] = type(error).__name__
    return failed


def superuser(connection: psycopg.Connection[Any]) -> bool:
    """Whether the connected role is a superuser."""
    row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    return bool(row and row[0])
