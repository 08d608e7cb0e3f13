"""Staging as it serves now against production as it is now, without rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from typing import Any

import psycopg

from parity_data.catalog import Snapshot, read_catalog
from parity_data.catalog.fingerprint import read_fingerprint, sequence_positions
from parity_data.catalog.migrations import migration_heads
from parity_data.refresh.declared import Judged, declared_differences, judged, without_database
from parity_data.refresh.surroundings import flag_checks, look_around
from parity_data.release.schemas import schemas_there
from parity_data.rules import Policy, load_policy, resolve
from parity_data.settings import Settings
from parity_data.verify.result import CheckResult
from parity_data.verify.schema import check_migrations, check_schema
from parity_data.verify.sequences import check_sequences


def compare_now(settings: Settings) -> Judged:
    """Schema, migration heads, sequences, settings and flags of both sides, and what differs.

    Raises ConfigError, RulesError, SourceError, TargetError.
    """
    policy = load_policy(settings.rules)
    declared = declared_differences(policy)
    target = settings.need_target()
    with (
        Snapshot(settings.need_source(), application="parity-data verify") as snapshot,
        target.connect(role="target", autocommit=True) as staging,
    ):
        production = snapshot.connection
        mine = read_fingerprint(production)
        hidden: set[str] = set()
        if policy.release.in_place:
            hidden = schemas_there(staging) - schemas_there(production)
        theirs = read_fingerprint(staging, hidden=hidden)
        if policy.release.in_place:
            theirs = without_database(theirs, mine)
        checks = [
            *check_schema(mine, theirs, declared),
            *check_migrations(migration_heads(production), migration_heads(staging, hidden=hidden)),
            *check_sequences(sequence_positions(production), sequence_positions(staging, hidden=hidden)),
            *look_around(settings, settings.need_source(), target).checks(policy),
            *_flags(policy, snapshot, staging),
        ]
        today = snapshot.taken_at.astimezone(UTC).date()
        return judged(policy, checks, mine, theirs, today=today)


def _flags(policy: Policy, snapshot: Snapshot, staging: psycopg.Connection[Any]) -> Iterable[CheckResult]:
    if not policy.parity.feature_flags:
        return ()
    catalog = read_catalog(snapshot, ignore_schemas=policy.ignore_schemas)
    return flag_checks(resolve(policy, catalog), catalog, snapshot.connection, staging)
