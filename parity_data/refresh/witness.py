"""What is remembered of the rows while they pass by, to be held against staging afterwards."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import polars as pl
import psycopg
import pyarrow as pa

from parity_data.catalog import Name
from parity_data.catalog.fields import Fields
from parity_data.database import Database
from parity_data.mask import MaskSpec, describe, keeps_everything
from parity_data.transfer import Sent, TablePlan
from parity_data.transfer.wire import as_text, in_arrow
from parity_data.verify._words import Key
from parity_data.verify.canonical import Canonical
from parity_data.verify.digests import ColumnKey, ValueDigests
from parity_data.verify.mask_link import Kept, MaskWatch
from parity_data.verify.multiset import RowSummer, TableSums


def values_stay(mask: MaskSpec) -> bool:
    """Whether values may stand in staging as they are: moved to other rows, or texts but for some spans."""
    return describe(mask.name).by_batch or (mask.name == "free_text" and mask.params.get("rest") == "keep")


class _Witness:
    """Sees what one worker sends of one slice; an Observer."""

    def __init__(
        self,
        secret: bytes,
        canonical: Canonical | None,
        staying: Collection[ColumnKey],
        shares: Mapping[ColumnKey, int],
        *,
        digests: bool,
    ) -> None:
        self.digests = ValueDigests(secret) if digests else None
        self._staying = staying
        self._shares = shares
        self.sums = TableSums()
        self._key = Key.derive(secret)
        self._summer: RowSummer | None = None
        self._watches: dict[int, MaskWatch] = {}
        self.kept: dict[ColumnKey, Kept] = {}
        self._canonical = canonical

    def observe_kept(self, table: Name, column: str, values: pl.Series) -> None:
        """Take up values that the rules keep."""
        if self.digests is not None:
            self.digests.add_kept(values)

    def observe_rows(
        self,
        plan: TablePlan,
        before: Sequence[Fields | pa.Array],
        ready: Sequence[Fields | pa.Array],
        rows: int,
    ) -> None:
        """Take up a batch as it will stand in staging."""
        if self._summer is None:
            self._start(plan)
        columns = list(ready)
        for i, column in enumerate(plan.columns):
            if column.mask is None:
                continue
            raw, masked = (as_text(in_arrow(side[i])) for side in (before, ready))
            key = plan.table.name, column.name
            if self.digests is not None and key not in self._staying:
                self.digests.add_replaced(key, raw, masked)
            self._watches[i].compare(raw, masked)
            if self._canonical is not None and self._canonical.may_differ(column.column):
                given = self._canonical(column.column, raw, masked)
                if given is not masked:
                    columns[i] = given
        assert self._summer is not None
        self.sums.add(self._summer.sums(columns, rows))

    def _start(self, plan: TablePlan) -> None:
        self._summer = RowSummer(plan, self._key)
        for i, column in enumerate(plan.columns):
            if column.mask is not None:
                key = plan.table.name, column.name
                self._watches[i] = MaskWatch(column, self._key.seed, self._shares.get(key, 0))
                self.kept[key] = self._watches[i].kept

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_canonical": None}


class Witnesses:
    """Makes the observers of a refresh, and puts together what they saw.

    secret: 16 random bytes or more, of this run alone. target: the database that is being filled. masks: by
    table and column. connection: the only one that sees what is being filled, where there is such a one.
    """

    def __init__(
        self,
        secret: bytes,
        target: Database,
        masks: Mapping[Name, Mapping[str, MaskSpec]],
        *,
        connection: psycopg.Connection[Any] | None = None,
    ) -> None:
        self.key = Key.derive(secret)
        self.digests = ValueDigests(secret)
        self._secret = secret
        by_column = {
            (table, column): mask for table, columns in masks.items() for column, mask in columns.items()
        }
        #: Without a mask nothing can be left behind, so no value needs to be remembered.
        self.with_digests = not all(map(keeps_everything, by_column.values()))
        self._staying = {column for column, mask in by_column.items() if values_stay(mask)}
        self._canonical = Canonical(target, connection)
        self._sums: dict[Name, TableSums] = {}
        self.kept: dict[ColumnKey, Kept] = {}

    def observer(self) -> _Witness:
        """For one slice. Any thread may ask for it."""
        shares = {key: kept.share for key, kept in [*self.kept.items()]}
        return _Witness(self._secret, self._canonical, self._staying, shares, digests=self.with_digests)

    def collect(self, sent: Sent) -> None:
        """Take over what was observed while a slice was sent."""
        observed = sent.observed
        assert isinstance(observed, _Witness)
        self._sums.setdefault(sent.table, TableSums()).add(observed.sums)
        for key, kept in observed.kept.items():
            self.kept.setdefault(key, Kept()).add(kept)
        if observed.digests is not None:
            self.digests.merge([observed.digests])

    def sums(self, table: Name) -> TableSums:
        """Over all rows of a table that were sent."""
        return self._sums.get(table, TableSums())

    def close(self) -> None:
        """Close the connections that observers used. Safe to repeat."""
        self._canonical.close()
