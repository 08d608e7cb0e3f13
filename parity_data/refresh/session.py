"""The refresh itself: an object that lives as long as the snapshot and knows the way from it to a release."""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from types import TracebackType

import psycopg
from psycopg import sql

from parity_data.catalog import Catalog, Name, Snapshot, read_catalog
from parity_data.catalog.arrow import open_readers
from parity_data.catalog.fingerprint import (
    Fingerprint,
    read_fingerprint,
    sequence_positions,
)
from parity_data.catalog.reading import own_rows
from parity_data.compiled import warm_up
from parity_data.errors import CheckFailed, ConfigError, ParityError, RulesError, TargetError
from parity_data.mask import ColumnMasker, KeyRing, MaskSpec
from parity_data.mask.examples import rehearse
from parity_data.refresh.building import building_for
from parity_data.refresh.counts import counted
from parity_data.refresh.cover import cover, remembered
from parity_data.refresh.doctor import preflight
from parity_data.refresh.extensions import require_extensions
from parity_data.refresh.known import gather_known
from parity_data.refresh.memory import give_back
from parity_data.refresh.objects import copy_blobs, restore, restore_pre_data
from parity_data.refresh.profiles import make_profiles
from parity_data.refresh.request import RefreshRequest, share_of
from parity_data.refresh.sampling import Sampling
from parity_data.refresh.scratch import clear_scratch, scratch
from parity_data.refresh.sending import sending
from parity_data.refresh.swapping import open_ledger
from parity_data.refresh.trouble import worded
from parity_data.refresh.verification import Verification, begin_audit
from parity_data.refresh.witness import Witnesses
from parity_data.release import (
    Ledger,
    ReleaseRecord,
    build,
    drop_leftovers,
    find_client_tools,
    names,
    properties,
    recover,
)
from parity_data.release.hooks import require_hooks
from parity_data.release.tablespaces import Tablespaces
from parity_data.rules import Policy, load_policy
from parity_data.settings import Settings
from parity_data.subset import Selection, select_everything, select_rows
from parity_data.transfer import TableSent, plan_table, type_oids
from parity_data.transfer.wire import masker_of
from parity_data.verify.result import CheckResult


