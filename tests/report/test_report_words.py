"""The verdict in one sentence, the six words, numbers for people, and Markdown."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape
from report_samples import HOSTILE, failed, healthy, hostile, wide

from parity_data.report import to_markdown
from parity_data.report.model import ForeignKeyReport
from parity_data.report.text import duration, number, parted, share, share_pair, shown, size
from parity_data.report.words import key_word, rows_word, sentence, word
from parity_data.verify.result import CheckResult, Difference


@pytest.mark.parametrize(
    ("status", "value", "bound", "message", "expected"),
    [
        ("fail", 4, 0, "4 rows", "different"),
        ("fail", None, None, "could not be read", "different"),
        ("pass", 0, 0, "equal", "identical"),
        ("pass", 2_000, 2_000, "as planned", "identical"),
        ("pass", 0.013, 0.02, "close", "within chance"),
        ("pass", None, None, "equal", "identical"),
        ("pass", None, 0, "no rows", "not observed"),
        ("warn", 0.3, 0.1, "Too small to tell: 12 rows.", "too small to tell"),
        ("warn", 0.3, 0.1, "strays", "different"),
        ("warn", None, None, "no permission", "not observed"),
    ],
)
def test_words(status: str, value: float | None, bound: float | None, message: str, expected: str) -> None:
    check = CheckResult("c", "s.t", status, value, bound, message)  # type: ignore[arg-type]
    assert word(check) == expected
    if status == "warn" and expected == "different":
        assert word(check, frozenset({"s.t"})) == "declared"


def test_rows_and_keys_have_words() -> None:
    customers, orders, _ = failed().tables
    assert rows_word(customers) == "identical"
    assert rows_word(orders) == "different"
    assert rows_word(replace(orders, rows_planned=None)) == "not observed"
    key = ForeignKeyReport("k", "s.t", ("a",), "s.u")
    assert key_word(key) == "not observed"
    assert key_word(replace(key, dangling_source=0, dangling_target=0)) == "identical"
    assert key_word(replace(key, dangling_source=0, dangling_target=1)) == "different"
    assert key_word(replace(key, dangling_source=9, dangling_target=1)) is None


def test_the_verdict_is_one_sentence_with_its_reason() -> None:
    assert sentence(healthy()) == (
        "No check of 8 failed, 2 warned, the one difference from production is declared; "
        "staging now serves this release."
    )
    assert sentence(failed()) == ("2 of 10 checks failed (foreign_keys, leaks); staging is left as it was.")
    quiet = replace(healthy(), checks=healthy().checks[:3], differences=())
    assert (
        sentence(quiet)
        == "All 3 checks hold, no difference from production found; staging now serves this release."
    )
    assert "waits to be promoted" in sentence(replace(quiet, mode="hold"))
    assert "staging is unchanged" in sentence(replace(quiet, mode="dry_run"))
    undeclared = replace(quiet, verdict="fail", differences=(Difference("s.t", "an index is missing"),))
    assert sentence(undeclared).startswith("1 difference from production without a declared reason")
    assert sentence(replace(quiet, verdict="fail")).startswith("The refresh did not complete")
    # A pass that a failed check contradicts is said, not smoothed over.
    assert "2 of 10 checks failed" in sentence(replace(failed(), verdict="pass"))


def test_numbers_are_for_people_and_never_round_to_nothing() -> None:
    assert number(1_234_567) == "1,234,567"
    assert number(0.1 + 0.2) == "0.3"
    assert number(None) == "—"
    assert share(0.1) == "10\u00a0%"
    assert share(0.000012) == "<\u00a00.01\u00a0%"
    assert share(0.999999) == ">\u00a099.99\u00a0%"
    assert share(0.0) == "0\u00a0%"
    assert share(1.0) == "100\u00a0%"
    left, right = share_pair(0.123401, 0.123449)
    assert left != right
    assert size(999) == "999\u00a0B"
    assert size(62_914_560) == "63\u00a0MB"
    assert size(1_500_000_000_000) == "1.5\u00a0TB"
    assert duration(412.75) == "6\u00a0min 53\u00a0s"
    assert duration(7_384) == "2\u00a0h 03\u00a0min"


def test_markdown_leads_with_the_verdict_and_what_failed() -> None:
    text = to_markdown(failed())
    assert text.startswith("**✗ FAIL** — 2 of 10 checks failed")
    assert "| ✗ FAIL | foreign\\_keys | shop.orders | 4 | 0 |" in text
    assert text.index("leaks") < text.index("### Differences") < text.index("### Tables")
    assert "| shop.orders | owned | 230,000 | 61,207 | 26.61\u00a0% | 1 | ✗ FAIL |" in text


def test_markdown_stays_short() -> None:
    text = to_markdown(wide())
    assert len(text) < 10_000
    assert "… and 260 more smaller tables in report.json." in text


def test_markdown_shows_hostile_names_as_text() -> None:
    text = to_markdown(hostile())
    assert "<script" not in text.replace("\\<script", "")
    assert "](javascript" not in text.replace("\\](javascript", "")
    rows = [line for line in text.splitlines() if line.startswith("| ✗ FAIL")]
    assert len(rows) == len(HOSTILE)
    for line in rows:
        assert line.replace("\\|", "").count("|") == 7


@given(st.text(max_size=80))
def test_a_parted_name_is_the_name(name: str) -> None:
    assert parted(name).replace("<wbr>", "") == escape(shown(name))


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("short_name", "short_name"),
        ("public.category_category_id_seq", "public.|category_|category_|id_seq"),
        ("orders refer to accountHoldersAddresses here", "orders refer to account|Holders|Addresses here"),
    ],
)
def test_long_names_part_between_their_words(name: str, parts: str) -> None:
    assert parted(name) == parts.replace("|", "<wbr>")
