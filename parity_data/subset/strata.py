"""Strata: which heads are alike, and each head's place in the queue of its stratum.

A stratum is made of fan-out classes (log2 of the rows a head leads in each of the largest tables), of the
values of the head's categories, and of which of its references are NULL; too small ones are merged with
their like, least important difference first. Within a stratum heads queue by their keyed draw, so that any
fraction of the queue is a subset of a larger one and its size is exact to one row.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from parity_data.subset._draw import label_draws
from parity_data.subset.labels import Labels, distinct, order_within

#: Heads that a stratum should have, and the most strata that a table is cut into.
LEAST_HEADS, MOST_STRATA = 64, 2000


def fan_out_class(sizes: npt.NDArray[np.int64]) -> Labels:
    """0 for none, 1 for one, 2 for 2 to 3, 3 for 4 to 7, and so on."""
    return np.asarray(np.ceil(np.log2(sizes + 1.0)), np.int64)


def make_strata(differences: Sequence[npt.NDArray[np.integer]], count: int) -> tuple[Labels, list[str]]:
    """The stratum of each of ``count`` heads, and what it is called: a text that depends on values only.

    differences: labels, the most important first.
    """
    least = max(LEAST_HEADS, count // MOST_STRATA)
    stratum = np.zeros(count, np.int64)
    names = ["all"]
    for level, labels in enumerate(differences):
        wide = stratum * (int(labels.max(initial=0)) + 1) + labels
        values, inverse, sizes = distinct(wide)
        parents = values // (int(labels.max(initial=0)) + 1)
        # A small one keeps its parent's label, with all the small ones of that parent.
        small = sizes < least
        target = np.where(small, parents, len(names) + np.arange(len(values)))
        wide_names = names + [
            f"{names[int(p)]}|{level}:{int(v)}"
            for p, v in zip(parents, values % (int(labels.max(initial=0)) + 1), strict=True)
        ]
        used, number = np.unique(target, return_inverse=True)
        stratum = number[inverse]
        names = [wide_names[int(u)] for u in used]
    return stratum, names


def places(
    stratum: Labels, names: Sequence[str], draw: npt.NDArray[np.float64], key: bytes
) -> npt.NDArray[np.float64]:
    """Each head's place in its stratum's queue, in (0, 1): below r stand a share r of the heads, to one row.

    The fraction of a row that is left over is settled by a keyed draw of the stratum's name.
    """
    counts = np.bincount(stratum, minlength=len(names))
    order = order_within(stratum, draw)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    rank = np.empty(len(stratum), np.int64)
    rank[order] = np.arange(len(stratum)) - np.repeat(first, counts)
    shift = label_draws(names, key) if len(names) else np.empty(0)
    shift = np.clip(shift, 1e-9, 1 - 1e-9)
    return np.asarray((rank + shift[stratum]) / counts[stratum])
