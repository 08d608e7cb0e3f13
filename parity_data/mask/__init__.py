"""Masking: pure functions of (key, masking domain, value) over columns.

A rule names a masker with parameters (``MaskSpec``); ``compile_mask`` makes a ``ColumnMasker`` of it, which
takes and gives PostgreSQL's text form of values. Each masker declares what it accepts and keeps. A team's own
maskers register themselves by the same declaration (``own``).
"""

from parity_data.mask import (
    binary,
    by_key,
    contact,
    generic,
    hexes,
    identity,
    network,
    numerals,
    payment,
    people,
    places,
    ranges,
    reordered,
    secrets,
    structured,
    telephone,
    temporal,
    text,
    xml,
)
from parity_data.mask.column import ColumnMasker, compile_mask, keeps_everything, looks_at
from parity_data.mask.compatible import check_compatible, suggestions
from parity_data.mask.context import Context, MaskSpec
from parity_data.mask.keys import KeyRing
from parity_data.mask.known import KnownValues
from parity_data.mask.registry import Function, MaskerInfo, Param, describe, masker_names, register

# Imported for their declarations, which register the maskers.
del binary, by_key, contact, generic, hexes, identity, network, numerals, payment, people, places, ranges
del reordered, secrets, structured, telephone, temporal, text, xml

__all__ = [
    "ColumnMasker",
    "Context",
    "Function",
    "KeyRing",
    "KnownValues",
    "MaskSpec",
    "MaskerInfo",
    "Param",
    "check_compatible",
    "compile_mask",
    "describe",
    "keeps_everything",
    "looks_at",
    "masker_names",
    "register",
    "suggestions",
]