class Refresh:
    """One refresh. Use as a context manager: leaving it gives back snapshot, lock and sessions.

    The methods are called in the order in which they stand here. Each raises a ParityError that says what
    is wrong; until ``release`` has returned, the current staging serves untouched.
    """

    def __init__(
        self, settings: Settings, request: RefreshRequest, *, log: logging.Logger | None = None
    ) -> None:
        self.settings = settings
        self.request = request
        self.release_id = request.release
        self.application = f"parity-data {self.release_id}"
        self.log = log or logging.getLogger("parity_data")
        self.started_at = datetime.now(UTC)
        self.stages: list[tuple[str, float]] = []
        self.sent: dict[Name, TableSent] = {}
        self.filled_in_pieces: list[Name] = []
        self.selections: dict[Name, Selection] = {}
        self.checks: list[CheckResult] = []
        self._exit = contextlib.ExitStack()
        self._clock = time.perf_counter()

    # -- 1. look at production -----------------------------------------------------------------------

    @worded
    def open(self) -> Catalog:
        """Check settings, rules and both servers, take the lock, hold the snapshot, read the catalog.

        Raises ConfigError, RulesError, SourceError, TargetError, LockedError; nothing was changed but the
        ledger database, made when it was not there.
        """
        self.request.checked()
        # While servers are waited for.
        threading.Thread(target=warm_up, name="warm-up").start()
        settings = self.settings
        source = settings.need_source()
        settings.need_target()
        self.keys = KeyRing(settings.need_key())
        self.policy: Policy = load_policy(settings.rules)
        objects = self.policy.objects
        self.comes = {"owners": objects.owners == "production", "grants": objects.grants == "production"}
        require_hooks([*self.policy.release.before_swap, *self.policy.release.after_swap], self.policy.folder)
        self.snapshot = self._exit.enter_context(Snapshot(source, application=self.application))
        self.ledger = self._exit.enter_context(open_ledger(settings, self.policy))
        self._refuse_same(self.ledger)
        self.tools = find_client_tools(max(self.snapshot.version // 10000, 13), settings.client_tools)
        self.ledger.lock()
        dropped = [*recover(self.ledger), *clear_scratch(settings.work)]
        if dropped:
            self.log.info("Dropped what an earlier run left behind: %s.", ", ".join(dropped))
        self.catalog = read_catalog(self.snapshot, ignore_schemas=self.policy.ignore_schemas)
        share = share_of(self.request.fraction, self.policy, self.catalog)
        self.fraction, self.target_bytes = share.fraction, share.target_bytes
        leaves = [leaf for table in self.catalog.tables.values() for leaf in table.leaves]
        self.snapshot.lock([leaf.name for leaf in leaves if leaf.kind == "r"])
        require_extensions(self.catalog.extensions, self.policy, self.ledger.connection)
        preflight(
            self.snapshot, self.ledger, self.catalog, self.policy, settings, self.fraction, self.log.warning
        )
        self.tablespaces = Tablespaces(self.snapshot, self.ledger.connection, self.policy.objects.tablespaces)
        self.fingerprint: Fingerprint = read_fingerprint(self.snapshot.connection)
        self.large_objects = self._count_large_objects()
        self._stage("catalog")
        return self.catalog

    def _count_large_objects(self) -> int:
        row = self.snapshot.connection.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchone()
        assert row is not None
        return int(row[0])

    def _refuse_same(self, ledger: Ledger) -> None:
        """Refuse a target that is the source, whatever the address calls it."""
        if ledger.system_identifier() != self.snapshot.system_identifier:
            return
        own = {
            ledger.target,
            names.previous_name(ledger.target),
            names.ledger_name(ledger.target),
            names.next_name(ledger.target, self.release_id),
        }
        if self.snapshot.name in own:
            raise ConfigError(
                "The target is the source: both addresses lead to the same database of the same server.",
                where=ledger.server.display,
                todo="Set PARITY_TARGET_URL to another database.",
            )

    # -- 2. decide ------------------------------------------------------------------------------------

    @worded
    def map_pii(self) -> dict[Name, dict[str, MaskSpec]]:
        """The mask of every stored column.

        Raises RulesError naming every column nobody has decided on, or that is no longer what it was when
        somebody did.
        """
        cache = remembered(self.settings)
        self.covered = cover(self.policy, self.catalog, self.snapshot.connection, cache=cache, log=self.log)
        self.policy = self.covered.policy
        self.masks = {
            name: self.covered.masks_of(table)
            for name, table in self.catalog.tables.items()
            if name not in self.policy.exclude_rows
        }
        self._refuse_dangling_exclusions()
        self._stage("rules")
        return self.masks

    def _refuse_dangling_exclusions(self) -> None:
        for key in self.catalog.foreign_keys:
            if key.referenced in self.policy.exclude_rows and key.table not in self.policy.exclude_rows:
                raise RulesError(
                    f"Its rows are excluded, but {key.table} references them ({key.name}).",
                    where=str(key.referenced),
                    todo="Exclude the referencing table's rows too, or neither.",
                )

    # -- 3. choose rows -------------------------------------------------------------------------------

    @worded
    def choose_rows(self) -> dict[Name, Selection]:
        """Which rows go. Raises SourceError."""
        # While production is waited for.
        names = [mask.name for masks in self.masks.values() for mask in masks.values()]
        threading.Thread(target=rehearse, args=(names,), name="rehearsal").start()
        if self.fraction >= 1:
            rows = {name: self._count(name) for name in self.catalog.tables}
            self.selections = select_everything(self.catalog, self.policy, rows)
        else:
            count = min(self.policy.load.workers(self.settings.connections), max(1, len(self.catalog.tables)))
            with open_readers(self.snapshot.database, self.snapshot.id, count) as readers:
                self.selections, self.fraction = select_rows(
                    readers,
                    self.catalog,
                    self.policy,
                    self.fraction,
                    self.keys.subkey("subset"),
                    target_bytes=self.target_bytes,
                    work=self.settings.work,
                )
        self._stage("subset")
        return self.selections

    def _count(self, name: Name) -> int:
        query = sql.SQL("SELECT count(*) FROM {}").format(own_rows(self.catalog.tables[name]))
        row = self.snapshot.connection.execute(query).fetchone()
        assert row is not None
        return int(row[0])

    # -- 4. build the next database -------------------------------------------------------------------

    @worded
    def prepare(self) -> None:
        """Create the next database and production's schema in it, without indexes and constraints."""
        ledger, snapshot = self.ledger, self.snapshot
        ledger.start(
            ReleaseRecord(
                self.release_id,
                "building",
                fraction=self.fraction,
                snapshot_at=snapshot.taken_at,
                requested_by=self.request.requested_by,
                note=self.request.note,
                details={
                    "source": self.settings.need_source().display,
                    "rules_digest": self.policy.digest,
                    "key_id": self.keys.key_id,
                    "mode": self.request.mode,
                    "method": self.policy.release.method,
                },
            )
        )
        self._exit.callback(self._abandon)
        self.building = building_for(self)
        self.archive = self._exit.enter_context(scratch(self.settings.work, self.release_id)) / "schema.dump"
        self.created_roles: list[str] = []
        self.excluded_entries: list[tuple[str, str]] = []
        if self.building.makes_objects:
            self._prepare_objects()
        self.building.begin()
        if self.building.makes_objects:
            restore_pre_data(self)
        self._stage("pre-data")

    def _prepare_objects(self) -> None:
        """The archive of production's schema, what of it comes along, and the roles that needs."""
        ledger, snapshot = self.ledger, self.snapshot
        build.dump_schema(snapshot, self.tools, self.archive, ignore_schemas=self.policy.ignore_schemas)
        self.entries, self.excluded_entries = build.archive_entries(
            self.tools,
            self.archive,
            ledger.database,
            {**self.building.leaves_out, **self.policy.objects.exclude},
        )
        with ledger.connection.transaction():
            roles = properties.needed_roles(snapshot, self.catalog.roles, **self.comes)
            self.created_roles = properties.create_roles(ledger.connection, roles)
            ledger.add_details(self.release_id, created_roles=self.created_roles)

    # -- 5. send rows ---------------------------------------------------------------------------------

    def send_rows(self) -> Generator[TableSent, None, None]:
        """Send every table, masked, and yield each when it is complete; a failed one carries its error.

        Close it to stop the workers early.
        """
        with self.building.connect() as connection:
            self.type_oids = type_oids(self.snapshot.connection, connection)
        self.known = gather_known(self.snapshot, self.catalog, self.masks)
        self._stage("known values")
        self.witnesses = self._exit.enter_context(
            contextlib.closing(
                Witnesses(
                    secrets.token_bytes(32),
                    self.building.target,
                    self.masks,
                    connection=self.building.connection,
                )
            )
        )
        self.plans = {
            name: plan_table(self.catalog.tables[name], masks) for name, masks in self.masks.items()
        }
        for sent in sending(self):
            self.sent[sent.table] = sent
            yield sent
        self.witnesses.close()
        give_back()
        self._stage("rows")

    def masker(self, table: Name, column: str) -> ColumnMasker:
        """The masker of a masked column, compiled afresh."""
        plan = next(p for p in self.plans[table].columns if p.name == column)
        assert plan.mask is not None
        return masker_of(plan, self.keys, self.known)

    # -- 6. finish and verify -------------------------------------------------------------------------

    @worded
    def complete(self) -> None:
        """Indexes, constraints, triggers, sequences, materialised views, statistics.

        Raises TargetError when a table is missing or incomplete, or an object cannot be made.
        """
        missing = [str(n) for n in self.catalog.tables if n not in self.sent or self.sent[n].error]
        if missing:
            raise TargetError(
                f"{len(missing)} table(s) were not loaded in this run: {', '.join(missing[:10])}.",
                todo="A release is one consistent whole: start a full refresh.",
            )
        self.ledger.renew()
        # The target is busy for a while, and neither this process nor production is.
        aside = self._exit.enter_context(ThreadPoolExecutor(1, thread_name_prefix="audit"))
        self.auditing = aside.submit(begin_audit, self.witnesses.digests, self.masks)
        readers = self.policy.load.workers(self.settings.connections)
        self.sampling = self._exit.enter_context(
            contextlib.closing(Sampling(self.snapshot, self.catalog, self.selections, readers))
        )
        if self.building.makes_objects:
            restore(self, "post-data", self.entries)
        with self.building.connect() as connection:
            if self.building.makes_objects and build.superuser(connection):
                connection.execute("SET session_replication_role = replica")  # silences event triggers
            self.building.renew_sequences()
            build.set_sequences(connection, sequence_positions(self.snapshot.connection))
            build.refresh_views(connection, self.snapshot)
            if self.building.makes_objects:
                self.tablespaces.place(connection, indexes=True)
                copy_blobs(self, connection)
        self.building.finished()
        self._stage("post-data")
        self.not_analyzed = self.building.analyze()
        self._stage("statistics")

    @worded
    def verify(self) -> list[CheckResult]:
        """Every check on the built release, and the profiles of both sides."""
        with (
            build.no_vacuum(self.building.target, self.filled_in_pieces),
            self.building.connect() as connection,
        ):
            self.verification = Verification(self, connection)
            self.checks = [*self.covered.checks(), *self.verification.run(), *counted(self.sent)]
            self._stage("checks")
            self.profiles = make_profiles(self, connection, self.verification.rows)
        self._stage("profiles")
        return self.checks

    # -- 7. release and report ------------------------------------------------------------------------

    @property
    def verdict(self) -> str:
        return "fail" if any(check.status == "fail" for check in self.checks) else "pass"

    @worded
    def release(self) -> str:
        """Do what was asked for with the built release; what staging is afterwards, in words.

        Raises CheckFailed, after the report was written, when a check failed.
        """
        from parity_data.refresh.document import write_document

        self.ledger.renew()
        self.document, self.report = write_document(self)
        if self.verdict == "fail":
            failed = [c for c in self.checks if c.status == "fail"]
            self.ledger.set_state(self.release_id, "failed", "fail")
            raise CheckFailed(
                f"{len(failed)} check(s) failed: {failed[0].name} on {failed[0].scope}: {failed[0].message}",
                todo=f"Staging still serves the old release. Read {self.report.html}.",
            )
        if self.request.mode == "dry_run":
            self.building.discard()
            outcome = "dry run: verified and dropped, staging unchanged"
        elif self.request.mode == "hold" or self.policy.release.require_review:
            self.building.hold()
            outcome = f"ready: 'parity promote {self.release_id}' swaps it in"
            if self.policy.release.require_review:
                outcome += f" after 'parity review {self.release_id} --approve'"
        else:
            outcome = self.building.swap()
        self._stage("release")
        return outcome

    # -- ending ---------------------------------------------------------------------------------------

    def _abandon(self) -> None:
        """End our sessions, and drop what was being built unless it was released or waits for promotion."""
        if hasattr(self, "building"):
            self.building.close()
        self.end_sessions()
        with contextlib.suppress(psycopg.Error, ParityError):
            self.ledger.renew()
            states = {r.id: r.state for r in self.ledger.releases()}
            if states.get(self.release_id) in ("building", "failed"):
                self.ledger.set_state(self.release_id, "failed")
                recover(self.ledger)
            elif not self.ledger.inside:
                drop_leftovers(self.ledger)

    def end_sessions(self) -> None:
        """End whatever this run still has open on either server: a cancelled COPY does not end by itself."""
        for database, role in (
            (self.settings.need_source(), "source"),
            (self.ledger.database, "target"),
        ):
            with (
                contextlib.suppress(psycopg.Error, ParityError),
                database.connect(role=role, autocommit=True) as connection,
            ):
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name = %s AND pid <> pg_backend_pid()",
                    [self.application],
                )

    def _stage(self, name: str) -> None:
        now = time.perf_counter()
        self.stages.append((name, round(now - self._clock, 3)))
        self.log.info("%s: %.1f s", name, now - self._clock)
        self._clock = now

    def close(self) -> None:
        """End the snapshot, give the lock back, drop what was not released. Safe to repeat."""
        self._exit.close()

    def __enter__(self) -> Refresh:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
