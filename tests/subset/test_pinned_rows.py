"""Rows that the policy pins are there; a pin that finds nothing is an error with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_subset_demo import chosen_of

from parity_data.catalog import Name
from parity_data.database import Database
from parity_data.errors import RulesError
from parity_data.rules import Policy, load_policy

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
