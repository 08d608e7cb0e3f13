"""What pg_dump leaves out: the database's locale, owner, settings, privileges and limit, and its roles.

https://www.postgresql.org/docs/current/sql-createdatabase.html
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg
from psycopg import sql

from parity_data.catalog.snapshot import Snapshot
from parity_data.errors import TargetError
from parity_data.release.ledger import Ledger

_PROPERTIES = """
SELECT pg_encoding_to_char(encoding), datcollate, datctype,
       to_jsonb(d) ->> 'datlocprovider',
       coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale'),
       to_jsonb(d) ->> 'daticurules', datconnlimit, shobj_description(d.oid, 'pg_database'),
       pg_get_userbyid(datdba), t.spcname
FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace WHERE datname = current_database()
"""
_SETTINGS = """
SELECT CASE WHEN s.setrole <> 0 THEN pg_get_userbyid(s.setrole) END,
       split_part(item, '=', 1), substr(item, strpos(item, '=') + 1)
FROM pg_db_role_setting s CROSS JOIN unnest(s.setconfig) AS item
WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
#: Settings that roles have in every database of the server.
_EVERYWHERE = """
SELECT count(*) FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole CROSS JOIN unnest(s.setconfig)
WHERE s.setdatabase = 0 AND r.rolname = ANY (%s)
"""
_GRANTS = """
SELECT CASE WHEN a.grantee = 0 THEN '' ELSE pg_get_userbyid(a.grantee) END,
       array_agg(a.privilege_type ORDER BY a.privilege_type), a.is_grantable
FROM pg_database d CROSS JOIN aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS a
WHERE d.datname = current_database() AND a.grantee <> d.datdba GROUP BY 1, a.is_grantable ORDER BY 1
"""
#: Roles that row security policies name; the others only own things or are granted something.
_POLICY_ROLES = """
SELECT DISTINCT r.rolname FROM pg_policy p CROSS JOIN unnest(p.polroles) AS n (oid)
JOIN pg_roles r ON r.oid = n.oid
"""
#: Settings that hold lists keep their quoting in pg_db_role_setting (guc.c, GUC_LIST_QUOTE).
_LIST_SETTINGS = frozenset(
    {
        *("search_path", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries"),
        *("shared_preload_libraries", "unix_socket_directories"),
    }
)


def create_database(ledger: Ledger, name: str, snapshot: Snapshot, *, tablespace: str | None = None) -> None:
    """Create the next database with production's encoding and locale. Raises TargetError.

    tablespace: where it lies, None for the server's default.
    """
    encoding, collate, ctype, provider, locale, rules, *_ = _properties(snapshot)
    options: list[sql.Composable] = [
        sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)),
        sql.SQL("ENCODING {} LC_COLLATE {} LC_CTYPE {}").format(encoding, collate, ctype),
    ]
    if provider == "i":
        options.append(sql.SQL("LOCALE_PROVIDER icu ICU_LOCALE {}").format(locale))
    elif provider == "b":
        options.append(sql.SQL("LOCALE_PROVIDER builtin BUILTIN_LOCALE {}").format(locale))
    elif ledger.connection.info.server_version >= 150000:
        options.append(sql.SQL("LOCALE_PROVIDER libc"))
    if rules:
        options.append(sql.SQL("ICU_RULES {}").format(rules))
    if tablespace:
        options.append(sql.SQL("TABLESPACE {}").format(sql.Identifier(tablespace)))
    try:
        ledger.connection.execute(sql.SQL(" ").join(options))
    except psycopg.errors.DiskFull:
        raise TargetError(
            "The target's disk is full.", where=ledger.server.display, todo="Free space there."
        ) from None
    except psycopg.errors.InsufficientPrivilege:
        raise TargetError(
            "The target role may not create databases.",
            where=ledger.server.display,
            todo="ALTER ROLE ... CREATEDB.",
        ) from None
    except psycopg.Error as error:
        raise TargetError(
            f"A database with production's encoding ({encoding}) and locale ({collate}) cannot be created "
            f"({type(error).__name__}).",
            where=ledger.server.display,
            todo="Install the locale on the target's machine.",
        ) from None


def database_tablespace(snapshot: Snapshot) -> str:
    """The tablespace in which production's database lies."""
    return str(_properties(snapshot)[-1])


def _properties(snapshot: Snapshot) -> tuple[Any, ...]:
    row = snapshot.connection.execute(_PROPERTIES).fetchone()
    assert row is not None
    return tuple(row)


