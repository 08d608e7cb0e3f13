"""Shapes of texts: how values are written, without what they say.

A letter becomes ``A``, ``a``, or one sign for its script, a digit ``9``; of two or more in a row of one class
two are left (``Maria Lopez`` and ``Li Wu`` are both ``Aaa Aaa``, ``Li`` is ``Aa``), while digits are counted.
Blanks and ASCII punctuation stay, at most three in a row. Everything else is ``¤``, combining marks belong to
their letter. A shape is named only where many rows and several different values of production have it, so it
stands for a way of writing and never for somebody; all others are only counted.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import compress
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from parity_data.profile.model import Trait

Floats = npt.NDArray[np.float64]
Signs = npt.NDArray[Any]

#: Rows and different values of production that a shape must have to be named, and shapes that are named.
ROWS, VALUES, NAMED = 20, 5, 5
#: Characters of the longest shape that is named, and of the longest value that is looked at.
LONGEST, LONGEST_VALUE = 40, 120
#: Different values of a column that are looked at on one side.
LOOKED = 2_500
#: The label of what no named shape covers.
OTHER = "other"

#: The sign of each script, by the first word of its letters' Unicode names: of capital and small ones, or
#: one.
_SCRIPTS = {
    "LATIN": "Aa",
    "CYRILLIC": "Яя",
    "GREEK": "Ωω",
    "CJK": "字",
    "HIRAGANA": "か",
    "KATAKANA": "カ",
    "HANGUL": "한",
    "ARABIC": "ع",
    "HEBREW": "ש",
    "DEVANAGARI": "अ",
    "THAI": "ก",
}
#: Letters of other scripts, and whatever is neither letter, digit, blank nor ASCII punctuation.
LETTER, REST = "◌", "¤"
#: Between values; no text of PostgreSQL holds it.
_BETWEEN = "\0"
#: A character that adds nothing, such as a combining mark.
_NOTHING = "\x01"
#: Most in a row that are left of digits, of punctuation and blanks, and of all else.
_DIGITS, _SIGNS, _OTHERS = 20, 3, 2


def profile_shapes(
    production: tuple[pl.Series, Floats], staging: tuple[pl.Series, Floats]
) -> tuple[Trait, ...]:
    """Production's most frequent shapes and the rest, with their shares of the values on both sides.

    production, staging: different values, and how many rows hold each. Empty where no shape may be named.
    """
    if len(production[0]) < VALUES:
        return ()
    side = _Side(*production)
    named = side.nameable()
    if not named:
        return ()
    sides = side, _Side(*staging)
    found = [Trait(shape, (sides[0].share(shape), sides[1].share(shape))) for shape in named]
    rest = [side.share(*named) for side in sides]
    other = [None if share is None else max(0.0, round(1 - share, 4)) for share in rest]
    return (*found, Trait(OTHER, (other[0], other[1])))


class _Side:
    """Shapes of one side. by_shape: rows that have each; rows and different values seen with it.

    Of more than ``LOOKED`` different values, those of many rows and an even choice of the others are seen.
    """

    by_shape: dict[str, tuple[float, float, int]]

    def __init__(self, texts: pl.Series, rows: Floats) -> None:
        self.rows = float(rows.sum())
        weight = np.ones(len(rows))
        if len(rows) > LOOKED:
            # By hash, since values of as many rows have no order that lasts.
            every = -(-len(rows) // LOOKED)
            often = rows >= ROWS
            looked = (texts.hash(0) % every == 0).to_numpy() | often
            lacking = rows[~often].sum() / max(rows[looked & ~often].sum(), 1)
            texts, rows = texts.filter(pl.Series(looked)), rows[looked]
            weight = np.where(often[looked], 1.0, lacking)
        values = texts.to_list()
        short = np.fromiter(map(len, values), np.int64, len(values)) <= LONGEST_VALUE
        # A plain dict: for so few values a call of Polars costs more than the work.
        shapes = shapes_of(list(compress(values, short)))
        counted = Counter(shapes)
        number = {shape: i for i, shape in enumerate(counted)}
        at = np.fromiter(map(number.__getitem__, shapes), np.int64, len(shapes))
        seen, having = (np.bincount(at, part[short]).tolist() for part in (rows, rows * weight))
        self.by_shape = dict(zip(counted, zip(having, seen, counted.values(), strict=True), strict=True))

    def nameable(self) -> list[str]:
        """Shapes that may be named, the most frequent first."""
        found = [
            (-rows, shape)
            for shape, (rows, seen, values) in self.by_shape.items()
            if seen >= ROWS and values >= VALUES and len(shape) <= LONGEST
        ]
        return [shape for _, shape in sorted(found)[:NAMED]]

    def share(self, *shapes: str) -> float | None:
        """Of the values that are not NULL, those that have one of the shapes."""
        if not self.rows:
            return None
        rows = sum(self.by_shape[shape][0] for shape in shapes if shape in self.by_shape)
        return round(rows / self.rows, 4)


def shapes_of(values: Sequence[str]) -> list[str]:
    """The shape of each of n texts."""
    if not values:
        return []
    text = _BETWEEN.join(values)
    if text.isascii():
        raw = text.encode("ascii")
        plain, limits = (np.frombuffer(raw.translate(table.tobytes()), np.uint8) for table in _ASCII)
        return _folded(plain, limits).tobytes().decode("latin-1").split(_BETWEEN)
    points = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    signs, most = (table.take(points) for table in _tables(points))
    kept = signs != ord(_NOTHING)
    return _folded(signs[kept], most[kept]).tobytes().decode("utf-32-le").split(_BETWEEN)


def _folded(signs: Signs, most: Signs) -> Signs:
    """The signs without what is too many in a row; each value begins anew."""
    places = np.arange(len(signs), dtype=np.int32)
    begins = np.zeros(len(signs), np.int32)
    begins[1:] = ((signs[1:] != signs[:-1]) | (signs[1:] == ord(_BETWEEN))) * places[1:]
    np.maximum.accumulate(begins, out=begins)
    return signs[places - begins < most]


def _tables(points: npt.NDArray[np.uint32]) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint8]]:
    """By code point, its sign and how many of it in a row are left; right for those that occur."""
    highest = int(points.max())
    signs = np.zeros(highest + 1, np.uint32)
    most = np.full(highest + 1, _OTHERS, np.uint8)
    signs[:128], most[:128] = (table[:128] for table in _ASCII)
    occurs = np.zeros(highest + 1, bool)
    occurs[points] = True
    rest = {point: ord(_sign(point)) for point in (np.flatnonzero(occurs[128:]) + 128).tolist()}
    signs[list(rest)] = list(rest.values())
    most[signs == ord("9")] = _DIGITS
    most[signs == ord(" ")] = _SIGNS
    return signs, most


def _make_ascii() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    signs = np.arange(256, dtype=np.uint8)
    most = np.full(256, _SIGNS, np.uint8)
    for first, last, sign, limit in (
        ("A", "Z", "A", _OTHERS),
        ("a", "z", "a", _OTHERS),
        ("0", "9", "9", _DIGITS),
        ("\x01", "\x1f", REST, _OTHERS),
        ("\x7f", "\x7f", REST, _OTHERS),
    ):
        signs[ord(first) : ord(last) + 1] = ord(sign)
        most[ord(first) : ord(last) + 1] = limit
    return signs, most


#: By byte of ASCII, its sign and how many of it in a row are left.
_ASCII = _make_ascii()


@cache
def _sign(point: int) -> str:
    """The sign of a character beyond ASCII."""
    character = chr(point)
    category = unicodedata.category(character)
    if category[0] == "M" or category == "Cf":
        return _NOTHING
    if category in ("Nd", "Zs"):
        return "9" if category == "Nd" else " "
    if category[0] != "L":
        return REST
    signs = _SCRIPTS.get(unicodedata.name(character, "?").split(" ")[0], LETTER)
    return signs[0] if category in ("Lu", "Lt") else signs[-1]
