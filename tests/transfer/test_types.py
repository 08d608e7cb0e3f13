"""Values of every type that a column can have arrive as they are, in both forms that rows travel in."""

from __future__ import annotations

import pytest
from fix_copies import Copier, contents, run_script

from parity_data.database import Database
from parity_data.transfer import plan_table

#: Types of the test's own, each met by itself, in arrays and inside one another.
USER_TYPES = """
create extension hstore;
create extension citext;
create extension ltree;
create extension cube;
create extension seg;
create extension isn;
create extension intarray;
create schema "t y";
create type "t y"."Mo od" as enum ('sad', 'so-so', 'it''s "fine", ok');
create domain "t y".positive as int check (value > 0);
create domain "t y".positives as "t y".positive[] check (array_length(value, 1) < 5);
create domain "t y".very_positive as "t y".positive check (value > 1);
create type "t y".pair as (mood "t y"."Mo od", number numeric, word varchar(5));
create type "t y".nest as (p "t y".pair, ps "t y".pair[], i interval, s text, m "t y"."Mo od"[]);
create type "t y".deep as (n "t y".nest, ns "t y".nest[], d "t y".positives);
create domain "t y".good_pair as "t y".pair check (value is null or (value).number > 1);
create type "t y".moods as range (subtype = "t y"."Mo od");
create type "t y".pairs as range (subtype = "t y".pair);
create type "t y".words as range (subtype = text, collation = "C");
create table "t y".altered (a int, gone text, b "t y"."Mo od", also_gone "t y".pair, c text[]);
alter table "t y".altered drop column gone;
alter table "t y".altered drop column also_gone;
alter type "t y".pair add attribute more date;
alter type "t y".pair drop attribute word cascade;
create type "t y"._odd as enum ('x');
"""

