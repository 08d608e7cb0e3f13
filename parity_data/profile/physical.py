"""Physical age and planner statistics, from the server's own catalogs: sizes, dead rows, estimates.

Of ``pg_stats`` only figures are read; most common values and histogram bounds are values and stay there.
https://www.postgresql.org/docs/current/view-pg-stats.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from parity_data.catalog.model import Name, Table
from parity_data.profile.model import Physical

_RELATIONS = """
SELECT n.nspname, c.relname, pg_relation_size(c.oid), pg_indexes_size(c.oid),
       CASE WHEN c.reltoastrelid <> 0 THEN pg_total_relation_size(c.reltoastrelid) ELSE 0 END,
       pg_relation_size(c.oid) / current_setting('block_size')::int8,
       greatest(c.reltuples, 0)::int8, coalesce(pg_stat_get_dead_tuples(c.oid), 0),
       coalesce((SELECT option_value::int FROM pg_options_to_table(c.reloptions)
                 WHERE option_name = 'fillfactor'), 100)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
"""
_COLUMNS = """
SELECT schemaname, tablename, attname, inherited, null_frac, n_distinct, avg_width, correlation
FROM pg_stats WHERE schemaname <> 'information_schema' AND schemaname !~ '^pg_'
"""
#: Bytes of a row's header, line pointer and alignment; of a page's header.
_ROW, _PAGE = 28, 24
#: Smaller tables have a page or two, of which much is empty whatever their age.
_LEAST_PAGES = 16


@dataclass(frozen=True)
class Planner:
    """What the planner holds of a column. distinct: as pg_stats has it, negative for a share of the rows."""

    null_share: float
    distinct: float
    width: int
    correlation: float | None

    def values(self, rows: int) -> float | None:
        """Different values, by its estimate; None before ANALYZE."""
        if self.distinct == 0:
            return None
        return round(self.distinct if self.distinct > 0 else -self.distinct * rows)


@dataclass(frozen=True)
class _Relation:
    heap: int
    indexes: int
    toast: int
    pages: int
    rows: int
    dead: int
    fillfactor: int


class Statistics:
    """Of one server, by table."""

    def __init__(
        self,
        relations: Mapping[Name, _Relation],
        columns: Mapping[tuple[Name, str, bool], Planner],
    ) -> None:
        self._relations, self._columns = relations, columns
        #: Average bytes of a row's values.
        self._widths: dict[Name, float] = {}
        for (name, _, inherited), column in columns.items():
            if not inherited:
                width = column.width * (1 - column.null_share)
                self._widths[name] = self._widths.get(name, 0.0) + width

    def sizes(self) -> dict[Name, tuple[int, int]]:
        """Pages, and bytes with TOAST, of every relation that has any."""
        return {name: (own.pages, own.heap + own.toast) for name, own in self._relations.items()}

    def planner(self, table: Table, column: str) -> Planner | None:
        """What the planner holds of a column, of a partitioned table as a whole."""
        return self._columns.get((table.name, column, table.kind == "p"))

    def physical(self, table: Table) -> Physical | None:
        """Over all partitions; None where the table is not there."""
        found = {
            leaf.name: self._relations[leaf.name] for leaf in table.leaves if leaf.name in self._relations
        }
        if not found:
            return None
        heap = sum(own.heap for own in found.values())
        return Physical(
            heap_bytes=heap,
            index_bytes=sum(own.indexes for own in found.values()),
            toast_bytes=sum(own.toast for own in found.values()),
            rows=sum(own.rows for own in found.values()),
            dead_rows=sum(own.dead for own in found.values()),
            bloat=self._bloat(found, heap),
        )

    def _bloat(self, found: Mapping[Name, _Relation], heap: int) -> float | None:
        """1 - bytes that the rows need / bytes that there are, at least 0."""
        needed = 0.0
        for name, own in found.items():
            width = self._widths.get(name)
            if own.pages < _LEAST_PAGES or not own.rows or width is None:
                return None
            block = own.heap / own.pages
            needed += own.rows * (_ROW + width) / ((block - _PAGE) * own.fillfactor / 100) * block
        return round(max(0.0, 1 - needed / heap), 4) if heap else None


def read_statistics(connection: psycopg.Connection[Any]) -> Statistics:
    """Of everything that the role may read. Raises psycopg.Error."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        relations = {
            Name(row[0], row[1]): _Relation(*row[2:]) for row in cursor.execute(_RELATIONS).fetchall()
        }
        columns = {
            (Name(row[0], row[1]), row[2], bool(row[3])): Planner(*row[4:])
            for row in cursor.execute(_COLUMNS).fetchall()
        }
    return Statistics(relations, columns)
