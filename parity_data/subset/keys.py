"""One pass over the keys of every table, and how rows refer to each other by position.

Key columns are copied out once in the snapshot, as 64-bit codes. A link becomes an array with the position
of the referenced row for every row, so that closing the subset is arithmetic on arrays.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from psycopg import sql

from parity_data.catalog.ahead import ahead
from parity_data.catalog.arrow import ArrowReader, RowAddresses, by_reader, unpack_tids
from parity_data.catalog.fields import arrays
from parity_data.catalog.model import Catalog, Leaf, Name, Table
from parity_data.subset._codes import Code, code_sql, key_code, value_sql
from parity_data.subset._draw import draws
from parity_data.subset._gather import Addresses, Categories, Gathered, Numbers
from parity_data.subset._spill import keep
from parity_data.subset.links import Link

#: Position meaning "NULL" and "nothing there" in reference arrays.
NULL, DANGLING = -1, -2
#: A table of integers up to this many times as wide as it has rows resolves by looking up, else by joining.
_DENSE = 8

Positions = npt.NDArray[np.int32]
Codes = npt.NDArray[np.int64]


@dataclass
class TableKeys:
    """A table's rows by position; every array has one entry for each row.

    address: packed ctid. leaf: index into ``Table.leaves``. draw: uniform in [0, 1), a keyed hash of the
    primary key, or of the whole row without one. codes: 64-bit codes of keys with where they are not NULL
    (None: everywhere); dropped once resolved. references: by link name, the position of the referenced row,
    NULL or DANGLING. categories: by column, a small code in the order of no meaning, 0 for NULL. pinned: rows
    that the policy always keeps, None for none. extremes: positions of rows with a column's least or
    greatest value. time: of the column by which the newest rows are wanted.
    """

    table: Table
    address: npt.NDArray[np.int64]
    leaf: npt.NDArray[np.int16]
    draw: npt.NDArray[np.float64]
    codes: dict[Code, tuple[Codes, npt.NDArray[np.bool_] | None]] = field(default_factory=dict)
    references: dict[str, Positions] = field(default_factory=dict)
    categories: dict[str, npt.NDArray[np.uint8]] = field(default_factory=dict)
    pinned: npt.NDArray[np.bool_] | None = None
    extremes: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    time: npt.NDArray[np.float64] | None = None

    @property
    def rows(self) -> int:
        return len(self.draw)


@dataclass(frozen=True)
class Wish:
    """What to read of a table besides its keys.

    categories: columns to count values of. pins: SQL condition of rows always kept. extremes: columns.
    latest: column of time.
    """

    categories: tuple[str, ...] = ()
    pins: sql.Composable | None = None
    extremes: tuple[str, ...] = ()
    latest: str | None = None


def read_keys(
    readers: Sequence[ArrowReader],
    catalog: Catalog,
    links: Sequence[Link],
    key: bytes,
    wishes: Mapping[Name, Wish],
    *,
    folder: Path | None = None,
) -> dict[Name, TableKeys]:
    """Read the keys of all tables and resolve all links. readers: each reads one table at a time.

    key: of the draw. folder: for keys that do not fit in memory.
    """
    wanted = needed_codes(catalog, links)

    def read(name: Name, reader: ArrowReader) -> TableKeys:
        table, wish = catalog.tables[name], wishes.get(name, Wish())
        return _Reading(table, wanted[name], wish, catalog.server_version, folder).read(reader, key)

    # The largest first, so that all readers end at about the same time.
    order = sorted(catalog.tables, key=lambda name: -catalog.tables[name].bytes)
    made = dict(zip(order, by_reader(readers, order, read), strict=True))
    found = {name: made[name] for name in catalog.tables}
    resolve_links(found, links, folder)
    return found


def link_codes(catalog: Catalog, link: Link) -> tuple[Code, Code]:
    """The codes on either side of a link."""
    table, referenced = catalog.tables[link.table], catalog.tables[link.referenced]
    like = tuple(referenced.column(c) for c in link.referenced_columns)
    own = key_code(table, link.columns, like, link.when)
    other_like = tuple(table.column(c) for c in link.columns)
    single = len(like) == 1 and own.types == (None,)
    other = key_code(referenced, link.referenced_columns, other_like if single else None)
    return own, other


def needed_codes(catalog: Catalog, links: Sequence[Link]) -> dict[Name, list[Code]]:
    """The codes to read of each table, without repetition."""
    wanted: dict[Name, dict[Code, None]] = {name: {} for name in catalog.tables}
    for link in links:
        own, other = link_codes(catalog, link)
        wanted[link.table][own] = None
        wanted[link.referenced][other] = None
    return {name: list(codes) for name, codes in wanted.items()}


class _Reading:
    """Reads one table; the columns of a batch come in the order in which they were asked for."""

    def __init__(
        self, table: Table, codes: list[Code], wish: Wish, version: int, folder: Path | None
    ) -> None:
        self._table, self._codes, self._wish, self._folder = table, codes, wish, folder
        self._identity = _identity(table)
        columns: list[sql.Composable] = [sql.SQL("tidsend(ctid)")]
        if self._identity is None:
            columns.append(sql.SQL("hashtextextended(textin(record_out(t)), 0)"))
        elif self._identity not in codes:
            columns.append(code_sql(table, self._identity, version))
        columns += [code_sql(table, code, version) for code in codes]
        columns += [value_sql(table.column(c), version) for c in wish.categories]
        if wish.pins is not None:
            columns.append(sql.SQL("coalesce({}, false)").format(wish.pins))
        if wish.latest is not None:
            columns.append(sql.SQL("extract(epoch FROM {})::float8").format(sql.Identifier(wish.latest)))
        self._columns = sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(c, sql.Identifier(f"c{i}")) for i, c in enumerate(columns)
        )

    def _query(self, leaf: Leaf) -> sql.Composed:
        relation = sql.Identifier(leaf.name.schema, leaf.name.name)
        return sql.SQL("SELECT {} FROM ONLY {} AS t").format(self._columns, relation)

    def read(self, reader: ArrowReader, key: bytes) -> TableKeys:
        where = str(self._table.name)
        columns: list[Gathered] = []
        leaves: list[int] = []
        for leaf in self._table.leaves:
            count = 0
            if leaf.kind == "r":
                with contextlib.closing(ahead(reader.fields(self._query(leaf), where))) as batches:
                    for found in batches:
                        columns = columns or self._gatherers(len(found))
                        for gatherer, values in zip(columns, arrays(found), strict=True):
                            gatherer.add(values)
                        count += len(found[0])
            leaves.append(count)
        if not columns:
            columns = self._gatherers(self._width)
        return self._finish(columns, leaves, reader, key)

    @property
    def _width(self) -> int:
        own = self._identity is None or self._identity not in self._codes
        wish = self._wish
        extra = (wish.pins is not None) + (wish.latest is not None)
        return 1 + own + len(self._codes) + len(wish.categories) + extra

    def _gatherers(self, width: int) -> list[Gathered]:
        start = self._width - len(self._wish.categories) - (self._wish.pins is not None)
        start -= self._wish.latest is not None
        end = start + len(self._wish.categories)
        made: list[Gathered] = [Addresses(self._folder)]
        for i in range(1, width):
            if start <= i < end:
                made.append(Categories())
            else:
                dtype = bool if i == end and self._wish.pins is not None else None
                made.append(Numbers(dtype, self._folder))
        return made

    def _finish(
        self, columns: list[Gathered], leaves: list[int], reader: ArrowReader, key: bytes
    ) -> TableKeys:
        rest = iter(columns)
        address, _ = next(rest).finish()
        own = None if self._identity in self._codes else next(rest).finish()[0]
        codes = {code: next(rest).finish() for code in self._codes}
        categories = {
            name: values for name in self._wish.categories if (values := next(rest).finish()[0]) is not None
        }
        pinned = next(rest).finish()[0] if self._wish.pins is not None else None
        time = next(rest).finish()[0] if self._wish.latest is not None else None
        identity = codes[self._identity][0] if own is None and self._identity is not None else own
        assert identity is not None
        repeats = _repeats(identity) if self._identity is None else None
        several = len(leaves) > 1
        found = TableKeys(
            self._table,
            address,
            np.repeat(np.arange(len(leaves), dtype=np.int16), leaves)
            if several
            else np.broadcast_to(np.int16(0), len(address)),
            keep(draws(identity, repeats, self._table.name, key), self._folder),
            codes,
            categories=categories,
            pinned=pinned,
            time=time,
        )
        if self._wish.extremes and found.rows:
            found.extremes = self._extremes(reader, found)
        return found

    def _extremes(self, reader: ArrowReader, found: TableKeys) -> npt.NDArray[np.int64]:
        """Positions of the rows at both ends of each column."""
        positions: list[int] = []
        for index, leaf in enumerate(self._table.leaves):
            if leaf.kind != "r":
                continue
            at = np.flatnonzero(found.leaf == index) if len(self._table.leaves) > 1 else None
            own = found.address if at is None else found.address[at]
            order = np.argsort(own, kind="stable")
            for column in self._wish.extremes:
                for direction in ("ASC", "DESC"):
                    query = sql.SQL(
                        "SELECT tidsend(ctid) AS c0 FROM ONLY {} WHERE {} IS NOT NULL ORDER BY {} {} LIMIT 1"
                    ).format(
                        sql.Identifier(leaf.name.schema, leaf.name.name),
                        sql.Identifier(column),
                        sql.Identifier(column),
                        sql.SQL(direction),
                    )
                    for batch in reader.batches(query, f"{self._table.name}.{column}"):
                        if not batch.num_rows:
                            continue
                        row = order[np.searchsorted(own, unpack_tids(batch.columns[0])[0], sorter=order)]
                        positions.append(int(row if at is None else at[row]))
        return np.unique(np.asarray(positions, np.int64))


def _identity(table: Table) -> Code | None:
    """The key that tells rows apart: the primary key, else a unique one that is NULL nowhere."""
    if table.primary_key:
        return key_code(table, table.primary_key)
    for columns in table.unique_keys:
        if columns and not any(table.column(c).nullable for c in columns):
            return key_code(table, columns)
    return None


def _repeats(codes: Codes) -> npt.NDArray[np.int32]:
    """Equal rows without a key are told apart by their order among equals only."""
    frame = pl.DataFrame({"code": codes})
    return frame.select(pl.int_range(pl.len(), dtype=pl.Int32).over("code")).to_series().to_numpy()


def referrers(keys: Mapping[Name, TableKeys], link: Link) -> npt.NDArray[np.int64]:
    """By row of the link's referenced table, how many rows refer to it in production."""
    at = keys[link.table].references[link.name]
    return np.bincount(at[at >= 0], minlength=keys[link.referenced].rows)


