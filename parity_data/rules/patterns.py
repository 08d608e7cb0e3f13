"""Which rule a column gets: its own line, else the first pattern that names it, else that of its key.

1. A line of a schema file, written for the very column.
2. The first entry of ``patterns`` in policy.yaml whose tables and columns name it; within an entry a full
   name goes before one with wildcards.
3. The rule of the column at the other end of a validated foreign key: both sides are masked alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from parity_data.catalog.model import Catalog, ForeignKey, Name
from parity_data.rules.maskers import KEEP
from parity_data.rules.names import format_name
from parity_data.rules.policy import ColumnRule, Pattern, Policy


def matches(pattern: str, text: str) -> bool:
    """Whether a name with ``*`` (any characters) and ``?`` (one) fits a text, letter case included."""
    return pattern == text or (is_wild(pattern) and _expression(pattern).fullmatch(text) is not None)


def is_wild(pattern: str) -> bool:
    return "*" in pattern or "?" in pattern


@lru_cache(maxsize=4096)
def _expression(pattern: str) -> re.Pattern[str]:
    parts = (".*" if ch == "*" else "." if ch == "?" else re.escape(ch) for ch in pattern)
    return re.compile("".join(parts), re.DOTALL)


def resolve(policy: Policy, catalog: Catalog) -> Policy:
    """The policy with a rule for every column that any rule reaches. Doing it twice changes nothing."""
    columns = {name: [c.name for c in table.stored_columns] for name, table in catalog.tables.items()}
    filled = fill(policy, columns)
    rules = {name: dict(found) for name, found in filled.columns.items()}
    _follow_keys(filled, catalog, rules)
    return replace(filled, columns=rules)


def fill(policy: Policy, columns: Mapping[Name, Iterable[str]]) -> Policy:
    """The policy with the rules that patterns give to columns without a line of their own."""
    if not policy.patterns:
        return policy
    rules = {name: dict(found) for name, found in policy.columns.items()}
    for table, names in columns.items():
        entries = [p for p in policy.patterns if any(names_table(t, table) for t in p.tables)]
        for column in names:
            if column in rules.get(table, {}):
                continue
            for entry in entries:
                found = _rule_in(entry, column)
                if found is not None:
                    rules.setdefault(table, {})[column] = found
                    break
    return replace(policy, columns=rules)


def names_table(pattern: Name, table: Name) -> bool:
    """Whether a pattern for schema and table names a table."""
    return matches(pattern.schema, table.schema) and matches(pattern.name, table.name)


def _rule_in(entry: Pattern, column: str) -> ColumnRule | None:
    tables = ", ".join(format_name(t) for t in entry.tables)
    exact = entry.columns.get(column)
    if exact is not None:
        return replace(exact, via=f"the pattern {tables}, column {column}")
    for pattern, rule in entry.columns.items():
        if is_wild(pattern) and matches(pattern, column):
            return replace(rule, via=f"the pattern {tables}, column {pattern}", wildcard=True)
    return None


def _follow_keys(policy: Policy, catalog: Catalog, rules: dict[Name, dict[str, ColumnRule]]) -> None:
    """Give undecided sides of keys the rule of the other side, until nothing is left to give."""
    pairs = [pair for key in catalog.foreign_keys if key.validated for pair in _pairs(policy, catalog, key)]
    changed = True
    while changed:
        changed = False
        for key, column, referenced in pairs:
            own = rules.get(key.table, {}).get(column)
            other = rules.get(key.referenced, {}).get(referenced)
            if own is None and other is not None:
                place = f"{format_name(key.referenced)}.{referenced}"
                rules.setdefault(key.table, {})[column] = _through(other, key, place)
                changed = True
            elif other is None and own is not None and own.mask.name != KEEP:
                place = f"{format_name(key.table)}.{column}"
                rules.setdefault(key.referenced, {})[referenced] = _through(own, key, place)
                changed = True


def _pairs(policy: Policy, catalog: Catalog, key: ForeignKey) -> Iterator[tuple[ForeignKey, str, str]]:
    if not (policy.covers_rows_of(key.table) and policy.covers_rows_of(key.referenced)):
        return
    for column, referenced in zip(key.columns, key.referenced_columns, strict=True):
        if key.referenced in catalog.tables and not catalog.tables[key.table].column(column).generated:
            yield key, column, referenced


def _through(rule: ColumnRule, key: ForeignKey, place: str) -> ColumnRule:
    return replace(
        rule, via=f"the foreign key {key.name}: masked like {place}", wildcard=False, why=None, by=None
    )
