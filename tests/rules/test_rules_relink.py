"""Keys that cannot be relinked are named with file, line and reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from made_catalog import INTEGER, catalog, column, foreign_key, table

from parity_data.catalog.model import Catalog, Column, ForeignKey, Name, Table, Type
from parity_data.rules import load_policy
from parity_data.rules.check_subset import check_subset

BIGINT = Type(20, Name("pg_catalog", "int8"), "b", "N")
POLICY = """version: 1
subset:
  virtual_keys:
    - {table: shop.orders, columns: [noted], referenced: shop.shops, referenced_columns: [id],
       when: {column: kind, value: shop}}
  tables:
    shop.orders:
      owner: [customer]
      relink:
        - [shop]
"""


def integers(*names: str) -> tuple[Column, ...]:
    return tuple(column(name, i, kind=INTEGER) for i, name in enumerate(names, 1))


def wide(name: str) -> ForeignKey:
    own, other = Name("shop", "orders"), Name("shop", "shops")
    return ForeignKey(f"orders_{name}_wide", own, (name, "part"), other, ("id", "n"))


def shop() -> Catalog:
    keys = ("customer", "customers", "id"), ("shop", "shops", "id"), ("parent", "orders", "id")
    columns = integers("id", "customer", "shop", "parent", "noted", "kind", "part", "text")
    return catalog(
        table("customers", *integers("id", "orders")),
        table("shops", *integers("id", "n", "city")),
        table("orders", *columns, keys=tuple(foreign_key("orders", *key) for key in keys)),
        table("lines", *integers("id", "shop"), keys=(foreign_key("lines", "shop", "shops", "id"),)),
    )


def changed(found: Catalog, name: str, **fields: object) -> Catalog:
    own = Name("shop", name)
    return replace(found, tables={**found.tables, own: replace(found.tables[own], **fields)})  # type: ignore[arg-type]


def said(tmp_path: Path, found: Catalog, policy: str = POLICY) -> list[tuple[str, int | None]]:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "policy.yaml").write_text(policy)
    return [(m.what, m.line) for m in check_subset(load_policy(tmp_path / "rules"), found)]


def test_a_plain_reference_may_be_relinked(tmp_path: Path) -> None:
    assert said(tmp_path, shop()) == []


def orders() -> Table:
    return shop().tables[Name("shop", "orders")]


COMPUTED = tuple(replace(c, generated="s" * (c.name == "shop")) for c in orders().columns)
WIDER = tuple(column(name, i, kind=BIGINT) for i, name in enumerate(("id", "n")))
PERIOD = (replace(orders().foreign_keys[1], period=True),)


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (changed(shop(), "orders", primary_key=("id", "shop")), "part of a primary key or a unique"),
        (
            changed(shop(), "orders", unique_keys=(("shop", "kind"),)),
            "part of a primary key or a unique",
        ),
        (changed(shop(), "orders", unique_expressions=("(shop + 1)",)), "a primary key or a unique index"),
        (changed(shop(), "orders", partition_columns=("shop",)), "the table is partitioned by it"),
        (
            changed(shop(), "orders", checks=("(shop <> customer)",)),
            "a CHECK of the table speaks of it",
        ),
        (
            changed(shop(), "orders", columns=COMPUTED),
            "the database computes its columns",
        ),
        (
            changed(shop(), "orders", foreign_keys=(*orders().foreign_keys, wide("shop"))),
            "another key, to shop.shops, shares a column with it",
        ),
        (
            changed(shop(), "lines", foreign_keys=(foreign_key("lines", "shop", "orders", "shop"),)),
            "shop.lines refers to its columns",
        ),
        (
            changed(shop(), "shops", foreign_keys=(foreign_key("shops", "city", "orders", "id"),)),
            "it leads back to its own table",
        ),
        (
            changed(shop(), "shops", columns=WIDER),
            "shop (integer) cannot hold every value of id",
        ),
        (
            changed(shop(), "orders", foreign_keys=PERIOD),
            "periods",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_key_that_others_hang_on_is_refused(tmp_path: Path, found: Catalog, why: str) -> None:
    policy = POLICY.replace("      owner: [customer]\n", "")
    ((what, line),) = said(tmp_path, found, policy)
    assert why in what
    assert line == 9


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ("[customer]", "it is the owner's"),
        ("[noted]", "now to one table, now to another"),
        ("[parent]", "it leads back to its own table"),
        ("[text]", "No foreign key of the table has the columns text"),
    ],
)
def test_a_key_that_cannot_lead_elsewhere_is_refused(tmp_path: Path, columns: str, why: str) -> None:
    ((what, line),) = said(tmp_path, shop(), POLICY.replace("[shop]", columns))
    assert why in what
    assert line == 10


@pytest.mark.parametrize(
    "words", ["subset:\n  keep_all: [shop.shops]", "subset:\n  tables:\n    shop.shops: {role: reference}"]
)
def test_what_is_kept_for_those_who_need_it_has_nothing_to_relink(tmp_path: Path, words: str) -> None:
    rest = POLICY.partition("  tables:\n")[2]
    policy = f"version: 1\n{words}\n" + ("" if "tables:" in words else "  tables:\n") + rest
    ((what, _),) = said(tmp_path, shop(), policy)
    assert "is kept for what refers to it, and not sampled" in what
