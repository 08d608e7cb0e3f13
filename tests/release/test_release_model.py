"""Any sequence of refreshes, promotes, rollbacks and kills leaves what a simple model of releases says."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from fix_release import FaultRunner, Staging, set_policy
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

from parity_data.errors import ParityError, TargetError
from parity_data.refresh.review import promote_release
from parity_data.refresh.swapping import roll_back
from parity_data.release.names import kept_name, next_name, previous_name

pytestmark = pytest.mark.slow

SEQUENCES, STEPS = 20, 6
KEEP_PREVIOUS = 2

#: Points at which a refresh is killed, and whether staging serves the new release by then.
KILLS = {
    "in the middle chunk": False,
    "in post-data": False,
    "before the swap": False,
    "within the swap": False,
    "after the swap": True,
    "in the clean-up": True,
}


@dataclass
class Model:
    """What the ledger should say: ids of releases, and the edition that each of them holds."""

    current: str
    editions: dict[str, int]
    previous: list[str] = field(default_factory=list)
    ready: list[str] = field(default_factory=list)

    def serve(self, release: str) -> None:
        """A release takes the place of the current one, which is the first to go back to from now on."""
        self.previous = [self.current, *(r for r in self.previous if r != release)][:KEEP_PREVIOUS]
        self.ready = [r for r in self.ready if r != release]
        self.current = release


class Releases(RuleBasedStateMachine):
    """One staging through a sequence of operations. staging, faults: set by the test."""

    staging: Staging
    faults: FaultRunner
    model: Model
    clean: bool

    @initialize()
    def begin(self) -> None:
        self._drop_everything()
        edition = self.staging.next_edition()
        first = self.staging.refresh()
        self.model = Model(first, {first: edition})
        self.clean = True

    def _drop_everything(self) -> None:
        name = self.staging.target.name
        with self.staging.target.with_name("postgres").connect(autocommit=True) as admin:
            for suffix in self.staging.databases():
                admin.execute(f'DROP DATABASE "{name}{suffix}" WITH (FORCE)'.encode())

    @rule(hold=st.booleans())
    def refresh(self, hold: bool) -> None:
        edition = self.staging.next_edition()
        release = self.staging.refresh(mode="hold" if hold else "release")
        self.model.editions[release] = edition
        if hold:
            self.model.ready.append(release)
        else:
            self.model.serve(release)
        self.clean = True

    @rule(point=st.sampled_from(sorted(KILLS)))
    def killed(self, point: str) -> None:
        edition = self.staging.next_edition()
        known = {r.id for r in self._records()}
        outcome = self.faults.run(self.staging.settings, point=point)
        assert outcome.status < 0, outcome.text
        (release,) = {r.id for r in self._records()} - known
        self.model.editions[release] = edition
        if KILLS[point]:
            self.model.serve(release)
        self.clean = False

    @precondition(lambda self: self.model.ready)
    @rule(data=st.data())
    def promote(self, data: st.DataObject) -> None:
        release = data.draw(st.sampled_from(self.model.ready))
        promote_release(self.staging.settings, release)
        self.model.serve(release)
        self.clean = True

    @rule(data=st.data())
    def promote_what_is_not_ready(self, data: st.DataObject) -> None:
        others = sorted(self.model.editions.keys() - set(self.model.ready))
        release = data.draw(st.sampled_from([*others, "deadbeef"]))
        with pytest.raises(ParityError):
            promote_release(self.staging.settings, release)

    @precondition(lambda self: self.model.previous)
    @rule(data=st.data())
    def rollback(self, data: st.DataObject) -> None:
        chosen = data.draw(st.sampled_from([None, *self.model.previous]))
        expected = chosen or self.model.previous[0]
        assert roll_back(self.staging.settings, chosen) == expected
        self.model.serve(expected)
        self.clean = True

    @precondition(lambda self: not self.model.previous)
    @rule()
    def rollback_to_nothing(self) -> None:
        with pytest.raises(TargetError, match="no previous release"):
            roll_back(self.staging.settings, None)

    @rule(data=st.data())
    def rollback_to_what_is_not_kept(self, data: st.DataObject) -> None:
        others = sorted(self.model.editions.keys() - set(self.model.previous))
        with pytest.raises(TargetError, match="not kept"):
            roll_back(self.staging.settings, data.draw(st.sampled_from(others)))

    @invariant()
    def the_ledger_agrees(self) -> None:
        if not hasattr(self, "model"):
            return
        model = self.model
        states: dict[str, list[str]] = {"current": [], "previous": [], "ready": []}
        for record in self._records():
            states.setdefault(record.state, []).append(record.id)
        assert states["current"] == [model.current]
        assert sorted(states["previous"]) == sorted(model.previous)
        assert sorted(states["ready"]) == sorted(model.ready)

    @invariant()
    def the_databases_agree(self) -> None:
        if not hasattr(self, "model"):
            return
        model, target = self.model, str(self.staging.target.name)
        assert self.staging.serves() == model.editions[model.current]
        expected = {next_name(target, r): r for r in model.ready}
        if model.previous:
            expected[previous_name(target)] = model.previous[0]
        expected |= {kept_name(target, r): r for r in model.previous[1:]}
        for database, release in expected.items():
            assert self.staging.serves(database) == model.editions[release]
        if self.clean:
            names = {name.removeprefix(target) for name in expected}
            assert self.staging.databases() == {"", "__releases", *names}

    def _records(self) -> list[Any]:
        with self.staging.ledger() as ledger:
            return ledger.releases()


def test_random_sequences(staging: Staging, faults: FaultRunner) -> None:
    set_policy(staging, "keep_previous: 1", f"keep_previous: {KEEP_PREVIOUS}")

    def machine() -> Releases:
        made = Releases()
        made.staging, made.faults = replace(staging, edition=0), faults
        return made

    run_machine(machine, settings=settings(max_examples=SEQUENCES, stateful_step_count=STEPS, deadline=None))
