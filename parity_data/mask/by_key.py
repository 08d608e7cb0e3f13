"""Key-value tables: what a value is, and so its mask, stands in the column beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from parity_data.mask._common import by_group
from parity_data.mask.context import Context, MaskSpec
from parity_data.mask.nested import compile_nested, read_spec, read_specs
from parity_data.mask.registry import Function, MaskerInfo, Param, register


class ByKey:
    """Masks values by the key in the same row. Called without keys, it masks all as under an unknown key."""

    def __init__(self, context: Context) -> None:
        specs = read_specs(context.params["masks"])
        self._keys = list(specs)
        self._masks = [compile_nested(spec, context, context.type_name) for spec in specs.values()]
        self._other = compile_nested(_other(context.params), context, context.type_name)

    def __call__(self, values: pl.Series) -> pl.Series:
        """Mask n values whose keys nobody knows."""
        return self._other(values)

    def beside(self, values: pl.Series, keys: pl.Series | None) -> pl.Series:
        """Mask n values (NULLs possible) by n keys (NULLs possible)."""
        if keys is None:
            return self._other(values)
        keys = keys.str.strip_chars_end(" ")  # character(n) comes with blanks
        unknown = len(self._masks)
        number = keys.replace_strict(self._keys, range(unknown), default=unknown, return_dtype=pl.Int64)
        return by_group(values, number.fill_null(unknown), [*self._masks, self._other].__getitem__)


def _make(context: Context) -> Function:
    return ByKey(context)


def _other(params: Mapping[str, Any]) -> MaskSpec:
    return read_spec(params.get("other", "token"), "other")


def _nested(params: Mapping[str, Any]) -> Iterable[MaskSpec]:
    return [*read_specs(params.get("masks")).values(), _other(params)]


register(
    MaskerInfo(
        name="by_key",
        summary="Masks values of a key-value table by the key that stands in another column of the row.",
        theme="structured",
        accepts=("text",),
        distinct="injective",
        keeps=frozenset(),
        make=_make,
        params=(
            Param("key", "text", "The column that holds the key: text or an enum.", required=True),
            Param("masks", "map", "Mask by key: {email: email, phone: phone}.", required=True),
            Param("other", "text", "The masker of values under any other key.", default="token"),
        ),
        samples=("maria@acme.com", "+49 30 1234567", "blue"),
        domain="token",
        details="Values under different keys are different things: equal ones may get different pseudonyms.",
        params_for_tests={"key": "attribute", "masks": {"email": "email", "phone": "phone"}},
        json_leaf=False,
        changes=False,
        nested=_nested,
        beside="key",
    )
)
