"""Catalog queries of the fingerprint: types, routines, operators, text search, and the database itself."""

from __future__ import annotations

from parity_data.catalog._fingerprint_relations import Query

SCHEMAS = Query(
    "pg_namespace",
    """
SELECT 'schema', n.oid::int8, 0, NULL::int8, ARRAY[n.nspname]::text[], ''
FROM pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
""",
)

TYPES = Query(
    "pg_type",
    """
SELECT CASE t.typtype::text WHEN 'e' THEN 'enum type' WHEN 'd' THEN 'domain' WHEN 'r' THEN 'range type'
                      ELSE 'base type' END,
       t.oid::int8, 0, NULL::int8, ARRAY[n.nspname, t.typname]::text[], '',
       (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum e
        WHERE e.enumtypid = t.oid) AS "labels",
       CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END AS "type",
       CASE WHEN t.typtype = 'd' AND t.typcollation <> b.typcollation
            THEN t.typcollation::regcollation::text END AS "collation",
       t.typtype = 'd' AND t.typnotnull AS "not null",
       CASE WHEN t.typtype = 'd' THEN pg_get_expr(t.typdefaultbin, 0) END AS "default",
       r.rngsubtype::regtype::text AS "subtype",
       nullif(r.rngcollation, 0)::regcollation::text AS "range collation",
       (SELECT opn.nspname || '.' || o.opcname FROM pg_opclass o JOIN pg_namespace opn
        ON opn.oid = o.opcnamespace WHERE o.oid = r.rngsubopc) AS "operator class",
       nullif(r.rngcanonical::oid, 0)::regprocedure::text AS "canonical function",
       nullif(r.rngsubdiff::oid, 0)::regprocedure::text AS "difference function",
       {multirange} AS "multirange",
       CASE WHEN t.typtype = 'b' THEN
           ARRAY['input ' || t.typinput::oid::regprocedure, 'output ' || t.typoutput::oid::regprocedure,
                 'length ' || t.typlen::text, 'align ' || t.typalign::text, 'storage ' || t.typstorage::text,
                 'category ' || t.typcategory::text, 'delimiter ' || t.typdelim::text,
                 'by value ' || t.typbyval::text,
                 'element ' || coalesce(nullif(t.typelem, 0)::regtype::text, '-')] END AS "definition"
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_range r ON r.rngtypid = t.oid LEFT JOIN pg_type b ON b.oid = t.typbasetype
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND (t.typtype IN ('e', 'd', 'r')
       OR t.typtype = 'b' AND NOT EXISTS (SELECT FROM pg_type a WHERE a.typarray = t.oid))
""",
)

#: Functions that came into being with a range type follow from the type.
ROUTINES = Query(
    "pg_proc",
    """
SELECT CASE p.prokind::text WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
       p.oid::int8, 0, NULL::int8, ARRAY[n.nspname, p.proname]::text[],
       '(' || oidvectortypes(p.proargtypes) || ')',
       CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid)
            ELSE (SELECT concat_ws(', ', 'arguments ' || pg_get_function_arguments(p.oid),
                      'kind ' || g.aggkind::text, 'state ' || g.aggtransfn, g.aggtranstype::regtype::text,
                      'space ' || g.aggtransspace, 'final ' || g.aggfinalfn, g.aggfinalextra,
                      g.aggfinalmodify, 'combine ' || g.aggcombinefn, 'serial ' || g.aggserialfn,
                      g.aggdeserialfn, 'moving ' || g.aggmtransfn, g.aggminvtransfn, g.aggmfinalfn,
                      nullif(g.aggmtranstype, 0)::regtype::text, g.aggmtransspace, g.aggmfinalextra,
                      g.aggmfinalmodify, 'start ' || g.agginitval, 'moving start ' || g.aggminitval,
                      'sort ' || nullif(g.aggsortop, 0)::regoperator::text,
                      'parallel ' || p.proparallel::text)
                  FROM pg_aggregate g WHERE g.aggfnoid = p.oid) END AS "definition"
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                  AND d.deptype = 'i')
""",
)

