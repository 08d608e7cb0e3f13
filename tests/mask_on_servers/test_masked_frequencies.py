"""What masking must not change, counted on both sides: how often values occur, NULLs, lengths, scripts, case,
and how many rows a join finds.

Values are read with the servers' own text output and counted here: nothing goes through the code under test.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import Any

import psycopg
import pytest
from fix_copies import ROOT, run_script, sample
from psycopg import sql

from parity_data.catalog import Column, Table
from parity_data.database import Database
from parity_data.mask import MaskSpec, describe
from parity_data.refresh import Refresh, RefreshRequest
from parity_data.refresh.scan import scan_source
from parity_data.settings import Settings

Counts = Counter[str | None]

#: Joins of the demo that nobody has declared, by e-mail, user name and path in a document, across types.
JOINS = {
    "e-mail, citext with citext": "shop.customers a join crm.newsletter_signups b on b.email = a.email",
    "e-mail, guests": "shop.orders a join crm.newsletter_signups b on lower(b.email) = lower(a.guest_email)",
    "e-mail in JSON": "shop.customers a join shop.audit_log b on b.new_row ->> 'email' = a.email::text",
    "name in JSON": "shop.customers a join shop.audit_log b on b.new_row ->> 'full_name' = a.full_name",
    "user name": "shop.customers a join shop.sessions b using (login)",
    "user name, employees": "crm.employees a join crm.tickets b on b.assigned_to = a.login",
    "telephone in JSON": "shop.customers a join shop.audit_log b on b.new_row ->> 'phone' = a.phone",
}


def columns(refresh: Refresh) -> Iterator[tuple[Table, Column, MaskSpec]]:
    """Masked columns that hold single values."""
    for name, masks in refresh.masks.items():
        table = refresh.catalog.tables[name]
        for column in table.stored_columns:
            spec = masks[column.name]
            if spec.name not in ("keep", "null") and not column.type.is_array:
                yield table, column, spec


def counted(database: Database, table: Table, column: Column) -> Counts:
    """How often each value occurs."""
    query = sql.SQL("select {}::text, count(*) from {} group by 1").format(
        sql.Identifier(column.name), sql.Identifier(table.name.schema, table.name.name)
    )
    with database.connect(autocommit=True) as connection:
        return Counter(dict(connection.execute(query).fetchall()))


def profile(counts: Counts, of: Callable[[str], object]) -> Counter[object]:
    """How often each property of a value occurs."""
    found: Counter[object] = Counter()
    for value, count in counts.items():
        if value is not None:
            found[of(value)] += count
    return found


@cache
def script(char: str) -> str:
    return unicodedata.name(char, "?").split(" ")[0] if char.isalpha() else ""


def scripts(text: str) -> tuple[str, ...]:
    return tuple(map(script, text))


def case(text: str) -> tuple[int, ...]:
    return tuple(c.isupper() - c.islower() for c in text)


@contextmanager
def masked_copy(settings: Settings) -> Iterator[Refresh]:
    """A refresh that has built the next database and is not released: what was proposed may leak."""
    with Refresh(settings, RefreshRequest(requested_by="test")) as refresh:
        refresh.open()
        refresh.map_pii()
        refresh.choose_rows()
        refresh.prepare()
        for sent in refresh.send_rows():
            assert sent.error is None
        refresh.complete()
        yield refresh


def assert_nothing_else_changed(refresh: Refresh, source: Database) -> int:
    """Compare every masked column of a whole copy; how many columns were compared."""
    maps: dict[tuple[str, str], tuple[MaskSpec, Counts, Counts]] = {}
    for table, column, spec in columns(refresh):
        where = f"{table.name}.{column.name} ({spec.name})"
        before, after = counted(source, table, column), counted(refresh.building.target, table, column)
        assert before[None] == after[None], f"{where}: NULLs"
        info, kept = describe(spec.name), describe(spec.name).keeps
        if info.distinct_with(spec.params) == "injective":
            assert sorted(before.values()) == sorted(after.values()), f"{where}: frequencies"
        for keep, of in (("length", len), ("script", scripts), ("case", case)):
            # Where the length may change, the places of capitals may, too.
            if keep in kept and "length" in kept:
                assert profile(before, of) == profile(after, of), f"{where}: {keep}"
        maps[str(table.name), column.name] = (spec, before, after)
    for (a, (spec, before, after)), (b, (other, before_b, after_b)) in combinations(maps.items(), 2):
        if alike(spec) == alike(other):
            assert joined(before, before_b) == joined(after, after_b), f"{a} joined with {b}"
    return len(maps)


def alike(spec: MaskSpec) -> object:
    domain = describe(spec.name).domain if spec.domain is None else spec.domain
    return spec.name, domain, repr(sorted(spec.params.items()))


def joined(one: Counts, other: Counts) -> int:
    """Rows of a join."""
    return sum(count * other[value] for value, count in one.items() if value is not None)


def one_number(cursor: psycopg.Cursor[Any]) -> int:
    row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def joins(database: Database) -> dict[str, int]:
    with database.connect(autocommit=True) as connection:
        return {
            name: one_number(connection.execute(sql.SQL("select count(*) from ") + sql.SQL(query)))  # type: ignore[arg-type]
            for name, query in JOINS.items()
        }


@pytest.mark.slow
def test_the_demo_masked(
    make_settings: Callable[[Database, Database], Settings], shop_db: Database, target_db: Database
) -> None:
    settings = replace(make_settings(shop_db, target_db), rules=ROOT / "scrub_rules")
    before = joins(shop_db)
    assert all(before.values()), before
    with masked_copy(settings) as refresh:
        assert assert_nothing_else_changed(refresh, shop_db) > 60
        assert joins(refresh.building.target) == before


@pytest.mark.slow
@pytest.mark.samples
@pytest.mark.parametrize(("name", "least"), [("chinook", 15), ("northwind", 15), ("pagila", 15)])
def test_a_sample_masked_as_proposed(
    name: str,
    least: int,
    make_settings: Callable[[Database, Database], Settings],
    source_db: Database,
    target_db: Database,
) -> None:
    run_script(source_db, sample(name), strict=False)
    settings = make_settings(source_db, target_db)
    (settings.rules / "policy.yaml").write_text("version: 1\n")
    scan_source(settings, write=settings.rules)
    with masked_copy(settings) as refresh:
        assert assert_nothing_else_changed(refresh, source_db) >= least
