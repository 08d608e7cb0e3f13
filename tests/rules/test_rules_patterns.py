"""Patterns for many alike tables: which rule wins, what they may not keep, and keys that pass a rule on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from made_catalog import catalog, foreign_key, table

from parity_data.catalog.model import Catalog, Name
from parity_data.errors import RulesError
from parity_data.rules import Policy, check_accepted, check_policy, load_policy, resolve
from parity_data.rules.patterns import matches

PATTERNS = """\
version: 1
tags:
  logs: [shop.log_*, shop.audit]
patterns:
  - tables: [shop.log_special]
    columns: {"*_mail": 'null'}
  - tables: ["tag:logs"]
    columns:
      "*": keep
      ip: ip
      "*_mail": email
  - tables: ["*.*"]
    columns: {note: free_text, ip: token}
"""

Make = Callable[[str, str | None], Policy]


@pytest.fixture
def policy(tmp_path: Path) -> Make:
    def make(head: str, shop: str | None = None) -> Policy:
        (tmp_path / "policy.yaml").write_text(head, encoding="utf-8")
        if shop is not None:
            (tmp_path / "shop.yaml").write_text(f"schema: shop\ntables:\n{shop}", encoding="utf-8")
        return load_policy(tmp_path)

    return make


def masks(rules: Policy, made: Catalog, name: str) -> dict[str, str]:
    found = resolve(rules, made).columns.get(Name("shop", name), {})
    return {column: rule.mask.name for column, rule in found.items()}


def test_a_line_wins_then_the_first_entry_then_a_full_name(policy: Make) -> None:
    rules = policy(PATTERNS, "  log_1: {id: token}\n")
    made = catalog(
        table("log_1", "id", "ip", "user_mail", "note"),
        table("log_special", "user_mail", "ip"),
        table("other", "ip", "id"),
    )
    # '*' is written first, and still goes behind a full name; it goes before another wildcard.
    assert masks(rules, made, "log_1") == {"id": "token", "ip": "ip", "user_mail": "keep", "note": "keep"}
    assert masks(rules, made, "log_special") == {"user_mail": "null", "ip": "ip"}
    assert masks(rules, made, "other") == {"ip": "token"}
    won = resolve(rules, made).columns[Name("shop", "log_1")]
    assert won["id"].via == ""
    assert won["ip"].via == "the pattern shop.log_*, shop.audit, column ip"
    assert won["ip"].line == 10


def test_resolving_twice_changes_nothing(policy: Make) -> None:
    made = catalog(table("log_1", "id", "ip"))
    once = resolve(policy(PATTERNS), made)
    assert resolve(once, made).columns == once.columns


def test_a_wildcard_keeps_nothing_that_nobody_has_seen(policy: Make) -> None:
    made = catalog(table("log_1", "ip", "ssn"))
    rules = resolve(policy(PATTERNS), made)
    found = check_accepted(rules, made, None)
    assert [p.where for p in found] == ["shop.log_1.ssn"]
    assert "a wildcard keeps nothing that nobody has seen" in found[0].what


@pytest.mark.parametrize(
    ("head", "line", "words"),
    [
        ("patterns:\n  - tables: ['tag:log']\n    columns: {a: keep}\ntags: {logs: [a.b]}\n", 3, "'logs'?"),
        ("patterns:\n  - tables: [logs]\n    columns: {a: keep}\n", 3, "schema.table"),
        ("patterns:\n  - tables: [a.b]\n    columns: {a: kep}\n", 4, "Did you mean 'keep'?"),
        ("patterns:\n  - table: [a.b]\n    columns: {a: keep}\n", 3, "did you mean 'tables'?"),
        ("patterns:\n  - tables: [a.b]\n", 3, "columns"),
    ],
)
def test_mistakes_in_patterns_name_their_line(policy: Make, head: str, line: int, words: str) -> None:
    with pytest.raises(RulesError) as caught:
        policy("version: 1\n" + head, None)
    assert f"policy.yaml:{line}" in str(caught.value)
    assert words in str(caught.value)


def test_a_pattern_that_points_at_nothing(policy: Make) -> None:
    head = "version: 1\npatterns:\n  - tables: [shop.lgo_*]\n    columns: {id: keep}\n"
    head += "  - tables: [shop.log_*]\n    columns: {ipp: ip, id: keep, ip: ip}\n"
    found = check_policy(policy(head), catalog(table("log_1", "id", "ip")))
    assert [(p.line, p.todo) for p in found] == [
        (3, "Did you mean shop.log_1?"),
        (6, "Did you mean 'ip'?"),
    ]


def test_a_key_passes_its_rule_on_and_a_conflict_is_an_error(policy: Make) -> None:
    key = foreign_key("orders", "buyer", "people", "login")
    made = catalog(table("orders", "buyer", keys=(key,)), table("people", "login"))
    rules = policy("version: 1\n", "  people: {login: username}\n")
    assert check_policy(rules, made) == []
    passed = resolve(rules, made).columns[Name("shop", "orders")]["buyer"]
    assert passed.mask.name == "username"
    assert "masked like shop.people.login" in passed.via
    rules = policy("version: 1\n", "  people: {login: username}\n  orders: {buyer: keep}\n")
    assert "masked differently" in check_policy(rules, made)[0].what


def test_what_a_masked_key_refers_to_is_masked_too_but_keep_is_not_passed_up(policy: Make) -> None:
    key = foreign_key("orders", "buyer", "people", "login")
    made = catalog(table("orders", "buyer", keys=(key,)), table("people", "login"))
    assert masks(policy("version: 1\n", "  orders: {buyer: username}\n"), made, "people") == {
        "login": "username"
    }
    assert masks(policy("version: 1\n", "  orders: {buyer: keep}\n"), made, "people") == {}


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("log_*", "log_1", True),
        ("log_*", "LOG_1", False),
        ("log_?", "log_12", False),
        ("a.b*", "axb1", False),
        ("[ab]*", "a", False),
        ("[ab]*", "[ab]x", True),
        ("*", "any\nthing", True),
    ],
)
def test_wildcards(pattern: str, text: str, fits: bool) -> None:
    assert matches(pattern, text) is fits
