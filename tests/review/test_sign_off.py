"""Sign-off: approvals gate promotion, end with any change of what they cover, and tampering shows."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fix_command_line import CommandLine
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from psycopg import sql
from report.report_samples import healthy

from parity_data.catalog.fingerprint import read_fingerprint
from parity_data.demo.server import Server
from parity_data.errors import CheckFailed, ConfigError, ParityError
from parity_data.refresh.nights import keep_night, this_night
from parity_data.refresh.review import promote_release, release_standing, review_release, standings
from parity_data.release import Ledger, ReleaseRecord, names
from parity_data.release.reviews import Review, public_key, read_reviews
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

    def build(self, **said: Any) -> str:
        """A release that is ready and has a report that passed. said: what its report says otherwise."""
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
            **said,
        )
        paths = write_report(report, self.settings.work / "releases" / release)
        with self.ledger() as ledger:
            keep_night(ledger, this_night(report, 3, 4096), report=paths.sha256)
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

    def restore(self, entries: list[Review]) -> None:
        """Put the log back as a backup has it."""
        with self.ledger() as ledger, ledger.connection.transaction():
            ledger.connection.execute("DELETE FROM parity.review")
            for entry in entries:
                values = {**entry.as_dict(), "covers": json.dumps(dict(entry.covers))}
                columns = sql.SQL(", ").join(map(sql.Identifier, values))
                places = sql.SQL(", ").join(map(sql.Placeholder, values))
                ledger.connection.execute(
                    sql.SQL("INSERT INTO parity.review ({}) VALUES ({})").format(columns, places), values
                )

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
    signature = page[page.index('<footer id="signature"') :]
    assert signature.index("rejected") < signature.index("approved")


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
    release = place.build(verdict="fail")
    with pytest.raises(ConfigError, match="cannot be approved"):
        place.approve(release)


def test_a_report_cannot_be_improved_before_it_is_read(place: Place) -> None:
    release = place.build()
    path = place.report(release)
    document = json.loads(path.read_text())
    document["checks"] = []
    path.write_text(json.dumps(document))
    with pytest.raises(ConfigError, match="changed since its refresh wrote it"):
        place.approve(release)
    assert place.state(release) == "none"


def test_the_list_of_releases_says_where_each_stands(
    place: Place, command_line: Callable[[Settings], CommandLine], masking_key: Secret
) -> None:
    void, fine, fresh = place.build(), place.build(), place.build()
    place.approve(void)
    place.approve(fine)
    database = names.next_name(place.settings.need_target().name or "", void)
    with place.server.url(database).connect(autocommit=True) as connection:
        connection.execute("CREATE TABLE public.slipped_in (id int)")
    known = replace(place.settings, source=place.settings.target, masking_key=masking_key)
    said = command_line(known).run("releases", "--json")
    found = {one["id"]: one for one in json.loads(said.stdout)}
    assert {release: found[release]["review"] for release in (void, fine, fresh)} == {
        void: "void",
        fine: "approved",
        fresh: None,
    }
    assert "catalog" in found[void]["review_problem"]
    assert found[fine]["details"]["night"]["bytes"] == 4096
    listed = command_line(known).run("releases")
    assert "4.1" in listed.stdout
    assert f"{void}: its approval is void" in listed.stderr
    place.forge("UPDATE parity.review SET comment = 'fine' WHERE number = 1")
    with place.ledger() as ledger:
        assert {s.state for s in standings(place.settings, ledger).values()} == {"void"}


class SignOff(RuleBasedStateMachine):
    """Whatever happens in whatever order, a release comes to serve only by an approval of it as it is.

    The model knows what a decision covered (rules, report, database, each by a number that rises with every
    change) and whether anybody touched the log.
    """

    place: Place

    @initialize()
    def begin(self) -> None:
        self.releases = [self.place.build(), self.place.build()]
        self.fraction = 1.0
        self.touched: dict[str, bool] = dict.fromkeys(self.releases, False)
        self.rewritten: dict[str, bool] = dict.fromkeys(self.releases, False)
        self.decided: dict[str, bool] = {}
        self.broken = False
        self.served: str | None = None

    def _approved(self, release: str) -> bool:
        whole = not (self.touched[release] or self.rewritten[release] or self.broken)
        return self.decided.get(release, False) and whole and self.fraction == 1.0

    @rule(which=st.integers(0, 1), yes=st.booleans())
    def decide(self, which: int, yes: bool) -> None:
        release = self.releases[which]
        unchanged = self.fraction == 1.0 and not self.touched[release]
        possible = not self.broken and not self.rewritten[release] and (unchanged or not yes)
        try:
            self.place.approve(release) if yes else self.place.reject(release)
        except ParityError:
            assert not possible
            return
        assert possible
        self.decided[release] = yes

    @rule(which=st.integers(0, 1))
    def change_the_database(self, which: int) -> None:
        release = self.releases[which]
        if self.served != release:
            name = names.next_name(self.place.settings.need_target().name or "", release)
            with self.place.server.url(name).connect(autocommit=True) as connection:
                connection.execute(f"CREATE TABLE public.t{secrets.token_hex(4)} ()".encode())
            self.touched[release] = True

    @rule(which=st.integers(0, 1))
    def change_the_report(self, which: int) -> None:
        path = self.place.report(self.releases[which])
        path.write_text(path.read_text().replace('"seconds": 4', '"seconds": 1', 1) + "\n")
        self.rewritten[self.releases[which]] = True

    @rule(fraction=st.sampled_from([1.0, 0.5]))
    def change_the_rules(self, fraction: float) -> None:
        path = self.place.settings.rules / "policy.yaml"
        path.write_text(path.read_text().replace(f"fraction: {self.fraction}", f"fraction: {fraction}"))
        self.fraction = fraction

    @rule(
        how=st.sampled_from(
            [
                "UPDATE parity.review SET comment = comment || '.'",
                "UPDATE parity.review SET reviewer = 'ben'",
                "UPDATE parity.review SET decision = 'approved' WHERE decision = 'rejected'",
                "DELETE FROM parity.review",
                "DELETE FROM parity.review WHERE number = (SELECT max(number) FROM parity.review)",
            ]
        )
    )
    def change_the_log(self, how: str) -> None:
        """Whatever it does, it must not help. What is cut off the end shows by the copies only."""
        if not self.decided or self.broken:
            return
        with self.place.ledger() as ledger:
            before = read_reviews(ledger)
        self.place.forge(how)
        with self.place.ledger() as ledger:
            after = read_reviews(ledger)
        if after == before:
            return
        self.broken = True
        for release in self.decided:
            if release != self.served:
                assert self.place.state(release) != "approved" or any(
                    entry in after for entry in before if entry.release == release
                )
        # The log stays as it is from here on: whoever finds it so, restores it from a backup.
        self.place.restore(before)
        self.broken = False

    @rule(which=st.integers(0, 1))
    def promote(self, which: int) -> None:
        release = self.releases[which]
        if self.served is not None:
            return
        try:
            promote_release(self.place.settings, release)
        except ParityError:
            assert not self._approved(release)
            return
        assert self._approved(release)
        self.served = release

    @invariant()
    def serves_what_was_promoted(self) -> None:
        if hasattr(self, "releases"):
            assert self.place.serving() == self.served

    @invariant()
    def says_where_each_stands(self) -> None:
        for release in self.decided if hasattr(self, "decided") else ():
            if release != self.served and not self.rewritten[release]:
                assert (self.place.state(release) == "approved") == self._approved(release)


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
