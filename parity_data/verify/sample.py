"""Whether the chosen rows stand for all rows: statistics of a stratified cluster sample, judged as a whole.

Every figure is a share: of rows that bear a mark (is NULL; lies at or below a quantile; falls on a Sunday).
All rows of production were looked at, so the share among them is known, and so is the variance of its
estimate from the subset: heads are drawn as a whole within strata, at known rates. With e_i = h_i - P m_i,
for head i with m_i rows of which h_i bear the mark, and N heads of which n were drawn in a stratum,

    V = sum over strata of N^2 (1/n - 1/N) s_e^2 / M^2

(ratio estimator, linearised: Sarndal, Swensson, Wretman, Model Assisted Survey Sampling, 1992, 5.6-5.7).
Tests that take rows for independent raise false alarms in nearly every run of such samples.

One bound for the whole run: with J figures, each may raise a false alarm with a chance of a = ALARM / 2J
(Bonferroni). |D| may be z + (z^2 - 1) g / 6 standard errors, z the normal quantile of a, g the skewness:
a few heavy heads reach further than the normal curve does (Cornish, Fisher, Moments and Cumulants in the
Specification of Distributions, 1938). Values that are missing are rare events: as many may be missing as
the quantile of Poisson's distribution at a. A figure fails only beyond that *and* beyond the tolerance of its
kind.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from parity_data.subset.clusters import Clusters
from parity_data.subset.labels import distinct
from parity_data.verify._chance import poisson_quantile
from parity_data.verify._figure_loops import spread_of
from parity_data.verify.result import CheckResult

Marks = npt.NDArray[np.bool_]

#: Chance of any false alarm in a whole run.
ALARM = 0.005
#: Difference of a share that matters. NULLs and references are exact on both sides, so less is allowed.
SHARE, NULL_SHARE = 0.02, 0.005
#: Difference of a count, relative to it.
COUNT = 0.02
#: Power at which the smallest visible difference is meant: 80 %.
_POWER = 0.84


@dataclass(frozen=True)
class Mark:
    """Rows that bear a mark. label: which, in words that hold no value of production. rows: n booleans."""

    label: str
    rows: Marks
    tolerance: float = SHARE


@dataclass(frozen=True)
class Figure:
    """A share, or a number of values, in production and as the subset tells it; sd: of the latter by chance.

    skewness: of a share as the subset tells it. missing: how many of the values are expected to be.
    """

    label: str
    whole: float
    subset: float
    sd: float
    tolerance: float
    skewness: float = 0.0
    missing: float | None = None

    @property
    def is_share(self) -> bool:
        return self.missing is None

    @property
    def difference(self) -> float:
        """Of shares absolute, of numbers relative to production's."""
        gap = abs(self.subset - self.whole)
        return gap if self.is_share else gap / max(self.whole, 1.0)

    @property
    def spread(self) -> float:
        """The standard error in the unit of the difference."""
        return self.sd if self.is_share else self.sd / max(self.whole, 1.0)

    def chance(self, alarm: float, power: float = 0.0) -> float:
        """The difference that chance exceeds with a probability of ``alarm`` at most.

        power: standard errors more.
        """
        z = NormalDist().inv_cdf(1 - alarm)
        reach = (z + (z * z - 1) * self.skewness / 6 + power) * self.spread
        if self.missing is None:
            return reach
        rare = poisson_quantile(self.missing, alarm) - self.missing
        return max(reach, rare / max(self.whole, 1.0))

    def bound(self, alarm: float) -> float:
        """The largest difference that is let pass."""
        return max(self.chance(alarm), self.tolerance)

    def fails(self, alarm: float) -> bool:
        """Whether it differs by more than chance and the tolerance allow."""
        return self.difference > self.bound(alarm)


@dataclass(frozen=True)
class Judged:
    """All figures of one column, one reference or one table. name: of the check."""

    name: str
    scope: str
    figures: tuple[Figure, ...]


