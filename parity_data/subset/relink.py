"""Relinking: references to rows that were not sampled go to sampled ones of the same fan-out class.

All rows that refer to one row go to one other row, so they stay together; rows that were not sampled are
dealt out in turn among the sampled ones of their class, in the order of keyed draws. A sampled row so comes
by about as many rows as refer to it in production.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from parity_data.catalog.arrow import RowAddresses
from parity_data.catalog.model import Name
from parity_data.subset.closure import Mask
from parity_data.subset.keys import Positions, TableKeys, referrers
from parity_data.subset.links import Link
from parity_data.subset.strata import fan_out_class


@dataclass(frozen=True)
class Relinked:
    """Rows of ``link.table`` that refer to another row than in production.

    rows: how many. left_out: referenced rows that were not sampled. other_class: rows whose new referenced
    row is of another fan-out class, since none of its own was sampled. address: by leaf of the table, sorted
    packed addresses of these rows. to: by leaf, for each of them an index into the k new referenced rows.
    target_leaf, target_address: k indices into ``target_leaves``, k packed addresses.
    """

    link: Link
    rows: int
    left_out: int
    other_class: int
    address: Mapping[Name, RowAddresses]
    to: Mapping[Name, npt.NDArray[np.int32]]
    target_leaves: tuple[Name, ...]
    target_leaf: npt.NDArray[np.int16]
    target_address: RowAddresses

    def target_of(self, leaf: Name, address: int) -> tuple[Name, int] | None:
        """Leaf and address of the row that a row refers to in staging; None where it is production's."""
        known = self.address.get(leaf)
        at = 0 if known is None else int(np.searchsorted(known, address))
        if known is None or at == len(known) or known[at] != address:
            return None
        target = int(self.to[leaf][at])
        return self.target_leaves[int(self.target_leaf[target])], int(self.target_address[target])


def sampled_targets(keys: Mapping[Name, TableKeys], link: Link, drawn: Mask) -> Positions:
    """Positions of the rows that references may go to: those of ``drawn`` that production refers to."""
    usable = drawn & (referrers(keys, link) > 0)
    if link.leaf is not None:
        usable = usable & (keys[link.referenced].leaf == link.leaf)
    return np.flatnonzero(usable).astype(np.int32)


def relink(keys: Mapping[Name, TableKeys], link: Link, chosen: Mapping[Name, Mask], drawn: Mask) -> Positions:
    """For each row of the link's table the position of the row that it refers to in staging.

    As in ``references`` but for chosen rows whose reference leads to a row that is not chosen. chosen: all
    rows that go, by table. drawn: rows of the referenced table that were sampled, not only completed.
    """
    at = keys[link.table].references[link.name]
    targets = sampled_targets(keys, link, drawn)
    lost = np.unique(at[_leads_nowhere(at, chosen[link.table], chosen[link.referenced])])
    if not len(targets) or not len(lost):
        return at
    draw, classes = keys[link.referenced].draw, fan_out_class(referrers(keys, link))
    new = np.arange(keys[link.referenced].rows, dtype=np.int32)
    there = np.unique(classes[targets])
    dealt = dict.fromkeys(there.tolist(), 0)
    for own in np.unique(classes[lost]).tolist():
        nearest = int(there[np.argmin(np.abs(there - own))])
        takers = targets[classes[targets] == nearest]
        takers = takers[np.argsort(draw[takers], kind="stable")]
        givers = lost[classes[lost] == own]
        givers = givers[np.argsort(draw[givers], kind="stable")]
        new[givers] = takers[(dealt[nearest] + np.arange(len(givers))) % len(takers)]
        dealt[nearest] += len(givers)
    return np.where(at >= 0, new[np.maximum(at, 0)], at)


def _leads_nowhere(at: Positions, chosen: Mask, there: Mask) -> Mask:
    return chosen & (at >= 0) & ~there[np.maximum(at, 0)]


def relinked(keys: Mapping[Name, TableKeys], link: Link, chosen: Mask, new: Positions) -> Relinked | None:
    """What ``relink`` changed, by addresses; None for nothing. chosen: rows of the link's table that go."""
    own, other = keys[link.table], keys[link.referenced]
    at = own.references[link.name]
    moved = np.flatnonzero(chosen & (new != at))
    if not len(moved):
        return None
    classes = fan_out_class(referrers(keys, link))
    targets, to = np.unique(new[moved], return_inverse=True)
    address, index = {}, {}
    for number, leaf in enumerate(own.table.leaves):
        here = np.flatnonzero(own.leaf[moved] == number)
        here = here[np.argsort(own.address[moved[here]])]
        address[leaf.name] = own.address[moved[here]]
        index[leaf.name] = to[here].astype(np.int32)
    return Relinked(
        link,
        len(moved),
        len(np.unique(at[moved])),
        int((classes[at[moved]] != classes[new[moved]]).sum()),
        address,
        index,
        tuple(leaf.name for leaf in other.table.leaves),
        other.leaf[targets].astype(np.int16),
        other.address[targets],
    )
