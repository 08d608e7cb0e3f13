"""Profiles as small pictures: production beside staging, as hand-written SVG.

Production is an open bar or a continuous line, staging a filled bar or a dashed line, so that they are told
apart without colour. No axis bears a value. What a picture shows stands in words beside it, so screen readers
pass it by.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from parity_data.profile.model import Curve, CurveKind

#: Width and height of a picture, in CSS pixels.
WIDTH, HEIGHT = 132, 44
#: Frequencies are drawn from this share upwards, on a logarithmic scale.
_LEAST = 1e-4
#: Ranks up to which each has a bar of its own.
_BARS = 7

#: The caption of each kind.
CAPTIONS: dict[CurveKind, str] = {
    "ecdf": "position",
    "ranks": "frequency",
    "lengths": "length",
    "weekday": "weekday",
    "month": "month",
    "hour": "hour",
    "fan_out": "fan-out",
}


def curve(found: Curve) -> Markup:
    """A curve as lines or as pairs of bars."""
    if found.kind == "ecdf":
        return _picture(_lines(range(len(found.at)), found.source, found.target))
    if found.kind == "ranks" and found.at[-1] > _BARS:
        places = [math.log(rank) for rank in found.at]
        sides = [
            [math.log(max(share, _LEAST) / _LEAST) / math.log(1 / _LEAST) for share in line]
            for line in (found.source, found.target)
        ]
        return _picture(_lines(places, sides[0], sides[1]))
    return _picture(_bars(found.source, found.target))


def shares(found: Sequence[tuple[float | None, float | None]]) -> Markup:
    """Figures between 0 and 1 in their order, such as the share of NULLs of each column."""
    sides = [[pair[side] or 0.0 for pair in found] for side in (0, 1)]
    return _picture(_bars(sides[0], sides[1], top=1.0))


def points(gap: float) -> str:
    """A difference of shares."""
    return f"{gap * 100:.1f} points"


def _picture(inner: str) -> Markup:
    return Markup('<svg class="c" aria-hidden="true" viewBox="0 0 {} {}">{}</svg>').format(
        WIDTH, HEIGHT, Markup(inner)
    )


def _lines(places: Sequence[float], source: Sequence[float], target: Sequence[float]) -> str:
    """Shares from 0 to 1 over places from the first to the last."""
    first, last = places[0], places[-1]
    across = [round(1 + (WIDTH - 2) * (at - first) / ((last - first) or 1)) for at in places]
    paths = []
    for line in (source, target):
        down = [round(1 + (HEIGHT - 2) * (1 - share)) for share in line]
        steps = zip(across, down, across[1:], down[1:], strict=False)
        paths.append(f"M{across[0]} {down[0]}l" + " ".join(f"{x - a} {y - b}" for a, b, x, y in steps))
    found = [path.replace(" -", "-").removesuffix("l") for path in paths]
    return f'<path class="l" d="{found[0]}"/><path class="h" d="{found[1]}"/>'


def _bars(source: Sequence[float], target: Sequence[float], top: float = 0.0) -> str:
    """Pairs of bars; the highest fills the picture unless ``top`` is higher. Lengths are whole pixels."""
    top = max(top, *source, *target) or 1.0
    slot = max(1, WIDTH // len(source))
    wide, narrow = max(1, slot - max(1, slot // 4)), max(1, slot // 3)
    high = [[math.ceil((HEIGHT - 2) * share / top) for share in line] for line in (source, target)]
    ground, middle = HEIGHT - 1, 1 + wide / 2
    outlines = "".join(f"M{1 + slot * i} {ground}v-{up}h{wide}v{up}" for i, up in enumerate(high[0]) if up)
    strokes = "".join(f"M{middle + slot * i:g} {ground}v-{up}" for i, up in enumerate(high[1]) if up)
    return (
        f'<path class="a" d="M0 {HEIGHT - 0.5:g}h{WIDTH}"/><path class="p" d="{outlines}"/>'
        f'<path class="t" stroke-width="{narrow}" d="{strokes}"/>'
    )
