"""New keys for rows that refer to another row in staging than in production: put in before masking."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from psycopg import sql

from parity_data.catalog.arrow import ArrowReader, RowAddresses, tid_array, unpack_tids
from parity_data.catalog.fields import Fields
from parity_data.catalog.model import Name
from parity_data.database import Database
from parity_data.transfer.wire import ColumnPlan, TablePlan, select_expression

if TYPE_CHECKING:
    from parity_data.subset.relink import Relinked

#: Referenced rows per statement.
_FETCH_ROWS = 20_000


@dataclass(frozen=True)
class NewKeys:
    """New values in the key columns of n rows of one leaf, out of k different ones.

    address: n sorted packed addresses. to: n indices into the values. values: by position among the plan's
    columns, k values in the form in which the column is selected.
    """

    address: RowAddresses
    to: npt.NDArray[np.int32]
    values: Mapping[int, pa.Array]

    def put_into(self, columns: list[Fields], address: RowAddresses) -> list[Fields]:
        """The columns with the new values. address: of their rows, in any order."""
        at = np.minimum(np.searchsorted(self.address, address), len(self.address) - 1)
        moved = self.address[at] == address
        if not moved.any():
            return columns
        index = pa.array(self.to[at], mask=~moved)
        made = list(columns)
        for number, values in self.values.items():
            own = columns[number]
            merged = pc.if_else(pa.array(moved), pc.take(values, index), own.arrow())
            made[number] = replace(Fields.of(merged), oid=own.oid)
        return made


def read_new_keys(
    source: Database, snapshot: str, relinked: Sequence[tuple[TablePlan, Relinked]]
) -> dict[Name, tuple[NewKeys, ...]]:
    """New keys by leaf. relinked: with the plan of the table whose rows they are. Raises SourceError."""
    if not relinked:
        return {}
    with contextlib.closing(ArrowReader(source, snapshot)) as reader:
        return _read(reader, relinked)


def _read(
    reader: ArrowReader, relinked: Sequence[tuple[TablePlan, Relinked]]
) -> dict[Name, tuple[NewKeys, ...]]:
    made: dict[Name, tuple[NewKeys, ...]] = {}
    for plan, keys in relinked:
        at = {column.name: i for i, column in enumerate(plan.columns)}
        numbers = [at[column] for column in keys.link.columns]
        own = [plan.columns[number] for number in numbers]
        values = dict(zip(numbers, _values(reader, plan, own, keys), strict=True))
        for leaf, address in keys.address.items():
            if len(address):
                made[leaf] = (*made.get(leaf, ()), NewKeys(address, keys.to[leaf], values))
    return made


def _values(
    reader: ArrowReader, plan: TablePlan, own: Sequence[ColumnPlan], keys: Relinked
) -> list[pa.Array]:
    """The keys of the referenced rows, as the referencing columns are selected."""
    expressions = [
        select_expression(column, plan.codec, _cast(theirs, column))
        for column, theirs in zip(own, keys.link.referenced_columns, strict=True)
    ]
    batches: list[pa.RecordBatch] = []
    places: list[npt.NDArray[np.int64]] = []
    for number, leaf in enumerate(keys.target_leaves):
        here = np.flatnonzero(keys.target_leaf == number)
        here = here[np.argsort(keys.target_address[here])]
        for start in range(0, len(here), _FETCH_ROWS):
            part = here[start : start + _FETCH_ROWS]
            address = keys.target_address[part]
            for batch in _rows(reader, leaf, expressions, address, str(keys.link.referenced)):
                places.append(part[np.searchsorted(address, unpack_tids(batch.columns[-1]))])
                batches.append(batch)
    order = pa.array(np.argsort(np.concatenate(places)))
    return [
        pc.take(pa.concat_arrays([batch.columns[i] for batch in batches]), order) for i in range(len(own))
    ]


def _rows(
    reader: ArrowReader,
    leaf: Name,
    expressions: Sequence[sql.Composable],
    address: RowAddresses,
    where: str,
) -> Iterator[pa.RecordBatch]:
    named = sql.SQL(", ").join(
        sql.SQL("{} AS {}").format(expression, sql.Identifier(f"c{i}"))
        for i, expression in enumerate([*expressions, sql.SQL("tidsend(ctid)")])
    )
    query = sql.SQL("SELECT {} FROM ONLY {} WHERE ctid = ANY ({}::tid[])").format(
        named, sql.Identifier(leaf.schema, leaf.name), sql.Literal(tid_array(address))
    )
    return reader.batches(query, where)


def _cast(name: str, like: ColumnPlan) -> sql.Composed:
    """The referenced column as a value of the referencing one's type below all domains."""
    plain = like.column.type.plain.name
    return sql.SQL("{}::{}").format(sql.Identifier(name), sql.Identifier(plain.schema, plain.name))
