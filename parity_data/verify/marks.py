"""What is looked at in a column: marks that rows bear, by the family of its type.

No label holds a value: edges are called by their quantile, categories by their rank.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from parity_data.verify.sample import Mark, Marks, null_mark

#: Edges between quantiles: 15 of them give the Kolmogorov-Smirnov distance to within a sixteenth.
EDGES = 15
#: The most frequent values are looked at one by one, if so many rows hold them.
CATEGORIES, CATEGORY_ROWS = 20, 11
_TOP = (10, 100)
#: A column is made of categories when fewer values than this are different.
_FEW = 5_000
_DAY = 86_400
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

Floats = npt.NDArray[np.float64]


def number_marks(values: Floats, nulls: Marks, what: str = "at or below") -> Iterator[Mark]:
    """NULL, and position among the quantiles of the whole. values: anything where NULL."""
    yield null_mark(nulls)
    yield from _edges(values, nulls, what)


def time_marks(seconds: Floats, nulls: Marks, *, has_clock: bool) -> Iterator[Mark]:
    """The same for instants since 1970 in UTC, and their calendar: month, weekday, hour."""
    yield from number_marks(seconds, nulls)
    finite = ~nulls & np.isfinite(seconds)
    safe = np.where(finite, seconds, 0)
    days = np.floor(safe / _DAY).astype(np.int64)
    weekday = (days + 3) % 7
    for number, name in enumerate(_WEEKDAYS):
        yield Mark(f"on a {name}", finite & (weekday == number))
    month = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12
    for number in range(12):
        yield Mark(f"in month {number + 1}", finite & (month == number))
    if has_clock:
        hour = np.floor(safe / 3600).astype(np.int64) % 24
        for first in range(0, 24, 6):
            yield Mark(f"from {first} to {first + 5} o'clock UTC", finite & (hour // 6 == first // 6))
        yield Mark("at midnight sharp", finite & (safe % _DAY == 0))


def text_marks(texts: pl.Series) -> Iterator[Mark]:
    """NULL, '', length, class of characters, blanks and normal form, of a String Series."""
    nulls = texts.is_null().to_numpy()
    yield null_mark(nulls)
    filled = texts.fill_null("")
    characters = filled.str.len_chars()
    lengths = characters.to_numpy().astype(np.float64)
    beyond = filled.str.len_bytes() != characters
    yield Mark("empty text", ~nulls & (lengths == 0))
    yield from _edges(lengths, nulls, "length at or below")
    yield Mark("beyond ASCII", beyond.to_numpy())
    # The tables of Unicode are slow, so only what needs them is held against them.
    others, at = filled.filter(beyond), beyond.to_numpy()
    for label, plain, pattern in (
        ("with a capital letter", "[A-Z]", r"\p{Lu}"),
        ("with a digit", "[0-9]", r"\p{Nd}"),
        ("with blanks at an end", r"^[\t-\r ]|[\t-\r ]$", r"^\s|\s$"),
        ("with several lines", r"\n", r"\n"),
        ("with a combining mark", None, r"\p{M}"),
        ("beyond Latin", None, r"[\p{L}&&[^\p{Latin}]]"),
    ):
        found = np.zeros(len(texts), bool) if plain is None else filled.str.contains(plain).to_numpy().copy()
        if len(others):
            found[at] = others.str.contains(pattern).to_numpy()
        yield Mark(label, found)


def category_marks(codes: npt.NDArray[np.int64]) -> Iterator[Mark]:
    """The most frequent values one by one, and together. codes: 0 to d - 1, -1 for NULL."""
    there = codes[codes >= 0]
    if not len(there):
        return
    counts = np.bincount(there)
    ranked = np.argsort(-counts, kind="stable")
    if len(counts) <= _FEW or counts[ranked[0]] > len(codes) / 100:
        for rank, code in enumerate(ranked[:CATEGORIES].tolist(), 1):
            if counts[code] >= CATEGORY_ROWS:
                yield Mark(f"the value of rank {rank}", codes == code)
        place = np.empty(len(counts), np.int64)
        place[ranked] = np.arange(len(counts))
        rows = np.where(codes >= 0, place[np.maximum(codes, 0)], len(counts))
        for top in _TOP:
            if len(counts) > top:
                yield Mark(f"one of the {top} most frequent values", rows < top)


def codes_of(values: pl.Series) -> npt.NDArray[np.int64]:
    """A number for each different value, -1 for NULL."""
    if values.dtype != pl.String:
        return (values.rank("dense").cast(pl.Int64) - 1).fill_null(-1).to_numpy()
    # By their 64-bit hashes, which sort faster; of 10 million texts two share one with probability 3e-6.
    there = values.is_not_null().to_numpy()
    codes = np.full(len(values), -1, np.int64)
    codes[there] = np.unique(values.hash().to_numpy()[there], return_inverse=True)[1]
    return codes


def _edges(values: Floats, nulls: Marks, what: str) -> Iterator[Mark]:
    present = values[~nulls]
    if not len(present):
        return
    order = np.sort(present)  # NaN last, as PostgreSQL has it
    at = np.arange(1, EDGES + 1) * len(order) // (EDGES + 1)
    seen: set[float] = set()
    for number, edge in enumerate(order[np.minimum(at, len(order) - 1)].tolist(), 1):
        if edge not in seen and not np.isnan(edge):
            seen.add(edge)
            yield Mark(f"{what} quantile {number} of {EDGES + 1}", ~nulls & (values <= edge))
