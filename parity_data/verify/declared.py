"""Declared differences in use: what each covers, and which have run out, are not needed, or do not reach."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

from parity_data.verify.result import CheckResult, Difference, Status

CHECK = "declared_differences"

#: Checks of which a warning is a difference, too: of the rest, it is a doubt about one side.
_DIFFER = ("server_settings", "environment", "feature_flags")


class Declared(Protocol):
    """A difference that is wanted, as the rules say it. written: by a person, in a file of its own."""

    @property
    def scope(self) -> str: ...
    @property
    def what(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def bound(self) -> float | None: ...
    @property
    def owner(self) -> str: ...
    @property
    def ticket(self) -> str | None: ...
    @property
    def expires(self) -> date | None: ...
    @property
    def written(self) -> bool: ...
    @property
    def where(self) -> str: ...


@dataclass(frozen=True)
class Settled:
    """Checks after the declared differences were taken into account.

    checks: in the order in which they came. differences: those that checks found, declared or not. used: the
    largest figure that each entry was asked to cover. declarable: names of checks that entries can speak for.
    """

    checks: tuple[CheckResult, ...]
    differences: tuple[Difference, ...]
    used: Mapping[Declared, float]
    declarable: Collection[str]


def explained(difference: Difference, entry: Declared | None) -> Difference:
    """The difference with what its entry says, unchanged when nobody declared it."""
    if entry is None:
        return difference
    return replace(
        difference,
        declared=entry.reason,
        owner=entry.owner or None,
        ticket=entry.ticket,
        expires=entry.expires.isoformat() if entry.expires else None,
    )


def settle(
    checks: Iterable[CheckResult], declared: Sequence[Declared], declarable: Collection[str]
) -> Settled:
    """Let entries speak for the findings of checks: what is within an entry's bound passes, as declared.

    declarable: names of checks whose findings can be declared at all.
    """
    settled: list[CheckResult] = []
    differences: list[Difference] = []
    used: dict[Declared, float] = {}
    for check in checks:
        if check.status == "pass" or check.name not in declarable:
            settled.append(check)
            continue
        figure = float(check.value) if isinstance(check.value, int | float) else None
        difference = Difference(check.scope, check.message, key=check.name, value=figure)
        entry = next((e for e in declared if _speaks_for(e, check)), None)
        if entry is None:
            settled.append(check)
            if check.status == "fail" or check.name in _DIFFER:
                differences.append(difference)
            continue
        used[entry] = max(used.get(entry, 0.0), figure or 0.0)
        if entry.bound is not None and (figure is None or figure > entry.bound):
            beyond = f"{check.message} Declared up to {entry.bound:g} only ({entry.where})."
            settled.append(replace(check, message=beyond))
            differences.append(replace(difference, what=beyond))
            continue
        settled.append(replace(check, status="pass", declared=entry.reason))
        differences.append(explained(difference, entry))
    return Settled(tuple(settled), tuple(differences), used, declarable)


def _speaks_for(entry: Declared, check: CheckResult) -> bool:
    """Whether an entry is about this check: by name, on its scope or on something above it."""
    places = {"database", check.scope, check.scope.rpartition(".")[0], check.scope.split(".")[0]}
    return entry.what.strip().casefold() == check.name and entry.scope in places


def check_declared(
    declared: Sequence[Declared],
    objects: Mapping[Declared, int],
    settled: Settled,
    *,
    today: date,
    undeclared: Iterable[Difference] = (),
) -> Iterator[CheckResult]:
    """'declared_differences' for each entry that a person wrote: value what it covers, bound its own.

    objects: differences of the catalogs by entry. today: a day in UTC. undeclared: differences that nobody
    declared, among which a misspelt entry looks for what it may mean. Fails for an entry that covers more
    objects than it says, warns for one that has expired or covers nothing.
    """
    missed = [*undeclared, *(d for d in settled.differences if d.declared is None)]
    for entry in declared:
        if entry.written:
            yield _check(entry, objects.get(entry, 0), settled, missed, today)


def _check(
    entry: Declared,
    objects: int,
    settled: Settled,
    undeclared: Sequence[Difference],
    today: date,
) -> CheckResult:
    scope, what = entry.scope, entry.what.strip()
    figure = settled.used.get(entry)
    value = float(objects) if figure is None else figure
    bound = entry.bound
    status: Status = "pass"
    if figure is None and not objects:
        if _unseen(entry, settled):
            message = f"{what!r} was not checked in this run, so nothing is said about the entry"
            return CheckResult(CHECK, scope, "pass", None, bound or 0, f"{message} ({entry.where}).")
        hint = _meant(entry, undeclared)
        said = f"{what!r} covers nothing: {hint or 'nothing differs there; take it out'}"
        status, value = "warn", 0.0
    elif figure is None and bound is not None and objects > bound:
        said = f"{what!r} covers {objects} differences, and is declared for {bound:g}"
        status = "fail"
    else:
        said = f"{what!r}: {entry.reason.strip().rstrip('.')}"
    if entry.expires is not None and entry.expires < today and status == "pass":
        said = f"{what!r} has expired on {entry.expires.isoformat()}: does the reason still hold?"
        status = "warn"
    until = f", until {entry.expires.isoformat()}" if entry.expires and status == "pass" else ""
    by = f"{entry.owner}{f', {entry.ticket}' if entry.ticket else ''}{until}"
    ending = "" if said.endswith("?") else "."
    return CheckResult(CHECK, scope, status, value, bound, f"{said}{ending} {by} ({entry.where}).")


def _unseen(entry: Declared, settled: Settled) -> bool:
    """Whether the entry is about a check that measured nothing in this run."""
    named = [check for check in settled.checks if check.name == entry.what.strip().casefold()]
    own = [check for check in named if _speaks_for(entry, check)]
    asked = entry.what.strip().casefold() in settled.declarable
    return asked and (not named or (bool(own) and all(check.value is None for check in own)))


def _meant(entry: Declared, undeclared: Sequence[Difference]) -> str | None:
    """What a misspelt entry may mean, as a sentence."""
    near = difflib.get_close_matches(
        f"{entry.scope} {entry.what}", [f"{d.scope} {d.key}" for d in undeclared if d.key], n=1, cutoff=0.8
    )
    found = next((d for d in undeclared if near and f"{d.scope} {d.key}" == near[0]), None)
    return f"did you mean {found.key!r} of {found.scope}?" if found else None