#: Values by type, in PostgreSQL's text form; row after row takes the next of each, NULL among them.
VALUES: dict[str, list[str]] = {
    "smallint": ["-32768", "32767", "0"],
    "integer": ["-2147483648", "2147483647"],
    "bigint": ["-9223372036854775808", "9223372036854775807", "0"],
    "numeric": [
        *("NaN", "Infinity", "-Infinity", "123456789012345678901234567890.123456789012345678901234567890"),
        *("-0.000000000000000000000000000001", "0", "0.000", "1e300", "-99999999999999999999999999999999"),
    ],
    "numeric(12,3)": ["999999999.999", "-0.001", "NaN", "0.000"],
    "numeric(3,-2)": ["12300", "-99900"],
    "real": ["NaN", "Infinity", "-Infinity", "-0", "1e-45", "3.4028235e38", "0.1"],
    "double precision": ["NaN", "-Infinity", "-0", "5e-324", "1.7976931348623157e308", "0.1"],
    "money": ["-92233720368547758.08", "92233720368547758.07", "0.01"],
    "boolean": ["t", "f"],
    "character(5)": ["ab", "", "     ", "ünïcø", "a  b "],
    '"char"': ["x", "", "\\200"],
    "character varying(20)": ["", "trailing  ", "NULL", '"', "\\N", "\\."],
    "text": [
        *("", "NULL", "\\N", "\\.", "a\tb\nc\rd", '"quoted", and; more', "e\u0301 vs \u00e9", "\u202eabc"),
        *("👩‍👩‍👧‍👦 ZWJ", "\x01\x1f\x7f", "'$1' %s {}", "  both  "),
    ],
    "name": ["a name", "", 'with "quotes"'],
    "bytea": ["", "\\x00ff5c27", "\\x" + "de" * 300],
    "date": ["infinity", "-infinity", "4713-01-01 BC", "5874897-12-31", "0001-01-01", "1999-12-31"],
    "time": ["00:00", "24:00", "23:59:59.999999"],
    "time(2)": ["12:34:56.78"],
    "timetz": ["00:00+15:59", "23:59:59.999999-15:59", "12:00:00+02"],
    "timestamp": ["infinity", "-infinity", "4713-01-01 00:00 BC", "294276-12-31 23:59:59.999999", "epoch"],
    "timestamp(0)": ["2024-02-29 12:00:01"],
    "timestamptz": ["infinity", "-infinity", "4714-11-24 00:00+00 BC", "2024-03-31 02:30:00.000001+02"],
    "interval": [
        *("178000000 years", "-178000000 years", "1 mon -1 day 00:00:00.000001", "0", "-25:59:59.5"),
        *("1 year 2 mons -3 days +04:05:06.789",),
    ],
    "interval year to month": ["5 years 3 mons"],
    "uuid": ["00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"],
    "json": ['{"a":  1, "a": 2}', "null", '"\\u0000"', "[1.0e5,  -0]", '{"ü": "👩‍👩‍👧"}'],
    "jsonb": ['{"a": 1.00, "b": [null, {"c": "\\""}]}', "null", "-0", "[]", '"x"', "1E400"],
    "jsonpath": ['$."a b"[*] ? (@ > 1.5)', "lax $"],
    "inet": ["::ffff:1.2.3.4/128", "10.1.2.3/8", "fe80::1", "0.0.0.0/0"],
    "cidr": ["10.0.0.0/8", "2001:db8::/32", "::/0"],
    "macaddr": ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"],
    "macaddr8": ["08:00:2b:01:02:03:04:05"],
    "bit(5)": ["10101", "00000"],
    "bit(9)": ["101010101"],
    "bit varying": ["", "1", "0" * 65],
    "point": ["(NaN,-0)", "(1e-300,Infinity)"],
    "line": ["{1,-1,0.5}"],
    "lseg": ["[(0,0),(-0,1e10)]"],
    "box": ["(2,2),(1,-1)"],
    "path": ["((0,0),(1,1))", "[(0,0),(1,1),(2,0)]"],
    "polygon": ["((0,0),(1,1),(1,0))"],
    "circle": ["<(0,0),0>", "<(1.5,-2),NaN>"],
    "tsvector": ["'a':1A,2B 'fat''s':3 '👩':4", "", "'x' 'y'"],
    "tsquery": ["'a':AB & !'b' <3> 'c''s'", "'x':*"],
    "pg_lsn": ["0/0", "FFFFFFFF/FFFFFFFF"],
    "xid": ["4294967295"],
    "xid8": ["18446744073709551615"],
    "cid": ["7"],
    "tid": ["(4294967295,65535)"],
    "oid": ["0", "4294967295"],
    "pg_snapshot": ["10:20:10,14,15"],
    "txid_snapshot": ["10:20:10,14,15"],
    "int2vector": ["1 -2 3"],
    "oidvector": ["1 2 4294967295"],
    "int4range": ["empty", "[1,10)", "(,)", "[5,)"],
    "int8range": ["empty", "[-9223372036854775808,9223372036854775807)"],
    "numrange": ["(NaN,)", "(1.10,2.200]", "empty"],
    "tsrange": ["[-infinity,infinity]", "(,2024-01-01 00:00:00)"],
    "tstzrange": ["[2024-01-01 00:00+02,2024-01-02 00:00-03)"],
    "daterange": ["[infinity,)", "empty", "(,2000-01-01)"],
    "int4multirange": ["{}", "{[1,3),[5,)}"],
    "nummultirange": ["{(,-1.10),[2,NaN)}"],
    "datemultirange": ["{[2000-01-01,2000-02-01),(2001-01-01,)}"],
    "hstore": ['"a"=>NULL, "b c"=>"\\"q\\"", ""=>""', ""],
    "citext": ["MiXed", ""],
    "ltree": ["Top.Science_1.a", ""],
    "lquery": ["Top.*{1,2}.!a|b@*"],
    "ltxtquery": ["Europe & Russia*@ & !Transportation"],
    "cube": ["(1,2,-0),(3,4,5)", "(NaN)"],
    "int[]": ["{}", "{NULL,1}", "[0:1]={1,2}", "[-2:-1][3:4]={{1,2},{3,NULL}}"],
    "text[]": ['{"",NULL,"NULL","a,b","\\"","{}","\\\\"}', "{}"],
    "numeric[]": ["{NaN,1.10,-Infinity,NULL}"],
    "timestamptz[]": ["{infinity,NULL,2024-01-01 00:00:00+00}"],
    "jsonb[]": ['{"{\\"a\\": [1]}",NULL}'],
    "bytea[]": ['{"\\\\x00ff",NULL}'],
    "box[]": ["{(2,2),(1,1);(4,4),(3,3)}"],
    "int4range[]": ['{empty,"[1,2)",NULL}'],
    "hstore[]": ['{"\\"a\\"=>\\"1\\"",NULL}'],
    "citext[]": ["{MiXed,NULL}"],
    "ltree[]": ["{a.b,NULL}"],
    '"t y"."Mo od"': ["sad", 'it\'s "fine", ok'],
    '"t y"."Mo od"[]': ['{sad,NULL,"it\'s \\"fine\\", ok"}', "{}", "[5:5]={so-so}", "{{sad},{so-so}}"],
    '"t y".positive': ["1", "2147483647"],
    '"t y".very_positive': ["2"],
    '"t y".positive[]': ["{1,NULL}", "[-1:0]={1,2}"],
    '"t y".positives': ["{1,2}", "[7:8]={NULL,9}", "{}"],
    '"t y".positives[]': ['{"{1,2}",NULL,"{NULL}"}'],
    '"t y".pair': ["(sad,1.10,2024-01-01)", "(,,)", "(,NaN,infinity)"],
    '"t y".pair[]': ['{"(sad,1,)",NULL,"(,,)"}', "[0:0]={\"(so-so,,'4000-01-01 BC')\"}", "{}"],
    '"t y".good_pair': ["(sad,2,)"],
    '"t y".good_pair[]': ['{"(sad,2,)"}'],
    '"t y".nest': [
        '("(sad,1,)","{""(so-so,2,)"",NULL}","-1 mons","a ""b"", c","{sad,NULL}")',
        "(,,,,)",
        '("(,,)",{},"0","",{})',
    ],
    '"t y".nest[]': ['{"(\\"(sad,1,)\\",\\"{NULL}\\",,x,)",NULL}'],
    '"t y".deep': ['("(""(sad,1,)"",,,x,{so-so})","{""(,,,y,)"",NULL}","{3,4}")', "(,,)"],
    '"t y".deep[]': ['{"(\\"(,\\"\\"{NULL}\\"\\",,x,{sad})\\",,)"}'],
    '"t y".moods': ["empty", "[sad,so-so]", "(sad,)", "(,)"],
    '"t y".moods[]': ['{empty,"[sad,sad]",NULL}'],
    '"t y".moods_multirange': ["{}", "{[sad,sad],(so-so,)}"],
    '"t y".pairs': ['["(sad,1,)","(so-so,2,)")', "empty", '(,"(,,)"]'],
    '"t y".pairs_multirange': ['{["(sad,1,)","(so-so,2,)")}'],
    '"t y".words': ['["a b",c)', "empty", '["",)'],
    '"t y".altered': ['(1,sad,"{x,NULL}")', "(,,)"],
    '"t y".altered[]': ['{"(1,sad,)",NULL}'],
    '"t y"._odd': ["x"],
}