OPERATORS = Query(
    "pg_operator",
    """
SELECT 'operator', o.oid::int8, 0, NULL::int8, ARRAY[n.nspname, o.oprname]::text[],
       '(' || concat_ws(', ', coalesce(nullif(o.oprleft, 0)::regtype::text, 'NONE'),
                        coalesce(nullif(o.oprright, 0)::regtype::text, 'NONE')) || ')',
       nullif(o.oprcode::oid, 0)::regprocedure::text AS "function",
       nullif(o.oprcom, 0)::regoperator::text AS "commutator",
       nullif(o.oprnegate, 0)::regoperator::text AS "negator",
       nullif(o.oprrest::oid, 0)::regprocedure::text AS "restriction estimator",
       nullif(o.oprjoin::oid, 0)::regprocedure::text AS "join estimator",
       o.oprcanmerge AS "merges", o.oprcanhash AS "hashes"
FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
""",
)

OPERATOR_CLASSES = Query(
    "pg_opclass",
    """
SELECT 'operator class', o.oid::int8, 0, NULL::int8, ARRAY[n.nspname, o.opcname]::text[],
       ' for ' || m.amname, o.opcintype::regtype::text AS "type", o.opcdefault AS "default",
       nullif(o.opckeytype, 0)::regtype::text AS "key type", f.opfname::text AS "family"
FROM pg_opclass o JOIN pg_namespace n ON n.oid = o.opcnamespace JOIN pg_am m ON m.oid = o.opcmethod
JOIN pg_opfamily f ON f.oid = o.opcfamily
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
""",
)

OPERATOR_FAMILIES = Query(
    "pg_opfamily",
    """
SELECT 'operator family', o.oid::int8, 0, NULL::int8, ARRAY[n.nspname, o.opfname]::text[],
       ' for ' || m.amname,
       (SELECT array_agg(x.amopstrategy || ' ' || x.amopopr::regoperator
                         ORDER BY x.amopstrategy, x.amopopr::regoperator::text COLLATE "C") FROM pg_amop x
        WHERE x.amopfamily = o.oid) AS "operators",
       (SELECT array_agg(x.amprocnum || ' ' || x.amproc::oid::regprocedure
                         ORDER BY x.amprocnum, x.amproc::oid::regprocedure::text COLLATE "C") FROM pg_amproc x
        WHERE x.amprocfamily = o.oid) AS "functions"
FROM pg_opfamily o JOIN pg_namespace n ON n.oid = o.opfnamespace JOIN pg_am m ON m.oid = o.opfmethod
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
""",
)

#: Objects without a schema that came with the server have low OIDs (transam.h, FirstNormalObjectId).
CASTS = Query(
    "pg_cast",
    """
SELECT 'cast', c.oid::int8, 0, NULL::int8, '{{}}'::text[],
       format_type(c.castsource, NULL) || ' AS ' || format_type(c.casttarget, NULL),
       nullif(c.castfunc, 0)::regprocedure::text AS "function",
       CASE c.castcontext::text WHEN 'i' THEN 'implicit' WHEN 'a' THEN 'assignment'
           ELSE 'explicit' END AS "context",
       CASE c.castmethod::text WHEN 'f' THEN 'function' WHEN 'i' THEN 'input and output'
           ELSE 'binary' END AS "method"
FROM pg_cast c WHERE c.oid >= 16384
""",
)

COLLATIONS = Query(
    "pg_collation",
    """
SELECT 'collation', c.oid::int8, 0, NULL::int8, ARRAY[n.nspname, c.collname]::text[], '',
       CASE c.collprovider::text WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin'
           ELSE 'default' END AS "provider",
       c.collcollate::text AS "collate", c.collctype::text AS "ctype",
       {collation_locale} AS "locale", {collation_rules} AS "rules",
       NOT c.collisdeterministic AS "nondeterministic", c.collversion AS "version"
FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
""",
)

CONVERSIONS = Query(
    "pg_conversion",
    """
SELECT 'conversion', c.oid::int8, 0, NULL::int8, ARRAY[n.nspname, c.conname]::text[], '',
       concat_ws(' ', pg_encoding_to_char(c.conforencoding), 'to', pg_encoding_to_char(c.contoencoding),
                 'by', c.conproc::oid::regprocedure) AS "definition", c.condefault AS "default"
FROM pg_conversion c JOIN pg_namespace n ON n.oid = c.connamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
""",
)

