"""Every row sent is in staging once and unchanged; what is not, is found down to one row and named."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pyarrow as pa
import pytest
from fix_copies import run_script
from proofs import failed, refreshed, write_rules

from parity_data.catalog import Name
from parity_data.database import Database
from parity_data.refresh.scan import scan_source
from parity_data.settings import Settings
from parity_data.transfer import wire

_TABLES = """
create extension hstore;
create type mood as enum ('sad', 'fine');
create type place as (street text, number int, feeling mood);
create domain cents as numeric(10,2);
create table every_form (
    id int primary key, name text, code varchar(20), tag character(8), doc jsonb, facts hstore, born date,
    seen timestamptz(0), amount numeric(10,2), price cents, ratio double precision, share real, big bigint,
    net inet, of mood, home place, words text[], moods mood[], during int4range, proof bytea, u uuid,
    sure boolean, took interval, sum money, at point, doc_text json, bits varbit(9));
insert into every_form select i, 'Name ' || i, 'C-' || i, 'T' || i,
    jsonb_build_object('b', i, 'aa', 'x' || i),
    hstore('k', 'v' || i), date '1980-01-01' + i, timestamptz '2020-01-01' + i * interval '1 hour', i * 1.5,
    i / 4.0, i / 3.0, i / 7.0, i * 1e12, ('10.0.0.' || i % 250)::inet, 'sad',
    row('Main', i, 'fine'::mood)::place,
    array['a b', 'c' || i], array['sad'::mood], int4range(i, i + 5), decode(md5(i::text), 'hex'),
    md5(i::text)::uuid, i % 2 = 0, i * interval '1 minute', i::money, point(i, i / 3.0), '{"a":  1}', b'101'
    from generate_series(1, 300) i;
insert into every_form (id) values (0);
insert into every_form (id, home) values (-1, row(null, null, null));
create table parted (id int, born date, name text, primary key (id, born)) partition by range (born);
create table parted_1 partition of parted for values from (minvalue) to ('1990-01-01');
create table parted_2 partition of parted for values from ('1990-01-01') to (maxvalue);
insert into parted select i, date '1980-01-01' + i * 30, 'P ' || i from generate_series(1, 300) i;
create table bare ();
insert into bare select from generate_series(1, 5);
"""
_DAMAGED = """
create table whole as select i as id, 'word ' || i as word, case when i % 2 = 0 then 'x' end as other,
    i / 7.0 as n from generate_series(1, 500) i;
create table one_doubled as table whole;
create table one_lost (like whole, primary key (id));
create table one_changed (like whole, primary key (id));
create table two_exchanged (like whole, primary key (id));
create table null_to_empty (like whole, primary key (id));
create table cut (like whole, primary key (id));
create table keyed (like whole, primary key (id));
insert into one_lost table whole;
insert into one_changed table whole;
insert into two_exchanged table whole;
insert into null_to_empty table whole;
insert into cut table whole;
insert into keyed table whole;
create table as_text as select i as id, ('10.0.0.' || i % 250)::inet as net, 'a "word" ' || i as word
    from generate_series(1, 500) i;
