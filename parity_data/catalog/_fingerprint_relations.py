"""Catalog queries of the fingerprint: relations, their columns, and what hangs on them.

Every query gives ``class, oid, sub, parent, name, suffix`` and then one column per attribute, named as the
attribute reads. https://www.postgresql.org/docs/current/catalogs.html
"""

from __future__ import annotations

from typing import NamedTuple


class Query(NamedTuple):
    """catalog: where the oids come from. text: may hold {guards}. since: first major version that has it."""

    catalog: str
    text: str
    since: int = 0


class Guard(NamedTuple):
    """An expression that only servers of that major version and later understand, and what stands for it."""

    since: int
    new: str
    old: str


GUARDS = {
    "compression": Guard(14, "nullif(a.attcompression::text, '')", "NULL::text"),
    "enforced": Guard(18, "k.conenforced", "true"),
    "publication_columns": Guard(
        15,
        """(SELECT array_agg(a.attname::text ORDER BY a.attname) FROM pg_attribute a
            WHERE a.attrelid = r.prrelid AND a.attnum = ANY(r.prattrs::int2[]))""",
        "NULL::text[]",
    ),
    "publication_filter": Guard(15, "pg_get_expr(r.prqual, r.prrelid)", "NULL::text"),
    "publication_schemas": Guard(
        15,
        """(SELECT array_agg(n.nspname::text ORDER BY n.nspname) FROM pg_publication_namespace s
            JOIN pg_namespace n ON n.oid = s.pnnspid WHERE s.pnpubid = p.oid)""",
        "NULL::text[]",
    ),
    "publication_generated": Guard(18, "nullif(p.pubgencols::text, 'n')", "NULL::text"),
    "database_provider": Guard(15, "d.datlocprovider::text", "'c'::text"),
    "database_locale_15": Guard(15, "d.daticulocale", "NULL::text"),
    "database_locale": Guard(17, "d.datlocale", "{database_locale_15}"),
    "database_rules": Guard(16, "d.daticurules", "NULL::text"),
    "database_version": Guard(15, "d.datcollversion", "NULL::text"),
    "collation_locale_15": Guard(15, "c.colliculocale", "NULL::text"),
    "collation_locale": Guard(17, "c.colllocale", "{collation_locale_15}"),
    "collation_rules": Guard(16, "c.collicurules", "NULL::text"),
    "multirange": Guard(14, "nullif(r.rngmultitypid, 0)::regtype::text", "NULL::text"),
}

RELATIONS = Query(
    "pg_class",
    """
SELECT CASE c.relkind::text WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
                      WHEN 'f' THEN 'foreign table' WHEN 'c' THEN 'composite type' ELSE 'table' END,
       c.oid::int8, 0, NULL::int8, ARRAY[n.nspname, c.relname]::text[], '',
       c.relkind = 'p' AS "partitioned",
       CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END AS "partition key",
       pg_get_expr(c.relpartbound, c.oid) AS "partition bound",
       CASE WHEN c.relispartition THEN (SELECT i.inhparent::regclass::text FROM pg_inherits i
                                        WHERE i.inhrelid = c.oid) END AS "partition of",
       CASE WHEN NOT c.relispartition THEN
           (SELECT array_agg(i.inhparent::regclass::text ORDER BY i.inhseqno) FROM pg_inherits i
            WHERE i.inhrelid = c.oid) END AS "inherits",
       nullif(c.reloftype, 0)::regtype::text AS "of type",
       c.relpersistence = 'u' AS "unlogged",
       (SELECT m.amname::text FROM pg_am m WHERE m.oid = c.relam AND m.amname <> 'heap') AS "access method",
       (SELECT s.spcname::text FROM pg_tablespace s WHERE s.oid = c.reltablespace) AS "tablespace",
       CASE c.relreplident::text WHEN 'f' THEN 'full'
           WHEN 'n' THEN CASE WHEN c.relkind IN ('r', 'p') THEN 'nothing' END
           WHEN 'i' THEN (SELECT 'index ' || x.indexrelid::regclass::text FROM pg_index x
                          WHERE x.indrelid = c.oid AND x.indisreplident) END AS "replica identity",
       (SELECT array_agg(o ORDER BY o) FROM unnest(c.reloptions) o) AS "options",
       (SELECT array_agg(o ORDER BY o) FROM pg_class t, unnest(t.reloptions) o
        WHERE t.oid = c.reltoastrelid) AS "TOAST options",
       c.relrowsecurity AS "row level security",
       c.relforcerowsecurity AS "row level security forced on the owner",
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END AS "definition",
       c.relkind = 'm' AND NOT c.relispopulated AS "not populated",
       (SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind <> 'S'
       ) AS "column order"
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
""",
)