TEXT_SEARCH_CONFIGURATIONS = Query(
    "pg_ts_config",
    """
SELECT 'text search configuration', c.oid::int8, 0, NULL::int8, ARRAY[n.nspname, c.cfgname]::text[], '',
       (SELECT pn.nspname || '.' || p.prsname FROM pg_ts_parser p JOIN pg_namespace pn
        ON pn.oid = p.prsnamespace WHERE p.oid = c.cfgparser) AS "parser",
       (SELECT array_agg(m.maptokentype || ' ' || m.mapdict::regdictionary
                         ORDER BY m.maptokentype, m.mapseqno)
        FROM pg_ts_config_map m WHERE m.mapcfg = c.oid) AS "mappings"
FROM pg_ts_config c JOIN pg_namespace n ON n.oid = c.cfgnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
""",
)

TEXT_SEARCH_DICTIONARIES = Query(
    "pg_ts_dict",
    """
SELECT 'text search dictionary', d.oid::int8, 0, NULL::int8, ARRAY[n.nspname, d.dictname]::text[], '',
       tn.nspname || '.' || t.tmplname AS "template", d.dictinitoption AS "options"
FROM pg_ts_dict d JOIN pg_namespace n ON n.oid = d.dictnamespace
JOIN pg_ts_template t ON t.oid = d.dicttemplate JOIN pg_namespace tn ON tn.oid = t.tmplnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
""",
)

TEXT_SEARCH_PARSERS = Query(
    "pg_ts_parser",
    """
SELECT 'text search parser', p.oid::int8, 0, NULL::int8, ARRAY[n.nspname, p.prsname]::text[], '',
       concat_ws(', ', p.prsstart, p.prstoken, p.prsend, p.prsheadline, p.prslextype) AS "functions"
FROM pg_ts_parser p JOIN pg_namespace n ON n.oid = p.prsnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
""",
)

TEXT_SEARCH_TEMPLATES = Query(
    "pg_ts_template",
    """
SELECT 'text search template', t.oid::int8, 0, NULL::int8, ARRAY[n.nspname, t.tmplname]::text[], '',
       concat_ws(', ', t.tmplinit, t.tmpllexize) AS "functions"
FROM pg_ts_template t JOIN pg_namespace n ON n.oid = t.tmplnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
""",
)

LANGUAGES = Query(
    "pg_language",
    """
SELECT 'language', l.oid::int8, 0, NULL::int8, ARRAY[l.lanname]::text[], '',
       l.lanpltrusted AS "trusted", nullif(l.lanplcallfoid, 0)::regprocedure::text AS "handler"
FROM pg_language l WHERE l.lanispl
""",
)

TRANSFORMS = Query(
    "pg_transform",
    """
SELECT 'transform', t.oid::int8, 0, NULL::int8, '{{}}'::text[],
       'for ' || format_type(t.trftype, NULL) || ' in ' || l.lanname,
       nullif(t.trffromsql::oid, 0)::regprocedure::text AS "from SQL",
       nullif(t.trftosql::oid, 0)::regprocedure::text AS "to SQL"
FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang
""",
)

ACCESS_METHODS = Query(
    "pg_am",
    """
SELECT 'access method', a.oid::int8, 0, NULL::int8, ARRAY[a.amname]::text[], '',
       a.amtype::text AS "kind", a.amhandler::text AS "handler"
FROM pg_am a WHERE a.oid >= 16384
""",
)

EXTENSIONS = Query(
    "pg_extension",
    """
SELECT 'extension', e.oid::int8, 0, NULL::int8, ARRAY[e.extname]::text[], '',
       e.extversion AS "version", n.nspname::text AS "schema"
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
""",
)

EVENT_TRIGGERS = Query(
    "pg_event_trigger",
    """
SELECT 'event trigger', e.oid::int8, 0, NULL::int8, ARRAY[e.evtname]::text[], '',
       e.evtevent::text AS "event", e.evtfoid::oid::regprocedure::text AS "function", e.evttags AS "tags",
       CASE e.evtenabled::text WHEN 'O' THEN 'enabled' WHEN 'D' THEN 'disabled'
           WHEN 'R' THEN 'replica only' ELSE 'always' END AS "state"
FROM pg_event_trigger e
""",
)

PUBLICATIONS = Query(
    "pg_publication",
    """
SELECT 'publication', p.oid::int8, 0, NULL::int8, ARRAY[p.pubname]::text[], '',
       p.puballtables AS "all tables", p.pubviaroot AS "via partition root",
       array_remove(ARRAY[CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
                          CASE WHEN p.pubdelete THEN 'delete' END,
                          CASE WHEN p.pubtruncate THEN 'truncate' END], NULL) AS "operations",
       {publication_schemas} AS "schemas", {publication_generated} AS "generated columns"
FROM pg_publication p
""",
)

