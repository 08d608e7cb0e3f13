"""Association of two columns: the published figure, whatever the values are called, and bounded."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parity_data.profile import Described, PairProfile, profile_pairs
from parity_data.profile.pairs import COLUMNS, FOUND, LEAST_ROWS, STRONG, cramers_v

LABELS = st.lists(st.sampled_from([None, "a", "b", "c"]), min_size=LEAST_ROWS, max_size=LEAST_ROWS + 20)


def described(name: str, values: list[object], staging: list[object] | None = None) -> Described:
    sides = [pl.Series(side) for side in (values, values if staging is None else staging)]
    kinds = [s.cast(pl.Float64) if s.dtype.is_numeric() else s.cast(pl.String) for s in sides]
    kind = "number" if kinds[0].dtype == pl.Float64 else "text"
    return Described(name, kinds[0], kinds[1], kind, kinds[0].drop_nulls().n_unique())


def only(*columns: Described) -> PairProfile:
    (found,) = profile_pairs(columns, [(columns[0].name, columns[1].name)])
    return found


def by_hand(left: list[object], right: list[object]) -> float | None:
    """Bergsma's figure written down once more, cell by cell."""
    n = len(left)
    r, c = len(set(left)), len(set(right))
    if min(r, c) < 2:
        return None
    chi2 = 0.0
    for i in set(left):
        for j in set(right):
            expected = left.count(i) * right.count(j) / n
            seen = sum(a == i and b == j for a, b in zip(left, right, strict=True))
            chi2 += (seen - expected) ** 2 / expected
    phi2 = max(0.0, chi2 / n - (r - 1) * (c - 1) / (n - 1))
    return float((phi2 / min(r - (r - 1) ** 2 / (n - 1) - 1, c - (c - 1) ** 2 / (n - 1) - 1)) ** 0.5)


@settings(max_examples=25)
@given(st.data(), LABELS)
def test_the_figure_is_bergsmas(data: st.DataObject, left: list[object]) -> None:
    right = data.draw(st.lists(st.sampled_from([None, "x", "y"]), min_size=len(left), max_size=len(left)))
    found = only(described("l", left), described("r", right)).association
    expected = by_hand(left, right)
    if len(set(left) - {None}) == 0 or len(set(right) - {None}) == 0:
        return  # of unknown type
    assert found == ((None, None) if expected is None else (pytest.approx(expected, abs=1e-4),) * 2)


def test_independent_columns_have_none_and_equal_ones_all() -> None:
    assert cramers_v(np.full((4, 5), 30)) == 0
    assert cramers_v(np.diag([40, 30, 20, 10])) == pytest.approx(1)
    assert cramers_v(np.array([[5, 0], [7, 0]])) is None


@given(st.permutations(range(8)), st.integers(0, 2**32 - 1))
def test_pseudonyms_change_nothing(order: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    plan = random.integers(0, 8, 400)
    city = np.where(random.random(400) < 0.7, plan, random.integers(0, 8, 400))
    names = [f"name {order[p]}" for p in plan]
    found = only(described("plan", [f"plan {p}" for p in plan], names), described("city", city.tolist()))
    assert found.association[0] == found.association[1]
    assert found.association[0] is not None
    assert found.association[0] > 0.4


def test_numbers_go_in_by_rank_and_nulls_as_a_value() -> None:
    random = np.random.default_rng(5)
    total = random.lognormal(3, 2, 3000)
    weight = [None if t > np.quantile(total, 0.8) else round(t * 2, 3) for t in total]
    shuffled = random.permutation(total)
    kept = only(
        described("total", total.tolist(), np.exp(total / total.max()).tolist()), described("w", weight)
    )
    assert kept.association[0] == kept.association[1]
    assert kept.association[0] is not None
    assert kept.association[0] > 0.8
    lost = only(described("total", total.tolist(), shuffled.tolist()), described("w", weight))
    assert lost.gap > 0.7


def test_what_a_mask_cannot_keep_is_called_masked_apart() -> None:
    random = np.random.default_rng(6)
    born = random.integers(0, 20_000, 1000)
    age = described("age", (20_000 - born).tolist())
    moved = described("born", born.tolist(), random.permutation(born).tolist())
    for loses, apart in ((("ranks",), True), ((), False), (("values",), False)):
        column = Described(moved.name, moved.production, moved.staging, "number", moved.distinct, loses)
        (found,) = profile_pairs([column, age])
        assert (found.declared, found.apart) == (False, apart)
        assert found.gap > 0.5
    same = Described("born", moved.production, moved.production, "number", moved.distinct, ("ranks",))
    assert not profile_pairs([same, age])[0].apart


def test_the_strongest_are_found_within_bounds_and_keys_are_left_out() -> None:
    random = np.random.default_rng(7)
    base = random.integers(0, 4, 500)
    columns = [
        described(
            f"c{i:02d}", np.where(random.random(500) < i / 30, random.integers(0, 4, 500), base).tolist()
        )
        for i in range(30)
    ]
    found = profile_pairs(columns, [("c29", "c28")], unfound={"c01"})
    assert found[0].columns == ("c29", "c28")
    assert found[0].declared
    others = found[1:]
    assert len(others) == FOUND
    strengths = [pair.association[0] or 0 for pair in others]
    assert strengths == sorted(strengths, reverse=True)
    assert min(strengths) >= STRONG
    assert "c01" not in {name for pair in others for name in pair.columns}
    assert {name for pair in others for name in pair.columns} <= {f"c{i:02d}" for i in range(COLUMNS + 1)}


def test_of_few_rows_and_of_unread_columns_nothing_is_said() -> None:
    few = [described(name, list(range(LEAST_ROWS - 1))) for name in "ab"]
    assert profile_pairs(few) == ()
    many = [described(name, list(range(LEAST_ROWS)), [1, 2, 3]) for name in "ab"]
    assert profile_pairs(many, [("a", "b")])[0].association[1] is None
    assert profile_pairs(many, [("a", "gone")])[0].association == (None, None)
