"""Production's objects in the next database, as the policy wants them: before rows, and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg

from parity_data.refresh.extensions import other_versions_declared
from parity_data.release import build, copy_large_objects, create_extensions

if TYPE_CHECKING:
    from parity_data.refresh.session import Refresh


def restore_pre_data(refresh: Refresh) -> None:
    """Schemas, then extensions in production's versions, then all the rest before rows."""
    schemas = build.of_kind(refresh.entries, "SCHEMA")
    if schemas:
        restore(refresh, "pre-data", schemas)
    refresh.building.schemas_made()
    with refresh.building.connect() as connection:
        declared = other_versions_declared(refresh.catalog.extensions, refresh.policy)
        create_extensions(refresh.snapshot.connection, connection, any_version=declared)
    done = set(schemas)
    restore(refresh, "pre-data", [entry for entry in refresh.entries if entry not in done])
    with refresh.building.connect() as connection:
        refresh.tablespaces.place(connection, indexes=False)


def restore(refresh: Refresh, section: str, entries: list[str]) -> None:
    """Restore entries of one section of the archive. Raises TargetError."""
    objects = refresh.policy.objects
    options = [
        *(["--no-owner"] if objects.owners == "target" else []),
        *(["--no-privileges"] if objects.grants == "none" else []),
        *(["--no-tablespaces"] if refresh.tablespaces.by_hand else []),
    ]
    refresh.building.restore(section, entries, options)


def copy_blobs(refresh: Refresh, connection: psycopg.Connection[Any]) -> None:
    """Create large objects unless the policy leaves them out. Raises SourceError."""
    objects = refresh.policy.objects
    if objects.large_objects != "exclude":
        copy_large_objects(
            refresh.snapshot,
            connection,
            blank=objects.large_objects == "blank",
            owners=objects.owners == "production",
            grants=objects.grants == "production",
        )