class Estimator:
    """Shares of one table's rows, with their standard errors."""

    def __init__(self, clusters: Clusters) -> None:
        self.clusters = clusters
        #: Rows that the draw could have reached; those of heads that are too heavy stay out of every figure.
        self._reached = (clusters.chance > 0)[clusters.of_row]
        self.left_out = int(len(self._reached) - self._reached.sum())
        self._of_reached = clusters.of_row[self._reached] if self.left_out else clusters.of_row
        self._sizes = np.bincount(self._of_reached, minlength=clusters.count).astype(np.float64)
        self._rows = float(self._sizes.sum())
        self._chosen = np.flatnonzero(clusters.weight)
        self._chosen_weight = clusters.weight[self._chosen]
        self._weights = float(self._chosen_weight.sum())
        free = (clusters.stratum >= 0) & (clusters.chance < 1)
        strata, self._at, _ = distinct(clusters.stratum[free])
        self._free = np.flatnonzero(free)
        count = len(strata)
        heads = np.bincount(self._at, minlength=count).astype(np.float64)
        drawn = np.bincount(self._at[clusters.drawn[self._free]], minlength=count).astype(np.float64)
        self._spoken = (drawn > 0) & (heads > 1)
        self._heads = heads
        own = self._sizes[self._free]
        self._powers = np.stack([np.bincount(self._at, own**n, count).astype(np.float64) for n in (1, 2, 3)])
        self._factor = np.where(
            self._spoken, heads**2 * (1 / np.maximum(drawn, 1) - 1 / np.maximum(heads, 1)), 0
        )
        worth = np.where(self._spoken, heads / np.maximum(drawn, 1), 1)
        self._third = (worth - 1) * (worth - 2)
        # Heads outside strata, and in strata of which none was drawn: each for itself.
        alone = (clusters.stratum < 0) & (clusters.chance > 0) & (clusters.chance < 1)
        alone[self._free[~self._spoken[self._at]]] = True
        self._alone = np.flatnonzero(alone)
        chance = np.clip(clusters.chance[self._alone], 1e-6, 1)
        self._alone_factor = (1 - chance) / chance

    @property
    def judges(self) -> bool:
        """Whether the sample holds any row to judge by."""
        return self._weights > 0 and self._rows > 0

    def figure(self, mark: Mark) -> Figure:
        """The share of rows that bear the mark."""
        clusters = self.clusters
        marked = mark.rows[self._reached] if self.left_out else mark.rows
        rows = int(np.count_nonzero(marked))
        weight = float(self._chosen_weight[mark.rows[self._chosen]].sum())
        whole = rows / self._rows
        fewer = whole <= 0.5
        share = whole if fewer else (self._rows - rows) / self._rows
        variance, moment = spread_of(
            marked, fewer, share, self._of_reached, self._sizes,
            self._free, self._at, self._heads, self._powers, self._factor, self._third,
            self._alone, self._alone_factor,
        )  # fmt: skip
        thinning = clusters.thinning
        if thinning < 1:
            variance += (1 - thinning) / thinning * whole * (1 - whole) * self._weights
        sd = math.sqrt(variance) / self._rows
        skewness = moment / max((sd * self._rows) ** 3, 1e-300)
        return Figure(mark.label, whole, weight / self._weights, sd, mark.tolerance, skewness)

    def rows(self, fraction: float, rows: int) -> Figure:
        """The share of the table's rows that was chosen. rows: how many, without completed ones."""
        chance, total = self.clusters.chance, len(self.clusters.of_row)
        variance = float((chance * (1 - chance) * self._sizes**2).sum())
        moment = float((chance * (1 - chance) * (1 - 2 * chance) * self._sizes**3).sum())
        skewness = abs(moment) / max(variance**1.5, 1e-300)
        sd = math.sqrt(variance) / total
        return Figure("rows of the subset", fraction, rows / total, sd, 0.01, skewness)

    def distinct(self, codes: npt.NDArray[np.int64]) -> Figure | None:
        """Different values among the chosen rows, against their expectation.

        codes: of each row's value, 0 to d - 1, -1 for NULL. A value is there unless none of its heads was
        drawn; never a fraction of all values. None where every row has a value of its own. The standard
        error is Efron's and Stein's bound: what each head brings that no other does.
        """
        clusters = self.clusters
        there = (codes >= 0) & self._reached
        count = int(codes.max(initial=-1)) + 1
        if not count or count == int(there.sum()) or clusters.thinning < 1:
            return None
        pairs = np.sort(codes[there] * clusters.count + clusters.of_row[there])
        pairs = pairs[np.flatnonzero(np.diff(pairs, prepend=-1))]
        value, head = pairs // clusters.count, pairs % clusters.count
        sure = clusters.chance[head] >= 1
        absence = np.log1p(-np.where(sure, 0, clusters.chance[head]))
        certain = np.bincount(value[sure], minlength=count) > 0
        missing = np.where(certain, 0, np.exp(np.bincount(value, absence, minlength=count)))
        alone = np.where(sure | certain[value], 0, missing[value] / np.exp(absence))
        brought = np.bincount(head, alone, minlength=clusters.count)
        chance = clusters.chance
        deviation = math.sqrt(float((chance * (1 - chance) * brought**2).sum()))
        seen = np.count_nonzero(np.bincount(codes[there & (clusters.weight > 0)]))
        known = np.bincount(value, minlength=count) > 0
        lacking = float(missing[known].sum())
        expected = np.count_nonzero(known) - lacking
        return Figure("different values", expected, float(seen), deviation, COUNT, missing=lacking)


