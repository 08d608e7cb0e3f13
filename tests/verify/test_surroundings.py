"""Settings, environments and feature flags of both sides: same, in proportion, different, unseen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fix_copies import run_script
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from parity_data.catalog import Snapshot, read_catalog
from parity_data.catalog.server_settings import ServerSetting, read_settings
from parity_data.database import Database
from parity_data.errors import ConfigError, RulesError
from parity_data.rules.environment import Environment, read_environment
from parity_data.verify.flags import FlagTable, check_flags, flag_table
from parity_data.verify.surroundings import (
    Compared,
    check_surroundings,
    compare_environments,
    compare_settings,
)


def setting(name: str, number: float | None, text: str = "", **more: Any) -> dict[str, ServerSetting]:
    return {name: ServerSetting(name, "limits", text or f"{number:g}", number, **more)}


def verdict(found: Iterator[Compared]) -> str:
    (one,) = found
    return one.verdict


def test_settings_of_a_server_are_read_by_group(source_db: Database) -> None:
    with source_db.connect(autocommit=True) as connection:
        found = read_settings(connection)
        flagged = connection.execute(
            "SELECT name FROM pg_settings WHERE 'EXPLAIN' = ANY (pg_settings_get_flags(name))"
        ).fetchall()
        secret = connection.execute(
            "SELECT name FROM pg_settings WHERE name ~ 'conninfo|command|passw|_file$|directory|host|_key'"
        ).fetchall()
    assert {s.group for s in found.values()} >= {
        *("time-outs", "limits", "meaning", "planner", "upkeep", "loading", "durability", "watching"),
    }
    # Everything that the server itself says changes plans, but where temporary tables go.
    assert {name for (name,) in flagged} - found.keys() <= {"temp_tablespaces"}
    assert not {name for (name,) in secret} & found.keys()
    assert (found["statement_timeout"].text, found["statement_timeout"].number) == ("0", 0)
    assert found["random_page_cost"].group == "planner"


def test_a_changed_setting_is_found_wherever_it_is_set(source_db: Database, target_db: Database) -> None:
    for where, value in ((source_db, "30s"), (target_db, "1min")):
        with where.connect(autocommit=True) as connection:
            name = sql.Identifier(where.name or "")
            for setting, text in (("statement_timeout", value), ("enable_seqscan", "off")):
                change = sql.SQL("ALTER DATABASE {} SET {} = {}")
                connection.execute(change.format(name, sql.Identifier(setting), sql.Literal(text)))
    with source_db.connect() as here, target_db.connect() as there:
        compared = list(compare_settings(read_settings(here), read_settings(there)))
    assert [one.name for one in compared if one.verdict == "different"] == ["statement_timeout"]
    found = [check for check in check_surroundings(compared, "fail") if check.status == "fail"]
    assert [(c.name, c.scope, c.value, c.bound) for c in found] == [
        ("server_settings", "server.statement_timeout", "1min", "30s")
    ]
    assert "is 30s in production and 1min in staging" in found[0].message


def test_what_only_the_connecting_role_has_says_nothing(source_db: Database) -> None:
    odd = source_db.with_options(statement_timeout="5s")
    with odd.connect() as here, source_db.connect() as there:
        compared = list(compare_settings(read_settings(here), read_settings(there)))
    (found,) = [one for one in compared if one.name == "statement_timeout"]
    assert (found.verdict, found.production, found.note) == (
        "not observed",
        "",
        "the connection sets it",
    )


@given(
    here=st.floats(1, 1e9),
    ratio=st.floats(0.001, 8),
    scale=st.none() | st.sampled_from([0.25, 0.5, 1.0]),
)
def test_memory_may_be_in_proportion_and_time_outs_may_not(
    here: float, ratio: float, scale: float | None
) -> None:
    there = here * ratio
    memory = verdict(compare_settings(setting("work_mem", here), setting("work_mem", there), scale))
    timeout = verdict(compare_settings(setting("lock_timeout", here), setting("lock_timeout", there), scale))
    if f"{here:g}" == f"{there:g}":
        assert memory == timeout == "same"
        return
    assert timeout == "different"
    lowest, highest = (0, 1) if scale is None else (scale / 2, scale * 2)
    if abs(there / here - highest) > 1e-9 and abs(there / here - lowest) > 1e-9:
        assert memory == ("proportional" if lowest <= there / here <= highest else "different")


def test_zero_means_something_else_than_little() -> None:
    for pair in ((0, 5), (5, 0), (-1, 5), (5, -1)):
        found = compare_settings(*(setting("work_mem", number) for number in pair))
        assert verdict(found) == "different"


def test_another_version_lacks_a_setting() -> None:
    assert verdict(compare_settings(setting("io_workers", 3), {})) == "not observed"


WHOLE = """\
version: 1
scale: 0.25
replicas: 1
instance: {class: r6g.xlarge, cpus: 4, memory: 32GB, storage: gp3}
pools: {web: 10}
timeouts: {request: 30, job: 2.5}
variables: [DATABASE_URL, FEATURE_X]
process: {deploys: pipeline}
"""


def environment(tmp_path: Path, text: str) -> Environment:
    path = tmp_path / "environment.yaml"
    path.write_text(text, encoding="utf-8")
    return read_environment(path)


def test_environments_are_compared_line_by_line(tmp_path: Path) -> None:
    staging = environment(tmp_path, WHOLE)
    production = environment(
        tmp_path,
        WHOLE.replace("scale: 0.25\n", "")
        .replace("replicas: 1", "replicas: 4")
        .replace("r6g.xlarge, cpus: 4, memory: 32GB", "r6g.4xlarge, cpus: 16, memory: 128GB")
        .replace("web: 10", "web: 160, batch: 4")
        .replace("job: 2.5", "job: 5")
        .replace("FEATURE_X", "FEATURE_Y"),
    )
    found = {one.name: one for one in compare_environments(production, staging)}
    assert {name: one.verdict for name, one in found.items()} == {
        "instance": "proportional",
        "cpus": "proportional",
        "memory": "proportional",
        "storage": "same",
        "replicas": "proportional",
        "pools.batch": "not observed",
        "pools.web": "different",  # a sixteenth, where a quarter was said
        "timeouts.job": "different",
        "timeouts.request": "same",
        "variables": "different",
        "process.deploys": "same",
    }
    assert found["variables"].note == "staging lacks FEATURE_Y; only staging has FEATURE_X"
    failed = {c.scope for c in check_surroundings(found.values(), "warn") if c.status == "warn"}
    assert failed == {"environment.pools.web", "environment.timeouts.job", "environment.variables"}


def test_without_files_nothing_is_claimed() -> None:
    nothing = read_environment(None)
    assert {one.verdict for one in compare_environments(nothing, nothing)} == {"not observed"}
    (check,) = check_surroundings(compare_environments(nothing, nothing), "fail")
    assert (check.status, check.value) == ("pass", None)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("[DATABASE_URL, FEATURE_X]", "{DATABASE_URL: postgres://u:p@h/d}", 7, "must be a list"),
        ("FEATURE_X", "FEATURE_X=secret", 7, "variables.1"),
        ("replicas: 1", "replica: 1", 3, "did you mean 'replicas'"),
        ("32GB", "32 gigs", 4, "a size such as"),
        ("scale: 0.25", "scale: 0", 2, "greater than 0"),
        ("web: 10", "web: many", 5, "whole number"),
    ],
)
def test_mistakes_name_file_and_line_and_no_value(
    tmp_path: Path, old: str, new: str, line: int, words: str
) -> None:
    assert old in WHOLE
    with pytest.raises(RulesError) as error:
        environment(tmp_path, WHOLE.replace(old, new))
    assert f"environment.yaml:{line}: " in str(error.value)
    assert words in str(error.value)
    assert "u:p@h" not in str(error.value)
    assert "secret" not in str(error.value)


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is not there"):
        read_environment(tmp_path / "environment.yaml")


FLAGS = """
CREATE TYPE stage AS ENUM ('off', 'some', 'all');
CREATE TABLE flags (name text PRIMARY KEY, state stage NOT NULL, share numeric, note text, owner text,
    changed_at timestamptz NOT NULL DEFAULT now());
