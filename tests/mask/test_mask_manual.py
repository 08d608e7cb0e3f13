"""The manual and the command line show what the declarations say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from parity_data.cli import app
from parity_data.errors import ConfigError, RulesError
from parity_data.mask import KeyRing, MaskSpec, describe, masker_names
from parity_data.mask.examples import example, rehearse, try_mask
from parity_data.mask.manual import renewed, written
from parity_data.secret import Secret

MANUAL = Path(__file__).parents[2] / "docs/masking.md"
KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No key, no rules, no demo."""
    for name in ("PARITY_MASKING_KEY", "PARITY_MASKING_KEY_FILE", "PARITY_RULES", "PARITY_WORK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_manual_is_up_to_date() -> None:
    text = MANUAL.read_text(encoding="utf-8")
    assert renewed(text) == text, "run: python -m parity_data.mask.manual docs/masking.md"


def test_the_manual_names_every_masker_and_parameter() -> None:
    text = written()
    for name in masker_names():
        section = text.partition(f"\n### {name}\n")[2].partition("\n### ")[0]
        assert all(f"- `{param.name}`: " in section for param in describe(name).params)
        assert section


def test_a_manual_without_marks_is_refused() -> None:
    with pytest.raises(ConfigError):
        renewed("# Masking\n")


@pytest.mark.parametrize("name", masker_names())
def test_the_example_shows_the_mask_at_work(name: str) -> None:
    before, after = example(describe(name))
    # Alone in its batch, no other value can take a row's place.
    assert (before == after) == (name in ("keep", "shuffle", "resample"))


def test_the_list_has_every_masker(alone: Path) -> None:
    shown = CliRunner().invoke(app, ["maskers", "--json"])
    assert [one["name"] for one in json.loads(shown.stdout)] == masker_names()
    assert "licence_plate" in CliRunner().invoke(app, ["maskers"], env={"COLUMNS": "200"}).stdout


def test_a_try_uses_the_configured_key(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARITY_MASKING_KEY", KEY)
    shown = CliRunner().invoke(app, ["maskers", "phone", "--try", "(415) 555-2671"])
    assert shown.stdout.strip() == try_mask(MaskSpec("phone", {}), KeyRing(Secret(KEY)), "(415) 555-2671")
    assert "throw-away" not in shown.stderr


def test_a_try_without_a_key_says_so(alone: Path) -> None:
    shown = CliRunner().invoke(app, ["maskers", "person_name", "--try", "Maria Lopez"])
    assert shown.exit_code == 0
    assert len(shown.stdout.strip()) == len("Maria Lopez")
    assert "throw-away key" in shown.stderr


def test_a_try_takes_parameters(alone: Path) -> None:
    shown = CliRunner().invoke(app, ["maskers", "constant", "--try", "a", "--params", "value: b", "--json"])
    document = json.loads(shown.stdout)
    assert (document["masked"], document["throw_away_key"]) == ("b", True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["phnoe"], "Did you mean 'phone'?"),
        (["--try", "x"], "Which masker?"),
        (["constant", "--try", "x"], "needs the parameter 'value'"),
        (["phone", "--try", "x", "--params", "[1"], "no YAML mapping"),
    ],
)
def test_wrong_usage_ends_with_2(alone: Path, arguments: list[str], said: str) -> None:
    shown = CliRunner().invoke(app, ["maskers", *arguments])
    assert shown.exit_code == 2
    assert said in shown.stderr


#: How many ways of calling a compiled function are loaded before and after.
_LOADED = """
from parity_data.mask.cipher import word_loops
from parity_data.mask.examples import rehearse
print(len(word_loops.unpack.signatures), end=" ")
rehearse(["email", "keep", "email"])
print(len(word_loops.unpack.signatures))
"""


def test_a_rehearsal_loads_what_masks_are_made_of() -> None:
    loaded = subprocess.run([sys.executable, "-c", _LOADED], capture_output=True, text=True, check=True)
    before, after = map(int, loaded.stdout.split())
    assert before == 0 < after


def test_a_rehearsal_stops_at_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []

    def fail(spec: MaskSpec, keys: KeyRing, value: str) -> str:
        tried.append(spec.name)
        raise RulesError("It cannot.")

    monkeypatch.setattr("parity_data.mask.examples.try_mask", fail)
    rehearse(["email", "phone", "email"])
    assert set(tried) == {"email", "phone"}