COLUMNS = Query(
    "pg_class",
    """
SELECT 'column', a.attrelid::int8, a.attnum::int, a.attrelid::int8,
       ARRAY[n.nspname, c.relname, a.attname]::text[], '',
       format_type(a.atttypid, a.atttypmod) AS "type",
       CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END AS "collation",
       a.attnotnull AS "not null",
       CASE WHEN a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END AS "default",
       CASE a.attgenerated::text WHEN 's' THEN 'stored: ' WHEN 'v' THEN 'virtual: ' END
           || pg_get_expr(d.adbin, d.adrelid) AS "generated",
       CASE a.attidentity::text WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END AS "identity",
       CASE WHEN a.attstorage <> t.typstorage AND c.relkind IN ('r', 'p', 'm', 'f') THEN
           CASE a.attstorage::text WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main'
               ELSE 'extended' END END AS "storage",
       {compression} AS "compression",
       CASE WHEN a.attstattarget >= 0 THEN a.attstattarget::int END AS "statistics target",
       (SELECT array_agg(o ORDER BY o) FROM unnest(a.attoptions) o) AS "options",
       a.attfdwoptions AS "foreign options"
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
""",
)

SEQUENCES = Query(
    "pg_class",
    """
SELECT 'sequence', c.oid::int8, 0, NULL::int8, ARRAY[n.nspname, c.relname]::text[], '',
       format_type(s.seqtypid, NULL) AS "type", s.seqstart AS "start", s.seqincrement AS "increment",
       s.seqmin AS "minimum", s.seqmax AS "maximum", s.seqcache AS "cache", s.seqcycle AS "cycle",
       (SELECT d.refobjid::regclass::text || '.' || quote_ident(a.attname)
        FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i')
          AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0) AS "owning column"
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
""",
)

INDEXES = Query(
    "pg_class",
    """
SELECT 'index', c.oid::int8, 0, i.indrelid::int8, ARRAY[n.nspname, c.relname]::text[], '',
       (SELECT k.conname::text FROM pg_constraint k
        WHERE k.conindid = c.oid AND k.contype IN ('p', 'u', 'x') AND k.conrelid = i.indrelid
       ) AS "constraint",
       pg_get_indexdef(c.oid) AS "definition",
       CASE WHEN c.relkind = 'i' AND NOT (i.indisvalid AND i.indisready AND i.indislive)
            THEN 'invalid' END AS "state",
       i.indisclustered AS "clustered on",
       (SELECT p.inhparent::regclass::text FROM pg_inherits p WHERE p.inhrelid = c.oid) AS "attached to",
       (SELECT s.spcname::text FROM pg_tablespace s WHERE s.oid = c.reltablespace) AS "tablespace",
       (SELECT array_agg(a.attnum || ': ' || a.attstattarget ORDER BY a.attnum) FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attstattarget >= 0) AS "statistics targets"
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
""",
)

#: A foreign key's copies on partitions are left out: restoring makes them anew, under names of its own.
#: So are NOT NULL constraints (18) whose name was generated: older servers keep only the column's mark.
CONSTRAINTS = Query(
    "pg_constraint",
    """
SELECT 'constraint', k.oid::int8, 0, k.conrelid::int8, ARRAY[n.nspname, c.relname, k.conname]::text[], '',
       regexp_replace(pg_get_constraintdef(k.oid), '( NOT VALID| NOT ENFORCED)+$', '') AS "definition",
       CASE WHEN NOT {enforced} THEN 'not enforced'
            WHEN NOT k.convalidated THEN 'not validated' END AS "state",
       CASE WHEN EXISTS (SELECT FROM pg_trigger t WHERE t.tgconstraint = k.oid AND t.tgisinternal
                         AND t.tgenabled <> 'O') THEN 'disabled' END AS "enforcing triggers"
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND k.contype <> 't'
  AND NOT (k.contype = 'f' AND k.conparentid <> 0)
  AND (k.contype <> 'n' OR NOT k.convalidated OR k.connoinherit OR k.conname !~ '_not_null[0-9]*$')
""",
)

