"""Rows fetched afresh from both sides by key agree, whatever the key is made of; what differs is named."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
from fix_copies import run_script
from hypothesis import given
from hypothesis import strategies as st
from proofs import failed, refreshed, write_rules

from parity_data.database import Database
from parity_data.settings import Settings
from parity_data.verify import spot
from parity_data.verify.result import CheckResult

_TABLES = """
create table people (
    id int primary key, name text, born date, note text, size numeric(8,2), tag character(6));
insert into people select i, 'Name ' || i, date '1950-01-01' + i,
    nullif('', repeat('long %s ', i % 3 * 20000)), i / 3.0, 'T' || i from generate_series(1, 900) i;
create table accounts (email varchar(60) not null unique, owner text, big text);
insert into accounts select 'mail' || i || '@acme-widgets.com', 'Owner ' || i % 7, ''
    from generate_series(1, 9000) i;
create table pairs (a int, b text, v text, primary key (a, b));
insert into pairs select i, '%' || i % 9, 'v' || i from generate_series(1, 300) i;
create table parted (id int, born date, v text, primary key (id, born)) partition by range (born);
create table parted_1 partition of parted for values from (minvalue) to ('1990-01-01');
create table parted_2 partition of parted for values from ('1990-01-01') to (maxvalue);
insert into parted select i, date '1980-01-01' + i * 30, 'P ' || i from generate_series(1, 300) i;
create table keyless (v text);
insert into keyless values ('x');
create table hollow (id int primary key);
"""
_MASKS = {
    "people": {"id": "integer", "name": "person_name", "born": "birth_date", "tag": "token"},
    "accounts": {"email": "email", "owner": "person_name"},
    "pairs": {"b": "token"},
    "parted": {"born": "birth_date"},
}


def spots(checks: list[CheckResult]) -> dict[str, CheckResult]:
    return {check.scope: check for check in checks if check.name == "spot_check"}


def test_what_is_there_agrees(
    source_db: Database, target_db: Database, make_settings: Callable[..., Settings]
) -> None:
    run_script(source_db, _TABLES)
    settings = make_settings(source_db, target_db)
    write_rules(settings, source_db, _MASKS)
    for fraction in (None, 0.3):
        refresh = refreshed(settings, fraction=fraction)
        found = spots(refresh.checks)
        assert {scope: check.status for scope, check in found.items()} == dict.fromkeys(found, "pass")
        assert len(found) == 6
        assert found["public.keyless"].value is None
        rows = {scope: check.message.split(" ")[0] for scope, check in found.items()}
        assert rows["public.accounts"] == str(spot.ROWS)
        assert int(rows["public.pairs"]) > 50


def test_what_differs_is_named(
    source_db: Database, target_db: Database, make_settings: Callable[..., Settings]
) -> None:
    run_script(source_db, _TABLES)
    settings = make_settings(source_db, target_db)
    write_rules(settings, source_db, _MASKS)

    def damage(database: Database) -> None:
        run_script(
            database.with_options(search_path="public"),
            "update people set note = coalesce(note, '') || ' ', size = size + 0.01,"
            "    name = (select name from people offset 3 limit 1);"
            "update accounts set owner = ''; delete from pairs where a % 2 = 0; update parted set v = null;",
        )

    refresh = refreshed(settings, damage)
    columns = {"people.note", "people.size", "people.name", "accounts.owner", "parted.v"}
    assert failed(refresh, "spot_check") == {f"public.{c}" for c in columns} | {"public.pairs"}


@given(st.lists(st.integers(0, 40), max_size=5), st.integers(0, 60), st.integers(0, 2**32))
def test_rows_are_drawn_from_all_lists_and_none_twice(sizes: list[int], rows: int, seed: int) -> None:
    lists = [np.arange(size, dtype=np.int64) * 65536 + i for i, size in enumerate(sizes)]
    found = spot.drawn(lists, rows, random.Random(seed))
    assert all(set(part) <= set(whole) for part, whole in zip(found, lists, strict=True))
    drawn = [address for part in found for address in part.tolist()]
    assert len(drawn) == len(set(drawn)) == min(rows, sum(sizes))


def test_every_row_can_be_drawn() -> None:
    lists = [np.arange(size, dtype=np.int64) * 65536 + i for i, size in enumerate((2, 0, 3, 1))]
    seen = {
        address
        for seed in range(200)
        for part in spot.drawn(lists, 1, random.Random(seed))
        for address in part.tolist()
    }
    assert seen == {address for part in lists for address in part.tolist()}
