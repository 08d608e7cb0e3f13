"""The target before a refresh: may the role build, own, swap and drop what is needed, and is there room?"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from parity_data.catalog import Catalog, Snapshot
from parity_data.refresh.extensions import other_versions_declared
from parity_data.refresh.findings import Finding, size, some
from parity_data.refresh.look_at_source import clock, free_connections
from parity_data.refresh.look_in_place import look_in_place
from parity_data.release import names, properties, read_offer
from parity_data.rules import Policy

finding: Callable[..., Finding] = partial(Finding, side="target")

#: Room that indexes being built and WAL take besides the finished database.
HEADROOM = 1.3

_ROLE = """
SELECT rolsuper, rolcreatedb, rolcreaterole, pg_has_role(current_user, 'pg_signal_backend', 'USAGE'),
       quote_ident(rolname), pg_is_in_recovery()
FROM pg_roles WHERE rolname = current_user
"""
_DATABASES = """
SELECT d.datname, quote_ident(d.datname), pg_has_role(d.datdba, 'USAGE'), quote_ident(o.rolname)
FROM pg_database d JOIN pg_roles o ON o.oid = d.datdba WHERE d.datname = ANY (%s)
"""
_SESSIONS = """
SELECT count(*), count(*) FILTER (WHERE state = 'idle in transaction'),
       count(*) FILTER (WHERE NOT pg_has_role(usesysid, 'MEMBER'))
FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()
"""
_NOT_A_MEMBER = """
SELECT quote_ident(rolname) FROM pg_roles WHERE rolname = ANY (%s) AND NOT pg_has_role(oid, 'MEMBER')
ORDER BY 1
"""
#: Objects of production that none but a superuser can create, by kind; extensions' own left out.
_SUPERUSERS_OBJECTS = """
WITH made (kind, catalog, oid) AS (
    SELECT 'event trigger', 'pg_event_trigger'::regclass, oid FROM pg_event_trigger
    UNION ALL SELECT 'function in an untrusted language', 'pg_proc'::regclass, p.oid
        FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
        WHERE NOT l.lanpltrusted AND l.lanname <> 'sql' AND p.oid >= 16384
    UNION ALL SELECT 'leakproof function', 'pg_proc'::regclass, oid FROM pg_proc
        WHERE proleakproof AND oid >= 16384
    UNION ALL SELECT 'base type', 'pg_type'::regclass, oid FROM pg_type t
        WHERE typtype = 'b' AND oid >= 16384 AND typcategory <> 'A'
    UNION ALL SELECT 'operator class', 'pg_opclass'::regclass, oid FROM pg_opclass WHERE oid >= 16384
    UNION ALL SELECT 'operator family', 'pg_opfamily'::regclass, oid FROM pg_opfamily WHERE oid >= 16384
    UNION ALL SELECT 'text search parser', 'pg_ts_parser'::regclass, oid FROM pg_ts_parser WHERE oid >= 16384
    UNION ALL SELECT 'text search template', 'pg_ts_template'::regclass, oid FROM pg_ts_template
        WHERE oid >= 16384
    UNION ALL SELECT 'access method', 'pg_am'::regclass, oid FROM pg_am WHERE oid >= 16384
    UNION ALL SELECT 'language', 'pg_language'::regclass, oid FROM pg_language WHERE oid >= 16384
    UNION ALL SELECT 'foreign data wrapper', 'pg_foreign_data_wrapper'::regclass, oid
        FROM pg_foreign_data_wrapper
    UNION ALL SELECT 'publication of all tables', 'pg_publication'::regclass, oid FROM pg_publication
        WHERE puballtables
)
SELECT kind, count(*) FROM made m
WHERE NOT EXISTS (SELECT FROM pg_depend d
                  WHERE d.classid = m.catalog AND d.objid = m.oid AND d.deptype IN ('e', 'i'))
GROUP BY 1 ORDER BY 1
"""
#: Roles that providers let do what plain PostgreSQL keeps for superusers.
_ADMINS = """
SELECT count(*) FROM pg_roles WHERE pg_has_role(current_user, oid, 'MEMBER') AND rolname IN
    ('rds_superuser', 'cloudsqlsuperuser', 'azure_pg_admin', 'alloydbsuperuser', 'neon_superuser',
     'supabase_admin', 'doadmin', 'avnadmin')
