"""Figures of a column against plain Python, and no value in any of them."""

from __future__ import annotations

import json
import math
import unicodedata
from collections import Counter
from dataclasses import asdict

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from parity_data.profile import profile_column
from parity_data.profile.columns import MEMBERS

#: Texts of every kind that a trait tells apart, with NULL and '', and without what PostgreSQL has in no text.
TEXTS = st.lists(
    st.one_of(
        st.none(),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
        st.sampled_from(
            ["", " lead", "trail ", "two\nlines", "Ärger", "A\u0308rger", "Пример", "李雷", "Abc 12"]
        ),
    ),
    max_size=60,
)
NUMBERS = st.lists(
    st.one_of(
        st.none(),
        st.floats(allow_nan=False, allow_infinity=True, width=32),
        st.sampled_from([0.0, 1.0, -5.0]),
    ),
    max_size=80,
)


def text(values: list[str | None]) -> pl.Series:
    return pl.Series(values, dtype=pl.String)


def number(values: list[float | None]) -> pl.Series:
    return pl.Series(values, dtype=pl.Float64)


@given(TEXTS, TEXTS)
def test_texts_are_described_as_python_would(mine: list[str | None], theirs: list[str | None]) -> None:
    found = profile_column("c", text(mine), text(theirs), "text", masked=True)
    expected = {
        "empty": lambda v: v == "",
        "beyond ASCII": lambda v: not v.isascii(),
        "with a capital letter": lambda v: any(unicodedata.category(c) == "Lu" for c in v),
        "with a digit": lambda v: any(unicodedata.category(c) == "Nd" for c in v),
        "of several lines": lambda v: "\n" in v,
    }
    shares = {trait.label: trait.shares for trait in found.traits}
    for side, values in enumerate((mine, theirs)):
        there = [v for v in values if v is not None]
        assert found.values[side] == len(there)
        assert found.distinct[side] == len(set(there))
        nulls = found.nulls[side]
        assert (
            nulls is None if not values else math.isclose(nulls, 1 - len(there) / len(values), abs_tol=1e-4)
        )
        for label, holds in expected.items():
            share = sum(map(holds, there)) / len(there) if there else None
            known = shares[label][side] if label in shares else (0.0 if there else None)
            assert known is None if share is None else math.isclose(known, share, abs_tol=1e-4)
        if "in normal form C" in shares and there:
            share = sum(unicodedata.is_normalized("NFC", v) for v in there) / len(there)
            assert math.isclose(shares["in normal form C"][side] or 0, share, abs_tol=1e-4)
        if found.lengths is not None:
            lengths = (found.lengths.source, found.lengths.target)[side]
            assert (lengths[0], lengths[-1]) == (min(map(len, there)), max(map(len, there)))


