"""A tenth by this product beside what other tools keep of the same seed.

python -m benchmarks.subset_peers

The seed: 50 cities, 2,000 customers, 61,000 orders of which 19.7 % have a NULL customer, three items for an
order on average. The others' figures were measured on a seed of that description; ours are computed here, of
rows that a refresh would send. Exit status 1 when ours leave their bounds.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np

from benchmarks.subset_graphs import Graph, make
from parity_data.catalog.model import Name
from parity_data.rules.policy import Policy
from parity_data.subset.plan import Selection, choose

KEY = b"the key of the benchmark, 32 byt"
HEAD = (
    "tool, asked for 10 %",
    "customers",
    "orders",
    "items",
    "NULL customers",
    "items/order",
    "orders/customer",
)
OTHERS = (
    ("pg_sample `*=10%`", "36.9 %", "30.0 %", "10.0 %", "0.0 %", "1.00", "24.93"),
    ("pg_sample `*=10% --random`", "94.5 %", "34.3 %", "10.0 %", "19.7 %", "1.11", "8.93"),
    ("condenser, customers 10 %", "11.2 %", "8.9 %", "8.9 %", "0.0 %", "3.00", "24.2"),
    ("subsetter, customers 10 %", "11.3 %", "9.7 %", "9.7 %", "0.0 %", "3.00", "26.3"),
)


def seed(number: int = 7) -> Graph:
    """Orders fall on customers at random; an order has one to five items."""
    random = np.random.default_rng(number)
    customers, orders = 2_000, 61_000
    owner = np.where(random.random(orders) < 0.197, -1, random.integers(0, customers, orders))
    items = np.repeat(np.arange(orders), random.integers(1, 6, orders))
    return {
        "cities": (50, {}),
        "customers": (customers, {"city": ("cities", random.integers(0, 50, customers))}),
        "orders": (orders, {"customer": ("customers", owner)}),
        "items": (len(items), {"order": ("orders", items)}),
    }


def main() -> None:
    """Choose a tenth and print the table, with production's own figures last."""
    catalog, keys, links = make(seed())
    found = choose(catalog, keys, links, Policy(), 0.1, KEY)
    ours = figures(found, chosen=True)
    whole = figures(found, chosen=False)
    rows = [*OTHERS, ("**parity-data**, 10 %", *shown(ours)), ("production", *shown(whole))]
    print("| " + " | ".join(HEAD) + " |\n|" + "---|" * len(HEAD))
    print("\n".join("| " + " | ".join(row) + " |" for row in rows))
    shares_off = max(abs(share - 0.1) for share in ours[:3])
    within = shares_off <= 0.01 and abs(ours[3] - whole[3]) <= 0.01 and abs(ours[4] / whole[4] - 1) <= 0.03
    print("within the bounds" if within else "OUT OF BOUNDS")
    sys.exit(not within)


def figures(found: Mapping[Name, Selection], *, chosen: bool) -> tuple[float, ...]:
    """Shares of three tables, share of NULL customers, items per order, orders per customer that has any."""
    masks = {}
    for name, selection in found.items():
        assert selection.sample is not None
        masks[name.name] = selection.sample.chosen if chosen else np.ones(selection.total, bool)
    orders, items = found[Name("g", "orders")].sample, found[Name("g", "items")].sample
    assert orders is not None
    assert items is not None
    customer = orders.references["orders_customer"][masks["orders"]]
    per_order = masks["items"].sum() / masks["orders"].sum()
    counts = np.unique(customer[customer >= 0], return_counts=True)[1]
    shares = [float(masks[name].mean()) for name in ("customers", "orders", "items")]
    return (*shares, float((customer < 0).mean()), float(per_order), float(counts.mean()))


def shown(values: tuple[float, ...]) -> tuple[str, ...]:
    return (*(f"{share:.1%}".replace("%", " %") for share in values[:4]), *(f"{v:.2f}" for v in values[4:]))


if __name__ == "__main__":
    main()
