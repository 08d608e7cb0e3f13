"""What surrounds the data of both sides: read, compared, and put into one checklist."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from parity_data.catalog.model import Catalog
from parity_data.catalog.server_settings import read_settings
from parity_data.database import Database
from parity_data.report import ParityLine
from parity_data.rules import Policy
from parity_data.rules.environment import read_environment
from parity_data.settings import Settings
from parity_data.verify.flags import CHECK as FLAGS
from parity_data.verify.flags import check_flags, flag_table
from parity_data.verify.result import CheckResult
from parity_data.verify.surroundings import (
    Area,
    Compared,
    Verdict,
    check_surroundings,
    compare_environments,
    compare_settings,
)

#: Names of differing settings that a line of the checklist has room for.
_NAMED = 8


@dataclass(frozen=True)
class Surroundings:
    """Everything compared that is neither schema nor rows. versions: PostgreSQL's, of both sides."""

    compared: tuple[Compared, ...]
    versions: tuple[str, str]

    def checks(self, policy: Policy) -> list[CheckResult]:
        """'server_settings' and 'environment', as the policy takes a difference."""
        return list(check_surroundings(self.compared, policy.parity.on_difference))


def look_around(settings: Settings, source: Database, target: Database) -> Surroundings:
    """Settings of both servers as new sessions get them, and what ``environment.yaml`` of each side says.

    Raises RulesError, ConfigError, SourceError, TargetError.
    """
    production = read_environment(settings.source_environment)
    staging = read_environment(settings.target_environment)
    with (
        source.connect(role="source", autocommit=True) as here,
        target.connect(role="target", autocommit=True) as there,
    ):
        compared = compare_settings(read_settings(here), read_settings(there), staging.scale)
        versions = tuple(_version(c.info.server_version) for c in (here, there))
    return Surroundings((*compared, *compare_environments(production, staging)), (versions[0], versions[1]))


def _version(number: int) -> str:
    return f"{number // 10000}.{number % 10000}"


def flag_checks(
    policy: Policy, catalog: Catalog, production: psycopg.Connection[Any], staging: psycopg.Connection[Any]
) -> Iterator[CheckResult]:
    """'feature_flags' for each table that the policy names. policy: resolved against the catalog."""
    for name, flags in policy.parity.feature_flags.items():
        table = catalog.tables.get(name)
        if table is None or name in policy.exclude_rows:
            why = "Production has no such table." if table is None else "Its rows do not come along."
            yield CheckResult(FLAGS, str(name), "warn", None, 0, why)
            continue
        masked = {
            column.name
            for column in table.stored_columns
            for rule in [policy.rule(name, column.name)]
            if rule is None or rule.mask.name != "keep"
        }
        found = flag_table(table, masked, key=flags.key, ignore=flags.ignore)
        if isinstance(found, str):
            yield CheckResult(FLAGS, str(name), "warn", None, 0, found)
        else:
            yield check_flags(production, staging, found, policy.parity.on_difference)


def checklist(
    around: Surroundings, checks: Sequence[CheckResult], policy: Policy, fraction: float, masked: int
) -> Iterator[ParityLine]:
    """The whole checklist: infrastructure, configuration, data, process. masked: columns that are."""
    declared = {check.scope for check in checks if check.declared is not None}
    lines = [
        *_infrastructure(around, checks),
        *(_line(one, declared) for one in around.compared if not one.group),
        *_settings(around.compared, declared),
        *_data(checks, fraction, masked),
        *_process(checks, policy),
    ]
    order: tuple[Area, ...] = ("infrastructure", "configuration", "data", "process")
    yield from sorted(lines, key=lambda line: order.index(line.area))


def _infrastructure(around: Surroundings, checks: Sequence[CheckResult]) -> Iterator[ParityLine]:
    here, there = around.versions
    verdict: Verdict = "same" if here == there else "different"
    yield ParityLine("infrastructure", "PostgreSQL", here, there, verdict)
    extensions = [c for c in checks if c.name == "schema_parity" and c.scope == "database.extension"]
    yield _of_checks("infrastructure", "extensions and their versions", extensions)