DOMAIN_CONSTRAINTS = Query(
    "pg_constraint",
    """
SELECT 'constraint', k.oid::int8, 0, NULL::int8, ARRAY[n.nspname, t.typname, k.conname]::text[], '',
       regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', '') AS "definition",
       CASE WHEN NOT k.convalidated THEN 'not validated' END AS "state"
FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND (k.contype <> 'n' OR k.conname !~ '_not_null[0-9]*$')
""",
)

#: A trigger's copies on partitions are listed only where somebody switched one on or off by itself.
TRIGGERS = Query(
    "pg_trigger",
    """
SELECT 'trigger', t.oid::int8, 0, t.tgrelid::int8, ARRAY[n.nspname, c.relname, t.tgname]::text[], '',
       CASE WHEN t.tgparentid = 0 THEN pg_get_triggerdef(t.oid) END AS "definition",
       CASE t.tgenabled::text WHEN 'O' THEN 'enabled' WHEN 'D' THEN 'disabled'
           WHEN 'R' THEN 'replica only' ELSE 'always' END AS "state"
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_trigger u ON u.oid = t.tgparentid
WHERE (NOT t.tgisinternal OR t.tgparentid <> 0 AND NOT u.tgisinternal)
  AND (t.tgparentid = 0 OR t.tgenabled <> u.tgenabled)
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
""",
)

RULES = Query(
    "pg_rewrite",
    """
SELECT 'rule', r.oid::int8, 0, r.ev_class::int8, ARRAY[n.nspname, c.relname, r.rulename]::text[], '',
       pg_get_ruledef(r.oid) AS "definition",
       CASE r.ev_enabled::text WHEN 'O' THEN 'enabled' WHEN 'D' THEN 'disabled'
           WHEN 'R' THEN 'replica only' ELSE 'always' END AS "state"
FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE r.rulename <> '_RETURN' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
""",
)

POLICIES = Query(
    "pg_policy",
    """
SELECT 'policy', p.oid::int8, 0, p.polrelid::int8, ARRAY[n.nspname, c.relname, p.polname]::text[], '',
       CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END AS "kind",
       CASE p.polcmd::text WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
           WHEN 'd' THEN 'DELETE' ELSE 'ALL' END AS "command",
       (SELECT array_agg(CASE WHEN r = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(r)::text END
                         ORDER BY pg_get_userbyid(r) COLLATE "C")
        FROM unnest(p.polroles) r) AS "roles",
       pg_get_expr(p.polqual, p.polrelid) AS "using", pg_get_expr(p.polwithcheck, p.polrelid) AS "with check"
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
""",
)

STATISTICS = Query(
    "pg_statistic_ext",
    """
SELECT 'extended statistics', s.oid::int8, 0, s.stxrelid::int8, ARRAY[n.nspname, s.stxname]::text[], '',
       pg_get_statisticsobjdef(s.oid) AS "definition",
       CASE WHEN s.stxstattarget >= 0 THEN s.stxstattarget::int END AS "statistics target"
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
""",
)

FOREIGN_TABLES = Query(
    "pg_class",
    """
SELECT 'foreign table', c.oid::int8, 0, NULL::int8, ARRAY[n.nspname, c.relname]::text[], '',
       s.srvname::text AS "server", f.ftoptions AS "foreign options"
FROM pg_foreign_table f JOIN pg_class c ON c.oid = f.ftrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_foreign_server s ON s.oid = f.ftserver
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
""",
)

QUERIES = (
    *(RELATIONS, COLUMNS, SEQUENCES, INDEXES, CONSTRAINTS, DOMAIN_CONSTRAINTS, TRIGGERS, RULES, POLICIES),
    *(STATISTICS, FOREIGN_TABLES),
)
