"""Graphs of keys as arrays, for the benchmarks of the subset: what the key reader would yield."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from parity_data.catalog.model import Catalog, Column, ForeignKey, Leaf, Name, Table, Type
from parity_data.database import Database
from parity_data.subset._draw import draws
from parity_data.subset.keys import TableKeys, link_codes, resolve_links
from parity_data.subset.links import Link, make_links

_INTEGER = Type(20, Name("pg_catalog", "int8"), "b", "N")
_KEY = b"benchmark" * 4

#: By table: number of rows, and by column the table it references with the referenced number (-1: NULL).
Graph = Mapping[str, tuple[int, Mapping[str, tuple[str, np.ndarray]]]]


def zipf(orders: int = 1_000_000, exponent: float = 2.0, seed: int = 7) -> Graph:
    """Customers with Zipf-distributed numbers of orders, three items an order, two cycles of references."""
    random = np.random.default_rng(seed)
    sizes: list[int] = []
    while sum(sizes) < orders * 0.95:
        sizes += [int(s) for s in np.minimum(random.zipf(exponent, 10_000), 50_000)]
    fan = np.array(sizes)
    fan = fan[: int(np.searchsorted(np.cumsum(fan), orders * 0.95)) + 1]
    customers = len(fan) + len(fan) // 5  # a sixth never ordered
    owner = np.repeat(np.arange(len(fan)), fan)
    owner = np.concatenate([owner, np.full(orders - len(owner), -1)])
    random.shuffle(owner)
    items = np.repeat(np.arange(orders), 1 + random.poisson(2, orders))
    coupon = np.where(random.random(orders) < 0.3, random.integers(0, 500, orders), -1)
    return {
        "customers": (customers, {"country": ("countries", random.integers(0, 50, customers))}),
        "countries": (50, {}),
        "coupons": (500, {}),
        "orders": (orders, {"customer": ("customers", owner), "coupon": ("coupons", coupon)}),
        "items": (len(items), {"order": ("orders", items)}),
    }


def load_graph(database: Database, graph: Graph) -> None:
    """Make the graph's tables in an empty database: numbered rows with foreign keys."""
    with database.connect(autocommit=True) as connection, connection.cursor() as cursor:
        for name, (rows, columns) in graph.items():
            listed = "".join(f', "{column}" bigint' for column in columns)
            cursor.execute(f"CREATE TABLE {name} (id bigint PRIMARY KEY{listed})".encode())
            frame = pl.DataFrame(
                {"id": np.arange(rows), **{c: np.asarray(to, np.int64) for c, (_, to) in columns.items()}}
            )
            with cursor.copy(f"COPY {name} FROM STDIN (FORMAT csv)".encode()) as copy:
                copy.write(frame.with_columns(pl.all().replace(-1, None)).write_csv(include_header=False))
        for name, (_, columns) in graph.items():
            for column, (to, _) in columns.items():
                cursor.execute(f'ALTER TABLE {name} ADD FOREIGN KEY ("{column}") REFERENCES {to}'.encode())
        cursor.execute("ANALYZE")


def wide(rows: int = 50_000_000, seed: int = 7) -> Graph:
    """Twelve tables of ``rows`` rows in all: two roots, chains three deep, self-references, two owners."""
    random = np.random.default_rng(seed)
    unit = rows // 50

    def refer(count: int, to: int, nulls: float = 0.0) -> np.ndarray:
        at = (random.random(count) ** 2 * to).astype(np.int32)
        return np.where(random.random(count) < nulls, -1, at).astype(np.int32) if nulls else at

    n = {"accounts": 1, "users": 2, "orders": 10, "items": 15, "payments": 6, "shipments": 4, "events": 6}
    n |= {"tickets": 1, "messages": 2, "products": 1, "reviews": 1, "logs": 1}
    c = {name: parts * unit for name, parts in n.items()}
    return {
        "accounts": (c["accounts"], {"parent": ("accounts", refer(c["accounts"], c["accounts"], 0.9))}),
        "users": (c["users"], {"account": ("accounts", refer(c["users"], c["accounts"]))}),
        "products": (c["products"], {}),
        "orders": (c["orders"], {"user": ("users", refer(c["orders"], c["users"], 0.1))}),
        "items": (
            c["items"],
            {
                "order": ("orders", refer(c["items"], c["orders"])),
                "product": ("products", refer(c["items"], c["products"])),
            },
        ),
        "payments": (c["payments"], {"order": ("orders", refer(c["payments"], c["orders"]))}),
        "shipments": (c["shipments"], {"order": ("orders", refer(c["shipments"], c["orders"]))}),
        "events": (c["events"], {"user": ("users", refer(c["events"], c["users"], 0.3))}),
        "tickets": (c["tickets"], {"user": ("users", refer(c["tickets"], c["users"]))}),
        "messages": (c["messages"], {"ticket": ("tickets", refer(c["messages"], c["tickets"]))}),
        "reviews": (
            c["reviews"],
            {
                "user": ("users", refer(c["reviews"], c["users"])),
                "product": ("products", refer(c["reviews"], c["products"])),
            },
        ),
        "logs": (c["logs"], {}),
    }


def make(graph: Graph) -> tuple[Catalog, dict[Name, TableKeys], tuple[Link, ...]]:
    """The graph as a catalog and unresolved keys become resolved ones; frees the graph's own arrays."""
    tables = {}
    for i, (table, (rows, references)) in enumerate(graph.items()):
        name = Name("g", table)
        columns = [Column("id", 1, _INTEGER, "bigint", False)]
        keys = []
        for n, (column, (to, at)) in enumerate(references.items(), 2):
            columns.append(Column(column, n, _INTEGER, "bigint", bool((at < 0).any())))
            keys.append(ForeignKey(f"{table}_{column}", name, (column,), Name("g", to), ("id",)))
        leaf = Leaf(name, i, "r", rows // 50 + 1, rows * 100, rows)
        tables[name] = Table(
            name, i, "r", tuple(columns), ("id",), (), tuple(keys), leaves=(leaf,), bytes=rows * 100
        )
    catalog = Catalog("graph", 180000, "1", "UTF8", {}, tables)
    links = make_links(catalog)
    found: dict[Name, TableKeys] = {}
    for name, made in tables.items():
        rows, _ = graph[name.name]
        numbers = np.arange(1, rows + 1, dtype=np.int64)
        found[name] = TableKeys(
            made, numbers, np.broadcast_to(np.int16(0), rows), draws(numbers, None, name, _KEY)
        )
    for link in links:
        own, other = link_codes(catalog, link)
        at = graph[link.table.name][1][link.columns[0]][1]
        found[link.table].codes[own] = (at.astype(np.int64) + 1, at >= 0 if (at < 0).any() else None)
        found[link.referenced].codes[other] = (found[link.referenced].address, None)
    resolve_links(found, links)
    return catalog, found, links
