"""Read rows of one slice from the snapshot as Arrow batches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from psycopg import sql

from parity_data.catalog.arrow import ArrowReader, RowAddresses, tid_array, unpack_tids
from parity_data.transfer.spec import Slice
from parity_data.transfer.wire import opaque, select_expression

#: Row addresses per statement when rows are fetched one by one.
FETCH_ROWS = 40_000


def read_slice(reader: ArrowReader, piece: Slice) -> Iterator[list[pa.Array]]:
    """Batches of the slice's rows, columns in the plan's order."""
    columns = [select_expression(p, piece.plan.codec) for p in piece.plan.columns]
    relation = sql.Identifier(piece.leaf.name.schema, piece.leaf.name.name)
    if piece.chosen is not None and piece.fetch:
        for start in range(0, len(piece.chosen), FETCH_ROWS):
            part = piece.chosen[start : start + FETCH_ROWS]
            by_address = sql.SQL("ctid = ANY ({}::tid[])").format(sql.Literal(tid_array(part)))
            yield from _select(reader, columns, relation, by_address, piece, None)
        return
    condition: sql.Composable = sql.SQL("ctid >= {}::tid").format(sql.Literal(f"({piece.first},0)"))
    if piece.first == 0 and piece.end is None:
        condition = sql.SQL("true")
    elif piece.end is not None:
        condition = sql.SQL("{} AND ctid < {}::tid").format(condition, sql.Literal(f"({piece.end},0)"))
    yield from _select(reader, columns, relation, condition, piece, piece.chosen)


def _select(
    reader: ArrowReader,
    columns: list[sql.Composable],
    relation: sql.Identifier,
    condition: sql.Composable,
    piece: Slice,
    chosen: RowAddresses | None,
) -> Iterator[list[pa.Array]]:
    addressed = chosen is not None or not columns or bool(piece.new_keys)
    wanted = [*columns, sql.SQL("tidsend(ctid)")] if addressed else columns
    named = sql.SQL(", ").join(
        sql.SQL("{} AS {}").format(expression, sql.Identifier(f"c{i}")) for i, expression in enumerate(wanted)
    )
    query = sql.SQL("SELECT {} FROM ONLY {} WHERE {}").format(named, relation, condition)
    for batch in reader.batches(query, str(piece.table)):
        if chosen is None and not piece.new_keys:
            yield _opaque(piece, batch.columns)
            continue
        address = unpack_tids(batch.columns[-1])
        if chosen is not None:
            at = np.minimum(np.searchsorted(chosen, address), len(chosen) - 1)
            keep = chosen[at] == address
            batch, address = batch.filter(pa.array(keep)), address[keep]
        found = batch.columns[: len(columns)] or [batch.columns[-1]]
        for keys in piece.new_keys:
            found = keys.put_into(found, address)
        yield _opaque(piece, found)


def _opaque(piece: Slice, values: list[pa.Array]) -> list[pa.Array]:
    # A table without columns gives the rows' addresses, to be counted.
    plans = piece.plan.columns
    return [opaque(plan, piece.plan.codec, v) for plan, v in zip(plans, values, strict=False)] or values
