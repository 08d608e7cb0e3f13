# ruff: noqa: E501, S608
"""A script for a schema like the one that PostgreSQL's own regression tests leave behind: many odd tables.

Written by a program, since what matters is the product of kinds: every type, as a column, in an array, with a
default, in a key; every way to partition; every kind of constraint, index and trigger. For PostgreSQL 18.
"""

from __future__ import annotations

from collections.abc import Iterator

#: Types by a literal of theirs.
TYPES = {
    "smallint": "'-32768'", "integer": "2147483647", "bigint": "'-9223372036854775808'", "numeric": "'NaN'",
    "numeric(10,3)": "1234567.891", "numeric(3,-2)": "12300", "real": "'-Infinity'", "double precision": "5e-324",
    "money": "'12.34'", "text": "e'a\\tb\\\\c\\n'", "varchar(7)": "'é€😀'", "char(5)": "'ab '", "\"char\"": "'x'",
    "name": "'a name'", "bytea": r"'\x00ff5c'", "boolean": "true", "date": "'infinity'", "time": "'24:00:00'",
    "time(2)": "'12:34:56.78'", "timetz": "'23:59:59.999999+15:59'", "timestamp": "'4713-01-01 BC'",
    "timestamptz": "'294276-12-31 23:59:59+00'", "interval": "'-178000000 years'", "interval day to second(3)":
    "'1 02:03:04.567'", "uuid": "'00000000-0000-0000-0000-000000000001'", "json": "'{\"a\": 1, \"a\": [null]}'",
    "jsonb": "'{\"b\": {\"\\u00e9\": 1e400}}'", "jsonpath": "'$.a[*] ? (@ > 1)'",
    "inet": "'::1/64'", "cidr": "'10.0.0.0/8'", "macaddr": "'08:00:2b:01:02:03'",
    "macaddr8": "'08:00:2b:01:02:03:04:05'", "bit(5)": "B'10101'", "varbit(9)": "B'101'", "point": "'(1,-2)'",
    "line": "'{1,2,3}'", "lseg": "'[(0,0),(1,1)]'", "box": "'(1,1),(0,0)'", "path": "'((0,0),(1,1),(2,0))'",
    "polygon": "'((0,0),(1,1),(2,0))'", "circle": "'<(0,0),5>'", "tsvector": "'a:1A b:2,3'", "tsquery":
    "'a & !b <-> c'", "int4range": "'[1,5)'", "int8range": "'empty'", "numrange": "'(,5]'", "tsrange":
    "'[2020-01-01,)'", "tstzrange": "'(,)'", "daterange": "'[2020-01-01,2020-02-01)'", "int4multirange":
    "'{[1,2),[4,9)}'", "nummultirange": "'{}'", "datemultirange": "'{[2020-01-01,2021-01-01)}'", "pg_lsn":
    "'16/B374D848'", "pg_snapshot": "'10:20:10,14,15'", "txid_snapshot": "'10:20:10'", "xid8": "'42'",
    "oid": "4294967295", "regclass": "'pg_class'", "regtype": "'integer'", "regproc": "'now'", "tid": "'(7,8)'",
    "xid": "'7'", "cid": "'7'", "int2vector": "'1 2'", "oidvector": "'1 2'", "refcursor": "'c'",
    "odd.mood": "'so so'", "odd.positive": "7", "odd.pair": "'(1,\"a,\"\"b\")'", "odd.pairs":
    "'{\"(1,a)\",\"(2,)\"}'", "odd.floats": "'[1.5,2.5]'", "odd.moods": "'{sad,happy}'",
}  # fmt: skip
#: Types without an order or equality, so without a key.
NO_KEY = {
    "json", "jsonpath", "point", "line", "lseg", "box", "path", "polygon", "circle", "txid_snapshot",
    "pg_snapshot", "xid", "cid", "int2vector", "refcursor", "odd.pairs", "aclitem",
}  # fmt: skip

_BEGIN = """
CREATE SCHEMA odd; CREATE SCHEMA "odd too"; SET search_path = odd;
CREATE TYPE mood AS ENUM ('sad', 'so so', 'happy');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN pairs AS pair[];
CREATE TYPE floats AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE DOMAIN moods AS mood[] CHECK (cardinality(VALUE) < 9);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'a trigger fired'; END $$;
CREATE FUNCTION plus(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + $2';
CREATE SEQUENCE shared INCREMENT 7 START 700 CACHE 5;
"""


