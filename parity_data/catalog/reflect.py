"""Read a database's tables, columns, types and keys inside a snapshot.

Keys come through SQLAlchemy's inspector; types, partitions and foreign keys, where it knows too little,
from pg_catalog. https://www.postgresql.org/docs/current/catalogs.html
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine.reflection import ObjectKind

from parity_data.catalog._types import TypeReader
from parity_data.catalog.model import Catalog, Column, ForeignKey, Leaf, Name, Table
from parity_data.catalog.snapshot import LOCK_TIMEOUT_MS, Snapshot
from parity_data.errors import SourceError

_DATABASE = """
SELECT current_setting('server_version_num')::int, current_database(),
       (SELECT system_identifier::text FROM pg_control_system()),
       pg_encoding_to_char(encoding), datcollate, datctype
FROM pg_database WHERE datname = current_database()
"""

#: Tables that somebody has locked whole: asking for their size would wait, so the last known size is taken.
_LOCKED = """
SELECT relation FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

#: Tables people made: no system schemas, no temporary ones, no partitions, nothing an extension owns.
_TABLES = """
WITH locked AS MATERIALIZED (LOCKED)
SELECT n.nspname, c.relname, c.oid::int8, c.relkind::text, c.reltuples::float8,
       CASE WHEN c.oid IN (TABLE locked) THEN c.relpages::int8 * current_setting('block_size')::int
            ELSE pg_table_size(c.oid) END::int8,
       CASE WHEN c.oid IN (TABLE locked) THEN c.relpages
            ELSE pg_relation_size(c.oid) / current_setting('block_size')::int END::int8,
       obj_description(c.oid, 'pg_class'), pg_get_partkeydef(c.oid) IS NOT NULL
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
  AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                  AND d.deptype = 'e')
ORDER BY 1, 2
""".replace("LOCKED", _LOCKED)

_COLUMNS = """
SELECT a.attrelid::int8, a.attname, a.attnum::int, a.atttypid::int8, format_type(a.atttypid, a.atttypmod),
       NOT a.attnotnull, a.attgenerated::text, a.attidentity::text, a.atthasdef,
       information_schema._pg_char_max_length(
           information_schema._pg_truetypid(a, t), information_schema._pg_truetypmod(a, t)),
       col_description(a.attrelid, a.attnum)
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""

_LEAVES = """
SELECT r.oid::int8, n.nspname, c.relname, c.oid::int8, c.relkind::text,
       (pg_relation_size(c.oid) / current_setting('block_size')::int)::int8,
       pg_table_size(c.oid)::int8, c.reltuples::float8
FROM unnest(%s::oid[]) AS r(oid), pg_partition_tree(r.oid) AS p
JOIN pg_class c ON c.oid = p.relid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE p.isleaf AND c.relkind <> 'p' ORDER BY 2, 3
"""

#: Columns that decide a row's partition, on any level, those inside expressions included.
_PARTITION_COLUMNS = """
SELECT DISTINCT q.root::int8, a.attname
FROM (SELECT root.oid AS root, tree.relid FROM unnest(%s::oid[]) AS root(oid),
             pg_partition_tree(root.oid) tree) q
JOIN pg_partitioned_table p ON p.partrelid = q.relid
JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum > 0
WHERE a.attnum = ANY(p.partattrs::int2[])
   OR EXISTS (SELECT FROM pg_depend d
              WHERE d.classid = 'pg_class'::regclass AND d.objid = p.partrelid AND d.objsubid = a.attnum
                AND d.refclassid = 'pg_class'::regclass AND d.refobjid = p.partrelid AND d.deptype = 'i')
ORDER BY 1, 2
"""

_FOREIGN_KEYS = """
SELECT k.conrelid::int8, k.conname, n.nspname, c.relname, k.convalidated, k.confmatchtype::text,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(num, i)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num ORDER BY u.i),
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u(num, i)
             JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num ORDER BY u.i),
       ARRAY(SELECT format('OPERATOR(%%I.%%s)', n.nspname, o.oprname)
             FROM unnest(k.conpfeqop) WITH ORDINALITY u(oid, i)
             JOIN pg_operator o ON o.oid = u.oid JOIN pg_namespace n ON n.oid = o.oprnamespace ORDER BY u.i),
       coalesce((to_jsonb(k) ->> 'conperiod')::bool, false)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.confrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND k.conrelid = ANY(%s)
