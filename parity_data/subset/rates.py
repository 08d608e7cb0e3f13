"""How often the rows of each stratum are drawn, so that every table's total stays at the fraction.

Quotas take rows of their own; what is left to draw is tilted so that counts of heads and of every owned
table still add up: calibration (Deville and Sarndal 1992) with rates ``r = g exp(q l)``. Its instruments q
grow with the logarithm of a head's size up to a limit, so that heavy strata are not the first to vanish.
Rates are made for a fixed grid of fractions and never fall from one to the next, so that a smaller subset
lies inside a larger one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: The fractions at which totals are met exactly; between them rates are interpolated.
GRID: Floats = (
    np.array([1, 2, 5, 10, 20, 50, 100, 150, 200, 250, 300, 400, 500, 600, 700, 800, 900, 1000]) / 1000
)
#: Where the instruments end, in doublings of the mean size.
_LIMIT = 3.0
#: Rates stay within these multiples of the fraction.
_LEAST, _MOST = np.log(1 / 5), np.log(3.0)
_STEPS = 40
#: What the calibration pays for a unit of w, in shares of a total.
_PENALTY = 0.003


def make_rates(counts: Floats, sizes: Floats, targets: Floats) -> Floats:
    """Rates by grid point and stratum, in [0, 1], never falling along the grid, 1 at its end.

    counts: heads by stratum. sizes: (strata, k) mean rows of each of k totals by head; the first of them is
    the number of heads, so 1. targets: (grid, k) totals to reach.
    """
    strata = len(counts)
    rates = np.ones((len(GRID), strata))
    if not strata:
        return rates
    whole = counts @ sizes
    means = whole / counts.sum()
    useful = means > 0
    z = sizes[:, useful] / means[useful]
    share = counts / counts.sum()
    q = np.minimum(np.log2(1 + z), _LIMIT)
    for i in range(len(GRID) - 2, -1, -1):
        wanted = np.maximum(targets[i, useful] / whole[useful], 0.0) / GRID[i]
        rates[i] = GRID[i] * _solve(z, q, share, wanted, rates[i + 1] / GRID[i])
    return rates


def _solve(z: Floats, q: Floats, share: Floats, wanted: Floats, most: Floats) -> Floats:
    """Factors exp(q w), within bounds, for which sum share exp(q w) z comes as near to ``wanted`` as it can.

    most: the greatest factor of each stratum. Newton's method with damping and a small penalty on w, so that
    totals that hardly differ do not tear at each other.
    """
    weight = best = move = np.zeros(len(wanted))
    best_error, step = np.inf, 1.0
    least, most = np.minimum(np.exp(_LEAST), most), np.minimum(np.exp(_MOST), most)
    made = np.ones(len(share))
    for _ in range(_STEPS):
        free = np.exp(np.clip(q @ weight, -50, 50))
        factor = np.clip(free, least, most)
        error = (share * factor) @ z - wanted + _PENALTY * weight
        size = float(np.abs(error).max())
        if size < best_error:
            best, made, best_error, step = weight, factor, size, min(1.0, 2 * step)
            slope = (z * (share * factor * (free == factor))[:, None]).T @ q + _PENALTY * np.eye(len(wanted))
            move = np.linalg.lstsq(slope, error, rcond=None)[0]
        else:
            step /= 2
        if best_error < 1e-6 or step < 1e-3:
            break
        weight = best - step * move
    return np.asarray(made)


def interpolate(rates: Floats, fraction: float) -> Floats:
    """Rates by stratum at one fraction, from those of the grid."""
    if fraction >= 1:
        return np.ones(rates.shape[1])
    upper = int(np.searchsorted(GRID, fraction, side="left"))
    above, high = rates[upper], float(GRID[upper])
    if upper == 0:
        return np.asarray(above * (fraction / high))
    if high == fraction:
        return np.asarray(above)
    below, low = rates[upper - 1], float(GRID[upper - 1])
    return np.asarray(below + (above - below) * ((fraction - low) / (high - low)))


def next_on_grid(fraction: Floats) -> Floats:
    """The least grid point that is not below, 1 at most."""
    at = np.minimum(np.searchsorted(GRID, fraction - 1e-12, side="left"), len(GRID) - 1)
    return np.asarray(GRID[at])