def resolve_links(found: Mapping[Name, TableKeys], links: Sequence[Link], folder: Path | None = None) -> None:
    """Fill ``references`` of every table and drop the codes. folder: for what does not fit in memory."""
    catalog_tables = {name: keys.table for name, keys in found.items()}
    for link in links:
        own, other = _codes_between(catalog_tables, link)
        keys, referenced = found[link.table], found[link.referenced]
        values, valid = keys.codes[own]
        targets, present = referenced.codes[other]
        allowed = present
        if link.leaf is not None:
            inside = referenced.leaf == link.leaf
            allowed = inside if present is None else inside & present
        keys.references[link.name] = keep(resolve(values, valid, targets, allowed, referenced.draw), folder)
    for keys in found.values():
        keys.codes.clear()


def _codes_between(tables: Mapping[Name, Table], link: Link) -> tuple[Code, Code]:
    return link_codes(Catalog("", 0, "", "", {}, tables), link)


def resolve(
    values: Codes,
    valid: npt.NDArray[np.bool_] | None,
    targets: Codes,
    present: npt.NDArray[np.bool_] | None,
    draw: npt.NDArray[np.float64],
) -> Positions:
    """For each value the position of the target equal to it, NULL where it is not valid, or DANGLING.

    present: which targets count, None for all. Of equal targets the one with the least draw is meant.
    """
    at = np.arange(len(targets), dtype=np.int32) if present is None else np.flatnonzero(present)
    codes = targets if present is None else targets[present]
    if not len(codes) or not len(values):
        result = np.full(len(values), DANGLING, np.int32)
    else:
        low, high = int(codes.min()), int(codes.max())
        if high - low < _DENSE * len(codes) + 1024:
            result = _look_up(values, codes, at.astype(np.int32, copy=False), low, high, draw)
        else:
            result = _join(values, codes, at.astype(np.int32, copy=False), draw)
    if valid is not None:
        result[~valid] = NULL
    return result


