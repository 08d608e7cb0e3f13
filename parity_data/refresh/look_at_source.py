"""Production before a refresh: may everything be read, and will it let us read to the end?

Cheap: catalog and statistics views only, no table is touched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import psycopg
from psycopg import sql

from parity_data.catalog import Snapshot
from parity_data.refresh.findings import Finding, some
from parity_data.rules import Load, Policy

#: Oldest major version this product is tested with.
OLDEST = 13
#: Connections a refresh takes besides its workers: snapshot, reflection, schema dump.
OTHER_CONNECTIONS = 3
#: Seconds.
CLOCK_MAY_DIFFER = 30
LAG_MAY_BE = 300

finding: Callable[..., Finding] = partial(Finding, side="source")

#: Tables and sequences that pg_dump and the reader lock or read, and this role may not.
_UNREADABLE = """
SELECT n.nspname, format('%%I', n.nspname), format('%%I.%%I', n.nspname, c.relname),
       has_schema_privilege(n.oid, 'USAGE'), pg_get_userbyid(c.relowner)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'S') AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> ALL (%s)
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                  AND d.deptype = 'e')
  AND NOT (has_schema_privilege(n.oid, 'USAGE')
           AND CASE c.relkind WHEN 'S' THEN has_sequence_privilege(c.oid, 'SELECT')
                              ELSE has_table_privilege(c.oid, 'SELECT') END)
