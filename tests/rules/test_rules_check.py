"""What a policy misses or mistakes in a catalog is found, named and mended by pasting."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from made_catalog import INTEGER, catalog, column, foreign_key, table

from parity_data.catalog.model import Catalog, Name
from parity_data.errors import RulesError
from parity_data.mask import MaskSpec
from parity_data.rules import Policy, Problem, check_policy, error_for, load_policy
from parity_data.rules.maskers import make_spec


@dataclass(frozen=True)
class Proposed:
    table: Name
    column: str
    mask: MaskSpec
    kind: str
    band: str


def policy(tmp_path: Path, shop: str | None, head: str = "version: 1\n") -> Policy:
    folder = tmp_path / "scrub_rules"
    folder.mkdir(exist_ok=True)
    (folder / "policy.yaml").write_text(head, encoding="utf-8")
    if shop is not None:
        (folder / "shop.yaml").write_text("schema: shop\ntables:\n" + shop, encoding="utf-8")
    return load_policy(folder)


def require_covered(rules: Policy, made: Catalog) -> None:
    problems = check_policy(rules, made)
    if problems:
        raise error_for(problems, rules)


def only(problems: list[Problem]) -> Problem:
    assert len(problems) == 1, problems
    return problems[0]


def test_a_policy_that_covers_the_catalog_has_no_problem(tmp_path: Path) -> None:
    rules = policy(tmp_path, "  customer: {id: keep, email: email}\n")
    made = catalog(table("customer", "id", "email"))
    assert check_policy(rules, made) == []
    require_covered(rules, made)


@pytest.mark.parametrize(
    ("shop", "pasted"),
    [
        ("  customer: {id: keep}\n", "    email: email\n"),
        ("  order: {id: keep}\n", "  customer:\n    email: email\n"),
        (None, "schema: shop\ntables:\n  customer:\n    email: email\n"),
    ],
)
def test_a_column_without_a_rule_comes_with_lines_to_paste(
    tmp_path: Path, shop: str | None, pasted: str
) -> None:
    name = Name("shop", "customer")
    proposal = Proposed(name, "email", make_spec("email", None, {}), "email", "personal")
    problems = check_policy(policy(tmp_path, shop), catalog(table("customer", "id", "email")), [proposal])
    missing = next(p for p in problems if p.where == "shop.customer.email")
    assert missing.yaml == pasted
    assert "no rule" in missing.what
    assert "personal (email)" in missing.todo


def test_lines_pasted_without_a_decision_do_not_load(tmp_path: Path) -> None:
    problem = only(
        check_policy(policy(tmp_path, "  customer: {id: keep}\n"), catalog(table("customer", "id", "x")))
    )
    assert problem.yaml is not None
    with pytest.raises(RulesError, match="no masker 'decide'"):
        policy(tmp_path, "  customer:\n    id: keep\n" + problem.yaml)


def test_pasted_lines_make_the_policy_cover(tmp_path: Path) -> None:
    odd = ("null", 'say "hi"', "😀 x", "a.b", "yes", "<<", "1", "# no", "tab\there")
    made = catalog(table("customer", "id", *odd))
    proposals = [
        Proposed(Name("shop", "customer"), c, make_spec("keep", None, {}), "none", "not_personal")
        for c in odd
    ]
    problems = check_policy(policy(tmp_path, "  customer:\n    id: keep\n"), made, proposals)
    assert len(problems) == len(odd)
    pasted = "".join(p.yaml or "" for p in problems)
    require_covered(policy(tmp_path, "  customer:\n    id: keep\n" + pasted), made)


def test_the_error_names_ten_columns_first_and_the_yaml_last(tmp_path: Path) -> None:
    made = catalog(table("customer", *[f"c{i:02d}" for i in range(12)]))
    with pytest.raises(RulesError) as caught:
        require_covered(policy(tmp_path, None), made)
    message = str(caught.value)
    first = message.splitlines()[0]
    assert caught.value.exit_code == 2
    assert "12 columns have no rule: shop.customer.c00, " in first
    assert "shop.customer.c09 and 2 more." in first
    assert "c10" not in first
    _head, *lines = message.split("schema: shop\ntables:\n  customer:\n    c00: decide  # Decide")
    assert len(lines) == 1
    assert [line.split(":")[0].strip() for line in lines[0].splitlines()[1:]] == [
        f"c{i:02d}" for i in range(1, 12)
    ]


def test_the_error_says_below_which_line_to_paste(tmp_path: Path) -> None:
    rules = policy(tmp_path, "  order:\n    id: keep\n  customer:\n    id: keep\n    vat: keep\n")
    with pytest.raises(RulesError, match=r"# in scrub_rules/shop\.yaml, below line 7\n    email: decide"):
        require_covered(rules, catalog(table("order", "id"), table("customer", "id", "vat", "email")))


def test_a_rule_for_a_column_that_is_not_there(tmp_path: Path) -> None:
    rules = policy(tmp_path, "  customer:\n    id: keep\n    emial: email\n")
    found = [p for p in check_policy(rules, catalog(table("customer", "id", "email"))) if p.yaml is None]
    assert only(found).place == "scrub_rules/shop.yaml:5"
    assert "Did you mean 'email'?" in found[0].todo


def test_a_rule_for_a_table_that_is_not_there(tmp_path: Path) -> None:
    rules = policy(tmp_path, "  customer: {id: keep}\n  costumers:\n    id: keep\n")
    found = only(check_policy(rules, catalog(table("customer", "id"))))
    assert "no table shop.costumers" in found.what
    assert "Did you mean shop.customer?" in found.todo
    assert found.line == 5


def test_both_sides_of_a_foreign_key_are_masked_alike(tmp_path: Path) -> None:
    made = catalog(
        table("customer", "email"),
        table("order", "customer_email", keys=(foreign_key("order", "customer_email", "customer", "email"),)),
    )
    alike = (
        "  customer: {email: {mask: email, domain: d}}\n  order: {customer_email: {mask: email, domain: d}}\n"
    )
    assert check_policy(policy(tmp_path, alike), made) == []
    default = "  customer: {email: email}\n  order: {customer_email: {mask: email, domain: person}}\n"
    assert check_policy(policy(tmp_path, default), made) == []
    for other in ("keep", "{mask: email, domain: e}", "email"):
        rules = policy(
            tmp_path,
            f"  customer:\n    email: {{mask: email, domain: d}}\n  order:\n    customer_email: {other}\n",
        )
        found = only(check_policy(rules, made))
        assert found.where == "shop.order.customer_email"
        assert found.place == "scrub_rules/shop.yaml:6"
        assert "scrub_rules/shop.yaml:4" in found.what


def test_generated_columns_need_no_rule_and_take_only_keep(tmp_path: Path) -> None:
    made = catalog(table("customer", "id", column("initials", 2, generated="s")))
    assert check_policy(policy(tmp_path, "  customer: {id: keep}\n"), made) == []
    assert check_policy(policy(tmp_path, "  customer: {id: keep, initials: keep}\n"), made) == []
    found = only(check_policy(policy(tmp_path, "  customer: {id: keep, initials: email}\n"), made))
    assert "generated column" in found.what


def test_a_mask_that_does_not_fit_the_column(tmp_path: Path) -> None:
    made = catalog(table("customer", column("id", 1, kind=INTEGER)))
    found = only(check_policy(policy(tmp_path, "  customer:\n    id: email\n"), made))
    assert "'email' does not fit shop.customer.id (integer)" in found.what
    assert found.line == 4


def test_tables_without_rows_and_ignored_schemas_need_no_rules(tmp_path: Path) -> None:
    head = "version: 1\nexclude_rows: {shop.session: no use}\nignore_schemas: [audit]\n"
    made = catalog(table("customer", "id"), table("session", "x"), table("log", "y", schema="audit"))
    assert check_policy(policy(tmp_path, "  customer: {id: keep}\n", head), made) == []


@pytest.mark.parametrize(
    ("head", "line", "hint"),
    [
        ("version: 1\nsubset:\n  roots:\n    - shop.customer\n    - shop.custmer\n", 5, "shop.customer?"),
        ("version: 1\nsubset: {keep_all: [geo.land]}\n", 2, "Remove it."),
        ("version: 1\nexclude_rows:\n  shop.customr: why\n", 3, "shop.customer?"),
        ("version: 1\nignore_schemas:\n  - shap\n", 3, "'shop'?"),
    ],
)
def test_unknown_names_in_policy_yaml(tmp_path: Path, head: str, line: int, hint: str) -> None:
    found = only(
        check_policy(policy(tmp_path, "  customer: {id: keep}\n", head), catalog(table("customer", "id")))
    )
    assert found.place == f"scrub_rules/policy.yaml:{line}"
    assert hint in found.todo


SHOP = catalog(
    table("customer", column("id", 1, kind=INTEGER), "name"),
    table(
        "order",
        column("id", 1, kind=INTEGER),
        column("customer", 2, kind=INTEGER),
        "note",
        keys=(foreign_key("order", "customer", "customer", "id"),),
    ),
)


@pytest.mark.parametrize(
    ("section", "line", "said"),
    [
        ("tables:\n    shop.custmer: {role: root}", 4, "Did you mean shop.customer?"),
        (
            "tables:\n    shop.order:\n      owner: [note]",
            5,
            "No foreign key of the table has the columns note",
        ),
        ("tables:\n    shop.order:\n      owner: [custmer]", 5, "Did you mean 'customer'?"),
        ("tables:\n    shop.order:\n      role: root\n      owner: [customer]", 5, "an owner and the role"),
        (
            "tables:\n    shop.order:\n      strata:\n        - nothing",
            6,
            "strata names the column 'nothing'",
        ),
        ("tables:\n    shop.order:\n      latest: note", 5, "latest needs a date"),
        ("tables:\n    shop.order:\n      ids: [1]", 5, "primary key of one column"),
        ("tables:\n    shop.order:\n      fraction: 0.5\n      rows: 9", 6, "both given"),
        (
            "virtual_keys:\n    - table: shop.order\n      columns: [note]\n"
            "      referenced: shop.customer\n      referenced_columns: [id]",
            5,
            "compares shop.order.note (text) with shop.customer.id (integer)",
        ),
        (
            "virtual_keys:\n    - table: shop.order\n      columns: [customer]\n"
            "      referenced: shop.costumer\n      referenced_columns: [id]",
            6,
            "Did you mean shop.customer?",
        ),
        (
            "virtual_keys:\n    - table: shop.order\n      columns: [customer]\n"
            "      referenced: shop.customer\n      referenced_columns: [id, name]",
            5,
            "1 column(s) that refer to 2",
        ),
    ],
)
def test_a_subset_that_does_not_fit_is_named_with_its_line(
    tmp_path: Path, section: str, line: int, said: str
) -> None:
    rules = "  customer: {id: keep, name: keep}\n  order: {id: keep, customer: keep, note: keep}\n"
    found = only(check_policy(policy(tmp_path, rules, f"version: 1\nsubset:\n  {section}\n"), SHOP))
    assert said in f"{found.what} {found.todo}"
    assert found.place == f"scrub_rules/policy.yaml:{line}"


@pytest.mark.parametrize(
    ("pairs", "line", "said"),
    [
        ("shop.custmer: [[id, name]]", 4, "Did you mean shop.customer?"),
        ("shop.order:\n      - [id, note]\n      - [custmer, note]", 6, "Did you mean 'customer'?"),
        (
            '"shop"."order":\n      - [zzz, note]'.replace('"shop"."order"', "'\"shop\".order'"),
            5,
            "Remove the pair.",
        ),
    ],
)
def test_a_pair_that_is_not_there_is_named_with_its_line(
    tmp_path: Path, pairs: str, line: int, said: str
) -> None:
    rules = "  customer: {id: keep, name: keep}\n  order: {id: keep, customer: keep, note: keep}\n"
    head = f"version: 1\nprofiles:\n  pairs:\n    {pairs}\n"
    found = only(check_policy(policy(tmp_path, rules, head), SHOP))
    assert said in f"{found.what} {found.todo}"
    assert found.place == f"scrub_rules/policy.yaml:{line}"


def test_owners_in_a_circle_have_no_root(tmp_path: Path) -> None:
    made = catalog(
        table("a", "id", "b", keys=(foreign_key("a", "b", "b", "id"),)),
        table("b", "id", "a", keys=(foreign_key("b", "a", "a", "id"),)),
    )
    rules = "  a: {id: keep, b: keep}\n  b: {id: keep, a: keep}\n"
    head = "version: 1\nsubset:\n  tables:\n    shop.a: {owner: [b]}\n    shop.b:\n      owner: [a]\n"
    found = only(check_policy(policy(tmp_path, rules, head), made))
    assert "circle without a root: shop.a -> shop.b -> shop.a" in found.what
    assert found.place == "scrub_rules/policy.yaml:4"
