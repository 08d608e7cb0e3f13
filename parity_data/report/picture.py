"""Small pictures as hand-written SVG: shapes for verdicts, bars for rows."""

from __future__ import annotations

from markupsafe import Markup, escape

from parity_data.report.text import share

#: Width and height of a row bar, in CSS pixels.
WIDTH, HEIGHT = 132, 14
#: A bar's scale ends at this multiple of the fraction, so that a deviation can be seen.
_HEADROOM = 4.0

#: Outline and sign of each shape on a 20 x 20 field: round for pass, triangle for warn, octagon for fail.
_SHAPES = {
    "pass": ("M10 1a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "M5.8 10.4l2.9 2.9 5.5-6.2"),
    "warn": ("M10 1.6 19.2 18.2H.8z", "M10 7.2v5.2M10 14.9v.9"),
    "fail": ("M6.3 1h7.4L19 6.3v7.4L13.7 19H6.3L1 13.7V6.3z", "M6.6 6.6l6.8 6.8M13.4 6.6l-6.8 6.8"),
}


def shape(status: str, pixels: int = 16) -> Markup:
    """A status as a shape; hidden from screen readers, for the word always stands beside it."""
    outline, sign = _SHAPES[status]
    return Markup(
        '<svg class="s {}" aria-hidden="true" focusable="false" width="{}" height="{}" viewBox="0 0 20 20">'
        '<path class="o" d="{}"/><path class="g" d="{}"/></svg>'
    ).format(status, pixels, pixels, outline, sign)


def scale_end(fraction: float) -> float:
    """The share of production's rows at which a row bar ends, 0 to 1."""
    return min(1.0, _HEADROOM * fraction) if fraction > 0 else 1.0


def row_bar(rows_source: int | None, rows_target: int | None, fraction: float) -> Markup:
    """Staged rows as a share of production's, with a line at the fraction; empty when not observed.

    The axis runs from 0 to ``scale_end``. A longer bar fills it and carries a break.
    """
    if rows_source is None or rows_target is None:
        return Markup("")
    part = rows_target / rows_source if rows_source else (1.0 if rows_target else 0.0)
    end = scale_end(fraction)
    length = min(part / end, 1.0) * WIDTH
    label = f"Staging holds {share(part)} of production's rows; the fraction is {share(fraction)}."
    if not rows_source:
        label = f"Production is empty, staging holds {rows_target:,} rows."
    pieces = [
        Markup(
            '<svg class="b" role="img" aria-label="{}" width="{}" height="{}" viewBox="0 0 {} {}">'
        ).format(escape(label), WIDTH, HEIGHT, WIDTH, HEIGHT),
        Markup('<path class="p" d="M0 3h{}v8H0z"/>').format(WIDTH),
    ]
    if length > 0:
        pieces.append(Markup('<path class="t" d="M0 3h{}v8H0z"/>').format(_short(max(length, 1.0))))
    if part > end:
        pieces.append(Markup('<path class="k" d="M{} 13l4-12M{} 13l4-12"/>').format(WIDTH - 14, WIDTH - 10))
    pieces.append(Markup('<path class="f" d="M{} 0v14"/></svg>').format(_short(fraction / end * WIDTH)))
    return Markup("").join(pieces)


def _short(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")