@given(NUMBERS, NUMBERS)
def test_positions_are_shares_at_or_below_quantiles(
    mine: list[float | None], theirs: list[float | None]
) -> None:
    found = profile_column("c", number(mine), number(theirs), "number", masked=False).curve("ecdf")
    first, second = ([v for v in side if v is not None] for side in (mine, theirs))
    if min(len(first), len(second)) < MEMBERS:
        assert found is None
        return
    assert found is not None
    ordered = sorted(first)
    for percent, p, s in zip(found.at, found.source, found.target, strict=True):
        edge = ordered[min(percent * len(ordered) // 100, len(ordered) - 1)]
        assert math.isclose(p, sum(v <= edge for v in first) / len(first), abs_tol=1e-4)
        assert math.isclose(s, sum(v <= edge for v in second) / len(second), abs_tol=1e-4)


def test_positions_of_masked_numbers_are_not_shown() -> None:
    values = number([float(i) for i in range(100)])
    for masked in (True, False):
        found = profile_column("c", values, values, "number", masked=masked)
        assert (found.curve("ecdf") is None) == masked


@given(st.lists(st.integers(0, 6), min_size=1, max_size=200), st.lists(st.integers(0, 6), max_size=200))
def test_ranks_that_few_rows_hold_are_left_out(mine: list[int], theirs: list[int]) -> None:
    found = profile_column("c", text(list(map(str, mine))), text(list(map(str, theirs))), "text", masked=True)
    counts = [[n for _, n in Counter(side).most_common()] for side in (mine, theirs)]
    there = min(sum(n >= MEMBERS for n in side) for side in counts)
    ranks = found.curve("ranks")
    assert (ranks is None) == (there == 0)
    if ranks is not None:
        assert max(ranks.at) <= there
        for rank, p, s in zip(ranks.at, ranks.source, ranks.target, strict=True):
            assert math.isclose(p, counts[0][rank - 1] / len(mine), abs_tol=1e-4)
            assert math.isclose(s, counts[1][rank - 1] / len(theirs), abs_tol=1e-4)


def test_the_calendar_is_that_of_utc() -> None:
    # 2026-03-02 is a Monday.
    seconds = np.datetime64("2026-03-02T05:30:00").astype("datetime64[s]").astype(float)
    values = number([float(seconds)] * 20)
    found = profile_column("c", values, values, "time", masked=True)
    for kind, place in (("weekday", 1), ("month", 3), ("hour", 5)):
        curve = found.curve(kind)  # type: ignore[arg-type]
        assert curve is not None
        assert {at: share for at, share in zip(curve.at, curve.source, strict=True) if share} == {place: 1.0}


def test_a_flattened_skew_and_a_lost_length_show() -> None:
    whole = text(["a"] * 500 + ["b" * 9] * 300 + [f"x{i}" for i in range(200)])
    flat = text(["a"] * 400 + ["b" * 3] * 400 + [f"x{i}" for i in range(200)])
    found = profile_column("c", whole, flat, "text", masked=True)
    ranks, lengths = found.curve("ranks"), found.curve("lengths")
    assert ranks is not None and math.isclose(ranks.gap, 0.1)  # noqa: PT018
    assert lengths is not None and lengths.gap >= 0.29  # noqa: PT018


def test_no_value_and_no_odd_key_is_in_a_profile() -> None:
    secrets = [f"Secret-{i:05d}@example.invalid" for i in range(400)]
    documents = [json.dumps({"owner": s, s: 1, "n": {"deep": [s, 1, None]}}) for s in secrets]
    numbers = number([1_234_567.0 + i * 7 for i in range(400)])
    profiles = [
        profile_column("c", text(secrets), text(secrets), "text", masked=True),
        profile_column("c", text(documents), text(documents), "text", masked=False, document=True),
        profile_column("c", numbers, numbers, "number", masked=False),
        profile_column("c", numbers, numbers, "time", masked=False),
    ]
    shown = json.dumps([asdict(profile) for profile in profiles])
    assert "ecret" not in shown
    assert "12345" not in shown
    paths = {path.path: path for path in profiles[1].paths}
    assert set(paths) == {"$.owner", "$.*", "$.n.deep[*]"}
    assert {trait.label: trait.shares for trait in paths["$.n.deep[*]"].types} == {
        "null": (1.0, 1.0),
        "number": (1.0, 1.0),
        "text": (1.0, 1.0),
    }


def test_a_path_that_staging_lost_shows() -> None:
    whole = [json.dumps({"a": 1, "b": "x" if i % 2 else None}) for i in range(100)]
    lost = [json.dumps({"a": "1", "b": "x"}) for _ in range(100)]
    found = profile_column("c", text(whole), text(lost), "text", masked=False, document=True)
    paths = {path.path: path for path in found.paths}
    assert {trait.label: trait.shares for trait in paths["$.a"].types} == {
        "number": (1.0, 0.0),
        "text": (0.0, 1.0),
    }
    assert {trait.label: trait.shares for trait in paths["$.b"].types}["null"] == (0.5, 0.0)
