"""Production changes overnight: each change is seen before a row moves, and stops the run or is masked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from parity_data.catalog import Name, Snapshot, read_catalog
from parity_data.database import Database
from parity_data.errors import ConfigError, RulesError
from parity_data.refresh.cover import Covered, cover
from parity_data.refresh.scan import look as scan_values
from parity_data.refresh.scan import write_missing
from parity_data.rules import load_policy
from parity_data.settings import Settings

SCHEMA = """
CREATE SCHEMA shop;
CREATE TYPE shop.mood AS ENUM ('calm', 'cross');
CREATE TABLE shop.customers (
    id int PRIMARY KEY, email text NOT NULL, mood shop.mood, profile jsonb, flags jsonb,
    colour text, weight numeric
);
INSERT INTO shop.customers
SELECT n, 'maria' || n || '@acme.com', 'calm',
       jsonb_build_object('email', 'maria' || n || '@acme.com', 'size', n % 5),
       jsonb_build_object('dark', n % 2 = 0, 'size', 'm'),
       (ARRAY['red', 'green', 'blue'])[1 + n % 3], n * 1.5
FROM generate_series(1, 300) n;
CREATE TABLE shop.visits (customer_id int NOT NULL REFERENCES shop.customers (id), day date NOT NULL)
PARTITION BY RANGE (day);
CREATE TABLE shop.visits_2024 PARTITION OF shop.visits FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
INSERT INTO shop.visits SELECT n, date '2024-01-01' + n FROM generate_series(1, 300) n;
"""


@dataclass
class Night:
    """A production with accepted rules, and a look at it as a refresh takes it."""

    settings: Settings
    source: Database

    def change(self, statement: str) -> None:
        with self.source.connect(autocommit=True) as connection:
            connection.execute(statement)

    def look(self) -> Covered:
        policy = load_policy(self.settings.rules)
        with Snapshot(self.source, application="test") as snapshot:
            catalog = read_catalog(snapshot, ignore_schemas=policy.ignore_schemas)
            return cover(policy, catalog, snapshot.connection, log=logging.getLogger("test"))

    def stopped(self) -> str:
        with pytest.raises(RulesError) as caught:
            self.look()
        return str(caught.value)

    def accept(self, *names: str) -> None:
        write_missing(scan_values(self.settings), self.settings.rules, accept=names)

    def mask_undecided(self) -> None:
        self.edit("policy.yaml", "on_undecided: stop", "on_undecided: mask")

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.settings.rules / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def masks(self) -> dict[str, str]:
        rules = self.look().policy.columns
        return {f"{t.name}.{c}": rule.mask.name for t, found in rules.items() for c, rule in found.items()}


@pytest.fixture
def night(source_db: Database, tmp_path: Path) -> Night:
    settings = Settings(
        source=source_db, target=None, masking_key=None, rules=tmp_path / "rules", work=tmp_path / "work"
    )
    made = Night(settings, source_db)
    made.change(SCHEMA)
    made.accept()
    return made


#: What changes, what is named, what the sentence says of it, and the mask it gets when nobody stops it.
CHANGES = {
    "new column": (
        "ALTER TABLE shop.customers ADD COLUMN ssn text",
        ("shop.customers.ssn", "has no rule", "    ssn: "),
        {"customers.ssn": "null"},
    ),
    "new column that is a key": (
        "CREATE TABLE shop.extra (code text PRIMARY KEY); INSERT INTO shop.extra VALUES ('x-1')",
        ("shop.extra.code", "has no rule", "  extra:"),
        {"extra.code": "token"},
    ),
    "new table": (
        "CREATE TABLE shop.staff (name text, born date)",
        ("shop.staff.name", "shop.staff.born", "  staff:"),
        {"staff.name": "null", "staff.born": "null"},
    ),
    "changed type": (
        "ALTER TABLE shop.customers ALTER COLUMN weight TYPE text",
        ("shop.customers.weight", "was numeric", "is text"),
        {"customers.weight": "null"},
    ),
    "changed type under a mask that no longer fits": (
        "ALTER TABLE shop.customers ALTER COLUMN email TYPE bytea USING email::bytea",
        ("shop.customers.email", "was text", "is bytea"),
        None,
    ),
    "new partition": (
        "CREATE TABLE shop.visits_2025 PARTITION OF shop.visits "
        "FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')",
        ("shop.visits_2025", "new partition of shop.visits", "shop.visits_*"),
        {},
    ),
    "kept values that now look personal": (
        "UPDATE shop.customers SET colour = 'maria' || id || '@acme.com'",
        ("shop.customers.colour", "now look personal", "email"),
        {"customers.colour": "null"},
    ),
    "new path in a kept document": (
        """UPDATE shop.customers SET flags = flags || jsonb_build_object('phone', '+49 30 ' || 1000000 + id,
        'mail', 'maria' || id || '@acme.com')""",
        ("shop.customers.flags", "paths that nobody has accepted", "$.mail"),
        {"customers.flags": "null"},
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_stops_the_run_and_is_named(night: Night, change: str) -> None:
    night.look()
    statement, words, _ = CHANGES[change]
    night.change(statement)
    message = night.stopped()
    for word in words:
        assert word in message


@pytest.mark.parametrize("change", [c for c, (_, _, masks) in CHANGES.items() if masks is not None])
def test_a_change_is_masked_where_the_policy_says_so(night: Night, change: str) -> None:
    night.mask_undecided()
    statement, words, expected = CHANGES[change]
    before = night.masks()
    night.change(statement)
    covered = night.look()
    warned = " ".join(check.message for check in covered.checks() if check.status == "warn")
    assert words[0] in warned
    assert {**before, **(expected or {})} == night.masks()


def test_a_change_that_no_masker_fits_stops_whatever_the_policy(night: Night) -> None:
    night.mask_undecided()
    night.change(CHANGES["changed type under a mask that no longer fits"][0])
    message = night.stopped()
    assert "No masker fits" in message
    assert "shop.customers.email" in message


def test_a_new_label_of_a_masked_column(night: Night) -> None:
    night.edit("shop.yaml", "    mood: keep\n", "    mood: 'null'\n")
    night.look()
    night.change("ALTER TYPE shop.mood ADD VALUE 'jolly'")
    message = night.stopped()
    assert "shop.customers.mood is masked, and its type has new labels: jolly" in message
    night.accept("shop.customers.mood")
    night.look()


def test_a_new_label_of_a_kept_column_is_no_news(night: Night) -> None:
    night.change("ALTER TYPE shop.mood ADD VALUE 'jolly'")
    night.look()


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ("""UPDATE shop.customers SET profile = profile || '{"nick": "mo"}' WHERE id % 10 = 0""", "$.nick"),
        (
            """UPDATE shop.customers
            SET profile = profile || '{"friends": [{"n": 1}, {"mail": "x@acme.com"}]}' WHERE id % 10 = 0""",
            "$.friends[*].mail",
        ),
    ],
)
def test_a_new_path_of_a_document_masked_by_path(night: Night, change: str, path: str) -> None:
    rule = "{mask: json, params: {paths: {$.email: email}}}"
    lines = (night.settings.rules / "shop.yaml").read_text(encoding="utf-8").splitlines()
    old = next(line for line in lines if line.strip().startswith("profile:"))
    night.edit("shop.yaml", old, f"    profile: {rule}")
    night.accept("shop.customers.profile")
    night.look()
    night.change(change)
    message = night.stopped()
    assert "shop.customers.profile has paths that nobody has accepted: $." in message
    assert path in message
    night.accept("shop.customers.profile")
    night.look()


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_accepted_no_longer_stops(night: Night, change: str) -> None:
    statement, _, masks = CHANGES[change]
    night.change(statement)
    if masks is None:
        night.edit("shop.yaml", "    email: {mask: email", "    email: {mask: 'null'")
        night.change("ALTER TABLE shop.customers ALTER COLUMN email DROP NOT NULL")
    night.accept()
    if not change.startswith("new column") and change != "new table":
        night.stopped()  # what has changed is not accepted unless it is named
    night.accept("all")
    night.look()


def test_what_cannot_be_read_is_undecided(night: Night, lock: Callable[[str], None]) -> None:
    lock("shop.customers")
    message = night.stopped()
    assert "shop.customers.colour could not be looked into (undecided: it was locked)" in message


@pytest.fixture
def lock(night: Night) -> Iterator[Callable[[str], None]]:
    with night.source.connect() as holder:
        yield lambda table: holder.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE") and None


def test_accepting_what_is_not_there_suggests_what_is(night: Night) -> None:
    with pytest.raises(ConfigError, match=r"Did you mean shop\.customers\.email\?"):
        night.accept("shop.customers.emial")


def test_the_accepted_state_holds_no_value(night: Night) -> None:
    text = (night.settings.rules / "accepted.yaml").read_text(encoding="utf-8")
    assert "profile: {type: jsonb" in text
    assert "mood: {type: shop.mood, labels: [calm, cross]}" in text
    assert not any(value in text for value in ("acme", "maria", "green"))
    assert load_policy(night.settings.rules).accepted[Name("shop", "visits")].partitions == (
        "shop.visits_2024",
    )


def test_writing_again_changes_nothing(night: Night) -> None:
    def content() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in night.settings.rules.rglob("*") if path.is_file()}

    before = content()
    night.accept()
    assert content() == before
