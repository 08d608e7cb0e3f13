"""The sample link on drawn populations: silent where the draw was honest, and right about what was taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from parity_data.subset.clusters import Clusters
from parity_data.verify import marks, planted_skew
from parity_data.verify.planted_skew import check_planted_skew
from parity_data.verify.result import CheckResult
from parity_data.verify.sample import Estimator, Figure, Judged, Mark, judge

HEADS, FRACTION = 4_000, 0.1
RUNS = 60


@dataclass(frozen=True)
class Population:
    """Rows under heads of a heavy-tailed fan-out, whose columns hang on their head."""

    of_row: npt.NDArray[np.int64]
    size: npt.NDArray[np.int64]
    columns: dict[str, pl.Series]


def make_population(seed: int = 7) -> Population:
    random = np.random.default_rng(seed)
    size = np.minimum(random.zipf(2.2, HEADS), 400)
    of_row = np.repeat(np.arange(HEADS), size)
    rows = len(of_row)
    level = random.normal(size=HEADS)[of_row] + random.normal(size=rows)
    kinds = np.minimum(random.zipf(1.6, rows), 60)
    names = pl.Series([f"{'É' if k % 7 == 0 else 'e'}{'x' * int(k)}" for k in random.integers(1, 40, rows)])
    lost = pl.Series(np.where(random.random(rows) < 0.03, None, 1.0).astype(float), nan_to_null=True)
    days = pl.Series(
        1.6e9 + 86400 * np.floor(random.random(rows) * 900) + 3600 * random.integers(0, 24, rows)
    )
    return Population(
        of_row,
        size,
        {"level": pl.Series(level), "kind": pl.Series(kinds), "name": names, "lost": lost, "day": days},
    )


def draw(people: Population, seed: int, kept: Callable[[Population], npt.NDArray[np.bool_]]) -> Clusters:
    """A draw as the product makes it: the heaviest always, the others within classes of fan-out.

    kept: rows that reach the subset once they are drawn.
    """
    random = np.random.default_rng(seed)
    stratum = np.floor(np.log2(people.size)).astype(np.int64)
    chance = np.full(HEADS, FRACTION)
    fixed = people.size > 0.0025 * len(people.of_row)
    chance[fixed], stratum[fixed] = 1, -1
    drawn = random.random(HEADS) < chance
    weight = np.where(fixed, 1.0, 0.0)
    for number in np.unique(stratum[~fixed]).tolist():
        here = stratum == number
        weight[here & drawn] = here.sum() / max((here & drawn).sum(), 1)
    by_row = np.where(drawn[people.of_row] & kept(people), weight[people.of_row], 0)
    return Clusters(people.of_row, stratum, chance, drawn, by_row)


def everything(people: Population) -> npt.NDArray[np.bool_]:
    return np.ones(len(people.of_row), bool)


def check(people: Population, clusters: Clusters) -> dict[str, CheckResult]:
    estimator = Estimator(clusters)
    judged: list[Judged] = []
    for name, values in people.columns.items():
        nulls = values.is_null().to_numpy()
        if name == "name":
            found = list(marks.text_marks(values))
        elif name == "day":
            found = list(marks.time_marks(values.to_numpy(), nulls, has_clock=True))
        else:
            found = list(marks.number_marks(values.fill_null(0).to_numpy().astype(float), nulls))
        codes = marks.codes_of(values)
        figures = [estimator.figure(mark) for mark in [*found, *marks.category_marks(codes)]]
        distinct = estimator.distinct(codes)
        judged.append(Judged("column", name, tuple(figures + ([distinct] if distinct else []))))
    return {result.scope: result for result in judge(judged)}


def test_an_honest_draw_raises_no_alarm() -> None:
    people = make_population()
    alarms = 0
    for seed in range(RUNS):
        results = check(people, draw(people, seed, everything))
        alarms += any(result.status == "fail" for result in results.values())
    # One run in a hundred may.
    assert alarms <= 3


DEFECTS: dict[str, tuple[str, Callable[[Population], npt.NDArray[np.bool_]]]] = {
    "rows without a value are lost": ("lost", lambda p: ~p.columns["lost"].is_null().to_numpy()),
    "a category is lost": ("kind", lambda p: p.columns["kind"].to_numpy() != 2),
    "rows with accents are lost": ("name", lambda p: ~p.columns["name"].str.contains("É").to_numpy()),
    "late rows are lost": ("day", lambda p: p.columns["day"].to_numpy() < 1.6e9 + 86400 * 800),
    "Sundays are lost": ("day", lambda p: (np.floor(p.columns["day"].to_numpy() / 86400) + 3) % 7 != 6),
    "high values are lost": ("level", lambda p: p.columns["level"].to_numpy() < 2),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_what_is_taken_away_is_missed(defect: str) -> None:
    people = make_population()
    column, kept = DEFECTS[defect]
    for seed in range(5):
        results = check(people, draw(people, seed, kept))
        assert results[column].status == "fail", seed
        assert "more than chance" in results[column].message


def test_no_value_is_named() -> None:
    people = make_population()
    secret = replace(
        people, columns={"name": pl.Series(["Wilhelmina"] * 50 + ["x"] * (len(people.of_row) - 50))}
    )
    results = check(secret, draw(people, 1, lambda p: np.arange(len(p.of_row)) >= 50))
    assert results["name"].message.isascii()
    assert "Wilhelmina" not in results["name"].message


def test_everything_drawn_is_exact() -> None:
    people = make_population()
    count = len(people.size)
    clusters = Clusters(
        people.of_row,
        np.zeros(count, np.int64),
        np.ones(count),
        np.ones(count, bool),
        np.ones(len(people.of_row)),
    )
    for result in check(people, clusters).values():
        assert (result.status, result.value) == ("pass", 0)


def judged_of(count: int) -> list[Judged]:
    return [Judged("column", "x", (Figure("NULL", 0.5, 0.5, 0.1, 0.02),) * count)]


def test_a_planted_skew_is_noticed_in_every_draw() -> None:
    people = make_population()
    for seed in range(RUNS):
        result = check_planted_skew("shop.rows", draw(people, seed, everything), judged_of(500))
        assert (result.status, result.scope) == ("pass", "shop.rows")
        assert "was noticed" in result.message
        assert result.value is not None
        assert result.bound is not None
        assert result.value > result.bound > 0


def test_a_sample_that_is_skewed_itself_proves_nothing() -> None:
    people = make_population()
    marked = np.random.default_rng(HEADS).random(HEADS) < 0.5
    clusters = draw(people, 1, lambda p: ~marked[p.of_row] | (p.of_row % 4 == 0))
    result = check_planted_skew("shop.rows", clusters, judged_of(500))
    assert result.status == "fail"
    assert "where none had been planted" in result.message


def test_a_blind_estimator_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    class Blind(Estimator):
        def figure(self, mark: Mark) -> Figure:
            seen = super().figure(mark)
            return replace(seen, subset=seen.whole)

    monkeypatch.setattr(planted_skew, "Estimator", Blind)
    result = check_planted_skew("shop.rows", draw(make_population(), 1, everything), judged_of(500))
    assert result.status == "fail"
    assert "not noticed" in result.message


def test_a_draw_of_a_few_heads_says_that_it_is_too_small() -> None:
    drawn = np.arange(20) < 2
    few = Clusters(np.arange(20), np.zeros(20, np.int64), np.full(20, 0.1), drawn, np.where(drawn, 10.0, 0.0))
    result = check_planted_skew("shop.rows", few, judged_of(500))
    assert (result.status, result.value) == ("pass", None)
    assert "Too few" in result.message


@given(
    seed=st.integers(0, 2**32 - 1),
    share=st.sampled_from([0.0, 0.001, 0.3, 0.5, 0.8, 0.999, 1.0]),
    whale=st.booleans(),
)
def test_a_figure_is_what_the_formula_says(seed: int, share: float, whale: bool) -> None:
    random = np.random.default_rng(seed)
    size = random.integers(0, 6, 60)
    size[0] = 50_000 if whale else 3
    of_row = np.repeat(np.arange(60), size)
    stratum = random.integers(-1, 4, 60)
    chance = np.where(stratum < 0, random.choice([0.0, 0.25, 1.0], 60), 0.5)
    drawn = random.random(60) < chance
    weight = np.where(drawn, 2.0, 0.0)[of_row]
    marked = random.random(len(of_row)) < share
    estimator = Estimator(Clusters(of_row, stratum, chance, drawn, weight))
    assume(estimator.judges)
    figure = estimator.figure(Mark("mark", marked))
    reached = (chance > 0)[of_row]
    m = np.bincount(of_row[reached], minlength=60).astype(float)
    h = np.bincount(of_row[reached & marked], minlength=60).astype(float)
    e = h - h.sum() / m.sum() * m
    variance, moment = 0.0, 0.0
    alone = (stratum < 0) & (chance > 0) & (chance < 1)
    for number in range(4):
        here = stratum == number
        n, N = int((here & drawn).sum()), int(here.sum())
        if not n or N < 2:
            alone |= here
            continue
        gap = e[here] - e[here].mean()
        variance += N**2 * (1 / n - 1 / N) * gap @ gap / (N - 1)
        moment += (N / n - 1) * (N / n - 2) * (gap**3).sum()
    odds = (1 - chance[alone]) / chance[alone]
    variance += (odds * e[alone] ** 2).sum()
    moment += (odds * (odds - 1) * e[alone] ** 3).sum()
    close = pytest.approx
    assert figure.whole == close(h.sum() / m.sum(), abs=1e-12)
    assert figure.sd == close(variance**0.5 / m.sum(), rel=1e-6, abs=1e-9)
    if variance > 1e-6:
        assert figure.skewness == close(abs(moment) / variance**1.5, rel=1e-6, abs=1e-4)