"""
#: Extensions that this role may not create: neither trusted nor free for all.
_NOT_FOR_ALL = """
SELECT DISTINCT name FROM pg_available_extension_versions
WHERE name = ANY (%s) AND superuser AND NOT trusted ORDER BY 1
"""
_SIZE = """
SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::float8 FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> ALL (%s)
"""
_HOST = """
SELECT inet_server_addr() IS NULL OR inet_server_addr() = inet_client_addr(),
       (SELECT setting FROM pg_settings WHERE name = 'data_directory')
"""


def look_at_target(
    connection: psycopg.Connection[Any],
    name: str,
    snapshot: Snapshot,
    catalog: Catalog,
    policy: Policy,
    *,
    fraction: float,
    connections: int,
) -> Iterator[Finding]:
    """Findings about the target. name: staging's. Raises psycopg.Error.

    connection: to any of its databases; to staging's where the policy has releases built within it.

    The snapshot's connection is asked what production consists of.
    """
    row = connection.execute(_ROLE).fetchone()
    assert row is not None
    is_super, creates, creates_roles, signals, role, standby = row
    yield from _server(connection, snapshot, standby)
    if policy.release.in_place:
        yield from look_in_place(connection, snapshot, policy)
    else:
        yield from _database_privileges(connection, name, role, is_super or creates)
    yield from _sessions(connection, name, role, is_super or signals)
    yield from _roles(connection, snapshot, catalog, policy, role, is_super, creates_roles)
    if not is_super:
        yield from _superusers_objects(connection, snapshot, catalog, policy, role)
    yield from _extensions(connection, catalog, policy)
    yield from _room(connection, snapshot, policy, fraction)
    yield from clock("target clock", connection, "target")
    yield from free_connections("target connections", connection, connections, "target")


def _server(connection: psycopg.Connection[Any], snapshot: Snapshot, standby: bool) -> Iterator[Finding]:
    mine, theirs = snapshot.version // 10000, connection.info.server_version // 10000
    if standby:
        yield finding("target", "fail", "the server is a standby and takes no writes", "Name its primary.")
    elif theirs < mine:
        what = f"PostgreSQL {theirs}, older than the source's {mine}: newer syntax will not fit"
        yield finding("target", "warn", what, f"Upgrade the target to {mine}.")
    else:
        yield finding("target", "ok", f"PostgreSQL {theirs}")


def _database_privileges(
    connection: psycopg.Connection[Any], name: str, role: str, may_create: bool
) -> Iterator[Finding]:
    if may_create:
        yield finding("target privileges", "ok", f"role {role} may create databases")
    else:
        what = f"role {role} may not create databases"
        yield finding("target privileges", "fail", what, f"ALTER ROLE {role} CREATEDB;")
    around = [name, names.previous_name(name), names.ledger_name(name)]
    for _, quoted, owns, owner in connection.execute(_DATABASES, [around]).fetchall():
        if not owns:
            what = f"database {quoted} belongs to {owner}, so role {role} may not rename it"
            todo = f"ALTER DATABASE {quoted} OWNER TO {role}; or GRANT {owner} TO {role};"
            yield finding("database owner", "fail", what, todo)


def _sessions(
    connection: psycopg.Connection[Any], name: str, role: str, may_signal: bool
) -> Iterator[Finding]:
    row = connection.execute(_SESSIONS, [name]).fetchone()
    assert row is not None
    count, idle, strangers = row
    if may_signal or not strangers:
        what = f"{count} open now, {idle} of them idle in a transaction; the swap ends them"
        yield finding("sessions on staging", "ok", what)
    else:
        what = (
            f"{strangers} of {count} belong to roles whose sessions {role} may not end: they block the swap"
        )
        yield finding("sessions on staging", "warn", what, f"GRANT pg_signal_backend TO {role};")


def _roles(
    connection: psycopg.Connection[Any],
    snapshot: Snapshot,
    catalog: Catalog,
    policy: Policy,
    role: str,
    is_super: bool,
    creates_roles: bool,
) -> Iterator[Finding]:
    owners, grants = policy.objects.owners == "production", policy.objects.grants == "production"
    needed = properties.needed_roles(snapshot, catalog.roles, owners=owners, grants=grants)
    missing = properties.missing_roles(connection, needed)
    choice = "or set owners: target and grants: none under objects in policy.yaml."
    if missing and not (is_super or creates_roles):
        todo = " ".join(f"CREATE ROLE {_quoted(name)} NOLOGIN;" for name in missing) + f" {choice}"
        yield finding("roles", "fail", f"{len(missing)} role(s) are missing: {some(missing)}", todo)
    elif missing:
        yield finding("roles", "ok", f"{len(missing)} will be created without login: {some(missing)}")
    else:
        yield finding("roles", "ok", f"all {len(needed)} that production's objects name are there")
    if owners and not is_super:
        strange = [name for (name,) in connection.execute(_NOT_A_MEMBER, [list(catalog.owners)])]
        if strange:
            what = f"objects belong to roles that {role} is no member of: {some(strange)}"
            yield finding("owners", "fail", what, f"GRANT {', '.join(strange)} TO {role}; {choice}")


def _superusers_objects(
    connection: psycopg.Connection[Any], snapshot: Snapshot, catalog: Catalog, policy: Policy, role: str
) -> Iterator[Finding]:
    excluded = policy.objects.exclude
    found = {
        kind: count
        for kind, count in snapshot.connection.execute(_SUPERUSERS_OBJECTS).fetchall()
        if kind.replace(" of all tables", "") not in excluded
    }
    if found:
        listed = ", ".join(f"{count} {kind}(s)" for kind, count in found.items())
        todo = f"ALTER ROLE {role} SUPERUSER; or drop them in production"
        row = connection.execute(_ADMINS).fetchone()
        status = "warn" if row is not None and row[0] else "fail"
        if "event trigger" in found or "publication of all tables" in found:
            todo += "; event triggers and publications may stay behind: objects: {exclude: {...}}"
        yield finding("superuser's objects", status, f"only a superuser creates {listed}", todo + ".")
    untrusted = [name for (name,) in connection.execute(_NOT_FOR_ALL, [list(catalog.extensions)])]
    if untrusted:
        what = f"extensions that plain roles may not create: {some(untrusted)}"
        todo = "Use the provider's admin role, which may, or have the extension marked as trusted."
        yield finding("untrusted extensions", "warn", what, todo)


def _extensions(connection: psycopg.Connection[Any], catalog: Catalog, policy: Policy) -> Iterator[Finding]:
    offer = read_offer(connection)
    missing = offer.missing(catalog.extensions)
    declared = other_versions_declared(catalog.extensions, policy)
    others = [name for name in offer.other_versions(catalog.extensions) if name not in declared]
    if missing:
        todo = "Install their packages on the target's machine."
        yield finding("extensions", "fail", f"not available on the target: {some(missing)}", todo)
    if others:
        todo = "Update them on either side, or declare it: see Differences that are wanted, docs/rules.md."
        yield finding("extensions", "fail", f"in other versions on the target: {some(others)}", todo)
    if not missing and not others:
        yield finding("extensions", "ok", f"all {len(catalog.extensions)} available in production's versions")


def _room(
    connection: psycopg.Connection[Any], snapshot: Snapshot, policy: Policy, fraction: float
) -> Iterator[Finding]:
    row = snapshot.connection.execute(_SIZE, [list(policy.ignore_schemas)]).fetchone()
    assert row is not None
    needed = row[0] * fraction * HEADROOM
    about = f"about {size(needed)} for the next release, beside what is there"
    row = connection.execute(_HOST).fetchone()
    assert row is not None
    here, folder = row
    if not (here and folder and Path(folder).is_dir()):
        yield finding("disk", "ok", f"{about}; the server's disk cannot be seen from here")
        return
    free = shutil.disk_usage(folder).free
    if free < needed:
        todo = "Free space there, lower the fraction, or drop the previous release."
        yield finding("disk", "fail", f"{about}; only {size(free)} are free", todo)
    else:
        yield finding("disk", "ok", f"{about}; {size(free)} are free")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