alter table as_text add primary key (id);
create table null_to_zero as select i as id, nullif(i % 3, 0) as n from generate_series(1, 500) i;
alter table null_to_zero add primary key (id);
create table keyless as select i as a, 'b' || i as b from generate_series(1, 500) i;
"""
#: What is done to staging behind the refresh's back: by table, and what must be named.
_DAMAGE = {
    "one_lost": ("delete from one_lost where id = 77", {"public.one_lost"}),
    "one_doubled": (
        "insert into one_doubled select * from one_doubled where id = 78",
        {"public.one_doubled"},
    ),
    "one_changed": ("update one_changed set word = 'Word 79' where id = 79", {"public.one_changed.word"}),
    "two_exchanged": (
        "update two_exchanged set word = case id when 5 then 'word 6' else 'word 5' end where id in (5, 6)",
        {"public.two_exchanged.word"},
    ),
    "null_to_empty": (
        "update null_to_empty set other = '' where id = 77 and other is null",
        {"public.null_to_empty.other"},
    ),
    "null_to_zero": ("update null_to_zero set n = 0 where id = 300", {"public.null_to_zero.n"}),
    "cut": ("update cut set n = round(n, 6) where id = 80", {"public.cut.n"}),
    "as_text": ("update as_text set word = null where id = 82", {"public.as_text.word"}),
    "keyed": ("update keyed set id = 9999 where id = 81", {"public.keyed.id"}),
    "keyless": (
        "update keyless set b = case a when 5 then 'b6' else 'b5' end where a in (5, 6)",
        {"public.keyless"},
    ),
}


@pytest.mark.parametrize("masked", [False, True], ids=["kept", "masked"])
def test_rows_of_all_forms_are_found_again(
    source_db: Database, target_db: Database, make_settings: Callable[..., Settings], masked: bool
) -> None:
    run_script(source_db, _TABLES)
    # OIDs of types differ between the two servers' databases from here on.
    run_script(target_db, "create type one as enum ('a'); create type two as (a int);")
    settings = make_settings(source_db, target_db)
    columns = {
        "name": "person_name", "code": "code", "tag": "token", "born": "birth_date", "seen": "timestamp",
        "amount": "number", "price": "number", "ratio": "number", "share": "number", "big": "integer",
        "net": "ip", "u": "uuid", "proof": "bytes", "at": "geo", "during": "range", "words": "token",
        "doc": {"mask": "json", "params": {"paths": {"$.aa": "token"}, "keys": {"$": "token"}}},
        "facts": {"mask": "hstore", "params": {"keys": {"k": "token"}}},
        "home": {"mask": "composite", "params": {"attributes": {"street": "token"}, "other": "keep"}},
        "sure": {"mask": "choice", "params": {"values": ["t", "f"]}},
        "took": {"mask": "constant", "params": {"value": "90 minutes"}},
        "sum": {"mask": "constant", "params": {"value": "5"}},
    }  # fmt: skip
    if masked:
        write_rules(
            settings,
            source_db,
            {"every_form": columns, "parted": {"name": "person_name", "born": "birth_date"}},
        )
    else:
        scan_source(settings, write=settings.rules, decide="keep")
    refresh = refreshed(settings)
    found = [check for check in refresh.checks if check.name == "load_link"]
    assert {c.scope for c in found} == {"public.every_form", "public.parted", "public.bare"}
    assert {c.status for c in found} == {"pass"}, [c.message for c in found if c.status != "pass"]
    counted = {c.message.split(" read")[0] for c in found}
    assert counted == {"300 rows", "302 rows", "5 rows"}
    # A composite value whose fields are all NULL is not NULL itself.
    every_form = Name("public", "every_form")
    assert {c: refresh.verification.nulls[every_form, c] for c in ("id", "name", "home", "sure")} == {
        "id": 0, "name": 2, "home": 1, "sure": 2,
    }  # fmt: skip
    assert {c.status for c in refresh.checks if c.name == "null_share"} == {"pass"}


def test_damage_down_to_one_row_is_found_and_named(
    source_db: Database, target_db: Database, make_settings: Callable[..., Settings]
) -> None:
    run_script(source_db, _DAMAGED)
    settings = make_settings(source_db, target_db)
    write_rules(
        settings,
        source_db,
        {"one_changed": {"word": "token"}, "whole": {"word": "token"}, "as_text": {"net": "ip"}},
    )

    def damage(database: Database) -> None:
        with database.with_options(search_path="public").connect(autocommit=True) as connection:
            for statement, _ in _DAMAGE.values():
                assert connection.execute(statement).rowcount > 0

    refresh = refreshed(settings, damage)
    expected = set().union(*(scopes for _, scopes in _DAMAGE.values()))
    # The masked word of the changed row is another one, whatever was sent.
    assert failed(refresh, "load_link") == expected
    assert failed(refresh, "null_share") == {
        "public.one_lost.other", "public.null_to_empty.other", "public.as_text.word",
        "public.null_to_zero.n",
    }  # fmt: skip


def test_a_value_that_is_encoded_wrongly_is_found(
    source_db: Database,
    target_db: Database,
    make_settings: Callable[..., Settings],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_script(
        source_db,
        "create table person (id int primary key, born date, seen timestamptz, name text);"
        "insert into person select i, date '1980-01-01' + i, timestamptz '2020-01-01' + i * interval '1 h', "
        "'N' || i from generate_series(1, 300) i;",
    )
    settings = make_settings(source_db, target_db)
    write_rules(settings, source_db, {"person": {"born": "birth_date", "seen": "timestamp"}})
    write = wire.Writer.write

    def a_day_late(writer: wire.Writer, columns: list[pa.Array], rows: int) -> bytes:
        late = pl.Series(columns[1], dtype=pl.String).str.to_date().dt.offset_by("1d").cast(pl.String)
        return write(writer, [columns[0], late.to_arrow(), *columns[2:]], rows)

    monkeypatch.setattr(wire.Writer, "write", a_day_late)
    refresh = refreshed(settings)
    assert failed(refresh, "load_link") == {"public.person.born"}
