"""Read rows of one slice from the snapshot as Arrow batches."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

import numpy as np
from psycopg import sql

from parity_data.catalog.arrow import ArrowReader, RowAddresses, tid_array, unpack_tids
from parity_data.catalog.fields import Fields
from parity_data.transfer.spec import Slice
from parity_data.transfer.wire import select_expression

#: Row addresses per statement when rows are fetched one by one.
FETCH_ROWS = 40_000


def read_slice(
    reader: ArrowReader, piece: Slice, also: Sequence[sql.Composable] = ()
) -> Generator[list[Fields]]:
    """Batches of the slice's rows, columns in the plan's order; of a table without columns, addresses.

    also: what else to select, after the columns.
    """
    columns = [*(select_expression(p, piece.plan.codec) for p in piece.plan.columns), *also]
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
) -> Iterator[list[Fields]]:
    addressed = chosen is not None or not columns or bool(piece.new_keys)
    wanted = [*columns, sql.SQL("tidsend(ctid)")] if addressed else columns
    named = sql.SQL(", ").join(
        sql.SQL("{} AS {}").format(expression, sql.Identifier(f"c{i}")) for i, expression in enumerate(wanted)
    )
    query = sql.SQL("SELECT {} FROM ONLY {} WHERE {}").format(named, relation, condition)
    for found in reader.fields(query, str(piece.table)):
        if chosen is None and not piece.new_keys:
            yield found
            continue
        address = unpack_tids(found[-1].arrow())
        if chosen is not None:
            at = np.minimum(np.searchsorted(chosen, address), len(chosen) - 1)
            keep = chosen[at] == address
            found, address = [column.filter(keep) for column in found], address[keep]
        values = found[: len(columns)] or [found[-1]]
        for keys in piece.new_keys:
            values = keys.put_into(values, address)
        yield values
