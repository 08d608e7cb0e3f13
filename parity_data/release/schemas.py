"""Releases as schemas of one database: put in place, and back, by renaming schemas in one transaction.

References between objects are kept by OID, so views, keys, defaults and types follow their schema; only the
text of function bodies holds names, which are right again whenever the release serves. Renaming a schema
takes no lock that a query would wait for, and nobody sees it before the transaction commits.
https://www.postgresql.org/docs/current/sql-alterschema.html
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import sql

from parity_data.errors import TargetError
from parity_data.release import names
from parity_data.release.ledger import SCHEMA, Ledger, ReleaseRecord

Renames = list[tuple[str, str]]

#: Schemas of production that a release consists of. Not those that an extension made, nor those that hold
#: nothing but extensions: these belong to the database, as the extensions do.
_OF_PRODUCTION = """
SELECT n.nspname FROM pg_namespace n
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> ALL (%s)
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_namespace'::regclass AND d.objid = n.oid
                  AND d.deptype = 'e')
  AND (NOT EXISTS (SELECT FROM pg_extension e WHERE e.extnamespace = n.oid)
       OR EXISTS (SELECT FROM (SELECT 'pg_class'::regclass, oid, relnamespace FROM pg_class
                               UNION ALL SELECT 'pg_proc'::regclass, oid, pronamespace FROM pg_proc
                               UNION ALL SELECT 'pg_type'::regclass, oid, typnamespace FROM pg_type
                                         WHERE typtype <> 'b' AND typtype <> 'm') AS o (catalog, oid, schema)
                  WHERE o.schema = n.oid AND NOT EXISTS (
                      SELECT FROM pg_depend d WHERE d.classid = o.catalog AND d.objid = o.oid
                      AND d.deptype IN ('e', 'i'))
                    AND NOT EXISTS (
                      SELECT FROM pg_depend d
                      JOIN pg_depend m ON m.classid = d.refclassid AND m.objid = d.refobjid
                      WHERE d.classid = o.catalog AND d.objid = o.oid AND m.deptype = 'e'
                        AND d.deptype IN ('a', 'i')))
       OR n.nspname = 'public')
ORDER BY 1
"""
_ALL = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'"
_EXTENSIONS = """
SELECT e.extname, n.nspname, e.extrelocatable
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE n.nspname = ANY (%s) ORDER BY 1
"""
#: Objects elsewhere that hang on something in the schemas and would go down with them.
_HANGING_ON = """
WITH inside (catalog, oid) AS (
    SELECT 'pg_class'::regclass, c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY (%(schemas)s)
    UNION ALL SELECT 'pg_type'::regclass, t.oid FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE n.nspname = ANY (%(schemas)s)
    UNION ALL SELECT 'pg_proc'::regclass, p.oid FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = ANY (%(schemas)s)
), hanging (schema, name) AS (
    SELECT coalesce(c.relnamespace, p.pronamespace), coalesce(c.relname, p.proname)
    FROM inside i
    JOIN pg_depend d ON d.refclassid = i.catalog AND d.refobjid = i.oid AND d.deptype IN ('n', 'a')
    LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
    LEFT JOIN pg_attrdef a ON d.classid = 'pg_attrdef'::regclass AND a.oid = d.objid
    LEFT JOIN pg_trigger t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
    LEFT JOIN pg_policy y ON d.classid = 'pg_policy'::regclass AND y.oid = d.objid
    LEFT JOIN pg_class c ON c.oid = coalesce(r.ev_class, k.conrelid, a.adrelid, t.tgrelid, y.polrelid,
                                             CASE WHEN d.classid = 'pg_class'::regclass THEN d.objid END)
    LEFT JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
)
SELECT DISTINCT n.nspname || '.' || h.name FROM hanging h JOIN pg_namespace n ON n.oid = h.schema
WHERE n.nspname <> ALL (%(schemas)s) AND n.nspname !~ '^pg_toast' ORDER BY 1
"""
_SIZE = """
SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::float8 FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'm', 'S') AND n.nspname = ANY (%s)
"""


def schemas_of_production(source: psycopg.Connection[Any], ignore: Collection[str]) -> list[str]:
    """Names of the schemas that a release consists of. Raises TargetError when one is the ledger's."""
    found = [name for (name,) in source.execute(_OF_PRODUCTION, [list(ignore)])]
    if SCHEMA in found:
        raise TargetError(
            f"Production has a schema {SCHEMA}, where the ledger of releases would be.",
            where=SCHEMA,
            todo="Use release: {method: database} in policy.yaml, or list the schema under ignore_schemas.",
        )
    return found


def schemas_there(connection: psycopg.Connection[Any]) -> set[str]:
    """All schemas of the database that are not PostgreSQL's own."""
    return {name for (name,) in connection.execute(_ALL)}


def schemas_of(record: ReleaseRecord) -> list[str]:
    """The schemas of a release by the names under which it serves."""
    return list(record.details.get("schemas", []))


def shadow(record: ReleaseRecord, schema: str) -> str:
    """What a schema of a release is called while the release does not serve."""
    make = names.next_name if record.state in ("ready", "building") else names.kept_name
    return make(schema, record.id)


def previous_schema(release: str, schema: str) -> str:
    """What a schema of a release that served is called."""
    return names.kept_name(schema, release)


def away(schemas: Iterable[str], release: str) -> Renames:
    """Renames that put the schemas of a serving release aside."""
    return [(schema, previous_schema(release, schema)) for schema in schemas]