def script() -> str:
    """Everything, as one script."""
    parts = [_types(), _partitions(), _inheritance(), _keys(), _indexes(), _triggers(), _storage(), _shapes()]
    return _BEGIN + "\n".join(line for part in parts for line in part) + _END


def _types() -> Iterator[str]:
    for number, (type_, literal) in enumerate(TYPES.items()):
        table = f"type_{number:02}"
        key = "" if type_ in NO_KEY else "UNIQUE"
        value = f"{literal}::{type_}"
        # PostgreSQL has no arrays of these.
        array = type_ not in ("odd.pairs", "odd.moods")
        columns = [f"plain {type_} {key}", f"preset {type_} DEFAULT {value} NOT NULL", f"empty {type_}"]
        columns += [f"many {type_}[] DEFAULT ARRAY[{value}, NULL]"] if array else []
        yield f"CREATE TABLE {table} ({', '.join(columns)});"
        yield f"INSERT INTO {table} (plain) VALUES ({value}), (NULL);"
        yield f"COMMENT ON COLUMN {table}.plain IS 'of type {type_.replace(chr(39), '')}';"


def _partitions() -> Iterator[str]:
    yield "CREATE TABLE by_range (id int, at date, what text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);"
    for year in range(2018, 2026):
        bounds = f"FOR VALUES FROM ('{year}-01-01') TO ('{year + 1}-01-01')"
        yield f"CREATE TABLE by_range_{year} PARTITION OF by_range {bounds};"
    yield "CREATE TABLE by_range_rest PARTITION OF by_range DEFAULT;"
    yield "INSERT INTO by_range SELECT i, date '2017-06-01' + i * 50, 'x' || i FROM generate_series(1, 70) i;"
    yield "CREATE TABLE by_hash (id int, what mood) PARTITION BY HASH (id);"
    for remainder in range(8):
        with_ = f"FOR VALUES WITH (MODULUS 8, REMAINDER {remainder})"
        yield f"CREATE TABLE by_hash_{remainder} PARTITION OF by_hash {with_};"
    yield "INSERT INTO by_hash SELECT i, 'happy' FROM generate_series(1, 100) i;"
    yield 'CREATE TABLE by_list (what text COLLATE "C", n int) PARTITION BY LIST (lower(what));'
    for letter in "abcd":
        yield (
            f"CREATE TABLE by_list_{letter} PARTITION OF by_list FOR VALUES IN ('{letter}') "
            "PARTITION BY RANGE (n);"
        )
        for low in range(0, 40, 10):
            yield (
                f"CREATE TABLE by_list_{letter}_{low} PARTITION OF by_list_{letter} "
                f"FOR VALUES FROM ({low}) TO ({low + 10});"
            )
        yield f"INSERT INTO by_list SELECT upper('{letter}'), i FROM generate_series(0, 39) i;"
    # Partitions whose columns stand in another order, with one that was dropped, attached out of order.
    yield "CREATE TABLE attached (a int, b text, c date NOT NULL) PARTITION BY LIST (a);"
    for number in (3, 1, 2):
        yield f"CREATE TABLE attached_{number} (gone int, c date NOT NULL, b text, a int);"
        yield f"ALTER TABLE attached_{number} DROP COLUMN gone;"
        yield f"INSERT INTO attached_{number} VALUES ('2020-01-0{number}', 'b', {number});"
        yield f"ALTER TABLE attached ATTACH PARTITION attached_{number} FOR VALUES IN ({number});"
    yield "CREATE INDEX ON attached (b); CREATE INDEX only_here ON ONLY attached (c);"
    yield "CREATE TABLE refers_to_parts (id int, at date, FOREIGN KEY (id, at) REFERENCES by_range);"
    yield "INSERT INTO refers_to_parts SELECT id, at FROM by_range WHERE id % 3 = 0;"


