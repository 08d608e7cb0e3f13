"""Production now against production as it was accepted: what changed under rules that still stand.

A column without a record is passed over here: nothing is known to have changed. Only a wildcard of a
pattern keeps nothing that nobody has seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from parity_data.catalog.model import Catalog, Column, Name, Table
from parity_data.rules.accepted import (
    ACCEPTED_FILE,
    UNREADABLE,
    Looked,
    new_partitions,
    observe,
    opens,
    unread,
)
from parity_data.rules.check import (
    CHANGED_TYPE,
    NEW_COLUMN,
    NEW_LABEL,
    NEW_PARTITION,
    NEW_PATH,
    NOT_READ,
    NOW_PERSONAL,
    Problem,
    said,
)
from parity_data.rules.maskers import KEEP
from parity_data.rules.names import format_name
from parity_data.rules.policy import AcceptedColumn, ColumnRule, Policy

#: Paths that one sentence names.
NAMED_PATHS = 5


def check_accepted(policy: Policy, catalog: Catalog, seen: Iterable[Looked] | None) -> list[Problem]:
    """Everything in production that differs from what was accepted, in the catalog's order.

    policy: resolved against the catalog. seen: what detection saw in every column, None when nobody looked
    at values.
    """
    looked = {(s.table, s.column): s for s in seen or ()}
    problems: list[Problem] = [
        Problem(
            format_name(name),
            f"{ACCEPTED_FILE} has the table {format_name(name)}, which production no longer has.",
            f"'parity scan --write {policy.folder.name}' takes it out.",
            f"{policy.folder.name}/{ACCEPTED_FILE}",
        )
        for name in policy.accepted
        if name not in catalog.tables and policy.covers_rows_of(name)
    ]
    for name, table in catalog.tables.items():
        if not policy.covers_rows_of(name):
            continue
        problems += _partitions(policy, table)
        known = policy.accepted.get(name)
        for column in table.stored_columns:
            rule = policy.rule(name, column.name)
            if rule is not None:
                old = known.columns.get(column.name) if known else None
                problems += _column(
                    policy.folder.name, table, column, rule, old, looked.get((name, column.name))
                )
    return problems


def unrecorded(policy: Policy, catalog: Catalog) -> list[str]:
    """Columns with a rule of which nobody has recorded what they were when it was made."""
    return [
        f"{format_name(name)}.{column.name}"
        for name, table in catalog.tables.items()
        if policy.covers_rows_of(name)
        for known in [policy.accepted.get(name)]
        for column in table.stored_columns
        if policy.rule(name, column.name) and (known is None or column.name not in known.columns)
    ]


def _partitions(policy: Policy, table: Table) -> Iterator[Problem]:
    known = policy.accepted.get(table.name)
    if known is None or table.kind != "p":
        return
    for leaf in new_partitions(table, known.partitions):
        where, parent = format_name(leaf.name), format_name(table.name)
        yield Problem(
            where,
            f"{where} is a new partition of {parent}; the rules of {parent} would apply to it.",
            f"Look at what it holds, then accept it: parity scan --write {policy.folder.name} --accept "
            f"{parent!r}; or add it, or {_pattern(leaf.name)}, to the partitions in accepted.yaml.",
            cause=NEW_PARTITION,
            table=table.name,
        )


def _pattern(name: Name) -> str:
    """The name with ``*`` for the digits at its end."""
    return format_name(Name(name.schema, re.sub(r"[0-9][0-9_]*$", "", name.name) + "*"))


def _column(
    folder: str,
    table: Table,
    column: Column,
    rule: ColumnRule,
    old: AcceptedColumn | None,
    seen: Looked | None,
) -> Iterator[Problem]:
    if old is None:
        if rule.wildcard and rule.mask.name == KEEP:
            yield _problem(
                folder,
                table,
                column,
                rule,
                seen,
                NEW_COLUMN,
                f"is new, and only {rule.via} would keep it: a wildcard keeps nothing that nobody has seen.",
            )
        return
    now = observe(column, rule.mask.name, seen)
    if now.type != old.type:
        what = f"was {old.type} when its rule was accepted, and is {now.type}."
        yield _problem(folder, table, column, rule, seen, CHANGED_TYPE, what)
    elif set(now.attributes) != set(old.attributes):
        new = sorted(set(now.attributes) - set(old.attributes)) or ["one less"]
        what = f"is of a composite type that has changed since: {', '.join(new)}."
        yield _problem(folder, table, column, rule, seen, CHANGED_TYPE, what)
    elif rule.mask.name != KEEP and set(now.labels) - set(old.labels):
        new = sorted(set(now.labels) - set(old.labels))
        what = f"is masked, and its type has new labels: {', '.join(new[:NAMED_PATHS])}."
        yield _problem(folder, table, column, rule, seen, NEW_LABEL, what)
    if seen is None:
        return
    yield from _values(folder, table, column, rule, old, now, seen)


def _values(
    folder: str,
    table: Table,
    column: Column,
    rule: ColumnRule,
    old: AcceptedColumn,
    now: AcceptedColumn,
    seen: Looked,
) -> Iterator[Problem]:
    """What a look at the values says that was not so before."""
    if not opens(rule.mask.name):
        return  # masked whole, whatever it holds
    reason = unread(seen)
    kept = rule.mask.name == KEEP
    if reason is not None:
        if UNREADABLE not in old.looks:
            what = f"could not be looked into ({reason}), and unread is undecided."
            yield _problem(folder, table, column, rule, seen, NOT_READ, what)
        return
    paths = [p for p in seen.paths if p.path not in old.paths]
    if kept:
        # Harmless paths come and go; what matters of a column that is kept is who is in it.
        paths = [p for p in paths if p.band != "not_personal"] if old.paths else []
    if paths:
        named = "; ".join(f"{p.path} ({p.kind.replace('_', ' ')}: {p.why})" for p in paths[:NAMED_PATHS])
        more = f" and {len(paths) - NAMED_PATHS} more" if len(paths) > NAMED_PATHS else ""
        what = f"has paths that nobody has accepted: {named}{more}."
        yield _problem(folder, table, column, rule, seen, NEW_PATH, what)
    elif kept and set(now.looks) - set(old.looks) - _known_paths(old, seen):
        what = f"is kept, and its values now look personal ({seen.kind.replace('_', ' ')})."
        yield _problem(folder, table, column, rule, seen, NOW_PERSONAL, what)


def _known_paths(old: AcceptedColumn, seen: Looked) -> set[str]:
    """Documents are judged path by path: one whose personal paths were all accepted is no news."""
    personal = [p for p in seen.paths if p.band == "personal"]
    return {seen.kind} if personal and old.looks and all(p.path in old.paths for p in personal) else set()


def _problem(
    folder: str, table: Table, column: Column, rule: ColumnRule, seen: Looked | None, cause: str, what: str
) -> Problem:
    where = f"{format_name(table.name)}.{column.name}"
    reasons = said(seen)
    proposed = ""
    if seen is not None and seen.mask != rule.mask:
        proposed = f" Detection proposes {seen.mask.name}" + (f": {reasons[0]}." if reasons else ".")
    return Problem(
        where,
        f"{where} {what}",
        f"{proposed.strip()} Mend the rule if it no longer fits, then accept: "
        f"parity scan --write {folder} --accept {where!r}".strip(),
        rule.file or None,
        rule.line or None,
        cause=cause,
        table=table.name,
        column=column.name,
        mask=seen.mask if seen is not None else None,
        evidence=reasons,
    )
