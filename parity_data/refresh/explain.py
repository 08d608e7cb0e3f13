"""Everything that is known of one column: what speaks for what, which rule won, and what was accepted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

from parity_data.catalog import Catalog, Name, Snapshot, read_catalog
from parity_data.catalog.model import Column
from parity_data.detect import Decision, ValueCache, scan
from parity_data.language import installed_model
from parity_data.refresh.cover import remembered
from parity_data.refresh.scan import Scan, column_named
from parity_data.report.scan_page import looks_like
from parity_data.rules import ColumnRule, Policy, Problem, load_policy, resolve
from parity_data.rules.names import format_name
from parity_data.rules.own import POLICY_FILE
from parity_data.rules.policy import AcceptedColumn
from parity_data.settings import Settings

#: What evidence against a whole family of kinds speaks against.
AGAINST = {"person": "a person's name", "text": "words of any kind"}


@dataclass(frozen=True)
class ColumnExplained:
    """One column. decision: None for a generated one. uncovered: why its rows are not copied."""

    where: str
    column: Column
    decision: Decision | None
    rule: ColumnRule | None
    accepted: AcceptedColumn | None
    problems: tuple[Problem, ...]
    uncovered: str | None

    def as_dict(self) -> dict[str, Any]:
        """For programs."""
        seen, rule = self.decision, self.rule
        return {
            "column": self.where,
            "type": self.column.sql_type,
            "detection": None
            if seen is None
            else {
                "band": seen.band,
                "kind": seen.kind,
                "score": seen.score,
                "mask": seen.mask.name,
                "evidence": [
                    {"source": e.source, "reason": e.reason, "weight": e.weight, "kind": e.kind}
                    for e in seen.evidence
                ],
                "paths": [{"path": p.path, "band": p.band, "kind": p.kind, "why": p.why} for p in seen.paths],
            },
            "rule": None
            if rule is None
            else {
                "mask": rule.mask.name,
                "params": dict(rule.mask.params),
                "domain": rule.mask.domain,
                "why": rule.why,
                "by": rule.by,
                "place": rule.where if rule.line else None,
                "via": rule.via or "its own line",
            },
            "accepted": None
            if self.accepted is None
            else {name: value for name, value in vars(self.accepted).items() if value},
            "problems": [f"{p.what} {p.todo}" for p in self.problems],
            "not_copied": self.uncovered,
        }


def explain_column(settings: Settings, text: str, *, folder: Path | None = None) -> ColumnExplained:
    """Look at one column of the source. text: ``schema.table.column``.

    Raises ConfigError for a column that is not there, with what was perhaps meant.
    """
    folder = folder or settings.rules
    policy = load_policy(folder) if (folder / POLICY_FILE).is_file() else Policy(folder=folder)
    with Snapshot(settings.need_source(), application="parity-data explain") as snapshot:
        catalog = read_catalog(snapshot)
        table, column = column_named(catalog, text)
        decisions = _looked_at(catalog, table, column, snapshot.connection, remembered(settings))
    resolved = resolve(policy, catalog)
    known = resolved.accepted.get(table)
    found = Scan(catalog, decisions, resolved, values=True)
    return ColumnExplained(
        where=f"{format_name(table)}.{column}",
        column=catalog.tables[table].column(column),
        decision=next((d for d in decisions if (d.table, d.column) == (table, column)), None),
        rule=resolved.rule(table, column),
        accepted=known.columns.get(column) if known else None,
        problems=tuple(p for p in found.problems if (p.table, p.column) == (table, column)),
        uncovered=_uncovered(resolved, table),
    )


def _looked_at(
    catalog: Catalog, table: Name, column: str, connection: psycopg.Connection[Any], cache: ValueCache
) -> list[Decision]:
    """What a scan says: of the table and what it refers to, or of all where other columns may have a say."""
    model = installed_model()
    part = replace(catalog, tables={name: catalog.tables[name] for name in _reached(catalog, table)})
    decisions = scan(part, connection, cache=cache, model=model)
    seen = next((d for d in decisions if (d.table, d.column) == (table, column)), None)
    if seen is None or (seen.band == "personal" and not seen.paths):
        return decisions
    return scan(catalog, connection, cache=cache, model=model)


def _reached(catalog: Catalog, table: Name) -> list[Name]:
    """The table and what it refers to, however far: a key's class follows the reference."""
    found = [table]
    for name in found:
        for key in catalog.tables[name].foreign_keys:
            if key.referenced in catalog.tables and key.referenced not in found:
                found.append(key.referenced)
    return found


def _uncovered(policy: Policy, table: Name) -> str | None:
    if table.schema in policy.ignore_schemas:
        return "its schema is listed under ignore_schemas"
    reason = policy.exclude_rows.get(table)
    return f"its table's rows are excluded: {reason}" if reason else None


def sentences(explained: ColumnExplained) -> Iterator[str]:
    """The explanation for a person, one line each."""
    seen, rule = explained.decision, explained.rule
    yield f"{explained.where} ({explained.column.sql_type})"
    if explained.uncovered:
        yield f"It is not copied: {explained.uncovered}."
    yield ""
    if seen is None:
        yield "It is computed by the database from other columns, so staging computes it from masked ones."
    else:
        yield f"Detection: {_words(seen.band)}, taken for {_words(seen.kind)} (score {seen.score:.2f})"
        for e in sorted(seen.evidence, key=lambda e: -abs(e.weight)):
            sign = "for" if e.weight > 0 else "against" if e.weight < 0 else "noted"
            other = e.weight < 0 and e.kind not in (seen.kind, "any")
            yield f"  {sign:7} {abs(e.weight):4.2f}  {e.source}: {e.reason}" + (
                f" (speaks against {AGAINST.get(e.kind, looks_like(e.kind))})" if other else ""
            )
        if not seen.evidence:
            yield "  neither its name nor its values say anything personal"
        for p in seen.paths:
            yield f"  path    {p.score:4.2f}  {p.path}: {_words(p.band)}, {_words(p.kind)}; {p.why}"
        yield f"  proposed masker: {seen.mask.name}"
    yield ""
    if rule is None:
        yield "Rule: none. A refresh stops here, or masks it, as on_undecided in policy.yaml says."
    else:
        yield f"Rule: {rule.mask.name}, by {rule.via or 'its own line'}" + (
            f", in {rule.where}" if rule.line else ""
        )
        if rule.mask.params:
            yield f"  parameters: {', '.join(map(str, rule.mask.params))}"
        if rule.why:
            yield f"  why: {rule.why}"
        if rule.by:
            yield f"  decided by: {rule.by}"
    if explained.accepted is not None:
        known = {name: value for name, value in vars(explained.accepted).items() if value}
        yield "Accepted: " + "; ".join(
            f"{name} {value if isinstance(value, str) else ', '.join(value)}" for name, value in known.items()
        )
    elif rule is not None:
        yield "Accepted: nothing is recorded; 'parity scan --write DIR' records what the column is."
    for problem in explained.problems:
        yield f"Problem: {problem.what} {problem.todo}"


def _words(text: str) -> str:
    return text.replace("_", " ")
