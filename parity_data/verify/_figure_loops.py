"""Compiled: variance and third moment of a share of a stratified cluster sample; see ``sample``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from parity_data.compiled import compiled

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]


@compiled
def spread_of(
    marked: Marks, fewer: bool, share: float, of_row: Ints, sizes: Floats,
    free: Ints, stratum: Ints, heads: Floats, powers: Floats, factor: Floats, third: Floats,
    alone: Ints, alone_factor: Floats,
) -> tuple[float, float]:  # fmt: skip
    """What the draw does to a count of rows that bear a mark, of n rows in k clusters.

    marked, of_row: by row. fewer: which of marked and not marked rows are the fewer; share: theirs of all
    rows. sizes: rows by cluster. free: clusters drawn within strata; stratum: of each of them; heads, factor,
    third: by stratum; powers: 3 x strata, sums of their sizes, of the squares and of the cubes. alone:
    clusters that stand for themselves, with alone_factor, (1 - p) / p. Returns variance and third moment,
    without its sign, of the estimated number of rows less its expectation.

    With h of a cluster's m rows and a share of P, e = h - P m. Sums of e, e^2 and e^3 are those of products
    of h and m, of which most are zero: rows without the mark are counted where they are the fewer, whose e
    are the same but for their sign. So no large parts cancel out.
    """
    bearing = np.zeros(sizes.size)
    for i in range(marked.size):
        if marked[i] == fewer:
            bearing[of_row[i]] += 1.0
    sums = np.zeros((6, heads.size))
    for i in range(free.size):
        h = bearing[free[i]]
        if h > 0.0:
            m, at = sizes[free[i]], stratum[i]
            sums[0, at] += h
            sums[1, at] += h * m
            sums[2, at] += h * m * m
            sums[3, at] += h * h
            sums[4, at] += h * h * m
            sums[5, at] += h * h * h
    variance, moment = 0.0, 0.0
    for i in range(heads.size):
        e = sums[0, i] - share * powers[0, i]
        squares = sums[3, i] - 2.0 * share * sums[1, i] + share**2 * powers[1, i]
        cubes = sums[5, i] - 3.0 * share * sums[4, i] + 3.0 * share**2 * sums[2, i] - share**3 * powers[2, i]
        centre = e / max(heads[i], 1.0)
        scatter = max(squares - centre * e, 0.0)
        variance += factor[i] * scatter / max(heads[i] - 1.0, 1.0)
        moment += third[i] * (cubes - 3.0 * centre * squares + 2.0 * centre * centre * e)
    for i in range(alone.size):
        own = bearing[alone[i]] - share * sizes[alone[i]]
        # A head with chance p adds p (1 - p) (1 - 2p) of the cube of what it stands for.
        variance += alone_factor[i] * own * own
        moment += alone_factor[i] * (alone_factor[i] - 1.0) * own * own * own
    return variance, abs(moment)
