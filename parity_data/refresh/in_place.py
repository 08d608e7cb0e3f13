"""The last steps of a release in staging's own database, and the way back, each one transaction."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg

from parity_data.catalog import Name
from parity_data.errors import ConfigError, TargetError
from parity_data.release import Ledger
from parity_data.release.belongings import SavedRows, add_belongings_in_place, save_rows
from parity_data.release.hooks import run_hooks, run_hooks_here
from parity_data.release.ledger import ReleaseRecord
from parity_data.release.leftovers import previous_releases, retire_by_size
from parity_data.release.schemas import (
    away,
    drop_left_schemas,
    put_in_place,
    schemas_of,
    speak_for,
)
from parity_data.release.sessions import notify, open_sessions, wait_until
from parity_data.release.standstill import hold_still
from parity_data.rules import Policy
from parity_data.rules.lifecycle import Release


def require_in_place(policy: Policy, schemas: Sequence[str], *, asked: str) -> None:
    """Raise ConfigError for what the policy wants and a release in staging's own database cannot have.

    schemas: of production. asked: the mode of the refresh.
    """
    method = policy.release.method
    problems = {
        "objects: {large_objects: ...}": policy.objects.large_objects != "exclude"
        and "large objects belong to the database, so they can only be excluded",
        "release: {before_swap: ...}": any(hook.sql is None for hook in policy.release.before_swap)
        and "a command cannot see a release before it is committed; use SQL, or after_swap",
        "staging: {tables: ...}": any(table.schema in schemas for table in policy.staging.tables)
        and "staging's own tables need a schema that production does not have; there they stay",
    }
    if method == "truncate":
        held = "the rows are replaced where they are, so no release can wait"
        problems["release: {require_review: true}"] = policy.release.require_review and held
        problems["--mode hold"] = asked == "hold" and held
    for where, why in problems.items():
        if why:
            raise ConfigError(
                f"Method '{method}' does not go with this: {why}.",
                where=where,
                todo="Change it, or use release: {method: database}.",
            )


def why_not_now(ledger: Ledger, wanted: Release, log: logging.Logger) -> str | None:
    """Why the policy has a release wait at this moment, None where it may be swapped in."""
    if wanted.sessions == "ask" and (there := open_sessions(ledger).total):
        return f"{there} session(s) are open on staging"
    if wanted.sessions == "wait":
        if open_sessions(ledger).busy:
            log.info("Waiting up to %g s until nobody works on staging.", wanted.wait_seconds)
        if not wait_until(lambda: not open_sessions(ledger).busy, wanted.wait_seconds):
            return f"staging was busy for {wanted.wait_seconds:g} s"
    return None


def left_ready(release: str, why: str) -> str:
    """What staging is when a release was built and must wait."""
    return f"ready, not swapped in: {why}; 'parity promote {release}' does it"


def finish_in_place(
    connection: psycopg.Connection[Any],
    ledger: Ledger,
    release: str,
    policy: Policy,
    replaced: Mapping[str, str],
    *,
    end: bool,
    log: logging.Logger,
    saved: Sequence[SavedRows] | None = None,
) -> None:
    """Hold staging still, add what is its own, run the hooks, record and commit; then what comes after.

    connection: in the transaction in which the release has its final names. replaced: the names that schemas
    of the old release have by now, by those they had. saved: staging's own rows, where they were read before.
    Raises Busy where nobody may be ended, TargetError; closing the connection then undoes everything.
    """
    wanted = policy.release
    notify(ledger, "a new release comes now")
    seconds = wanted.wait_seconds if wanted.sessions == "wait" and not end else wanted.grace_seconds
    hold_still(connection, ledger, list(replaced.values()), seconds=seconds, end=end)
    # What people wrote expects the names that sessions on staging have.
    path = ledger.connection.execute("SHOW search_path").fetchone()
    connection.execute("SELECT set_config('search_path', %s, true)", path)
    if policy.staging:
        if saved is None:
            saved = save_rows(
                policy.staging, connection, lambda t: Name(replaced.get(t.schema, t.schema), t.name)
            )
        add_belongings_in_place(policy.staging, saved, connection)
    run_hooks_here("before_swap", wanted.before_swap, connection, policy.folder)
    _record(speak_for(ledger, connection), release, wanted, keeps=bool(replaced))
    connection.execute("COMMIT")
    run_hooks("after_swap", wanted.after_swap, ledger.server, policy.folder, release=release)
    if wanted.keep_gib is not None:
        retire_by_size(ledger, wanted.keep_gib)
    drop_left_schemas(ledger, log.warning)


def _record(ledger: Ledger, release: str, wanted: Release, *, keeps: bool) -> None:
    """Write down that a release serves. keeps: whether there is something left of the one before."""
    keep = wanted.keep_previous if keeps else 0
    for old in previous_releases(ledger)[
        max(wanted.keep_previous - 1, 0) if keeps else wanted.keep_previous :
    ]:
        ledger.set_state(old.id, "retired")
    ledger.move("current", "previous" if keep else "retired")
    ledger.set_state(release, "current", "pass")


def promote_in_place(ledger: Ledger, release: str, policy: Policy, log: logging.Logger) -> str:
    """Swap in a release that is ready, in one transaction; what staging is afterwards. Raises TargetError."""
    record = next((r for r in ledger.releases() if r.id == release and r.state == "ready"), None)
    if record is None:
        raise TargetError(
            "There is no release of this name that is ready to be promoted.",
            where=release,
            todo="'parity releases' lists them with their state.",
        )
    with ledger.server.connect(role="target", autocommit=True) as connection:
        connection.execute("BEGIN")
        old = put_in_place(connection, ledger, record)
        replaced = dict(away(schemas_of(old), old.id)) if old else {}
        finish_in_place(connection, ledger, release, policy, replaced, end=True, log=log)
    return "released: staging serves it now"


def roll_back_in_place(ledger: Ledger, release: str | None, policy: Policy) -> None:
    """Exchange the schemas of the current release and an earlier one's. Raises TargetError."""
    chosen: ReleaseRecord | None = next(
        (r for r in previous_releases(ledger) if release in (None, r.id)), None
    )
    if chosen is None:
        raise TargetError(
            "There is no previous release to go back to."
            if release is None
            else "This release is not kept, so there is no going back to it.",
            where=release or ledger.server.display,
            todo="'parity releases' lists those in state 'previous'; method 'truncate' keeps none.",
        )
    with ledger.server.connect(role="target", autocommit=True) as connection:
        connection.execute("BEGIN")
        old = put_in_place(connection, ledger, chosen)
        notify(ledger, "an earlier release comes back now")
        replaced = [new for _, new in away(schemas_of(old), old.id)] if old else []
        hold_still(connection, ledger, replaced, seconds=policy.release.grace_seconds)
        within = speak_for(ledger, connection)
        within.move("current", "previous")
        within.set_state(chosen.id, "current")
        connection.execute("COMMIT")