def _line(one: Compared, declared: Iterable[str]) -> ParityLine:
    verdict: Verdict = "declared" if one.verdict == "different" and one.scope in declared else one.verdict
    return ParityLine(one.area, one.item, one.production, one.staging, verdict, one.note)


def _settings(compared: Iterable[Compared], declared: Iterable[str]) -> Iterator[ParityLine]:
    """A line for each group of settings, which names those that are not the same."""
    groups: dict[str, list[Compared]] = {}
    for one in compared:
        if one.group:
            groups.setdefault(one.group, []).append(one)
    for group, members in sorted(groups.items()):
        lines = [_line(one, declared) for one in members]
        seen = [line for line in lines if line.verdict != "not observed"]
        worst = _worst([line.verdict for line in seen])
        odd = [line for line in seen if line.verdict == worst != "same"]
        named = ", ".join(
            f"{line.item} {line.production or 'not set'} → {line.staging or 'not set'}"
            for line in odd[:_NAMED]
        )
        note = named + (f" and {len(odd) - _NAMED} more" if len(odd) > _NAMED else "")
        same = sum(line.verdict == "same" for line in seen)
        yield ParityLine(
            "configuration",
            f"server settings: {group}",
            f"{len(seen)} settings",
            f"{same} the same",
            worst,
            note,
        )


def _data(checks: Sequence[CheckResult], fraction: float, masked: int) -> Iterator[ParityLine]:
    for item, names in (
        ("schema: every object and its definition", ("schema_parity",)),
        ("rows arrived once and unchanged", ("row_count", "load_link", "spot_check")),
        ("the rows stand for all rows", ("subset_rows", "fan_out", "reference_share", "distribution")),
        ("references and sequences", ("foreign_keys", "sequence_position")),
        ("masks keep what they declare", ("mask_link", "null_share")),
        ("no production value that masking replaced", ("leak_audit",)),
    ):
        yield _of_checks("data", item, [check for check in checks if check.name in names])
    share: Verdict = "same" if fraction >= 1 else "proportional"
    taken = "all" if fraction >= 1 else f"{100 * fraction:.6g} % of them"
    yield ParityLine("data", "rows", "all", taken, share)
    kept: Verdict = "declared" if masked else "same"
    yield ParityLine("data", "values", "as they are", f"{masked} columns masked", kept, "by the rules")


def _process(checks: Sequence[CheckResult], policy: Policy) -> Iterator[ParityLine]:
    heads = [check for check in checks if check.name == "migration_heads"]
    yield _of_checks("process", "migrations applied", heads)
    yield _of_checks("process", "feature flags", [check for check in checks if check.name == FLAGS])
    asked = "a person approves each release" if policy.release.require_review else "checks alone decide"
    yield ParityLine(
        "process", "release of staging", "", asked, "not observed", "production is released elsewhere"
    )


def _of_checks(area: Area, item: str, checks: Sequence[CheckResult]) -> ParityLine:
    """What checks of one subject say together."""
    looked = [check for check in checks if check.value is not None or check.bound is None]
    verdict: Verdict = "same" if looked else "not observed"
    if any(check.declared is not None for check in checks):
        verdict = "declared"
    bad = [check for check in checks if check.status == "fail" or (check.status == "warn" and check.value)]
    if bad:
        verdict = "different"
    note = bad[0].message if bad else f"{len(looked)} compared" if looked else ""
    return ParityLine(area, item, "", "", verdict, note)


def _worst(verdicts: Iterable[Verdict]) -> Verdict:
    order: tuple[Verdict, ...] = ("different", "declared", "proportional", "same", "not observed")
    return min(verdicts, key=order.index, default="not observed")