ORDER BY k.conrelid, k.conname
"""

_INHERITS = """
SELECT i.inhrelid::int8, n.nspname, c.relname
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE i.inhrelid = ANY(%s) ORDER BY i.inhseqno
"""

_EXTENSIONS = "SELECT extname, extversion FROM pg_extension ORDER BY extname"

#: Owners of objects that people made.
_OWNERS = """
SELECT r.rolname FROM pg_roles r
WHERE r.oid IN (SELECT relowner FROM pg_class WHERE oid >= 16384
                UNION SELECT nspowner FROM pg_namespace WHERE oid >= 16384
                UNION SELECT proowner FROM pg_proc WHERE oid >= 16384
                UNION SELECT typowner FROM pg_type WHERE oid >= 16384
                UNION SELECT datdba FROM pg_database WHERE datname = current_database())
ORDER BY 1
"""

#: Roles that objects of this database belong to or are granted to (pg_shdepend omits the bootstrap role).
_ROLES = """
SELECT r.rolname FROM pg_roles r
WHERE r.oid IN (SELECT relowner FROM pg_class UNION SELECT nspowner FROM pg_namespace
                UNION SELECT proowner FROM pg_proc UNION SELECT typowner FROM pg_type
                UNION SELECT datdba FROM pg_database WHERE datname = current_database())
UNION
SELECT r.rolname FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole
WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
UNION
SELECT r.rolname FROM pg_shdepend s JOIN pg_roles r ON r.oid = s.refobjid
WHERE s.refclassid = 'pg_authid'::regclass AND r.rolname !~ '^pg_'
  AND (s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
       OR (s.dbid = 0 AND s.classid = 'pg_database'::regclass
           AND s.objid = (SELECT oid FROM pg_database WHERE datname = current_database())))
