"""Relinked keys, on any schema and rows: whoever loses a referenced row gets a sampled one, nobody else."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import strategies as st
from made_keys import KEY, Made, Value, catalog_of, keys_of, name_of, reversed_catalog
from test_subset_closure import EXAMPLES, PAIRS, Chosen, chosen, prove, schemas

from parity_data.catalog.model import Catalog, Name
from parity_data.errors import RulesError
from parity_data.rules.check_subset import check_subset
from parity_data.rules.policy import Policy
from parity_data.rules.subset import SubsetRules, TableSubset, VirtualKey
from parity_data.subset import Link, make_links
from parity_data.subset.plan import Chooser, choose
from parity_data.subset.relink import Relinked
from parity_data.subset.strata import fan_out_class

Schema = tuple[list[Made], tuple[VirtualKey, ...]]


def policy_of(schema: Schema) -> Policy:
    """Relink whatever may be relinked; a table that then follows nobody is sampled itself."""
    made, virtual = schema
    catalog = catalog_of(made)
    links = make_links(catalog, virtual)
    keys = keys_of(made, catalog, links)
    tables: dict[Name, TableSubset] = {}
    for link in links:
        wished = TableSubset(relink=(*tables.get(link.table, TableSubset()).relink, link.columns))
        policy = Policy(subset=SubsetRules(tables={link.table: wished}, virtual_keys=virtual))
        if not list(check_subset(policy, catalog)):
            tables[link.table] = wished
    while True:
        policy = Policy(subset=SubsetRules(small_rows=2, tables=dict(tables), virtual_keys=virtual))
        try:
            Chooser(catalog, keys, links, policy, 0.1, KEY)
            return policy
        except RulesError as refused:
            name = next(n for n in tables if f"subset.tables, {n}:" in refused.what)
            tables[name] = replace(tables[name], role="root")


def select(schema: Schema, policy: Policy, fraction: float, *, backwards: bool = False) -> Chosen:
    made, virtual = schema
    catalog = reversed_catalog(catalog_of(made)) if backwards else catalog_of(made)
    links = make_links(catalog, virtual)
    return choose(catalog, keys_of(made, catalog, links), links, policy, fraction, KEY)


def new_targets(found: Chosen, link: Link) -> dict[int, int]:
    """By position of a row that refers elsewhere in staging, the position of the row it refers to."""
    made: dict[int, int] = {}
    for keys in found[link.table].relinked:
        if keys.link == link:
            for leaf, addresses in keys.address.items():
                for address in addresses.tolist():
                    target = keys.target_of(leaf, address)
                    assert target is not None
                    made[address - 1] = target[1] - 1  # made rows lie at their position, counted from 1
    return made


def check_who_loses_a_row_gets_a_sampled_one(schema: Schema, fraction: float) -> None:
    made, virtual = schema
    policy = policy_of(schema)
    found = select(schema, policy, fraction)
    for link in make_links(catalog_of(made), virtual):
        own, other = found[link.table].sample, found[link.referenced].sample
        assert own is not None
        assert other is not None
        at = own.references[link.name]
        moved = new_targets(found, link)
        wished = set(link.columns) in map(set, policy.subset.of(link.table).relink)
        assert wished or not moved
        sampled = other.chosen & ~other.completed
        for row in np.flatnonzero(own.chosen & (at >= 0)).tolist():
            if row in moved:
                assert not other.chosen[at[row]]
                assert sampled[moved[row]]
                assert (at == moved[row]).any()
            else:
                assert other.chosen[at[row]], link
        assert all(own.chosen[row] and at[row] >= 0 for row in moved)
        # Rows that refer to one row stay together.
        assert all(len({moved[r] for r in moved if at[r] == one}) == 1 for one in {at[r] for r in moved})


def check_a_smaller_subset_lies_inside_a_larger_one(schema: Schema, fractions: tuple[float, float]) -> None:
    policy = policy_of(schema)
    small, large = (chosen(select(schema, policy, fraction)) for fraction in fractions)
    for name, rows in small.items():
        assert rows <= large[name], name


def check_the_order_of_tables_does_not_matter(schema: Schema, fraction: float) -> None:
    made, virtual = schema
    policy = policy_of(schema)
    first, again = select(schema, policy, fraction), select(schema, policy, fraction, backwards=True)
    assert chosen(first) == chosen(again)
    for link in make_links(catalog_of(made), virtual):
        assert new_targets(first, link) == new_targets(again, link)


@EXAMPLES
def test_who_loses_a_row_gets_a_sampled_one(examples: int) -> None:
    fractions = st.sampled_from([0.02, 0.1, 0.25, 0.5])
    prove(check_who_loses_a_row_gets_a_sampled_one, examples, schemas(), fractions)


@EXAMPLES
def test_a_smaller_subset_lies_inside_a_larger_one(examples: int) -> None:
    prove(check_a_smaller_subset_lies_inside_a_larger_one, examples, schemas(), st.sampled_from(PAIRS))


@EXAMPLES
def test_the_order_of_tables_does_not_matter(examples: int) -> None:
    prove(check_the_order_of_tables_does_not_matter, examples, schemas(), st.sampled_from([0.05, 0.3]))


CUSTOMERS, SUPPLIERS, ORDERS = 1000, 2000, 20_000
SUPPLIER = TableSubset(relink=(("supplier",),))


@pytest.fixture(scope="module")
def shop() -> Schema:
    """Orders of customers, from suppliers of very different fan-out; some have none, or one that is gone."""
    random = np.random.default_rng(3)
    supplier: list[Value] = (np.minimum(random.zipf(1.7, ORDERS), SUPPLIERS)).tolist()
    for i in range(0, ORDERS, 50):
        supplier[i] = None if i % 100 else SUPPLIERS + 5
    customer = random.integers(1, CUSTOMERS + 1, ORDERS).tolist()
    rows = zip(range(1, ORDERS + 1), customer, supplier, strict=True)
    keys = ((("customer",), "customers", ("id",)), (("supplier",), "suppliers", ("id",)))
    made = [
        Made("customers", ("id",), tuple((i,) for i in range(1, CUSTOMERS + 1))),
        Made("suppliers", ("id",), tuple((i,) for i in range(1, SUPPLIERS + 1))),
        Made("orders", ("id", "customer", "supplier"), tuple(rows), ("id",), keys, frozenset(["supplier"])),
    ]
    return made, ()


def with_relink(fraction: float, shop: Schema) -> tuple[Chosen, Relinked]:
    own = {name_of("orders"): replace(SUPPLIER, owner=("customer",))}
    rules = SubsetRules(small_rows=2, tables=own)
    found = select(shop, Policy(subset=rules, roots=(name_of("suppliers"),)), fraction)
    (relinked,) = found[name_of("orders")].relinked
    return found, relinked


def test_nothing_is_completed_and_totals_stay(shop: Schema) -> None:
    found, relinked = with_relink(0.1, shop)
    for table in ("customers", "suppliers", "orders"):
        assert found[name_of(table)].completed == 0
        assert found[name_of(table)].rows == pytest.approx(0.1 * found[name_of(table)].total, rel=0.05)
    own, other = found[name_of("orders")], found[name_of("suppliers")]
    assert own.sample is not None
    assert other.sample is not None
    at = own.sample.references["orders_1"][own.sample.chosen]
    assert relinked.rows == int((~other.sample.chosen[at[at >= 0]]).sum())
    assert relinked.left_out == len(np.unique(at[at >= 0][~other.sample.chosen[at[at >= 0]]]))


def test_sampled_rows_come_by_the_fan_out_that_they_have_in_production(shop: Schema) -> None:
    found, _ = with_relink(0.1, shop)
    own, other = found[name_of("orders")].sample, found[name_of("suppliers")].sample
    assert own is not None
    assert other is not None
    link = next(k for k in make_links(catalog_of(shop[0])) if k.name == "orders_1")
    at = own.references["orders_1"].copy()
    whole = np.bincount(at[at >= 0], minlength=SUPPLIERS)
    for row, to in new_targets(found, link).items():
        at[row] = to
    kept = at[own.chosen & (at >= 0)]
    staged = np.bincount(kept, minlength=SUPPLIERS)
    classes = fan_out_class(whole)
    for number in range(1, int(classes.max()) + 1):
        here = classes == number
        sampled = here & other.chosen
        if here.sum() >= 100:  # few of a class cannot be had in proportion
            assert staged[sampled].mean() == pytest.approx(whole[here].mean(), rel=0.2), number


def test_rows_are_dealt_out_evenly(shop: Schema) -> None:
    found, _ = with_relink(0.1, shop)
    own, other = found[name_of("orders")].sample, found[name_of("suppliers")].sample
    assert own is not None
    assert other is not None
    link = next(k for k in make_links(catalog_of(shop[0])) if k.name == "orders_1")
    at = own.references["orders_1"]
    classes = fan_out_class(np.bincount(at[at >= 0], minlength=SUPPLIERS))
    there = set(classes[other.chosen & (classes > 0)].tolist())
    pairs = {(int(at[row]), to) for row, to in new_targets(found, link).items()}
    same = [(one, to) for one, to in pairs if classes[one] in there]
    assert same
    assert all(classes[one] == classes[to] for one, to in same)
    for number in there:
        counts = Counter(to for one, to in same if classes[one] == number)
        takers = np.flatnonzero(other.chosen & (classes == number)).tolist()
        if all(classes[one] == classes[to] for one, to in pairs if to in takers):
            dealt = [counts[taker] for taker in takers]
            assert max(dealt) - min(dealt) <= 1


def test_a_table_that_would_follow_nobody_is_refused(shop: Schema) -> None:
    own = {name_of("orders"): replace(SUPPLIER, relink=(("supplier",), ("customer",)))}
    with pytest.raises(RulesError, match="no other key by which to follow"):
        select(shop, Policy(subset=SubsetRules(small_rows=2, tables=own)), 0.1)


def test_without_the_word_nothing_is_relinked(shop: Schema) -> None:
    found = select(shop, Policy(subset=SubsetRules(small_rows=2)), 0.1)
    assert not any(selection.relinked for selection in found.values())
    catalog: Catalog = catalog_of(shop[0])
    assert set(found) == set(catalog.tables)
