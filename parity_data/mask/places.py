"""Places on earth: coordinates moved by a bounded distance, one to one within small cells."""

from __future__ import annotations

import re
from decimal import Decimal

import numpy as np
import numpy.typing as npt
import polars as pl

from parity_data.mask._common import by_kind, each, integers, tokens, valid_or_not, walk
from parity_data.mask.context import Context
from parity_data.mask.registry import Function, MaskerInfo, Param, register

#: Metres in a degree of latitude; a degree of longitude has fewer, so the bound holds for it, too.
_METRES = 111_320

#: A number as types write it, and one a digit longer, which a move may pass through.
_NUMBER = r"(?:-?[1-9][0-9]{0,2}(?:\.[0-9]{1,15})?|0(?:\.[0-9]{1,15})?|-0\.[0-9]{0,14}[1-9][0-9]{0,14})"
_LONGER = r"-?[0-9]{1,4}(?:\.[0-9]+)?"
_POINT, _MOVED_POINT = (
    rf"^([^0-9.-]*)({number})([^0-9.-]+)({number})([^0-9.]*)$" for number in (_NUMBER, _LONGER)
)
_ONE = rf"^{_NUMBER}$"
#: Small and large numbers as binary types write them.
_EXPONENT = re.compile(r"-?[0-9.]+[eE][+-]?[0-9]+")

Ints = npt.NDArray[np.int64]


class _Mover:
    """Moves whole numbers within cells: where to depends on the cell, and for a pair on both numbers."""

    def __init__(self, context: Context, metres: float) -> None:
        self._metres = metres
        self._cells = integers(context, "cells")
        self._places = integers(context, "places in cells")

    def move(self, values: pl.Series, other: pl.Series | None = None) -> pl.Series:
        """values, other: decimal numbers as text. Their number of decimals stays."""
        decimals = values.str.extract(r"\.([0-9]*)$", 1).str.len_bytes().fill_null(0)
        out = values.clone()  # scatter writes in place
        for count in decimals.unique().to_list():
            at = (decimals == count).arg_true()
            seed = None if other is None else other.gather(at)
            out = out.scatter(at, self._of_decimals(values.gather(at), int(count), seed))
        return out

    def _of_decimals(self, values: pl.Series, count: int, other: pl.Series | None) -> pl.Series:
        unit = 10**count
        number = _scaled(values, count)
        # Two units at least, or a coarse coordinate could not move at all.
        width = max(2, int(self._metres / _METRES * unit))
        cell, place = np.divmod(number, width)
        turn = self._cells.step(_wrapped(cell), 2**32, f"cell {count}")
        if other is not None:
            turn = turn ^ _hashed(other)
        turn = turn % np.uint64(width)
        # A cycle turned back and forth by the cell's own number: still one cycle, so nothing stays.
        shifted = (place.astype(np.uint64) + turn) % np.uint64(width)
        stepped = self._places.step(shifted, width, f"place {count}")
        new = cell * width + ((stepped + np.uint64(width) - turn) % np.uint64(width)).astype(np.int64)
        return _written(new, count)


def _scaled(values: pl.Series, count: int) -> Ints:
    digits = values.str.replace(".", "", literal=True)
    if count > 15:
        raise ValueError("too many decimals")
    return digits.cast(pl.Int64).to_numpy()


def _wrapped(cell: Ints) -> npt.NDArray[np.uint64]:
    return (cell % 2**32).astype(np.uint64)


def _hashed(values: pl.Series) -> npt.NDArray[np.uint64]:
    """A number that mixes a coordinate's value into its partner's move (FNV-like, exact)."""
    total = np.zeros(len(values), np.uint64)
    digits = values.cast(pl.Float64).to_numpy() * 1e6
    total ^= digits.astype(np.int64).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return total >> np.uint64(16)


def _written(numbers: Ints, count: int) -> pl.Series:
    sign = pl.Series(np.where(numbers < 0, "-", ""))
    digits = pl.Series(np.abs(numbers)).cast(pl.String).str.zfill(count + 1)
    if not count:
        return sign + digits
    whole = digits.str.slice(0, digits.str.len_bytes().cast(pl.Int64) - count)
    return sign + whole + "." + digits.str.slice(-count)


def _geo(context: Context) -> Function:
    mover, cipher = _Mover(context, float(context.params["metres"])), tokens(context)

    def points(values: pl.Series) -> pl.Series:
        parts = values.str.extract_groups(_MOVED_POINT).struct.unnest()
        before, first, between, second, after = parts.get_columns()
        new = mover.move(first)
        # The first number's new place names its old one, so the second may move by it.
        return before + new + between + mover.move(second, first) + after

    def places(values: pl.Series) -> pl.Series:
        return by_kind(
            values,
            values.str.contains(_POINT),
            lambda s: walk(s, points, lambda out: out.str.contains(_POINT)),
            lambda s: walk(s, mover.move, lambda out: out.str.contains(_ONE)),
        )

    def mask(values: pl.Series) -> pl.Series:
        return valid_or_not(values, _are_places, places, cipher.whole)

    def typed(values: pl.Series) -> pl.Series:
        plain = by_kind(values, values.str.contains("[eE]"), each(_without_exponents), lambda s: s)
        # NaN and infinity are nowhere.
        return by_kind(plain, plain.str.contains("[a-zA-Z]"), lambda s: s, mask)

    return mask if context.is_text else typed


def _are_places(values: pl.Series) -> pl.Series:
    return values.str.contains(_POINT) | values.str.contains(_ONE)


def _without_exponents(text: str) -> str:
    return _EXPONENT.sub(lambda found: f"{Decimal(found[0]):.15f}", text)


def is_place(text: str) -> bool:
    """Whether the text is a coordinate or a pair of them."""
    return bool(_are_places(pl.Series([text]))[0])


register(
    MaskerInfo(
        name="geo",
        summary="Moves a coordinate, or a point of two, by at most a given distance in either direction.",
        theme="places",
        accepts=("point", "number", "text"),
        distinct="injective",
        keeps=frozenset({"validity"}),
        make=_geo,
        params=(
            Param(
                "metres",
                "number",
                "The longest move north or south, and east or west.",
                default=1000,
                minimum=1,
                maximum=1_000_000,
            ),
        ),
        samples=("(13.404954,52.520008)", "52.520008, 13.404954", "-33.8688197", "POINT(13.4050 52.5200)"),
        domain="geo",
        stays=(r"-0(?:\.0+)?",),
        details="The number of decimals stays. Coordinates of so few decimals that the distance is less than "
        "two units of the last one move by one unit.",
        check=is_place,
    )
)
