"""Chance without a generator: every draw is a pure function of a name and a row number.

NumPy does not promise the same stream of a ``Generator`` in every release, and the demo must hold the
same bytes everywhere. So bits come from SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom
Number Generators, 2014) over the row number, and only exact integer and product arithmetic follows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class Draws:
    """Named columns of chance, each of length ``rows``."""

    def __init__(self, table: str, rows: int) -> None:
        self.table = table
        self.rows = rows

    def bits(self, name: str) -> npt.NDArray[np.uint64]:
        """64 random bits a row."""
        digest = hashlib.sha256(f"{self.table}/{name}".encode()).digest()
        seed = np.uint64(int.from_bytes(digest[:8], "little"))
        with np.errstate(over="ignore"):
            z = (np.arange(1, self.rows + 1, dtype=np.uint64) * _GOLDEN) + seed
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))

    def unit(self, name: str, skew: int = 0) -> Floats:
        """Numbers in [0, 1). skew: 1 and more crowd them towards 0, for heavy tails."""
        u = (self.bits(name) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        result = u
        for _ in range(skew):
            result = result * u
        return result

    def below(self, name: str, bound: int, skew: int = 0) -> Ints:
        """Whole numbers in [0, bound)."""
        return (self.unit(name, skew) * bound).astype(np.int64)

    def chance(self, name: str, share: float) -> Bools:
        """True in about that share of rows."""
        return self.unit(name) < share

    def order(self, name: str) -> Ints:
        """A permutation of the row numbers."""
        return np.argsort(self.bits(name), kind="stable").astype(np.int64)

    def pick(self, name: str, values: Sequence[object], skew: int = 0) -> pl.Series:
        """One of the values a row; None stands for NULL."""
        return pl.Series(name, list(values)).gather(self.below(name, len(values), skew))

    def digits(self, name: str, count: int) -> pl.Series:
        """``count`` decimal digits as text, at most 18."""
        return pl.Series(name, self.below(name, 10**count)).cast(pl.String).str.zfill(count)

    def hexadecimal(self, name: str, count: int) -> pl.Series:
        """``count`` hexadecimal digits as text."""
        blocks = -(-count // 16)
        raw = np.stack([self.bits(f"{name}/{block}") for block in range(blocks)], axis=1).astype(">u8")
        joined = np.ascontiguousarray(raw).tobytes().hex()
        width = blocks * 16
        return pl.Series(
            name, [joined[i : i + count] for i in range(0, self.rows * width, width)], dtype=pl.String
        )

    def uuid(self, name: str) -> pl.Series:
        """Random (version 4) UUIDs as text."""
        text = pl.col(name).str
        parts = [text.slice(0, 8), text.slice(8, 4), "4" + text.slice(13, 3), "a" + text.slice(17, 3)]
        return (
            self.hexadecimal(name, 32)
            .to_frame(name)
            .select(pl.concat_str([*parts, text.slice(20, 12)], separator="-"))
            .to_series()
            .alias(name)
        )
