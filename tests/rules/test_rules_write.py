"""Writing rules adds lines and leaves everything else as people wrote it."""

from __future__ import annotations

from pathlib import Path

import pytest

from parity_data.catalog.model import Name
from parity_data.errors import RulesError
from parity_data.rules import NewRule, Policy, load_policy, write_rules
from parity_data.rules.maskers import make_spec

SHOP = """\
# Rules of the shop.   Reviewed by Ada.
schema: shop   # the main one

tables:
    customer: &people    # see the contract
        id:      keep    # surrogate
        'email': {mask: "email",   domain: person}
        # the note stays for now

        note:    keep


    staff: *people
    partner:
        <<: *people
        vat: keep # public
    flow: {id: keep, b: keep}
    bare: {}
    folded:
        id:
            mask: keep
            why: >
                a long
                # reason

# end of file
"""


def rule(table: str, column: str, masker: str = "email", schema: str = "shop") -> NewRule:
    return NewRule(Name(schema, table), column, make_spec(masker, "person", {}), "looks like one")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "scrub_rules"
    made.mkdir()
    (made / "policy.yaml").write_text("# mine\nversion: 1\nfraction: 0.5 # half\n", encoding="utf-8")
    (made / "shop.yaml").write_text(SHOP, encoding="utf-8")
    return made


def subsequence(old: list[str], new: list[str]) -> bool:
    rest = iter(new)
    return all(line in rest for line in old)


@pytest.mark.parametrize("table", ["partner", "folded", "brand new", "😀"])
def test_only_lines_are_added(folder: Path, table: str) -> None:
    result = write_rules(folder, [rule(table, "mail"), rule(table, "null")])
    text = (folder / "shop.yaml").read_text(encoding="utf-8")
    assert result.updated == ("shop.yaml",)
    assert subsequence(SHOP.splitlines(), text.splitlines())
    assert load_policy(folder).columns[Name("shop", table)].keys() >= {"mail", "null"}


@pytest.mark.parametrize(
    ("table", "before", "after"),
    [
        ("staff", "    staff: *people\n", "    staff:\n      <<: *people\n      mail: "),
        ("flow", "    flow: {id: keep, b: keep}\n", "    flow: {id: keep, b: keep, mail: "),
        ("bare", "    bare: {}\n", "    bare:\n      mail: "),
    ],
)
def test_short_forms_are_opened_in_place(folder: Path, table: str, before: str, after: str) -> None:
    write_rules(folder, [rule(table, "mail")])
    text = (folder / "shop.yaml").read_text(encoding="utf-8")
    start = SHOP.index(before)
    assert text[:start] == SHOP[:start]
    assert text[start:].startswith(after)
    assert text.endswith(SHOP[start + len(before) :])


def test_what_a_shared_table_would_pass_on_goes_beside(folder: Path) -> None:
    result = write_rules(folder, [rule("customer", "mail")])
    assert result.created[-1] == "shop-added.yaml"
    assert (folder / "shop.yaml").read_text(encoding="utf-8") == SHOP
    columns = load_policy(folder).columns
    assert "mail" in columns[Name("shop", "customer")]
    assert "mail" not in columns[Name("shop", "staff")]


def test_decisions_of_people_stay(folder: Path) -> None:
    before = load_policy(folder)
    result = write_rules(
        folder, [rule("customer", "note"), rule("customer", "email"), rule("partner", "vat")]
    )
    assert result.added == ()
    assert (folder / "shop.yaml").read_text(encoding="utf-8") == SHOP
    assert load_policy(folder).digest == before.digest


def test_writing_twice_changes_nothing(folder: Path) -> None:
    rules = [rule("partner", "mail"), rule("t", "c", schema="other"), rule("x", "y", schema="policy")]
    write_rules(folder, rules)
    texts = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    again = write_rules(folder, rules)
    assert (again.created, again.updated, again.added) == ((), (), ())
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == texts


def test_windows_line_ends_stay(folder: Path) -> None:
    (folder / "shop.yaml").write_bytes(SHOP.replace("\n", "\r\n").encode())
    write_rules(folder, [rule("partner", "mail")])
    text = (folder / "shop.yaml").read_bytes().decode()
    assert text.count("\n") == text.count("\r\n") == SHOP.count("\n") + 1


def test_a_file_without_a_last_newline(folder: Path) -> None:
    (folder / "shop.yaml").write_text("schema: shop\ntables:\n  a:\n    id: keep", encoding="utf-8")
    write_rules(folder, [rule("a", "mail"), rule("b", "mail")])
    assert set(load_policy(folder).columns) == {Name("shop", "a"), Name("shop", "b")}


def test_a_new_folder_loads_and_explains_itself(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "scrub_rules"
    result = write_rules(folder, [rule("customer", "email")], defaults=Policy(fraction=0.1))
    assert "policy.yaml" in result.created
    text = (folder / "policy.yaml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=.schema/policy.json\n")
    assert (folder / ".schema" / "policy.json").is_file()
    assert load_policy(folder).fraction == 0.1


def test_a_folder_that_does_not_load_is_left_alone(folder: Path) -> None:
    (folder / "shop.yaml").write_text("schema: shop\ntables:\n  a: {id: kep}\n", encoding="utf-8")
    with pytest.raises(RulesError, match="no masker 'kep'"):
        write_rules(folder, [rule("a", "mail")])
    assert (folder / "shop.yaml").read_text(encoding="utf-8") == "schema: shop\ntables:\n  a: {id: kep}\n"


def test_schemas_that_differ_only_in_case_or_signs_get_files_of_their_own(folder: Path) -> None:
    names = ["Shop", "a/b", "a.b", "..", "policy", "POLICY", "ä"]
    write_rules(folder, [rule("t", "c", schema=name) for name in names])
    loaded = load_policy(folder)
    assert {n.schema for n in loaded.columns} == {"shop", *names}
    files = [path.name.casefold() for path in folder.glob("*.yaml")]
    assert len(files) == len(set(files)) == 2 + len(names)
