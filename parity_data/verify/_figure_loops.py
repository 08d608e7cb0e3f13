"""Compiled: one share of a stratified cluster sample, with its variance and third moment; see ``sample``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from parity_data.compiled import compiled

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]


@compiled
def share_of(
    marked: Marks, reached: Marks, of_row: Ints, weight: Floats, sizes: Floats,
    free: Ints, stratum: Ints, heads: Floats, factor: Floats, third: Floats,
    alone: Ints, alone_factor: Floats,
) -> tuple[float, float, float, float]:  # fmt: skip
    """Of n rows in k clusters: rows that bear a mark, their weight, and what the draw does to the former.

    marked, reached, of_row, weight: by row. sizes: reached rows by cluster. free: clusters drawn within
    strata; stratum: of each of them; heads, factor, third: by stratum. alone: clusters that stand for
    themselves, with alone_factor, (1 - p) / p. Returns (rows, weight, variance and third moment of the
    estimated number of rows less its expectation).
    """
    bearing = np.zeros(sizes.size)
    rows, weighed, all_rows = 0.0, 0.0, 0.0
    for i in range(marked.size):
        if marked[i]:
            weighed += weight[i]
            if reached[i]:
                bearing[of_row[i]] += 1.0
                rows += 1.0
    for i in range(sizes.size):
        all_rows += sizes[i]
    share = rows / all_rows
    for i in range(sizes.size):
        bearing[i] -= share * sizes[i]
    centre, scatter, cubes = np.zeros(heads.size), np.zeros(heads.size), np.zeros(heads.size)
    for i in range(free.size):
        centre[stratum[i]] += bearing[free[i]]
    for i in range(heads.size):
        centre[i] /= max(heads[i], 1.0)
    for i in range(free.size):
        gap = bearing[free[i]] - centre[stratum[i]]
        scatter[stratum[i]] += gap * gap
        cubes[stratum[i]] += gap * gap * gap
    variance, moment = 0.0, 0.0
    for i in range(heads.size):
        variance += factor[i] * scatter[i] / max(heads[i] - 1.0, 1.0)
        moment += third[i] * cubes[i]
    for i in range(alone.size):
        own = bearing[alone[i]]
        # A head with chance p adds p (1 - p) (1 - 2p) of the cube of what it stands for.
        variance += alone_factor[i] * own * own
        moment += alone_factor[i] * (alone_factor[i] - 1.0) * own * own * own
    return rows, weighed, variance, moment
