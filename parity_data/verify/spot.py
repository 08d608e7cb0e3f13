"""The spot check: some rows of each table fetched afresh from both sides by key, and compared one by one.

A third reader, on purpose plain: psycopg, PostgreSQL's own text, Python loops. It shares nothing with the
stream that moved the rows but the maskers themselves, which say under which key a row lies in staging, and
which text a masked value must have become.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from parity_data.catalog.arrow import RowAddresses, packed, tid
from parity_data.catalog.model import Name, Table
from parity_data.catalog.reading import own_rows
from parity_data.mask import ColumnMasker, MaskSpec, describe, looks_at
from parity_data.subset.relink import Relinked
from parity_data.verify.result import CheckResult

#: Rows compared for each table.
ROWS = 200

#: Longer values are compared by their MD5.
_LONG = 20_000
_VALUE = "CASE WHEN length({c}::text) > {long} THEN 'md5 ' || md5({c}::text) ELSE {c}::text END"

#: Types whose text is the value, so that a masked one can be told beforehand.
_PLAIN = frozenset({"text", "varchar", "citext"})

#: Above so many rows, pages are sampled instead of reading all.
_SMALL = 2_000

Rows = list[tuple[str | None, ...]]

_NO_ADDRESSES: RowAddresses = np.empty(0, np.int64)


@dataclass(frozen=True)
class SpotTable:
    """What is needed of one table.

    masks: by column, None where kept. masker: compiles one. rows: in production. chosen: addresses of the
    chosen rows by leaf, None for all. relinked: rows that refer to others in staging.
    """

    table: Table
    masks: Mapping[str, MaskSpec | None]
    masker: Callable[[str], ColumnMasker]
    chosen: Mapping[Name, RowAddresses] | None
    rows: int
    relinked: Sequence[Relinked] = ()

    @property
    def key(self) -> tuple[str, ...] | None:
        """Columns by which a row is found on both sides, None where there are none."""
        nullable = {column.name for column in self.table.columns if column.nullable}
        stored = {column.name for column in self.table.stored_columns}
        for key in (self.table.primary_key, *sorted(self.table.unique_keys, key=len)):
            if key and set(key) <= stored - nullable and all(self._findable(column) for column in key):
                return key
        return None

    def _findable(self, column: str) -> bool:
        mask = self.masks[column]
        return mask is None or (_by_value(mask) and describe(mask.name).distinct_with(mask.params) != "lossy")


def check_spots(
    source: psycopg.Connection[Any],
    target: psycopg.Connection[Any],
    tables: Sequence[SpotTable],
    *,
    rows: int = ROWS,
    draw: random.Random | None = None,
) -> Iterator[CheckResult]:
    """'spot_check' for each table, or for each column that differs: value rows that differ, bound 0.

    source: in the snapshot. Both sides write text alike. rows: compared for each table at most. draw: chooses
    them, by chance of its own by default. Raises psycopg.Error.
    """
    draw = draw or random.Random()
    for spot in tables:
        yield from _check(source, target, spot, rows, draw)


def _check(
    source: psycopg.Connection[Any],
    target: psycopg.Connection[Any],
    spot: SpotTable,
    rows: int,
    draw: random.Random,
) -> Iterator[CheckResult]:
    scope, key = str(spot.table.name), spot.key
    if key is None:
        yield CheckResult(
            "spot_check", scope, "pass", None, 0, "No key by which to find a row on both sides."
        )
        return
    columns = [column.name for column in spot.table.stored_columns]
    raw = _production(source, spot, columns, rows, draw)
    wanted = {name: _expected(spot, name, [row[i] for row in raw]) for i, name in enumerate(columns)}
    keys = [tuple(value or "" for value in values) for values in zip(*(wanted[c] for c in key), strict=True)]
    staged = _staged(target, spot.table, columns, key, keys)
    missing, differ = 0, Counter[str]()
    for number, row in enumerate(raw):
        other = staged.get(keys[number])
        if other is None:
            missing += 1
            continue
        for i, name in enumerate(columns):
            if not _agrees(spot, name, row[i], wanted[name][number], other[i]):
                differ[name] += 1
    if missing:
        message = f"Of {len(raw)} rows fetched from production by key, {missing} are not in staging."
        yield CheckResult("spot_check", scope, "fail", missing, 0, message)
    for name, count in differ.items():
        how = "kept" if spot.masks[name] is None else "masked"
        message = f"Of {len(raw)} rows fetched from both sides by key, {count} differ in this {how} column."
        yield CheckResult("spot_check", f"{scope}.{name}", "fail", count, 0, message)
    if not missing and not differ:
        message = f"{len(raw)} rows fetched afresh from both sides by key agree in {len(columns)} columns."
        yield CheckResult("spot_check", scope, "pass", 0, 0, message)


def _agrees(spot: SpotTable, name: str, raw: str | None, expected: str | None, staged: str | None) -> bool:
    """Whether the staged text is what it must be, as far as that can be told."""
    mask = spot.masks[name]
    if mask is None:
        return raw == staged
    if raw is None or mask.name == "null":
        return staged is None
    if raw == "" or staged == "":
        return raw == staged or spot.table.column(name).type.plain.name.name == "bpchar"
    if (
        expected is not None
        and spot.table.column(name).type.plain.name.name in _PLAIN
        and not raw.startswith("md5 ")
    ):
        return staged == expected
    return staged is not None


def _expected(spot: SpotTable, name: str, raw: Sequence[str | None]) -> list[str | None]:
    """What the values become, None where the mask depends on more than the value."""
    mask = spot.masks[name]
    if mask is None:
        return list(raw)
    if not _by_value(mask):
        return [None] * len(raw)
    return spot.masker(name)(pl.Series(name, raw, dtype=pl.String)).to_list()


def _by_value(mask: MaskSpec) -> bool:
    """Whether the masked value depends on the value alone."""
    info = describe(mask.name)
    return looks_at(mask) is None and not info.by_batch and info.nested is None


def _production(
    source: psycopg.Connection[Any], spot: SpotTable, columns: Sequence[str], rows: int, draw: random.Random
) -> Rows:
    """Some rows of the table that were chosen, as text."""
    found: Rows = []
    leaves = [leaf for leaf in spot.table.leaves if leaf.kind == "r"]
    draw.shuffle(leaves)
    if spot.chosen is not None:
        chosen = [spot.chosen.get(leaf.name, _NO_ADDRESSES) for leaf in leaves]
        for leaf, addresses in zip(leaves, drawn(chosen, rows, draw), strict=True):
            if len(addresses):
                tids = [tid(int(address)) for address in addresses]
                condition = sql.SQL("WHERE ctid = ANY ({}::tid[])").format(sql.Literal(tids))
                raw = _read(source, _relation(leaf.name), columns, condition)
                found += _as_staged(source, spot, leaf.name, columns, raw)
        return found
    for leaf in leaves:
        if len(found) >= rows:
            break
        size = leaf.rows_estimate if leaf.rows_estimate > 0 else spot.rows
        share = 100.0 if size <= _SMALL else 100 * max(4 * rows / size, 4 / max(leaf.pages, 1))
        sampled = sql.SQL("TABLESAMPLE SYSTEM ({}) REPEATABLE ({}) LIMIT {}").format(
            sql.Literal(min(100.0, share)),
            sql.Literal(draw.randrange(10_000)),
            sql.Literal(rows - len(found)),
        )
        rows_of_leaf = _read(source, _relation(leaf.name), columns, sampled)
        found += _as_staged(source, spot, leaf.name, columns, rows_of_leaf)
    return found


def drawn(lists: Sequence[RowAddresses], rows: int, draw: random.Random) -> list[RowAddresses]:
    """So many of all the addresses, by chance, each in the list that it is from."""
    ends = np.cumsum([0, *(len(addresses) for addresses in lists)], dtype=np.int64)
    total = int(ends[-1])
    picked = np.sort(np.array(draw.sample(range(total), min(rows, total)), np.int64))
    bounds = np.searchsorted(picked, ends)
    return [addresses[picked[bounds[i] : bounds[i + 1]] - ends[i]] for i, addresses in enumerate(lists)]


def _as_staged(
    source: psycopg.Connection[Any], spot: SpotTable, leaf: Name, columns: Sequence[str], rows: Rows
) -> Rows:
    """The rows without their address, the last column, and with the keys that they have in staging."""
    made = [list(row) for row in rows]
    for row in made:
        own = packed(str(row.pop()))
        for keys in spot.relinked:
            target = keys.target_of(leaf, own)
            if target is not None:
                other, address = target
                condition = sql.SQL("WHERE ctid = {}::tid").format(sql.Literal(tid(address)))
                values = _read(source, _relation(other), keys.link.referenced_columns, condition)[0]
                for column, value in zip(keys.link.columns, values[:-1], strict=True):
                    row[columns.index(column)] = value
    return [tuple(row) for row in made]


def _staged(
    target: psycopg.Connection[Any],
    table: Table,
    columns: Sequence[str],
    key: Sequence[str],
    keys: Sequence[tuple[str, ...]],
) -> dict[tuple[str, ...], tuple[str | None, ...]]:
    """Rows by key, as text."""
    if not keys:
        return {}
    names = [f"k{i}" for i in range(len(key))]
    lists = [sql.Literal([values[i] for values in keys]) for i in range(len(key))]
    condition = sql.SQL("JOIN unnest({}) AS wanted({}) ON {}").format(
        sql.SQL(", ").join(sql.SQL("{}::text[]").format(values) for values in lists),
        sql.SQL(", ").join(map(sql.Identifier, names)),
        sql.SQL(" AND ").join(
            sql.SQL("own.{} = wanted.{}::{}").format(
                sql.Identifier(column), sql.Identifier(name), sql.SQL(table.column(column).sql_type)
            )
            for column, name in zip(key, names, strict=True)
        ),
    )
    query = sql.SQL("SELECT {}, {} FROM (SELECT * FROM {}) AS own {}").format(
        sql.SQL(", ").join(sql.SQL("wanted.{}").format(sql.Identifier(name)) for name in names),
        _values(columns, sql.SQL("own.")),
        own_rows(table),
        condition,
    )
    with target.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(query).fetchall()
    return {row[: len(key)]: row[len(key) :] for row in rows}


def _read(
    connection: psycopg.Connection[Any],
    relation: sql.Composable,
    columns: Sequence[str],
    rest: sql.Composable,
) -> Rows:
    """Rows as text, with their address as the last column."""
    query = sql.SQL("SELECT {}, ctid::text FROM {} {}").format(_values(columns, sql.SQL("")), relation, rest)
    with connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(query).fetchall()


def _values(columns: Sequence[str], prefix: sql.SQL) -> sql.Composed:
    return sql.SQL(", ").join(
        sql.SQL(_VALUE).format(c=sql.Composed([prefix, sql.Identifier(column)]), long=sql.Literal(_LONG))
        for column in columns
    )


def _relation(name: Name) -> sql.Composed:
    return sql.SQL("ONLY {}").format(sql.Identifier(name.schema, name.name))
