"""Look at production, propose a rule for every column, write the missing ones, and say what is undecided."""

from __future__ import annotations

import difflib
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parity_data.catalog import Catalog, Name, Snapshot, read_catalog
from parity_data.detect import Decision, propose, scan
from parity_data.errors import ConfigError
from parity_data.language import LanguageModel, installed_model
from parity_data.mask import MaskSpec
from parity_data.refresh.cover import remembered
from parity_data.refresh.dump import restored
from parity_data.rules import (
    NewRule,
    Policy,
    Problem,
    WriteResult,
    check_accepted,
    check_policy,
    load_policy,
    resolve,
    write_accepted,
    write_rules,
)
from parity_data.rules.accepted import EVERYTHING, updated
from parity_data.rules.drift import unrecorded
from parity_data.rules.maskers import KEEP
from parity_data.rules.names import did_you_mean, format_name
from parity_data.rules.own import POLICY_FILE
from parity_data.settings import Settings


@dataclass(frozen=True)
class Scan:
    """Production as it was looked at, and the rules that are in force for it.

    policy: resolved; without rules where the folder has none. values: whether values were looked at.
    model: the language model that read texts, None for none. problems: everything undecided or wrong.
    """

    catalog: Catalog
    decisions: list[Decision]
    policy: Policy
    values: bool
    model: str | None = None

    @property
    def problems(self) -> list[Problem]:
        seen = self.decisions if self.values else None
        found = check_policy(self.policy, self.catalog, self.decisions)
        return found + check_accepted(self.policy, self.catalog, seen)

    @property
    def unrecorded(self) -> list[str]:
        """Columns with a rule whose accepted state is not written down."""
        return unrecorded(self.policy, self.catalog)

    def as_dict(self) -> dict[str, Any]:
        """One entry per column, and one per problem."""
        return {
            "language_model": self.model,
            "columns": [self._column(decision) for decision in self.decisions],
            "problems": [
                {"where": p.where, "cause": p.cause, "what": p.what, "todo": p.todo, "place": p.place}
                for p in self.problems
            ],
        }

    def _column(self, d: Decision) -> dict[str, Any]:
        rule = self.policy.rule(d.table, d.column)
        return {
            "schema": d.table.schema,
            "table": d.table.name,
            "column": d.column,
            "band": d.band,
            "kind": d.kind,
            "score": d.score,
            "mask": d.mask.name,
            "evidence": [{"source": e.source, "reason": e.reason} for e in d.evidence],
            "rule": rule.mask.name if rule else None,
            "rule_place": rule.where if rule and rule.line else None,
        }


def look(
    settings: Settings,
    *,
    folder: Path | None = None,
    schema_dump: Path | None = None,
    model: LanguageModel | None = None,
) -> Scan:
    """Scan the source in one snapshot. folder: of the rules, by default that of the settings.

    model: reads texts that nothing else explains; the installed one if None. schema_dump: look at this
    pg_dump of a schema instead, restored into a server of its own for as long as it takes; there are no
    values then. Raises ConfigError, RulesError, SourceError.
    """
    folder = folder or settings.rules
    policy = load_policy(folder) if (folder / POLICY_FILE).is_file() else Policy(folder=folder)
    if schema_dump is None:
        with Snapshot(settings.need_source(), application="parity-data scan") as snapshot:
            catalog = read_catalog(snapshot, ignore_schemas=policy.ignore_schemas)
            cache, model = remembered(settings), model or installed_model()
            decisions = scan(catalog, snapshot.connection, cache=cache, model=model)
            cache.save()
    else:
        with (
            restored(schema_dump) as database,
            Snapshot(database, application="parity-data scan") as snapshot,
        ):
            catalog = read_catalog(snapshot, ignore_schemas=policy.ignore_schemas)
            decisions, model = propose(catalog), None
    values = schema_dump is None
    return Scan(catalog, decisions, resolve(policy, catalog), values, model.name if model else None)


@dataclass(frozen=True)
class Written:
    """What ``write_missing`` did. rules: the new lines. accepted: whether the accepted state changed."""

    rules: WriteResult
    accepted: bool