def _inheritance() -> Iterator[str]:
    yield "CREATE TABLE base (id serial, kind text DEFAULT 'base' CHECK (kind <> ''));"
    yield "CREATE TABLE left_side (l int) INHERITS (base); CREATE TABLE right_side (r int) INHERITS (base);"
    yield "CREATE TABLE diamond (d int, kind text DEFAULT 'diamond') INHERITS (left_side, right_side);"
    yield "CREATE TABLE late (id int NOT NULL, kind text CHECK (kind <> ''), extra int);"
    yield "ALTER TABLE late ADD CONSTRAINT base_kind_check CHECK (kind <> ''); ALTER TABLE late INHERIT base;"
    for table in ("base", "left_side", "right_side", "diamond"):
        yield f"INSERT INTO {table} DEFAULT VALUES;"
    yield "CREATE TABLE no_inherit (x int CHECK (x > 0) NO INHERIT); CREATE TABLE child () INHERITS (no_inherit);"
    yield "INSERT INTO child VALUES (-1);"
    yield "CREATE TABLE typed OF pair (a WITH OPTIONS PRIMARY KEY, b DEFAULT 'of a type');"
    yield "INSERT INTO typed VALUES (1, 'x');"


def _keys() -> Iterator[str]:
    yield "CREATE TABLE many_keys (id int PRIMARY KEY, a int, b text, UNIQUE (a, b) INCLUDE (id));"
    yield "INSERT INTO many_keys SELECT i, i % 5, 'b' || i FROM generate_series(1, 20) i;"
    actions = ("NO ACTION", "RESTRICT", "CASCADE", "SET NULL", "SET DEFAULT")
    for number, delete in enumerate(actions):
        update = actions[-number]
        match = "MATCH FULL" if number % 2 else ""
        defer = ("", "DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED")[number % 3]
        yield (
            f"CREATE TABLE refers_{number} (a int, b text, CONSTRAINT key_{number} FOREIGN KEY (a, b) "
            f"REFERENCES many_keys (a, b) {match} ON DELETE {delete} ON UPDATE {update} {defer});"
        )
        yield f"INSERT INTO refers_{number} SELECT a, b FROM many_keys UNION ALL SELECT NULL, NULL;"
    yield "CREATE TABLE tree (id int PRIMARY KEY, up int REFERENCES tree);"
    yield "INSERT INTO tree SELECT i, nullif(i / 2, 0) FROM generate_series(1, 30) i;"
    yield "CREATE TABLE egg (id int PRIMARY KEY, hen int); CREATE TABLE hen (id int PRIMARY KEY, egg int REFERENCES egg);"
    yield "INSERT INTO egg VALUES (1, 1); INSERT INTO hen VALUES (1, 1);"
    yield "ALTER TABLE egg ADD FOREIGN KEY (hen) REFERENCES hen DEFERRABLE;"
    yield "CREATE TABLE dangling (x int); INSERT INTO dangling VALUES (1), (999);"
    yield "ALTER TABLE dangling ADD CONSTRAINT loose FOREIGN KEY (x) REFERENCES tree NOT VALID;"
    yield "CREATE TABLE unenforced (x int, CONSTRAINT idle FOREIGN KEY (x) REFERENCES tree NOT ENFORCED,"
    yield "  CONSTRAINT idle_check CHECK (x > 5) NOT ENFORCED); INSERT INTO unenforced VALUES (1), (-7);"
    yield "CREATE TABLE unchecked (x int); INSERT INTO unchecked VALUES (-1);"
    yield "ALTER TABLE unchecked ADD CONSTRAINT later CHECK (x > 0) NOT VALID;"
    yield "ALTER TABLE unchecked ADD CONSTRAINT later_too NOT NULL x NOT VALID;"
    yield "CREATE TABLE rooms (room int, during daterange, EXCLUDE USING gist (during WITH &&) WHERE (room = 1));"
    yield "INSERT INTO rooms VALUES (1, '[2020-01-01,2020-02-01)'), (2, '[2020-01-01,2020-02-01)');"
    yield "CREATE TABLE distinct_nulls (x int UNIQUE NULLS NOT DISTINCT, y int UNIQUE);"
    yield "INSERT INTO distinct_nulls VALUES (NULL, NULL), (1, NULL);"


