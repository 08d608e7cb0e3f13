"""Who decided and when, from the history of the rules; nothing where there is none."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from parity_data.rules.history import History

RULES = "schema: shop\ntables:\n  customers:\n    id: keep\n    email: email\n"


def git(folder: Path, *arguments: str, day: str = "2026-03-01") -> None:
    names = {
        "GIT_AUTHOR_NAME": "Ada Byron",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada Byron",
        "GIT_COMMITTER_EMAIL": "ada@example.org",
        "GIT_AUTHOR_DATE": f"{day}T12:00:00Z",
        "GIT_COMMITTER_DATE": f"{day}T12:00:00Z",
    }
    subprocess.run(["git", "-C", str(folder), *arguments], env={**os.environ, **names}, check=True)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "scrub rules"
    folder.mkdir()
    (folder / "shop.yaml").write_text(RULES, encoding="utf-8")
    return folder


def test_each_line_has_its_author_and_day(rules: Path) -> None:
    git(rules.parent, "init", "-q")
    git(rules.parent, "add", ".")
    git(rules.parent, "commit", "-q", "-m", "rules")
    (rules / "shop.yaml").write_text(RULES.replace("id: keep", "id: token"), encoding="utf-8")
    git(rules.parent, "commit", "-q", "-a", "-m", "decide", day="2026-05-02")
    with (rules / "shop.yaml").open("a", encoding="utf-8") as stream:
        stream.write("    phone: phone\n")
    history = History(rules)
    assert history.of("scrub rules/shop.yaml", 4) == ("Ada Byron", "2026-05-02")
    assert history.of("scrub rules/shop.yaml", 5) == ("Ada Byron", "2026-03-01")
    assert history.of("scrub rules/shop.yaml", 6) is None  # written, not committed


def test_without_git_nothing_is_known(rules: Path) -> None:
    assert History(rules).of("scrub rules/shop.yaml", 4) is None
    assert History(rules).of("", 0) is None
