"""When heavy heads come in: one of them can be larger than all that is planned.

Totals are met at the grid's fractions, and the rest that is drawn may never shrink from one to the next, or a
smaller subset would not lie inside a larger one. So a heavy head comes in at the first grid point where the
budget has room for it and the rest still grows; between grid points, where half of it is missing. All but the
heaviest never bring more than their own share, or the rest would be drawn out of proportion.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from parity_data.subset.rates import GRID

Floats = npt.NDArray[np.float64]


def exceeds(share: float, budget: float, fraction: float) -> bool:
    """Whether the heaviest heads are too large to be made up for.

    share: what they bring of the table that they weigh most in; all tables of the tree are judged alike, so
    that their ratios stay.
    """
    return share > budget * fraction


def admissions(parts: Floats, fixed: npt.NDArray[np.bool_], place: Floats, budget: float) -> Floats:
    """The fraction from which on each heavy head is kept; 2 for never as a quota.

    parts: (heads, k) share of each of k tables that a head brings, the heaviest head first. fixed: kept at
    every fraction. place: the fraction from which on the draw keeps it.
    """
    entry = np.full(len(parts), 2.0)
    entry[fixed] = 0.0
    always, whole = parts[fixed].sum(axis=0), parts.sum(axis=0)
    before, rest, last = always.copy(), np.zeros(parts.shape[1]), 0.0
    for fraction in GRID.tolist():
        inside = (entry <= last) | (place <= fraction)
        brought = parts[inside].sum(axis=0)
        over = exceeds(float(always.max(initial=0)), budget, fraction)
        room = np.minimum(np.minimum(budget, whole) * fraction, fraction - rest)
        if over:
            room = always + fraction * (whole - always)
        fresh: list[int] = []
        for head in np.flatnonzero(~inside).tolist():
            if (brought + parts[head] > room).any():
                continue
            brought = brought + parts[head]
            entry[head] = fraction
            fresh.append(head)
        drawn = fraction * (1 - always) - (brought - always) if over else fraction - brought
        drawn = np.maximum(drawn, rest)
        _spread(entry, parts, fresh, (last, fraction), (before, brought), (rest, drawn))
        before, rest, last = brought, drawn, fraction
    return entry


def _spread(
    entry: Floats,
    parts: Floats,
    fresh: list[int],
    fractions: tuple[float, float],
    brought: tuple[Floats, Floats],
    rest: tuple[Floats, Floats],
) -> None:
    """Let each of the fresh in where the total lacks half of it, in the table that it is heaviest in."""
    low, high = fractions
    sum_so_far = brought[0].copy()
    for head in fresh:
        table = int(parts[head].argmax())
        slope = (rest[1][table] - rest[0][table]) / (high - low)
        wanted = sum_so_far[table] + parts[head][table] / 2 + rest[0][table] - low * slope
        at = wanted / (1 - slope) if slope < 1 else high
        entry[head] = min(max(at, np.nextafter(low, 1)), high)
        sum_so_far += parts[head]
