"""Staging as it serves now against production as it is now, without rows."""

from __future__ import annotations

from parity_data.catalog import Snapshot
from parity_data.catalog.fingerprint import read_fingerprint, sequence_positions
from parity_data.catalog.migrations import migration_heads
from parity_data.rules import load_policy
from parity_data.settings import Settings
from parity_data.verify.result import CheckResult
from parity_data.verify.schema import check_migrations, check_schema
from parity_data.verify.sequences import check_sequences


def compare_now(settings: Settings) -> list[CheckResult]:
    """Schema, migration heads and sequences of both sides. Raises ConfigError, SourceError, TargetError."""
    declared = load_policy(settings.rules).declared_differences
    target = settings.need_target()
    with (
        Snapshot(settings.need_source(), application="parity-data verify") as snapshot,
        target.connect(role="target", autocommit=True) as staging,
    ):
        return [
            *check_schema(read_fingerprint(snapshot.connection), read_fingerprint(staging), declared),
            *check_migrations(migration_heads(snapshot.connection), migration_heads(staging)),
            *check_sequences(sequence_positions(snapshot.connection), sequence_positions(staging)),
        ]
