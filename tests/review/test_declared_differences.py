"""From a difference to its entry: proposed, refused without a reason, declared, exceeded, expired, unused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fix_command_line import CommandLine
from fix_copies import run_script
from fix_release import Staging, set_policy

from parity_data.errors import CheckFailed, RulesError
from parity_data.refresh.drift import compare_now
from parity_data.rules.declared import DECLARED_FILE
from parity_data.settings import Settings
from parity_data.verify.declared import CHECK


def own_checks(staging: Staging) -> list[tuple[str, str, float | None]]:
    """Scope, status and figure of what is said about the entries."""
    found = compare_now(staging.settings).checks
    return [(c.scope, c.status, c.value) for c in found if c.name == CHECK]  # type: ignore[misc]


def failing(staging: Staging) -> list[str]:
    return [c.scope for c in compare_now(staging.settings).checks if c.status == "fail"]


def rewrite(staging: Staging, old: str, new: str) -> None:
    path = staging.settings.rules / DECLARED_FILE
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_from_a_difference_to_its_entry_and_back(
    staging: Staging, command_line: Callable[[Settings], CommandLine]
) -> None:
    staging.refresh()
    run_script(staging.target, "DROP INDEX purchase_person_idx")
    assert failing(staging) == ["database.index"]

    parity = command_line(staging.settings)
    said = json.loads(parity.run("verify", "--propose", "--json").stdout)
    assert said["proposed"] == ["public.purchase_person_idx: index"]
    assert parity.run("verify", "--propose").returncode == 2  # nothing is declared by accident
    with pytest.raises(RulesError, match="needs a reason"):
        compare_now(staging.settings)

    rewrite(staging, "reason: ''", "reason: dropped for a load test")
    assert failing(staging) == []
    assert own_checks(staging) == [("public.purchase_person_idx", "pass", 1.0)]
    nothing = parity.run("verify", "--propose")
    assert "Nothing differs that is not declared." in nothing.stdout

    # The entry covers one object; a bound of fewer is exceeded.
    rewrite(staging, "what: index", "what: index\n    bound: 0")
    assert own_checks(staging)[0][1] == "fail"
    rewrite(staging, "bound: 0", "bound: 1")
    lines = (staging.settings.rules / DECLARED_FILE).read_text().splitlines()
    (expires,) = [line for line in lines if "expires" in line]
    rewrite(staging, expires, "    expires: 2020-01-01")
    assert own_checks(staging)[0][1] == "warn"

    run_script(staging.target, "CREATE INDEX purchase_person_idx ON purchase (person)")
    (scope, status, covered) = own_checks(staging)[0]
    assert (scope, status, covered) == ("public.purchase_person_idx", "warn", 0.0)


def test_the_report_says_who_answers(staging: Staging, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refresh that loses an index, without an entry and with one."""
    from parity_data.refresh.building import Beside

    finished = Beside.finished

    def lose(self: Any) -> None:
        finished(self)
        run_script(self.target, "DROP INDEX public.purchase_person_idx")

    monkeypatch.setattr(Beside, "finished", lose)
    with pytest.raises(CheckFailed):
        staging.refresh()
    (report,) = (staging.settings.work / "releases").glob("*/report.json")
    document = json.loads(report.read_text())
    assert [d["scope"] for d in document["differences"] if d["declared"] is None] == [
        "public.purchase_person_idx"
    ]
    entry = """\
version: 1
differences:
  - scope: public.purchase
    what: index
    reason: a nightly job makes it
    owner: Anna Behr
    ticket: OPS-12
    expires: 2999-01-31
"""
    (staging.settings.rules / DECLARED_FILE).write_text(entry)
    release = staging.refresh()
    folder = staging.settings.work / "releases" / release
    document = json.loads((folder / "report.json").read_text())
    assert [d for d in document["differences"] if d["declared"] is None] == []
    (difference,) = [d for d in document["differences"] if d["owner"]]
    assert (difference["scope"], difference["ticket"]) == ("public.purchase_person_idx", "OPS-12")
    page = (folder / "report.html").read_text()
    assert "a nightly job makes it<br><i>Anna Behr, OPS-12, until 2999-01-31</i>" in page
    assert "a nightly job makes it; Anna Behr, OPS-12" in (folder / "report.md").read_text()


def test_the_report_has_the_whole_checklist(staging: Staging, tmp_path: Path) -> None:
    """One table: infrastructure, configuration, data, process, in JSON, HTML and Markdown."""
    for side, replicas in (("source", 2), ("target", 1)):
        (tmp_path / f"{side}.yaml").write_text(f"version: 1\nreplicas: {replicas}\nvariables: [A, {side}]\n")
    staging.settings = replace(
        staging.settings,
        source_environment=tmp_path / "source.yaml",
        target_environment=tmp_path / "target.yaml",
    )
    set_policy(
        staging, "on_undecided: stop", "on_undecided: stop\nparity: {feature_flags: {public.mark: {}}}"
    )
    with staging.target.with_name("postgres").connect(autocommit=True) as admin:
        admin.execute("ALTER ROLE postgres SET statement_timeout = '7s'")
    release = staging.refresh()
    with staging.target.with_name("postgres").connect(autocommit=True) as admin:
        admin.execute("ALTER ROLE postgres RESET statement_timeout")
    folder = staging.settings.work / "releases" / release
    document = json.loads((folder / "report.json").read_text())
    lines = {line["item"]: line for line in document["parity"]}
    assert {line["area"] for line in document["parity"]} == {
        *("infrastructure", "configuration", "data", "process"),
    }
    assert {item: line["verdict"] for item, line in lines.items() if line["verdict"] != "same"} == {
        "replicas": "proportional",
        "environment variables": "different",
        "class of the machine": "not observed",
        "CPUs": "not observed",
        "memory in GB": "not observed",
        "kind of disk": "not observed",
        "the rows stand for all rows": "not observed",
        "no production value that masking replaced": "not observed",
        "migrations applied": "not observed",
        "release of staging": "not observed",
    }
    assert lines["feature flags"]["note"] == "1 compared"
    warned = {c["scope"]: c["message"] for c in document["checks"] if c["status"] == "warn"}
    assert "only staging has target" in warned["environment.variables"]
    (difference,) = [d for d in document["differences"] if d["declared"] is None]
    assert (difference["scope"], difference["key"]) == ("environment.variables", "environment")
    # What the role alone has is no setting of the server.
    assert not [s for s in warned if s.startswith("server.")]
    for name in ("report.html", "report.md"):
        assert "server settings: planner" in (folder / name).read_text()
