"""Rows that the policy pins are there; a pin that finds nothing is an error with its line."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from fix_copies import run_script
from test_subset_demo import chosen_of

from parity_data.catalog import Name
from parity_data.database import Database
from parity_data.errors import RulesError
from parity_data.rules import Policy, load_policy
from parity_data.rules.subset import SubsetRules, TableSubset

CUSTOMERS = Name("shop", "customers")


def policy_with(tmp_path: Path, entry: str) -> Policy:
    (tmp_path / "rules").mkdir()
    head = "version: 1\nsubset:\n  tables:\n    shop.customers:\n"
    (tmp_path / "rules" / "policy.yaml").write_text(f"{head}      {entry}\n")
    return load_policy(tmp_path / "rules")


@pytest.fixture
def some_ids(small_shop: Database) -> list[str]:
    with small_shop.connect() as connection:
        found = connection.execute("select id::text from shop.customers order by md5(id::text) limit 5")
        return [value for (value,) in found]


def test_pinned_ids_are_there(small_shop: Database, tmp_path: Path, some_ids: list[str]) -> None:
    policy = policy_with(tmp_path, f"role: root\n      ids: [{', '.join(map(repr, some_ids))}]")
    _, found = chosen_of(small_shop, policy, 0.02)
    assert found[CUSTOMERS].by_quota["pinned by the policy"] >= len(some_ids)


def test_an_id_that_does_not_exist_is_named_by_its_place(
    small_shop: Database, tmp_path: Path, some_ids: list[str]
) -> None:
    policy = policy_with(tmp_path, f"ids:\n        - {some_ids[0]!r}\n        - 'no such id'")
    with pytest.raises(RulesError) as caught:
        chosen_of(small_shop, policy, 0.1)
    assert caught.value.where == "rules/policy.yaml:7"
    assert "1 of 2 ids" in caught.value.what
    assert some_ids[0] not in str(caught.value)


def test_a_condition_that_is_no_sql_is_named_with_its_line(small_shop: Database, tmp_path: Path) -> None:
    with pytest.raises(RulesError) as caught:
        chosen_of(small_shop, policy_with(tmp_path, "keep: nonsense = 1"), 0.1)
    assert caught.value.where == "rules/policy.yaml:5"
    assert "keep is no condition" in caught.value.what


_PEOPLE = """
create table people (id int primary key, born date, country text);
insert into people select i, date '1950-01-01' + abs(hashtext('born ' || i)) % 20000,
    'C' || floor(sqrt(abs(hashtext('from ' || i)) % 64)) from generate_series(1, 8000) i;
create index on people (born);
analyze;
"""
_KEPT = """
select ctid::text, country, id % 2000 = 7,
    born in ((select min(born) from public.people), (select max(born) from public.people))
from public.people
"""


def test_ends_and_pinned_rows_are_there_and_the_named_stratum_is_proportional(source_db: Database) -> None:
    run_script(source_db, _PEOPLE)
    name = Name("public", "people")
    rules = TableSubset(role="root", keep="id % 2000 = 7", extremes=("born",), strata=("country",))
    _, found = chosen_of(source_db, Policy(subset=SubsetRules(tables={name: rules})), 0.05)
    assert found[name].addresses is not None
    chosen = {f"({int(a) >> 16},{int(a) & 0xFFFF})" for a in found[name].addresses[name]}
    with source_db.connect() as connection:
        rows = connection.execute(_KEPT.encode()).fetchall()
    assert {ctid for ctid, _, pinned, _ in rows if pinned} <= chosen
    assert sum(pinned for _, _, pinned, _ in rows) == 4
    # Of several rows at one end, one is enough.
    assert sum(end and ctid in chosen for ctid, _, _, end in rows) >= 2
    whole = Counter(country for _, country, _, _ in rows)
    kept = Counter(country for ctid, country, _, _ in rows if ctid in chosen)
    assert len(whole) == 8
    for country, count in whole.items():
        assert kept[country] / len(chosen) == pytest.approx(count / len(rows), abs=0.01), country
