"""What one column looks like on both sides.

Texts are described once for each different value and weighed by how many rows hold it. Edges, ranks and
bars are production's, so that both sides are measured with the same rule; they are called by their rank,
never by a value. No curve is drawn of fewer than ``MEMBERS`` rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from parity_data.profile.documents import profile_paths
from parity_data.profile.model import ColumnProfile, Counts, Curve, Lengths, Trait
from parity_data.profile.rows import Family
from parity_data.profile.shapes import profile_shapes

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

#: Rows that a rank, or a curve, must have on each side to be shown (the small-cell rule of the CMS).
MEMBERS = 11
#: Places of an ECDF, most bars of lengths.
EDGES, BARS = 20, 10
#: Ranks at which frequencies are shown.
RANKS = (1, 2, 3, 4, 5, 7, 10, 14, 20, 30, 45, 70, 100, 150, 230, 350, 500, 750, 1_100, 1_700, 2_500)
_DAY = 86_400
_QUANTILES = (0.0, 0.05, 0.5, 0.95, 1.0)

BEYOND, NORMAL = "beyond ASCII", "in normal form C"
#: (label, pattern for ASCII, pattern for the rest, whose Unicode tables are slow).
_TRAITS = (
    ("with a capital letter", "[A-Z]", r"\p{Lu}"),
    ("with a small letter", "[a-z]", r"\p{Ll}"),
    ("with a digit", "[0-9]", r"\p{Nd}"),
    ("with blanks at an end", r"^[\t-\r ]|[\t-\r ]$", r"^\s|\s$"),
    ("of several lines", r"\n", r"\n"),
    ("beyond Latin", None, r"[\p{L}&&[^\p{Latin}]]"),
)


@dataclass(frozen=True)
class Side:
    """A column's values on one side."""

    values: pl.Series

    @cached_property
    def present(self) -> pl.Series:
        """Those that are not NULL."""
        return self.values.drop_nulls()

    @cached_property
    def counted(self) -> tuple[pl.Series, Floats]:
        """Different values, the most frequent first, and how many rows hold each."""
        counted = self.present.alias("value").value_counts(sort=True, name="rows")
        return counted["value"], counted["rows"].to_numpy().astype(np.float64)

    @property
    def nulls(self) -> float | None:
        rows = len(self.values)
        return round(self.values.null_count() / rows, 4) if rows else None


def profile_column(
    name: str,
    production: pl.Series,
    staging: pl.Series,
    kind: Family,
    *,
    masked: bool,
    document: bool = False,
) -> ColumnProfile:
    """The column's profile.

    production, staging: values of the rows looked at. masked: order is not kept, so that positions say
    nothing. document: the text is JSON.
    """
    sides = Side(production), Side(staging)
    curves = [_ranks(*sides)]
    traits: tuple[Trait, ...] = ()
    shapes: tuple[Trait, ...] = ()
    lengths = None
    if kind in ("number", "time") and not masked:
        curves.append(_ecdf(*sides))
    if kind == "time":
        curves += _calendar(*sides)
    if kind == "text":
        texts = _Texts(*sides[0].counted), _Texts(*sides[1].counted)
        traits, lengths = tuple(_traits(*texts)), _lengths(*texts)
        curves.append(_length_bars(*texts))
        if not document:
            shapes = profile_shapes(sides[0].counted, sides[1].counted)
    elif kind == "bytes":
        curves.append(_ecdf(*sides))
    return ColumnProfile(
        name=name,
        values=(len(sides[0].present), len(sides[1].present)),
        nulls=(sides[0].nulls, sides[1].nulls),
        distinct=_distinct(sides, kind),
        traits=traits,
        lengths=lengths,
        curves=tuple(curve for curve in curves if curve is not None),
        paths=profile_paths(sides[0].present, sides[1].present) if document else (),
        shapes=shapes,
    )


def _distinct(sides: tuple[Side, Side], kind: Family) -> Counts:
    """Of bytes only lengths were read."""
    if kind == "bytes":
        return None, None
    return len(sides[0].counted[0]), len(sides[1].counted[0])


def _few(production: Side, staging: Side) -> bool:
    return min(len(production.present), len(staging.present)) < MEMBERS


def _rounded(values: Floats) -> tuple[float, ...]:
    return tuple(np.round(values, 4).tolist())


def _ranks(production: Side, staging: Side) -> Curve | None:
    """How many rows hold the value of each rank, as far as enough do on both sides."""
    counts = [side.counted[1] for side in (production, staging)]
    there = min(int(np.count_nonzero(c >= MEMBERS)) for c in counts)
    at = [rank for rank in RANKS if rank <= there]
    if not at:
        return None
    lines = [_rounded(c[np.array(at) - 1] / c.sum()) for c in counts]
    return Curve("ranks", tuple(at), lines[0], lines[1])


