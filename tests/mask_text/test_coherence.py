"""A person stays one person across tables, cases, types, documents and notes; joins keep their counts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fix_copies import copy_database, run_script
from psycopg import sql

from parity_data.database import Database
from parity_data.report import load_report
from parity_data.settings import Settings

TABLES = """
create extension citext; create extension hstore;
create type address as (street text, house text, city text);
create table people (id int primary key, name text not null, sort_name text, login text unique,
    email citext unique, phone text, attributes hstore, home address, other_emails text[]);
create table accounts (email text, profile jsonb, owner varchar(60));
create table memberships (member_emails citext[], note text);
create table messages (id int, body text, raw json, sender text);
create table plain_text (id int, body text);

insert into people
select i, n.first || ' ' || n.last, upper(n.last) || ', ' || n.first,
    lower(left(n.latin, 1) || n.family || i), initcap(n.latin) || '.' || n.family || i || '@acme-widgets.com',
    '+49 30 ' || 1234500 + i, hstore('nick', n.first) || hstore('size', i::text),
    row('Long Street', i::text, 'Berlin')::address,
    case when i % 3 = 0 then array[n.latin || i || '@gmail.com', null] end
from generate_series(1, 60) i,
lateral (select * from (values
    ('Maria', 'Lopez', 'maria', 'lopez'), ('Нина', 'Зорина', 'nina', 'zorina'),
    ('Zoë', 'Müller', 'zoe', 'mueller'), ('Jean-Luc', 'O''Brien', 'jeanluc', 'obrien'),
    ('花子', '佐藤', 'hanako', 'sato')) v(first, last, latin, family) offset i % 5 limit 1) n;

insert into accounts
select case i % 3 when 0 then upper(email) when 1 then lower(email) else email end,
    jsonb_build_object('user', jsonb_build_object('mail', email, 'name', name),
        'tags', jsonb_build_array(login)),
    name from people, generate_series(1, 3) i where id % 2 = 0;
insert into memberships
select array_agg(lower(email)::citext order by id), string_agg('call ' || name, '; ' order by id)
from people group by id % 7;
insert into messages
select id, 'Spoke to ' || split_part(name, ' ', 1) || ', ' || sort_name || ' (' || login || ') at ' || email
    || ' or ' || phone || ' about the parcel.',
    json_build_object('from', '"' || name || '" <' || email || '>', 'to', array[email]), lower(email)
from people;
insert into plain_text select 1, 'Nobody in particular lives in Nowhere, says Unknown Person.';
"""

RULES = """
schema: public
tables:
  people:
    id: keep
    name: person_name
    sort_name: person_name
    login: {mask: username, params: {pattern: initial_last}}
    email: email
    phone: phone
    attributes: {mask: hstore, params: {keys: {nick: first_name, size: keep}}}
    home: {mask: composite, params: {attributes: {street: street, house: token}, other: keep}}
    other_emails: email
  accounts:
    email: email
    profile:
      mask: json
      params:
        paths:
          $.user.mail: email
          $.user.name: person_name
          $.tags[*]: {mask: username, params: {pattern: initial_last}}
        other: stop
    owner: person_name
  memberships:
    member_emails: email
    note: {mask: free_text, params: {rest: keep}}
  messages:
    id: keep
    body: {mask: free_text, params: {rest: keep}}
    raw: {mask: json, params: {paths: {$.from: free_text, $.to: email}}}
    sender: email
  plain_text:
    id: keep
    body: free_text
"""

#: What software asks across tables, cases and types; the counts must be production's.
JOINS = {
    "text to citext": "accounts a join people p on p.email = a.email",
    "any case": "accounts a join people p on lower(p.email::text) = lower(a.email)",
    "leaf to column": "accounts a join people p on p.email = a.profile->'user'->>'mail'",
    "leaf to name": "accounts a join people p on p.name = a.profile->'user'->>'name'",
    "leaf to login": "accounts a join people p on p.login = a.profile->'tags'->>0",
    "name to name": "accounts a join people p on p.name = a.owner",
    "element to column": "memberships m, unnest(m.member_emails) e join people p on p.email = e",
    "key in JSON array": "messages m join people p on p.email = m.raw->'to'->>0",
    "undeclared key": "messages m join people p on lower(p.email::text) = m.sender",
    "names in notes": "memberships m join people p on position(p.name in m.note) > 0",
    "names in texts": "messages m join people p on position(p.sort_name in m.body) > 0",
    "logins in texts": "messages m join people p on position('(' || p.login || ')' in m.body) > 0",
    "mails in texts": "messages m join people p on position(p.email::text in m.body) > 0",
    "phones in texts": "messages m join people p on position(p.phone in m.body) > 0",
    "mails in headers": "messages m join people p on position(p.email::text in m.raw->>'from') > 0",
    "sort names": "people where sort_name = regexp_replace(upper(name), '^(.*) (.*)$', '\\2, ')"
    " || split_part(name, ' ', 1)",
    "nick names": "people where attributes->'nick' = split_part(name, ' ', 1)",
    "logins after names": "people where login like '_' || lower(split_part(name, ' ', 2)) || '%'",
    "addresses": "people where (home).city = 'Berlin' and (home).street <> ''",
    "null elements": "people where other_emails[2] is null and other_emails is not null",
}


@pytest.fixture
def refreshed(
    source_db: Database,
    target_db: Database,
    make_settings: Callable[[Database, Database], Settings],
    tmp_path: Path,
) -> tuple[Database, Database, Path]:
    """A small world, refreshed: source, target and the report."""
    run_script(source_db, TABLES)
    settings = make_settings(source_db, target_db)
    (settings.rules / "public.yaml").write_text(RULES, encoding="utf-8")
    refresh = copy_database(settings)
    return source_db, target_db, refresh.report.json


def test_joins_keep_their_counts_and_people_stay_one(refreshed: tuple[Database, Database, Path]) -> None:
    source, target, report = refreshed
    with source.connect() as before, target.connect() as after:
        for what, relation in JOINS.items():
            query = sql.SQL("select count(*) from {}").format(sql.SQL(relation))
            here, there = before.execute(query).fetchone(), after.execute(query).fetchone()
            assert here is not None
            assert here[0], f"{what}: the query asks for nothing"
            assert here == there, what
        names = {row[0] for row in before.execute("select name from people").fetchall()}
        texts = after.execute("select body from messages union all select note from memberships").fetchall()
        words = {word for name in names for word in name.split()}
        readable = " ".join(row[0] for row in texts)
        assert "about the parcel" in readable
        assert not [word for word in words if word in readable]
        scrambled = after.execute("select body from plain_text").fetchone()
        assert scrambled is not None
        assert not {"Nobody", "particular", "Nowhere", "Person."} & set(scrambled[0].split())
    by_column = {text.column: text for text in load_report(report).texts}
    body = by_column["public.messages.body"]
    assert body.texts == body.texts_with_spans == 60
    assert {(f.method, f.kind): f.spans for f in body.found}["pattern", "email"] == 60
    assert sum(f.spans for f in body.found if (f.method, f.kind) == ("known", "person_name")) >= 60
    assert by_column["public.messages.raw"].texts == 60
    assert by_column["public.plain_text.body"].found == ()
