"""What the common migration tools say has been applied: heads by tool and table, and half-done states.

Tools are told apart by table name, columns and types, in any schema, as several share a name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from parity_data.catalog.model import Name

_COLUMNS = """
SELECT n.nspname, c.relname, array_agg(a.attname::text), array_agg(format_type(a.atttypid, NULL))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND c.relname = ANY(%s)
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
GROUP BY n.nspname, c.relname ORDER BY 1, 2
"""


#: What a tool's table tells of the past.
Book = Literal["all", "number", "head"]


@dataclass(frozen=True)
class MigrationHead:
    """Where one migration table stands.

    heads: what the table says of applied versions, sorted. dirty: versions that failed or were left half
    done, and 'locked' for a lock that is held. book: 'all' when heads are all applied versions, 'number' when
    they are the newest one's number, 'head' when they are those that none builds on.
    """

    tool: str
    table: Name
    heads: tuple[str, ...]
    dirty: tuple[str, ...] = ()
    book: Book = "all"


@dataclass(frozen=True)
class _Tool:
    """How one tool keeps its book.

    columns: that the table must have, by type prefix ('' any). without: columns it must not have. heads,
    dirty: queries over {table}, giving one text column. lock: table of a lock and its query.
    """

    name: str
    table: str
    columns: Mapping[str, str]
    heads: str
    dirty: str = ""
    without: frozenset[str] = frozenset()
    schema: str | None = None
    lock: tuple[str, str] | None = None
    aliases: tuple[str, ...] = field(default=())
    book: Book = "all"

    def fits(self, name: Name, columns: Mapping[str, str]) -> bool:
        """Whether a table of that name with these columns (name -> type) is this tool's."""
        return (
            name.name in (self.table, *self.aliases)
            and (self.schema is None or self.schema == name.schema)
            and all(c in columns and columns[c].startswith(t) for c, t in self.columns.items())
            and not self.without & columns.keys()
        )


_TEXT = "character varying"
_VERSIONS = "SELECT version::text FROM {table}"
_NAMES = "SELECT name::text FROM {table}"

