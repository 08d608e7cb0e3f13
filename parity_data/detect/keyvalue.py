"""Key-value tables: a column of names beside a column of values, judged name by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from parity_data.catalog.model import Table
from parity_data.detect.tokens import words
from parity_data.detect.types import class_of
from parity_data.detect.values import Sample

#: Last words of columns that hold names of fields, and of those that hold what they are set to.
# fmt: off
_KEYS = frozenset([
    "key", "keys", "attribute", "attr", "property", "prop", "field", "setting", "option", "parameter",
    "param", "variable", "name", "code", "type", "schluessel", "schlussel", "merkmal", "attribut", "cle",
    "clave", "chave", "chiave", "sleutel", "klucz",
])
_VALUES = frozenset([
    "value", "values", "val", "content", "data", "text", "wert", "inhalt", "valeur", "valor", "valore",
    "waarde", "wartosc", "string",
])
# fmt: on
#: Distinct keys up to which a column may hold names of fields, and rows each has on average at least.
MOST_KEYS, LEAST_ROWS = 60, 3


@dataclass(frozen=True)
class Pair:
    """Two columns of one table: names of fields, and values."""

    keys: str
    values: str


def pair_of(table: Table) -> Pair | None:
    """The key and value columns of a table that looks like a key-value table, None for any other."""
    texts = [column.name for column in table.columns if class_of(column) in ("text", "enum")]
    values = [name for name in texts if (found := words(name)) and found[-1] in _VALUES]
    keys = [name for name in texts if (found := words(name)) and found[-1] in _KEYS and name not in values]
    return Pair(keys[0], values[0]) if len(values) == 1 and len(keys) >= 1 else None


def split_by_key(rows: Sequence[tuple[str | None, str | None]]) -> Iterator[tuple[str, Sample]]:
    """(key, sample of its values) of a key-value table's rows; none when keys are too many to be names."""
    grouped: dict[str, list[str]] = {}
    for key, value in rows:
        if key and value is not None:
            grouped.setdefault(key.strip(), []).append(value.strip())
    if not grouped or len(grouped) > MOST_KEYS or len(rows) < LEAST_ROWS * len(grouped):
        return
    for key, values in grouped.items():
        distinct = dict.fromkeys(value for value in values if value)
        yield key, Sample(tuple(distinct), len(values), len(values))
