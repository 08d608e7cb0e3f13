"""Heads as clusters: what a statistician needs to know of the draw that chose a table's rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from parity_data.subset.plan import Sample

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Clusters:
    """A table's n rows as k clusters that were drawn as a whole.

    of_row: the cluster of each row, n numbers. stratum: of each cluster, numbered through; -1 for one that
    stands for itself. chance: of each cluster, to be drawn; 1 for what is always there, 0 for what is too
    heavy at this fraction. drawn: whether it was. weight: of each row, how many rows of production it stands
    for; 0 when it is not part of the sample. thinning: share of the chosen clusters' rows that were kept.
    """

    of_row: Ints
    stratum: Ints
    chance: Floats
    drawn: npt.NDArray[np.bool_]
    weight: Floats
    thinning: float = 1.0

    @property
    def count(self) -> int:
        return len(self.chance)


def clusters_of(sample: Sample) -> Clusters | None:
    """The clusters of a sampled table; None where rows were not drawn but kept for what refers to them."""
    draw, unit = sample.drawn_by, sample.unit
    if draw is None or unit is None:
        return None
    heads = len(draw.odds)
    first = np.full(heads, -1, np.int64)
    first[unit] = np.arange(len(unit))  # any row of the head tells its stratum
    numbers = np.flatnonzero(first >= 0)
    first = first[numbers]
    place = np.empty(heads, np.int64)
    place[numbers] = np.arange(len(numbers))
    starts = np.sort(np.array(list(draw.heads.start.values()), np.int64))
    table = np.searchsorted(starts, numbers, side="right")
    stratum = sample.stratum[first].astype(np.int64)
    # Strata are counted within the table of their heads, and heads of several tables may lead one's rows.
    several = table * (int(stratum.max(initial=0)) + 1) + stratum
    return Clusters(
        place[unit],
        np.where(stratum < 0, -1, several),
        draw.odds[numbers].astype(np.float64),
        draw.weight[numbers] > 0,
        sample.weight.astype(np.float64),
        sample.thinning,
    )