#: In this order; the first that fits a table has it.
_TOOLS = (
    _Tool(
        "Alembic",
        "alembic_version",
        {"version_num": ""},
        "SELECT version_num::text FROM {table}",
        book="head",
    ),
    _Tool(
        "Django",
        "django_migrations",
        {"app": "", "name": "", "applied": ""},
        "SELECT app || '.' || name FROM {table}",
    ),
    _Tool(
        "Flyway",
        "flyway_schema_history",
        {"installed_rank": "", "version": "", "checksum": "", "success": "boolean"},
        "SELECT coalesce(version, 'repeatable ' || script) || ' ' || coalesce(checksum::text, '')"
        " FROM {table} WHERE success",
        dirty="SELECT coalesce(version, 'repeatable ' || script) FROM {table} WHERE NOT success",
        aliases=("schema_version",),
    ),
    _Tool(
        "Liquibase",
        "databasechangelog",
        {"id": "", "author": "", "filename": "", "exectype": ""},
        # The author is a person.
        "SELECT filename || '::' || id || ' ' || coalesce(md5sum, '') FROM {table}"
        " WHERE exectype <> 'FAILED'",
        dirty="SELECT filename || '::' || id FROM {table} WHERE exectype = 'FAILED'",
        lock=("databasechangeloglock", "SELECT 'locked' FROM {table} WHERE locked"),
    ),
    _Tool(
        "golang-migrate",
        "schema_migrations",
        {"version": "bigint", "dirty": "boolean"},
        _VERSIONS,
        dirty="SELECT version::text FROM {table} WHERE dirty",
        book="number",
    ),
    _Tool("Ecto", "schema_migrations", {"version": "bigint", "inserted_at": ""}, _VERSIONS),
    _Tool(
        "Supabase",
        "schema_migrations",
        {"version": "", "statements": ""},
        _VERSIONS,
        schema="supabase_migrations",
    ),
    # Rails keeps ar_internal_metadata beside it; see read below.
    _Tool("dbmate", "schema_migrations", {"version": _TEXT}, _VERSIONS, without=frozenset({"dirty"})),
    _Tool(
        "goose",
        "goose_db_version",
        {"id": "", "version_id": "", "is_applied": "boolean"},
        "SELECT version_id::text FROM (SELECT DISTINCT ON (version_id) version_id, is_applied FROM {table}"
        " ORDER BY version_id, id DESC) last WHERE is_applied AND version_id <> 0",
    ),
    _Tool(
        "Prisma",
        "_prisma_migrations",
        {"migration_name": "", "checksum": "", "finished_at": "", "rolled_back_at": ""},
        "SELECT migration_name || ' ' || checksum FROM {table}"
        " WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL",
        dirty="SELECT migration_name FROM {table} WHERE finished_at IS NULL AND rolled_back_at IS NULL",
    ),
    _Tool(
        "Knex",
        "knex_migrations",
        {"name": "", "batch": ""},
        _NAMES,
        lock=("knex_migrations_lock", "SELECT 'locked' FROM {table} WHERE is_locked <> 0"),
    ),
    _Tool("TypeORM", "migrations", {"timestamp": "bigint", "name": ""}, _NAMES),
    _Tool("Laravel", "migrations", {"migration": "", "batch": ""}, "SELECT migration::text FROM {table}"),
    _Tool("Sequelize", "SequelizeMeta", {"name": ""}, _NAMES),
    _Tool(
        "Drizzle",
        "__drizzle_migrations",
        {"hash": "", "created_at": "bigint"},
        "SELECT created_at || ' ' || hash FROM {table}",
    ),
    _Tool(
        "EF Core",
        "__EFMigrationsHistory",
        {"MigrationId": "", "ProductVersion": ""},
        'SELECT "MigrationId"::text FROM {table}',
    ),
    _Tool("node-pg-migrate", "pgmigrations", {"name": "", "run_on": ""}, _NAMES),
    _Tool(
        "Sqitch",
        "changes",
        {"change_id": "", "change": "", "project": "", "committed_at": ""},
        "SELECT project || ' ' || change || ' ' || change_id FROM {table}",
        lock=(
            "events",
            "SELECT 'failed' FROM {table} e WHERE e.event = 'fail' AND e.committed_at >="
            " (SELECT max(committed_at) FROM {table})",
        ),
    ),
    _Tool(
        "Atlas",
        "atlas_schema_revisions",
        {"version": "", "applied": "", "total": "", "hash": ""},
        "SELECT version || ' ' || hash FROM {table} WHERE version <> '.atlas_cloud_identifier'"
        " AND applied >= total AND coalesce(error, '') = ''",
        dirty="SELECT version FROM {table} WHERE version <> '.atlas_cloud_identifier'"
        " AND (applied < total OR coalesce(error, '') <> '')",
    ),
    _Tool(
        "yoyo",
        "_yoyo_migration",
        {"migration_hash": "", "migration_id": ""},
        "SELECT migration_id::text FROM {table}",
        lock=("yoyo_lock", "SELECT 'locked' FROM {table} WHERE locked <> 0"),
    ),
    _Tool("Doctrine", "doctrine_migration_versions", {"version": "", "executed_at": ""}, _VERSIONS),
    _Tool(
        "Hasura",
        "hdb_version",
        {"cli_state": "jsonb"},
        "SELECT d.key || ' ' || m.key FROM {table}, jsonb_each(cli_state -> 'migrations') d,"
        " jsonb_each(d.value) m WHERE m.value = 'false'",
        dirty="SELECT d.key || ' ' || m.key FROM {table}, jsonb_each(cli_state -> 'migrations') d,"
        " jsonb_each(d.value) m WHERE m.value = 'true'",
        schema="hdb_catalog",
    ),
    _Tool(
        "refinery",
        "refinery_schema_history",
        {"version": "", "checksum": ""},
        "SELECT version || ' ' || checksum FROM {table}",
    ),
    _Tool(
        "sqlx",
        "_sqlx_migrations",
        {"version": "", "success": "boolean", "checksum": "bytea"},
        "SELECT version || ' ' || encode(checksum, 'hex') FROM {table} WHERE success",
        dirty="SELECT version::text FROM {table} WHERE NOT success",
    ),
    _Tool("Diesel", "__diesel_schema_migrations", {"version": "", "run_on": ""}, _VERSIONS),
    _Tool("Phinx", "phinxlog", {"version": "", "migration_name": ""}, _VERSIONS),
    _Tool(
        "pgroll",
        "migrations",
        {"schema": "", "name": "", "parent": "", "done": "boolean"},
        "SELECT schema || ' ' || name FROM {table} WHERE done",
        dirty="SELECT schema || ' ' || name FROM {table} WHERE NOT done",
        schema="pgroll",
    ),
    _Tool(
        "Reshape",
        "migrations",
        {"index": "", "name": ""},
        _NAMES,
        schema="reshape",
        lock=("data", "SELECT 'locked' FROM {table} WHERE key = 'state' AND value ->> 'state' !~* 'idle'"),
    ),
    _Tool(
        "graphile-migrate",
        "migrations",
        {"hash": "", "previous_hash": ""},
        "SELECT hash::text FROM {table}",
        schema="graphile_migrate",
    ),
)

_LOCK_TABLES = tuple(tool.lock[0] for tool in _TOOLS if tool.lock)


def migration_heads(
    connection: psycopg.Connection[Any], *, hidden: Collection[str] = frozenset()
) -> list[MigrationHead]:
    """Where each migration table of the connected database stands, in order of their names.

    hidden: schemas that are passed over. Reads only. Raises psycopg.Error, for instance when the
    role may not read such a table.
    """
    names = {n for tool in _TOOLS for n in (tool.table, *tool.aliases)} | set(_LOCK_TABLES)
    with connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(_COLUMNS, [[*names, "ar_internal_metadata"]]).fetchall()
        tables = {Name(r[0], r[1]): dict(zip(r[2], r[3], strict=True)) for r in rows if r[0] not in hidden}
        found = [
            _read(cursor, tool, name, tables)
            for name, columns in tables.items()
            if (tool := next((tool for tool in _TOOLS if tool.fits(name, columns)), None))
        ]
    return sorted(found, key=lambda head: (head.table, head.tool))


def _read(
    cursor: psycopg.Cursor[tuple[Any, ...]], tool: _Tool, name: Name, tables: Mapping[Name, Any]
) -> MigrationHead:
    dirty = _fetch(cursor, tool.dirty, name) if tool.dirty else ()
    if tool.lock:
        lock_table, query = tool.lock
        lock = Name(name.schema, lock_table)
        dirty += _fetch(cursor, query, lock)[:1] if lock in tables else ()
    label = tool.name
    if tool.name == "dbmate" and Name(name.schema, "ar_internal_metadata") in tables:
        label = "Rails"
    return MigrationHead(label, name, _fetch(cursor, tool.heads, name), dirty, tool.book)


def _fetch(cursor: psycopg.Cursor[tuple[Any, ...]], query: str, name: Name) -> tuple[str, ...]:
    table = sql.Identifier(name.schema, name.name)
    rows = cursor.execute(sql.SQL(query).format(table=table)).fetchall()
    return tuple(sorted({str(row[0]) for row in rows}))
