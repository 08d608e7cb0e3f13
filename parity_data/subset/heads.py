"""Heads: the rows that are drawn. Every other row goes where the head above it goes.

A head is a row of a root or of an unattached table, or a row of an owned table whose owner is NULL or gone.
Rows of one root that refer to each other, such as customers and who referred them, form families with one
head while these are small, so that few rows have to be completed. Rows of all tables are numbered through;
``unit`` says for each row the number of its head.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from parity_data.catalog.model import Name
from parity_data.rules.subset import SubsetRules
from parity_data.subset.keys import Positions, TableKeys
from parity_data.subset.links import Link
from parity_data.subset.roles import TableRole

Units = npt.NDArray[np.uint32]

#: Roles whose rows are drawn, or follow one that is.
SAMPLED = ("root", "owned", "unattached")
#: Share of a table's rows under one owner from which on ``thin`` samples them one by one.
_THIN_ABOVE = 0.01
#: A family has at most this share of its table's rows, or so many rows, and at most so many generations.
_FAMILY_SHARE, _FAMILY_ROWS, _GENERATIONS = 0.0005, 8, 64


@dataclass(frozen=True)
class Heads:
    """The forest of rows.

    start: the number of a table's first row; size: rows in all tables. unit: by sampled table, for each row
    the number of its head. order: sampled tables, owners before what they own. thinned: by
    table, the rows taken from their owner to be drawn one by one.
    """

    start: Mapping[Name, int]
    size: int
    unit: Mapping[Name, Units]
    order: tuple[Name, ...]
    thinned: Mapping[Name, int]

    def own(self, name: Name) -> npt.NDArray[np.int64]:
        """Positions of the table's rows that are heads themselves."""
        unit = self.unit[name]
        numbers = np.arange(self.start[name], self.start[name] + len(unit), dtype=np.uint32)
        return np.flatnonzero(unit == numbers)

    def sizes(self, of: Name, under: Name) -> npt.NDArray[np.int64]:
        """For each row of ``under`` how many rows of ``of`` go where it goes, as their head."""
        first, count = self.start[under], len(self.unit[under])
        unit = self.unit[of]
        inside = unit[(unit >= first) & (unit < first + count)] - np.uint32(first)
        return np.bincount(inside, minlength=count)


def find_heads(
    keys: Mapping[Name, TableKeys],
    roles: Mapping[Name, TableRole],
    links: Sequence[Link],
    rules: SubsetRules,
) -> Heads:
    """The head of every row of every sampled table."""
    start, size = {}, 0
    for name in sorted(keys):
        start[name] = size
        size += keys[name].rows
    order = _order(roles)
    unit: dict[Name, Units] = {}
    thinned: dict[Name, int] = {}
    for name in order:
        rows = keys[name].rows
        own = np.arange(start[name], start[name] + rows, dtype=np.uint32)
        link = roles[name].owner
        if link is None or not keys[link.referenced].rows:
            family = _own_reference(keys[name], links) if roles[name].role == "root" else None
            unit[name] = own if family is None else own[family_heads(family)]
            continue
        at = keys[name].references[link.name]
        owned = at >= 0
        if rules.of(name).thin:
            heavy = np.bincount(at[owned], minlength=keys[link.referenced].rows) > _THIN_ABOVE * rows
            cut = owned & heavy[np.maximum(at, 0)]
            thinned[name] = int(cut.sum())
            owned &= ~cut
        unit[name] = np.where(owned, unit[link.referenced][np.maximum(at, 0)], own)
    return Heads(start, size, unit, order, thinned)


def _own_reference(keys: TableKeys, links: Sequence[Link]) -> Positions | None:
    """Of a table's references to itself the one that finds most rows."""
    found = [keys.references[k.name] for k in links if k.table == keys.table.name and k.is_self]
    return max(found, key=lambda at: int((at >= 0).sum()), default=None)


def family_heads(at: Positions) -> Positions:
    """For each row of a table that refers to itself the position of its family's head.

    at: position of the row referred to, negative for none. A row's head is the farthest row on its way up
    below which there are not too many rows; rows on or below a cycle stay alone.
    """
    count = len(at)
    head = np.arange(count, dtype=np.int32)
    depth = np.where(at < 0, 0, -1)
    levels = [np.flatnonzero(depth == 0)]
    waiting = np.flatnonzero(depth < 0)
    while len(waiting) and len(levels) < _GENERATIONS:
        ready = depth[at[waiting]] == len(levels) - 1
        if not ready.any():
            break
        levels.append(waiting[ready])
        depth[waiting[ready]] = len(levels) - 1
        waiting = waiting[~ready]
    size = np.ones(count, np.int64)
    for rows in reversed(levels[1:]):
        np.add.at(size, at[rows], size[rows])
    most = max(_FAMILY_ROWS, _FAMILY_SHARE * count)
    for rows in levels[1:]:
        above = at[rows]
        head[rows] = np.where(size[above] <= most, head[above], rows)
    return head


def _order(roles: Mapping[Name, TableRole]) -> tuple[Name, ...]:
    done: dict[Name, None] = {
        name: None for name in sorted(roles) if roles[name].role in SAMPLED and roles[name].owner is None
    }
    waiting = [name for name in sorted(roles) if roles[name].owner is not None]
    while waiting:
        ready = [name for name in waiting if roles[name].owner.referenced in done]  # type: ignore[union-attr]
        done.update(dict.fromkeys(ready))
        waiting = [name for name in waiting if name not in done]
    return tuple(done)
