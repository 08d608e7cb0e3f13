"""Quotas: heads that are in the subset whatever is drawn, and from which fraction on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

#: Why a row is there, by the number that stands for it in arrays.
REASONS = (
    "drawn",
    "pinned by the policy",
    "heaviest fan-out",
    "heavy fan-out",
    "category",
    "reference that is NULL or finds nothing",
    "extreme of a column",
    "completed",
)
DRAWN, PINNED, HEAVIEST, HEAVY, CATEGORY, ORPHAN, EXTREME, COMPLETED = range(len(REASONS))
#: A category with so many rows is present at every fraction.
SURE_ROWS = 20
#: Up to this share of a table, a head that stands for a category is kept without a look at the budget.
_LIGHT = 0.001


@dataclass
class Quotas:
    """By head number: entry, the fraction from which on a head is kept (2: never for a quota), and why."""

    entry: npt.NDArray[np.float32]
    reason: npt.NDArray[np.uint8]

    @classmethod
    def none(cls, size: int) -> Quotas:
        return cls(np.full(size, 2, np.float32), np.zeros(size, np.uint8))

    def admit(self, unit: int, entry: float, reason: int) -> None:
        """Keep a head from a fraction on; the earliest entry and its reason count."""
        # Rounded down, so that the fraction itself lets it in.
        entry = float(np.nextafter(np.float32(entry), np.float32(0)))
        if entry < self.entry[unit]:
            self.entry[unit] = entry
            self.reason[unit] = reason

    def admitted(self, fraction: float, first: int, count: int) -> npt.NDArray[np.bool_]:
        """Which of a table's rows are quota heads at a fraction."""
        return np.asarray(self.entry[first : first + count] <= fraction)


@dataclass(frozen=True)
class Candidate:
    """A head that would stand for something. rows: how many rows share what it stands for."""

    unit: int
    rows: int
    reason: int


def stand_ins(
    codes: npt.NDArray[np.uint8], score: npt.NDArray[np.float32], unit: npt.NDArray[np.uint32], reason: int
) -> list[Candidate]:
    """For each value among a table's rows the head that holds it and has the least score.

    codes: the value of each row. score: by head number.
    """
    if not len(codes):
        return []
    own = score[unit]
    frame = pl.DataFrame({"code": codes, "score": own})
    grouped = frame.group_by("code").agg(pl.col("score").min(), pl.len().alias("rows"))
    least = np.full(256, np.inf, np.float32)
    rows = np.zeros(256, np.int64)
    least[grouped["code"].to_numpy()] = grouped["score"].to_numpy()
    rows[grouped["code"].to_numpy()] = grouped["rows"].to_numpy()
    at = np.flatnonzero(own == least[codes])
    best: dict[int, int] = {}
    for code, head in zip(codes[at].tolist(), unit[at].tolist(), strict=True):
        best[code] = min(head, best.get(code, head))
    return [
        Candidate(head, int(rows[code]), reason) for code, head in best.items() if np.isfinite(least[code])
    ]


def admit_candidates(
    quotas: Quotas,
    candidates: list[Candidate],
    place: npt.NDArray[np.float32],
    share: npt.NDArray[np.float32],
    budget: float,
) -> None:
    """Let candidates in, the commonest value first, as far as the budget goes at each fraction.

    place, share: by head number, its place in the queue and the greatest share of a table that it brings.
    One that the draw lets in before costs nothing; values of at least SURE_ROWS rows are always there.
    """
    spent = 0.0
    for found in sorted(candidates, key=lambda c: (-c.rows, float(place[c.unit]), c.unit)):
        unit, cost = found.unit, float(share[found.unit])
        if quotas.entry[unit] <= 0:
            continue
        if found.rows >= SURE_ROWS and cost <= _LIGHT:
            quotas.admit(unit, 0.0, found.reason)
            continue
        entry = (spent + cost) / budget
        if float(place[unit]) > entry:
            spent += cost
            quotas.admit(unit, min(entry, 1.0), found.reason)


def summary(reasons: npt.NDArray[np.uint8]) -> Mapping[str, int]:
    """Rows by reason, in the order of REASONS, those without rows left out."""
    counts = np.bincount(reasons, minlength=len(REASONS))
    return {name: int(count) for name, count in zip(REASONS, counts, strict=True) if count}


def mean_weights(reasons: npt.NDArray[np.uint8], weights: npt.NDArray[np.float32]) -> Mapping[str, float]:
    """Mean weight by reason, in the order of REASONS; rows that were only completed have none."""
    counts = np.bincount(reasons, minlength=len(REASONS))
    sums = np.bincount(reasons, weights=weights, minlength=len(REASONS))
    return {
        name: float(total / count)
        for name, total, count in zip(REASONS[:COMPLETED], sums, counts, strict=False)
        if count
    }
