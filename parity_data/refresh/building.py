"""Where a release is built, and how it comes to serve: one class for each method of the policy."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import psycopg

from parity_data.catalog import Name
from parity_data.catalog.fingerprint import Fingerprint, compare_fingerprints
from parity_data.database import Database
from parity_data.refresh.declared import ONE_PER_DATABASE, without_database
from parity_data.refresh.in_place import finish_in_place, left_ready, require_in_place, why_not_now
from parity_data.refresh.swapping import swap_in
from parity_data.release import build, names, properties
from parity_data.release.ledger import SCHEMA, ReleaseRecord
from parity_data.release.schemas import (
    away,
    bring_extensions,
    create_public,
    rename_schemas,
    require_movable,
    schemas_of,
    schemas_of_production,
    schemas_there,
    shadow,
    speak_for,
)
from parity_data.release.standstill import Busy
from parity_data.transfer import writing
from parity_data.transfer.target_writer import OneTransaction

if TYPE_CHECKING:
    from parity_data.refresh.session import Refresh

_FORMS = (names.next_name, names.kept_name)

#: Catalogs of objects that belong to no schema, with the query for the names that are there already: such an
#: object is made when it is missing, and compared when it is not. By OID of the catalog, as archives have it.
_SHARED = {
    "2612": "SELECT oid::text, lanname FROM pg_language",
    "2328": "SELECT oid::text, fdwname FROM pg_foreign_data_wrapper",
    "1417": "SELECT oid::text, srvname FROM pg_foreign_server",
    "2601": "SELECT oid::text, amname FROM pg_am",
    "2615": "SELECT oid::text, nspname FROM pg_namespace",
    "2605": "SELECT oid::text, concat(castsource::regtype, ' ', casttarget::regtype) FROM pg_cast",
    "3576": "SELECT oid::text, concat(trftype::regtype, ' ', trflang) FROM pg_transform",
}


class Beside:
    """In a database of its own, swapped in by renaming databases."""

    #: Whether production's objects are made there; else they are there, and only rows go in.
    makes_objects = True
    #: Why objects of some kinds are left out, besides what the policy leaves out.
    leaves_out: ClassVar[dict[str, str]] = {}
    #: The one connection that sees what is being built, and what workers write through; None where every
    #: connection sees it.
    connection: psycopg.Connection[Any] | None = None
    writer: OneTransaction | None = None
    #: Schemas of the built database that have nothing to do with production.
    hidden: Collection[str] = frozenset()
    #: What stays as it is in the database itself and differs from production's.
    left: list[str]

    def __init__(self, refresh: Refresh) -> None:
        self._refresh = refresh
        self.left = []
        version = refresh.ledger.connection.info.server_version
        self.name = names.next_name(refresh.ledger.target, refresh.release_id)
        self.target = writing(refresh.ledger.server.with_name(self.name), version, refresh.application)
        self.target = self.target.with_options(
            maintenance_work_mem=build.index_memory(refresh.ledger.connection, refresh.settings.connections)
        )

    @property
    def plain(self) -> Database:
        """The database that is being built, as an application connects to it."""
        return self._refresh.ledger.server.with_name(self.name)

    def begin(self) -> None:
        """Make the place. Raises TargetError."""
        refresh, ledger = self._refresh, self._refresh.ledger
        properties.create_database(
            ledger, self.name, refresh.snapshot, tablespace=refresh.tablespaces.database
        )
        properties.apply_properties(ledger.connection, self.name, refresh.snapshot, **refresh.comes)

    @contextmanager
    def connect(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection to what is being built."""
        with self.target.connect(role="target", autocommit=True) as connection:
            yield connection

    def restore(self, section: str, entries: list[str], options: list[str]) -> None:
        """Restore entries of one section of the archive. Raises TargetError."""
        refresh = self._refresh
        build.restore(
            section,
            self.target,
            refresh.tools,
            refresh.archive,
            entries,
            jobs=refresh.settings.connections,
            version=refresh.ledger.connection.info.server_version,
            options=options,
        )

    def schemas_made(self) -> None:
        """Called when the schemas are there and nothing else is."""

    def renew_sequences(self) -> None:
        """Called before sequences get their positions."""

    def finished(self) -> None:
        """Called when everything is in its place."""
        properties.limit_connections(self._refresh.ledger.connection, self.name, self._refresh.snapshot)

    def analyze(self) -> dict[Name, str]:
        """ANALYZE everything; tables that cannot be, and why."""
        refresh = self._refresh
        return build.analyze(self.target, refresh.catalog, connections=refresh.settings.connections)

    def is_ours(self, schema: str) -> bool:
        """Whether a hidden schema is of the ledger or of a release."""
        return False

    def comparable(self, built: Fingerprint) -> Fingerprint:
        """The fingerprint of what was built, as it is to be held against production's."""
        return built

    def discard(self) -> None:
        """Drop what was built; a dry run is over."""
        self._refresh.ledger.set_state(self._refresh.release_id, "retired", "pass")

    def hold(self) -> None:
        """Keep it until somebody promotes it."""
        self._refresh.ledger.set_state(self._refresh.release_id, "ready", "pass")

    def swap(self) -> str:
        """Let staging serve it; what staging is afterwards, in words."""
        refresh = self._refresh
        refresh.ledger.set_state(refresh.release_id, "building", "pass")
        return swap_in(refresh.settings, refresh.ledger, refresh.release_id, refresh.policy, log=refresh.log)

    def close(self) -> None:
        """Give back what it holds."""