def write_missing(
    found: Scan, folder: Path, *, decide: str | None = None, accept: Collection[str] = ()
) -> Written:
    """Add a rule for every column that none reaches, and record what is new. Nobody's decision changes.

    decide: one mask for every new rule instead of the proposed ones. accept: ``schema.table`` or
    ``schema.table.column`` whose change since it was accepted is taken over; ``all`` for every change.
    Raises RulesError, and ConfigError for a name in accept that production does not have.
    """
    _check_names(accept, found.catalog)
    rules = write_rules(folder, _new_rules(found, decide))
    policy = resolve(load_policy(folder), found.catalog)
    covered = {t: rules for t, rules in policy.columns.items() if policy.covers_rows_of(t)}
    state = updated(policy.accepted, found.catalog, covered, found.decisions if found.values else (), accept)
    return Written(rules, write_accepted(folder, state))


def scan_source(settings: Settings, *, write: Path, decide: str | None = None) -> Scan:
    """``look`` and ``write_missing`` in one: what was found, with the rules as they were before."""
    found = look(settings, folder=write)
    write_missing(found, write, decide=decide)
    return found


def diff(found: Scan, folder: Path, *, accept: Collection[str] = ()) -> str:
    """What ``write_missing`` would change, as a unified diff; empty when nothing."""
    with tempfile.TemporaryDirectory(prefix="parity-diff-") as place:
        copy = Path(place) / folder.name
        if folder.is_dir():
            shutil.copytree(folder, copy)
        write_missing(found, copy, accept=accept)
        lines: list[str] = []
        for new in sorted(copy.rglob("*.yaml")):
            name = new.relative_to(copy)
            old = folder / name
            before = old.read_text(encoding="utf-8").splitlines() if old.is_file() else []
            after = new.read_text(encoding="utf-8").splitlines()
            shown = f"{folder.name}/{name.as_posix()}"
            lines += difflib.unified_diff(
                before, after, f"a/{shown}" if before else "/dev/null", f"b/{shown}", lineterm="", n=2
            )
    return "\n".join(lines)


def _new_rules(found: Scan, decide: str | None) -> Iterator[NewRule]:
    for decision in found.decisions:
        if not found.policy.covers_rows_of(decision.table):
            continue
        rule = found.policy.rule(decision.table, decision.column)
        if rule is not None and not _unseen(found.policy, decision):
            continue
        if decide is None:
            yield NewRule(decision.table, decision.column, decision.mask, decision.why)
        else:
            why = f"decided for all columns: {decide}"
            yield NewRule(decision.table, decision.column, MaskSpec(decide, {}), why)


def _unseen(policy: Policy, decision: Decision) -> bool:
    """A column that only a wildcard would keep, that is new, and that does not look harmless."""
    rule = policy.rule(decision.table, decision.column)
    known = policy.accepted.get(decision.table)
    new = known is None or decision.column not in known.columns
    wild = rule is not None and rule.wildcard and rule.mask.name == KEEP
    return wild and new and decision.band != "not_personal"


def _check_names(accept: Iterable[str], catalog: Catalog) -> None:
    known = {EVERYTHING, *map(format_name, catalog.tables)}
    known |= {f"{format_name(table.name)}.{column.name}" for table, column in catalog.columns()}
    for name in accept:
        if name not in known:
            close = did_you_mean(name, known)
            raise ConfigError(
                f"--accept {name}: production has no such table or column.",
                todo=f"Did you mean {close}?" if close else "Write schema.table or schema.table.column.",
            )


def column_named(catalog: Catalog, text: str) -> tuple[Name, str]:
    """Table and column of ``schema.table.column``. Raises ConfigError with what was perhaps meant."""
    known = {f"{format_name(t.name)}.{c.name}": (t.name, c.name) for t, c in catalog.columns()}
    if text not in known:
        close = did_you_mean(text, known)
        raise ConfigError(
            f"Production has no column {text}.",
            todo=f"Did you mean {close}?" if close else "Write it as schema.table.column.",
        )
    return known[text]