def _look_up(
    values: Codes, codes: Codes, at: Positions, low: int, high: int, draw: npt.NDArray[np.float64]
) -> Positions:
    table = np.full(high - low + 1, DANGLING, np.int32)
    if len(np.unique(codes)) < len(codes) if len(codes) < 1 << 16 else _has_repeats(codes, low, high):
        order = np.argsort(-draw[at], kind="stable")
        at, codes = at[order], codes[order]
    table[codes - low] = at
    inside = (values >= low) & (values <= high)
    return np.where(inside, table[np.where(inside, values - low, 0)], np.int32(DANGLING))


def _has_repeats(codes: Codes, low: int, high: int) -> bool:
    seen = np.zeros(high - low + 1, bool)
    seen[codes - low] = True
    return int(seen.sum()) < len(codes)


def _join(values: Codes, codes: Codes, at: Positions, draw: npt.NDArray[np.float64]) -> Positions:
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    if (ordered[1:] == ordered[:-1]).any():
        order = np.lexsort((draw[at], codes))
        ordered = codes[order]
    result = np.empty(len(values), np.int32)
    for start in range(0, len(values), _CHUNK):
        part = values[start : start + _CHUNK]
        spot = np.minimum(np.searchsorted(ordered, part), len(ordered) - 1)
        result[start : start + _CHUNK] = np.where(ordered[spot] == part, at[order[spot]], DANGLING)
    return result


_CHUNK = 1 << 20


def addresses_by_leaf(keys: TableKeys, chosen: npt.NDArray[np.bool_]) -> dict[Name, RowAddresses]:
    """Sorted packed addresses of the chosen rows, by leaf."""
    leaves = keys.table.leaves
    if len(leaves) == 1:
        return {leaves[0].name: np.sort(keys.address[chosen])}
    return {
        leaf.name: np.sort(keys.address[chosen & (keys.leaf == index)]) for index, leaf in enumerate(leaves)
    }
