"""The policy's ``subset:`` section against the catalog."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from parity_data.catalog.model import Catalog, Column, Name, Table
from parity_data.rules.check_relink import check_relink
from parity_data.rules.names import did_you_mean, format_name, parse_name
from parity_data.rules.policy import Policy
from parity_data.rules.subset import TableSubset, VirtualKey

_INTEGERS = frozenset({"int2", "int4", "int8"})
_TEXTS = frozenset({"text", "varchar", "bpchar", "name", "citext"})
_TIMES = frozenset({"date", "timestamp", "timestamptz"})


@dataclass(frozen=True)
class Misfit:
    """Something that the section says and the catalog does not have. where: the table; line: None unknown."""

    where: str
    what: str
    todo: str
    line: int | None


def comparable(left: Column, right: Column) -> bool:
    """Whether values of both columns can be equal: same type below all domains, or of one family."""
    one, other = left.type.plain, right.type.plain
    families = (_INTEGERS, _TEXTS)
    return one.name == other.name or any(one.name.name in f and other.name.name in f for f in families)


def check_subset(policy: Policy, catalog: Catalog) -> Iterator[Misfit]:
    """Everything in the section that does not fit, in the order of the file."""
    for name, rules in policy.subset.tables.items():
        if name.schema not in policy.ignore_schemas:
            yield from _Entry(policy, catalog, name).check(rules)
    yield from _cycles(policy, catalog)
    for i, key in enumerate(policy.subset.virtual_keys):
        yield from _virtual_key(policy, catalog, i, key)


def line_of(policy: Policy, table: Name, *path: object, section: str = "subset.tables.") -> int | None:
    """The line of ``<section><table>``, or of what stands below it."""
    for prefix in _spellings(policy, table, section):
        for end in range(len(path), -1, -1):
            line = policy.lines.get(".".join([prefix, *map(str, path[:end])]))
            if line is not None:
                return line
    return None


def _spellings(policy: Policy, table: Name, section: str) -> Iterator[str]:
    """How the file may write the table: as it would be formatted, or with more quotes than needed."""
    yield section + format_name(table)
    for path in policy.lines:
        if path.startswith(section):
            try:
                same = parse_name(path.removeprefix(section)) == table
            except ValueError:
                continue
            if same:
                yield path


class _Entry:
    """One table under ``tables:``."""

    def __init__(self, policy: Policy, catalog: Catalog, name: Name) -> None:
        self._policy, self._catalog, self._name = policy, catalog, name
        self._table = catalog.tables.get(name)

    def check(self, rules: TableSubset) -> Iterator[Misfit]:
        if self._table is None:
            close = did_you_mean(format_name(self._name), [format_name(n) for n in self._catalog.tables])
            yield Misfit(
                format_name(self._name),
                f"subset.tables names {format_name(self._name)}, which the catalog does not have.",
                f"Did you mean {close}?" if close else "Remove it.",
                self._line(),
            )
            return
        lists = {"owner": rules.owner, "strata": rules.strata, "extremes": rules.extremes}
        for key, columns in (*lists.items(), ("latest", (rules.latest,) if rules.latest else ())):
            for i, column in enumerate(columns):
                yield from self._column(key, i, column)
        if rules.owner and all(_has(self._table, c) for c in rules.owner):
            yield from self._owner(rules)
        if rules.latest and _has(self._table, rules.latest):
            latest = self._table.column(rules.latest)
            if latest.type.plain.name.name not in _TIMES:
                yield self._misfit(
                    "latest",
                    what=f"latest needs a date or a time, and {rules.latest!r} is {latest.sql_type}.",
                    todo="Name another column.",
                )
        if rules.ids and len(self._table.primary_key) != 1:
            yield self._misfit(
                "ids",
                what="ids needs a primary key of one column, which the table does not have.",
                todo="Write the rows as a condition under keep.",
            )
        if rules.fraction is not None and rules.rows is not None:
            yield self._misfit("rows", what="fraction and rows are both given.", todo="Remove one of them.")
        for i, what, todo in check_relink(self._policy, self._catalog, self._name):
            yield self._misfit("relink", i, what=what, todo=todo)

    def _column(self, key: str, i: int, column: str) -> Iterator[Misfit]:
        assert self._table is not None
        if _has(self._table, column):
            return
        close = did_you_mean(column, [c.name for c in self._table.columns])
        todo = f"Did you mean {close!r}?" if close else "Remove it."
        yield self._misfit(key, i, what=f"{key} names the column {column!r}, which is not there.", todo=todo)

    def _owner(self, rules: TableSubset) -> Iterator[Misfit]:
        assert self._table is not None
        keys = [key.columns for key in self._table.foreign_keys]
        keys += [
            k.columns for k in self._policy.subset.virtual_keys if k.table == self._name and k.when is None
        ]
        if not any(set(columns) == set(rules.owner) for columns in keys):
            known = "; ".join(", ".join(columns) for columns in keys) or "none"
            yield self._misfit(
                "owner",
                what=f"No foreign key of the table has the columns {', '.join(rules.owner)}.",
                todo=f"Its foreign keys have: {known}. One that is missing goes under subset.virtual_keys.",
            )
        elif rules.role is not None:
            yield self._misfit(
                "role",
                what=f"The table has an owner and the role {rules.role!r}.",
                todo="Remove one of them: a table with an owner follows it.",
            )

    def _misfit(self, *path: object, what: str, todo: str) -> Misfit:
        return Misfit(format_name(self._name), f"{format_name(self._name)}: {what}", todo, self._line(*path))

    def _line(self, *path: object) -> int | None:
        return line_of(self._policy, self._name, *path)


def _has(table: Table, column: str) -> bool:
    return any(c.name == column for c in table.columns)


def _cycles(policy: Policy, catalog: Catalog) -> Iterator[Misfit]:
    """Owners that lead back to where they started: no table of the circle would be sampled itself."""
    after = {
        name: _owner_of(policy, catalog, name, rules.owner)
        for name, rules in policy.subset.tables.items()
        if rules.owner
    }
    seen: set[Name] = set()
    for start in after:
        path = [start]
        while (following := after.get(path[-1])) is not None and following not in path:
            path.append(following)
        if following == start and not seen.intersection(path):
            seen.update(path)
            circle = " -> ".join(format_name(name) for name in [*path, start])
            yield Misfit(
                format_name(start),
                f"The owners form a circle without a root: {circle}.",
                "Remove the owner of the table that is to be sampled itself.",
                line_of(policy, start, "owner"),
            )


def _owner_of(policy: Policy, catalog: Catalog, name: Name, columns: tuple[str, ...]) -> Name | None:
    """The table that the key with these columns refers to; None for none, or for itself."""
    table = catalog.tables.get(name)
    keys = [(key.columns, key.referenced) for key in table.foreign_keys] if table else []
    keys += [(key.columns, key.referenced) for key in policy.subset.virtual_keys if key.table == name]
    found = [to for own, to in keys if set(own) == set(columns) and to != name]
    return found[0] if found else None


def _virtual_key(policy: Policy, catalog: Catalog, i: int, key: VirtualKey) -> Iterator[Misfit]:
    path = f"subset.virtual_keys.{i}"

    def misfit(at: str, what: str, todo: str) -> Misfit:
        line = policy.lines.get(f"{path}.{at}", policy.lines.get(path))
        return Misfit(format_name(key.table), f"A virtual key {what}", todo, line)

    sides = (
        ("table", key.table, key.columns, "columns"),
        ("referenced", key.referenced, key.referenced_columns, "referenced_columns"),
    )
    sound = True
    for at, name, columns, listed in sides:
        table = catalog.tables.get(name)
        if table is None:
            close = did_you_mean(format_name(name), [format_name(known) for known in catalog.tables])
            todo = f"Did you mean {close}?" if close else "Remove it."
            yield misfit(at, f"names {format_name(name)}, which the catalog does not have.", todo)
            sound = False
            continue
        wanted = [*columns, *([key.when[0]] if key.when and at == "table" else [])]
        for column in wanted:
            if not _has(table, column):
                close = did_you_mean(column, [c.name for c in table.columns])
                todo = f"Did you mean {close!r}?" if close else "Remove it."
                where = listed if column in columns else "when"
                yield misfit(where, f"names {format_name(name)}.{column}, which is not there.", todo)
                sound = False
    if sound and len(key.columns) != len(key.referenced_columns):
        yield misfit(
            "columns",
            f"has {len(key.columns)} column(s) that refer to {len(key.referenced_columns)}.",
            "Write as many referenced columns as columns.",
        )
    elif sound:
        yield from _types(catalog, key, misfit)


def _types(catalog: Catalog, key: VirtualKey, misfit: Callable[[str, str, str], Misfit]) -> Iterator[Misfit]:
    for own, other in zip(key.columns, key.referenced_columns, strict=True):
        left, right = catalog.tables[key.table].column(own), catalog.tables[key.referenced].column(other)
        if not comparable(left, right):
            yield misfit(
                "columns",
                f"compares {format_name(key.table)}.{own} ({left.sql_type}) with "
                f"{format_name(key.referenced)}.{other} ({right.sql_type}), which are never equal.",
                "Name columns of one type.",
            )
