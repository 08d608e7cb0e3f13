"""report.json: names kept for good, equal bytes, and the way back."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from report_samples import HOSTILE, failed, healthy, hostile, wide

from parity_data.errors import ConfigError, ParityError
from parity_data.report import load_report, to_json, write_report
from parity_data.verify.result import CheckResult


def test_names_are_kept_for_good() -> None:
    document = to_json(failed())
    kept = "verdict source target snapshot fraction started_at seconds tables checks differences"
    assert set(kept.split()) <= document.keys()
    assert document["verdict"] == "fail"
    assert document["fraction"] == 0.1
    assert document["started_at"] == "2026-11-24T01:30:01.250000+00:00"
    for table in document["tables"]:
        assert {"schema", "table", "rows_source", "rows_target"} <= table.keys()
    for check in document["checks"]:
        assert list(check) == ["name", "scope", "status", "value", "bound", "message", "declared"]
    first = document["differences"][0]
    assert list(first)[:3] == ["scope", "what", "declared"]
    assert (first["scope"], first["what"]) == ("shop.orders", "index orders_placed_at_idx is missing")
    assert first["declared"] is None


@pytest.mark.parametrize("make", [healthy, failed, hostile, wide])
def test_a_report_read_back_is_the_same(make, tmp_path: Path) -> None:
    report = make()
    paths = write_report(report, tmp_path / "new" / "folder")
    assert load_report(paths.json) == report


def test_equal_reports_give_equal_bytes(tmp_path: Path) -> None:
    first, second = write_report(failed(), tmp_path / "a"), write_report(failed(), tmp_path / "b")
    assert first.json.read_bytes() == second.json.read_bytes()
    assert first.html.read_bytes() == second.html.read_bytes()
    assert first.sha256 == hashlib.sha256(first.json.read_bytes()).hexdigest()
    other = write_report(replace(failed(), seconds=412.76), tmp_path / "c")
    assert other.sha256 != first.sha256


def test_writing_again_replaces_and_leaves_nothing_else(tmp_path: Path) -> None:
    write_report(failed(), tmp_path)
    write_report(healthy(), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "report.html",
        "report.json",
        "report.md",
        "report.xml",
    ]
    assert load_report(tmp_path / "report.json") == healthy()


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ParityError, match="cannot be written") as caught:
        write_report(healthy(), tmp_path / "file" / "folder")
    assert caught.value.todo


def test_values_that_json_lacks_become_text(tmp_path: Path) -> None:
    checks = (
        CheckResult("a", "database", "fail", math.nan, math.inf, "not a number"),
        CheckResult("b", "database", "pass", "text", -math.inf, "text"),
        CheckResult("c", "database", "pass", 3, 2.5, "numbers stay numbers"),
    )
    paths = write_report(replace(healthy(), checks=checks), tmp_path)
    written = json.loads(paths.json.read_bytes(), parse_constant=pytest.fail)["checks"]
    assert [(check["value"], check["bound"]) for check in written] == [
        ("NaN", "Infinity"),
        ("text", "-Infinity"),
        (3, 2.5),
    ]
    assert isinstance(load_report(paths.json).checks[2].value, int)


def test_a_lone_surrogate_survives(tmp_path: Path) -> None:
    report = replace(healthy(), note="byte \udce9 of another encoding")
    assert load_report(write_report(report, tmp_path).json) == report


def test_times_need_a_zone() -> None:
    with pytest.raises(ValueError, match="snapshot_at"):
        replace(healthy(), snapshot_at=datetime(2026, 1, 1))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"format": 2}',
        b'{"format": 1}',
        b'{"format": 1, "stages": 3}',
        b"\xff\xfe{}",
    ],
)
def test_another_file_is_refused_in_words(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_report(path)
    assert caught.value.where == str(path)
    assert caught.value.todo


def test_a_changed_type_is_named_but_not_its_value(tmp_path: Path) -> None:
    document = to_json(healthy())
    document["tables"][1]["rows_target"] = "secret value"
    path = tmp_path / "report.json"
    path.write_text(json.dumps(document))
    with pytest.raises(ConfigError, match=r"tables\.1\.rows_target") as caught:
        load_report(path)
    assert "secret value" not in str(caught.value)


def test_names_of_a_later_version_are_ignored(tmp_path: Path) -> None:
    document = {**to_json(healthy()), "privacy": {"k": 11}}
    path = tmp_path / "report.json"
    path.write_text(json.dumps(document))
    assert load_report(path) == healthy()


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_report(tmp_path / "report.json")


def test_hostile_names_stand_in_json_as_they_are(tmp_path: Path) -> None:
    tables = json.loads(write_report(hostile(), tmp_path).json.read_bytes())["tables"]
    assert tuple(table["table"] for table in tables) == HOSTILE
    assert datetime.fromisoformat(to_json(hostile())["snapshot_at"]) == datetime(
        2026, 11, 24, 1, 30, 5, tzinfo=UTC
    )