def _indexes() -> Iterator[str]:
    indexes = {
        "partial": "(n) WHERE n > 5 AND word <> 'it''s'", "expression": "(lower(word), (n + 1))",
        "descending": "(n DESC NULLS LAST, word ASC NULLS FIRST)", "including": "(n) INCLUDE (word)",
        "hashed": "USING hash (word)", "gin": "USING gin (words) WITH (fastupdate = off)",
        "gist": "USING gist (place) WITH (buffering = on)", "spgist": "USING spgist (place)",
        "brin": "USING brin (n) WITH (pages_per_range = 4)", "pattern": "(word text_pattern_ops)",
        "collated": "(word COLLATE \"C\")", "filled": "(n) WITH (fillfactor = 55, deduplicate_items = off)",
        "vector": "USING gin (to_tsvector('english', word))", "path": "USING gin (doc jsonb_path_ops)",
    }  # fmt: skip
    for name, definition in indexes.items():
        yield f"CREATE TABLE index_{name} (n int, word text, words text[], place point, doc jsonb);"
        yield f"CREATE INDEX by_{name} ON index_{name} {definition};"
        yield (
            f"INSERT INTO index_{name} SELECT i, 'word ' || i, ARRAY['a', 'b' || i], point(i, i), '{{}}' "
            "FROM generate_series(1, 25) i;"
        )
    yield "ALTER TABLE index_including ADD UNIQUE (n); ALTER TABLE index_descending CLUSTER ON by_descending;"
    yield "ALTER TABLE index_filled ALTER n SET NOT NULL;"
    yield "CREATE UNIQUE INDEX identity ON index_filled (n);"
    yield "ALTER TABLE index_filled REPLICA IDENTITY USING INDEX identity;"
    yield "ALTER TABLE index_gin REPLICA IDENTITY FULL; ALTER TABLE index_brin REPLICA IDENTITY NOTHING;"
    yield "ALTER INDEX by_expression ALTER COLUMN 2 SET STATISTICS 500;"
    yield "CREATE STATISTICS related (ndistinct, dependencies, mcv) ON n, word FROM index_partial;"
    yield "CREATE STATISTICS computed ON (n + 1), lower(word) FROM index_hashed;"


def _triggers() -> Iterator[str]:
    states = {"enabled": "", "disabled": "DISABLE", "always": "ENABLE ALWAYS", "replica": "ENABLE REPLICA"}
    for name, state in states.items():
        yield f"CREATE TABLE trigger_{name} (id int PRIMARY KEY, word text);"
        yield f"INSERT INTO trigger_{name} VALUES (1, 'before');"
        yield (
            f"CREATE TRIGGER fires BEFORE INSERT OR UPDATE OF word ON trigger_{name} FOR EACH ROW "
            "WHEN (new.id > 0) EXECUTE FUNCTION touch('an argument');"
        )
        yield f"CREATE TRIGGER once AFTER TRUNCATE OR DELETE ON trigger_{name} EXECUTE FUNCTION touch();"
        yield (
            f"CREATE CONSTRAINT TRIGGER late AFTER INSERT ON trigger_{name} DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION touch();"
        )
        if state:
            yield f"ALTER TABLE trigger_{name} {state} TRIGGER fires; ALTER TABLE trigger_{name} {state} TRIGGER late;"
    yield "CREATE TABLE ruled (x int); CREATE RULE nothing AS ON INSERT TO ruled WHERE new.x < 0 DO INSTEAD NOTHING;"
    yield "CREATE RULE loud AS ON UPDATE TO ruled DO ALSO NOTIFY changed; INSERT INTO ruled VALUES (1);"
    yield "CREATE TABLE guarded (x int, who name DEFAULT current_user); INSERT INTO guarded VALUES (1);"
    yield "ALTER TABLE guarded ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON guarded USING (who = current_user);"
    yield "CREATE POLICY strict ON guarded AS RESTRICTIVE FOR UPDATE TO PUBLIC USING (x > 0) WITH CHECK (x < 9);"
    yield "CREATE TABLE forced (x int); ALTER TABLE forced FORCE ROW LEVEL SECURITY;"


def _storage() -> Iterator[str]:
    options = {
        "filled": "WITH (fillfactor = 40, autovacuum_enabled = false)", "toasted": "WITH (toast_tuple_target = 256)",
        "parallel": "WITH (parallel_workers = 3, vacuum_truncate = off)", "heap": "USING heap",
        "cleaned": "WITH (autovacuum_vacuum_scale_factor = 0.01, toast.autovacuum_enabled = off)",
    }  # fmt: skip
    for name, option in options.items():
        yield f"CREATE TABLE stored_{name} (x int, t text) {option};"
        yield f"INSERT INTO stored_{name} SELECT i, repeat(md5(i::text), 300) FROM generate_series(1, 5) i;"
    yield "CREATE UNLOGGED TABLE volatile (id int GENERATED ALWAYS AS IDENTITY, x int);"
    yield "INSERT INTO volatile (x) SELECT generate_series(1, 9);"
    for storage in ("PLAIN", "EXTERNAL", "MAIN", "EXTENDED"):
        table = f"kept_{storage.lower()}"
        yield f"CREATE TABLE {table} (t text COMPRESSION pglz, n int); ALTER TABLE {table} ALTER t SET STORAGE {storage};"
        yield f"ALTER TABLE {table} ALTER n SET (n_distinct = -0.5); ALTER TABLE {table} ALTER n SET STATISTICS 7;"
        yield f"INSERT INTO {table} VALUES (repeat('long ', 300), 1);"


