"""Translate the type OIDs inside binary arrays and composites to those of the target.

``array_send`` writes the element type's OID and ``record_send`` every field's; for user-defined types they
differ from database to database, and the receive functions refuse a stranger's.
Formats: src/backend/utils/adt/arrayfuncs.c (array_send), rowtypes.c (record_send), rangetypes.c
(range_send), multirangetypes.c (multirange_send). All numbers are big-endian.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from parity_data.catalog.model import Type

Positions = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]

#: Flag bits of a range's first byte: empty, lower infinite, upper infinite.
_EMPTY, _LOWER_INFINITE, _UPPER_INFINITE = 0x01, 0x08, 0x10


def embeds_oids(type_: Type) -> bool:
    """Whether binary values hold an OID that means something else on another server."""
    plain = type_.plain
    if plain.is_array and plain.element is not None:
        return not plain.element.built_in or embeds_oids(plain.element)
    if plain.kind == "c":
        return any(not field.built_in or embeds_oids(field) for _, field in plain.fields)
    if plain.subtype is not None:
        return embeds_oids(plain.subtype)
    return False


class Translation:
    """Rewrites OIDs in a column of binary values; lengths do not change, so one pass in place is enough."""

    def __init__(self, type_: Type, target: Mapping[int, int]) -> None:
        self._type = type_
        self._target = target

    def __call__(self, values: pa.Array) -> pa.Array:
        """The column with target OIDs. values: Arrow binary of any offset and width."""
        values = values.cast(pa.large_binary())
        offsets = np.frombuffer(values.buffers()[1], dtype=np.int64)[
            values.offset : values.offset + len(values) + 1
        ]
        if not len(values) or values.buffers()[2] is None:
            return values
        data = np.frombuffer(values.buffers()[2], dtype=np.uint8).copy()
        present = np.asarray(values.is_valid().to_numpy(zero_copy_only=False), dtype=bool)
        self._visit(data, offsets[:-1][present], self._type.plain)
        buffers = [values.buffers()[0], values.buffers()[1], pa.py_buffer(data)]
        return pa.Array.from_buffers(pa.large_binary(), len(values), buffers, offset=values.offset)

    def _visit(self, data: Bytes, at: Positions, type_: Type) -> None:
        """Translate in the values of ``type_`` that start at the positions ``at``."""
        if not len(at) or not embeds_oids(type_):
            return
        if type_.is_array and type_.element is not None:
            self._visit_arrays(data, at, type_.element)
        elif type_.kind == "c":
            self._visit_records(data, at, [field for _, field in type_.fields])
        elif type_.kind == "r" and type_.subtype is not None:
            self._visit_ranges(data, at, type_.subtype.plain)
        elif type_.kind == "m" and type_.subtype is not None:
            self._visit_multiranges(data, at, type_)

    def _visit_arrays(self, data: Bytes, at: Positions, element: Type) -> None:
        dimensions = _int32(data, at)
        self._put(data, at + 8, element)
        if not embeds_oids(element.plain):
            return
        count = np.where(dimensions > 0, 1, 0)
        for d in range(int(dimensions.max(initial=0))):
            has = dimensions > d
            count[has] *= _int32(data, at[has] + 12 + 8 * d)
        self._visit_items(data, at + 12 + 8 * dimensions, count, element.plain)

    def _visit_items(self, data: Bytes, at: Positions, count: Positions, type_: Type) -> None:
        """Items that stand one after the other, each behind its length (-1 for NULL)."""
        at = at.copy()
        for i in range(int(count.max(initial=0))):
            live = count > i
            length = _int32(data, at[live])
            self._visit(data, at[live][length >= 0] + 4, type_)
            at[live] += 4 + np.maximum(length, 0)

    def _visit_records(self, data: Bytes, at: Positions, fields: list[Type]) -> None:
        at = at + 4
        for field in fields:
            self._put(data, at, field)
            length = _int32(data, at + 4)
            self._visit(data, at[length >= 0] + 8, field.plain)
            at = at + 8 + np.maximum(length, 0)

    def _visit_ranges(self, data: Bytes, at: Positions, subtype: Type) -> None:
        flags = data[at]
        bounded = (flags & _EMPTY) == 0
        bounds = ((flags & _LOWER_INFINITE) == 0).astype(np.int64) + ((flags & _UPPER_INFINITE) == 0)
        self._visit_items(data, at + 1, np.where(bounded, bounds, 0), subtype)

    def _visit_multiranges(self, data: Bytes, at: Positions, type_: Type) -> None:
        assert type_.subtype is not None
        count = _int32(data, at)
        at = at + 4
        for i in range(int(count.max(initial=0))):
            live = count > i
            self._visit_ranges(data, at[live] + 4, type_.subtype.plain)
            at[live] += 4 + _int32(data, at[live])

    def _put(self, data: Bytes, at: Positions, type_: Type) -> None:
        if type_.built_in:
            return
        new = np.frombuffer(self._target[type_.oid].to_bytes(4, "big"), dtype=np.uint8)
        for i in range(4):
            data[at + i] = new[i]


def _int32(data: Bytes, at: Positions) -> Positions:
    word = np.zeros(len(at), dtype=np.uint32)
    for i in range(4):
        word = (word << np.uint32(8)) | data[at + i]
    return word.view(np.int32).astype(np.int64)
