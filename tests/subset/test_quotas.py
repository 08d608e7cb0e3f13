"""What is always there, what it costs, and the weights that undo it; a whale has a third of all orders."""

from __future__ import annotations

import numpy as np
import pytest
from made_keys import KEY, Made, Value, catalog_of, keys_of, name_of

from parity_data.rules.policy import Policy
from parity_data.rules.subset import SubsetRules, TableSubset
from parity_data.subset import Selection, make_links
from parity_data.subset.plan import choose

CUSTOMERS, ORDERS, WHALE = 3000, 30_000, 7
FRACTION = 0.1


@pytest.fixture(scope="module")
def shop() -> list[Made]:
    """Orders of customers; kinds of orders from common to rare, some without a customer, some of one gone."""
    random = np.random.default_rng(11)
    customer: list[Value] = random.integers(1, CUSTOMERS + 1, ORDERS).tolist()
    for i in range(0, ORDERS, 3):
        customer[i] = WHALE
    for i in range(0, ORDERS, 100):
        customer[i] = None if i % 200 else CUSTOMERS + 1 + i
    kind = np.searchsorted([20, 60, 200, 3000], np.arange(ORDERS)).tolist()
    random.shuffle(kind)
    rows = zip(range(1, ORDERS + 1), customer, kind, strict=True)
    return [
        Made("customers", ("id",), tuple((i,) for i in range(1, CUSTOMERS + 1))),
        Made(
            "orders",
            ("id", "customer", "kind"),
            tuple(rows),
            ("id",),
            ((("customer",), "customers", ("id",)),),
            frozenset(["customer"]),
            ("kind",),
        ),
    ]


def orders(made: list[Made], fraction: float = FRACTION, **rules: object) -> Selection:
    catalog = catalog_of(made)
    links = make_links(catalog)
    tables = {name_of("orders"): TableSubset(**rules)}  # type: ignore[arg-type]
    policy = Policy(subset=SubsetRules(small_rows=2, tables=tables))
    return choose(catalog, keys_of(made, catalog, links), links, policy, fraction, KEY)[name_of("orders")]


def whale_rows(found: Selection) -> tuple[int, int]:
    """Rows of the heaviest customer: chosen, and all."""
    assert found.sample is not None
    own = found.sample.references["orders_0"] == WHALE - 1
    return int((own & found.sample.chosen).sum()), int(own.sum())


def test_the_heaviest_comes_whole_and_the_excess_is_said_beforehand(shop: list[Made]) -> None:
    found = orders(shop)
    chosen, whole = whale_rows(found)
    assert chosen == whole > ORDERS // 4
    assert found.by_quota["heaviest fan-out"] == whole
    assert found.rows - found.excess == pytest.approx(FRACTION * found.total, rel=0.01)
    others = found.total - whole
    assert found.rows - whole == pytest.approx(FRACTION * others, rel=0.05)


@pytest.mark.parametrize("fraction", [0.3, 0.7, 0.8, 0.85, 0.95])
def test_what_others_cannot_make_up_for_is_excess_and_nothing_else(shop: list[Made], fraction: float) -> None:
    found = orders(shop, fraction)
    assert whale_rows(found)[0] == whale_rows(found)[1]
    assert found.rows - found.excess == pytest.approx(fraction * found.total, abs=0.01 * found.total)
    assert (found.excess == 0) == (fraction > 0.9)


def test_thin_samples_the_heaviest_and_keeps_the_fraction(shop: list[Made]) -> None:
    found = orders(shop, thin=True)
    chosen, whole = whale_rows(found)
    assert found.thinned == whole
    assert chosen == pytest.approx(FRACTION * whole, rel=0.1)
    assert found.excess == 0
    assert found.rows == pytest.approx(FRACTION * found.total, rel=0.02)


@pytest.mark.parametrize("fraction", [0.01, 0.05, 0.1, 0.5])
def test_every_category_of_some_size_is_there_and_so_are_orphans(shop: list[Made], fraction: float) -> None:
    found = orders(shop, fraction)
    assert found.sample is not None
    kinds = np.array([row[2] for row in shop[1].rows])
    counts = np.bincount(kinds)
    assert counts.min() >= 20
    assert set(kinds[found.sample.chosen].tolist()) == set(range(len(counts)))
    assert found.dangling is not None
    assert found.nulls is not None
    assert found.dangling["orders_0"] > 0
    assert found.nulls["orders_0"] > 0


def test_weights_give_productions_totals_back(shop: list[Made]) -> None:
    for fraction in (0.1, 0.3):
        found = orders(shop, fraction)
        assert found.sample is not None
        assert found.sample.weight.sum() == pytest.approx(found.total, rel=0.03)
        assert found.weights["heaviest fan-out"] == 1
        assert sum(found.by_quota.values()) == found.rows
        assert found.expected == pytest.approx(found.rows, rel=0.02)
