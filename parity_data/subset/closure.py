"""Completion: every reference that resolves in production resolves among the chosen rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from parity_data.catalog.model import Name
from parity_data.subset.keys import TableKeys
from parity_data.subset.links import Link

Mask = npt.NDArray[np.bool_]


def complete(
    keys: Mapping[Name, TableKeys],
    links: Sequence[Link],
    chosen: dict[Name, Mask],
    *,
    without: frozenset[Name] = frozenset(),
) -> dict[Name, Mask]:
    """Add what chosen rows reference, directly or not, to ``chosen``; the rows that were added, by table.

    A row that was added comes alone: what it owns is not drawn in. without: tables whose rows stay out.
    """
    drawn = {name: mask.copy() for name, mask in chosen.items()}
    by_table: dict[Name, list[Link]] = {}
    for link in links:
        if link.referenced not in without and link.table not in without:
            by_table.setdefault(link.table, []).append(link)
    fresh: dict[Name, list[npt.NDArray[np.integer]]] = {}
    for name, leaving in by_table.items():
        for link in leaving:
            _follow(keys, link, np.flatnonzero(drawn[name]) if not drawn[name].all() else None, chosen, fresh)
    while fresh:
        name = next(iter(fresh))
        added = fresh.pop(name)
        rows = added[0] if len(added) == 1 else np.concatenate(added)
        for link in by_table.get(name, ()):
            _follow(keys, link, rows, chosen, fresh)
    return {name: mask & ~drawn[name] for name, mask in chosen.items()}


def _follow(
    keys: Mapping[Name, TableKeys],
    link: Link,
    rows: npt.NDArray[np.integer] | None,
    chosen: dict[Name, Mask],
    fresh: dict[Name, list[npt.NDArray[np.integer]]],
) -> None:
    """Add what these rows (None: all) reference through the link."""
    at = keys[link.table].references[link.name]
    wanted = at if rows is None else at[rows]
    wanted = wanted[wanted >= 0]
    target = chosen[link.referenced]
    missing = wanted[~target[wanted]]
    if len(missing):
        missing = np.unique(missing)
        target[missing] = True
        fresh.setdefault(link.referenced, []).append(missing)
