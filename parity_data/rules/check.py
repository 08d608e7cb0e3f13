"""Policy against catalog: everything that a refresh must not start with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from parity_data.catalog.model import Catalog, Column, ForeignKey, Name, Table
from parity_data.errors import RulesError
from parity_data.mask import MaskSpec
from parity_data.rules.accepted import type_text
from parity_data.rules.check_subset import check_subset, line_of
from parity_data.rules.maskers import KEEP, incompatible, masked_alike, spec_parts, suggested
from parity_data.rules.names import did_you_mean, format_name
from parity_data.rules.patterns import matches, names_table, resolve
from parity_data.rules.policy import ColumnRule, Policy
from parity_data.rules.profiles import check_profiles
from parity_data.rules.propose import lines_for

#: How many columns the first sentence of an error names.
NAMED_COLUMNS = 10

#: How many problems one error spells out.
LISTED_PROBLEMS = 50


#: Causes of problems. All but the first are changes of production, which a policy may have masked.
MISTAKE = "mistake"
NEW_TABLE, NEW_COLUMN, NEW_PARTITION = "new table", "new column", "new partition"
CHANGED_TYPE, NEW_LABEL, NEW_PATH = "changed type", "new label", "new path"
NOW_PERSONAL, NOT_READ = "now looks personal", "could not be read"


class Proposal(Protocol):
    """What detection says of a column; ``detect.Decision`` is one."""

    @property
    def table(self) -> Name: ...
    @property
    def column(self) -> str: ...
    @property
    def mask(self) -> MaskSpec: ...
    @property
    def kind(self) -> str: ...
    @property
    def band(self) -> str: ...


@dataclass(frozen=True)
class Problem:
    """One thing to mend. where: ``schema.table.column``. file, line: of the rule, or of the one to add below.

    yaml: lines to add, ready to paste, None when nothing is to be added. cause: MISTAKE for what only a
    person can mend in the rules, else what happened in production that nobody has decided on. table,
    column, mask: what it is about and the mask proposed, where there is one. evidence: in words.
    """

    where: str
    what: str
    todo: str
    file: str | None = None
    line: int | None = None
    yaml: str | None = None
    cause: str = MISTAKE
    table: Name | None = None
    column: str | None = None
    mask: MaskSpec | None = None
    evidence: tuple[str, ...] = ()

    @property
    def place(self) -> str:
        """``file:line`` where there is one, else the column."""
        return f"{self.file}:{self.line}" if self.file and self.line else self.where


def check_policy(
    policy: Policy, catalog: Catalog, proposals: Iterable[Proposal] | None = None
) -> list[Problem]:
    """Everything in which policy and catalog do not fit, in the catalog's order.

    proposals: detection's decisions, whose masks are put into the lines to paste. Without one, the lines
    say ``keep`` for nobody to paste unread: the sentence asks for a decision.
    """
    policy = resolve(policy, catalog)
    proposed = {(p.table, p.column): p for p in proposals or ()}
    problems: list[Problem] = []
    for table in catalog.tables.values():
        if policy.covers_rows_of(table.name):
            problems += _columns(policy, table, proposed)
    problems += _rules_without_column(policy, catalog)
    for key in catalog.foreign_keys:
        problems += _foreign_key(policy, catalog, key)
    problems += check_names(policy, catalog)
    problems += _idle_patterns(policy, catalog)
    return problems


def check_names(policy: Policy, catalog: Catalog) -> list[Problem]:
    """What policy.yaml names and the catalog does not have, or not so: tables, schemas, columns of pairs, the
    whole subset.
    """
    problems = list(_named_tables(policy, catalog))
    problems += [Problem(m.where, m.what, m.todo, policy.file, m.line) for m in check_subset(policy, catalog)]
    for name, pair, what, todo in check_profiles(policy.profiles, catalog, policy.ignore_schemas):
        line = line_of(policy, name, *([] if pair is None else [pair]), section="profiles.pairs.")
        problems.append(Problem(format_name(name), what, todo, policy.file, line))
    return problems


def error_for(problems: list[Problem], policy: Policy) -> RulesError:
    """One error for all problems. problems: at least one."""
    undecided = [p for p in problems if p.yaml is not None]
    others = [p for p in problems if p.yaml is None]
    lines = [f"\n  {p.place}: {p.what} {p.todo}" for p in others[:LISTED_PROBLEMS]]
    if len(others) > LISTED_PROBLEMS:
        lines.append(f"\n  and {len(others) - LISTED_PROBLEMS} more")
    if undecided:
        folder = policy.folder.name
        lines.append(f"\n\nDecide and add to {folder}/ ('parity scan --write {folder}' does it for all):\n")
        lines += _paste(undecided[:LISTED_PROBLEMS])
        if len(undecided) > LISTED_PROBLEMS:
            lines.append(f"# and {len(undecided) - LISTED_PROBLEMS} more\n")
    return RulesError(_headline(undecided, others) + "".join(lines).rstrip("\n"), where=policy.folder.name)


def _headline(undecided: list[Problem], others: list[Problem]) -> str:
    """What happened, with the names of up to ten columns."""
    if undecided:
        noun, named = ("columns have" if len(undecided) > 1 else "column has"), undecided
        what = f"{len(undecided)} {noun} no rule"
    elif all(p.cause == MISTAKE for p in others):
        noun, named = ("rules do" if len(others) > 1 else "rule does"), others
        what = f"{len(others)} {noun} not fit the catalog"
    else:
        named = [p for p in others if p.cause != MISTAKE]
        what = f"{len(named)} change(s) of production that nobody has accepted"
    names = ", ".join(dict.fromkeys(p.where for p in named[:NAMED_COLUMNS]))
    more = f" and {len(named) - NAMED_COLUMNS} more" if len(named) > NAMED_COLUMNS else ""
    return f"{what}: {names}{more}."


def _paste(undecided: list[Problem]) -> Iterator[str]:
    """The lines to add, with what stands above them written once."""
    above: tuple[list[str], str] | None = None
    for problem in undecided:
        *head, rule = (problem.yaml or "").splitlines()
        place = f"in {problem.file}, below line {problem.line}" if problem.file else "in a new file"
        if (head, place) != above:
            above = (head, place)
            yield f"\n# {place}\n" + "".join(f"{line}\n" for line in head)
        yield f"{rule}  # {problem.todo}\n"


def _columns(
    policy: Policy, table: Table, proposed: Mapping[tuple[Name, str], Proposal]
) -> Iterator[Problem]:
    for column in table.columns:
        where = f"{format_name(table.name)}.{column.name}"
        rule = policy.rule(table.name, column.name)
        if column.generated:
            if rule is not None and spec_parts(rule.mask)[0] != KEEP:
                yield _at(
                    rule,
                    where,
                    f"{where} is a generated column: staging computes it from the masked columns.",
                    "Remove the rule, or write keep.",
                )
            continue
        if rule is None:
            yield _undecided(policy, table, column, where, proposed.get((table.name, column.name)))
            continue
        reason = incompatible(rule.mask, column, table)
        if reason is not None and not _type_changed(policy, table, column):
            yield _at(
                rule,
                where,
                f"The masker {spec_parts(rule.mask)[0]!r} does not fit {where} ({column.sql_type}): {reason}",
                _instead(suggested(rule.mask, column, table)),
            )


def _instead(maskers: list[str]) -> str:
    if not maskers:
        return "Choose another masker; 'parity maskers' lists them."
    last = f" or {maskers[-1]}" if len(maskers) > 1 else maskers[-1]
    return f"What fits is {', '.join(maskers[:-1])}{last}."


def _type_changed(policy: Policy, table: Table, column: Column) -> bool:
    """Whether the type is another than accepted; the comparison with what was accepted then says so."""
    known = policy.accepted.get(table.name)
    old = known.columns.get(column.name) if known else None
    return old is not None and old.type != type_text(column)


def _undecided(
    policy: Policy, table: Table, column: Column, where: str, proposal: Proposal | None
) -> Problem:
    neighbours = [rule for rule in policy.columns.get(table.name, {}).values() if not rule.via]
    level = "column" if neighbours else "table"
    if not neighbours:
        rules = [rules for name, rules in policy.columns.items() if name.schema == table.name.schema]
        neighbours = [rule for table_rules in rules for rule in table_rules.values() if not rule.via]
        level = "table" if neighbours else "schema"
    last = max(neighbours, key=lambda rule: (rule.file == neighbours[0].file, rule.line), default=None)
    mask = proposal.mask if proposal is not None else None
    evidence = said(proposal)
    todo = "Decide: is it personal data?"
    if proposal is not None:
        todo = f"Detection says {proposal.band.replace('_', ' ')} ({proposal.kind.replace('_', ' ')})."
    if evidence:
        todo = f"{todo[:-1]}: {evidence[0]}."
    new_table = table.name not in policy.accepted and not policy.columns.get(table.name)
    return Problem(
        where=where,
        what=f"{where} ({column.sql_type}) has no rule.",
        todo=todo,
        file=last.file if last else None,
        line=last.line if last else None,
        yaml=lines_for(column.name, mask, table=table.name.name, schema=table.name.schema, level=level),
        cause=NEW_TABLE if new_table else NEW_COLUMN,
        table=table.name,
        column=column.name,
        mask=mask,
        evidence=evidence,
    )


def said(proposal: Proposal | None) -> tuple[str, ...]:
    """What speaks for a proposal, each on one line: for its kind first, then the strongest."""
    if proposal is None:
        return ()
    found = [e for e in getattr(proposal, "evidence", ()) if e.weight > 0]
    found.sort(key=lambda e: (e.kind != proposal.kind, -e.weight))
    return tuple(" ".join(e.reason.split()) for e in found)


def _at(rule: ColumnRule, where: str, what: str, todo: str) -> Problem:
    return Problem(where, what, todo, rule.file or None, rule.line or None)


def _rules_without_column(policy: Policy, catalog: Catalog) -> Iterator[Problem]:
    for name, rules in policy.columns.items():
        if name.schema in policy.ignore_schemas:
            continue
        table = catalog.tables.get(name)
        for column, rule in rules.items():
            where = f"{format_name(name)}.{column}"
            if table is None:
                close = _close_table(name, catalog)
                todo = f"Did you mean {close}?" if close else "Remove the table from the rules."
                yield _at(rule, where, f"There is no table {format_name(name)}.", todo)
                break
            known = [c.name for c in table.columns]
            if column not in known:
                match = did_you_mean(column, [c for c in known if c not in rules] or known)
                todo = f"Did you mean {match!r}?" if match else "Remove the line."
                yield _at(rule, where, f"{format_name(name)} has no column {column!r}.", todo)


def _close_table(name: Name, catalog: Catalog) -> str | None:
    return did_you_mean(format_name(name), [format_name(known) for known in catalog.tables])


def _foreign_key(policy: Policy, catalog: Catalog, key: ForeignKey) -> Iterator[Problem]:
    """Both sides of a key must be masked alike, or rows no longer find what they refer to."""
    if not (policy.covers_rows_of(key.table) and policy.covers_rows_of(key.referenced)):
        return
    for column, referenced in zip(key.columns, key.referenced_columns, strict=True):
        rule, other = policy.rule(key.table, column), policy.rule(key.referenced, referenced)
        if rule is None or other is None or _generated(catalog, key.table, column):
            continue
        if not masked_alike(rule.mask, other.mask):
            where = f"{format_name(key.table)}.{column}"
            yield _at(
                rule,
                where,
                f"{where} refers to {format_name(key.referenced)}.{referenced} (foreign key {key.name}), "
                f"but the two are masked differently; the other rule is in {other.where}.",
                "Give both the same mask, domain and params.",
            )


def _generated(catalog: Catalog, table: Name, column: str) -> bool:
    return bool(catalog.tables[table].column(column).generated)


def _idle_patterns(policy: Policy, catalog: Catalog) -> Iterator[Problem]:
    """Patterns that name no table, and columns of patterns that no table of theirs has."""
    for i, pattern in enumerate(policy.patterns):
        line = policy.lines.get(f"patterns.{i}")
        fitting = []
        for wanted in pattern.tables:
            found = [table for name, table in catalog.tables.items() if names_table(wanted, name)]
            fitting += found
            if not found and wanted.schema not in policy.ignore_schemas:
                name = format_name(wanted)
                close = _close_table(wanted, catalog)
                todo = f"Did you mean {close}?" if close else "Remove it, or mend the pattern."
                yield Problem(
                    name, f"patterns names {name}, which no table is called.", todo, policy.file, line
                )
        known = {column.name for table in fitting for column in table.columns}
        for column, rule in pattern.columns.items() if fitting else ():
            if not any(matches(column, name) for name in known):
                close = did_you_mean(column, known)
                todo = f"Did you mean {close!r}?" if close else "Remove the line."
                yield _at(rule, column, f"No table of this pattern has a column {column!r}.", todo)


def _named_tables(policy: Policy, catalog: Catalog) -> Iterator[Problem]:
    named = [("subset.roots", str(i), name) for i, name in enumerate(policy.roots)]
    named += [("subset.keep_all", str(i), name) for i, name in enumerate(policy.keep_all)]
    named += [("exclude_rows", format_name(name), name) for name in policy.exclude_rows]
    for section, entry, name in named:
        if name in catalog.tables or name.schema in policy.ignore_schemas:
            continue
        close = _close_table(name, catalog)
        yield Problem(
            where=format_name(name),
            what=f"{section} names {format_name(name)}, which the catalog does not have.",
            todo=f"Did you mean {close}?" if close else "Remove it.",
            file=policy.file,
            line=policy.lines.get(f"{section}.{entry}"),
        )
    schemas = {name.schema for name in catalog.tables}
    for i, schema in enumerate(policy.ignore_schemas):
        if schema not in schemas:
            close = did_you_mean(schema, schemas)
            yield Problem(
                where=schema,
                what=f"ignore_schemas names {schema!r}, which has no tables.",
                todo=f"Did you mean {close!r}?" if close else "Remove it.",
                file=policy.file,
                line=policy.lines.get(f"ignore_schemas.{i}"),
            )
