"""What an SQL type can hold, as far as detection cares."""

from __future__ import annotations

from parity_data.catalog.model import Column, Type

#: How each class of types is read: None is not sampled.
READ_AS: dict[str, str | None] = {
    "text": "text",
    "number": "text",
    "integer": "text",
    "xml": "text",
    "nested": "json",
    "other": "text",
    "boolean": None,
    "date": None,
    "time": None,
    "uuid": None,
    "network": None,
    "hardware": None,
    "bytes": None,
    "words": None,
    "enum": None,
    "place": None,
}

_BY_NAME = {
    "bool": "boolean",
    "uuid": "uuid",
    "inet": "network",
    "cidr": "network",
    "macaddr": "hardware",
    "macaddr8": "hardware",
    "bytea": "bytes",
    "oid": "integer",
    "tsvector": "words",
    "tsquery": "words",
    "xml": "xml",
    "json": "nested",
    "jsonb": "nested",
    "hstore": "nested",
    "int2": "integer",
    "int4": "integer",
    "int8": "integer",
    "date": "date",
    "timestamp": "date",
    "timestamptz": "date",
    "time": "time",
    "timetz": "time",
    "interval": "time",
    "point": "place",
    "geometry": "place",
    "geography": "place",
    "bit": "number",
    "varbit": "number",
    "pg_lsn": "number",
    "xid": "integer",
    "xid8": "integer",
    "cid": "integer",
    "tid": "integer",
    "txid_snapshot": "other",
}

#: Kinds that a class of types can hold; classes not listed can hold any.
CAN_HOLD: dict[str, frozenset[str]] = {
    "integer": frozenset(
        {"phone", "national_id", "bank_account", "card_number", "birth_date", "postal_code", "salary"}
        | {"ip_address", "device_id", "password", "vehicle"}
    ),
    "number": frozenset(
        {
            "phone",
            "national_id",
            "bank_account",
            "card_number",
            "geo_location",
            "salary",
            "health",
            "password",
        }
    ),
    "date": frozenset({"birth_date"}),
    "uuid": frozenset({"device_id", "secret"}),
    "network": frozenset({"ip_address"}),
    "hardware": frozenset({"device_id"}),
    "bytes": frozenset({"photo", "password", "secret", "free_text", "health", "belief"}),
    "boolean": frozenset({"health", "belief"}),
    "enum": frozenset({"gender", "country", "region", "job", "health", "belief"}),
    "place": frozenset({"geo_location", "street_address"}),
    "time": frozenset(),
    "words": frozenset({"free_text"}),
}


def class_of(column: Column) -> str:
    """The class of a column's type, a key of ``READ_AS``."""
    return _class(column.type)


def class_at(column: Column, path: str) -> str | None:
    """The class of the type at a path inside an array or a composite, None where the type tells none.

    path: JSONPath, of one array step, one attribute, or one attribute of every element.
    """
    inner: Type | None = column.type
    if inner is not None and inner.is_array and path.startswith("$[*]"):
        inner, path = inner.plain.element, "$" + path.removeprefix("$[*]")
    if inner is not None and path != "$":
        inner = dict(inner.plain.fields).get(path.removeprefix("$."))
    if inner is None or inner is column.type:
        return None
    found = _class(inner)
    return None if found == "nested" else found


def _class(type_: Type) -> str:
    plain = type_.plain
    if type_.is_array or plain.kind == "c":
        return "nested"
    if plain.kind == "e":
        return "enum"
    if plain.kind in ("r", "m"):
        return _class(plain.subtype) if plain.subtype is not None else "number"
    by_name = _BY_NAME.get(plain.name.name)
    if by_name is not None:
        return by_name
    if plain.category == "S":
        return "text"
    if plain.category == "N":
        return "number"
    if plain.category == "D":
        return "date"
    if plain.category == "G":
        return "place"
    return "other"
