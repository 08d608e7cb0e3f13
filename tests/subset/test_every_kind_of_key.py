"""Keys of every kind on real servers: what resolves in production resolves in staging, and nothing else."""

from __future__ import annotations

import pytest
from fix_copies import Copier, run_script
from test_subset_demo import chosen_of

from parity_data.catalog import Name
from parity_data.database import Database
from parity_data.rules.policy import Policy
from parity_data.rules.subset import SubsetRules, TableSubset

_TABLES = """
create schema "far away";
create extension if not exists citext;
create table "far away".customers (
    id int primary key, code citext unique, referred int references "far away".customers);
insert into "far away".customers select i, 'Code-' || i, null from generate_series(1, 2000) i;
update "far away".customers set referred = id / 3 where id % 4 = 0 and id > 6;
create table depots (country text, number numeric(6,2), primary key (country, number));
insert into depots select case i % 3 when 0 then 'FR' else 'DE' end, i from generate_series(1, 400) i;
create table orders (
    id int, day date, customer int references "far away".customers, code citext, country text, depot numeric,
    country2 text, depot2 numeric, favourite int, primary key (id, day),
    foreign key (country, depot) references depots match full,
    foreign key (country2, depot2) references depots
) partition by range (day);
create table orders_1 partition of orders for values from (minvalue) to ('2024-01-01');
create table orders_2 partition of orders for values from ('2024-01-01') to (maxvalue);
insert into orders select i, date '2023-01-01' + i % 700,
    case when i % 9 > 0 then 1 + abs(hashtext('who ' || i)) % 2000 end,
    upper('code-' || 1 + abs(hashtext('code ' || i)) % 2000),
    d.country, d.number, case when i % 5 > 0 then e.country end, case when i % 7 > 0 then e.number end
    from generate_series(1, 8000) i left join depots d on d.number = 1 + (i * 13) % 400 and i % 17 > 0
    left join depots e on e.number = 1 + (i * 31) % 400;
alter table orders add foreign key (code) references "far away".customers (code);
create table items (id int primary key, order_id int, day date, part int);
insert into items select i, o.id, o.day, i % 30
    from generate_series(1, 20000) i join orders o on o.id = 1 + abs(hashtext('item ' || i)) % 8000;
alter table items add foreign key (order_id, day) references orders;
create table wide_items (weight int) inherits (items);
insert into wide_items select 100000 + i, o.id, o.day, 1, i
    from generate_series(1, 3000) i join orders o on o.id = 1 + abs(hashtext('wide ' || i)) % 8000;
alter table wide_items add foreign key (order_id, day) references orders;
create table groups (id int primary key, head int);
create table members (id int primary key, belongs int references groups);
insert into groups select i, i * 3 from generate_series(1, 1500) i;
insert into members select i, 1 + i % 1500 from generate_series(1, 5000) i;
alter table groups add foreign key (head) references members;
create table notes (id int primary key, subject_type text, subject int);
insert into notes select i, case i % 3 when 0 then 'customer' when 1 then 'member' end, i
    from generate_series(1, 6000) i;
create table parcels (id int primary key, depot text);
insert into parcels select i, case when i % 50 > 0 then 'C' || i % 700 else 'lost ' || i end
    from generate_series(1, 3000) i;
create table boxes (id int primary key, label varchar(10));
insert into boxes select i, 'C' || i from generate_series(0, 1200) i;
alter table items add foreign key (part) references boxes not valid;
alter table items disable trigger all;
update items set part = 5000 + id where id % 40 = 0;
alter table items enable trigger all;
create table pages (v text);
insert into pages select 'page ' || i % 5 from generate_series(1, 2000) i;
analyze;
"""
_POLICY = """
subset:
  small_rows: 100
  virtual_keys:
    - {table: public.parcels, columns: [depot], referenced: public.boxes, referenced_columns: [label]}
    - {table: public.notes, columns: [subject], referenced: far away.customers, referenced_columns: [id],
       when: {column: subject_type, value: customer}}
    - {table: public.notes, columns: [subject], referenced: public.members, referenced_columns: [id],
       when: {column: subject_type, value: member}}
"""