PUBLISHED_TABLES = Query(
    "pg_publication_rel",
    """
SELECT 'published table', r.oid::int8, 0, r.prrelid::int8, ARRAY[p.pubname, n.nspname, c.relname]::text[], '',
       {publication_columns} AS "columns",
       {publication_filter} AS "row filter"
FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
JOIN pg_class c ON c.oid = r.prrelid JOIN pg_namespace n ON n.oid = c.relnamespace
""",
)

#: Everything but the connection string, which holds a password.
SUBSCRIPTIONS = Query(
    "pg_subscription",
    """
SELECT 'subscription', 0::int8, 0, NULL::int8, ARRAY[s.subname]::text[], '',
       s.subpublications AS "publications",
       CASE WHEN s.subenabled THEN 'enabled' ELSE 'disabled' END AS "state"
FROM pg_subscription s
WHERE s.subdbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
""",
)

FOREIGN_DATA_WRAPPERS = Query(
    "pg_foreign_data_wrapper",
    """
SELECT 'foreign data wrapper', w.oid::int8, 0, NULL::int8, ARRAY[w.fdwname]::text[], '',
       nullif(w.fdwhandler, 0)::regprocedure::text AS "handler",
       nullif(w.fdwvalidator, 0)::regprocedure::text AS "validator", w.fdwoptions AS "foreign options"
FROM pg_foreign_data_wrapper w
""",
)

FOREIGN_SERVERS = Query(
    "pg_foreign_server",
    """
SELECT 'foreign server', s.oid::int8, 0, NULL::int8, ARRAY[s.srvname]::text[], '',
       w.fdwname::text AS "wrapper", s.srvtype AS "type", s.srvversion AS "version",
       s.srvoptions AS "foreign options"
FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
""",
)

DEFAULT_PRIVILEGES = Query(
    "pg_default_acl",
    """
SELECT 'default privileges', d.oid::int8, 0, NULL::int8, '{{}}'::text[],
       concat_ws(' ', 'of', pg_get_userbyid(d.defaclrole), 'on',
           CASE d.defaclobjtype::text WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences'
               WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas'
               ELSE 'large objects' END,
           'in ' || (SELECT n.nspname FROM pg_namespace n WHERE n.oid = d.defaclnamespace))
FROM pg_default_acl d
""",
)

#: Without its name: production and staging are called differently.
DATABASE = Query(
    "pg_database",
    """
SELECT 'database', d.oid::int8, 0, NULL::int8, '{{}}'::text[], 'database',
       pg_encoding_to_char(d.encoding) AS "encoding", d.datcollate::text AS "collate",
       d.datctype::text AS "ctype",
       CASE {database_provider} WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' ELSE 'builtin' END AS "provider",
       {database_locale} AS "locale", {database_rules} AS "collation rules",
       {database_version} AS "collation version", nullif(d.datconnlimit, -1) AS "connection limit"
FROM pg_database d WHERE d.datname = current_database()
""",
)

QUERIES = (
    *(SCHEMAS, TYPES, ROUTINES, OPERATORS, OPERATOR_CLASSES, OPERATOR_FAMILIES, CASTS, COLLATIONS),
    *(CONVERSIONS, TEXT_SEARCH_CONFIGURATIONS, TEXT_SEARCH_DICTIONARIES, TEXT_SEARCH_PARSERS),
    *(TEXT_SEARCH_TEMPLATES, LANGUAGES, TRANSFORMS, ACCESS_METHODS, EXTENSIONS, EVENT_TRIGGERS),
    *(PUBLICATIONS, PUBLISHED_TABLES, SUBSCRIPTIONS, FOREIGN_DATA_WRAPPERS, FOREIGN_SERVERS),
    *(DEFAULT_PRIVILEGES, DATABASE),
)

#: Objects made by extensions; the extension stands for them.
MEMBERS = "SELECT classid::regclass::text, objid::int8 FROM pg_depend WHERE deptype = 'e'"

COMMENTS = """
SELECT classoid::regclass::text, objoid::int8, objsubid, description FROM pg_description
UNION ALL
SELECT 'pg_database', objoid::int8, 0, description FROM pg_shdescription
WHERE classoid = 'pg_database'::regclass
"""