class InPlace(Beside):
    """Within staging's own database, in one transaction of one connection: whole, or as if it never was."""

    connection: psycopg.Connection[Any]

    def __init__(self, refresh: Refresh) -> None:
        super().__init__(refresh)
        ledger = refresh.ledger
        version = ledger.connection.info.server_version
        self.target = writing(ledger.server, version, refresh.application).with_options(
            maintenance_work_mem=build.index_memory(ledger.connection, 1)
        )
        self.schemas = schemas_of_production(refresh.snapshot.connection, refresh.policy.ignore_schemas)
        require_in_place(refresh.policy, self.schemas, asked=refresh.request.mode)
        self.connection = self.target.connect(role="target", autocommit=True)
        self.writer = OneTransaction(self.connection)

    @property
    def plain(self) -> Database:
        """Staging's database, as an application connects to it."""
        return self._refresh.ledger.server

    @property
    def current(self) -> ReleaseRecord | None:
        """The release that serves, with the schemas that the next one will replace."""
        ledger = self._refresh.ledger
        there = schemas_there(ledger.connection)
        found = next((r for r in ledger.releases() if r.state == "current"), None)
        replaced = sorted({*self.schemas, *(schemas_of(found) if found else ())} & there)
        if found is None and not replaced:
            return None
        if found is None:
            ledger.adopt()
            found = next(r for r in ledger.releases() if r.state == "current")
        if schemas_of(found) != replaced:
            ledger.add_details(found.id, schemas=replaced)
            found.details["schemas"] = replaced
        return found

    def begin(self) -> None:
        """Begin the transaction that ends with the swap. Raises TargetError."""
        refresh = self._refresh
        self.old = self.current
        seen = schemas_there(refresh.snapshot.connection)
        refresh.ledger.add_details(refresh.release_id, schemas=self.schemas, seen=sorted(seen))
        self.connection.execute("BEGIN")
        self._start()
        self.hidden = schemas_there(self.connection) - seen

    def _start(self) -> None:
        """What comes first in the transaction."""

    @contextmanager
    def connect(self) -> Iterator[psycopg.Connection[Any]]:
        """The one connection."""
        yield self.connection

    def restore(self, section: str, entries: list[str], options: list[str]) -> None:
        """Restore entries of one section of the archive. Raises TargetError."""
        refresh = self._refresh
        build.restore_here(
            section,
            self.connection,
            self.target,
            refresh.tools,
            refresh.archive,
            entries,
            options=options,
        )

    def finished(self) -> None:
        """Nothing is left to be done: the database itself stays as it is."""

    def analyze(self) -> dict[Name, str]:
        """ANALYZE everything; tables that cannot be, and why."""
        tables = sorted(self._refresh.catalog.tables.values(), key=lambda t: -t.bytes)
        return build.analyze_tables(self.connection, [table.name for table in tables])

    def is_ours(self, schema: str) -> bool:
        """Whether a hidden schema is of the ledger or of a release."""
        releases = self._refresh.ledger.releases()
        shadows = {form(s, r.id) for r in releases for s in schemas_of(r) for form in _FORMS}
        return schema == SCHEMA or schema in shadows

    def comparable(self, built: Fingerprint) -> Fingerprint:
        """As it is, but for the database's own properties, which no release changes: they are listed."""
        production = self._refresh.fingerprint
        differences = compare_fingerprints(production, built)
        self.left = [d.sentence for d in differences if d.object_class == "database"]
        return without_database(built, production)

    def discard(self) -> None:
        """Undo it; a dry run is over."""
        self.close()
        super().discard()

    def swap(self) -> str:
        """Let staging serve it; what staging is afterwards, in words."""
        refresh = self._refresh
        policy, ledger = refresh.policy, refresh.ledger
        why = why_not_now(ledger, policy.release, refresh.log)
        if why is None:
            try:
                finish_in_place(
                    self.connection,
                    ledger,
                    refresh.release_id,
                    policy,
                    self._replaced(),
                    end=policy.release.sessions != "wait",
                    log=refresh.log,
                    **self._own(),
                )
                self.connection.close()
                return "released: staging serves it now"
            except Busy:
                why = f"staging was busy for {policy.release.wait_seconds:g} s"
        self.hold()
        return left_ready(refresh.release_id, why)

    def _own(self) -> dict[str, Any]:
        return {}

    def _replaced(self) -> dict[str, str]:
        """Schemas of the old release, by their names when it served, under the names they have now."""
        return {}

    def close(self) -> None:
        """End the transaction, which undoes what was not committed."""
        self.connection.close()