def alarm_of_each(judged: Sequence[Judged]) -> float:
    """Chance of a false alarm that each figure of a run is allowed, to either side."""
    return ALARM / (2 * max(sum(len(one.figures) for one in judged), 1))


def judge(judged: Sequence[Judged]) -> Iterator[CheckResult]:
    """One verdict for each, all under one bound for the run."""
    alarm = alarm_of_each(judged)
    for one in judged:
        if one.figures:
            yield _verdict(one, alarm)


def _verdict(one: Judged, alarm: float) -> CheckResult:
    worst = max(one.figures, key=lambda f: f.difference / max(f.bound(alarm), 1e-12))
    failed = sum(f.fails(alarm) for f in one.figures)
    shares = [f for f in one.figures if f.is_share] or one.figures
    visible = max(shares, key=lambda f: f.spread / f.tolerance)
    seen = max(visible.chance(alarm, _POWER), visible.tolerance)
    message = _words(worst)
    if failed:
        message += " That is more than chance and the tolerance allow"
        message += (
            f", and so it is with {failed - 1} more of {len(one.figures)} figures." if failed > 1 else "."
        )
    else:
        blind = seen > visible.tolerance
        gap = _gap(seen, visible) + (f" in any of {len(shares)} shares" if len(shares) > 1 else "")
        message += (
            f" Too small to tell: a difference of less than {gap} can go unseen."
            if blind
            else f" A difference of {gap} would have been seen."
        )
    return CheckResult(
        one.name,
        one.scope,
        "fail" if failed else "pass",
        round(worst.difference, 6),
        round(worst.bound(alarm), 6),
        message,
    )


def _words(figure: Figure) -> str:
    if figure.is_share:
        whole = f"{figure.label}: {figure.whole:.2%} in production"
        return f"{whole}, {figure.subset:.2%} estimated from the subset."
    return f"{figure.label}: {figure.whole:,.0f} expected in the subset, {figure.subset:,.0f} there."


def _gap(difference: float, figure: Figure) -> str:
    return f"{difference * 100:.2g} points" if figure.is_share else f"{difference:.1%}"


def null_mark(nulls: Marks) -> Mark:
    """Rows without a value."""
    return Mark("NULL", nulls, NULL_SHARE)
