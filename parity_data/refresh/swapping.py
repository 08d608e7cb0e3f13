"""From a built release to one that serves, as the policy wants it: sessions, hooks, swap, what is kept."""

from __future__ import annotations

import logging

from parity_data.database import Database
from parity_data.refresh.in_place import promote_in_place, roll_back_in_place
from parity_data.refresh.scratch import scratch
from parity_data.release import Ledger, find_client_tools, names, promote, recover, rollback
from parity_data.release.belongings import add_belongings
from parity_data.release.hooks import run_hooks
from parity_data.release.sessions import open_sessions, wait_until
from parity_data.rules import Policy, load_policy
from parity_data.settings import Settings

_LOG = logging.getLogger("parity_data")


def policy_of(settings: Settings) -> Policy:
    """The policy in the rules folder, or the usual one where there is no such folder."""
    return load_policy(settings.rules) if settings.rules.is_dir() else Policy()


def open_ledger(settings: Settings, policy: Policy | None = None, *, create: bool = True) -> Ledger:
    """The ledger of the target: beside staging, or in it, as the policy's release method asks for."""
    policy = policy_of(settings) if policy is None else policy
    return Ledger(
        settings.need_target(),
        maintenance=settings.maintenance_database,
        create=create,
        inside=policy.release.in_place,
    )


def swap_in(
    settings: Settings,
    ledger: Ledger,
    release: str,
    policy: Policy,
    *,
    log: logging.Logger = _LOG,
    asked: bool = False,
) -> str:
    """Put a verified release in place; what staging is afterwards, in words.

    asked: a person has said that it may happen now, so sessions are neither waited for nor asked about.
    Raises TargetError.
    """
    if ledger.inside:
        return promote_in_place(ledger, release, policy, log)
    wanted = policy.release
    grace = wanted.grace_seconds
    if wanted.sessions == "ask" and not asked and (there := open_sessions(ledger).total):
        return _leave(ledger, release, f"{there} session(s) are open on staging")
    if wanted.sessions == "wait" and not asked:
        if open_sessions(ledger).busy:
            log.info("Waiting up to %g s until nobody works on staging.", wanted.wait_seconds)
        if not wait_until(lambda: not open_sessions(ledger).busy, wanted.wait_seconds):
            return _leave(ledger, release, f"staging was busy for {wanted.wait_seconds:g} s")
        grace = 0
    building = ledger.server.with_name(names.next_name(ledger.target, release))
    if policy.staging:
        _add_belongings(settings, ledger, building, policy, release)
    run_hooks("before_swap", wanted.before_swap, building, policy.folder, release=release)
    promote(
        ledger,
        release,
        keep_previous=wanted.keep_previous,
        keep_gib=wanted.keep_gib,
        grace_seconds=grace,
    )
    run_hooks("after_swap", wanted.after_swap, ledger.server, policy.folder, release=release)
    return "released: staging serves it now"


def roll_back(settings: Settings, release: str | None) -> str:
    """Put an earlier release back in place; the id of the one that serves. Raises TargetError."""
    policy = policy_of(settings)
    with open_ledger(settings, policy) as ledger:
        ledger.lock()
        recover(ledger)
        if ledger.inside:
            roll_back_in_place(ledger, release, policy)
        else:
            rollback(ledger, release, grace_seconds=policy.release.grace_seconds)
        current = next(r.id for r in ledger.releases() if r.state == "current")
        run_hooks("after_swap", policy.release.after_swap, ledger.server, policy.folder, release=current)
    return current


def _add_belongings(
    settings: Settings, ledger: Ledger, building: Database, policy: Policy, release: str
) -> None:
    """What belongs to staging, as it is at this moment, into the release that comes next."""
    tools = find_client_tools(ledger.connection.info.server_version // 10000, settings.client_tools)
    current = ledger.server if ledger.target in ledger.databases() else None
    with scratch(settings.work, release) as folder:
        add_belongings(policy.staging, current, building, tools, folder)


def _leave(ledger: Ledger, release: str, why: str) -> str:
    ledger.set_state(release, "ready", "pass")
    return f"ready, not swapped in: {why}; 'parity promote {release}' does it"
