"""Large objects under production's numbers: as they are, or as many zero bytes.

Columns hold their numbers, so a blank object is an object still.
https://www.postgresql.org/docs/current/lo-funcs.html
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from parity_data.catalog.snapshot import Snapshot
from parity_data.errors import SourceError

#: Bytes that travel at once.
_PIECE = 4 * 1024 * 1024

_OBJECTS = """
SELECT m.oid::int8, pg_get_userbyid(m.lomowner), d.description,
       (SELECT array_agg(ARRAY[CASE a.grantee WHEN 0 THEN '' ELSE pg_get_userbyid(a.grantee)::text END,
                               a.privilege_type, a.is_grantable::text])
        FROM aclexplode(m.lomacl) a WHERE a.grantee <> m.lomowner)
FROM pg_largeobject_metadata m
LEFT JOIN pg_description d ON d.classoid = 'pg_largeobject'::regclass AND d.objoid = m.oid ORDER BY 1
"""


def copy_large_objects(
    snapshot: Snapshot, target: psycopg.Connection[Any], *, blank: bool, owners: bool, grants: bool
) -> int:
    """Create production's large objects in the target, one transaction each; how many there are.

    blank: with zero bytes for content. Raises SourceError when one may not be read.
    """
    found = snapshot.connection.execute(_OBJECTS).fetchall()
    for oid, owner, comment, privileges in found:
        with target.transaction():
            target.execute("SELECT lo_create(%s::oid)", [oid])
            try:
                _write(snapshot, target, oid, blank)
            except psycopg.errors.InsufficientPrivilege:
                raise SourceError(
                    "The source role may not read this large object.",
                    where=f"large object {oid}",
                    todo="GRANT SELECT ON LARGE OBJECT, or set large_objects: exclude in policy.yaml.",
                ) from None
            number = sql.Literal(oid)
            if comment is not None and not blank:
                target.execute(
                    sql.SQL("COMMENT ON LARGE OBJECT {} IS {}").format(number, sql.Literal(comment))
                )
            for grantee, privilege, grantable in (privileges or []) if grants else []:
                target.execute(
                    sql.SQL("GRANT {} ON LARGE OBJECT {} TO {} {}").format(
                        sql.SQL(privilege),
                        number,
                        sql.Identifier(grantee) if grantee else sql.SQL("PUBLIC"),
                        sql.SQL("WITH GRANT OPTION" if grantable == "true" else ""),
                    )
                )
            if owners:
                target.execute(
                    sql.SQL("ALTER LARGE OBJECT {} OWNER TO {}").format(number, sql.Identifier(owner))
                )
    return len(found)


def _write(snapshot: Snapshot, target: psycopg.Connection[Any], oid: int, blank: bool) -> None:
    at = 0
    while True:
        wanted = "octet_length(lo_get(%s::oid, %s, %s))" if blank else "lo_get(%s::oid, %s, %s)"
        row = snapshot.connection.execute(f"SELECT {wanted}".encode(), [oid, at, _PIECE]).fetchone()
        assert row is not None
        piece = bytes(row[0])  # of a number: as many zero bytes
        if piece:
            target.execute("SELECT lo_put(%s::oid, %s, %s)", [oid, at, piece])
        if len(piece) < _PIECE:
            return
        at += len(piece)
