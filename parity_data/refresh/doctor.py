"""Whether a refresh could start: settings, servers, privileges, tools, rules, room; and what it would do."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import psycopg

from parity_data.catalog import Catalog, Snapshot, read_catalog
from parity_data.errors import ConfigError, ParityError, SourceError, TargetError
from parity_data.refresh.findings import Finding, Status, size, some
from parity_data.refresh.look_at_source import look_at_source
from parity_data.refresh.look_at_target import look_at_target
from parity_data.refresh.request import share_of
from parity_data.refresh.swapping import open_ledger
from parity_data.release import Ledger, find_client_tools, names
from parity_data.rules import Policy, check_policy, load_policy
from parity_data.settings import Settings

_WORK_BYTES = 200 * 1024**2
_ERRORS: dict[str, type[ParityError]] = {"source": SourceError, "target": TargetError, "here": ConfigError}


def examine(settings: Settings) -> Iterator[Finding]:
    """Findings in the order in which a refresh would meet them; it goes on after a failure where it can."""
    yield from _guarded("masking key", lambda: _key(settings))
    policies: list[Policy] = []
    yield from _guarded("rules", lambda: _rules(settings, policies))
    policy = policies[0] if policies else Policy()
    yield from _guarded("source", lambda: _source(settings, policy))
    yield from _guarded("lock", lambda: _lock(settings, policy))
    yield from _work(settings)


def preflight(
    snapshot: Snapshot,
    ledger: Ledger,
    catalog: Catalog,
    policy: Policy,
    settings: Settings,
    fraction: float,
    tell: Callable[[str], None],
) -> None:
    """The part of the examination that concerns both servers, as a refresh does it before it builds.

    tell: is given a sentence for each warning. Raises the first failure as SourceError or TargetError.
    """
    try:
        # A query that fails must not take the snapshot with it.
        with snapshot.connection.transaction(force_rollback=True):
            for found in (
                *look_at_source(snapshot, policy, settings.connections),
                *look_at_target(
                    ledger.connection,
                    ledger.target,
                    snapshot,
                    catalog,
                    policy,
                    fraction=fraction,
                    connections=settings.connections,
                ),
            ):
                if found.status == "fail":
                    raise _ERRORS[found.side](f"{found.message}.", where=found.name, todo=found.todo)
                if found.status == "warn":
                    tell(f"{found.name}: {found.message}. {found.todo or ''}".rstrip())
    except psycopg.Error as error:
        tell(f"The examination before the refresh could not be finished ({type(error).__name__}).")


def _guarded(name: str, look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except ParityError as error:
        message = f"{error.where}: {error.what}" if error.where else error.what
        yield Finding(name, "fail", message, error.todo)
    except psycopg.Error as error:
        yield Finding(name, "fail", f"a query failed ({type(error).__name__})")


def _key(settings: Settings) -> Iterator[Finding]:
    settings.need_key()
    yield Finding("masking key", "ok", "is set and strong")


def _rules(settings: Settings, policies: list[Policy]) -> Iterator[Finding]:
    policy = load_policy(settings.rules)
    policies.append(policy)
    columns = sum(len(rules) for rules in policy.columns.values())
    yield Finding("rules", "ok", f"{settings.rules}: {columns} columns in {len(policy.columns)} tables")


def _source(settings: Settings, policy: Policy) -> Iterator[Finding]:
    source = settings.need_source()
    with Snapshot(source, application="parity-data doctor") as snapshot:
        yield from look_at_source(snapshot, policy, settings.connections)
        yield from _guarded("client tools", lambda: _tools(settings, snapshot))
        catalog = read_catalog(snapshot, ignore_schemas=policy.ignore_schemas)
        yield from _coverage(settings, policy, catalog)
        yield from _guarded("target", lambda: _target(settings, snapshot, catalog, policy))


def _tools(settings: Settings, snapshot: Snapshot) -> Iterator[Finding]:
    tools = find_client_tools(snapshot.version // 10000, settings.client_tools)
    yield Finding("client tools", "ok", f"pg_dump {tools.major} in {tools.folder}")


def _coverage(settings: Settings, policy: Policy, catalog: Catalog) -> Iterator[Finding]:
    problems = check_policy(policy, catalog)
    if problems:
        what = f"{len(problems)} problem(s), first: {problems[0].where}: {problems[0].what}"
        yield Finding("rules cover the catalog", "fail", what, f"parity scan --write {settings.rules}")
    else:
        yield Finding("rules cover the catalog", "ok", f"{len(catalog.tables)} tables decided on")


def _target(settings: Settings, snapshot: Snapshot, catalog: Catalog, policy: Policy) -> Iterator[Finding]:
    target = settings.need_target()
    if not target.name:
        raise ConfigError("The target URL names no database.", todo="Add it: postgresql://host/database.")
    in_place = policy.release.in_place
    asked = target if in_place else target.with_name(settings.maintenance_database)
    with asked.connect(role="target", autocommit=True) as connection:
        yield from look_at_target(
            connection,
            target.name,
            snapshot,
            catalog,
            policy,
            fraction=share_of(None, policy, catalog).fraction,
            connections=settings.connections,
        )
        yield _what_it_would_do(connection, target.name, catalog, policy)


def _what_it_would_do(
    connection: psycopg.Connection[Any], name: str, catalog: Catalog, policy: Policy
) -> Finding:
    tables = [table for key, table in catalog.tables.items() if policy.covers_rows_of(key)]
    fraction = share_of(None, policy, catalog).fraction
    rows = sum(max(table.rows_estimate, 0) for table in tables) * fraction
    held = sum(table.bytes for table in tables) * fraction
    found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
    keeps = policy.release.keep_previous > 0
    fate = f"kept as {names.previous_name(name)}" if keeps else "dropped"
    masked = {rule.mask.name for rules in policy.columns.values() for rule in rules.values()} - {"keep"}
    method = policy.release.method
    swap = {
        "database": f"build {names.next_name(name, '...')} and rename it to {name}",
        "schema": f"build new schemas in {name} and rename them into place",
        "truncate": f"empty the tables of {name} and fill them, while readers wait",
    }
    if method == "schema":
        fate = fate.replace(names.previous_name(name), "schemas ending in __prev_...")
    elif method == "truncate":
        fate = "gone"
    what = (
        f"copy about {rows:,.0f} rows ({size(held)}) of {len(tables)} tables at a fraction of "
        f"{fraction:.3g}, masked by {some(sorted(masked)) or 'nothing'}; {swap[method]}"
        + (f"; what serves now is {fate}" if found else "")
    )
    return Finding("a refresh would", "ok", what)


def _lock(settings: Settings, policy: Policy) -> Iterator[Finding]:
    target = settings.need_target()
    maintenance = target.with_name(settings.maintenance_database)
    with maintenance.connect(role="target", autocommit=True) as connection:
        there = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
    ledger_place = target.name if policy.release.in_place else names.ledger_name(target.name or "")
    if ledger_place in there:
        with open_ledger(settings, policy, create=False) as ledger:
            ledger.lock()
    yield Finding("lock", "ok", "no other refresh is at work")


def _work(settings: Settings) -> Iterator[Finding]:
    folder = next(p for p in (settings.work, *settings.work.parents) if p.exists())
    free = shutil.disk_usage(folder).free
    status: Status = "ok" if free > _WORK_BYTES else "warn"
    todo = None if status == "ok" else "Free space there, or set PARITY_WORK to another folder."
    yield Finding("work folder", status, f"{settings.work}: {size(free)} free", todo)
