"""The target before a refresh within staging's database: may the role make, rename, lock and fill there?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import psycopg

from parity_data.catalog import Snapshot
from parity_data.errors import TargetError
from parity_data.refresh.findings import Finding, some
from parity_data.release.schemas import require_movable, schemas_of_production
from parity_data.rules import Policy

finding: Callable[..., Finding] = partial(Finding, side="target")

_CREATE = """
SELECT has_database_privilege(current_database(), 'CREATE'), quote_ident(current_database()),
       quote_ident(current_user)
"""
_SCHEMAS = """
SELECT quote_ident(nspname), quote_ident(pg_get_userbyid(nspowner)) FROM pg_namespace
WHERE nspname = ANY (%s) AND NOT pg_has_role(nspowner, 'USAGE') ORDER BY 1
"""
_OWNERS = """
SELECT DISTINCT quote_ident(pg_get_userbyid(c.relowner))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname = ANY (%s)
  AND NOT pg_has_role(c.relowner, 'USAGE')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                  AND d.deptype = 'e')
ORDER BY 1
"""
_EXTENSIONS = """
SELECT quote_ident(e.extname), quote_ident(pg_get_userbyid(e.extowner))
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE n.nspname = ANY (%s) AND NOT pg_has_role(e.extowner, 'USAGE') ORDER BY 1
"""
_RELATIONS = """
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_(catalog|temp)' AND n.nspname <> 'information_schema'
"""
_LOCKS = """
SELECT current_setting('max_locks_per_transaction')::int
       * (current_setting('max_connections')::int + current_setting('max_prepared_transactions')::int)
"""


def look_in_place(
    connection: psycopg.Connection[Any], snapshot: Snapshot, policy: Policy
) -> Iterator[Finding]:
    """Findings about staging's own database. connection: to it. Raises psycopg.Error."""
    row = connection.execute(_CREATE).fetchone()
    assert row is not None
    creates, database, role = row
    if creates:
        what = f"role {role} may create schemas in {database}, as method '{policy.release.method}' needs"
        yield finding("target privileges", "ok", what)
    else:
        what = f"role {role} may not create schemas in {database}"
        yield finding("target privileges", "fail", what, f"GRANT CREATE ON DATABASE {database} TO {role};")
    try:
        schemas = schemas_of_production(snapshot.connection, policy.ignore_schemas)
    except TargetError as error:
        yield finding("schemas", "fail", error.what, error.todo)
        return
    yield from _owners(connection, schemas, role)
    if policy.release.method == "schema":
        yield from _renaming(connection, schemas, role)
    yield from _locks(connection, snapshot)


def _owners(connection: psycopg.Connection[Any], schemas: list[str], role: str) -> Iterator[Finding]:
    owners = [name for (name,) in connection.execute(_OWNERS, [schemas])]
    if owners:
        what = f"relations of staging belong to roles that {role} is no member of: {some(owners)}"
        yield finding("relations' owners", "fail", what, f"GRANT {', '.join(owners)} TO {role};")


def _renaming(connection: psycopg.Connection[Any], schemas: list[str], role: str) -> Iterator[Finding]:
    for schema, owner in connection.execute(_SCHEMAS, [schemas]).fetchall():
        what = f"schema {schema} belongs to {owner}, so role {role} may not rename it"
        yield finding("schema owner", "fail", what, f"ALTER SCHEMA {schema} OWNER TO {role};")
    try:
        require_movable(connection, schemas)
    except TargetError as error:
        yield finding("extensions in place", "fail", f"{error.where}: {error.what}", error.todo)
    for extension, owner in connection.execute(_EXTENSIONS, [schemas]).fetchall():
        what = f"extension {extension} lies beside staging's tables and belongs to {owner}: it cannot move on"
        yield finding("extensions in place", "fail", what, f"GRANT {owner} TO {role};")


def _locks(connection: psycopg.Connection[Any], snapshot: Snapshot) -> Iterator[Finding]:
    """One transaction makes every relation and locks every old one, and each takes a place in one table."""
    needed = 0
    for side in (snapshot.connection, connection):
        row = side.execute(_RELATIONS).fetchone()
        assert row is not None
        needed += row[0]
    row = connection.execute(_LOCKS).fetchone()
    assert row is not None
    room = row[0]
    if needed > room:
        what = f"one transaction will lock about {needed} relations; the server has room for {room}"
        todo = f"ALTER SYSTEM SET max_locks_per_transaction = {64 * (needed // room + 1)}; and restart it."
        yield finding("room for locks", "fail", what, todo)
    else:
        yield finding("room for locks", "ok", f"about {needed} of {room} will be taken")
