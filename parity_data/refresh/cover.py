"""Before a row moves: is every column of production decided, and is it still what was decided on?

Everything new or changed is looked at, named with its evidence and a proposal, and then stops the refresh
or is masked with the safest masker, as the policy says. What could not be looked at counts as undecided.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from parity_data.catalog import Catalog, Name
from parity_data.catalog.model import Table
from parity_data.detect import Decision, scan
from parity_data.detect.cache import ValueCache
from parity_data.errors import RulesError
from parity_data.language import LanguageModel, installed_model
from parity_data.mask import KeyRing, MaskSpec
from parity_data.rules import ColumnRule, Policy, Problem, check_policy
from parity_data.rules.check import LISTED_PROBLEMS, MISTAKE, NEW_PARTITION, error_for
from parity_data.rules.drift import check_accepted, unrecorded
from parity_data.rules.patterns import resolve
from parity_data.rules.safest import Place, safest_masks
from parity_data.settings import Settings
from parity_data.verify.result import CheckResult, Status

#: The check's name, in the report and on the asset pii_map.
CHECK = "rules_cover_catalog"

#: Who decided, where the policy did.
BY_POLICY = "policy.yaml, on_undecided: mask"


@dataclass(frozen=True)
class Undecided:
    """Something new or changed. masks: by ``schema.table.column`` what was masked because of it and how."""

    problem: Problem
    masks: Mapping[str, str]


@dataclass(frozen=True)
class Covered:
    """What the rules say of production as it is now.

    policy: with a rule for every stored column, the safest where the policy had to decide. decisions: what
    detection saw. undecided: what was masked for want of a decision, empty unless the policy permits it.
    unrecorded: columns whose accepted state nobody has written down.
    """

    policy: Policy
    decisions: Mapping[Place, Decision]
    undecided: tuple[Undecided, ...]
    unrecorded: tuple[str, ...]

    def masks_of(self, table: Table) -> dict[str, MaskSpec]:
        """The mask of every stored column of a table."""
        rules = self.policy.columns.get(table.name, {})
        return {column.name: rules[column.name].mask for column in table.stored_columns}

    def checks(self) -> list[CheckResult]:
        """One result for the whole, and one warning for everything that was masked for want of a decision."""
        found = [
            CheckResult(
                CHECK,
                item.problem.where,
                "warn",
                item.problem.cause,
                "decided",
                f"{item.problem.what} It was masked for this release: "
                + (", ".join(f"{where} with {mask}" for where, mask in item.masks.items()) or "as its table")
                + ".",
            )
            for item in self.undecided
        ]
        columns = sum(len(rules) for rules in self.policy.columns.values())
        message = f"{columns:,} columns have a rule, and every rule points at a column."
        if self.unrecorded:
            message += (
                f" Of {len(self.unrecorded):,} nobody has recorded what they were when the rule was made, so "
                "changes of them go unseen: 'parity scan --write DIR' records it."
            )
        status: Status = "warn" if self.unrecorded else "pass"
        found.append(CheckResult(CHECK, "database", status, len(found), 0, message))
        return found


def remembered(settings: Settings) -> ValueCache:
    """What the last look at the values said, so that a night costs what changed; it holds no value."""
    if settings.masking_key is None:
        return ValueCache()
    key = KeyRing(settings.masking_key).subkey("detection")
    return ValueCache(settings.work / "detection.json", key)


def cover(
    policy: Policy,
    catalog: Catalog,
    connection: psycopg.Connection[Any],
    *,
    cache: ValueCache | None = None,
    model: LanguageModel | None = None,
    log: logging.Logger,
) -> Covered:
    """Hold the rules against production.

    connection: inside the snapshot's transaction. cache: saved when the look is over. model: reads texts
    that nothing else explains; the installed one if None.
    Raises RulesError, before anything moved, for rules that do not fit, and for everything undecided unless
    the policy masks it and a masker fits.
    """
    decisions = scan(catalog, connection, cache=cache, model=model or installed_model(), log=log)
    if cache is not None:
        cache.save()
    return judge(policy, catalog, decisions, log=log)


def judge(policy: Policy, catalog: Catalog, decisions: list[Decision], *, log: logging.Logger) -> Covered:
    """Like ``cover``, with what detection saw."""
    policy = resolve(policy, catalog)
    problems = check_policy(policy, catalog, decisions) + check_accepted(policy, catalog, decisions)
    undecided: tuple[Undecided, ...] = ()
    if problems:
        mistakes = [p for p in problems if p.cause == MISTAKE]
        if mistakes or policy.on_undecided == "stop":
            raise error_for(problems, policy)
        policy, undecided = _mask(policy, catalog, problems)
        for item in undecided[:LISTED_PROBLEMS]:
            log.warning("%s Masked: %s.", item.problem.what, ", ".join(item.masks) or "as its table")
    looked = {(d.table, d.column): d for d in decisions}
    return Covered(policy, looked, undecided, tuple(unrecorded(policy, catalog)))


def _mask(policy: Policy, catalog: Catalog, problems: list[Problem]) -> tuple[Policy, tuple[Undecided, ...]]:
    """Give everything undecided the safest mask. Raises RulesError for what no masker fits."""
    places = [(p.table, p.column) for p in problems if p.table is not None and p.column is not None]
    chosen, left = safest_masks(catalog, places)
    if left:
        stuck = [p for p in problems if (p.table, p.column) in left]
        error = error_for(stuck, policy)
        raise RulesError(f"No masker fits, so it cannot be masked unseen: {error.what}", where=error.where)
    columns: dict[Name, dict[str, ColumnRule]] = {t: dict(rules) for t, rules in policy.columns.items()}
    for (table, column), spec in chosen.items():
        columns.setdefault(table, {})[column] = ColumnRule(
            spec, why="nobody has decided on it as it is now", by=BY_POLICY, via="on_undecided: mask"
        )
    undecided = []
    for problem in problems:
        place = (problem.table, problem.column)
        masks = {f"{t}.{c}": spec.name for (t, c), spec in chosen.items() if (t, c) == place}
        undecided.append(Undecided(problem, masks if problem.cause != NEW_PARTITION else {}))
    return replace(policy, columns=columns), tuple(undecided)
