"""Maskers of rows: values change places within a batch, or are drawn anew from all of it."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from parity_data.mask.context import Context
from parity_data.mask.registry import Function, MaskerInfo, Param, register

Ints = npt.NDArray[np.int64]


class Reordered:
    """Gives each row the value of another of its batch, and of its group; NULL and '' stay where they are.

    how: 'shuffle' moves every value to exactly one other row; 'resample' draws rows with replacement.
    """

    def __init__(self, context: Context, how: Literal["shuffle", "resample"]) -> None:
        self._how = how
        self._seed = int.from_bytes(context.keys.subkey(how, context.domain, 16), "big")

    def __call__(self, values: pl.Series) -> pl.Series:
        """n values of one group."""
        return self.beside(values, None)

    def beside(self, values: pl.Series, keys: pl.Series | None) -> pl.Series:
        """n values (NULLs possible), by n keys of their groups; None for a single group."""
        at = (values.is_not_null() & (values != "")).arg_true()
        if len(at) < 2:
            return values
        groups = np.zeros(len(at), np.int64)
        if keys is not None:
            coded = keys.gather(at).to_arrow(compat_level=pl.CompatLevel.oldest()).dictionary_encode("encode")
            groups = coded.indices.to_numpy().astype(np.int64)
        # The raw output of Philox is the same in every version of NumPy.
        draws = np.random.Philox(key=self._seed).random_raw(len(at))
        order = np.lexsort((draws, groups))
        starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
        sizes = np.diff(np.append(starts, len(order)))
        first, size = np.repeat(starts, sizes), np.repeat(sizes, sizes)
        taken = np.empty(len(at), np.int64)
        taken[order] = order[first + self._places(draws[order], np.arange(len(order)) - first, size)]
        return values.clone().scatter(at, values.gather(at.gather(taken)))

    def _places(self, draws: npt.NDArray[np.uint64], place: Ints, size: Ints) -> Ints:
        """For each row, the place within its group whose value it gets."""
        if self._how == "shuffle":
            return (place + 1) % size
        # Drawing by other bits than those that ordered the rows.
        return ((draws * np.uint64(0x9E3779B97F4A7C15)) % size.astype(np.uint64)).astype(np.int64)


_WITHIN = Param(
    "within", "text", "A column of the table: values stay among rows that have the same value there."
)
for _name, _summary, _details in (
    (
        "shuffle",
        "Moves each value to another row of the batch, or of its group: the values and their counts stay.",
        "Every value stays in staging, only elsewhere: not for values that identify somebody. A value alone "
        "in its group stays where it is.",
    ),
    (
        "resample",
        "Draws each value anew from the column's own values in the batch, or in its group: their shares "
        "stay about, links go.",
        "Every value may stay in staging, only elsewhere: not for values that identify somebody.",
    ),
):
    register(
        MaskerInfo(
            name=_name,
            summary=_summary,
            theme="generic",
            accepts=("any",),
            distinct="lossy",
            keeps=frozenset({"validity"}),
            make=lambda context, how=_name: _make(context, how),  # type: ignore[misc]
            params=(_WITHIN,),
            samples=("active",),
            details=_details,
            by_batch=True,
            changes=False,
            beside="within",
        )
    )


def _make(context: Context, how: Literal["shuffle", "resample"]) -> Function:
    return Reordered(context, how)
