"""Relinked keys on real servers: columns of many kinds, masked or kept; every check judges them rightly."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fix_copies import copy_database, run_script
from proofs import failed, refreshed, write_rules
from psycopg import sql

from parity_data.catalog import Name
from parity_data.database import Database
from parity_data.refresh.plan import make_plan
from parity_data.report.text import plural
from parity_data.settings import Settings

_TABLES = """
create table customers (id int primary key, name text);
insert into customers select i, 'Customer ' || i from generate_series(1, 1200) i;
create table suppliers (id int primary key, name text);
insert into suppliers select i, 'Supplier ' || i from generate_series(1, 400) i;
create domain code as text check (value <> '');
create table coupons (code code primary key, name text);
insert into coupons select 'Code-' || i, 'Coupon ' || i from generate_series(1, 300) i;
create table depots (country char(2), number smallint, name text, primary key (country, number));
insert into depots select case i % 3 when 0 then 'FR' when 1 then 'DE' else 'IT' end, i, 'Depot ' || i
    from generate_series(1, 300) i;
create table channels (id uuid primary key, name text unique);
insert into channels select md5(i::text)::uuid, 'Channel ' || i from generate_series(1, 200) i;
create table orders (
    id int, day date, customer int not null references customers, supplier bigint, coupon code,
    country char(2), depot smallint, channel uuid references channels, primary key (id, day),
    foreign key (coupon) references coupons,
    foreign key (country, depot) references depots match full
) partition by range (day);
create table orders_1 partition of orders for values from (minvalue) to ('2024-01-01');
create table orders_2 partition of orders for values from ('2024-01-01') to (maxvalue);
insert into orders select i, date '2023-01-01' + i % 700, 1 + abs(hashtext('who ' || i)) % 1200,
    case when i % 11 = 0 then null else 1 + (power((i * 31) % 400, 2) / 400)::int % 400 end,
    case when i % 13 = 0 then null else 'Code-' || 1 + (i * 17) % 300 end,
    d.country, d.number, md5((1 + (i * 29) % 200)::text)::uuid
    from generate_series(1, 9000) i left join depots d on d.number = 1 + (i * 13) % 300 and i % 17 > 0;
alter table orders add constraint orders_supplier foreign key (supplier) references suppliers;
create table remarks (id int primary key, supplier int references suppliers, owner aclitem);
insert into remarks select i, i * 40 from generate_series(1, 9) i;
"""
_MASKS = {
    "suppliers": {"id": "integer"},
    "coupons": {"code": "token"},
    "orders": {"supplier": "integer", "coupon": "token"},
    "remarks": {"supplier": "integer"},
}
_POLICY = """
subset:
  small_rows: 10
  roots: [public.customers, public.suppliers, public.coupons, public.depots, public.channels]
  tables:
    public.orders:
      owner: [customer]
      relink: [supplier, coupon, [country, depot], channel]
    public.remarks: {relink: [supplier]}
"""

#: By referenced table, the name of what each order refers to; names are kept.
_KEYS = {
    "suppliers": "select o.id, r.name from orders o left join suppliers r on o.supplier = r.id",
    "coupons": "select o.id, r.name from orders o left join coupons r on o.coupon = r.code",
    "depots": "select o.id, r.name from orders o left join depots r "
    "on (o.country, o.depot) = (r.country, r.number)",
    "channels": "select o.id, r.name from orders o left join channels r on o.channel = r.id",
}


@pytest.fixture
def relinking(
    source_db: Database, target_db: Database, make_settings: Callable[[Database, Database], Settings]
) -> Settings:
    run_script(source_db, _TABLES)
    settings = make_settings(source_db, target_db)
    write_rules(settings, source_db, _MASKS)
    path = settings.rules / "policy.yaml"
    path.write_text(path.read_text() + _POLICY)
    return settings


def names_by_order(database: Database, table: str) -> dict[int, str | None]:
    with database.connect() as connection:
        return dict(connection.execute(_KEYS[table]).fetchall())


def names(database: Database, table: str) -> set[str]:
    with database.connect() as connection:
        query = sql.SQL("select name from {}").format(sql.Identifier(table))
        return {name for (name,) in connection.execute(query).fetchall()}


def test_whoever_loses_a_row_refers_to_another_and_nobody_else_does(
    relinking: Settings, source_db: Database, target_db: Database
) -> None:
    planned = make_plan(relinking, 0.2)
    refresh = copy_database(relinking, 0.2)
    assert refresh.verdict == "pass"
    orders = refresh.selections[Name("public", "orders")]
    moved = {keys.link.referenced.name: keys.rows for keys in orders.relinked}
    for table in _KEYS:
        assert refresh.selections[Name("public", table)].completed == 0
        before, after = (names_by_order(database, table) for database in (source_db, target_db))
        there = names(target_db, table)
        changed = {i: (before[i], name) for i, name in after.items() if name != before[i]}
        assert len(changed) == moved[table] > 100
        assert all(old is not None and old not in there for old, _ in changed.values())
        assert all(new in there for _, new in changed.values())
        # Orders of one row stay together.
        assert len(set(changed.values())) == len({old for old, _ in changed.values()})
        assert {i for i, name in after.items() if name is None} == {i for i in after if before[i] is None}
    assert {c.scope for c in refresh.checks if c.name == "relinked"} == {
        *(f"public.orders.{keys.link.name}" for keys in orders.relinked),
        "public.remarks.remarks_supplier_fkey",
    }
    said = {d.scope: d.what for d in refresh.document.differences if "reference to other rows" in d.what}
    for keys in orders.relinked:
        assert said[f"public.orders.{keys.link.name}"].startswith(
            plural(keys.rows, "row") + " with a reference to other rows"
        )
    foretold = {(e["schema"], e["table"]): e for e in planned.as_dict()["tables"]}
    for name, selection in refresh.selections.items():
        entry = foretold[name.schema, name.name]
        assert entry["rows_planned"] == selection.rows
        assert entry["rows_relinked"] == {keys.link.name: keys.rows for keys in selection.relinked}
    assert "refer to other rows of public.depots" in planned.note(Name("public", "orders"))


def test_a_reference_that_is_neither_productions_nor_the_new_one_is_found(relinking: Settings) -> None:
    damage = "update orders o set country = d.country, depot = d.number from (select * from depots limit 1) d"

    def harm(database: Database) -> None:
        run_script(database.with_options(search_path="public"), damage)

    refresh = refreshed(relinking, harm, fraction=0.2)
    assert failed(refresh, "spot_check") >= {"public.orders.depot"}
    assert "public.orders.depot" in failed(refresh, "load_link")
