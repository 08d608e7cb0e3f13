"""Choose the rows: heads by keyed draw and quota, owned rows with their head, and what those reference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from parity_data.catalog.arrow import ArrowReader, RowAddresses
from parity_data.catalog.model import Catalog, Name
from parity_data.rules.policy import Policy
from parity_data.subset import quota
from parity_data.subset._spill import spill_folder
from parity_data.subset.closure import Mask, complete
from parity_data.subset.heads import Heads, find_heads
from parity_data.subset.keys import (
    DANGLING,
    NULL,
    Positions,
    TableKeys,
    addresses_by_leaf,
    read_keys,
)
from parity_data.subset.links import Link, is_relinked, make_links
from parity_data.subset.relink import Relinked, relink, relinked, sampled_targets
from parity_data.subset.roles import TableRole, assign_roles
from parity_data.subset.sampler import Draw, Sampler
from parity_data.subset.target import fraction_for_bytes
from parity_data.subset.wishes import make_wishes


@dataclass(frozen=True)
class Sample:
    """Every row of a table, chosen or not, for whoever judges the subset; arrays of length ``total``.

    How to use it: a share over all of production is the mean of an indicator over all rows; its estimate
    from the subset is ``sum(weight * indicator) / sum(weight)`` over chosen rows, since quotas and tilted
    rates favour some heads. Rows completed upwards carry weight 0: they are no part of the sample. Redraw
    by ``unit``, the cluster that is drawn as a whole, within ``stratum``; heads with a quota's ``reason``
    (see quota.REASONS, 'drawn' is 0) are always there. Match rows of the stream by (``leaf``, ``address``).

    address: packed ctid; leaf: index into ``Table.leaves``. draw: the row's own keyed draw. references: by
    link name, position of the referenced row in its table, -1 for NULL, -2 for nothing there. chosen,
    completed: booleans. head_table, unit: number of the row's head among all rows of all tables, None for
    tables that are not sampled.
    """

    address: RowAddresses
    leaf: npt.NDArray[np.int16]
    draw: npt.NDArray[np.float64]
    references: Mapping[str, Positions]
    chosen: Mask
    completed: Mask
    unit: npt.NDArray[np.uint32] | None
    _draw: Draw | None = None
    _stratum: Callable[[], npt.NDArray[np.int32]] | None = None
    _thinning: float = 1.0

    @property
    def drawn_by(self) -> Draw | None:
        """The draw of heads; None for tables that are not sampled."""
        return self._draw

    @property
    def thinning(self) -> float:
        """Share of the rows under chosen heads that the policy keeps; 1 for all."""
        return self._thinning

    @property
    def weight(self) -> npt.NDArray[np.float32]:
        """By row, how many rows of production it stands for; 0 when not chosen or only completed."""
        kept = self.chosen & ~self.completed
        if self._draw is None or self.unit is None:
            return kept.astype(np.float32)
        return np.where(kept, self._draw.weight[self.unit] / self._thinning, 0).astype(np.float32)

    @property
    def reason(self) -> npt.NDArray[np.uint8]:
        """By row, why it is there, or would be, as an index into quota.REASONS."""
        own = np.zeros(len(self.chosen), np.uint8)
        if self._draw is not None and self.unit is not None:
            own = self._draw.reason[self.unit]
        return np.where(self.completed, np.uint8(quota.COMPLETED), own)

    @property
    def stratum(self) -> npt.NDArray[np.int32]:
        """By row, the stratum of its head within the head's table; -1 where there is none."""
        if self._stratum is None:
            return np.full(len(self.chosen), -1, np.int32)
        return self._stratum()


@dataclass(frozen=True)
class Selection:
    """What of one table goes to staging. rows: chosen; total: in production; addresses: None for every row.

    completed: rows that are there only because a chosen row references them. dangling, nulls: chosen rows
    by link name whose reference finds nothing, or is NULL; None when every row goes. fraction: that was asked
    of this table. expected: rows foretold from rates and quotas before the draw. by_quota: chosen rows by
    reason; weights: how many rows of production each of these stands for, on average. excess: rows beyond
    the fraction because the heaviest head exceeds the budget; totals are judged without them. thinned: rows
    sampled one by one because the policy thins the heaviest. relinked: rows that refer to others than in
    production, by key. sample: all rows, for verification; None when every row goes.
    """

    role: TableRole
    rows: int
    total: int
    addresses: dict[Name, RowAddresses] | None
    completed: int = 0
    dangling: Mapping[str, int] | None = None
    nulls: Mapping[str, int] | None = None
    fraction: float = 1.0
    expected: float = 0.0
    by_quota: Mapping[str, int] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    excess: int = 0
    thinned: int = 0
    relinked: tuple[Relinked, ...] = ()
    sample: Sample | None = None


