"""Columns of the key pass, gathered batch after batch into one array each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from parity_data.catalog.arrow import unpack_tids
from parity_data.subset._spill import Parts

#: Distinct values above which a column is no category.
MOST_CATEGORIES = 200


class Gathered:
    """One column, batch after batch. folder: where it does not fit in memory."""

    def __init__(self, folder: Path | None = None) -> None:
        self._parts = Parts(folder)

    def add(self, values: pa.Array) -> None:
        """Take the next batch."""
        raise NotImplementedError

    def finish(self) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None]:
        """All of it, once, and where it is not NULL; None: everywhere, or not told."""
        raise NotImplementedError


class Addresses(Gathered):
    """Packed row addresses, out of the bytes of ``tidsend``."""

    def add(self, values: pa.Array) -> None:
        self._parts.add(unpack_tids(values))

    def finish(self) -> tuple[npt.NDArray[Any], None]:
        return self._parts.join(np.int64), None


class Numbers(Gathered):
    """Numbers or booleans; NULL is 0 and told apart by the second array."""

    def __init__(self, dtype: type | None, folder: Path | None) -> None:
        super().__init__(folder)
        self._valid = Parts(folder)
        self._empty = dtype or np.int64
        self._nulls = False

    def add(self, values: pa.Array) -> None:
        series = pl.Series(values)
        missing = series.null_count() > 0
        self._nulls = self._nulls or missing
        self._valid.add(
            series.is_not_null().to_numpy() if missing else np.broadcast_to(np.True_, len(series))
        )
        self._parts.add((series.fill_null(0) if missing else series).to_numpy())

    def finish(self) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None]:
        valid = self._valid.join(bool)
        return self._parts.join(self._empty), valid if self._nulls else None


class Categories(Gathered):
    """Values as small codes, in the order of the hashed values, so that the order of rows does not matter."""

    def __init__(self) -> None:
        super().__init__()
        self._known: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._many = False

    def add(self, values: pa.Array) -> None:
        if self._many:
            return
        series = pl.Series(values)
        fresh = np.setdiff1d(series.drop_nulls().unique().to_numpy(), self._known)
        self._known = np.concatenate([self._known, fresh])
        if len(self._known) > MOST_CATEGORIES:
            self._many, self._parts = True, Parts()
            return
        order = np.argsort(self._known)
        filled = series.fill_null(0).to_numpy()
        at = np.searchsorted(self._known, filled, sorter=order)
        codes = (order[np.minimum(at, len(order) - 1)] + 1).astype(np.uint8) if len(order) else 0
        self._parts.add(np.where(series.is_null().to_numpy(), 0, codes).astype(np.uint8))

    def finish(self) -> tuple[npt.NDArray[Any], None]:
        if self._many:
            return None, None  # type: ignore[return-value]
        rank = np.zeros(len(self._known) + 1, np.uint8)
        rank[np.argsort(self._known) + 1] = np.arange(1, len(self._known) + 1)
        return rank[self._parts.join(np.uint8)], None