class InSchemas(InPlace):
    """In new schemas, under their final names from the first moment on, for others only at the end."""

    leaves_out: ClassVar[dict[str, str]] = ONE_PER_DATABASE

    def _start(self) -> None:
        old = schemas_of(self.old) if self.old else []
        require_movable(self.connection, old)
        rename_schemas(self.connection, away(old, self.old.id) if self.old else [])
        if "public" in self.schemas:
            create_public(self.connection)
        self._refresh.entries = self._wanted(self._refresh.entries)

    def _wanted(self, entries: list[str]) -> list[str]:
        """Without objects outside schemas that are there already."""
        there: set[tuple[str, str]] = set()
        for catalog, query in _SHARED.items():
            here = {name for _, name in self.connection.execute(query.encode())}
            if catalog == "2615":
                here -= {"public"}  # its comment and grants are wanted
            found = self._refresh.snapshot.connection.execute(query.encode()).fetchall()
            there |= {(catalog, oid) for oid, name in found if name in here}
        return [entry for entry in entries if tuple(entry.split(None, 3)[1:3]) not in there]

    def schemas_made(self) -> None:
        """Extensions move on to the schemas that have taken the place of theirs."""
        bring_extensions(self.connection, {new: old for old, new in self._replaced().items()})

    def _replaced(self) -> dict[str, str]:
        return dict(away(schemas_of(self.old), self.old.id)) if self.old else {}

    def hold(self) -> None:
        """Put the new schemas aside and the old ones back, and commit."""
        refresh = self._refresh
        ledger = speak_for(refresh.ledger, self.connection)
        record = next(r for r in ledger.releases() if r.id == refresh.release_id)
        aside = {schema: shadow(record, schema) for schema in schemas_of(record)}
        rename_schemas(
            self.connection, [*aside.items(), *((new, old) for old, new in self._replaced().items())]
        )
        bring_extensions(self.connection, {new: old for old, new in aside.items()})
        ledger.set_state(refresh.release_id, "ready", "pass")
        self.connection.execute("COMMIT")
        self.connection.close()


def building_for(refresh: Refresh) -> Beside:
    """The place where the policy wants a release built."""
    from parity_data.refresh.emptied import InTables

    methods: dict[str, Callable[[Refresh], Beside]] = {
        "database": Beside,
        "schema": InSchemas,
        "truncate": InTables,
    }
    return methods[refresh.policy.release.method](refresh)
