"""Put a release in place, or an earlier one back, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import psycopg
from psycopg import sql

from parity_data.errors import TargetError
from parity_data.release import names
from parity_data.release.ledger import Ledger
from parity_data.release.leftovers import (
    database_of,
    drop_leftovers,
    previous_releases,
    retire_by_size,
)
from parity_data.release.sessions import Usher, tell

Renames = list[tuple[str, str]]


def promote(
    ledger: Ledger,
    release: str,
    *,
    keep_previous: int = 1,
    keep_gib: float | None = None,
    grace_seconds: float = 0,
) -> None:
    """Swap a built and verified release in; what served until now becomes the previous one.

    keep_previous, keep_gib: how many earlier releases stay, and how much room they may take together.
    Raises TargetError, with everything as before, when the release is not there, did not pass, or a session
    cannot be ended.
    """
    target, there = ledger.target, ledger.databases()
    building = names.next_name(target, release)
    _require_built(ledger, release, building in there)
    renames, retired = _make_room(ledger, there, keep_previous)

    def record() -> None:
        for old in retired:
            ledger.set_state(old, "retired")
        if target in there:
            ledger.move("current", "previous" if keep_previous else "retired")
        ledger.set_state(release, "current")

    _rename(ledger, [*renames, (building, target)], record, grace_seconds)
    if keep_gib is not None:
        retire_by_size(ledger, keep_gib)
    drop_leftovers(ledger)


def rollback(ledger: Ledger, release: str | None = None, *, grace_seconds: float = 0) -> None:
    """Exchange the current release and an earlier one, by default the last. A second call exchanges back.

    Raises TargetError when there is no such one.
    """
    target, there = ledger.target, ledger.databases()
    earlier = previous_releases(ledger)
    chosen = next((r for r in earlier if release in (None, r.id)), None)
    if chosen is None or database_of(ledger, chosen, there) not in there:
        raise TargetError(
            "There is no previous release to go back to."
            if release is None
            else "This release is not kept, so there is no going back to it.",
            where=release or ledger.server.display,
            todo="'parity releases' lists those in state 'previous'.",
        )
    back, previous = database_of(ledger, chosen, there), names.previous_name(target)
    aside = names.retired_name(target, "swap")
    renames: Renames = [(target, aside)] if target in there else []
    if back != previous and previous in there:
        renames.append((previous, names.kept_name(target, _of_database(ledger, previous, there))))
    renames.append((back, target))
    if target in there:
        renames.append((aside, previous))

    def record() -> None:
        ledger.move("current", "previous")
        ledger.set_state(chosen.id, "current")

    _rename(ledger, renames, record, grace_seconds)


def _require_built(ledger: Ledger, release: str, there: bool) -> None:
    """Refuse a release that is not whole, whatever databases there are."""
    record = next((r for r in ledger.releases() if r.id == release), None)
    whole = record is not None and (
        record.state == "ready" or (record.state == "building" and record.verdict == "pass")
    )
    if not there or not whole:
        raise TargetError(
            "There is no release of this name that is ready to be promoted.",
            where=release,
            todo="'parity releases' lists them with their state.",
        )


def _make_room(ledger: Ledger, there: set[str], keep_previous: int) -> tuple[Renames, list[str]]:
    """Renames that free staging's name, and the ids of releases that are not kept any longer."""
    target = ledger.target
    if target not in there:
        return [], []
    ledger.adopt()
    previous, earlier = names.previous_name(target), previous_releases(ledger)
    retired = [r.id for r in earlier[max(keep_previous - 1, 0) :]]
    renames: Renames = []
    if previous in there:
        last = _of_database(ledger, previous, there)
        make = names.retired_name if last in retired or not keep_previous else names.kept_name
        renames.append((previous, make(target, last)))
    current = next(r.id for r in ledger.releases() if r.state == "current")
    renames.append((target, previous if keep_previous else names.retired_name(target, current)))
    return renames, retired


def _of_database(ledger: Ledger, name: str, there: set[str]) -> str:
    """Id of the previous release in a database; a name of its own for one the ledger does not know."""
    found = (r.id for r in previous_releases(ledger) if database_of(ledger, r, there) == name)
    return next(found, "unknown")


def _rename(
    ledger: Ledger, renames: Sequence[tuple[str, str]], record: Callable[[], None], grace_seconds: float
) -> None:
    """Rename in order and record, in one transaction, while a second session ends who is in the way."""
    tell(ledger, grace_seconds)
    involved = [old for old, _ in renames]
    with Usher(ledger, involved) as usher:
        try:
            with ledger.connection.transaction():
                for old, new in renames:
                    ledger.connection.execute(
                        sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                            sql.Identifier(old), sql.Identifier(new)
                        )
                    )
                record()
        except psycopg.errors.ObjectInUse:
            raise TargetError(
                "Sessions on the staging database could not be ended"
                + (f" ({usher.refused} belong to roles we may not end)." if usher.refused else "."),
                where=ledger.server.display,
                todo="GRANT pg_signal_backend to the target role, or end them by hand; "
                "then run the refresh again, or 'parity promote' a release that is ready.",
            ) from None
        except psycopg.errors.InsufficientPrivilege:
            raise TargetError(
                "The target role may not rename the staging database.",
                where=ledger.server.display,
                todo="It must own it and have CREATEDB.",
            ) from None
