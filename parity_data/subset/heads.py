"""Heads: the rows that are drawn. Every other row goes where the head above it goes.

A head is a row of a root or of an unattached table, or a row of an owned table whose owner is NULL or gone.
Rows of all tables are numbered through; ``unit`` says for each row the number of its head.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from parity_data.catalog.model import Name
from parity_data.rules.subset import SubsetRules
from parity_data.subset.keys import TableKeys
from parity_data.subset.roles import TableRole

Units = npt.NDArray[np.uint32]

#: Roles whose rows are drawn, or follow one that is.
SAMPLED = ("root", "owned", "unattached")
#: Share of a table's rows under one owner from which on ``thin`` samples them one by one.
_THIN_ABOVE = 0.01


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


def find_heads(keys: Mapping[Name, TableKeys], roles: Mapping[Name, TableRole], rules: SubsetRules) -> Heads:
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
            unit[name] = own
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
