"""Maskers under a key that never changes, for short tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import polars as pl

from parity_data.mask import KeyRing, KnownValues, MaskSpec, compile_mask
from parity_data.secret import Secret

KEYS = KeyRing(Secret("5f1d3c9a7be2480691c4d8aa36f0e27b9d54c1e8630fb72a1c6e9d047f8b35a2"))


def masked(
    name: str,
    values: Iterable[str | None],
    params: dict[str, Any] | None = None,
    *,
    domain: str | None = None,
    type_name: str = "text",
    is_array: bool = False,
    known: KnownValues | None = None,
    attributes: tuple[tuple[str, str], ...] = (),
) -> list[str | None]:
    """What a masker makes of some values."""
    masker = compile_mask(
        MaskSpec(name, params or {}, domain),
        KEYS,
        type_name=type_name,
        is_array=is_array,
        known=known,
        attributes=attributes,
    )
    return masker(pl.Series("values", list(values), dtype=pl.String)).to_list()


def one(name: str, value: str, params: dict[str, Any] | None = None, **more: Any) -> str:
    """What a masker makes of one value."""
    (found,) = masked(name, [value], params, **more)
    assert found is not None
    return found
