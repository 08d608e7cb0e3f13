"""The demo's keys, read from a real server: roles, shares, closure, and what the source needs to allow."""

from __future__ import annotations

from contextlib import closing

import pytest

from parity_data.catalog import Catalog, Name, Snapshot, read_catalog
from parity_data.catalog.arrow import ArrowReader
from parity_data.database import Database
from parity_data.rules.policy import Policy
from parity_data.subset import Selection, make_links, select_rows

KEY = b"a key of thirty-two bytes, or so"


def chosen_of(database: Database, policy: Policy, fraction: float) -> tuple[Catalog, dict[Name, Selection]]:
    with Snapshot(database, application="test") as snapshot:
        catalog = read_catalog(snapshot)
        with closing(ArrowReader(snapshot.database, snapshot.id)) as reader:
            return catalog, select_rows([reader], catalog, policy, fraction, KEY)[0]


@pytest.fixture(scope="module")
def shop(small_shop: Database) -> tuple[Catalog, dict[Name, Selection]]:
    return chosen_of(small_shop, Policy(roots=(Name("shop", "customers"),)), 0.1)


def test_every_reference_that_resolves_resolves_among_the_chosen(
    shop: tuple[Catalog, dict[Name, Selection]],
) -> None:
    catalog, found = shop
    for link in make_links(catalog):
        own, other = found[link.table].sample, found[link.referenced].sample
        assert own is not None
        assert other is not None
        at = own.references[link.name][own.chosen]
        assert other.chosen[at[at >= 0]].all(), link


def test_addresses_name_the_chosen_rows(shop: tuple[Catalog, dict[Name, Selection]]) -> None:
    _, found = shop
    for name, selection in found.items():
        if selection.addresses is not None:
            assert sum(len(a) for a in selection.addresses.values()) == selection.rows, name