def _shapes() -> Iterator[str]:
    yield f"CREATE TABLE wide ({', '.join(f'c{i} int' for i in range(900))}); INSERT INTO wide (c0, c899) VALUES (1, 2);"
    yield "CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES; INSERT INTO nothing DEFAULT VALUES;"
    yield "CREATE TABLE emptied (x int); ALTER TABLE emptied DROP x; INSERT INTO emptied DEFAULT VALUES;"
    yield "CREATE TABLE holes (a int, b int, c text, d int DEFAULT 5);"
    yield "INSERT INTO holes VALUES (1, 2, 'c', 4); ALTER TABLE holes DROP b;"
    yield "ALTER TABLE holes ADD e text DEFAULT 'fast'; ALTER TABLE holes ALTER a TYPE bigint;"
    yield "CREATE TABLE computed (a int, s int GENERATED ALWAYS AS (plus(a, 1)) STORED,"
    yield "  v int GENERATED ALWAYS AS (a * 2) VIRTUAL); INSERT INTO computed VALUES (1), (NULL);"
    yield "CREATE TABLE numbered (a int GENERATED ALWAYS AS IDENTITY (START 10 INCREMENT -3 MINVALUE -99 MAXVALUE 99),"
    yield '  b bigint GENERATED BY DEFAULT AS IDENTITY (CYCLE MAXVALUE 7 SEQUENCE NAME odd."a sequence"),'
    yield "  c smallserial, d int DEFAULT nextval('shared')); INSERT INTO numbered DEFAULT VALUES;"
    yield "INSERT INTO numbered DEFAULT VALUES;"
    names = (
        "select",
        "UPPER",
        "with space",
        "it''s",
        "100%s",
        "$1",
        "a.b",
        "naïve",
        "数据",
        "😀",
        "x" * 63,
        "tab\there",
    )
    for name in names:
        quoted = '"' + name + '"'
        yield f'CREATE TABLE "odd too".{quoted} ({quoted} int PRIMARY KEY, "order" text);'
        yield f"INSERT INTO \"odd too\".{quoted} VALUES (1, 'x');"
        yield f'CREATE VIEW odd.{quoted} AS SELECT * FROM "odd too".{quoted};'
    yield "CREATE TABLE temporal (id int4range, valid daterange, PRIMARY KEY (id, valid WITHOUT OVERLAPS));"
    yield "INSERT INTO temporal VALUES ('[1,2)', '[2020-01-01,2021-01-01)');"
    yield "CREATE TABLE named_not_null (x int CONSTRAINT must NOT NULL NO INHERIT); INSERT INTO named_not_null VALUES (1);"


_END = """
CREATE VIEW seen WITH (security_barrier, check_option = local) AS SELECT id, up FROM tree WHERE id > 0;
CREATE RECURSIVE VIEW ups (id) AS SELECT 1 UNION ALL SELECT t.id FROM tree t JOIN ups ON t.up = ups.id;
CREATE MATERIALIZED VIEW counted AS SELECT up, count(*) FROM tree GROUP BY up;
CREATE UNIQUE INDEX ON counted (up);
CREATE MATERIALIZED VIEW on_top AS SELECT sum(count) FROM counted;
CREATE MATERIALIZED VIEW not_filled AS SELECT * FROM tree WITH NO DATA;
CREATE AGGREGATE totals (int) (sfunc = plus, stype = int, initcond = '0');
CREATE OPERATOR +@ (leftarg = int, rightarg = int, function = plus);
CREATE VIEW with_operator AS SELECT 1 OPERATOR(odd.+@) 2 AS three, totals(id) FROM tree;
SELECT nextval('shared'), setval('"a sequence"', 3, false);
ANALYZE;
"""