#: Types without send and receive functions, and those that hold another server's object numbers.
WITHOUT_BINARY = {
    "seg": ["1.50 .. 2.5", "<1", "~3", "0.1(+-)0.02"],
    "isbn13": ["978-0-393-04002-9"],
    "query_int": ["1&(2|!3)"],
    "regclass": ["pg_class", '"t y".altered'],
    "regtype": ['"t y".pair', "integer[]"],
    "regproc[]": ["{now,NULL}"],
    "aclitem[]": ["{postgres=arwd/postgres}"],
    "gtsvector": [],
}

ROWS = 60
ROOTS = "subset: {roots: [public.as_bytes, public.as_text]}\n"


def script(table: str, values: dict[str, list[str]]) -> str:
    """SQL that makes a table with a column of each type and fills it, with NULLs in every column."""
    columns = ", ".join(f'"c{i}" {type_}' for i, type_ in enumerate(values))
    rows = []
    for row in range(ROWS):
        cells = []
        for at, (type_, texts) in enumerate(values.items()):
            choices = [*texts, None]
            text = choices[(row + at) % len(choices)]
            quoted = "NULL" if text is None else "E'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
            cells.append(f"{quoted}::{type_}")
        rows.append(f"({row}, {', '.join(cells)})")
    return (
        f"create table public.{table} (id int primary key, {columns});\n"
        f"insert into public.{table} values {', '.join(rows)};\n"
    )


@pytest.mark.parametrize("fraction", [1.0, 0.5])
def test_values_of_every_type_arrive_as_they_are(
    fraction: float, any_source: Database, target_db: Database, keep_everything: Copier
) -> None:
    assert len(VALUES) > 90
    everything = {**VALUES, **WITHOUT_BINARY}
    run_script(any_source, USER_TYPES + script("as_bytes", VALUES) + script("as_text", everything))
    refresh = keep_everything(any_source, target_db, fraction, policy=ROOTS)
    plans = {
        name.name: plan_table(table, refresh.masks[name]).codec
        for name, table in refresh.catalog.tables.items()
    }
    assert (plans["as_bytes"], plans["as_text"]) == ("binary", "csv")

    here, there = contents(any_source), contents(target_db)
    for table in ("public.as_bytes", "public.as_text"):
        if fraction == 1:
            assert there[table] == here[table]
        else:
            assert 0.2 * ROWS < len(there[table]) < 0.8 * ROWS
            assert set(there[table]) <= set(here[table])