INSERT INTO flags (name, state, share, note, owner) VALUES
    ('checkout', 'some', 0.25, 'ask Maria Sommer', 'maria@example.org'), ('search', 'all', NULL, NULL, NULL),
    ('basket', 'off', 0, 'old', 'ben@example.org');
"""


@pytest.fixture
def flags(source_db: Database, target_db: Database) -> FlagTable:
    for database in (source_db, target_db):
        run_script(database, FLAGS)
    with Snapshot(source_db, application="test") as snapshot:
        (table,) = read_catalog(snapshot).tables.values()
    found = flag_table(table, ["owner"], ignore=["changed_at"])
    assert isinstance(found, FlagTable)
    return found


def test_flags_are_named_and_texts_are_not_quoted(
    flags: FlagTable, source_db: Database, target_db: Database
) -> None:
    def checked() -> Any:
        with source_db.connect() as here, target_db.connect() as there:
            return check_flags(here, there, flags, "fail")

    assert flags.columns == ("state", "share", "note")
    same = checked()
    assert (same.status, same.value, same.message) == ("pass", 0, "3 rows are the same in 3 columns.")
    run_script(
        target_db,
        """
        UPDATE flags SET state = 'all', note = 'for Lena Vogt', changed_at = '2020-01-01'
            WHERE name = 'checkout';
        UPDATE flags SET share = NULL, owner = 'x@masked.test' WHERE name = 'basket';
        DELETE FROM flags WHERE name = 'search'; INSERT INTO flags VALUES ('trial', 'all', 1);
        """,
    )
    found = checked()
    assert (found.name, found.scope, found.status, found.value) == (
        "feature_flags",
        "public.flags",
        "fail",
        4,
    )
    assert found.message == (
        "basket: share is 0 in production and NULL in staging; checkout: state is some in production and "
        "all in staging, note is not the same; only production has search; only staging has trial."
    )
    assert not re.search("Sommer|Vogt|example|masked", found.message)


def test_tables_that_cannot_be_compared_say_why(flags: FlagTable) -> None:
    table = flags.table
    assert flag_table(table, ["name"]) == (
        "The column name names its rows and is masked, so none can be found again."
    )
    assert flag_table(table, [], key=["nmae"]) == "It has no column nmae."


def test_a_large_table_is_no_table_of_flags(
    flags: FlagTable, source_db: Database, target_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parity_data.verify.flags.MOST_ROWS", 2)
    with source_db.connect() as here, target_db.connect() as there:
        found = check_flags(here, there, flags, "fail")
    assert (found.status, found.value) == ("pass", None)


def test_reading_settings_changes_nothing(source_db: Database) -> None:
    with source_db.connect(autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = on")
        assert read_settings(connection)["default_transaction_read_only"].hidden == "the connection sets it"
        assert isinstance(connection, psycopg.Connection)
