"""What rules need to know of maskers: names, whether parameters make sense, whether one fits a column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from parity_data.catalog.model import Column, Table
from parity_data.errors import RulesError
from parity_data.mask import MaskSpec, check_compatible, describe, masker_names, suggestions
from parity_data.mask.registry import validate
from parity_data.rules.names import did_you_mean

#: The masker that leaves values as they are.
KEEP = "keep"

#: Stands for a masker that nobody has chosen yet; no masker has this name.
UNDECIDED = "decide"


def names() -> tuple[str, ...]:
    """Every masker a rule can name, in order."""
    return tuple(sorted(masker_names()))


def make_spec(name: str, domain: str | None, params: Mapping[str, Any]) -> MaskSpec:
    """A mask as written in a rule. Raises ValueError, in words, for an unknown masker or bad parameters."""
    known = names()
    if name not in known:
        close = did_you_mean(name, known)
        hint = f"Did you mean {close!r}?" if close else f"Known maskers: {', '.join(known)}."
        raise ValueError(f"there is no masker {name!r}. {hint}")
    try:
        validate(describe(name), params)
    except RulesError as error:
        raise ValueError(str(error)) from None
    return MaskSpec(name, dict(params), domain)


def spec_parts(spec: MaskSpec) -> tuple[str, str | None, dict[str, Any]]:
    """Masker, domain and parameters as a rule writes them."""
    return spec.name, spec.domain, dict(spec.params)


def masked_alike(one: MaskSpec, other: MaskSpec) -> bool:
    """Whether equal values get equal pseudonyms: same masker, parameters and masking domain in force."""
    return _in_force(one) == _in_force(other)


def incompatible(spec: MaskSpec, column: Column, table: Table) -> str | None:
    """Why a mask does not fit a column, None when it does."""
    return " ".join(check_compatible(spec, column, table)) or None


def suggested(spec: MaskSpec, column: Column, table: Table) -> list[str]:
    """Maskers that would fit instead, those that need no parameters, the most similar first."""
    return suggestions(spec, column, table)


def _in_force(spec: MaskSpec) -> tuple[str, str, dict[str, Any]]:
    info = describe(spec.name)
    if spec.name == KEEP:
        return KEEP, "", {}
    return spec.name, info.domain if spec.domain is None else spec.domain, validate(info, spec.params)
