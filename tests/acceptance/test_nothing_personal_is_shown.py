"""Whatever a refresh prints, logs, stores or reports holds no personal value of production."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import ahocorasick
import pytest
from fix_command_line import CommandLine
from psycopg import sql

from parity_data.database import Database
from parity_data.mask import describe
from parity_data.rules import load_policy
from parity_data.secret import Secret
from parity_data.settings import Settings

#: Rules that were written for the demo shop, and reviewed.
RULES = Path(__file__).parents[2] / "scrub_rules"

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
#: Values of a masked column that a search can tell from other text, the rarest first.
_VALUES = """
SELECT value FROM (SELECT {column}::text AS value, count(*) AS rows FROM {table} GROUP BY 1) AS counted
WHERE length(value) >= 9 AND value ~ '[[:alnum:]]{{4}}' ORDER BY rows, value COLLATE "C"
"""
#: Masks whose columns hold more than one value, or values that stay on purpose.
_NOT_SEARCHED = frozenset({"keep", "null", "constant", "choice", "shuffle", "generalise", "age", "number"})
SOUGHT = 1_000
#: Values of kept columns are no secret, but a profile has no business with them either: the extremes and the
#: rarest of each, as far as they are no word that a report might use.
_KEPT = """
SELECT value FROM (SELECT {column}::text AS value, count(*) AS rows FROM {table} GROUP BY 1) AS counted
WHERE length(value) >= 9 AND value ~ '[0-9][^-].*[0-9]' AND value !~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}$'
ORDER BY rows, value COLLATE "C"
"""


def kept_values(database: Database, rules: Path) -> list[str]:
    """Least, greatest, longest and rarest values of kept columns."""
    chosen: list[str] = []
    with database.connect() as connection:
        for table, columns in load_policy(rules).columns.items():
            for column, rule in columns.items():
                if rule.mask.name != "keep":
                    continue
                query = sql.SQL(_KEPT).format(
                    column=sql.Identifier(column), table=sql.Identifier(table.schema, table.name)
                )
                found = [row[0] for row in connection.execute(query).fetchall()]
                if found:
                    chosen += [min(found), max(found), max(found, key=len), *found[:20]]
    assert len(chosen) > SOUGHT / 2
    return list(dict.fromkeys(chosen))


def personal_values(database: Database, rules: Path) -> list[str]:
    """1,000 values of masked columns: smallest, largest, longest and rarest of each, and more."""
    always: list[str] = []
    others: list[str] = []
    with database.connect() as connection:
        for table, columns in load_policy(rules).columns.items():
            for column, rule in columns.items():
                if rule.mask.name in _NOT_SEARCHED or describe(rule.mask.name).nested is not None:
                    continue
                query = sql.SQL(_VALUES).format(
                    column=sql.Identifier(column), table=sql.Identifier(table.schema, table.name)
                )
                found = [row[0] for row in connection.execute(query).fetchall()]
                if not found or _DATE.match(found[0]):
                    continue  # the report holds dates of its own
                always += [min(found), max(found), max(found, key=len), *found[:3]]
                others += found[3:]
    chosen = list(dict.fromkeys(always))
    assert len(chosen) > 100
    left = [value for value in dict.fromkeys(others) if value not in set(chosen)]
    chosen += left[:: max(1, len(left) // (SOUGHT - len(chosen)))]
    assert len(chosen) >= SOUGHT
    return chosen


def everything_under(*folders: Path) -> Iterator[str]:
    """Every file as text, databases of SQLite as statements."""
    for folder in folders:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            data = path.read_bytes()
            yield data.decode("utf-8", errors="replace")
            if data.startswith(b"SQLite format 3"):
                connection = sqlite3.connect(path)
                yield "\n".join(connection.iterdump())
                connection.close()


def forms(value: str) -> set[str]:
    """The value as it is, and as JSON and HTML would write it."""
    return {value, json.dumps(value)[1:-1], json.dumps(json.dumps(value))[3:-3], value.replace("'", "&#39;")}


@pytest.mark.parametrize(
    "defect",
    [
        pytest.param(False, id="a refresh that passes"),
        pytest.param(True, id="a refresh that fails", marks=pytest.mark.slow),
    ],
)
def test_1000_values_are_found_nowhere(
    shop_db: Database,
    target_db: Database,
    masking_key: Secret,
    tmp_path: Path,
    command_line: Callable[[Settings], CommandLine],
    defect: bool,
) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    for path in RULES.glob("*.yaml"):
        if defect and path.name == "accepted.yaml":
            continue  # it would stop a rule that keeps what looked personal before
        text = path.read_text(encoding="utf-8")
        if defect and path.name == "crm.yaml":
            assert "    email: {mask: email" in text
            # Kept addresses of customers, who are masked elsewhere: the leak audit has something to say.
            text = "\n".join(
                "    email: keep" if line.startswith("    email: {mask: email") else line
                for line in text.splitlines()
            )
        (rules / path.name).write_text(text, encoding="utf-8")
    values = personal_values(shop_db, rules)
    kept = kept_values(shop_db, rules)
    settings = Settings(shop_db, target_db, masking_key, rules=rules, work=tmp_path / "work")
    done = command_line(settings).run("refresh", "--json", *([] if defect else ["--fraction", "0.5"]))
    assert done.returncode == (1 if defect else 0), done.stderr
    shown = "\n".join([done.stdout, done.stderr, *everything_under(tmp_path / "work", tmp_path / "home")])
    # What is there is found: the search reads event log, metadata and both reports.
    for word in ("customers", "staging_release", "ASSET_CHECK_EVALUATION", "<!doctype html>", '"verdict"'):
        assert word.lower() in shown.lower(), word
    searched = ahocorasick.Automaton()
    for number, value in enumerate(values):
        for form in forms(value):
            searched.add_word(form, number)
    searched.make_automaton()
    found = {number for _, number in searched.iter(shown)}
    assert not found, f"{len(found)} of {len(values)} values"
    report = "".join(path.read_text("utf-8") for path in (tmp_path / "work" / "releases").rglob("report.*"))
    assert '"curves":[{"kind":"ecdf"' in report
    assert '"fan_out":{"kind"' in report
    shown_there = [value for value in kept if value in report]
    assert not shown_there, f"{len(shown_there)} of {len(kept)} kept values"
