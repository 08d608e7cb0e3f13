"""``parity scan``, ``parity explain`` and a refresh that stops, as people and pipelines run them."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import pytest

from parity_data.cli import main
from parity_data.database import Database
from parity_data.release import find_client_tools
from parity_data.secret import Secret

SCHEMA = """
CREATE SCHEMA shop;
CREATE TYPE shop.mood AS ENUM ('calm', 'cross');
CREATE TABLE shop.customers (id int PRIMARY KEY, email text NOT NULL, mood shop.mood, colour text);
INSERT INTO shop.customers
SELECT n, 'maria' || n || '@acme.com', 'calm', (ARRAY['red', 'green', 'blue'])[1 + n % 3]
FROM generate_series(1, 300) n;
CREATE TABLE shop.orders (id int PRIMARY KEY, customer int REFERENCES shop.customers (id), total numeric);
INSERT INTO shop.orders SELECT n, n, n * 2 FROM generate_series(1, 300) n;
"""

#: Rules as a person keeps them: comments, an anchor, quotes and an order of their own.
BY_HAND = """\
# yaml-language-server: $schema=.schema/tables.json
# The shop.   Reviewed by Ada.
schema: shop

tables:
    orders:            # money
        total:  &as_is  keep   # rounded already
        id: *as_is
        # customer follows its key
    customers:
        'email': {mask: "email",   why: 'people'}   # never keep
        id:    keep
# end
"""


@dataclass
class Place:
    """A folder to run commands in, with a production and a staging."""

    folder: Path
    source: Database
    target: Database
    key: str

    @property
    def rules(self) -> Path:
        return self.folder / "scrub_rules"

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PARITY_", "DAGSTER_"))}
        return {
            **kept,
            "PARITY_SOURCE_URL": self.source.uri(),
            "PARITY_TARGET_URL": self.target.uri(),
            "PARITY_MASKING_KEY": self.key,
            "DAGSTER_HOME": str(self.folder / "home"),
        }

    def parity(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command in this process; a refresh gets one of its own."""
        if arguments[0] in ("refresh", "releases"):
            command = [sys.executable, "-m", "parity_data.cli", *arguments]
            return subprocess.run(
                command,
                env=self.environment,
                cwd=self.folder,
                capture_output=True,
                text=True,
                check=False,
            )
        out, err, code = io.StringIO(), io.StringIO(), 0
        with (
            mock.patch.dict(os.environ, self.environment, clear=True),
            mock.patch.object(sys, "argv", ["parity", *arguments]),
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            try:
                main()
            except SystemExit as end:
                code = int(end.code or 0)
        return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())

    def done(self, *arguments: str) -> str:
        run = self.parity(*arguments)
        assert run.returncode == 0, run.stderr
        return run.stdout + run.stderr

    def change(self, statement: str) -> None:
        with self.source.connect(autocommit=True) as connection:
            connection.execute(statement)


@pytest.fixture
def place(source_db: Database, target_db: Database, masking_key: Secret, tmp_path: Path) -> Place:
    made = Place(tmp_path, source_db, target_db, masking_key.reveal())
    made.change(SCHEMA)
    return made


@pytest.mark.slow
def test_a_new_column_stops_the_refresh_and_staging_serves_the_old_release(place: Place) -> None:
    place.done("scan", "--write", "scrub_rules")
    policy = place.rules / "policy.yaml"
    policy.write_text(policy.read_text().replace("grace_seconds: 5", "grace_seconds: 0"))
    place.done("refresh")

    def staged() -> tuple[object, ...]:
        with place.target.connect() as connection:
            row = connection.execute(
                "SELECT count(*), min(email), max(d.oid) FROM shop.customers, pg_database d "
                "WHERE datname = current_database()"
            ).fetchone()
        assert row is not None
        return tuple(row)

    before = staged()
    assert before[0] == 300
    place.change("ALTER TABLE shop.customers ADD COLUMN ssn text")
    run = place.parity("refresh")
    assert run.returncode == 2
    assert "1 column has no rule: shop.customers.ssn." in run.stderr
    assert "    ssn: {mask: national_id}" in run.stderr or "    ssn: national_id" in run.stderr
    assert staged() == before
    releases = json.loads(place.done("releases", "--json"))
    found = releases["releases"] if isinstance(releases, dict) else releases
    assert [r["state"] for r in found].count("current") == 1
    assert {r["state"] for r in found} <= {"current", "previous"}
    # The lines that were printed are the cure.
    file = place.rules / "shop.yaml"
    file.write_text(
        file.read_text(encoding="utf-8").replace("  customers:\n", "  customers:\n    ssn: national_id\n"),
        encoding="utf-8",
    )
    place.done("scan", "--check")


def test_hand_written_rules_survive_but_for_the_new_lines(place: Place) -> None:
    place.rules.mkdir()
    (place.rules / "policy.yaml").write_text("# mine\nversion: 1   # one\n", encoding="utf-8")
    file = place.rules / "shop.yaml"
    file.write_text(BY_HAND, encoding="utf-8")
    place.done("scan", "--write", "scrub_rules")
    old, new = BY_HAND.splitlines(), file.read_text(encoding="utf-8").splitlines()
    added = [line for line in new if line not in old]
    assert [line for line in new if line in old] == old
    # The key got its rule from the other side of it, so it needs no line.
    assert [line.split(":")[0].strip() for line in added] == ["mood", "colour"]
    assert (place.rules / "policy.yaml").read_text(encoding="utf-8") == "# mine\nversion: 1   # one\n"
    place.done("scan", "--check")
    assert "Nothing would change" in place.done("scan", "--diff")


