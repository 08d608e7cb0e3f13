"""Every mistake in a rules folder is an error that names the file and the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from parity_data.catalog.model import Name
from parity_data.errors import RulesError
from parity_data.rules import load_policy

POLICY = """\
version: 1
fraction: 0.25
subset:
  roots: [shop.customer]
  keep_all: ['"we.ird".country']
exclude_rows: {shop.session: "sessions are useless in staging"}
ignore_schemas: [audit]
on_undecided: stop
domains: {person: "names and what is made of them"}
release: {keep_previous: 2, grace_seconds: 2.5}
"""

SHOP = """\
schema: shop
tables:
  customer:
    id: keep
    email: {mask: email, domain: person, why: "contact address", by: "dpo@example.org"}
"""


def folder_with(tmp_path: Path, *, policy: str | None = POLICY, **files: str) -> Path:
    folder = tmp_path / "scrub_rules"
    folder.mkdir()
    if policy is not None:
        (folder / "policy.yaml").write_text(policy, encoding="utf-8")
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def test_everything_written_is_read(tmp_path: Path) -> None:
    policy = load_policy(folder_with(tmp_path, shop=SHOP))
    assert policy.fraction == 0.25
    assert policy.roots == (Name("shop", "customer"),)
    assert policy.keep_all == (Name("we.ird", "country"),)
    assert policy.exclude_rows == {Name("shop", "session"): "sessions are useless in staging"}
    assert policy.ignore_schemas == ("audit",)
    assert policy.domains == {"person": "names and what is made of them"}
    assert (policy.release.keep_previous, policy.release.grace_seconds) == (2, 2.5)
    rule = policy.columns[Name("shop", "customer")]["email"]
    assert (rule.why, rule.by, rule.where) == (
        "contact address",
        "dpo@example.org",
        "scrub_rules/shop.yaml:5",
    )
    assert policy.rule(Name("shop", "customer"), "id") is not None
    assert policy.rule(Name("shop", "customer"), "other") is None


def test_a_schema_may_be_split_over_files_and_folders(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, shop=SHOP, more="schema: shop\ntables:\n  customer: {note: keep}\n")
    (folder / "deep").mkdir()
    (folder / "deep" / "orders.yml").write_text("schema: shop\ntables:\n  order: {id: keep}\n")
    (folder / ".hidden.yaml").write_text("not: rules\n")
    policy = load_policy(folder)
    assert set(policy.columns[Name("shop", "customer")]) == {"id", "email", "note"}
    assert policy.columns[Name("shop", "order")]["id"].where == "scrub_rules/deep/orders.yml:3"


def test_hostile_identifiers_are_read_as_written(tmp_path: Path) -> None:
    text = (
        "schema: 'null'\n"
        "tables:\n"
        "  yes:\n"
        "    null: keep\n"
        "    1: keep\n"
        "    1.0: keep\n"
        "    ~: keep\n"
        "    a.b: keep\n"
        "    2020-01-01: keep\n"
        '    "say \\"hi\\"": keep\n'
        "    it's: keep\n"
        "    😀 smile: keep\n"
        "    '<<': keep\n"
        f"    {'k' * 63}: keep\n"
    )
    policy = load_policy(folder_with(tmp_path, odd=text))
    assert set(policy.columns[Name("null", "yes")]) == {
        *("null", "1", "1.0", "~", "a.b", "2020-01-01", 'say "hi"', "it's", "😀 smile", "<<", "k" * 63),
    }


def test_anchors_and_merges(tmp_path: Path) -> None:
    text = (
        "schema: shop\n"
        "tables:\n"
        "  customer: &base\n"
        "    id: keep\n"
        "    note: keep\n"
        "  order: *base\n"
        "  invoice:\n"
        "    <<: *base\n"
        "    note: {mask: keep, why: own}\n"
    )
    policy = load_policy(folder_with(tmp_path, shop=text))
    assert set(policy.columns[Name("shop", "order")]) == {"id", "note"}
    invoice = policy.columns[Name("shop", "invoice")]
    assert (invoice["note"].why, invoice["note"].line, invoice["id"].line) == ("own", 9, 4)


def test_the_digest_follows_content_alone(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "c").mkdir()
    written = load_policy(folder_with(tmp_path / "a", shop=SHOP))
    otherwise = (
        "# a comment\nschema: shop\ntables:\n  customer:\n"
        "    email:\n      by: dpo@example.org\n      domain: person\n      mask: email\n"
        "      why: contact address\n\n    id: {mask: keep}\n"
    )
    same = load_policy(folder_with(tmp_path / "b", other=otherwise))
    changed = load_policy(folder_with(tmp_path / "c", shop=SHOP.replace("contact", "private")))
    assert written.digest == same.digest
    assert written == same
    assert written.digest != changed.digest
    assert len(written.digest) == 64


@pytest.mark.parametrize(
    ("policy", "line", "words"),
    [
        ("version: 1\nfraction: 0\n", 2, "fraction must be greater than 0"),
        ("version: 1\nprofiles:\n  rows: 99\n", 3, "profiles.rows must be at least 100"),
        ("version: 1\nprofiles: {size: 32}\n", 2, "must be a size such as 20GB"),
        (
            "version: 1\nprofiles:\n  pairs:\n    a.b:\n      - [x, x]\n",
            5,
            "must be two columns of the table",
        ),
        ("version: 1\nprofiles:\n  pairs:\n    a.b:\n      - [x, y, z]\n", 5, "must be two columns"),
        ("version: 1\nfraction: 1.5\n", 2, "fraction must be at most 1"),
        ("version: 1\nfraction: half\n", 2, "fraction must be a number"),
        ("version: 1\nfraction: true\n", 2, "fraction must be a"),
        ("version: 1\nfraction: .nan\n", 2, "fraction must be"),
        ("version: 2\n", 1, "version must be 1"),
        ("fraction: 0.5\n", 1, "version is missing"),
        ("", 1, "must be a mapping"),
        ("version: 1\nfracton: 0.5\n", 2, "unknown key 'fracton'; did you mean 'fraction'?"),
        ("version: 1\nsubset:\n  root: [a.b]\n", 3, "subset: unknown key 'root'; did you mean 'roots'?"),
        ("version: 1\nzzz: 0.5\n", 2, "known keys are version, fraction"),
        ("version: 1\nsubset:\n  roots:\n    - a.b\n    - customer\n", 5, "form schema.table"),
        ("version: 1\nsubset:\n  roots: a.b\n", 3, "subset.roots must be a list"),
        ("version: 1\nexclude_rows:\n  shop.session:\n", 3, "needs a reason"),
        ("version: 1\nexclude_rows:\n  session: no use\n", 3, "form schema.table"),
        ("version: 1\non_undecided: keep\n", 2, "on_undecided must be 'stop'"),
        ("version: 1\nrelease: {keep_previous: -1}\n", 2, "at least 0"),
        ("version: 1\nrelease:\n  grace_seconds: soon\n", 3, "must be a number"),
        ("version: 1\nfraction: 0.5\nfraction: 0.7\n", 3, "'fraction' occurs twice, first in line 2"),
        ("version: 1\n\tfraction: 0.5\n", 2, "YAML syntax"),
        ("version: 1\nsubset: [a\n", 3, "YAML syntax"),
        ("version: 1\n--- \nversion: 1\n", 2, "YAML syntax"),
        ("version: 1\nsubset: *nowhere\n", 2, "YAML syntax"),
        ("version: 1\ndomains: &a\n  b: *a\n", 2, "contains it"),
        ("version: 1\ndomains:\n  ? [a]\n  : b\n", 3, "A key must be a name"),
        ("version: 1\nfraction: \x01\n", 2, "YAML syntax"),
    ],
)
def test_mistakes_in_policy_yaml(tmp_path: Path, policy: str, line: int, words: str) -> None:
    with pytest.raises(RulesError) as caught:
        load_policy(folder_with(tmp_path, policy=policy))
    assert words in str(caught.value)
    assert caught.value.where == f"scrub_rules/policy.yaml:{line}"
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("tables: {}\n", 1, "schema is missing"),
        ("schema: shop\n", 1, "tables is missing"),
        ("schema: shop\ntable: {}\n", 2, "did you mean 'tables'?"),
        ("schema: shop\ntables:\n  customer:\n", 3, "tables.customer must be a mapping"),
        ("schema: shop\ntables:\n  customer:\n    id:\n", 4, "must be text"),
        ("schema: shop\ntables:\n  customer:\n    id: 7\n", 4, "must be text"),
        ("schema: shop\ntables:\n  customer:\n    id: [keep]\n", 4, "must be text"),
        (
            "schema: shop\ntables:\n  customer:\n    id: kep\n",
            4,
            "there is no masker 'kep'. Did you mean 'keep'?",
        ),
        (
            "schema: shop\ntables:\n  customer:\n    id:\n      why: x\n      mask: kep\n",
            6,
            "shop.customer.id: there is no masker 'kep'",
        ),
        ("schema: shop\ntables:\n  customer:\n    id: {msk: keep}\n", 4, "did you mean 'mask'?"),
        ("schema: shop\ntables:\n  customer:\n    id:\n      why: x\n", 4, "mask is missing"),
        (
            "schema: shop\ntables:\n  customer:\n    id:\n      mask: keep\n      by: 3\n",
            6,
            "by must be text",
        ),
        ("schema: shop\ntables:\n  customer:\n    id: keep\n    id: keep\n", 5, "'id' occurs twice"),
        (
            "schema: shop\ntables:\n  customer: {id: keep}\n  customer: {id: keep}\n",
            4,
            "'customer' occurs twice",
        ),
    ],
)
def test_mistakes_in_a_schema_file(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(RulesError) as caught:
        load_policy(folder_with(tmp_path, shop=text))
    assert words in str(caught.value)
    assert caught.value.where == f"scrub_rules/shop.yaml:{line}"


def test_bad_parameters_of_a_masker_are_named_with_their_line(tmp_path: Path) -> None:
    text = (
        "schema: shop\ntables:\n  customer:\n    id: keep\n    email: {mask: email, params: {nonsense: 1}}\n"
    )
    with pytest.raises(RulesError, match="nonsense") as caught:
        load_policy(folder_with(tmp_path, shop=text))
    assert caught.value.where == "scrub_rules/shop.yaml:5"


def test_a_column_with_two_rules_names_both_places(tmp_path: Path) -> None:
    again = "schema: shop\ntables:\n  customer:\n    id: keep\n"
    with pytest.raises(
        RulesError, match=r"shop\.customer\.id has a rule already, in scrub_rules/again\.yaml:4"
    ) as e:
        load_policy(folder_with(tmp_path, shop=SHOP, again=again))
    assert e.value.where == "scrub_rules/shop.yaml:4"


def test_all_mistakes_are_listed_at_once(tmp_path: Path) -> None:
    text = "schema: shop\ntables:\n  customer:\n    id: kep\n    email: emial\n"
    with pytest.raises(RulesError) as caught:
        load_policy(folder_with(tmp_path, policy="version: 1\nfraction: 2\n", shop=text))
    message = str(caught.value)
    assert "policy.yaml:2" in message
    assert "shop.yaml:4" in message
    assert "shop.yaml:5" in message


def test_missing_folder_and_file(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match="folder does not exist"):
        load_policy(tmp_path / "nowhere")
    with pytest.raises(RulesError, match=r"has no policy\.yaml"):
        load_policy(folder_with(tmp_path, policy=None))


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    folder = folder_with(tmp_path)
    (folder / "shop.yaml").write_bytes(b"schema: caf\xe9\n")
    with pytest.raises(RulesError, match="not UTF-8"):
        load_policy(folder)
