"""What a subset must keep of production's shape, measured from what was chosen; used by the benchmarks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from parity_data.catalog.model import Name
from parity_data.subset import quota
from parity_data.subset.heads import SAMPLED
from parity_data.subset.keys import DANGLING, NULL, TableKeys
from parity_data.subset.links import Link
from parity_data.subset.plan import Chooser, Sample, Selection

#: Tables with fewer rows are judged by the bound that sampling sets.
LARGE = 10_000
#: Categories with fewer rows may be missing.
SURE = 20


@dataclass(frozen=True)
class Criterion:
    """One figure. name: what was judged; where: table or link; value and bound: the figure, its limit.

    chance: the bound that sampling so few rows sets, where it is above the flat one.
    """

    name: str
    where: str
    value: float
    bound: float
    note: str = ""
    chance: float = 0.0

    @property
    def met(self) -> bool:
        return self.value <= max(self.bound, self.chance)

    @property
    def by_chance(self) -> bool:
        """Beyond the flat bound, within that of sampling."""
        return self.bound < self.value <= self.chance


NAMES = (
    "rows, points",
    "items per order, %",
    "rows per root, % (shown)",
    "KS of fan-out above bound",
    "NULL share, points",
    "largest fan-out lost, rows",
    "categories lost",
    "references broken",
)
ROWS, PER_PARENT, PER_ROOT, KS, NULLS, LARGEST, CATEGORIES, BROKEN = NAMES


def judge(chooser: Chooser, found: Mapping[Name, Selection], fraction: float) -> Iterator[Criterion]:
    """Every criterion for every table and link of the subset at ``fraction``."""
    shape = _Shape(chooser, found, fraction)
    yield from shape.rows()
    for link in chooser.links:
        yield from shape.references(link)
    for role in chooser.roles.values():
        if role.owner is not None:
            yield from shape.fan_out(role.owner)
    yield from shape.categories()


class _Shape:
    def __init__(self, chooser: Chooser, found: Mapping[Name, Selection], fraction: float) -> None:
        self.chooser, self.found, self.fraction = chooser, found, fraction
        self.keys: Mapping[Name, TableKeys] = chooser.keys

    def sample(self, name: Name) -> Sample:
        made = self.found[name].sample
        assert made is not None
        return made

    def sampled(self) -> Sequence[Name]:
        return [n for n, role in self.chooser.roles.items() if role.role in SAMPLED and self.keys[n].rows]

    def free(self, name: Name) -> npt.NDArray[np.bool_]:
        """All rows, or those not under the heaviest heads where these exceed the quotas' budget."""
        rows = self.keys[name].rows
        if not self.found[name].excess:
            return np.ones(rows, bool)
        unit = self.chooser.heads.unit[name]
        heads = self.chooser.sampler.quotas
        return np.asarray(~((heads.reason[unit] == quota.HEAVIEST) & (heads.entry[unit] <= 0)))

    def deviation(self, name: Name) -> float:
        """Standard deviation of the share of rows under plain draws of whole heads."""
        unit = self.chooser.heads.unit[name][self.free(name)]
        _, sizes = np.unique(unit, return_counts=True)
        total = sizes.sum()
        return float(np.sqrt(self.fraction * (1 - self.fraction) * (sizes.astype(float) ** 2).sum()) / total)

    def rows(self) -> Iterator[Criterion]:
        for name in self.sampled():
            free, sample = self.free(name), self.sample(name)
            share = sample.chosen[free].mean()
            wanted = self.found[name].fraction
            chance = 3 * self.deviation(name) + 1 / free.sum() if free.sum() < LARGE else 0.0
            note = f"{self.found[name].rows:,} of {self.keys[name].rows:,}"
            if self.found[name].completed:
                note += f", {self.found[name].completed:,} completed"
            if self.found[name].excess:
                note += f", {self.found[name].excess:,} beyond the fraction"
            yield Criterion(ROWS, str(name), 100 * abs(share - wanted), 1, note, 100 * chance)

    def references(self, link: Link) -> Iterator[Criterion]:
        own, other = self.sample(link.table), self.sample(link.referenced)
        at = self.keys[link.table].references[link.name]
        where = f"{link.table}.{','.join(link.columns)}"
        mine = at[own.chosen]
        broken = int((~other.chosen[mine[mine >= 0]]).sum())
        broken += abs(int((mine == DANGLING).sum()) - (self.found[link.table].dangling or {})[link.name])
        yield Criterion(BROKEN, where, broken, 0)
        if link.table not in self.sampled() or not len(mine):
            return
        free = self.free(link.table)
        mine, at = at[own.chosen & free], at[free]
        if not len(mine):
            return
        whole = float((at == NULL).mean())
        value = abs(float((mine == NULL).mean()) - whole)
        chance = 3 * self._share_deviation(link.table, whole, len(mine), free)
        yield Criterion(NULLS, where, 100 * value, 1, f"among {len(mine):,} rows", 100 * chance)

    def _share_deviation(self, name: Name, share: float, rows: int, free: npt.NDArray[np.bool_]) -> float:
        """Of a share among the chosen rows, with the clusters' design effect for whole correlation."""
        _, sizes = np.unique(self.chooser.heads.unit[name][free], return_counts=True)
        effect = (sizes.astype(float) ** 2).sum() / sizes.sum()
        return float(np.sqrt(max(share * (1 - share), 1 / rows) * effect * (1 - self.fraction) / rows))

    def fan_out(self, link: Link) -> Iterator[Criterion]:
        """Children per parent along an owner link: mean, distribution and maximum, over sampled parents."""
        parents, children = self.sample(link.referenced), self.sample(link.table)
        at = self.keys[link.table].references[link.name]
        count = self.keys[link.referenced].rows
        if not count or not (at >= 0).any():
            return
        where = f"{link.table} per {link.referenced}"
        whole = np.bincount(at[at >= 0], minlength=count)
        kept_at = at[children.chosen & (at >= 0)]
        kept = np.bincount(kept_at, minlength=count)
        drawn = parents.chosen & ~parents.completed
        free = self.free(link.referenced) & self._free_parents(link, at, count)
        n = int((drawn & free).sum())
        if n:
            mean, staged = whole[free].mean(), kept[drawn & free].mean()
            sd = whole[free].std() * np.sqrt((1 - self.fraction) / n) / max(mean, 1e-9)
            # Rows per root follow from the totals of both tables, which have bounds of their own.
            of_root = self.chooser.roles[link.referenced].owner is None
            yield Criterion(
                PER_ROOT if of_root else PER_PARENT,
                where,
                100 * abs(staged / mean - 1) if mean else 0.0,
                np.inf if of_root else 3,
                f"{staged:.3f} for {mean:.3f}, {n:,} parents",
                # The parent with most children is always there, and weighs as much as its share of them.
                300 * sd + 100 * float(whole[free].max(initial=0)) / (n * max(mean, 1e-9)),
            )
            # Kolmogorov's distribution at 5 %, for a sample without replacement.
            finite = 1.358 / np.sqrt(n) * np.sqrt(1 - self.fraction)
            distance = _distance(whole[free], kept[drawn & free])
            yield Criterion(KS, where, distance - finite, 0.02, f"{distance:.4f} with {n:,} parents")
        lost = int(whole.max()) - int(kept[drawn].max(initial=0))
        yield Criterion(LARGEST, where, lost, 0, f"{int(whole.max()):,}")

    def _free_parents(self, link: Link, at: npt.NDArray[np.int32], count: int) -> npt.NDArray[np.bool_]:
        """Parents whose children are judged: none that leads rows under a whale beyond the budget."""
        made = np.ones(count, bool)
        bound = ~self.free(link.table) & (at >= 0)
        made[at[bound]] = False
        return made

    def categories(self) -> Iterator[Criterion]:
        for name in self.sampled():
            chosen = self.sample(name).chosen
            for column, codes in self.keys[name].categories.items():
                whole = np.bincount(codes, minlength=256)
                kept = np.bincount(codes[chosen], minlength=256)
                lost = int(((whole >= SURE) & (kept == 0)).sum())
                held = int((whole >= SURE).sum())
                yield Criterion(CATEGORIES, f"{name}.{column}", lost, 0, f"{held} categories")


def _distance(one: npt.NDArray[np.int64], other: npt.NDArray[np.int64]) -> float:
    """Greatest distance between two empirical distribution functions."""
    width = int(max(one.max(initial=0), other.max(initial=0))) + 1
    shares = [np.cumsum(np.bincount(x, minlength=width)) / max(len(x), 1) for x in (one, other)]
    return float(np.abs(shares[0] - shares[1]).max())