def test_check_and_diff_say_what_has_changed(place: Place) -> None:
    assert place.parity("scan", "--check").returncode == 1
    place.done("scan", "--write", "scrub_rules")
    place.done("scan", "--check")
    place.change("ALTER TABLE shop.customers ADD COLUMN phone text; DROP TABLE shop.orders")
    run = place.parity("scan", "--check")
    assert run.returncode == 1
    assert "shop.customers.phone (text) has no rule" in run.stderr
    assert "There is no table shop.orders" in run.stderr
    diff = place.done("scan", "--diff")
    assert "+    phone: " in diff
    assert "-  shop.orders:" in diff
    assert run.returncode == 1
    assert not (place.rules / "shop.yaml").read_text(encoding="utf-8").count("phone")


@pytest.mark.parametrize("form", ["plain", "custom"])
def test_a_schema_dump_is_enough_for_a_pipeline(place: Place, form: str) -> None:
    place.done("scan", "--write", "scrub_rules")
    dump = Path(find_client_tools(18).dump)

    def written() -> str:
        file = place.folder / "schema.dump"
        subprocess.run(
            [dump, "--schema-only", f"--format={form}", "-f", file],
            env={**os.environ, **place.source.environment()},
            check=True,
        )
        return str(file)

    place.done("scan", "--check", "--schema-dump", written())
    place.change(
        "ALTER TABLE shop.customers ADD COLUMN ssn text; ALTER TABLE shop.customers ALTER colour TYPE varchar"
    )
    run = place.parity("scan", "--check", "--schema-dump", written())
    assert run.returncode == 1
    assert "shop.customers.ssn (text) has no rule" in run.stderr
    assert "shop.customers.colour was text when its rule was accepted, and is character varying" in run.stderr


def test_a_dump_that_does_not_restore_is_not_taken_for_an_empty_schema(place: Place) -> None:
    place.done("scan", "--write", "scrub_rules")
    file = place.folder / "schema.sql"
    file.write_text("CREATE TABLE a (b no_such_type);", encoding="utf-8")
    run = place.parity("scan", "--check", "--schema-dump", str(file))
    assert run.returncode == 2
    assert "no_such_type" in run.stderr
    assert place.parity("scan", "--check", "--schema-dump", "none.sql").returncode == 2


def test_explain_says_which_rule_won_and_why(place: Place) -> None:
    place.done("scan", "--write", "scrub_rules")
    policy = place.rules / "policy.yaml"
    text = policy.read_text(encoding="utf-8")
    entry = 'patterns:\n  - tables: [shop.cust*]\n    columns: {"mood": "null"}\n'
    policy.write_text(text.replace("patterns: []\n", entry), encoding="utf-8")
    shop = place.rules / "shop.yaml"
    lines = [line for line in shop.read_text(encoding="utf-8").splitlines() if "mood:" not in line]
    shop.write_text("\n".join(lines) + "\n", encoding="utf-8")
    said = place.done("explain", "shop.customers.email")
    assert "Detection: personal, taken for email" in said
    assert "values: " in said
    assert "Rule: email, by its own line, in scrub_rules/shop.yaml:" in said
    said = place.done("explain", "shop.customers.mood")
    assert "Rule: null, by the pattern shop.cust*, column mood, in scrub_rules/policy.yaml:" in said
    document = json.loads(place.parity("explain", "shop.orders.customer", "--json").stdout)
    assert document["detection"]["band"] == "not_personal"
    run = place.parity("explain", "shop.customers.emial")
    assert run.returncode == 2
    assert "Did you mean shop.customers.email?" in run.stderr


def test_the_page_explains_and_holds_no_value(place: Place) -> None:
    place.done("scan", "--page", "out/scan.html")
    page = (place.folder / "out/scan.html").read_text(encoding="utf-8")
    for words in ("Personal data in", "written like e-mail addresses", "nothing yet; proposed: email"):
        assert words in page
    assert "acme.com" not in page
    assert "http" not in page.replace("http-equiv", "")


def test_the_page_names_what_is_personal_and_kept(place: Place) -> None:
    place.done("scan", "--write", str(place.rules), "--decide", "keep")
    place.done("scan", "--page", "out/scan.html")
    page = (place.folder / "out/scan.html").read_text(encoding="utf-8")
    assert "<bdi>shop.customers</bdi>.<bdi>email</bdi>" in page


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--accept", "all"], "Add --write DIR"),
        (["--write", "r", "--check"], "--diff and --check only look"),
        (["--write", "r", "--schema-dump", "x"], "nothing is written from one"),
        (["--write", "r", "--accept", "shop.customer"], "Did you mean shop.customers?"),
    ],
)
def test_options_that_say_two_things_are_refused(place: Place, arguments: list[str], words: str) -> None:
    run = place.parity("scan", *arguments)
    assert run.returncode == 2
    assert words in run.stderr
    assert not (place.folder / "r").exists() or arguments[-1] == "shop.customer"
