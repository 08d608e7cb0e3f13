"""From a wanted size to the fraction that gives it."""

from __future__ import annotations

from collections.abc import Callable

#: Halvings; 14 settle the fraction to 0.006 %.
_HALVINGS = 14


def fraction_for_bytes(wanted: float, size: Callable[[float], float]) -> float:
    """The greatest fraction whose subset is not above ``wanted`` bytes, at most 1.

    size: bytes at a fraction; it never falls as the fraction rises, since subsets are nested.
    """
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if size(middle) <= wanted:
            low = middle
        else:
            high = middle
    return max(low, 1e-4)
