"""Which rows of a table are looked at, and how they are read.

Tables within a limit of rows and bytes are read whole. Of larger ones, blocks at even distances, and of each
so many lines that the rows come to the limit: rows that lie together are alike, so many blocks with few rows
each tell more than few whole blocks, and even distances miss no stretch of a table that grew with time.
Numbers and times arrive as float8, everything else as text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl
from psycopg import sql

from parity_data.catalog.arrow import ArrowReader
from parity_data.catalog.model import Column, Name, Table
from parity_data.catalog.reading import own_rows
from parity_data.errors import SourceError
from parity_data.profile.model import Looked

Family = Literal["number", "time", "bytes", "text"]

#: Blocks from which they are taken.
BLOCKS = 2_000
#: Line pointers that a block of 8 kB can have (MaxHeapTuplesPerPage); larger blocks hold more.
_LINES = 291
_NUMBERS = frozenset({"int2", "int4", "int8", "float4", "float8", "numeric", "money"})
_TIMES = frozenset({"date", "timestamp", "timestamptz"})

_WHOLE = sql.SQL("SELECT {columns} FROM {rows}")
#: The list of addresses is worked out once, before the scan. Each block begins at another line, since what
#: was deleted may follow a pattern of its own.
_BLOCKS = sql.SQL(
    "SELECT {columns} FROM ONLY {relation} WHERE ctid = ANY (ARRAY("
    "SELECT ('(' || block || ',' || line || ')')::tid"
    " FROM generate_series(0, {last}, {step}) AS block,"
    " generate_series(1 + block / {step} % {every}, {lines}, {every}) AS line))"
)


@dataclass(frozen=True)
class Sampled:
    """Rows to be looked at. blocks: by leaf, last block, steps of blocks and lines; None for every row."""

    limit: int
    blocks: Mapping[Name, tuple[int, int, int]] | None
    why: str = ""


def choose(
    table: Table, rows: int, sizes: Mapping[Name, tuple[int, int]], *, limit: int, room: int
) -> Sampled | None:
    """Which rows of a table to look at on one side; None where a single row is too large.

    rows: of the table. sizes: pages, and bytes with TOAST, of its leaves on that side. limit: rows that may
    be looked at. room: bytes that they may take.
    """
    there = [leaf.name for leaf in table.leaves if leaf.kind == "r" and leaf.name in sizes]
    size = sum(sizes[name][1] for name in there)
    fit = int(room / (size / rows)) if rows and size else limit
    if rows and not fit:
        return None
    if rows <= min(limit, fit):
        return Sampled(rows, None)
    wanted = min(limit, fit)
    why = f"limit {limit:,} rows" if fit >= limit else f"limit {room / 1e6:,.3g} MB"
    pages = max(sum(sizes[name][0] for name in there), 1)
    step = max(1, pages // BLOCKS)
    every = math.ceil(rows / step / wanted)
    blocks = {name: (sizes[name][0] - 1, step, every) for name in there if sizes[name][0]}
    return Sampled(wanted, blocks, why)


def family(column: Column) -> Family:
    """How the values of a column are described."""
    plain = column.type.plain
    if plain.name.schema == "pg_catalog":
        if plain.name.name in _NUMBERS:
            return "number"
        if plain.name.name in _TIMES:
            return "time"
        if plain.name.name == "bytea":
            return "bytes"
    return "text"


def expression(column: Column) -> sql.Composable:
    """The column as float8 (times as seconds since 1970), as the length of its bytes, or as text."""
    name, kind = sql.Identifier(column.name), column.type.plain.name.name
    match family(column):
        case "number" if kind == "numeric":
            # What does not fit is as large as can be.
            text = "CASE WHEN abs({0}) < 1e300 OR {0} = 'NaN' THEN {0}::float8 WHEN {0} > 0 THEN 'Infinity' "
            return sql.SQL(text + "WHEN {0} < 0 THEN '-Infinity' END").format(name)
        case "number":
            return sql.SQL("{}::numeric::float8" if kind == "money" else "{}::float8").format(name)
        case "time":
            return sql.SQL("extract(epoch FROM {})::float8").format(name)
        case "bytes":
            return sql.SQL("octet_length({})::float8").format(name)
        case _:
            return sql.SQL("{}::text").format(name)


def read_rows(
    reader: ArrowReader, table: Table, columns: Sequence[Column], sampled: Sampled
) -> tuple[pl.DataFrame, Looked]:
    """The rows, one column 'c0', 'c1', ... for each of ``columns``. Raises SourceError or TargetError."""
    wanted = sql.SQL(", ").join(
        sql.SQL("{} AS {}").format(expression(column), sql.Identifier(f"c{i}"))
        for i, column in enumerate(columns)
    )
    if sampled.blocks is None:
        queries = [_WHOLE.format(columns=wanted, rows=own_rows(table))]
    else:
        queries = [
            _BLOCKS.format(
                columns=wanted,
                relation=sql.Identifier(name.schema, name.name),
                last=sql.Literal(last),
                step=sql.Literal(step),
                lines=sql.Literal(_LINES),
                every=sql.Literal(every),
            )
            for name, (last, step, every) in sampled.blocks.items()
        ]
    frames = [_empty(columns)]
    for query in queries:
        for batch in reader.batches(query, str(table.name)):
            try:
                batch.validate(full=True)
                frame = pl.from_arrow(batch)
                assert isinstance(frame, pl.DataFrame)
                frames.append(frame.cast(frames[0].schema))
            except (ValueError, pl.exceptions.PolarsError):
                raise SourceError("It holds bytes that are not UTF-8.", where=str(table.name)) from None
    frame = pl.concat(frames)
    how = Looked("every row" if sampled.blocks is None else "blocks", frame.height, sampled.why)
    return frame, how


def _empty(columns: Sequence[Column]) -> pl.DataFrame:
    return pl.DataFrame(
        schema={f"c{i}": pl.String if family(c) == "text" else pl.Float64 for i, c in enumerate(columns)}
    )
