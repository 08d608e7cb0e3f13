"""The messy shop: about 400,000 rows in two dozen tables that hold what real databases hold.

The same bytes every time, on every machine. ``scale`` shrinks the number of rows; the odd ones stay.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any

import polars as pl
import psycopg
from psycopg import sql

from parity_data.database import Database
from parity_data.demo import shop_care, shop_catalogue, shop_people, shop_rest, shop_sales

Log = Callable[[str], None]

#: One table as it is loaded: schema, name, rows. A frame may know more than the table has columns for,
#: as names in Latin letters from which the addresses of other tables are made.
Rows = tuple[str, str, pl.DataFrame]

_TABLES_FIRST = ("1_types.sql", "2_shop_tables.sql", "3_other_tables.sql")
_KEYS_LAST = ("4_keys.sql", "5_logic.sql", "6_comments.sql")

_COLUMNS = (
    "select attname from pg_attribute where attrelid = to_regclass(%s) and attnum > 0 and attgenerated = ''"
)

_COPY = sql.SQL("copy {} ({}) from stdin (format csv, null '\\N')")

# Cycles close once both sides are there; the product trigger fills in the text search column.
_AFTER_LOAD = """
update shop.customers c set default_address_id = a.id
from (select customer_id, min(id) as id from shop.addresses group by customer_id) a
where a.customer_id = c.id and c.id % 5 > 0
"""
_AFTER_KEYS = "update shop.products set search = null"

#: Sequences stand past the data, as after deletes, rolled back inserts and caches.
_ADVANCE = """
select setval('shop.customers_id_seq', (select max(id) + 1234 from shop.customers)),
    setval('shop.invoice_numbers', (select max(invoice_no) + 500 from shop.orders)),
    setval('shop.products_id_seq', (select max(id) + 17 from shop.products)),
    setval('crm.party_ids', (select max(id) + 3 from crm.parties)),
    setval('shop.payments_id_seq', (select max(id) + 1000 from shop.payments))
"""

_CONFIGURE = (
    "alter database {} set search_path = shop, crm, public",
    "alter database {} set timezone = 'Europe/Berlin'",
    "alter database {} set datestyle = 'ISO, DMY'",
    "alter database {} set shop.region = 'eu-1'",
    "comment on database {} is 'The shop. Handle with care.'",
    "revoke temporary on database {} from public",
    "grant connect on database {} to shop_app, shop_readonly",
)


def fill(database: Database, scale: float = 1.0, log: Log | None = None) -> int:
    """Fill an empty database with the shop and return the number of rows.

    scale: 1.0 gives about 400,000 rows, 0.01 is the least. Needs a superuser (extensions, event trigger).
    """
    say = log or _silent
    started = time.monotonic()
    total = 0
    with database.connect() as connection:
        connection.execute("set client_encoding = 'UTF8'")
        for name in _TABLES_FIRST:
            _run_file(connection, name)
        for schema, table, frame in tables(scale):
            _copy(connection, schema, table, frame)
            total += frame.height
        say(f"{total:,} rows loaded after {time.monotonic() - started:.1f} s; making keys")
        connection.execute(_AFTER_LOAD)
        for name in _KEYS_LAST:
            _run_file(connection, name)
        connection.execute(_AFTER_KEYS)
        connection.execute(_ADVANCE)
        connection.commit()
        connection.autocommit = True
        connection.execute("vacuum analyze")
    configure_database(database)
    say(f"{total:,} rows, {time.monotonic() - started:.1f} s")
    return total


def configure_database(database: Database) -> None:
    """Give the database the settings, comment and grants that belong to it rather than to its contents."""
    with database.connect(autocommit=True) as connection:
        for statement in _CONFIGURE:
            connection.execute(sql.SQL(statement).format(sql.Identifier(database.name or "")))


def tables(scale: float = 1.0) -> Iterator[Rows]:
    """Every table's rows, in an order in which they can be made."""

    def rows(full: int, least: int = 40) -> int:
        return max(int(full * scale), least)

    customers = shop_people.customers(rows(20_000, 200))
    parties, persons, companies = shop_care.parties(rows(1_800, 60))
    products = shop_catalogue.products(rows(2_000), companies["id"])
    orders = shop_sales.orders(rows(200_000, 1_000), customers)
    employees = shop_care.employees(rows(250))
    tickets = shop_care.tickets(rows(6_000), customers, employees)
    old_customers = shop_rest.legacy_customers(rows(1_500))
    yield "public", "alembic_version", shop_rest.alembic_version()
    yield "shop", "countries", shop_people.countries()
    yield "shop", "flags", shop_rest.flags()
    yield "shop", "customers", customers
    yield "shop", "addresses", shop_people.addresses(customers, rows(24_000, 240))
    yield "shop", "categories", shop_catalogue.categories()
    yield "crm", "parties", parties
    yield "crm", "companies", companies
    yield "crm", "persons", persons
    yield "shop", "products", products
    yield "shop", "orders", orders
    yield "shop", "order_items", shop_sales.order_items(orders, products, 0.17)
    yield "shop", "payments", shop_sales.payments(rows(30_000, 300), orders, customers)
    yield "shop", "reviews", shop_sales.reviews(rows(8_000, 200), products.height, customers)
    yield "shop", "sessions", shop_sales.sessions(rows(12_000), customers)
    yield "shop", "bookings", shop_sales.bookings(rows(2_000), customers)
    yield "shop", "sensor_readings", shop_rest.sensor_readings(rows(4_000, 400))
    yield "shop", "audit_log", shop_rest.audit_log(rows(10_000), customers)
    yield "crm", "departments", shop_care.departments()
    yield "crm", "employees", employees
    yield "crm", "tickets", tickets
    yield (
        "crm",
        "notes",
        shop_care.notes(rows(8_000, 200), customers, orders.height, tickets.height, employees.height),
    )
    yield "crm", "newsletter_signups", shop_care.newsletter_signups(rows(5_000, 100), customers)
    yield "Legacy ERP", 'Kunden "Alt" 🎁', old_customers
    yield "Legacy ERP", "order", shop_rest.legacy_orders(rows(3_000), old_customers)


def _run_file(connection: psycopg.Connection[Any], name: str) -> None:
    text = files("parity_data.demo").joinpath("sql", name).read_text(encoding="utf-8")
    connection.execute(text.encode())


def _copy(connection: psycopg.Connection[Any], schema: str, table: str, frame: pl.DataFrame) -> None:
    relation = sql.Identifier(schema, table)
    known = {name for (name,) in connection.execute(_COLUMNS, [relation.as_string(connection)])}
    frame = frame.select([name for name in frame.columns if name in known])
    columns = sql.SQL(", ").join(map(sql.Identifier, frame.columns))
    # Text is always quoted and NULL never is, so '', 'NULL' and '\N' stay what they are.
    data = frame.write_csv(include_header=False, null_value="\\N", quote_style="non_numeric")
    with connection.cursor().copy(_COPY.format(relation, columns)) as copy:
        copy.write(data)


def _silent(message: str) -> None:
    """Say nothing."""
