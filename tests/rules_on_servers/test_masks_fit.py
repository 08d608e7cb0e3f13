"""A mask that could break what a column demands is refused before a row moves; one that cannot is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fix_servers import fresh_database

from parity_data.catalog import Catalog, Name, Snapshot, read_catalog
from parity_data.demo.server import Server
from parity_data.mask import MaskSpec, check_compatible, suggestions
from parity_data.rules import check_policy, load_policy

SCHEMA = r"""
create extension citext;
create domain short_code as varchar(4);
create domain address as citext check (value ~ '^[^[:space:]].*@[^@[:space:]]+$');
create domain upper_address as address not null check (value = upper(value)) check (length(value) <= 60);
create type mood as enum ('calm', 'cross');
create table t (
    id int primary key,
    code text check (code ~ '^[A-Z]{2}-[0-9]{4}$'),
    colour text check (colour in ('red', 'green', 'blue')),
    size text check (size = any (array['s', 'm'])),
    grade int2 check (grade between 1 and 5),
    amount numeric(8, 2) check (amount >= 0),
    born date check (born > '1900-01-01' and born < '2100-01-01'),
    even int check (even % 2 = 0),
    low text check (low = lower(low)),
    plus text check (plus like '+%'),
    tight varchar(6),
    tighter short_code,
    mail address,
    loud upper_address,
    mood mood,
    small int2,
    "Odd Name" text check ("Odd Name" !~ '[0-9]'),
    either text, other text, check (either is null or other is null), check (my_own is null or code <> ''),
    my_own text,
    name text unique, folded text, partly text, pair_a int, pair_b date, unique (pair_a, pair_b)
);
create unique index on t (lower(folded));
create unique index on t (partly) where id > 0;
"""

#: Column, mask, what the reason says; an empty text where the mask fits.
FITS = [
    ("code", "token", ""), ("code", "code", ""), ("code", "email", ""), ("code", "integer", ""),
    ("code", {"constant": {"value": "AB-1234"}}, ""), ("code", {"constant": {"value": "x"}}, "CHECK"),
    ("colour", "token", "'red'"), ("colour", {"choice": {"values": ["red", "blue"]}}, ""),
    ("colour", {"choice": {"values": ["red", "pink"]}}, "pink"), ("colour", "null", ""),
    ("size", "token", "CHECK"), ("size", {"constant": {"value": "xl"}}, "'xl'"),
    ("grade", "integer", "CHECK"), ("grade", {"constant": {"value": 3}}, ""),
    ("amount", "number", ""), ("amount", {"constant": {"value": -1}}, "CHECK"),
    ("born", "birth_date", ""), ("born", {"constant": {"value": "soon"}}, "type is date"),
    ("even", "integer", "CHECK"), ("low", "token", ""), ("low", {"constant": {"value": "A"}}, "CHECK"),
    ("plus", "token", ""), ("tight", "email", "needs 8 characters"), ("tight", "token", ""),
    ("tight", {"constant": {"value": "seven77"}}, "holds 6"), ("tighter", "code", ""),
    ("tighter", {"constant": {"value": "seven"}}, "holds 4"), ("mail", "email", ""), ("mail", "token", ""),
    ("mail", {"constant": {"value": "x"}}, "CHECK"), ("loud", "email", ""),
    ("loud", "null", "domain is NOT NULL"), ("loud", {"constant": {"value": "a@b"}}, ""),
    ("mood", {"constant": {"value": "glad"}}, "2 labels"), ("mood", {"constant": {"value": "calm"}}, ""),
    ("small", "number", ""), ("small", {"constant": {"value": 40000}}, "smallint"),
    ("Odd Name", "token", ""), ("Odd Name", {"constant": {"value": "n1"}}, "CHECK"),
    ("either", "token", ""), ("my_own", "token", ""), ("other", "null", ""),
    ("name", "token", ""), ("name", {"constant": {"value": "x"}}, "unique"), ("name", "email", ""),
    ("name", {"person_name": {"style": "realistic"}}, "unique"),
    ("folded", {"constant": {"value": "x"}}, "unique"), ("partly", "generalise", "unique"),
    ("pair_b", "generalise", "unique"), ("id", "null", "NOT NULL"), ("id", "shuffle", "unique"),
    ("born", "phone", "masks text"),
]  # fmt: skip


@pytest.fixture(scope="module")
def catalog(source_server: Server) -> Iterator[Catalog]:
    for database in fresh_database(source_server, "fit"):
        with database.connect(autocommit=True) as connection:
            connection.execute(SCHEMA)
        with Snapshot(database, application="test") as snapshot:
            found = read_catalog(snapshot)
        yield found


def _spec(mask: str | dict[str, dict[str, object]]) -> MaskSpec:
    if isinstance(mask, str):
        return MaskSpec(mask, {})
    [(name, params)] = mask.items()
    return MaskSpec(name, params)


@pytest.mark.parametrize(("column", "mask", "said"), FITS, ids=lambda v: str(v))
def test_what_fits(
    catalog: Catalog, column: str, mask: str | dict[str, dict[str, object]], said: str
) -> None:
    table = catalog.tables[Name("public", "t")]
    reasons = check_compatible(_spec(mask), table.column(column), table)
    assert bool(reasons) == bool(said), reasons
    assert said in " ".join(reasons)


def test_suggestions_fit_themselves(catalog: Catalog) -> None:
    table = catalog.tables[Name("public", "t")]
    for column in table.columns:
        for name in suggestions(MaskSpec("constant", {"value": "x"}), column, table):
            assert not check_compatible(MaskSpec(name, {}), column, table), (column.name, name)
    assert suggestions(MaskSpec("street", {}), table.column("name"), table)[0] in (
        "address",
        "city",
        "company",
    )
    assert suggestions(MaskSpec("integer", {}), table.column("even"), table) == ["null"]


def test_the_problem_names_file_line_and_what_to_do(catalog: Catalog, tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "policy.yaml").write_text("version: 1\n")
    table = catalog.tables[Name("public", "t")]
    lines = "".join(f'    "{c.name}": keep\n' for c in table.columns)
    text = f"schema: public\ntables:\n  t:\n{lines}".replace('"colour": keep', '"colour": token')
    (folder / "public.yaml").write_text(text)
    [problem] = check_policy(load_policy(folder), catalog)
    assert problem.place == "rules/public.yaml:6"
    assert "public.t.colour" in problem.what
    assert "CHECK" in problem.what
    assert problem.todo.startswith("What fits is ")
