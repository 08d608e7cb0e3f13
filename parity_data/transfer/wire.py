"""How each column travels: what is selected, what a masker sees, what is written.

A column that is kept leaves the source in its type's binary form, as opaque bytes, and enters the target in
it. A masked one leaves as text and is encoded here. A table that holds a type without binary form, or a
masked column whose type has no encoder, travels as CSV instead, every value in PostgreSQL's own text form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from parity_data.catalog.fields import Fields
from parity_data.catalog.model import Column, Table, Type
from parity_data.mask import (
    ColumnMasker,
    KeyRing,
    KnownValues,
    MaskSpec,
    compile_mask,
    keeps_everything,
    looks_at,
)
from parity_data.transfer import encode, oids

Codec = Literal["binary", "csv"]


@dataclass(frozen=True)
class ColumnPlan:
    """One column's way. mask: None when kept. read: a mask of another column looks at its values.

    type: below all domains for encoding, as is for selecting.
    """

    column: Column
    mask: MaskSpec | None
    read: bool = False

    @property
    def name(self) -> str:
        return self.column.name

    @property
    def as_text(self) -> bool:
        """Whether it travels as text: masked, or a UUID that a mask looks at, whose bytes are no text."""
        return self.mask is not None or (self.read and self.column.type.plain.name.name == "uuid")


@dataclass(frozen=True)
class TablePlan:
    """A table's columns in order, and the form all of them travel in."""

    table: Table
    columns: tuple[ColumnPlan, ...]
    codec: Codec

    @property
    def masked(self) -> tuple[ColumnPlan, ...]:
        return tuple(plan for plan in self.columns if plan.mask is not None)


def plan_table(table: Table, masks: dict[str, MaskSpec]) -> TablePlan:
    """Decide how the table travels. masks: by column name; every stored column has one.

    Raises KeyError for a stored column without a mask: nothing travels by default.
    """
    read = {beside for spec in masks.values() if (beside := looks_at(spec)) is not None}
    columns = tuple(
        ColumnPlan(
            column, None if keeps_everything(masks[column.name]) else masks[column.name], column.name in read
        )
        for column in table.stored_columns
    )
    binary = all(
        plan.column.type.binary and (not plan.as_text or encode.can_encode(plan.column.type.plain))
        for plan in columns
    )
    return TablePlan(table, columns, "binary" if binary else "csv")


def masker_of(plan: ColumnPlan, keys: KeyRing, known: KnownValues | None) -> ColumnMasker:
    """The compiled masker of a masked column. known: what free text is searched for."""
    assert plan.mask is not None
    column = plan.column
    plain = column.type.plain
    of = plain.element.plain if column.type.is_array and plain.element is not None else plain
    return compile_mask(
        plan.mask,
        keys,
        type_name=plain.name.name,
        max_length=column.max_length,
        is_array=column.type.is_array,
        known=known,
        attributes=tuple((name, type_.plain.name.name) for name, type_ in of.fields),
    )


def select_expression(plan: ColumnPlan, codec: Codec, source: sql.Composable | None = None) -> sql.Composable:
    """What stands in the SELECT list for the column. source: what to select in its stead, of its type."""
    value: sql.Composable = sql.Identifier(plan.column.name) if source is None else source
    type_ = plan.column.type
    if codec != "csv" and not plan.as_text:
        return value
    if type_.base is not None:
        plain = sql.Identifier(type_.plain.name.schema, type_.plain.name.name)
        value = sql.SQL("{}::{}").format(value, plain)
    return _text(value, type_.plain)


def _text(value: sql.Composable, plain: Type) -> sql.Composable:
    if plain.name.name == "bpchar" and plain.built_in:
        # A cast of character(n) to text drops trailing blanks; its output function does not.
        return sql.SQL("textin(bpcharout({}))").format(value)
    return sql.SQL("{}::text").format(value)


class Writer:
    """Turns batches in the select's order into bytes for COPY ... FROM STDIN.

    type_oids: OIDs of user-defined types on the source -> on the target.
    """

    def __init__(self, plan: TablePlan, type_oids: dict[int, int]) -> None:
        self._plan = plan
        self._translations = [
            oids.Translation(p.column.type, type_oids)
            if plan.codec == "binary" and not p.as_text and oids.embeds_oids(p.column.type)
            else None
            for p in plan.columns
        ]
        self._encoder = encode.BinaryWriter()

    def write(self, columns: Sequence[Fields | pa.Array], rows: int) -> encode.Data:
        """Bytes of one batch. columns: masked ones as strings, kept ones as selected."""
        if self._plan.codec == "csv":
            return encode.csv_bytes([in_arrow(values) for values in columns], rows)
        ready = []
        for plan, translation, values in zip(self._plan.columns, self._translations, columns, strict=True):
            if plan.as_text:
                values = encode.from_text(in_arrow(values), plan.column.type.plain)
            elif translation is not None:
                values = translation(in_arrow(values))
            ready.append(in_fields(values))
        return self._encoder.write(ready, rows)

    def finish(self) -> bytes:
        """Closing bytes."""
        return b"" if self._plan.codec == "csv" else self._encoder.finish()


def in_fields(values: Fields | pa.Array) -> Fields:
    """The values in the form in which a server takes them."""
    return values if isinstance(values, Fields) else Fields.of(values)


def in_arrow(values: Fields | pa.Array) -> pa.Array:
    """The values as an Arrow array."""
    return values.arrow() if isinstance(values, Fields) else values


def as_text(values: pa.Array) -> pa.Array:
    """Values of a masked column as large strings. Raises pa.ArrowInvalid for bytes that are not UTF-8."""
    return pc.cast(values, pa.large_string())
