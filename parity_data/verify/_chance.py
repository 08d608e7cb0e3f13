"""How many matches chance explains."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import polars as pl

from parity_data.verify._words import Words

#: Chance of any false alarm in a whole run: small, since expectations are estimates, and a value that the
#: masks left as it was is found exactly, row by row, and not here.
ALARM = 0.002

#: Real values crowd on fewer shapes than the estimate of their number supposes.
SAFETY = 3.0

#: Characters that are independent and so common that each holds ten possibilities on average: the
#: geometric mean of five vowels and 21 consonants, and of the ten digits.
_PER_CHARACTER = 10.0
_SAMPLE = 20_000
_ENOUGH = 100
_FEW_POINTS = 0x1000


def expected(candidates: float, values: int, space: float, characters: int) -> float:
    """Chance hits among ``candidates`` on ``values`` production values of that many characters.

    space: how many values a mask could have made; at most ten for each character are supposed.
    """
    return SAFETY * candidates * values / min(space, _PER_CHARACTER ** min(characters, 300))


class Bar:
    """How many hits are allowed where some are expected, so that a run of no leak rarely raises an alarm.

    Half of ALARM is spent where chance hits are least likely: there no hit is allowed at all, and the
    sum of the expectations bounds the risk. The rest is shared among the others (Bonferroni).
    """

    def __init__(self, expectations: list[float]) -> None:
        """expectations: of every group that is compared, hit or not."""
        ordered = np.sort(np.array(expectations, dtype=np.float64))
        cheap = int(np.searchsorted(np.cumsum(ordered), ALARM / 2, side="right"))
        self._least = float(ordered[cheap - 1]) if cheap else 0.0
        self._alarm = ALARM / 2 / max(1, ordered.size - cheap)

    def allows(self, expectation: float) -> int:
        """The largest number of hits that chance explains."""
        return 0 if expectation <= self._least else poisson_quantile(expectation, self._alarm)


def poisson_quantile(mean: float, alarm: float) -> int:
    """The smallest count that Poisson(mean) exceeds with a probability of at most ``alarm``."""
    if mean > 500:
        # Beyond that the normal approximation is close; six deviations are 1e-9.
        return math.ceil(mean + 6 * math.sqrt(mean) + 6)
    term = math.exp(-mean)
    count = 0
    # The tail itself is summed: 1 - P(X <= count) would lose its digits.
    while _tail(mean, count, term) > alarm:
        count += 1
        term *= mean / count
    return count


def _tail(mean: float, count: int, term: float) -> float:
    """P(X > count), given term = P(X = count)."""
    total = 0.0
    for k in range(count + 1, count + 1000):
        term *= mean / k
        total += term
        if k > mean and term < 1e-18:
            break
    return total


def space(words: Words, first: npt.NDArray[np.int64], size: int, *, figures: bool = False) -> float:
    """How many values a mask could have made that look like these texts of ``size`` words.

    first: the first word of each. The product over character positions of the perplexity seen there, so
    that a kept beginning or a fixed domain counts for nothing. Where the texts are too few to tell, ten
    for each character; of figures for every other one, since masks keep countries, areas and networks.
    """
    supposed = 0.5 if figures else 1.0
    first = first[:_SAMPLE]
    total = 0.0
    for i in range(size):
        lengths = words.lengths[first + i]
        # Of words of several lengths in one place the commonest length stands for all.
        length = int(np.bincount(lengths).argmax())
        same = first[lengths == length] + i
        if same.size >= _ENOUGH:
            total += _position_entropy(words.spelled(same), length)
        else:
            total += supposed * length
    return float(_PER_CHARACTER ** min(total, 300.0))


def _position_entropy(texts: pl.Series, length: int) -> float:
    """Sum over positions of the entropy in decimal digits, of texts of the same length."""
    raw = texts.str.join().item().encode("utf-32-le")
    table = np.frombuffer(raw, dtype=np.uint32).reshape(len(texts), length)
    total = 0.0
    for position in range(length):
        share = _seen(table[:, position]) / len(texts)
        total += float(-(share * np.log10(share)).sum())
    return total


def _seen(points: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
    """How often each of the code points occurs that do, in their order."""
    if int(points.max()) < _FEW_POINTS:
        # Counting is faster than sorting.
        counts = np.bincount(points)
        return counts[counts > 0]
    return np.unique(points, return_counts=True)[1]