ORDER BY 3
"""
#: Tables whose policies would hide rows from this role, which the reader refuses (row_security = off).
_HIDDEN = """
SELECT format('%%I.%%I', n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relrowsecurity AND n.nspname <> ALL (%s) AND row_security_active(c.oid) ORDER BY 1
"""
_SEES_OTHERS = """
SELECT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'), quote_ident(current_user)
"""
_LOCKED = """
SELECT DISTINCT format('%I.%I', n.nspname, c.relname)
FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE l.mode = 'AccessExclusiveLock' AND l.pid <> pg_backend_pid() AND c.relkind IN ('r', 'p')
  AND n.nspname !~ '^pg_' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY 1
"""
_CONNECTIONS = """
SELECT current_setting('max_connections')::int
           - current_setting('superuser_reserved_connections')::int
           - coalesce(current_setting('reserved_connections', true), '0')::int
           - (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
       nullif(r.rolconnlimit, -1)
           - (SELECT count(*) FROM pg_stat_activity WHERE usename = current_user),
       nullif(d.datconnlimit, -1)
           - (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()), r.rolsuper
FROM pg_roles r, pg_database d WHERE r.rolname = current_user AND d.datname = current_database()
"""
_STANDBY = """
SELECT extract(epoch FROM now() - pg_last_xact_replay_timestamp())::float8,
       current_setting('hot_standby_feedback') = 'on', current_setting('max_standby_streaming_delay')
"""
_REPLICAS = """
SELECT max(extract(epoch FROM replay_lag))::float8, count(*) FROM pg_stat_replication
"""


def look_at_source(snapshot: Snapshot, policy: Policy, connections: int) -> Iterator[Finding]:
    """Findings about production, from the snapshot's own connection. Raises psycopg.Error."""
    yield from _version(snapshot)
    yield from _privileges(snapshot.connection, list(policy.ignore_schemas))
    yield from clock("source clock", snapshot.connection, "source")
    yield from _load(snapshot.connection, policy.load)
    workers = policy.load.workers(connections)
    yield from free_connections("source connections", snapshot.connection, workers, "source")
    yield from _locks(snapshot.connection)
    yield from _replication(snapshot)


def _version(snapshot: Snapshot) -> Iterator[Finding]:
    major = snapshot.version // 10000
    if major < OLDEST:
        yield finding("source version", "fail", f"PostgreSQL {major} is older than {OLDEST}", "Upgrade it.")
    kind = "standby" if snapshot.is_standby else "primary"
    yield finding("source", "ok", f"PostgreSQL {major}, {kind}, snapshot exported")


def _privileges(connection: psycopg.Connection[Any], ignored: list[str]) -> Iterator[Finding]:
    rows = connection.execute(_UNREADABLE, [ignored]).fetchall()
    row = connection.execute("SELECT quote_ident(current_user)").fetchone()
    assert row is not None
    role = row[0]
    if rows:
        schemas = {schema: usage for _, schema, _, usage, _ in rows}
        grants = [
            f"GRANT USAGE ON SCHEMA {schema} TO {role};" for schema, usage in schemas.items() if not usage
        ]
        grants += [
            f"GRANT SELECT ON ALL {kind} IN SCHEMA {schema} TO {role};"
            for schema in schemas
            for kind in ("TABLES", "SEQUENCES")
        ]
        what = f"{len(rows)} table(s) or sequence(s) may not be read: {some([r[2] for r in rows])}"
        yield finding("source privileges", "fail", what, " ".join(grants))
    else:
        yield finding("source privileges", "ok", "every table and sequence may be read")
    hidden = [name for (name,) in connection.execute(_HIDDEN, [ignored])]
    if hidden:
        what = f"row security would hide rows of {len(hidden)} table(s): {some(hidden)}"
        yield finding("row security", "fail", what, f"ALTER ROLE {role} BYPASSRLS;")


def clock(name: str, connection: psycopg.Connection[Any], side: str) -> Iterator[Finding]:
    """How far the server's clock is from ours; half the round trip is counted out."""
    before = datetime.now(UTC)
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    after = datetime.now(UTC)
    assert row is not None
    seconds = abs((row[0] - (before + (after - before) / 2)).total_seconds())
    if seconds > CLOCK_MAY_DIFFER:
        what = f"differs from this machine's by {seconds:.0f} s; times in report and ledger will not agree"
        yield Finding(name, "warn", what, "Let both follow NTP.", side)  # type: ignore[arg-type]
    else:
        yield Finding(name, "ok", f"within {CLOCK_MAY_DIFFER} s of this machine's", None, side)  # type: ignore[arg-type]


def free_connections(
    name: str, connection: psycopg.Connection[Any], workers: int, side: str
) -> Iterator[Finding]:
    """Whether the server, the role and the database still admit what a refresh opens."""
    row = connection.execute(_CONNECTIONS).fetchone()
    assert row is not None
    *limits, is_super = row
    free = min(limit for limit in limits if limit is not None)
    needed = workers + OTHER_CONNECTIONS
    if free < needed and not is_super:
        todo = "Lower PARITY_CONNECTIONS, or raise max_connections, the role's or the database's limit."
        what = f"{free} free, {needed} needed"
        yield Finding(name, "warn", what, todo, side)  # type: ignore[arg-type]
    else:
        yield Finding(name, "ok", f"{free} free, {needed} needed", None, side)  # type: ignore[arg-type]


def _load(connection: psycopg.Connection[Any], limits: Load) -> Iterator[Finding]:
    """Whether the role sees what a load is to pause for: others' sessions and replicas show nothing else."""
    if limits.pause_above_lag_seconds is None and limits.pause_above_active_sessions is None:
        return
    row = connection.execute(_SEES_OTHERS).fetchone()
    assert row is not None
    sees, role = row
    if sees:
        yield finding("limits of the load", "ok", "the role sees what they are about")
    else:
        what = (
            f"role {role} does not see others' sessions, so a pause that policy.yaml asks for would not come"
        )
        yield finding("limits of the load", "fail", what, f"GRANT pg_read_all_stats TO {role};")


def _locks(connection: psycopg.Connection[Any]) -> Iterator[Finding]:
    locked = [name for (name,) in connection.execute(sql.SQL(_LOCKED))]
    if locked:
        what = f"{len(locked)} table(s) are exclusively locked now: {some(locked)}"
        todo = "Wait for the migration or VACUUM FULL to end: SELECT * FROM pg_stat_activity;"
        yield finding("locks", "warn", what, todo)
    else:
        yield finding("locks", "ok", "no table is exclusively locked")


def _replication(snapshot: Snapshot) -> Iterator[Finding]:
    if snapshot.is_standby:
        row = snapshot.connection.execute(_STANDBY).fetchone()
        assert row is not None
        lag, feedback, delay = row
        if lag is not None and lag > LAG_MAY_BE:
            what = f"the standby is {lag:.0f} s behind: staging will show production of then"
            yield finding("replication lag", "warn", what, "Let it catch up, or read from the primary.")
        else:
            yield finding("replication lag", "ok", "the standby keeps up")
        if delay == "-1":
            yield finding("standby conflicts", "ok", "recovery waits for readers")
        elif feedback:
            what = f"rows are kept for readers; a lock on the primary (DDL) would end reading after {delay}"
            yield finding("standby conflicts", "ok", what)
        else:
            what = f"a recovery conflict would cancel reading after {delay}"
            todo = "ALTER SYSTEM SET hot_standby_feedback = on; SELECT pg_reload_conf(); (on the standby)"
            yield finding("standby conflicts", "warn", what, todo)
        return
    row = snapshot.connection.execute(_REPLICAS).fetchone()
    assert row is not None
    lag, replicas = row
    if lag is not None and lag > LAG_MAY_BE:
        what = f"a replica is {lag:.0f} s behind"
        yield finding("replication lag", "warn", what, "Wait until it has caught up.")
    elif replicas:
        yield finding("replication lag", "ok", f"{replicas} replica(s) keep up")
