"""Sign-off: approvals gate promotion, end with any change of what they cover, and tampering shows."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from psycopg import sql
from report.report_samples import healthy

from parity_data.catalog.fingerprint import read_fingerprint
from parity_data.demo.server import Server
from parity_data.errors import CheckFailed, ConfigError, ParityError
from parity_data.refresh.review import promote_release, release_standing, review_release
from parity_data.release import Ledger, ReleaseRecord, names
from parity_data.release.reviews import public_key, read_reviews
from parity_data.report import write_report
from parity_data.rules import Policy, Release, load_policy, save_policy
from parity_data.secret import Secret
from parity_data.settings import Settings

SIGNING = Secret("1f" * 32)


class Place:
    """A staging database on a real server, rules that ask for a review, and releases built by hand."""

    def __init__(self, server: Server, folder: Path, name: str, release: Release) -> None:
        self.server = server
        self.settings = Settings(
            source=None,
            target=server.url(name),
            masking_key=None,
            rules=folder / "rules",
            work=folder / "work",
            signing_key=None,
        )
        save_policy(Policy(release=replace(release, grace_seconds=0)), self.settings.rules)

    def build(self) -> str:
        """A release that is ready and has a report that passed."""
        release = secrets.token_hex(4)
        with self.ledger() as ledger:
            name = names.next_name(ledger.target, release)
            ledger.start(ReleaseRecord(release, "building"))
            ledger.connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
            )
            ledger.set_state(release, "ready", "pass")
            with self.server.url(name).connect(autocommit=True) as connection:
                fingerprint = read_fingerprint(connection).digest
        report = replace(
            healthy(),
            release=release,
            rules_digest=load_policy(self.settings.rules).digest,
            catalog_fingerprint_target=fingerprint,
        )
        write_report(report, self.settings.work / "releases" / release)
        return release

    def ledger(self) -> Ledger:
        return Ledger(self.settings.need_target(), maintenance="postgres")

    def approve(self, release: str, *, signing_key: Secret | None = None) -> None:
        signed = replace(self.settings, signing_key=signing_key)
        review_release(signed, release, "approved", reviewer="anna", comment="read it")

    def reject(self, release: str) -> None:
        review_release(self.settings, release, "rejected", reviewer="anna", comment="too small")

    def state(self, release: str) -> str:
        with self.ledger() as ledger:
            return release_standing(self.settings, ledger, release).state

    def problem(self, release: str) -> str:
        with self.ledger() as ledger:
            return release_standing(self.settings, ledger, release).problem or ""

    def serving(self) -> str | None:
        with self.ledger() as ledger:
            return next((r.id for r in ledger.releases() if r.state == "current"), None)

    def report(self, release: str) -> Path:
        return self.settings.work / "releases" / release / "report.json"

    def forge(self, statement: str) -> None:
        """Change the log as somebody could who owns it."""
        with self.ledger() as ledger:
            ledger.connection.execute("ALTER TABLE parity.review DISABLE TRIGGER only_grows")
            ledger.connection.execute(statement.encode())


@pytest.fixture
def place(target_server: Server, target_db: object, tmp_path: Path) -> Place:
    return Place(target_server, tmp_path, target_db.name, Release(require_review=True))  # type: ignore[attr-defined]


def test_a_release_waits_for_its_approval(place: Place) -> None:
    release = place.build()
    with pytest.raises(CheckFailed, match="nobody has reviewed it"):
        promote_release(place.settings, release)
    place.reject(release)
    with pytest.raises(CheckFailed, match="rejected"):
        promote_release(place.settings, release)
    place.approve(release)
    promote_release(place.settings, release)
    assert place.serving() == release
    page = place.report(release).with_name("report.html").read_text()
    assert "too small" in page
    assert page.index("rejected") < page.index("approved")


def _edit_report(place: Place, release: str) -> None:
    path = place.report(release)
    path.write_text(path.read_text().replace('"fraction"', '"fraction "', 1))


def _edit_rules(place: Place, release: str) -> None:
    path = place.settings.rules / "policy.yaml"
    path.write_text(path.read_text().replace("fraction: 1.0", "fraction: 0.5"))


def _edit_database(place: Place, release: str) -> None:
    name = names.next_name(place.settings.need_target().name or "", release)
    with place.server.url(name).connect(autocommit=True) as connection:
        connection.execute("CREATE TABLE public.slipped_in (id int)")


def _edit_comment(place: Place, release: str) -> None:
    place.forge("UPDATE parity.review SET comment = 'fine'")


def _turn_a_rejection(place: Place, release: str) -> None:
    place.reject(release)
    place.forge("UPDATE parity.review SET decision = 'approved' WHERE number = 2")


def _drop_the_first(place: Place, release: str) -> None:
    place.reject(release)
    place.approve(release)
    place.forge("DELETE FROM parity.review WHERE number = 1")


def _cut_the_end(place: Place, release: str) -> None:
    place.reject(release)
    place.forge("DELETE FROM parity.review WHERE number = (SELECT max(number) FROM parity.review)")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (_edit_report, "report"),
        (_edit_rules, "rules"),
        (_edit_database, "catalog"),
        (_edit_comment, "entry 1 was changed"),
        (_turn_a_rejection, "entry 2 was changed"),
        (_drop_the_first, "entry 1 is missing"),
        (_cut_the_end, "is not in it"),
    ],
)
def test_an_approval_is_void_when_anything_it_covers_changes(
    place: Place, change: Callable[[Place, str], None], word: str
) -> None:
    release = place.build()
    place.approve(release)
    assert place.state(release) == "approved"
    change(place, release)
    # An unreadable report is refused, everything else makes the approval void.
    with pytest.raises((CheckFailed, ConfigError)):
        promote_release(place.settings, release)
    if change is not _edit_report:
        assert word in place.problem(release)
    assert place.serving() is None


def test_the_log_only_grows(place: Place) -> None:
    place.approve(place.build())
    with place.ledger() as ledger, pytest.raises(Exception, match="only grows"):
        ledger.connection.execute("DELETE FROM parity.review")
    with place.ledger() as ledger:
        assert len(read_reviews(ledger)) == 1


def test_a_policy_with_reviewers_wants_their_signature(
    target_server: Server, target_db: object, tmp_path: Path
) -> None:
    reviewers = {"anna": public_key(SIGNING)}
    place = Place(
        target_server,
        tmp_path,
        target_db.name,  # type: ignore[attr-defined]
        Release(require_review=True, reviewers=reviewers),
    )
    release = place.build()
    place.approve(release)
    assert "not signed" in place.problem(release)
    place.approve(release, signing_key=Secret("2e" * 32))
    assert "not signed" in place.problem(release)
    place.approve(release, signing_key=SIGNING)
    promote_release(place.settings, release)
    assert place.serving() == release


def test_a_release_that_failed_cannot_be_approved(place: Place) -> None:
    release = place.build()
    path = place.report(release)
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "verdict": "fail"}))
    with pytest.raises(ConfigError, match="cannot be approved"):
        place.approve(release)


class SignOff(RuleBasedStateMachine):
    """Whatever happens in whatever order, what serves was approved as it is, or served before."""

    place: Place

    @initialize()
    def begin(self) -> None:
        self.release = self.place.build()
        self.approved = False
        self.served = self.place.serving()

    @rule(yes=st.booleans())
    def decide(self, yes: bool) -> None:
        try:
            self.place.approve(self.release) if yes else self.place.reject(self.release)
        except ParityError:
            return
        self.approved = yes

    @rule(change=st.sampled_from([_edit_comment, _edit_database]))
    def tamper(self, change: Callable[[Place, str], None]) -> None:
        with self.place.ledger() as ledger:
            own = [r for r in read_reviews(ledger) if r.release == self.release]
        if own and self.place.serving() != self.release:
            change(self.place, self.release) if change is _edit_comment else self._touch()
            self.approved = False

    def _touch(self) -> None:
        name = names.next_name(self.place.settings.need_target().name or "", self.release)
        with self.place.server.url(name).connect(autocommit=True) as connection:
            connection.execute(f"CREATE TABLE public.t{secrets.token_hex(4)} ()".encode())

    @rule()
    def promote(self) -> None:
        if self.place.serving() == self.release:
            return
        try:
            promote_release(self.place.settings, self.release)
        except ParityError:
            assert not self.approved
            return
        assert self.approved
        self.served = self.release

    @invariant()
    def serves_what_was_promoted(self) -> None:
        assert self.place.serving() == self.served


@pytest.mark.slow
def test_any_order_of_decisions_and_tampering(target_server: Server, tmp_path: Path) -> None:
    with target_server.url("postgres").connect(autocommit=True) as admin:

        class Machine(SignOff):
            def __init__(self) -> None:
                super().__init__()
                name = f"signoff_{secrets.token_hex(4)}"
                folder = tmp_path / name
                self.place = Place(target_server, folder, name, Release(require_review=True))

            def teardown(self) -> None:
                name = self.place.settings.need_target().name
                rows = admin.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [name])
                for (database,) in rows.fetchall():
                    drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database))
                    admin.execute(drop)

        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=20,
                stateful_step_count=8,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
