"""The part of the policy that is about releases: how they are swapped, kept, and what staging adds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from parity_data.catalog.model import Name
from parity_data.rules.models import HookEntry, LoadEntry, ReleaseEntry, StagingEntry
from parity_data.rules.names import format_name, parse_name

Sessions = Literal["end", "wait", "ask"]
Method = Literal["database", "schema", "truncate"]


@dataclass(frozen=True)
class Hook:
    """Something to run at the swap: either SQL from a file in the rules folder, or a command."""

    sql: str | None = None
    command: tuple[str, ...] = ()
    timeout_seconds: float = 60

    @property
    def shown(self) -> str:
        """What it is, for people: the file, or the program without its arguments."""
        return self.sql or self.command[0]


@dataclass(frozen=True)
class Release:
    """How staging is swapped.

    method: builds a 'database' beside staging, 'schema' within it, or 'truncate' what is there and fills it.
    keep_previous, keep_gib: previous releases kept, and the room they may take together. grace_seconds:
    time given to sessions before they are ended. sessions: 'end' them, 'wait' up to ``wait_seconds`` for a
    quiet moment, or 'ask' by leaving the release for promote. require_review: a built release waits until a
    person has approved it. reviewers: name -> Ed25519 public key of those whose signature an approval needs;
    empty where no signature is asked for.
    """

    keep_previous: int = 1
    grace_seconds: float = 5
    require_review: bool = False
    reviewers: Mapping[str, str] = field(default_factory=dict)
    keep_gib: float | None = None
    sessions: Sessions = "end"
    wait_seconds: float = 600
    before_swap: tuple[Hook, ...] = ()
    after_swap: tuple[Hook, ...] = ()
    method: Method = "database"

    @property
    def in_place(self) -> bool:
        """Whether a release is built within staging's own database."""
        return self.method != "database"


@dataclass(frozen=True)
class Load:
    """What a refresh may ask of production; None for no limit."""

    max_source_connections: int | None = None
    pause_above_lag_seconds: float | None = None
    pause_above_active_sessions: int | None = None
    give_way_after_seconds: float | None = None

    def workers(self, wanted: int) -> int:
        """How many connections may read rows, of so many wanted: one more holds the snapshot."""
        if self.max_source_connections is None:
            return wanted
        return min(wanted, self.max_source_connections - 1)


@dataclass(frozen=True)
class OwnSetting:
    name: str
    value: str
    reason: str


@dataclass(frozen=True)
class OwnRows:
    """where: a condition in SQL."""

    table: Name
    where: str
    reason: str


@dataclass(frozen=True)
class OwnRole:
    """may: 'read' or 'write' everything in the schemas."""

    name: str
    schemas: tuple[str, ...]
    may: Literal["read", "write"]
    reason: str


@dataclass(frozen=True)
class StagingOwn:
    """What every release holds beside production's copy."""

    settings: tuple[OwnSetting, ...] = ()
    extensions: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[Name, str] = field(default_factory=dict)
    rows: tuple[OwnRows, ...] = ()
    roles: tuple[OwnRole, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.settings or self.extensions or self.tables or self.rows or self.roles)

    def differences(self) -> Iterator[tuple[str, str, str]]:
        """(scope, what, reason) of everything, for the report."""
        for setting in self.settings:
            yield "database", f"setting {setting.name} is staging's own", setting.reason
        for name, reason in self.extensions.items():
            yield "database", f"extension {name} is staging's own", reason
        for table, reason in self.tables.items():
            yield str(table), "the table is staging's own, kept from release to release", reason
        for rows in self.rows:
            yield str(rows.table), "rows of staging are added to production's", rows.reason
        for role in self.roles:
            yield "database", f'role "{role.name}" may {role.may} {", ".join(role.schemas)}', role.reason


def release_of(entry: ReleaseEntry) -> Release:
    """The typed value of the policy's section ``release``."""
    return Release(
        keep_previous=entry.keep_previous,
        grace_seconds=float(entry.grace_seconds),
        require_review=entry.require_review,
        reviewers=dict(entry.reviewers),
        keep_gib=None if entry.keep_gib is None else float(entry.keep_gib),
        sessions=entry.sessions,
        wait_seconds=float(entry.wait_seconds),
        before_swap=tuple(map(_hook_of, entry.before_swap)),
        after_swap=tuple(map(_hook_of, entry.after_swap)),
        method=entry.method,
    )


def _hook_of(entry: HookEntry) -> Hook:
    return Hook(entry.sql, tuple(entry.command or ()), float(entry.timeout_seconds))


def load_of(entry: LoadEntry) -> Load:
    """The typed value of the policy's section ``load``."""
    lag, way = entry.pause_above_lag_seconds, entry.give_way_after_seconds
    return Load(
        entry.max_source_connections,
        None if lag is None else float(lag),
        entry.pause_above_active_sessions,
        None if way is None else float(way),
    )


def staging_of(entry: StagingEntry) -> StagingOwn:
    """The typed value of the policy's section ``staging``."""
    return StagingOwn(
        settings=tuple(OwnSetting(s.name, s.value, s.reason) for s in entry.settings),
        extensions=dict(entry.extensions),
        tables={parse_name(name): reason for name, reason in entry.tables.items()},
        rows=tuple(OwnRows(parse_name(r.table), r.where, r.reason) for r in entry.rows),
        roles=tuple(OwnRole(r.name, tuple(r.schemas), r.may, r.reason) for r in entry.roles),
    )


def release_section(release: Release) -> dict[str, Any]:
    """What stands under ``release``; what is rarely changed only where it was."""
    usual = Release()
    section: dict[str, Any] = {
        "keep_previous": release.keep_previous,
        "grace_seconds": _plain(release.grace_seconds),
        "require_review": release.require_review,
        "reviewers": dict(release.reviewers),
    }
    for name in ("method", "keep_gib", "sessions", "wait_seconds"):
        if getattr(release, name) != getattr(usual, name):
            value = getattr(release, name)
            section[name] = _plain(value) if isinstance(value, int | float) else value
    for name in ("before_swap", "after_swap"):
        if hooks := getattr(release, name):
            section[name] = [_hook_section(hook) for hook in hooks]
    return section


def _plain(number: float) -> float:
    """A number as people write it: 5, not 5.0; the same for both, so that a digest is, too."""
    return int(number) if float(number).is_integer() else number


def _hook_section(hook: Hook) -> dict[str, Any]:
    what: dict[str, Any] = {"command": list(hook.command)} if hook.sql is None else {"sql": hook.sql}
    return {**what, "timeout_seconds": _plain(hook.timeout_seconds)}


def load_section(load: Load) -> dict[str, Any]:
    """What stands under ``load``: the limits that are set."""
    found = {name: value for name, value in vars(load).items() if value is not None}
    return {name: _plain(value) for name, value in found.items()}


def staging_section(own: StagingOwn) -> dict[str, Any]:
    """What stands under ``staging``."""
    section: dict[str, Any] = {
        "settings": [dict(vars(s)) for s in own.settings],
        "extensions": dict(own.extensions),
        "tables": {format_name(name): reason for name, reason in own.tables.items()},
        "rows": [{"table": format_name(r.table), "where": r.where, "reason": r.reason} for r in own.rows],
        "roles": [{**vars(r), "schemas": list(r.schemas)} for r in own.roles],
    }
    return {name: value for name, value in section.items() if value}
