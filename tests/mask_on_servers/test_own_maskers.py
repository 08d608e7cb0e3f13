"""A team's own masker, in a file that the policy names: from the declaration to staging."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fix_copies import copy_database
from hypothesis import given, settings

from parity_data.database import Database
from parity_data.errors import RulesError
from parity_data.mask import describe, masker_names
from parity_data.mask.own import keep_only, load_file
from parity_data.mask.testing import assert_keyed, assert_promises, values
from parity_data.rules import load_policy
from parity_data.settings import Settings

EXAMPLE = Path(__file__).with_name("example_maskers.py")
POLICY = "version: 1\nmaskers: [own/maskers.py]\nrelease: {grace_seconds: 0}\n"

SCHEMA = """
create table members (
    id int primary key,
    number text unique check (number ~ '^M-[0-9]{6}-[0-9]$'),
    sponsor text references members (number)
);
insert into members
select n, 'M-' || lpad((n * 7919 % 1000000)::text, 6, '0') || '-' || d.digit, null
from generate_series(1, 2000) n,
     lateral (select sum(substr(lpad((n * 7919 % 1000000)::text, 6, '0'), i, 1)::int * i) % 10 as digit
              from generate_series(1, 6) i) d;
update members set sponsor = (select number from members m where m.id = members.id / 2) where id > 1;
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Rules that name a file of maskers, which is a copy of the example."""
    rules = tmp_path / "rules"
    (rules / "own").mkdir(parents=True)
    (rules / "policy.yaml").write_text(POLICY)
    shutil.copy(EXAMPLE, rules / "own/maskers.py")
    yield rules
    keep_only([])


def test_its_properties_hold(folder: Path) -> None:
    load_file(folder / "own/maskers.py")
    info = describe("member_number")

    @given(values(info))
    @settings(max_examples=15, database=None)
    def run(texts: list[str]) -> None:
        assert_promises(info, texts)

    run()
    assert_keyed(info)


def test_it_masks_a_database(
    folder: Path,
    make_settings: Callable[[Database, Database], Settings],
    source_db: Database,
    target_db: Database,
) -> None:
    with source_db.connect(autocommit=True) as connection:
        connection.execute(SCHEMA)
    made = make_settings(source_db, target_db)
    (folder / "policy.yaml").write_text(POLICY)
    (folder / "public.yaml").write_text(
        "schema: public\ntables:\n  members: {id: keep, number: member_number, sponsor: member_number}\n"
    )
    assert made.rules == folder
    assert copy_database(made).verdict == "pass"
    query = "select id, number, sponsor from members order by id"
    with source_db.connect() as source, target_db.connect() as target:
        before, after = source.execute(query).fetchall(), target.execute(query).fetchall()
    assert len(after) == len(before) == 2000
    number = dict(zip((row[1] for row in before), (row[1] for row in after), strict=True))
    is_valid = describe("member_number").check
    assert is_valid is not None
    assert all(old != new and is_valid(new) for old, new in number.items())
    assert all(new[2] == number.get(old[2]) for old, new in zip(before, after, strict=True))


def test_a_policy_knows_only_its_own_maskers(folder: Path, tmp_path: Path) -> None:
    mine = load_policy(folder)
    assert "member_number" in masker_names()
    before = mine.digest
    path = folder / "own/maskers.py"
    path.write_text(path.read_text() + "\n# a change\n")
    assert load_policy(folder).digest != before
    other = tmp_path / "other"
    other.mkdir()
    (other / "policy.yaml").write_text("version: 1\n")
    load_policy(other)
    assert "member_number" not in masker_names()


@pytest.mark.parametrize(
    ("spoilt", "where", "said"),
    [
        ("x = (\n", "rules/own/maskers.py:1", "no Python"),
        ("\n\nimport nothing_of_that_name\n", "rules/own/maskers.py:3", "ModuleNotFoundError"),
        ("x = 1\n", "rules/own/maskers.py", "registers no masker"),
        (None, "rules/policy.yaml:2", "There is no file"),
    ],
)
def test_a_file_that_cannot_be_used_says_where(
    folder: Path, spoilt: str | None, where: str, said: str
) -> None:
    path = folder / "own/maskers.py"
    if spoilt is None:
        path.unlink()
    else:
        path.write_text(spoilt)
    with pytest.raises(RulesError, match=said) as caught:
        load_policy(folder)
    assert caught.value.where == where


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"member_number"', '"email"', "there is a masker 'email' already"),
        ('("text",)', '("words",)', "accepts words; families of types are"),
        ('"injective"', '"unique"', "distinct='unique'"),
        ('"length", ', '"size", ', "keeps 'size'"),
        ('samples=("M-482913-5",),', "samples=(),", "has no samples"),
    ],
)
def test_a_declaration_that_makes_no_sense_says_where(folder: Path, old: str, new: str, said: str) -> None:
    path = folder / "own/maskers.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    line = text[: text.index("register(\n")].count("\n") + 1
    with pytest.raises(RulesError, match=said) as caught:
        load_policy(folder)
    assert caught.value.where == f"rules/own/maskers.py:{line}"
    assert "email" in masker_names()


def test_a_file_outside_the_rules_is_refused(folder: Path) -> None:
    (folder / "policy.yaml").write_text("version: 1\nmaskers:\n  - ../elsewhere.py\n")
    with pytest.raises(RulesError, match="lies outside") as caught:
        load_policy(folder)
    assert caught.value.where == "rules/policy.yaml:3"


@pytest.mark.parametrize(
    ("body", "said"), [("1 / 0", r"failed \(ZeroDivisionError\)"), ("column.head(1)", "no Series of as many")]
)
def test_a_failure_while_masking_says_where_and_no_value(folder: Path, body: str, said: str) -> None:
    from polars import Series

    from parity_data.mask import MaskSpec, compile_mask
    from parity_data.mask.testing import KEYS

    path = folder / "own/maskers.py"
    text = path.read_text()
    path.write_text(
        text.replace("return lambda values:", f"return lambda column: {body}\n    return lambda values:")
    )
    load_policy(folder)
    masker = compile_mask(MaskSpec("member_number", {}), KEYS[0])
    with pytest.raises(RulesError, match=said) as caught:
        masker(Series(["M-482913-5", "M-000000-0"]))
    assert str(path) in (caught.value.where or "")
    assert "482913" not in str(caught.value)
