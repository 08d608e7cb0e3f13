"""References that the database does not declare, suggested by inclusion: values of one column that are keys.

Small integers lie in any serial key, so their columns must be named after the table; a UUID tells enough.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from psycopg import sql

from parity_data.catalog.arrow import ArrowReader
from parity_data.catalog.model import Catalog, Column, Table
from parity_data.catalog.reading import own_rows
from parity_data.errors import SourceError
from parity_data.rules.check_subset import comparable
from parity_data.rules.names import format_name
from parity_data.rules.policy import Policy
from parity_data.subset.links import Link

#: Values of a column that are looked up, and how many different ones it takes to tell.
_ROWS, _LEAST = 10_000, 20
#: Share of the values that must be found.
_FOUND = 0.99
#: What YAML reads as something else than a word.
_NO_WORDS = frozenset(["yes", "no", "on", "off", "true", "false", "null", "y", "n"])
#: Pairs of columns that are compared at most.
_PAIRS = 300

_ENDINGS = re.compile(r"_?(id|uuid|guid|key|code|ref|number|no|nr)$")

_INCLUDED = sql.SQL(
    "SELECT count(*) AS c0, count(*) FILTER (WHERE EXISTS"
    " (SELECT FROM (SELECT * FROM {referenced}) AS r WHERE r.{key} = different.value)) AS c1"
    " FROM (SELECT DISTINCT value FROM (SELECT {column} AS value FROM {table} WHERE {column} IS NOT NULL"
    " LIMIT {rows}) AS first_rows) AS different"
)


@dataclass(frozen=True)
class Suggestion:
    """A reference that seems to be there. values: different ones looked up; found: of these, as keys."""

    link: Link
    values: int
    found: int

    def as_yaml(self) -> str:
        """The line for ``subset.virtual_keys``."""
        link = self.link
        columns, referenced = (
            ", ".join(map(_word, listed)) for listed in (link.columns, link.referenced_columns)
        )
        return (
            f"- {{table: {_word(format_name(link.table))}, columns: [{columns}], "
            f"referenced: {_word(format_name(link.referenced))}, referenced_columns: [{referenced}]}}"
        )


def _word(text: str) -> str:
    """A name as YAML has it, quoted where it must be."""
    plain = re.fullmatch(r"[A-Za-z_][\w.]*", text) and text.lower() not in _NO_WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)


def suggest_keys(reader: ArrowReader, catalog: Catalog, policy: Policy) -> Iterator[Suggestion]:
    """Columns whose values are nearly all keys of another table, of those that no key covers. Only reads.

    Ends early where the server refuses a comparison: the reader's transaction is then over.
    """
    try:
        yield from _suggest(reader, catalog, policy)
    except SourceError:
        return


def _suggest(reader: ArrowReader, catalog: Catalog, policy: Policy) -> Iterator[Suggestion]:
    for table, column, other, key in list(_pairs(catalog, policy))[:_PAIRS]:
        query = _INCLUDED.format(
            referenced=own_rows(other),
            key=sql.Identifier(key.name),
            column=sql.Identifier(column.name),
            table=own_rows(table),
            rows=sql.Literal(_ROWS),
        )
        for batch in reader.batches(query, f"{table.name}.{column.name}"):
            for values, found in zip(*(part.to_pylist() for part in batch.columns), strict=True):
                if values >= _LEAST and found >= _FOUND * values:
                    own = (column.name,)
                    name = f"suggested ({column.name}) to {other.name}"
                    link = Link(name, table.name, own, other.name, (key.name,), "virtual")
                    yield Suggestion(link, values, found)


def _pairs(catalog: Catalog, policy: Policy) -> Iterator[tuple[Table, Column, Table, Column]]:
    """Columns that may refer to a key, those named after its table first."""
    tables = [table for name, table in catalog.tables.items() if policy.covers_rows_of(name)]
    keys = [(t, t.column(t.primary_key[0])) for t in tables if len(t.primary_key) == 1]
    unsure: list[tuple[Table, Column, Table, Column]] = []
    for table in tables:
        covered = {c for key in table.foreign_keys for c in key.columns}
        covered |= {c for key in policy.subset.virtual_keys if key.table == table.name for c in key.columns}
        for column in table.stored_columns:
            if column.name in covered or (column.name,) == table.primary_key or _varies(column, table):
                continue
            fitting = [(t, k) for t, k in keys if t is not table and comparable(column, k)]
            named = [(t, k) for t, k in fitting if _named_after(column.name, t, k)]
            yield from ((table, column, other, key) for other, key in named)
            if not named and column.type.plain.name.name == "uuid":
                unsure += [(table, column, other, key) for other, key in fitting]
    yield from unsure


def _varies(column: Column, table: Table) -> bool:
    """Whether another column tells what this one refers to: ``subject_type`` beside ``subject_id``."""
    base = _ENDINGS.sub("", column.name)
    names = {c.name for c in table.columns}
    return bool({f"{base}_type", f"{base}_kind", f"{base}_table"} & names)


def _named_after(column: str, table: Table, key: Column) -> bool:
    """``customer_id``, ``customer`` and ``paying_customer_id`` after ``customers``; a key after itself."""
    if column.lower() == key.name.lower() and _ENDINGS.sub("", key.name.lower()):
        return True
    base = _singular(_ENDINGS.sub("", column.lower()))
    own = _singular(table.name.name.lower())
    return bool(base) and (base == own or base.endswith(f"_{own}"))


def _singular(word: str) -> str:
    if word.endswith("ies"):
        return word[:-3] + "y"
    return (
        word.removesuffix("es") if word.endswith(("ses", "xes", "ches", "shes")) else word.removesuffix("s")
    )
