"""The draw: which heads are kept at a fraction, with what probability, and so which rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from parity_data.catalog.model import Name
from parity_data.rules.subset import SubsetRules
from parity_data.subset import quota
from parity_data.subset.heads import Heads
from parity_data.subset.heavy import admissions, exceeds
from parity_data.subset.keys import TableKeys, referrers
from parity_data.subset.labels import distinct
from parity_data.subset.links import Link, is_relinked
from parity_data.subset.quota import Candidate, Quotas
from parity_data.subset.rates import GRID, even_out, interpolate, make_rates, next_on_grid
from parity_data.subset.roles import TableRole
from parity_data.subset.strata import fan_out_class, make_strata, places

#: Owned tables whose totals the rates of one table of heads are made to meet: the largest.
_TOTALS = 4
#: A head with more than this share of a table is heavy: a quota or, once this many times its share is
#: planned, drawn like any other; never a surprise.
_HEAVY, _HEAVY_TIMES = 0.0025, 20
#: Share of a table up to which a total may be beyond its fraction without a word.
_NOT_MADE_UP = 0.005
#: Tables with fewer rows have no heavy heads.
_HEAVY_ROWS = 1000
#: What a share of a table counts against a place in the queue when heads stand for a category.
_SHARE_COSTS = 100


@dataclass
class HeadPlan:
    """The draw among the heads of one table. All arrays have one entry for each of them.

    rows: their positions. place: in the queue, 0 to 1. stratum: -1 for heavy heads. rates: by grid point and
    stratum. owned: the tables whose rows they lead, the largest first. heaviest: share that the heads which
    are kept for their fan-out bring of the table that they weigh most in. made_up: the fraction from which on
    the others make up for these in full.
    """

    name: Name
    rows: npt.NDArray[np.int64]
    place: npt.NDArray[np.float64]
    stratum: npt.NDArray[np.int64]
    names: list[str]
    rates: npt.NDArray[np.float64]
    owned: tuple[Name, ...]
    heaviest: float = 0.0
    made_up: float = 0.0


class Sampler:
    """Prepared once from the keys; ``draw`` then gives the heads at any fraction."""

    def __init__(
        self,
        keys: Mapping[Name, TableKeys],
        roles: Mapping[Name, TableRole],
        links: Sequence[Link],
        heads: Heads,
        rules: SubsetRules,
        key: bytes,
    ) -> None:
        self.keys, self.roles, self.links = keys, roles, links
        self.heads, self.rules, self._key = heads, rules, key
        self.quotas = Quotas.none(heads.size)
        self._place = np.full(heads.size, np.inf, np.float32)
        self._share = np.zeros(heads.size, np.float32)
        self._sizes: dict[tuple[Name, Name], npt.NDArray[np.int64]] = {}
        self.plans = {name: plan for name in heads.order if (plan := self._prepare(name)) is not None}
        self._pins()
        self._heaviest()
        self._heavy()
        self._stand_ins()
        self._relink_targets()
        for plan in self.plans.values():
            self._rates(plan)

    # -- once ------------------------------------------------------------------------------------------

    def _owned(self, name: Name) -> tuple[Name, ...]:
        """Tables with rows under heads of this one, the largest first."""
        below = {name}
        for other in self.heads.order:
            owner = self.roles[other].owner
            if owner is not None and owner.referenced in below:
                below.add(other)
        return tuple(sorted(below - {name}, key=lambda n: (-self.keys[n].rows, n)))

    def _size(self, of: Name, plan_rows: npt.NDArray[np.int64], under: Name) -> npt.NDArray[np.int64]:
        found = self._sizes.get((of, under))
        if found is None:
            found = self.heads.sizes(of, under)[plan_rows].astype(np.int32)
            self._sizes[of, under] = found
        return found

    def _prepare(self, name: Name) -> HeadPlan | None:
        rows = self.heads.own(name)
        if not len(rows):
            return None
        keys = self.keys[name]
        owned = self._owned(name)
        first = self.heads.start[name]
        heavy = np.zeros(len(rows), bool)
        share = np.zeros(len(rows), np.float32)
        for other in (name, *owned):
            part = (self._size(other, rows, name) / max(self.keys[other].rows, 1)).astype(np.float32)
            share = np.maximum(share, part)
            if self.keys[other].rows >= _HEAVY_ROWS:
                heavy |= part > _HEAVY
        light = np.flatnonzero(~heavy)
        stratum = np.full(len(rows), -1, np.int64)
        names: list[str] = []
        place = self._times(name)[rows] if keys.time is not None else keys.draw[rows].copy()
        if len(light):
            differences = self._differences(name, rows, owned, light)
            stratum[light], names = make_strata(differences, len(light))
            names = [f"{name}:{text}" for text in names]
            place[light] = places(stratum[light], names, place[light], self._key)
        # A heavy head enters once it is small beside what is planned, and its own draw lets it in.
        place[heavy] = np.maximum(place[heavy], next_on_grid(np.minimum(share[heavy] * _HEAVY_TIMES, 1.0)))
        self._place[first + rows] = place
        self._share[first + rows] = share
        return HeadPlan(name, rows, place, stratum, names, np.empty((0, 0)), owned)

    def _times(self, name: Name) -> npt.NDArray[np.float64]:
        """Places by age: the newest first, rows without a time last."""
        time = self.keys[name].time
        assert time is not None
        order = np.lexsort((self.keys[name].draw, -np.nan_to_num(time, nan=-np.inf)))
        place = np.empty(len(time))
        place[order] = (np.arange(len(time)) + 0.5) / len(time)
        return place

    def _differences(
        self,
        name: Name,
        rows: npt.NDArray[np.int64],
        owned: tuple[Name, ...],
        light: npt.NDArray[np.int64],
    ) -> list[npt.NDArray[np.integer]]:
        """What tells strata apart, the most important first."""
        keys = self.keys[name]
        if keys.time is not None:
            return []
        classes = [fan_out_class(self._size(other, rows, name)[light]) for other in owned[:_TOTALS]]
        family = fan_out_class(self._size(name, rows, name)[light])
        at = rows[light]
        relinked = [fan_out_class(referrers(self.keys, link)[at]) for link in self._relinked_to(name)]
        told = [c for c in self.rules.of(name).strata if c in keys.categories]
        guessed = [c for c in sorted(keys.categories) if c not in told]
        empty = np.zeros(len(at), np.int64)
        for link in self._links_of(name):
            empty = (empty * 3 + np.minimum(-keys.references[link.name][at], 2).clip(0)) % (1 << 40)
        _, empty, _ = distinct(empty)
        return [
            *classes[:1],
            family,
            *relinked,
            *(keys.categories[c][at].astype(np.int64) for c in told),
            empty,
            *classes[1:2],
            *(keys.categories[c][at].astype(np.int64) for c in guessed[:3]),
            *classes[2:],
        ]

    def _links_of(self, name: Name) -> list[Link]:
        return [link for link in self.links if link.table == name and link.name in self.keys[name].references]

    def _relinked_to(self, name: Name) -> list[Link]:
        """Keys whose references to rows of this table go to sampled ones."""
        return [k for k in self.links if k.referenced == name and is_relinked(k, self.rules)]

    def _relink_targets(self) -> None:
        """For every relinked key a row to which references may go is there, at any fraction."""
        score = self._place + _SHARE_COSTS * self._share
        for name in self.heads.order:
            for link in self._relinked_to(name):
                units = np.unique(self.heads.unit[name][referrers(self.keys, link) > 0])
                if len(units) and not (self.quotas.entry[units] <= 0).any():
                    self.quotas.admit(int(units[np.argmin(score[units])]), 0.0, quota.CATEGORY)

    def _pins(self) -> None:
        for name in self.heads.order:
            pinned = self.keys[name].pinned
            if pinned is not None:
                for unit in np.unique(self.heads.unit[name][pinned]).tolist():
                    self.quotas.admit(unit, 0.0, quota.PINNED)

    def _heaviest(self) -> None:
        """For every owner path the row that leads most is there, with the head above it."""
        for name in self.heads.order:
            link = self.roles[name].owner
            if link is None or self.rules.of(name).thin:
                continue
            at = self.keys[name].references[link.name]
            at = at[at >= 0]
            if not len(at):
                continue
            counts = np.bincount(at, minlength=self.keys[link.referenced].rows)
            top = np.flatnonzero(counts == counts.max())
            if len(top) > 1:
                share = self._share[self.heads.unit[link.referenced][top]]
                top = top[share == share.min()]
                top = top[[np.argmin(self.keys[link.referenced].draw[top])]]
            if counts[top[0]] > 1:
                self.quotas.admit(int(self.heads.unit[link.referenced][top[0]]), 0.0, quota.HEAVIEST)

    def _heavy(self) -> None:
        """Heavy heads, the heaviest first, as far as the budget goes; it counts what is there already."""
        for plan in self.plans.values():
            first = self.heads.start[plan.name]
            heavy = np.flatnonzero(plan.stratum < 0)
            if not len(heavy):
                continue
            weight = self._share[first + plan.rows[heavy]]
            heavy = heavy[np.lexsort((plan.place[heavy], -weight))]
            parts = np.stack(
                [self._size(o, plan.rows, plan.name)[heavy] / max(self.keys[o].rows, 1) for o in plan.owned],
                axis=1,
            )
            fixed = self.quotas.entry[first + plan.rows[heavy]] <= 0
            entry = admissions(parts, fixed, plan.place[heavy], self.rules.quota_budget)
            for head, fraction in zip(heavy.tolist(), entry.tolist(), strict=True):
                if fraction < 1:
                    self.quotas.admit(int(first + plan.rows[head]), fraction, quota.HEAVY)

    def _stand_ins(self) -> None:
        """Categories, extremes, and references that are NULL or find nothing, each by one head."""
        score = self._place + _SHARE_COSTS * self._share
        candidates: list[Candidate] = []
        for name in self.heads.order:
            keys, unit = self.keys[name], self.heads.unit[name]
            for codes in keys.categories.values():
                candidates += quota.stand_ins(codes, score, unit, quota.CATEGORY)
            for link in self._links_of(name):
                at = keys.references[link.name]
                if (at < 0).any():
                    codes = np.minimum(-at, 2).clip(0).astype(np.uint8)
                    candidates += [
                        c for c in quota.stand_ins(codes, score, unit, quota.ORPHAN) if c.rows < keys.rows
                    ]
            candidates += [Candidate(int(unit[row]), 1, quota.EXTREME) for row in keys.extremes.tolist()]
        quota.admit_candidates(self.quotas, candidates, self._place, self._share, self.rules.quota_budget / 2)

    def _rates(self, plan: HeadPlan) -> None:
        """Rates of every stratum along the grid, so that totals are met with what the quotas bring."""
        count = len(plan.names)
        light = plan.stratum >= 0
        stratum = plan.stratum[light]
        counts = np.bincount(stratum, minlength=count).astype(np.float64)
        totals = [np.ones(len(plan.rows))]
        if len(plan.rows) < self.keys[plan.name].rows:  # there are families, or rows with an owner
            totals.append(self._size(plan.name, plan.rows, plan.name).astype(np.float64))
        totals += [self._size(o, plan.rows, plan.name).astype(np.float64) for o in plan.owned[:_TOTALS]]
        all_sizes = np.stack(totals, axis=1)
        sums = np.stack(
            [np.bincount(stratum, column[light], minlength=count) for column in all_sizes.T], axis=1
        )
        sizes: npt.NDArray[np.float64] = sums / np.maximum(counts, 1)[:, None]
        numbers = self.heads.start[plan.name] + plan.rows
        entry = self.quotas.entry[numbers]
        fixed = (self.quotas.reason[numbers] == quota.HEAVIEST) & (entry <= 0)
        touched = np.flatnonzero((entry <= 1) | ~light)
        own, late = all_sizes[touched], light[touched]
        whole = all_sizes.sum(axis=0)
        heaviest = all_sizes[fixed].sum(axis=0)
        plan.heaviest = float((heaviest[1:] / np.maximum(whole[1:], 1)).max(initial=0))
        targets = np.empty((len(GRID), all_sizes.shape[1]))
        for i, fraction in enumerate(GRID):
            inside = (entry[touched] <= fraction) | (~late & (plan.place[touched] <= fraction))
            over = exceeds(plan.heaviest, self.rules.quota_budget, fraction)
            # A light head among the quotas stands in a stratum, too, and would have been drawn at times.
            brought = (own * np.where(late, 1 - fraction, 1.0)[:, None])[inside].sum(axis=0)
            targets[i] = fraction * whole - brought + ((1 - fraction) * heaviest if over else 0)
        asked = targets / np.maximum(whole, 1)
        evened = even_out(asked)
        targets = evened * whole
        plan.rates = make_rates(counts, sizes, targets) if count else np.ones((len(GRID), 0))
        # What the rest brings too much, because it must not shrink or has no heads small enough.
        brought_more = (plan.rates * counts) @ sizes / np.maximum(whole, 1) - np.maximum(asked, 0)
        late_totals = np.maximum(evened - np.maximum(asked, 0), brought_more).max(axis=1) > _NOT_MADE_UP
        exceeding = np.array([exceeds(plan.heaviest, self.rules.quota_budget, f) for f in GRID])
        if plan.heaviest > _NOT_MADE_UP and (late_totals | exceeding).any():
            last = int(np.flatnonzero(late_totals | exceeding)[-1])
            plan.made_up = float(GRID[min(last + 1, len(GRID) - 1)])

    # -- at a fraction ---------------------------------------------------------------------------------

    def draw(self, fractions: Mapping[Name, float]) -> Draw:
        """The heads that are kept, and how likely each was. fractions: by table of heads, 0 to 1."""
        chance = np.zeros(self.heads.size, np.float32)
        weight = np.zeros(self.heads.size, np.float32)
        reason = np.zeros(self.heads.size, np.uint8)
        odds = np.zeros(self.heads.size, np.float32)
        for name, plan in self.plans.items():
            fraction = fractions[name]
            numbers = self.heads.start[name] + plan.rows
            light = plan.stratum >= 0
            rate = np.full(len(plan.rows), fraction)
            if plan.rates.shape[1]:
                rate[light] = interpolate(plan.rates, fraction)[plan.stratum[light]]
            if fraction >= 1:
                rate[:] = 1
            rate[~light] = np.where(plan.place[~light] <= fraction, fraction, 0)
            fixed = (self.quotas.entry[numbers] <= fraction) & (fraction > 0)
            drawn = np.where(light, plan.place < rate, plan.place <= fraction) & (fraction > 0)
            chosen = drawn | fixed
            chance[numbers] = np.where(fixed, 1, np.where(light, rate, fraction * (plan.place <= 1)))
            odds[numbers] = chance[numbers]
            reach = next_on_grid(np.minimum(self._share[numbers] * _HEAVY_TIMES, 1.0)) <= fraction
            odds[numbers[~light & ~fixed & ~reach]] = 0
            chance[numbers[~light & ~fixed]] = drawn[~light & ~fixed]
            undo = np.ones(len(plan.rows))
            free = light & ~fixed
            whole = np.bincount(plan.stratum[free], minlength=len(plan.names))
            kept = np.bincount(plan.stratum[free & drawn], minlength=len(plan.names))
            # Strata of which nothing was drawn are spoken for by the others.
            silent = whole.sum() / max(whole[kept > 0].sum(), 1)
            undo[free] = (silent * whole / np.maximum(kept, 1))[plan.stratum[free]]
            undo[~light & ~fixed] = 1 / max(fraction, 1e-12)
            weight[numbers] = np.where(chosen, undo, 0)
            reason[numbers] = np.where(fixed, self.quotas.reason[numbers], quota.DRAWN)
        return Draw(self.heads, chance, odds, weight, reason)

    def strata_of(self, name: Name) -> npt.NDArray[np.int32]:
        """For each row of a table the stratum of its head, counted within the head's table; -1 for none."""
        made = np.full(self.heads.size, -1, np.int32)
        for plan in self.plans.values():
            made[self.heads.start[plan.name] + plan.rows] = plan.stratum
        return made[self.heads.unit[name]]


@dataclass(frozen=True)
class Draw:
    """One draw. By head number: chance, odds, weight (0: not kept), and why it is kept (quota.REASONS).

    chance: with which a plan counts; heavy heads, who are few, count as what was drawn. odds: over all keys;
    0 for heads too heavy for the fraction.
    """

    heads: Heads
    chance: npt.NDArray[np.float32]
    odds: npt.NDArray[np.float32]
    weight: npt.NDArray[np.float32]
    reason: npt.NDArray[np.uint8]

    def rows(self, name: Name) -> npt.NDArray[np.bool_]:
        """Which rows of a sampled table are kept."""
        return np.asarray(self.weight[self.heads.unit[name]] > 0)