def needed_roles(snapshot: Snapshot, roles: Iterable[str], *, owners: bool, grants: bool) -> list[str]:
    """Roles that must be there before objects are. roles: all that production's objects name.

    owners, grants: whether production's come along; without both, only policies name roles.
    """
    if owners or grants:
        return list(roles)
    return [row[0] for row in snapshot.connection.execute(_POLICY_ROLES)]


def create_roles(connection: psycopg.Connection[Any], roles: Iterable[str]) -> list[str]:
    """Create the roles that objects need and the target lacks, without login or password.

    Returns the names created. Raises TargetError naming the statements when the role may not.
    """
    missing = missing_roles(connection, roles)
    statements = [
        sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)).as_string(connection)
        for role in missing
    ]
    try:
        for statement in statements:
            connection.execute(statement.encode())
    except psycopg.errors.InsufficientPrivilege:
        raise TargetError(
            f"The target lacks {len(missing)} role(s) that production's objects belong or are granted to.",
            todo="Have them created there: "
            + "; ".join(statements)
            + "; or set owners: target and grants: none under objects in policy.yaml.",
        ) from None
    return missing


def missing_roles(connection: psycopg.Connection[Any], roles: Iterable[str]) -> list[str]:
    """Those of the roles that the target does not have; PostgreSQL's own are everywhere."""
    existing = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
    return [role for role in roles if role not in existing and not role.startswith("pg_")]


def apply_properties(
    connection: psycopg.Connection[Any], name: str, snapshot: Snapshot, *, owners: bool, grants: bool
) -> None:
    """Give the database production's comment, settings, owner and privileges. Raises TargetError.

    grants: also decides on settings of single roles (ALTER ROLE ... IN DATABASE ... SET).
    """
    database = sql.Identifier(name)
    *_, comment, owner, _ = _properties(snapshot)
    for role, setting, value in snapshot.connection.execute(_SETTINGS).fetchall():
        if role is None or grants:
            _set(connection, database, role, setting, value)
    if comment is not None:
        connection.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(database, sql.Literal(comment)))
    if grants:
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
        for grantee, privileges, grantable in snapshot.connection.execute(_GRANTS).fetchall():
            connection.execute(
                sql.SQL("GRANT {} ON DATABASE {} TO {} {}").format(
                    sql.SQL(", ").join(map(sql.SQL, privileges)),
                    database,
                    sql.Identifier(grantee) if grantee else sql.SQL("PUBLIC"),
                    sql.SQL("WITH GRANT OPTION" if grantable else ""),
                )
            )
    if owners:
        try:
            connection.execute(
                sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, sql.Identifier(owner))
            )
        except psycopg.errors.InsufficientPrivilege:
            raise TargetError(
                "The target role may not give the database to production's owner.",
                where=owner,
                todo=f'GRANT "{owner}" TO the target role, '
                "or set owners: target under objects in policy.yaml.",
            ) from None


def _set(
    connection: psycopg.Connection[Any], database: sql.Identifier, role: str | None, setting: str, value: str
) -> None:
    whose = sql.SQL("ALTER DATABASE {}").format(database)
    if role is not None:
        whose = sql.SQL("ALTER ROLE {} IN DATABASE {}").format(sql.Identifier(role), database)
    written = sql.SQL(value) if setting in _LIST_SETTINGS else sql.Literal(value)
    try:
        connection.execute(
            sql.SQL("{} SET {} = {}").format(whose, sql.Identifier(*setting.split(".")), written)
        )
    except psycopg.Error as error:
        raise TargetError(
            f"The setting cannot be made for the database ({type(error).__name__}).",
            where=setting if role is None else f"{setting} for role {role}",
            todo="GRANT SET ON PARAMETER to the target role, or take it from production's database.",
        ) from None


def settings_everywhere(snapshot: Snapshot, roles: Iterable[str]) -> int:
    """How many settings the roles have on the whole of production's server, which do not come along."""
    row = snapshot.connection.execute(_EVERYWHERE, [list(roles)]).fetchone()
    assert row is not None
    return int(row[0])


def limit_connections(connection: psycopg.Connection[Any], name: str, snapshot: Snapshot) -> None:
    """Give the finished database production's connection limit, which may be too low to build under."""
    limit = _properties(snapshot)[6]
    if limit != -1:
        connection.execute(
            sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}").format(sql.Identifier(name), sql.Literal(limit))
        )