def select_rows(
    readers: Sequence[ArrowReader],
    catalog: Catalog,
    policy: Policy,
    fraction: float,
    key: bytes,
    *,
    target_bytes: int | None = None,
    work: Path | None = None,
) -> tuple[dict[Name, Selection], float]:
    """The subset at ``fraction`` of the heads, closed under all links, and the fraction. key: of the draw.

    readers: one or more, each for a table at a time. target_bytes: the fraction that comes nearest to it from
    below counts instead. work: folder for keys that do not fit in memory. Raises SourceError, RulesError.
    """
    links = make_links(catalog, policy.subset.virtual_keys)
    wishes = make_wishes(readers[0], catalog, policy)
    folder = None if work is None else spill_folder(work, catalog, links)
    keys = read_keys(readers, catalog, links, key, wishes, folder=folder)
    chooser = Chooser(catalog, keys, links, policy, fraction, key)
    if target_bytes is not None:
        fraction = fraction_for_bytes(target_bytes, lambda f: _bytes(catalog, chooser.rows(f).chosen, keys))
    return chooser.select(fraction), fraction


def choose(
    catalog: Catalog,
    keys: Mapping[Name, TableKeys],
    links: Sequence[Link],
    policy: Policy,
    fraction: float,
    key: bytes,
) -> dict[Name, Selection]:
    """The subset at ``fraction``, from keys that were read and resolved."""
    return Chooser(catalog, keys, links, policy, fraction, key).select(fraction)


def _bytes(catalog: Catalog, chosen: Mapping[Name, Mask], keys: Mapping[Name, TableKeys]) -> float:
    return sum(
        catalog.tables[name].bytes * float(mask.sum()) / keys[name].rows
        for name, mask in chosen.items()
        if keys[name].rows
    )


@dataclass(frozen=True)
class _Rows:
    chosen: dict[Name, Mask]
    completed: dict[Name, Mask]
    draw: Draw
    fractions: dict[Name, float]
    relinked: tuple[Link, ...]


