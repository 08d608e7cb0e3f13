"""Mask against column: reasons why a masker cannot be used there, found before a row moves.

Declarations say what fits a type and what keeps different values different. Whether a CHECK, a domain, a
label or a length can be broken is tried: values that the column may hold are masked under several keys and
held against it (``trial``).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from parity_data.catalog.model import Column, Table
from parity_data.errors import RulesError
from parity_data.mask.context import MaskSpec
from parity_data.mask.registry import MaskerInfo, describe, masker_names, validate
from parity_data.mask.trial import broken
from parity_data.mask.types import family_of_type

#: Families whose values can decide about another column's.
_DECIDING = frozenset({"text", "enum", "integer", "uuid"})

#: Maskers to suggest, after those of the same theme: each for a family of types.
_USUAL = ("token", "code", "integer", "number", "uuid", "date", "timestamp", "ip", "mac", "null", "keep")


def check_compatible(spec: MaskSpec, column: Column, table: Table) -> list[str]:
    """Reasons, each one sentence, why the mask cannot be used on the column; empty when it can."""
    try:
        info = describe(spec.name)
        validate(info, spec.params)
    except RulesError as error:
        return [str(error)]
    if spec.name == "keep":
        return []
    reasons = list(_of_declaration(spec, info, column, table))
    if not reasons:
        try:
            tried = broken(spec, column, _concerning(column, table))
        except RulesError as error:
            return [str(error)]
        reasons += [tried] if tried else []
    return reasons


def suggestions(spec: MaskSpec, column: Column, table: Table, most: int = 3) -> list[str]:
    """Names of maskers that could be used instead, the most similar first; those that need no parameters."""
    theme = describe(spec.name).theme if spec.name in masker_names() else ""
    alike = [n for n in masker_names() if theme != "generic" and describe(n).theme == theme]
    found: list[str] = []
    for name in dict.fromkeys([*alike, *_USUAL]):
        if len(found) == most:
            break
        if name != spec.name and not check_compatible(MaskSpec(name, {}), column, table):
            found.append(name)
    # To leave a column as it is is no advice while another masker would do.
    return [name for name in found if name != "keep"] or found


def _of_declaration(spec: MaskSpec, info: MaskerInfo, column: Column, table: Table) -> Iterator[str]:
    family = family_of_type(column.type)
    if "any" not in info.accepts and family not in info.accepts:
        yield f"{spec.name} masks {', '.join(info.accepts)}, and the column is {column.sql_type} ({family})."
    beside = str(spec.params.get(info.beside) or "") if info.beside else ""
    if beside:
        found = next((c for c in table.columns if c.name == beside), None)
        if found is None or found.generated or found.type.is_array:
            yield f"{beside!r} is no column of text in {table.name}."
        elif family_of_type(found.type) not in _DECIDING:
            yield f"{beside!r} is no column of text, numbers or UUIDs in {table.name}."
        elif column.type.is_array:
            yield f"{spec.name} cannot look at {beside!r} for an array."
    if spec.name == "null" and not column.nullable:
        yield "the column is NOT NULL."
    elif spec.name == "null" and any(d.not_null for d in column.type.domains):
        yield "the column's domain is NOT NULL."
    if column.max_length is not None and column.max_length < info.shortest:
        yield f"{spec.name} needs {info.shortest} characters, and the column holds {column.max_length}."
    if info.distinct_with(spec.params) == "lossy" and _unique(column, table, beside):
        yield f"{spec.name} merges values, and the column is part of a unique key."


def _unique(column: Column, table: Table, beside: str) -> bool:
    """Whether merged values could break a unique index. beside: values under different values of this
    column may merge where the index has it, too."""
    keys = [key for key in (table.primary_key, *table.unique_keys) if column.name in key]
    return any(beside not in key for key in keys) or any(
        mentions(expression, column.name) for expression in table.unique_expressions
    )


def _concerning(column: Column, table: Table) -> tuple[str, ...]:
    return tuple(check for check in table.checks if mentions(check, column.name))


def mentions(expression: str, name: str) -> bool:
    """Whether an SQL expression seems to speak of the column."""
    return re.search(rf'(?<![\w"]){re.escape(name)}(?![\w"])', expression) is not None or (
        '"' + name.replace('"', '""') + '"' in expression
    )