def rename_schemas(connection: psycopg.Connection[Any], renames: Sequence[tuple[str, str]]) -> None:
    """Rename in order, in the caller's transaction. Raises TargetError naming the schema that is not ours."""
    for old, new in renames:
        try:
            connection.execute(
                sql.SQL("ALTER SCHEMA {} RENAME TO {}").format(sql.Identifier(old), sql.Identifier(new))
            )
        except psycopg.errors.InsufficientPrivilege:
            raise TargetError(
                "The target role may not rename this schema of staging.",
                where=old,
                todo="It must own it and may CREATE in the database: 'parity doctor' gives the commands.",
            ) from None


def bring_extensions(connection: psycopg.Connection[Any], real: Mapping[str, str]) -> None:
    """Move extensions out of schemas that were put aside. real: where they belong, by the schema they are in.

    Both releases use them by OID, wherever they are. Raises TargetError for one that cannot move.
    """
    there = schemas_there(connection)
    for extension, schema, relocatable in connection.execute(_EXTENSIONS, [list(real)]).fetchall():
        if real[schema] not in there:
            continue
        if not relocatable:
            raise _fixed(extension, real[schema])
        try:
            connection.execute(
                sql.SQL("ALTER EXTENSION {} SET SCHEMA {}").format(
                    sql.Identifier(extension), sql.Identifier(real[schema])
                )
            )
        except psycopg.errors.InsufficientPrivilege:
            raise TargetError(
                "The target role may not move this extension to the next release's schema.",
                where=extension,
                todo="It must own the extension, or the extension must have a schema of its own.",
            ) from None


def require_movable(connection: psycopg.Connection[Any], schemas: Collection[str]) -> None:
    """Raise TargetError when an extension that cannot move is in a schema that releases exchange."""
    for extension, schema, relocatable in connection.execute(_EXTENSIONS, [list(schemas)]).fetchall():
        if not relocatable:
            raise _fixed(extension, schema)


def _fixed(extension: str, schema: str) -> TargetError:
    return TargetError(
        f"The extension lies in schema {schema} beside production's objects, and it cannot be moved.",
        where=extension,
        todo="Give it a schema of its own on both sides, or use release: {method: database} in policy.yaml.",
    )


def create_public(connection: psycopg.Connection[Any]) -> None:
    """Make the schema 'public' as initdb makes it; pg_dump takes for granted that it is there."""
    modern = connection.info.server_version >= 150000
    connection.execute("CREATE SCHEMA public")
    connection.execute("COMMENT ON SCHEMA public IS 'standard public schema'")
    if modern:
        connection.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
        try:
            with connection.transaction():
                connection.execute("ALTER SCHEMA public OWNER TO pg_database_owner")
        except psycopg.errors.InsufficientPrivilege:
            pass  # Then it belongs to the target role, as all objects may.
    else:
        connection.execute("GRANT ALL ON SCHEMA public TO PUBLIC")


def put_in_place(
    connection: psycopg.Connection[Any], ledger: Ledger, chosen: ReleaseRecord
) -> ReleaseRecord | None:
    """Rename the schemas of the release that serves away, and those of another one to their names.

    In the caller's transaction; the ledger's entries are the caller's, too. Returns what served until now.
    """
    current = next((r for r in ledger.releases() if r.state == "current"), None)
    renames: Renames = [] if current is None else away(schemas_of(current), current.id)
    renames += [(shadow(chosen, schema), schema) for schema in schemas_of(chosen)]
    rename_schemas(connection, renames)
    if current is not None:
        bring_extensions(connection, {new: old for old, new in away(schemas_of(current), current.id)})
    return current


@contextmanager
def as_if_in_place(ledger: Ledger, record: ReleaseRecord) -> Iterator[psycopg.Connection[Any]]:
    """A connection that sees a release as it is when it serves; nobody else does, and nothing stays of it."""
    with ledger.server.connect(role="target") as connection:
        if record.state != "current":
            put_in_place(connection, ledger, record)
        yield connection
        connection.rollback()


def speak_for(ledger: Ledger, connection: psycopg.Connection[Any]) -> Ledger:
    """The ledger over another connection to its database, so that its entries are of that transaction."""
    other = copy.copy(ledger)
    other.connection = connection
    return other


def drop_left_schemas(ledger: Ledger, tell: Callable[[str], None] = lambda text: None) -> list[str]:
    """Drop schemas that no release needs any more. Returns their names.

    What somebody's own objects in other schemas hang on stays; ``tell`` is given a sentence about it.
    """
    there, dropped = schemas_there(ledger.connection), []
    for record in ledger.releases():
        forms = {
            "previous": (names.next_name,),
            "ready": (names.kept_name,),
        }.get(record.state, (names.next_name, names.kept_name))
        left = sorted({make(s, record.id) for make in forms for s in schemas_of(record)} & there)
        if left:
            hanging = [row[0] for row in ledger.connection.execute(_HANGING_ON, {"schemas": left})]
            if hanging:
                tell(
                    f"Schema {left[0]} of a release that is gone stays, since {hanging[0]} "
                    f"({len(hanging)} object(s) in all) hangs on it."
                )
                continue
            listed = sql.SQL(", ").join(map(sql.Identifier, left))
            ledger.connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(listed))
            dropped += left
    return dropped


def size_of(ledger: Ledger, record: ReleaseRecord) -> float:
    """Bytes that a release takes which does not serve."""
    shadows = [shadow(record, schema) for schema in schemas_of(record)]
    row = ledger.connection.execute(_SIZE, [shadows]).fetchone()
    assert row is not None
    return float(row[0])
