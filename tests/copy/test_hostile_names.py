"""Names that break careless software go through everything: rules, plan, copy, checks, comparison."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from fix_copies import POLICY, contents, copy_database, definitions
from fix_servers import drop_databases, fresh_database
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from psycopg import sql

from parity_data.database import Database
from parity_data.demo.server import Server
from parity_data.mask import MaskSpec
from parity_data.refresh.doctor import examine
from parity_data.refresh.drift import compare_now
from parity_data.refresh.plan import make_plan
from parity_data.refresh.scan import scan_source
from parity_data.rules import load_policy, save_policy
from parity_data.settings import Settings

MakeSettings = Callable[[Database, Database], Settings]

#: Each has broken something somewhere: SQL, format strings, YAML, shells, paths, HTML, sorting.
NASTY = [
    *(
        "select",
        "user",
        'a"b',
        '""',
        "it's",
        "%s",
        "%(x)s",
        "100%",
        "$1",
        "{}",
        "{0}",
        "{name!r}",
        "new\nline",
    ),
    *("tab\t", "back\\slash", "🎁👩‍👩‍👧", "x" * 63, "é" * 31, " lead", "trail ", ".", "a.b", "*", "Camel"),
    *("--", "/*", ";", "null", "true", "1", "~", "# c", "- a", ": b", "@x", "`", "!t", "&x", "?", "<b>&amp;"),
    *("\u202eabc", "e\u0301", "\u00e9", "\x01", "\r\n", "../x", "a/b", "=", ",", "[x]", "(y)", "yes", "=1+1"),
]
_CHARACTERS = st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=("Cs",))
_TEXT = st.text(_CHARACTERS, min_size=1, max_size=25)


def _fits(name: str) -> bool:
    # What pg_ starts is PostgreSQL's own, and rules take names that are nothing but blanks for none.
    return len(name.encode()) <= 63 and not name.startswith("pg_") and bool(name.strip())


NAME = st.one_of(st.sampled_from(NASTY), _TEXT).filter(_fits)


def names(count: int) -> st.SearchStrategy[list[str]]:
    return st.lists(NAME, min_size=count, max_size=count, unique=True)


def build(
    database: Database, schemas: list[str], tables: list[str], columns: list[str], other: list[str]
) -> None:
    """The same tables in each schema, bound to one another, with a type, an index, a view and a trigger."""
    key, parent, word, mood, part = columns
    enum, check, index, function, trigger = other
    first, second, third = tables
    with database.connect(autocommit=True) as connection:

        def run(text: str, **parts: sql.Composable) -> None:
            connection.execute(sql.SQL(text).format(**parts))

        i = sql.Identifier
        for schema in schemas:
            run("create schema {s}", s=i(schema))
            run(
                "create type {t} as enum ({a}, {b})",
                t=i(schema, enum),
                a=sql.Literal(word[:20]),
                b=sql.Literal(word[:19] + "'"),
            )
            run(
                "create table {t} ({k} serial primary key, {p} int constraint {c} references {t},"
                " {w} text, {m} {e}[])",
                t=i(schema, first),
                k=i(key),
                p=i(parent),
                c=i(check),
                w=i(word),
                m=i(mood),
                e=i(schema, enum),
            )
            run(
                "insert into {t} ({p}, {w}, {m}) select nullif(n / 2, 0), {v} || n,"
                " enum_range(null::{e}) from generate_series(1, 40) n",
                t=i(schema, first),
                p=i(parent),
                w=i(word),
                m=i(mood),
                v=sql.Literal(word),
                e=i(schema, enum),
            )
            run(
                "create table {t} ({k} int references {f}, {x} text) partition by list ({x})",
                t=i(schema, second),
                k=i(key),
                f=i(schema, first),
                x=i(part),
            )
            run(
                "create table {p} partition of {t} for values in ({v})",
                p=i(schema, third),
                t=i(schema, second),
                v=sql.Literal(word),
            )
            run(
                "insert into {t} select {k}, {v} from {f}",
                t=i(schema, second),
                k=i(key),
                v=sql.Literal(word),
                f=i(schema, first),
            )
            run("create index {n} on {t} ({w})", n=i(index), t=i(schema, first), w=i(word))
            run(
                "create function {f}() returns trigger language plpgsql as 'begin return new; end'",
                f=i(schema, function),
            )
            run(
                "create trigger {n} before insert on {t} for each row execute function {f}()",
                n=i(trigger),
                t=i(schema, first),
                f=i(schema, function),
            )
            run("comment on table {t} is {c}", t=i(schema, first), c=sql.Literal(word))


@pytest.fixture
def databases(
    source_server: Server, target_server: Server
) -> Iterator[Callable[[str], tuple[Database, Database]]]:
    """Makes an empty source, and a target's address of a given name; both are gone afterwards."""
    used: list[str] = []
    sources: list[Iterator[Database]] = []

    def make(name: str) -> tuple[Database, Database]:
        for old in used:
            drop_databases(target_server, old)
        used.append(name)
        sources.append(fresh_database(source_server, "hostile"))
        return next(sources[-1]), target_server.url(name)

    yield make
    for name in used:
        drop_databases(target_server, name)
    for source in sources:
        next(source, None)


@pytest.mark.slow
@given(names(3), names(8), names(5), NAME.filter(lambda name: len(name.encode()) < 40))
@settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],  # each example takes seconds: no hunt for a smaller one
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_hostile_names_go_through_everything(
    databases: Callable[[str], tuple[Database, Database]],
    make_settings: MakeSettings,
    schemas: list[str],
    relations: list[str],
    columns: list[str],
    target_name: str,
) -> None:
    source, target = databases(target_name)
    build(source, schemas, relations[:3], columns, relations[3:])
    configured = make_settings(source, target)
    for old in configured.rules.rglob("*.yaml"):
        old.unlink()
    (configured.rules / "policy.yaml").write_text(POLICY)

    scan_source(configured, write=configured.rules, decide="keep")
    assert [f for f in examine(configured) if f.status == "fail"] == []
    assert make_plan(configured, 0.5).undecided == 0
    refresh = copy_database(configured)
    assert refresh.verdict == "pass"
    assert contents(target) == contents(source)
    assert definitions(target) == definitions(source)
    assert [check.message for check in compare_now(configured).checks if check.status == "fail"] == []

    # And with words masked, of half the rows.
    policy = load_policy(configured.rules)
    masked = {
        table: {
            column: replace(rule, mask=MaskSpec("token", {})) if column == columns[2] else rule
            for column, rule in rules.items()
        }
        for table, rules in policy.columns.items()
    }
    halved = replace(configured, rules=configured.rules.with_name("masked"))
    shutil.rmtree(halved.rules, ignore_errors=True)
    save_policy(replace(policy, columns=masked), halved.rules)
    assert copy_database(halved, 0.5).verdict == "pass"
    assert definitions(target) == definitions(source)
