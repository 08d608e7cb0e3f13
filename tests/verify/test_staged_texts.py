"""Whatever holds text in staging is looked into for leaks, all of it, in whatever form it is read back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

import pytest
from fix_copies import run_script
from proofs import refreshed, write_rules
from psycopg import sql

from parity_data.catalog import Name
from parity_data.database import Database
from parity_data.mask.cipher.flat import Flat
from parity_data.refresh import staged_texts
from parity_data.settings import Settings
from parity_data.verify.digests import ColumnKey
from parity_data.verify.leaks import LeakAudit

_TABLES = """
create extension hstore;
create extension citext;
create type place as (street text, number int);
create type mood as enum ('sad', 'fine');
create domain title as varchar(40);
create table person (
    id int primary key, name text, code varchar(20), tag character(8), nick citext, held title, internal name,
    doc jsonb, doc_text json, facts hstore, home place, words text[], nicks citext[], homes place[],
    found tsvector generated always as (to_tsvector('simple', coalesce(name, ''))) stored,
    loud text generated always as (upper(name)) stored, of mood, born date, amount numeric);
insert into person (id, name, code, tag, nick, held, internal, doc, doc_text, facts, home, words, nicks,
    homes, of, born, amount)
select i, 'Maria Lopez ' || i, 'C-' || i, 'T' || i, 'Nick ' || i, 'Dr ' || i, 'user_' || i,
    jsonb_build_object('b', i, 'aa', 'x' || i), ('{"a":  "' || i || '"}')::json, hstore('k', 'v' || i),
    row('Main ' || i, i)::place, array['a b', 'c' || i], array['N' || i]::citext[],
    array[row('Side ' || i, 1)]::place[], 'sad', date '1980-01-01' + i, i * 1.5
from generate_series(1, 700) i;
insert into person (id, name, doc) values (0, null, null), (-1, '', '{}'), (-2, 'Ünïcode 李雷', '["é"]');
create table granted (id int primary key, who aclitem, note text, doc jsonb);
insert into granted select i, 'postgres=r/postgres', 'Note ' || i, jsonb_build_array(i)
from generate_series(1, 50) i;
create table parted (id int, name text, primary key (id)) partition by range (id);
create table parted_1 partition of parted for values from (0) to (100);
create table parted_2 partition of parted for values from (100) to (1000);
insert into parted select i, 'Part ' || i from generate_series(1, 300) i;
create table heir (more text) inherits (granted);
insert into heir values (1000, null, 'heir', '1', 'more of it');
create table bare ();
insert into bare select from generate_series(1, 5);
"""
_TEXTUAL = {
    "person": ["name", "code", "tag", "nick", "held", "internal", "doc", "doc_text", "facts", "home", "words",
               "nicks", "homes", "loud"],
    "granted": ["note", "doc"], "parted": ["name"], "heir": ["note", "doc", "more"],
}  # fmt: skip


@pytest.mark.parametrize("waiting", [64 << 20, 2_000], ids=["at once", "in turns"])
def test_every_text_is_looked_into_once(
    source_db: Database,
    target_db: Database,
    make_settings: Callable[..., Settings],
    monkeypatch: pytest.MonkeyPatch,
    waiting: int,
) -> None:
    run_script(source_db, _TABLES)
    settings = make_settings(source_db, target_db)
    write_rules(settings, source_db, {"person": {"name": "person_name", "nick": "token"}})
    fed: dict[ColumnKey, list[str]] = defaultdict(list)
    feed = LeakAudit.feed_texts

    def watched(self: LeakAudit, column: ColumnKey, texts: Flat) -> None:
        fed[column] += texts.series().to_list()
        feed(self, column, texts)

    staged: dict[ColumnKey, list[str]] = {}

    def look(database: Database) -> None:
        with database.with_options(search_path="public").connect() as connection:
            for table, columns in _TEXTUAL.items():
                for column in columns:
                    query = sql.SQL("select {}::text from {} {}").format(
                        sql.Identifier(column),
                        sql.SQL("only" if table in ("granted", "heir") else ""),
                        sql.Identifier(table),
                    )
                    found = connection.execute(query).fetchall()
                    staged[Name("public", table), column] = [text for (text,) in found if text is not None]
            found = connection.execute("select tsvector_to_array(found)::text from person").fetchall()
            staged[Name("public", "person"), "found"] = [text for (text,) in found]

    monkeypatch.setattr(staged_texts, "_WAITING_BYTES", waiting)
    monkeypatch.setattr(LeakAudit, "feed_texts", watched)
    refresh = refreshed(settings, look)
    assert {c.status for c in refresh.checks if c.name == "leak_audit"} == {"pass"}
    assert len(staged) == 21
    read = {key: texts for key, texts in fed.items() if key[0].schema == "public"}
    # A cast of character(n) drops blanks at its end, which say nothing.
    for texts in (read, staged):
        tags = texts[Name("public", "person"), "tag"]
        tags[:] = [text.rstrip(" ") for text in tags]
    assert {key: sorted(texts) for key, texts in read.items()} == {
        key: sorted(texts) for key, texts in staged.items()
    }