class Chooser:
    """Chooses rows at any fraction below 1 from keys that were read once."""

    def __init__(
        self,
        catalog: Catalog,
        keys: Mapping[Name, TableKeys],
        links: Sequence[Link],
        policy: Policy,
        fraction: float,
        key: bytes,
    ) -> None:
        self.catalog, self.keys, self.links, self.policy = catalog, keys, links, policy
        totals = {name: found.rows for name, found in keys.items()}
        resolved = {
            link: float((keys[link.table].references[link.name] >= 0).mean())
            for link in links
            if keys[link.table].rows
        }
        self.roles = assign_roles(catalog, policy, min(fraction, 1 - 1e-12), totals, links, resolved)
        self.heads: Heads = find_heads(keys, self.roles, links, policy.subset)
        self.sampler = Sampler(keys, self.roles, links, self.heads, policy.subset, key)
        self._referenced = self._find_referenced()

    def _find_referenced(self) -> dict[Name, Mask]:
        """Which rows of shared references anyone references in production."""
        found = {
            name: np.zeros(self.keys[name].rows, bool) for name, role in self.roles.items() if role.shared
        }
        for link in self.links:
            if link.referenced in found and not link.is_self:
                at = self.keys[link.table].references[link.name]
                found[link.referenced][at[at >= 0]] = True
        return found

    def table_fraction(self, name: Name, fraction: float) -> float:
        """What the policy asks of a table at a global fraction; owned tables have their root's."""
        own = self.policy.subset.of(name)
        if own.rows is not None and self.keys[name].rows:
            return min(own.rows / self.keys[name].rows, 1.0)
        if own.fraction is not None:
            return own.fraction
        owner = self.roles[name].owner
        return fraction if owner is None else self.table_fraction(owner.referenced, fraction)

    def _head_fraction(self, name: Name, fraction: float) -> float:
        owner = self.roles[name].owner
        if owner is None:
            return self.table_fraction(name, fraction)
        return self._head_fraction(owner.referenced, fraction)

    def _thinning(self, name: Name, fraction: float) -> float:
        """Share of followed rows that an owned table keeps because the policy wants fewer of them."""
        if self.roles[name].owner is None:
            return 1.0
        head = self._head_fraction(name, fraction)
        return min(self.table_fraction(name, fraction) / head, 1.0) if head > 0 else 1.0

    def rows(self, fraction: float) -> _Rows:
        """Chosen and completed rows of every table."""
        fractions = {name: self._head_fraction(name, fraction) for name in self.heads.order}
        draw = self.sampler.draw(fractions)
        chosen: dict[Name, Mask] = {}
        for name, role in self.roles.items():
            keys = self.keys[name]
            if role.role == "excluded" or fraction <= 0:
                chosen[name] = np.zeros(keys.rows, bool)
            elif role.shared:
                lone = ~self._referenced[name]
                chosen[name] = lone & (keys.draw < self.table_fraction(name, fraction))
            elif role.role in ("reference", "all"):
                chosen[name] = np.ones(keys.rows, bool)
            else:
                chosen[name] = draw.rows(name)
                share = self._thinning(name, fraction)
                if share < 1:
                    chosen[name] &= keys.draw < share
            if keys.pinned is not None and role.role != "excluded":
                chosen[name] |= keys.pinned & (fraction > 0)
        without = frozenset(name for name, role in self.roles.items() if role.role == "excluded")
        # Where nothing was sampled that a reference could go to, it is completed like any other.
        spread = [
            link
            for link in self.links
            if is_relinked(link, self.policy.subset)
            and len(sampled_targets(self.keys, link, chosen[link.referenced]))
        ]
        followed = [link for link in self.links if link not in spread]
        completed = complete(self.keys, followed, chosen, without=without)
        return _Rows(chosen, completed, draw, fractions, tuple(spread))

    def select(self, fraction: float) -> dict[Name, Selection]:
        """What of every table goes."""
        found = self.rows(fraction)
        return {name: self._selection(name, fraction, found) for name in self.catalog.tables}

    def _selection(self, name: Name, fraction: float, found: _Rows) -> Selection:
        keys, role = self.keys[name], self.roles[name]
        chosen, completed = found.chosen[name], found.completed[name]
        sampled = name in self.heads.unit
        unit = self.heads.unit.get(name)
        wanted = self.table_fraction(name, fraction) if sampled or role.shared else 1.0
        sample = Sample(
            keys.address,
            keys.leaf,
            keys.draw,
            keys.references,
            chosen,
            completed,
            unit,
            found.draw if sampled else None,
            (lambda: self.sampler.strata_of(name)) if sampled else None,
            self._thinning(name, fraction),
        )
        rows, more = int(chosen.sum()), int(completed.sum())
        expected = float(rows - more)
        if unit is not None:
            expected = float(found.draw.chance[unit].sum(dtype=np.float64)) * self._thinning(name, fraction)
        return Selection(
            role=role,
            rows=rows,
            total=keys.rows,
            addresses=None if rows == keys.rows else addresses_by_leaf(keys, chosen),
            completed=more,
            dangling={fk: int((at[chosen] == DANGLING).sum()) for fk, at in keys.references.items()},
            nulls={fk: int((at[chosen] == NULL).sum()) for fk, at in keys.references.items()},
            fraction=wanted,
            expected=expected + more,
            by_quota=quota.summary(sample.reason[chosen]) if sampled else {},
            weights=quota.mean_weights(sample.reason[chosen], sample.weight[chosen]) if sampled else {},
            excess=self._excess(name, wanted, rows - more) if sampled else 0,
            thinned=self.heads.thinned.get(name, 0),
            relinked=tuple(self._relinked(name, found)),
            sample=sample,
        )

    def _relinked(self, name: Name, found: _Rows) -> Iterator[Relinked]:
        for link in found.relinked:
            if link.table == name:
                drawn = found.chosen[link.referenced] & ~found.completed[link.referenced]
                new = relink(self.keys, link, found.chosen, drawn)
                if (made := relinked(self.keys, link, found.chosen[name], new)) is not None:
                    yield made

    def _excess(self, name: Name, fraction: float, rows: int) -> int:
        """Rows beyond the fraction where the heaviest heads exceed the budget and are not made up for."""
        leading = [p for p in self.sampler.plans.values() if p.name == name or name in p.owned]
        if not any(fraction < plan.made_up for plan in leading):
            return 0
        return max(0, rows - round(fraction * self.keys[name].rows))


def select_everything(catalog: Catalog, policy: Policy, rows: Mapping[Name, int]) -> dict[Name, Selection]:
    """The whole of production but the tables whose rows the policy excludes. rows: exact counts."""
    roles = assign_roles(catalog, policy, 1.0, rows, make_links(catalog))
    return {
        name: Selection(
            role,
            0 if role.role == "excluded" else rows[name],
            rows[name],
            {} if role.role == "excluded" else None,
            expected=0 if role.role == "excluded" else rows[name],
        )
        for name, role in roles.items()
    }
