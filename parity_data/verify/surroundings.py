"""What surrounds the data: settings of both servers and what deployments say of both sides, compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from parity_data.catalog.server_settings import ServerSetting
from parity_data.rules.environment import Environment
from parity_data.verify.result import CheckResult, Status

SETTINGS, ENVIRONMENT = "server_settings", "environment"

Verdict = Literal["same", "proportional", "declared", "different", "not observed"]
Area = Literal["infrastructure", "configuration", "data", "process"]

#: What may be smaller on a smaller server.
_SCALED = frozenset(
    {
        *("shared_buffers", "effective_cache_size", "work_mem", "maintenance_work_mem", "temp_buffers"),
        *("autovacuum_work_mem", "max_connections", "max_worker_processes", "max_parallel_workers"),
        *("max_parallel_workers_per_gather", "max_parallel_maintenance_workers", "temp_file_limit"),
        *("autovacuum_max_workers", "autovacuum_worker_slots", "max_prepared_transactions"),
        *("max_locks_per_transaction", "effective_io_concurrency", "maintenance_io_concurrency"),
        *("vacuum_buffer_usage_limit", "io_workers"),
    }
)
#: How far, as a factor, a figure may be from the share that staging is said to be.
_SLACK = 2.0


@dataclass(frozen=True)
class Compared:
    """One thing on both sides, as text. name: of the setting or entry, by which it can be declared.

    group: of settings that belong together, else empty. note: why, in words.
    """

    area: Area
    name: str
    item: str
    production: str
    staging: str
    verdict: Verdict
    note: str = ""
    group: str = ""

    @property
    def check(self) -> str:
        return SETTINGS if self.group else ENVIRONMENT

    @property
    def scope(self) -> str:
        return f"{'server' if self.group else 'environment'}.{self.name}"


def compare_settings(
    production: Mapping[str, ServerSetting], staging: Mapping[str, ServerSetting], scale: float | None = None
) -> Iterator[Compared]:
    """Every setting of either server, in order of its name. scale: of staging, as a share of production."""
    for name in sorted(production.keys() | staging.keys()):
        here, there = production.get(name), staging.get(name)
        verdict, note = _setting(here, there, scale)
        group = (here or there).group  # type: ignore[union-attr]
        yield Compared(
            "configuration", name, name, _text(here), _text(there), verdict, note=note, group=group
        )


def _text(setting: ServerSetting | None) -> str:
    return "" if setting is None or setting.hidden else setting.text


def _setting(
    here: ServerSetting | None, there: ServerSetting | None, scale: float | None
) -> tuple[Verdict, str]:
    if here is None or there is None:
        return "not observed", f"only {'staging' if here is None else 'production'}'s version has it"
    if hidden := here.hidden or there.hidden:
        return "not observed", hidden
    if here.text == there.text:
        return "same", ""
    if here.name in _SCALED and here.unit == there.unit:
        return _proportion(here.number, there.number, scale)
    return "different", ""


def _proportion(here: float | None, there: float | None, scale: float | None) -> tuple[Verdict, str]:
    """Whether a figure is as much smaller as staging is. 0 and below have meanings of their own."""
    if here is None or there is None or here <= 0 or there <= 0:
        return "different", ""
    ratio = there / here
    if scale is None:
        return ("proportional", f"{ratio:.3g} of production") if ratio <= 1 else ("different", "")
    near = scale / _SLACK <= ratio <= scale * _SLACK
    said = f"{ratio:.3g} of production, staging is said to be {scale:g} of it"
    return "proportional" if near else "different", said


def compare_environments(production: Environment, staging: Environment) -> Iterator[Compared]:
    """Everything that either file says; what only one says is not observed."""
    here, there, scale = production, staging, staging.scale
    yield _instance(here, there)
    yield _figure("infrastructure", "cpus", "CPUs", here.cpus, there.cpus, scale)
    yield _figure("infrastructure", "memory", "memory in GB", _gigabytes(here), _gigabytes(there), scale)
    yield _words("infrastructure", "storage", "kind of disk", here.storage, there.storage)
    yield _figure("infrastructure", "replicas", "replicas", here.replicas, there.replicas, scale)
    for name in sorted(here.pools.keys() | there.pools.keys()):
        mine, theirs = here.pools.get(name), there.pools.get(name)
        item = f"connections in the pool {name}"
        yield _figure("configuration", f"pools.{name}", item, mine, theirs, scale)
    for name in sorted(here.timeouts.keys() | there.timeouts.keys()):
        ends = [
            None if side is None else f"{side:g} s"
            for side in (here.timeouts.get(name), there.timeouts.get(name))
        ]
        yield _words("configuration", f"timeouts.{name}", f"time-out {name}", *ends)
    yield _variables(here.variables, there.variables)
    for name in sorted(here.process.keys() | there.process.keys()):
        yield _words("process", f"process.{name}", name, here.process.get(name), there.process.get(name))


def _words(area: Area, name: str, item: str, here: str | None, there: str | None) -> Compared:
    """A thing that must be the same."""
    verdict: Verdict = "same" if here == there else "different"
    if here is None or there is None:
        verdict = "not observed"
    return Compared(area, name, item, here or "", there or "", verdict)


def _figure(
    area: Area, name: str, item: str, here: float | None, there: float | None, scale: float | None
) -> Compared:
    """A thing of which a smaller side may have less."""
    verdict: Verdict = "same"
    note = ""
    if here is None or there is None:
        verdict = "not observed"
    elif here != there:
        verdict, note = _proportion(here, there, scale)
    return Compared(area, name, item, _number(here), _number(there), verdict, note=note)


def _instance(here: Environment, there: Environment) -> Compared:
    """Another class of machine is in proportion where the CPUs are, which have a line of their own."""
    found = _words("infrastructure", "instance", "class of the machine", here.instance, there.instance)
    if found.verdict != "different" or here.cpus is None or there.cpus is None:
        return found
    verdict, note = _proportion(here.cpus, there.cpus, there.scale)
    return replace(found, verdict=verdict, note=note)


def _variables(here: frozenset[str] | None, there: frozenset[str] | None) -> Compared:
    def said(names: frozenset[str] | None) -> str:
        return "" if names is None else f"{len(names)} names"

    verdict: Verdict = "not observed" if here is None or there is None else "same"
    note = ""
    if here is not None and there is not None and here != there:
        verdict = "different"
        lacks, more = sorted(here - there), sorted(there - here)
        parts = [f"staging lacks {', '.join(lacks[:10])}"] if lacks else []
        parts += [f"only staging has {', '.join(more[:10])}"] if more else []
        note = "; ".join(parts)
    return Compared(
        "configuration", "variables", "environment variables", said(here), said(there), verdict, note=note
    )


def check_surroundings(compared: Iterable[Compared], on_difference: Status) -> Iterator[CheckResult]:
    """'server_settings' and 'environment': a result for each difference, and one for each group without any.

    on_difference: what a difference is, 'warn' or 'fail'. value, bound: staging's and production's text.
    """
    groups: dict[tuple[str, str], list[Compared]] = {}
    for one in compared:
        groups.setdefault((one.check, one.group), []).append(one)
        if one.verdict == "different":
            note = f" ({one.note})" if one.note else ""
            message = (
                f"{one.item} is {one.production or 'not set'} in production and "
                f"{one.staging or 'not set'} in staging{note}."
            )
            yield CheckResult(
                one.check, one.scope, on_difference, one.staging or "", one.production or "", message
            )
    for (check, group), members in groups.items():
        seen = [one for one in members if one.verdict != "not observed"]
        alike = sum(one.verdict != "different" for one in seen)
        scope = f"server.{group}" if group else "environment"
        if not seen:
            yield CheckResult(check, scope, "pass", None, 0, "Nobody has said what both sides are like.")
            continue
        message = f"{alike} of {len(seen)} compared are the same on both sides, or in proportion."
        yield CheckResult(check, scope, "pass", 0, 0, message)


def _gigabytes(side: Environment) -> float | None:
    return None if side.memory is None else round(side.memory / 1e9, 1)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"
