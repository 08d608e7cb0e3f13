"""Extensions: there in production's own versions, or the refresh says early that they cannot be.

https://www.postgresql.org/docs/current/extend-extensions.html
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

import psycopg
from psycopg import sql

from parity_data.errors import TargetError

_INSTALLED = """
SELECT e.extname, e.extversion, n.nspname,
       ARRAY(SELECT r.extname::text FROM pg_depend d JOIN pg_extension r ON r.oid = d.refobjid
             WHERE d.classid = 'pg_extension'::regclass AND d.objid = e.oid
               AND d.refclassid = 'pg_extension'::regclass)
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname <> 'plpgsql'
"""
_OFFERED = "SELECT name, version FROM pg_available_extension_versions"
_DEFAULTS = "SELECT name, default_version FROM pg_available_extensions"

#: Tables of extensions whose rows belong to the user: pg_dump would copy them.
_USER_ROWS = """
SELECT e.extname, n.nspname || '.' || c.relname
FROM pg_extension e CROSS JOIN unnest(e.extconfig) AS t (oid) JOIN pg_class c ON c.oid = t.oid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' ORDER BY 1, 2
"""


@dataclass(frozen=True)
class Offer:
    """What a server can install. versions: by extension. defaults: the version it takes by itself."""

    versions: Mapping[str, frozenset[str]]
    defaults: Mapping[str, str]

    def missing(self, needed: Collection[str]) -> list[str]:
        """Extensions that are not there at all, sorted."""
        return sorted(name for name in needed if name not in self.defaults)

    def other_versions(self, needed: Mapping[str, str]) -> dict[str, tuple[str, str]]:
        """Extensions there only in other versions: (production's, the server's default)."""
        return {
            name: (version, self.defaults[name])
            for name, version in sorted(needed.items())
            if name in self.defaults and version not in self.versions.get(name, ())
        }


def read_offer(connection: psycopg.Connection[Any]) -> Offer:
    """The extensions that the server of this connection can install."""
    versions: dict[str, set[str]] = {}
    for name, version in connection.execute(_OFFERED):
        versions.setdefault(name, set()).add(version)
    defaults = dict(connection.execute(_DEFAULTS).fetchall())
    return Offer({name: frozenset(found) for name, found in versions.items()}, defaults)


def tables_with_user_rows(source: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    """(extension, table) for the tables of extensions that hold rows of users."""
    return [(name, table) for name, table in source.execute(_USER_ROWS)]


def create_extensions(
    source: psycopg.Connection[Any], target: psycopg.Connection[Any], *, any_version: Collection[str] = ()
) -> None:
    """Create the source's extensions in its versions, in the order in which they need each other.

    Their schemas are there already. any_version: extensions that may come in the target's own version.
    Raises TargetError naming the extension that cannot be created.
    """
    found = {name: (version, schema, needs) for name, version, schema, needs in source.execute(_INSTALLED)}
    order = TopologicalSorter({name: set(needs) & found.keys() for name, (_, _, needs) in found.items()})
    for name in order.static_order():
        version, schema, _ = found[name]
        versioned = sql.SQL("VERSION {}").format(sql.Identifier(version))
        statement = sql.SQL("CREATE EXTENSION IF NOT EXISTS {} WITH SCHEMA {} {}").format(
            sql.Identifier(name),
            sql.Identifier(schema),
            sql.SQL("") if name in any_version else versioned,
        )
        try:
            target.execute(statement)
        except psycopg.errors.InsufficientPrivilege:
            raise TargetError(
                "The target role may not create this extension.",
                where=name,
                todo="Have the target role be one that may: a superuser, or the provider's admin role.",
            ) from None
        except psycopg.Error as error:
            raise TargetError(
                f"The extension cannot be created in version {version} ({type(error).__name__}).",
                where=name,
                todo="Bring production's up to date (ALTER EXTENSION ... UPDATE), or declare the difference "
                "'extension version' for it.",
            ) from None
