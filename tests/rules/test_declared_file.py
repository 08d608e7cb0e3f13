"""Declared differences: every mistake has file and line, and new entries leave those of people alone."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_rules_round_trip import sentences, words

from parity_data.errors import RulesError
from parity_data.rules import load_policy
from parity_data.rules.declared import DECLARED_FILE, DeclaredDifference
from parity_data.rules.declared_file import Proposal, extended, written
from parity_data.rules.document import parse_document
from parity_data.rules.write import propose_differences

ENTRY = """\
  - scope: shop.orders
    what: distribution
    bound: 0.05
    reason: the largest customer is kept
    owner: anna
    ticket: OPS-12
    expires: 2027-01-31
"""
FILE = f"# ours\nversion: 1\ndifferences:\n{ENTRY}"


def folder_with(tmp_path: Path, text: str) -> Path:
    folder = tmp_path / "scrub_rules"
    folder.mkdir()
    (folder / "policy.yaml").write_text("version: 1\n", encoding="utf-8")
    (folder / DECLARED_FILE).write_text(text, encoding="utf-8")
    return folder


def test_everything_written_is_read(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, FILE)
    (found,) = load_policy(folder).declared_differences
    assert found == DeclaredDifference(
        "shop.orders",
        "distribution",
        "the largest customer is kept",
        bound=0.05,
        owner="anna",
        ticket="OPS-12",
        expires=date(2027, 1, 31),
    )
    assert (found.where, found.written) == (f"scrub_rules/{DECLARED_FILE}:4", True)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("OPS-12", "OPS-13"),
        ("bound: 0.05", "bound: 0.06"),
        ("2027-01-31", "2027-02-28"),
        ("anna", "bert"),
        ("customer is", "customers are"),
    ],
)
def test_the_digest_of_the_rules_covers_every_word(tmp_path: Path, old: str, new: str) -> None:
    folder = folder_with(tmp_path, FILE)
    before = load_policy(folder).digest
    path = folder / DECLARED_FILE
    path.write_text("# a comment more\n" + path.read_text())
    assert load_policy(folder).digest == before
    path.write_text(path.read_text().replace(old, new))
    assert load_policy(folder).digest != before


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("    owner: anna\n", "", 4, "owner is missing"),
        ("owner: anna", "owner: ''", 8, "somebody who answers"),
        ("owner: anna", "ower: anna", 8, "did you mean 'owner'"),
        ("reason: the largest customer is kept", "reason:", 7, "needs a reason"),
        ("0.05", "-1", 6, "at least 0"),
        ("2027-01-31", "31.1.2027", 10, "a day such as"),
        ("2027-01-31", "2027-02-30", 10, "a day such as"),
        ("what: distribution", "what: Mask_Link", 5, "a defect of the run"),
        ("what: distribution", "what: server_settings", 4, "takes no bound"),
        (ENTRY, ENTRY + ENTRY, 11, "declared already, in line 4"),
        ("version: 1", "version: 2", 2, "must be 1"),
    ],
)
def test_mistakes_name_file_and_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    assert old in FILE
    with pytest.raises(RulesError) as error:
        load_policy(folder_with(tmp_path, FILE.replace(old, new)))
    assert f"scrub_rules/{DECLARED_FILE}:{line}:" in str(error.value)
    assert words in str(error.value)


proposals = st.lists(
    st.builds(
        Proposal,
        st.builds(
            DeclaredDifference,
            words,
            words,
            sentences | st.just(""),
            bound=st.none() | st.integers(0, 10**6) | st.floats(0, 1e6),
            owner=words,
            ticket=st.none() | words,
            expires=st.none() | st.dates(),
        ),
        st.text(max_size=30),
    ),
    min_size=1,
    max_size=3,
)

LAYOUTS = (
    "",
    "version: 1\n",
    "version: 1 # one\ndifferences:   # ours\n",
    "version: 1\ndifferences: []  # none yet\n",
    "version: 1\ndifferences: ~\n",
    FILE,
    FILE.rstrip("\n"),
    FILE + "  # the last word\n",
    FILE.replace("    expires: 2027-01-31\n", "    # more to come\n"),
    "version: 1\ndifferences:\n- {scope: a.b, what: index, reason: r, owner: o} # short\n",
    "version: 1\ndifferences:\n  - scope: a.b\n    what: index\n    reason: |\n      long\n      one\n",
    'differences:\n  - scope: "a.b" # quoted\n    what: index\n    owner: o\n    reason: r\nversion: 1\n',
    FILE.replace("\n", "\r\n"),
)


@given(layout=st.sampled_from(LAYOUTS), added=proposals)
def test_entries_are_added_and_nothing_else_changes(layout: str, added: list[Proposal]) -> None:
    text = extended(layout, added, "x")
    before = parse_document(layout, "x").value or {}
    after = parse_document(text, "x").value
    old = before.get("differences") or []
    assert after["differences"][: len(old)] == old
    assert written(text, "x") == {(e["scope"], e["what"]) for e in after["differences"]}
    assert len(after["differences"]) == len(old) + len(added)
    for found, proposal in zip(after["differences"][len(old) :], added, strict=True):
        wanted = proposal.difference
        assert (found["scope"], found["what"], found["reason"]) == (wanted.scope, wanted.what, wanted.reason)
        assert found.get("bound") == wanted.bound
        assert found.get("expires") == (wanted.expires.isoformat() if wanted.expires else None)
    # Every line that a person wrote stands there as it was, but for an empty list's brackets.
    kept = [line for line in layout.splitlines() if not line.startswith("differences:")]
    lines = iter(text.splitlines())
    assert all(any(line == other for other in lines) for line in kept)


def test_a_list_in_brackets_is_left_to_a_person() -> None:
    new = [Proposal(DeclaredDifference("c.d", "index", "r", owner="o"))]
    with pytest.raises(RulesError, match="no safe place"):
        extended("version: 1\ndifferences: [{scope: a.b, what: index, reason: r, owner: o}]\n", new, "x")


def test_a_proposal_does_not_load_before_somebody_gave_a_reason(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, FILE)
    one = Proposal(DeclaredDifference("shop.i", "index", "", owner="anna"), "The index shop.i is missing.")
    assert propose_differences(folder, [one]) == [one]
    assert propose_differences(folder, [one]) == []
    assert "  # The index shop.i is missing.\n  - scope: shop.i\n" in (folder / DECLARED_FILE).read_text()
    with pytest.raises(RulesError, match=r"differences\.1\.reason needs a reason"):
        load_policy(folder)
    path = folder / DECLARED_FILE
    path.write_text(path.read_text().replace("reason: ''", "reason: dropped for load tests"))
    assert len(load_policy(folder).declared_differences) == 2
