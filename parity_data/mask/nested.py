"""Masks within masks: what a rule says of a path, a key or an attribute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from parity_data.errors import RulesError
from parity_data.mask.column import ColumnMasker
from parity_data.mask.context import Context, MaskSpec

_PARTS = frozenset({"mask", "domain", "params"})


def read_spec(written: Any, where: str) -> MaskSpec:
    """A mask as written below a path: its name, or {mask, domain, params}. Raises RulesError."""
    if isinstance(written, str):
        return MaskSpec(written, {})
    if isinstance(written, Mapping) and "mask" in written and set(written) <= _PARTS:
        params = written.get("params", {})
        if isinstance(written["mask"], str) and isinstance(params, Mapping):
            return MaskSpec(written["mask"], dict(params), written.get("domain"))
    raise RulesError(
        f"What stands at {where} is no mask.",
        todo="Write a masker's name, or {mask: name, domain: ..., params: {...}}.",
    )


def read_specs(written: Mapping[str, Any] | None) -> dict[str, MaskSpec]:
    """All masks of a mapping, by path. Raises RulesError."""
    return {str(path): read_spec(mask, str(path)) for path, mask in (written or {}).items()}


def specs_in(params: Mapping[str, Any], *names: str) -> Iterator[MaskSpec]:
    """The masks below some parameters."""
    for name in names:
        yield from read_specs(params.get(name)).values()


def compile_nested(spec: MaskSpec, context: Context, type_name: str = "text") -> ColumnMasker:
    """The masker of a part of a value, with the outer one's keys, known values and tally."""
    return ColumnMasker(spec, context.keys, type_name, None, False, context.known, tally=context.tally)
