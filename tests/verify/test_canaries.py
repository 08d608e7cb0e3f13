"""What leaks is found wherever it hides, what only looks like it is not; and the checks prove they see."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import polars as pl
import pytest
from fix_copies import POLICY, run_script, sample
from proofs import failed, refreshed, write_rules

from parity_data.database import Database
from parity_data.refresh.scan import scan_source
from parity_data.settings import Settings
from parity_data.verify import canaries as planted
from parity_data.verify._words import Key
from parity_data.verify.canaries import Canaries, check_canaries
from parity_data.verify.digests import ValueDigests
from parity_data.verify.leak_results import LeakHit
from parity_data.verify.leaks import LeakAudit

_TABLES = """
create extension hstore;
create table people (id int primary key, email text, name text, passport text);
insert into people select i, 'mail' || i || '@acme-widgets.com', 'Name' || md5(i::text),
    'P' || 8100000 + i * 37 from generate_series(1, 400) i;
create table holders (id int primary key, plain text, inside text, doc jsonb, list text[], pairs hstore,
    page text, kept text, shouted text, untouched text, found tsvector);
insert into holders select i, 'a' || i, 'b ' || i, '{"c": 1}', '{d}', 'e=>f', '<g/>', 'h' || i, 'i' || i,
    'mail', 'street:4 office:12' from generate_series(1, 400) i;
"""
#: Where a production value is put after the load: by column, and how.
_LEAKS = {
    "plain": "(select email from people_of_production)",
    "inside": "'Spoke to ' || (select email from people_of_production) || ' about it.'",
    "doc": "jsonb_build_object('a', jsonb_build_array((select passport from people_of_production)))",
    "list": "array['x', (select passport from people_of_production)]",
    "pairs": "hstore('k', (select email from people_of_production))",
    "page": "'<a><b>' || (select email from people_of_production) || '</b></a>'",
    "kept": "(select email from people_of_production)",
    "found": "array_to_tsvector(array['x', (select email from people_of_production)])",
    "shouted": "upper((select email from people_of_production))",
}


def test_a_value_of_one_row_is_found_in_every_kind_of_column(
    source_db: Database, target_db: Database, make_settings: Callable[..., Settings]
) -> None:
    run_script(source_db, _TABLES)
    settings = make_settings(source_db, target_db)
    masks = {"email": "email", "name": "person_name", "passport": "code"}
    write_rules(settings, source_db, {"people": masks, "holders": {"plain": "token", "inside": "token"}})
    with source_db.connect() as connection:
        rows = connection.execute(
            "select email, passport from people where id between 50 and 58 order by id"
        ).fetchall()

    def leak(database: Database) -> None:
        with database.with_options(search_path="public").connect(autocommit=True) as connection:
            for (column, value), (email, passport) in zip(_LEAKS.items(), rows, strict=True):
                connection.execute(
                    "create table people_of_production as select %s as email, %s as passport",
                    [email, passport],
                )
                connection.execute(f"update holders set {column} = {value} where id = 200")  # noqa: S608
                connection.execute("drop table people_of_production")

    refresh = refreshed(settings, leak)
    assert failed(refresh, "leak_audit") == {f"public.holders.{column}" for column in _LEAKS}
    assert failed(refresh, "canaries") == set()
    shown = " ".join(check.message for check in refresh.checks)
    assert not any(value in shown for row in rows for value in row)


def test_texts_masked_in_part_and_words_of_every_day_are_no_leak(
    source_db: Database, target_db: Database, make_settings: Callable[..., Settings]
) -> None:
    """Of a text that is masked but for its rest, another row may hold the same but in small letters."""
    run_script(
        source_db,
        "create table people (id int primary key, name text);"
        "insert into people values (1, 'Rosa Zoltanfi'), (2, 'Will Price'), (3, 'Olga Quendt');"
        "create table songs (id int primary key, title text, about text);"
        "insert into songs values (1, 'The Song Of Rosa', 'we will price it'),"
        " (2, 'The song of rosa', 'by Olga Quendt')",
    )
    settings = make_settings(source_db, target_db)
    inside = {"mask": "free_text", "params": {"rest": "keep"}}
    write_rules(settings, source_db, {"people": {"name": "person_name"}, "songs": {"title": inside}})
    refresh = refreshed(settings)
    assert failed(refresh, "leak_audit") == {"public.songs.about"}
    said = next(c for c in refresh.checks if c.scope == "public.songs.about" and c.status == "fail")
    assert said.value == 1
    assert "This column is kept" in said.message


@pytest.mark.slow  # whole databases
@pytest.mark.samples
@pytest.mark.parametrize("name", ["chinook", "northwind", "pagila"])
def test_proposed_rules_leave_nothing_behind_on_the_samples(
    source_db: Database, target_db: Database, make_settings: Callable[..., Settings], name: str
) -> None:
    """What the scan proposes masks all it must, so that no check fails; the planted values are found."""
    run_script(source_db, sample(name), strict=False)
    settings = make_settings(source_db, target_db)
    (settings.rules / "policy.yaml").write_text(POLICY + "on_undecided: mask\n")
    scan_source(settings, write=settings.rules)
    for fraction in (None, 0.2):
        refresh = refreshed(settings, fraction=fraction)
        assert [c for c in refresh.checks if c.status != "pass"] == []
        assert [c.value for c in refresh.checks if c.name == "canaries"] == [10]
        assert sum(c.name == "leak_audit" for c in refresh.checks) > 10


def test_canaries_that_are_not_seen_fail() -> None:
    key = Key.derive(secrets.token_bytes(32))
    assert check_canaries(None, set(), key).status == "pass"
    said = check_canaries(Canaries(), {"JSON"}, key)
    assert (said.status, said.value, said.bound) == ("fail", 9, 10)
    assert "JSON" in said.message


def hits(canaries: Canaries, audit: LeakAudit) -> tuple[list[LeakHit], set[str]]:
    canaries.feed(audit)
    return canaries.found(audit.hits())


def test_an_audit_that_is_blind_is_noticed() -> None:
    digests, canaries = ValueDigests(), Canaries()
    canaries.plant(digests)
    assert hits(canaries, LeakAudit(digests, kept=canaries.kept)) == ([], set())
    # An audit that knows nothing, and one that takes every value for another's.
    assert "JSON" in hits(canaries, LeakAudit(ValueDigests()))[1]
    for value in canaries._values.values():
        digests.add((planted._SHADOW, "another"), pl.Series([value]))
    assert hits(canaries, LeakAudit(digests, kept=canaries.kept))[1] != set()


def test_a_link_that_is_blind_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    key = Key.derive(secrets.token_bytes(32))
    monkeypatch.setattr("parity_data.verify.mask_link.MaskWatch._unmasked", lambda *arguments: None)
    monkeypatch.setattr("parity_data.verify._row_loops.sum_rows", lambda *arguments: 0)
    said = check_canaries(None, set(), key)
    assert (said.status, said.value) == ("fail", 0)
