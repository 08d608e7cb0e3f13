"""The safest mask for a column that nobody has decided on: nothing of it is left, or nothing readable."""

from __future__ import annotations

from collections.abc import Iterable

from parity_data.catalog.model import Catalog, Column, Name, Table
from parity_data.mask import MaskSpec
from parity_data.rules.maskers import incompatible

#: A column of a table.
Place = tuple[Name, str]

#: From the one that leaves least; a key needs one that keeps different values different.
_LEAST = ("null", "token", "uuid", "number", "timestamp", "date", "ip", "mac")
_OF_KEYS = tuple(name for name in _LEAST if name != "null")


def safest_masks(catalog: Catalog, places: Iterable[Place]) -> tuple[dict[Place, MaskSpec], list[Place]]:
    """One mask for each place, those at the other ends of its foreign keys included, which are masked alike.

    Second: places for which no masker fits everywhere; they can only stop a refresh.
    """
    chosen: dict[Place, MaskSpec] = {}
    left: list[Place] = []
    linked = _links(catalog)
    for place in places:
        if place in chosen:
            continue
        group = _group(place, linked)
        spec = _one_for_all(catalog, group)
        if spec is None:
            left.append(place)
        else:
            chosen.update(dict.fromkeys(group, spec))
    return chosen, left


def _one_for_all(catalog: Catalog, group: list[Place]) -> MaskSpec | None:
    fields = [(catalog.tables[name], catalog.tables[name].column(column)) for name, column in group]
    keyed = len(group) > 1 or any(_in_key(table, column) for table, column in fields)
    for masker in _OF_KEYS if keyed else _LEAST:
        spec = MaskSpec(masker, {})
        if all(incompatible(spec, column, table) is None for table, column in fields):
            return spec
    return None


def _in_key(table: Table, column: Column) -> bool:
    keys = (table.primary_key, *table.unique_keys, table.partition_columns)
    return any(column.name in key for key in keys)


def _links(catalog: Catalog) -> dict[Place, list[Place]]:
    links: dict[Place, list[Place]] = {}
    for key in catalog.foreign_keys:
        for column, referenced in zip(key.columns, key.referenced_columns, strict=True):
            one, other = (key.table, column), (key.referenced, referenced)
            links.setdefault(one, []).append(other)
            links.setdefault(other, []).append(one)
    return links


def _group(place: Place, linked: dict[Place, list[Place]]) -> list[Place]:
    """The place and everything that keys tie to it."""
    found, rest = [place], [place]
    while rest:
        for other in linked.get(rest.pop(), []):
            if other not in found:
                found.append(other)
                rest.append(other)
    return found