SECURITY_LABELS = "SELECT classoid::regclass::text, objoid::int8, objsubid, provider, label FROM pg_seclabel"

#: Owner and privileges of all that has them. kind: as acldefault() wants it, NULL where nothing is granted.
OWNERS = """
WITH owned(catalog, oid, sub, owner, kind, acl) AS (
    SELECT 'pg_class', oid, 0, relowner, CASE relkind WHEN 'S' THEN 's' ELSE 'r' END, relacl FROM pg_class
    WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL SELECT 'pg_class', a.attrelid, a.attnum, c.relowner, 'c', a.attacl
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid WHERE a.attacl IS NOT NULL
    UNION ALL SELECT 'pg_proc', oid, 0, proowner, 'f', proacl FROM pg_proc
    UNION ALL SELECT 'pg_namespace', oid, 0, nspowner, 'n', nspacl FROM pg_namespace
    UNION ALL SELECT 'pg_type', oid, 0, typowner, 'T', typacl FROM pg_type
    UNION ALL SELECT 'pg_language', oid, 0, lanowner, 'l', lanacl FROM pg_language
    UNION ALL SELECT 'pg_foreign_data_wrapper', oid, 0, fdwowner, 'F', fdwacl FROM pg_foreign_data_wrapper
    UNION ALL SELECT 'pg_foreign_server', oid, 0, srvowner, 'S', srvacl FROM pg_foreign_server
    UNION ALL SELECT 'pg_database', oid, 0, datdba, 'd', datacl FROM pg_database
    UNION ALL SELECT 'pg_default_acl', oid, 0, defaclrole,
        CASE defaclobjtype WHEN 'S' THEN 's' ELSE defaclobjtype::text END, defaclacl FROM pg_default_acl
    UNION ALL SELECT 'pg_operator', oid, 0, oprowner, NULL, NULL FROM pg_operator
    UNION ALL SELECT 'pg_opclass', oid, 0, opcowner, NULL, NULL FROM pg_opclass
    UNION ALL SELECT 'pg_opfamily', oid, 0, opfowner, NULL, NULL FROM pg_opfamily
    UNION ALL SELECT 'pg_collation', oid, 0, collowner, NULL, NULL FROM pg_collation
    UNION ALL SELECT 'pg_conversion', oid, 0, conowner, NULL, NULL FROM pg_conversion
    UNION ALL SELECT 'pg_ts_config', oid, 0, cfgowner, NULL, NULL FROM pg_ts_config
    UNION ALL SELECT 'pg_ts_dict', oid, 0, dictowner, NULL, NULL FROM pg_ts_dict
    UNION ALL SELECT 'pg_statistic_ext', oid, 0, stxowner, NULL, NULL FROM pg_statistic_ext
    UNION ALL SELECT 'pg_event_trigger', oid, 0, evtowner, NULL, NULL FROM pg_event_trigger
    UNION ALL SELECT 'pg_publication', oid, 0, pubowner, NULL, NULL FROM pg_publication
)
SELECT o.catalog, o.oid::int8, o.sub::int, pg_get_userbyid(o.owner)::text, o.kind,
       CASE g.grantee WHEN 0 THEN 'PUBLIC' WHEN o.owner THEN '' ELSE pg_get_userbyid(g.grantee)::text END,
       g.privilege_type, g.is_grantable
FROM owned o
LEFT JOIN LATERAL aclexplode(CASE WHEN o.kind IS NULL THEN NULL
    ELSE coalesce(o.acl, acldefault(o.kind::"char", o.owner)) END) g ON true
"""

#: All privileges there are on a kind of object: what an owner has.
FULL_PRIVILEGES = """
SELECT k, array_agg(g.privilege_type ORDER BY g.privilege_type)
FROM unnest(ARRAY['r', 's', 'f', 'n', 'T', 'l', 'F', 'S', 'd', 'L', 'c']) k,
     aclexplode(acldefault(k::"char", 10)) g
WHERE g.grantee = 10 GROUP BY k
"""

#: ALTER DATABASE ... SET and ALTER ROLE ... IN DATABASE ... SET. role: NULL for all.
SETTINGS = """
SELECT CASE WHEN s.setrole <> 0 THEN pg_get_userbyid(s.setrole)::text END, c
FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) c
WHERE d.datname = current_database()
"""

SEQUENCE_NAMES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                  AND d.deptype = 'e')
ORDER BY 1, 2
"""
