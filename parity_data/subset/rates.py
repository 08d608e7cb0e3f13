"""How often the rows of each stratum are drawn, so that every table's total stays at the fraction.

Quotas take rows of their own; what is left to draw is tilted so that counts of heads and of every owned
table still add up: calibration (Deville and Sarndal 1992) with rates ``r = g exp(q l)``. Its instruments
q grow with a head's size up to a limit. Where quotas leave little, a low limit thins all strata alike and
bends the distribution of sizes; a high one spares small heads, which are most, and takes from the largest,
whose rows the quotas stand for. So the limit is chosen that bends least, among those that meet the totals.

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
#: Where the instruments end, in multiples of the mean size; the first grows with the logarithm instead.
_LIMITS = (0.0, 8.0, 40.0, 200.0)
#: With fewer strata there is no distribution to speak of.
_ENOUGH = 8
#: Error of a total, and distance of a distribution, that weigh alike: shares.
_ERROR, _DISTANCE = 0.004, 0.008
#: The fraction at which nothing but the totals binds the rates.
_MIDDLE = int(np.searchsorted(GRID, 0.1))
#: Rates stay within these multiples of the fraction.
_LEAST, _MOST = np.log(1 / 5), np.log(3.0)
_STEPS = 40
#: How far a total may be off to keep the rest in shape: share of the table, and share of what is planned.
_SLACK, _SLACK_OF_PLAN = 0.004, 0.08
_SWEEPS = 100
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
    orders = np.argsort(z, axis=0, kind="stable")
    wanted = np.maximum(targets[:, useful] / whole[useful], 0.0) / GRID[:, None]
    none, all_heads = np.zeros(strata), np.ones(strata)
    # From the middle outwards: what quotas force upon one end must not spoil the fractions that are in use.
    for i in range(_MIDDLE, len(GRID) - 1):
        below = rates[i - 1] if i > _MIDDLE else none
        rates[i] = GRID[i] * _best(z, share, orders, wanted[i], below / GRID[i], all_heads / GRID[i])
    for i in range(_MIDDLE - 1, -1, -1):
        rates[i] = GRID[i] * _best(z, share, orders, wanted[i], none, rates[i + 1] / GRID[i])
    return rates


def even_out(targets: Floats) -> Floats:
    """Targets (grid, k) as shares of each total, with steps as even as some slack allows, and never falling.

    A heavy head that comes in leaves little to draw between two fractions: what is drawn in addition there
    would be small heads only. The path of least slope changes within the slack is a taut string, found as the
    minimum of ``sum dt^2 / df`` between bounds.
    """
    targets = np.maximum.accumulate(np.maximum(targets, 0), axis=0)
    slack = np.minimum(_SLACK, _SLACK_OF_PLAN * GRID)[:, None]
    low, high = np.maximum(targets - slack, 0), targets + slack
    low[-1] = high[-1] = targets[-1]
    path = np.vstack([np.zeros(targets.shape[1]), targets])
    step = np.diff(np.concatenate([[0.0], GRID]))
    left, right = (step[1:] / (step[1:] + step[:-1]))[:, None], (step[:-1] / (step[1:] + step[:-1]))[:, None]
    for _ in range(_SWEEPS):
        for odd in (0, 1):
            middle = path[:-2] * left + path[2:] * right
            path[1 + odd : -1 : 2] = np.clip(middle, low[:-1], high[:-1])[odd::2]
    return path[1:]


def _best(
    z: Floats, share: Floats, orders: npt.NDArray[np.intp], wanted: Floats, least: Floats, most: Floats
) -> Floats:
    """Factors by stratum that meet the totals and bend the distributions of sizes least."""
    best, found = np.inf, np.ones(len(share))
    for limit in _LIMITS if len(share) >= _ENOUGH else _LIMITS[:1]:
        q = np.minimum(z, limit) if limit else np.minimum(np.log2(1 + z), 3.0)
        made = _solve(z, q, share, wanted, least, most)
        loss = float(np.abs((share * made) @ z - wanted).max()) / _ERROR
        loss = max(loss, _distance(made, share, orders) / _DISTANCE)
        if loss < best:
            best, found = loss, made
        if best <= 1:
            break
    return found


def _distance(made: Floats, share: Floats, orders: npt.NDArray[np.intp]) -> float:
    """How far the distributions of sizes move, as their greatest Kolmogorov-Smirnov distance."""
    kept = share * made
    moved = (kept / max(kept.sum(), 1e-12) - share)[orders]
    return float(np.abs(np.cumsum(moved, axis=0)).max(initial=0))


def _solve(z: Floats, q: Floats, share: Floats, wanted: Floats, least: Floats, most: Floats) -> Floats:
    """Factors exp(q w), within bounds, for which sum share exp(q w) z comes as near to ``wanted`` as it can.

    least, most: bounds of each stratum's factor. Newton's method with damping and a small penalty on w, so
    that totals that hardly differ do not tear at each other.
    """
    weight = best = move = np.zeros(len(wanted))
    best_error, step = np.inf, 1.0
    least = np.maximum(least, np.minimum(np.exp(_LEAST), most))
    most = np.maximum(least, np.minimum(np.exp(_MOST), most))
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
