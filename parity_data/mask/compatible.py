"""Mask against column: reasons why a masker cannot be used there, found before a row moves."""

from __future__ import annotations

from parity_data.catalog.model import Column, Table
from parity_data.errors import RulesError
from parity_data.mask.context import MaskSpec
from parity_data.mask.registry import describe, validate
from parity_data.mask.types import family_of_type


def check_compatible(spec: MaskSpec, column: Column, table: Table) -> list[str]:
    """Reasons, each one sentence, why the mask cannot be used on the column; empty when it can."""
    try:
        info = describe(spec.name)
        validate(info, spec.params)
    except RulesError as error:
        return [str(error)]
    reasons = []
    family = family_of_type(column.type)
    if "any" not in info.accepts and family not in info.accepts:
        reasons.append(
            f"{spec.name} masks {', '.join(info.accepts)}, and the column is {column.sql_type} ({family})."
        )
    if info.beside:
        key = str(spec.params[info.beside])
        found = next((c for c in table.columns if c.name == key), None)
        if found is None or found.type.is_array or family_of_type(found.type) not in ("text", "enum"):
            reasons.append(f"{key!r} is no column of text in {table.name}.")
    if spec.name == "null" and not column.nullable:
        reasons.append("the column is NOT NULL.")
    unique = column.name in table.primary_key or any(column.name in key for key in table.unique_keys)
    if info.distinct_with(spec.params) == "lossy" and unique:
        reasons.append(f"{spec.name} merges values, and the column is part of a unique key.")
    return reasons