#: By key: rows that refer to something, and whether it is there.
_REFERENCES = {
    "self": 'select c.id, r.id from "far away".customers c '
    'left join "far away".customers r on r.id = c.referred '
    "where c.referred is not null",
    "across schemas, from partitions": 'select o.id, r.id from orders o left join "far away".customers r '
    "on r.id = o.customer where o.customer is not null",
    "to a unique column of another case": 'select o.id, r.id from orders o left join "far away".customers r '
    "on r.code = o.code",
    "composite, match full": "select o.id, r.number from orders o left join depots r "
    "on (r.country, r.number) = (o.country, o.depot) where o.country is not null",
    "composite, match simple": "select o.id, r.number from orders o left join depots r "
    "on (r.country, r.number) = (o.country2, o.depot2) where o.country2 is not null and o.depot2 is not null",
    "to partitions": "select i.id, r.id from only items i left join orders r "
    "on (r.id, r.day) = (i.order_id, i.day)",
    "from an inheritance child": "select i.id, r.id from wide_items i left join orders r "
    "on (r.id, r.day) = (i.order_id, i.day)",
    "not valid": "select i.id, r.id from only items i left join boxes r on r.id = i.part",
    "cycle, down": "select m.id, r.id from members m left join groups r on r.id = m.belongs",
    "cycle, up": "select g.id, r.id from groups g left join members r on r.id = g.head",
    "virtual": "select p.id, r.id from parcels p left join boxes r on r.label = p.depot",
    "polymorphic, one": 'select n.id, r.id from notes n left join "far away".customers r on r.id = n.subject '
    "where n.subject_type = 'customer'",
    "polymorphic, other": "select n.id, r.id from notes n left join members r on r.id = n.subject "
    "where n.subject_type = 'member'",
}
#: Rows by table whose composite keys are NULL in part, or in whole.
_NULLS = "select id, country is null, depot is null, country2 is null, depot2 is null from orders"


def rows(database: Database, query: str) -> dict[int, tuple[object, ...]]:
    with database.connect() as connection:
        return {row[0]: row[1:] for row in connection.execute(query.encode()).fetchall()}


def test_what_resolves_resolves_and_what_dangles_dangles(
    source_db: Database, target_db: Database, keep_everything: Copier
) -> None:
    run_script(source_db, _TABLES)
    refresh = keep_everything(source_db, target_db, 0.2, policy=_POLICY)
    assert refresh.verdict == "pass"
    for kind, query in _REFERENCES.items():
        before, after = rows(source_db, query), rows(target_db, query)
        assert 0 < len(after) < len(before), kind
        assert {i: before[i] for i in after} == after, kind
    before, after = rows(source_db, _NULLS), rows(target_db, _NULLS)
    assert {i: before[i] for i in after} == after
    roles = {name.name: selection.role.role for name, selection in refresh.selections.items()}
    assert roles["customers"] == "root"
    assert roles["orders"] == roles["items"] == roles["wide_items"] == "owned"
    assert roles["pages"] == "unattached"
    assert 0.15 < refresh.selections[Name("public", "pages")].rows / 2000 < 0.25


_VISITS = """
create table visits (at timestamptz, page int);
insert into visits select timestamptz '2024-01-01' + (i * 7919 % 5000) * interval '1 minute', i
    from generate_series(1, 5000) i;
"""
_NEWEST = "select ctid::text from public.visits order by at desc limit 500"


def test_the_newest_rows_are_taken_where_the_policy_names_a_time(source_db: Database) -> None:
    run_script(source_db, _VISITS)
    name = Name("public", "visits")
    policy = Policy(subset=SubsetRules(tables={name: TableSubset(latest="at")}))
    _, found = chosen_of(source_db, policy, 0.1)
    assert found[name].role.role == "unattached"
    assert found[name].addresses is not None
    chosen = {f"({int(a) >> 16},{int(a) & 0xFFFF})" for a in found[name].addresses[name]}
    with source_db.connect() as connection:
        newest = {ctid for (ctid,) in connection.execute(_NEWEST).fetchall()}
    assert len(chosen) == pytest.approx(500, abs=5)
    assert len(chosen & newest) >= 495
