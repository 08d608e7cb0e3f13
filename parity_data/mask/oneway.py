"""One-way masking in the same alphabets and length: nobody can compute it back, even with the key."""

from __future__ import annotations

import numpy as np
import polars as pl

from parity_data.mask import _keyed
from parity_data.mask.cipher.alphabet import Alphabets, alphabets
from parity_data.mask.cipher.flat import Flat, code_points, utf8

#: Draws after which a value that came out as itself is left alone: it has no other of its shape.
_REDRAWS = 8


class OneWay:
    """Draws values of a given shape by keyed hash. Equal values, equal draws; different ones may merge."""

    def __init__(self, key: bytes, table: Alphabets | None = None) -> None:
        self._key = key
        self._table = table or alphabets()

    def draw(self, values: pl.Series, shapes: pl.Series | None = None) -> pl.Series:
        """A value for each of n values. shapes: n strings to take the shape from, by default ``values``.

        Characters outside the table stay. No result equals its shape where the alphabets allow.
        """
        shapes = values if shapes is None else shapes
        out = self._draw(values, shapes, 0)
        for attempt in range(1, _REDRAWS):
            same = (out == shapes).arg_true()
            if not len(same):
                break
            out = out.scatter(same, self._draw(values.gather(same), shapes.gather(same), attempt))
        return out

    def _draw(self, values: pl.Series, shapes: pl.Series, attempt: int) -> pl.Series:
        if not values.len():
            return values
        flat, table = Flat.of(shapes), self._table
        points = code_points(flat.data)
        leads = np.concatenate([[0], np.cumsum((flat.data & 0xC0) != 0x80)])
        ends = leads[flat.offsets]
        of = table.of[points]
        key = self._key if not attempt else bytes([*self._key[:-1], self._key[-1] ^ attempt])
        words = _keyed.streams(values, key, np.diff(ends))
        drawn = table.members[table.start[of] + words % table.size[of].astype(np.uint32)]
        capital = table.fold[points] != points
        drawn = np.where(capital, table.upper[drawn], drawn)
        new = np.where(of > 1, drawn, points)
        return flat.series(utf8(new)).alias(values.name)
