"""Families of PostgreSQL types, as far as a masker cares."""

from __future__ import annotations

from collections.abc import Sequence

from parity_data.catalog.model import Type

#: Type name -> family. What is not listed is 'other'.
_FAMILIES = {
    **dict.fromkeys(("text", "varchar", "bpchar", "citext", "name", "char"), "text"),
    **dict.fromkeys(("int2", "int4", "int8"), "integer"),
    **dict.fromkeys(("numeric", "float4", "float8", "money"), "number"),
    **dict.fromkeys(("timestamp", "timestamptz"), "timestamp"),
    **dict.fromkeys(("time", "timetz"), "time"),
    **dict.fromkeys(("inet", "cidr"), "network"),
    **dict.fromkeys(("macaddr", "macaddr8"), "mac"),
    **dict.fromkeys(("json", "jsonb"), "json"),
    **dict.fromkeys(("bit", "varbit"), "bit"),
    **dict.fromkeys(("bool",), "boolean"),
    **dict.fromkeys(("date", "uuid", "hstore", "xml", "bytea", "point", "interval"), ""),
    **dict.fromkeys(("int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange"), "range"),
    **dict.fromkeys(
        ("int4multirange", "int8multirange", "nummultirange", "tsmultirange", "tstzmultirange"), "multirange"
    ),
    "datemultirange": "multirange",
    "ltree": "ltree",
    "geography": "geometry",
    "geometry": "geometry",
}

#: Every family a declaration may name.
FAMILIES = frozenset(v or k for k, v in _FAMILIES.items()) | {"enum", "composite", "other"}


def family_of(type_name: str) -> str:
    """Family by the plain type's name, e.g. ``varchar`` -> ``text``."""
    found = _FAMILIES.get(type_name.removeprefix("_"))
    return type_name.removeprefix("_") if found == "" else found or "other"


def family_of_type(type_: Type) -> str:
    """Family of a catalog type: of the element for an array, below domains."""
    plain = type_.plain
    if type_.is_array and plain.element is not None:
        return family_of_type(plain.element)
    kinds = {"e": "enum", "c": "composite", "r": "range", "m": "multirange"}
    return kinds.get(plain.kind) or family_of(plain.name.name)


#: A type of each family, for trials of a masker without a column. What is not listed is its own name.
_TYPE_OF_FAMILY = {
    "any": "text",
    "integer": "int8",
    "number": "numeric",
    "timestamp": "timestamptz",
    "network": "inet",
    "mac": "macaddr",
    "json": "jsonb",
    "bit": "varbit",
    "boolean": "bool",
    "range": "tstzrange",
    "multirange": "tstzmultirange",
}


def type_for(accepts: Sequence[str]) -> str:
    """The name of a type that a masker of these families takes, text where it can."""
    family = "text" if {"any", "text"} & set(accepts) else accepts[0]
    return _TYPE_OF_FAMILY.get(family, family)
