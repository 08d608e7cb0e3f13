"""A refresh killed anywhere: the old release serves on, the next refresh is clean."""

from __future__ import annotations

import signal

import pytest
from fix_release import FaultRunner, Staging, Watch

POINTS = {
    "after the snapshot": "old",
    "in pre-data": "old",
    "in the first chunk": "old",
    "in the middle chunk": "old",
    "in the last chunk": "old",
    "in post-data": "old",
    "in ANALYZE": "old",
    "in the checks": "old",
    "before the swap": "old",
    "within the swap": "old",
    "after the swap": "new",
    "in the clean-up": "new",
}


#: Where most can go wrong; the others are tried where time matters less.
QUICK = ("in the middle chunk", "within the swap", "after the swap")


@pytest.mark.parametrize(
    "point", [pytest.param(p, marks=() if p in QUICK else pytest.mark.slow) for p in POINTS]
)
def test_killed_at(point: str, long_lived: Staging, faults: FaultRunner) -> None:
    old = long_lived.serves()
    new = long_lived.next_edition()
    with Watch(long_lived.target) as watch:
        outcome = faults.run(long_lived.settings, point=point)
        assert outcome.status == -signal.SIGKILL, outcome.text
        assert long_lived.serves() == (old if POINTS[point] == "old" else new)
        long_lived.refresh()
    assert not watch.wrong
    assert set(watch.seen) <= {old, new}
    assert watch.seen[-1] == new
    assert long_lived.serves() == new
    long_lived.assert_clean()