ORDER BY 1
"""


def read_catalog(snapshot: Snapshot, *, ignore_schemas: Iterable[str] = ()) -> Catalog:
    """The catalog of the source as of the snapshot. ignore_schemas: left out entirely.

    Raises SourceError when a table stays locked for longer than the lock timeout.
    """
    try:
        with joined_connection(snapshot) as inspected:
            keys = _read_keys(inspected, snapshot)
        return _read(snapshot.connection, keys, frozenset(ignore_schemas))
    except psycopg.errors.LockNotAvailable:
        raise SourceError(
            f"A table has been locked by another session for {LOCK_TIMEOUT_MS // 1000} seconds.",
            todo="Wait for it to end, or run the refresh at another time; 'parity doctor' names it.",
        ) from None


def _read(connection: psycopg.Connection[Any], keys: _Keys, ignored: frozenset[str]) -> Catalog:
    fetch = _fetcher(connection)
    version, database, identifier, encoding, collate, ctype = fetch(_DATABASE)[0]
    heads = [row for row in fetch(_TABLES) if row[0] not in ignored]
    oids = [row[2] for row in heads]
    columns = _columns(fetch, oids, version)
    partitioned_oids = [row[2] for row in heads if row[3] == "p"]
    leaves: dict[int, list[Leaf]] = defaultdict(list)
    root_of = {oid: oid for oid in oids}
    for root, leaf_schema, leaf_name, *leaf in fetch(_LEAVES, partitioned_oids):
        leaves[root].append(Leaf(Name(leaf_schema, leaf_name), *leaf))
        root_of[leaf[0]] = root
    foreign = _foreign_keys(fetch, root_of, {row[2]: Name(row[0], row[1]) for row in heads})
    partition_columns: dict[int, list[str]] = defaultdict(list)
    for root, name in fetch(_PARTITION_COLUMNS, partitioned_oids):
        partition_columns[root].append(name)
    inherits: dict[int, list[Name]] = defaultdict(list)
    for child, schema, name in fetch(_INHERITS, oids):
        inherits[child].append(Name(schema, name))

    tables: dict[Name, Table] = {}
    for schema, relname, oid, kind, rows, size, pages, comment, partitioned in heads:
        name = Name(schema, relname)
        own = (Leaf(name, oid, kind, pages, size, rows),)
        parts = tuple(leaves[oid]) if partitioned else own
        tables[name] = Table(
            name=name,
            oid=oid,
            kind=kind,
            columns=tuple(columns[oid]),
            primary_key=keys.primary.get(name, ()),
            unique_keys=keys.unique.get(name, ()),
            foreign_keys=tuple(foreign[oid]),
            checks=keys.checks.get(name, ()),
            unique_expressions=keys.expressions.get(name, ()),
            leaves=parts,
            partition_columns=tuple(partition_columns[oid]),
            inherits=tuple(inherits[oid]),
            rows_estimate=sum(max(part.rows_estimate, 0) for part in parts) if partitioned else rows,
            bytes=sum(part.bytes for part in parts),
            comment=comment,
        )
    return Catalog(
        database=database,
        server_version=version,
        system_identifier=identifier,
        encoding=encoding,
        locale={"lc_collate": collate, "lc_ctype": ctype},
        tables=tables,
        extensions=dict(fetch(_EXTENSIONS)),
        roles=tuple(row[0] for row in fetch(_ROLES)),
        owners=tuple(row[0] for row in fetch(_OWNERS)),
    )


def _fetcher(connection: psycopg.Connection[Any]) -> Any:
    def fetch(query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return connection.execute(query, parameters or None).fetchall()

    return fetch


def _columns(fetch: Any, oids: list[int], version: int) -> dict[int, list[Column]]:
    types = TypeReader(fetch, version)
    columns: dict[int, list[Column]] = defaultdict(list)
    for (
        oid,
        name,
        number,
        type_oid,
        sql_type,
        nullable,
        generated,
        identity,
        default,
        length,
        comment,
    ) in fetch(_COLUMNS, oids):
        columns[oid].append(
            Column(
                name=name,
                position=number,
                type=types.type(type_oid),
                sql_type=sql_type,
                nullable=nullable,
                generated=generated,
                identity=identity,
                has_default=default,
                max_length=length,
                comment=comment,
            )
        )
    return columns


def _foreign_keys(
    fetch: Any, root_of: Mapping[int, int], names: Mapping[int, Name]
) -> dict[int, list[ForeignKey]]:
    """Foreign keys by table; those declared on single partitions count for the partitioned root, once."""
    foreign: dict[int, list[ForeignKey]] = defaultdict(list)
    seen: set[tuple[object, ...]] = set()
    for oid, name, schema, table, valid, match, columns, referenced, operators, period in fetch(
        _FOREIGN_KEYS, list(root_of)
    ):
        root = root_of[oid]
        what = (root, tuple(columns), schema, table, tuple(referenced))
        if oid != root and what in seen:
            continue
        seen.add(what)
        key = ForeignKey(
            name,
            names[root],
            tuple(columns),
            Name(schema, table),
            tuple(referenced),
            valid,
            match,
            tuple(operators),
            period,
        )
        foreign[root].append(key)
    return foreign


class _Keys:
    """Primary keys, unique keys and CHECK texts by table."""

    def __init__(self) -> None:
        self.primary: dict[Name, tuple[str, ...]] = {}
        self.unique: dict[Name, tuple[tuple[str, ...], ...]] = {}
        self.checks: dict[Name, tuple[str, ...]] = {}
        self.expressions: dict[Name, tuple[str, ...]] = {}


def joined_connection(snapshot: Snapshot) -> sa.Connection:
    """A SQLAlchemy connection that looks at the same instant. The caller closes it.

    Raises SourceError when the snapshot is gone.
    """
    engine = sa.create_engine(
        "postgresql+psycopg://",
        creator=lambda: snapshot.database.connect(role="source"),
        poolclass=sa.pool.NullPool,
    )
    connection = engine.connect().execution_options(
        isolation_level="REPEATABLE READ", postgresql_readonly=True
    )
    try:
        connection.exec_driver_sql(f"SET TRANSACTION SNAPSHOT '{snapshot.id}'")
    except (sa.exc.ProgrammingError, sa.exc.DataError):  # there is no such snapshot any more
        connection.close()
        raise SourceError.lost() from None
    return connection


def _read_keys(connection: sa.Connection, snapshot: Snapshot) -> _Keys:
    inspector = sa.inspect(connection)
    keys = _Keys()
    for schema in inspector.get_schema_names():
        if schema == "information_schema" or schema.startswith("pg_"):
            continue
        primary = inspector.get_multi_pk_constraint(schema=schema, kind=ObjectKind.TABLE)
        indexes = inspector.get_multi_indexes(schema=schema, kind=ObjectKind.TABLE)
        with warnings.catch_warnings():
            # A check that is not enforced is more than SQLAlchemy knows, and asks nothing of a value.
            warnings.filterwarnings("ignore", "Could not parse CHECK", sa.exc.SAWarning)
            checks = inspector.get_multi_check_constraints(schema=schema, kind=ObjectKind.TABLE)
        for (_, table), key in primary.items():
            if key["constrained_columns"]:
                keys.primary[Name(schema, table)] = tuple(key["constrained_columns"])
        for (_, table), found in indexes.items():
            # An expression or a predicate makes an index that no foreign key can lean on.
            unique = {
                tuple(c for c in index["column_names"] if c is not None)
                for index in found
                if index["unique"]
                and None not in index["column_names"]
                and not index.get("dialect_options", {}).get("postgresql_where")
            }
            keys.unique[Name(schema, table)] = tuple(sorted(unique))
            keys.expressions[Name(schema, table)] = tuple(
                expression
                for index in found
                if index["unique"]
                for expression in (
                    index["expressions"]
                    if None in index["column_names"]
                    else index["column_names"]
                    if index.get("dialect_options", {}).get("postgresql_where")
                    else ()
                )
                if expression is not None
            )
        for (_, table), constraints in checks.items():
            keys.checks[Name(schema, table)] = tuple(c["sqltext"] for c in constraints if c["sqltext"])
    return keys