def _ecdf(production: Side, staging: Side) -> Curve | None:
    """Shares at or below production's quantiles, each different one once."""
    if _few(production, staging):
        return None
    mine, theirs = (np.sort(side.present.to_numpy()) for side in (production, staging))  # NaN last
    percent = np.arange(1, EDGES) * 100 // EDGES
    edges = mine[np.minimum(percent * len(mine) // 100, len(mine) - 1)]
    edges, first = np.unique(edges[~np.isnan(edges)], return_index=True)
    if not len(edges):
        return None
    return Curve(
        "ecdf",
        tuple(percent[first].tolist()),
        _rounded(np.searchsorted(mine, edges, "right") / len(mine)),
        _rounded(np.searchsorted(theirs, edges, "right") / len(theirs)),
    )


def _calendar(production: Side, staging: Side) -> Iterator[Curve | None]:
    """Weekdays, months and hours, UTC."""
    if _few(production, staging):
        return
    seconds = [side.present.to_numpy() for side in (production, staging)]
    seconds = [some[np.isfinite(some)] for some in seconds]
    if not min(map(len, seconds)):
        return
    days = [np.floor(some / _DAY).astype(np.int64) for some in seconds]
    months = [d.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 + 1 for d in days]
    yield _bars("weekday", [(d + 3) % 7 + 1 for d in days], range(1, 8))
    yield _bars("month", months, range(1, 13))
    hours = [np.floor(some / 3600).astype(np.int64) % 24 for some in seconds]
    if any(h.any() for h in hours):
        yield _bars("hour", hours, range(24))


def _bars(kind: str, parts: list[Ints], places: range) -> Curve:
    shares = [
        _rounded(np.bincount(part, minlength=places.stop)[places.start :] / len(part)) for part in parts
    ]
    return Curve(kind, tuple(places), shares[0], shares[1])  # type: ignore[arg-type]


class _Texts:
    """Different texts and how many rows hold each. found: by trait, the share of the rows."""

    def __init__(self, texts: pl.Series, rows: Floats) -> None:
        self.rows = rows
        total = float(rows.sum())
        value = pl.col("value")
        # All at once: a call of its own for each would cost more than the work.
        seen = pl.DataFrame({"value": texts}).select(
            value,
            value.str.len_chars().cast(pl.Int64).alias("characters"),
            value.str.len_bytes().cast(pl.Int64).alias("bytes"),
            *(
                value.str.contains(plain).alias(label) if plain else pl.lit(False).alias(label)
                for label, plain, _ in _TRAITS
            ),
        )
        self.characters, self.bytes = (seen[name].to_numpy() for name in ("characters", "bytes"))
        beyond = self.bytes != self.characters
        marks = {label: seen[label].to_numpy().copy() for label, _, _ in _TRAITS}
        marks |= {"empty": self.characters == 0, BEYOND: beyond, NORMAL: np.ones(len(texts), bool)}
        if beyond.any():
            # The tables of Unicode are slow, so only what needs them is held against them.
            others = seen.filter(pl.Series(beyond)).select(
                (value.str.normalize("NFC") == value).alias(NORMAL),
                *(value.str.contains(pattern).alias(label) for label, _, pattern in _TRAITS),
            )
            for label in others.columns:
                marks[label][beyond] = others[label].to_numpy()
        self.found = {
            label: round(float(rows[mark].sum()) / total, 4) if total else None
            for label, mark in marks.items()
        }

    @cached_property
    def by_length(self) -> tuple[Ints, Floats]:
        """Lengths in order, and the rows up to each."""
        lengths, at = np.unique(self.characters, return_inverse=True)
        return lengths, np.cumsum(np.bincount(at, self.rows, minlength=len(lengths)))

    def quantile(self, part: float) -> int:
        lengths, rows = self.by_length
        return int(lengths[min(np.searchsorted(rows, part * rows[-1]), len(lengths) - 1)])


def _traits(production: _Texts, staging: _Texts) -> Iterator[Trait]:
    """Those that some value has; normal form where it could be another."""
    for label in ("empty", BEYOND, *(label for label, _, _ in _TRAITS)):
        if production.found[label] or staging.found[label]:
            yield Trait(label, (production.found[label], staging.found[label]))
    if production.found[BEYOND] or staging.found[BEYOND]:
        yield Trait(NORMAL, (production.found[NORMAL], staging.found[NORMAL]))


def _lengths(production: _Texts, staging: _Texts) -> Lengths | None:
    both = production, staging
    if not all(len(texts.rows) for texts in both):
        return None
    quantiles = [tuple(texts.quantile(part) for part in _QUANTILES) for texts in both]
    characters = [float((texts.characters * texts.rows).sum()) for texts in both]
    size = [float((texts.bytes * texts.rows).sum()) for texts in both]
    by_character = [round(b / c, 3) if c else None for b, c in zip(size, characters, strict=True)]
    return Lengths(quantiles[0], quantiles[1], (by_character[0], by_character[1]))


def _length_bars(production: _Texts, staging: _Texts) -> Curve | None:
    """Shares of lengths, in bars up to what 99 % of production have; what is longer stands in the last."""
    both = production, staging
    if min(float(texts.rows.sum()) for texts in both) < MEMBERS:
        return None
    least, greatest = (production.quantile(part) for part in (0.0, 0.99))
    ends = np.unique(np.ceil(np.linspace(least - 1, greatest, min(BARS, greatest - least + 1) + 1)[1:]))
    ends = ends.astype(np.int64)
    shares = []
    for texts in both:
        at = np.minimum(np.searchsorted(ends, texts.characters), len(ends) - 1)
        shares.append(_rounded(np.bincount(at, texts.rows, minlength=len(ends)) / texts.rows.sum()))
    return Curve("lengths", tuple(ends.tolist()), shares[0], shares[1])
