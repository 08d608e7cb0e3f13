"""The checks of one refresh: what was expected comes from the snapshot, what is true from the release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg

from parity_data.catalog import Catalog, Name
from parity_data.catalog.fingerprint import Fingerprint, read_fingerprint, sequence_positions
from parity_data.catalog.migrations import migration_heads
from parity_data.mask import MaskSpec
from parity_data.refresh.declared import declared_differences, judged
from parity_data.refresh.nights import built_bytes
from parity_data.refresh.staged_texts import StagedTexts
from parity_data.refresh.surroundings import flag_checks, look_around
from parity_data.verify.canaries import Canaries, check_canaries
from parity_data.verify.digests import ColumnKey, ValueDigests
from parity_data.verify.integrity import KeyName, check_foreign_keys
from parity_data.verify.leak_results import check_leaks
from parity_data.verify.leaks import LeakAudit
from parity_data.verify.load_link import check_load, read_back
from parity_data.verify.mask_link import Kept, check_masks, promise
from parity_data.verify.nulls import check_nulls
from parity_data.verify.result import CheckResult, Difference
from parity_data.verify.rows import check_rows
from parity_data.verify.schema import check_migrations, check_schema
from parity_data.verify.sequences import check_sequences
from parity_data.verify.spot import SpotTable, check_spots

if TYPE_CHECKING:
    from parity_data.refresh.session import Refresh


class Verification:
    """All checks on a built release. connection: to it, by a role that may read everything."""

    def __init__(self, refresh: Refresh, connection: psycopg.Connection[Any]) -> None:
        self._refresh = refresh
        self._connection = connection
        self._hidden = refresh.building.hidden
        self.fingerprint = read_fingerprint(connection, hidden=self._hidden)
        self._auditing = refresh.auditing.result()
        self._there = read_back(
            refresh.building.target,
            connection,
            list(refresh.plans.values()),
            refresh.witnesses.key,
            type_oids=refresh.type_oids,
            connections=refresh.settings.connections,
            alone=refresh.building.connection is not None,
            make_onlooker=None if self._auditing is None else partial(StagedTexts, self._auditing[0]),
        )
        self.rows = {name: sums.rows for name, sums in self._there.items()}
        self.nulls = {
            (name, column): count
            for name, sums in self._there.items()
            for column, count in sums.nulls.items()
        }
        self.expected_dangling = self._expected_dangling()
        self.dangling: dict[KeyName, int] = {}
        self.bytes = built_bytes(connection, self._hidden)
        self.around = look_around(refresh.settings, refresh.settings.need_source(), refresh.building.plain)
        self.differences: tuple[Difference, ...] = ()

    def run(self) -> list[CheckResult]:
        """Every check, with what the policy declares taken into account. Raises psycopg.Error."""
        refresh = self._refresh
        built = refresh.building.comparable(self.fingerprint)
        today = refresh.snapshot.taken_at.astimezone(UTC).date()
        found = judged(refresh.policy, self._measured(built), refresh.fingerprint, built, today=today)
        self.differences = found.differences
        return list(found.checks)

    def _measured(self, built: Fingerprint) -> list[CheckResult]:
        refresh, connection = self._refresh, self._connection
        production = refresh.snapshot.connection
        keys = check_foreign_keys(connection, refresh.catalog, self.expected_dangling)
        names = [(key.table, key.name) for key in refresh.catalog.foreign_keys]
        self.dangling = {name: int(k.value or 0) for name, k in zip(names, keys, strict=True)}
        return [
            *check_schema(
                refresh.fingerprint,
                built,
                declared_differences(refresh.policy),
            ),
            *check_migrations(migration_heads(production), migration_heads(connection, hidden=self._hidden)),
            *self._check_rows(),
            *self._check_masks(),
            *self._check_load(),
            *self._check_nulls(),
            *self._check_spots(),
            *keys,
            *check_sequences(
                sequence_positions(production), sequence_positions(connection, hidden=self._hidden)
            ),
            *self._check_leaks(),
            *self.around.checks(refresh.policy),
            *flag_checks(refresh.policy, refresh.catalog, production, connection),
            # At work until now.
            *refresh.sampling.result(),
        ]

    def _check_rows(self) -> list[CheckResult]:
        refresh = self._refresh
        expected = {name: chosen.rows for name, chosen in refresh.selections.items()}
        sent = {name: found.rows for name, found in refresh.sent.items()}
        return check_rows(expected, sent, self.rows)

    def _check_masks(self) -> list[CheckResult]:
        refresh = self._refresh
        promises = {
            (name, column.name): promise(column)
            for name, plan in refresh.plans.items()
            for column in plan.masked
        }
        kept = {key: refresh.witnesses.kept.get(key, Kept()) for key in promises}
        return check_masks(kept, promises)

    def _check_load(self) -> list[CheckResult]:
        refresh = self._refresh
        sent = {name: refresh.witnesses.sums(name) for name in refresh.plans}
        keys = {name: table.primary_key for name, table in refresh.catalog.tables.items()}
        return check_load(sent, self._there, keys)

    def _check_nulls(self) -> list[CheckResult]:
        refresh = self._refresh
        expected = {
            (name, column.name): refresh.sent[name].nulls[column.name]
            for name in refresh.masks
            for column in refresh.catalog.tables[name].stored_columns
        }
        masked_null = {
            (name, column)
            for name, masks in refresh.masks.items()
            for column, mask in masks.items()
            if mask.name == "null"
        }
        return check_nulls(expected, self.nulls, masked_null, self.rows)

    def _check_spots(self) -> Iterator[CheckResult]:
        refresh = self._refresh
        tables = [
            SpotTable(
                table=plan.table,
                masks={column.name: column.mask for column in plan.columns},
                masker=partial(refresh.masker, name),
                chosen=refresh.selections[name].addresses,
                rows=refresh.selections[name].total,
                relinked=refresh.selections[name].relinked,
            )
            for name, plan in refresh.plans.items()
        ]
        return check_spots(refresh.snapshot.connection, self._connection, tables)

    def _expected_dangling(self) -> dict[KeyName, int]:
        """Chosen rows whose reference finds nothing in production, by key."""
        refresh = self._refresh
        expected: dict[KeyName, int] = {}
        for name, chosen in refresh.selections.items():
            if chosen.dangling is not None:
                expected.update({((name, key), count) for key, count in chosen.dangling.items()})
        open_keys = [
            key
            for key in refresh.catalog.foreign_keys
            if (key.table, key.name) not in expected
            and refresh.selections[key.table].rows
            and not key.validated
        ]
        if open_keys:
            found = check_foreign_keys(refresh.snapshot.connection, _only(refresh.catalog), {}, open_keys)
            for key, result in zip(open_keys, found, strict=True):
                expected[key.table, key.name] = int(result.value or 0)
        return expected

    def _check_leaks(self) -> list[CheckResult]:
        key = self._refresh.witnesses.key
        if self._auditing is None:
            return [check_canaries(None, (), key)]
        audit, canaries = self._auditing
        hits, wrong = canaries.found(audit.hits())
        scanned = {column: count for column, count in audit.scanned.items() if not canaries.own(column)}
        return [*check_leaks(hits, scanned), check_canaries(canaries, wrong, key)]


def begin_audit(
    digests: ValueDigests, masks: Mapping[Name, Mapping[str, MaskSpec]]
) -> tuple[LeakAudit, Canaries] | None:
    """Something to look for leaks with; None where no value was replaced, so that none can be left.

    digests: of all that was sent. masks: by table and column.
    """
    if not digests.columns:
        return None
    kept: set[ColumnKey] = {
        (name, column)
        for name, columns in masks.items()
        for column, mask in columns.items()
        if mask.name == "keep"
    }
    canaries = Canaries()
    canaries.plant(digests)
    audit = LeakAudit(digests, kept=kept | set(canaries.kept))
    canaries.feed(audit)
    return audit, canaries


def _only(catalog: Catalog) -> Catalog:
    """The catalog without declared keys, so that only those named besides are looked at."""
    tables = {name: replace(table, foreign_keys=()) for name, table in catalog.tables.items()}
    return replace(catalog, tables=tables)
