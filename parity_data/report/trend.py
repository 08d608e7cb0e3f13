"""Nights before this one, as small lines: size, differences, run time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from parity_data.report.model import Night
from parity_data.report.text import duration, number, size

#: Width and height of a line, in CSS pixels, and the room around it.
_WIDTH, _HEIGHT, _EDGE = 220, 40, 4


@dataclass(frozen=True)
class Trend:
    """One figure over the nights. first, last: in words. picture: empty where fewer than two are known."""

    name: str
    first: str
    last: str
    picture: Markup


def trends(nights: Sequence[Night]) -> list[Trend]:
    """The figures that are known of any night, oldest to newest."""
    figures: tuple[tuple[str, list[float | None], Callable[[float], str]], ...] = (
        ("run time", [night.seconds for night in nights], duration),
        ("rows", [night.rows for night in nights], number),
        ("size", [night.bytes for night in nights], lambda bytes_: size(int(bytes_))),
        ("undeclared differences", [night.undeclared for night in nights], number),
        ("declared differences", [night.declared for night in nights], number),
        ("checks that failed or warned", [night.flagged for night in nights], number),
    )
    found = []
    for name, values, shown in figures:
        known = [value for value in values if value is not None]
        if known:
            first, last = shown(known[0]), shown(known[-1])
            found.append(Trend(name, first, last, _line(known, f"{name}: {first} first, {last} last")))
    return found


def _line(values: Sequence[float], label: str) -> Markup:
    """A line from the oldest to the newest, on a scale from 0 to the largest."""
    if len(values) < 2:
        return Markup("")
    top = max(values) or 1.0
    step = (_WIDTH - 2 * _EDGE) / (len(values) - 1)
    points = " ".join(
        f"{_EDGE + step * i:.1f},{_HEIGHT - _EDGE - (_HEIGHT - 2 * _EDGE) * value / top:.1f}"
        for i, value in enumerate(values)
    )
    x, y = points.rsplit(" ", 1)[-1].split(",")
    return Markup(
        '<svg class="tr" role="img" aria-label="{}" width="{}" height="{}" viewBox="0 0 {} {}">'
        '<polyline points="{}"/><circle cx="{}" cy="{}" r="3"/></svg>'
    ).format(label, _WIDTH, _HEIGHT, _WIDTH, _HEIGHT, points, x, y)
