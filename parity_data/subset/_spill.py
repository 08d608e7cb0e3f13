"""Key arrays that are larger than memory: in files of the work folder, of which what is used is in memory.

The files have no name: they are gone with the process, however it ends.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt
import psutil

from parity_data.catalog.model import Catalog
from parity_data.subset.links import Link

#: Share of the free memory that keys may take before they go to disk.
_SHARE = 0.5
#: Bytes for each row whatever its keys are: address, draw, number of the head and what sampling needs.
_ROW_BYTES = 32
#: Bytes for each row and link: the code on its side and the position it leads to.
_LINK_BYTES = 12

Array = npt.NDArray[Any]


def spill_folder(work: Path, catalog: Catalog, links: Sequence[Link]) -> Path | None:
    """The folder for keys that are not expected to fit in half of the free memory; None when they fit."""
    rows = {name: max(table.rows_estimate, 0.0) for name, table in catalog.tables.items()}
    expected = _ROW_BYTES * sum(rows.values()) + _LINK_BYTES * sum(rows[link.table] for link in links)
    if expected <= _SHARE * psutil.virtual_memory().available:
        return None
    work.mkdir(parents=True, exist_ok=True)
    return work


class Parts:
    """Arrays of one type, put end to end. folder: where they are kept, also afterwards; None: in memory."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._arrays: list[Array] = []
        self._file: IO[bytes] | None = None
        self._type: np.dtype[Any] | None = None

    def add(self, array: Array) -> None:
        if self._folder is None:
            self._arrays.append(array)
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - ``join`` closes it
        self._type = array.dtype
        self._file.write(np.ascontiguousarray(array).tobytes())

    def join(self, empty: npt.DTypeLike) -> Array:
        """All of it, once. empty: the type where nothing was added."""
        arrays, self._arrays = self._arrays, []
        file, self._file = self._file, None
        if file is None:
            return np.concatenate(arrays) if arrays else np.empty(0, empty)
        with file:
            if not file.tell():
                return np.empty(0, self._type)
            file.flush()
            return np.memmap(file, self._type or empty, "r+")


def keep(array: Array, folder: Path | None) -> Array:
    """The array, on disk where there is a folder."""
    if folder is None:
        return array
    parts = Parts(folder)
    parts.add(array)
    return parts.join(array.dtype)
