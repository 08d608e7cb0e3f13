"""A canary for the sample link: a skew that is planted in a shadow of the run's own sample, and must fail.

Half of a table's heads get a mark at random. Among the chosen rows, as many of those that bear it are then
taken for lost as make a difference of twice what the checks let pass; the same mark is left alone beside it.
The first must fail and the second must not: then the strata, chances and weights of this run are such that a
difference in staging would have been seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from parity_data.subset.clusters import Clusters
from parity_data.verify.result import CheckResult
from parity_data.verify.sample import Estimator, Figure, Judged, Mark, alarm_of_each

NAME = "planted_skew"
#: Of what is let pass: chance alone never makes up for it, unless the run is a false alarm anyway.
_TIMES = 2.0


def check_planted_skew(scope: str, clusters: Clusters, judged: Sequence[Judged]) -> CheckResult:
    """'planted_skew' of one table: value the planted difference, bound the largest that is let pass.

    scope: the table's name. judged: all that is judged in the run, whose bound is meant.
    """
    alarm = alarm_of_each(judged)
    marked = np.random.default_rng(clusters.count).random(clusters.count) < 0.5
    mark = Mark("planted", marked[clusters.of_row])
    clean = _figure(clusters, mark)
    size = _TIMES * clean.bound(alarm)
    left = clean.subset - size
    if left <= 0:
        what = f"Too few were drawn to plant a skew that would be seen: one of {size:.0%} would be needed."
        return CheckResult(NAME, scope, "pass", None, None, what)
    # Of the marked rows as many are lost as leave their share ``left``.
    keep = left * (1 - clean.subset) / (clean.subset * (1 - left))
    skewed = _figure(replace(clusters, weight=np.where(mark.rows, keep, 1.0) * clusters.weight), mark)
    if clean.fails(alarm):
        what = "A skew was reported where none had been planted."
    elif not skewed.fails(alarm):
        what = "A planted skew was not noticed."
    else:
        what = f"A planted skew of {size * 100:.2g} points was noticed, and none where none was planted."
        return CheckResult(NAME, scope, "pass", round(size, 6), round(size / _TIMES, 6), what)
    what += " What the checks of this run say of distributions proves nothing."
    return CheckResult(NAME, scope, "fail", round(size, 6), round(size / _TIMES, 6), what)


def _figure(clusters: Clusters, mark: Mark) -> Figure:
    return Estimator(clusters).figure(mark)
