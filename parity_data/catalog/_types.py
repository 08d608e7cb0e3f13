"""Data types, followed down through domains, arrays, composites and ranges."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from parity_data.catalog.model import Name, Type

_TYPES = """
SELECT t.oid::int8, n.nspname, t.typname, t.typtype::text, t.typcategory::text, t.typbasetype::int8,
       CASE WHEN t.typcategory = 'A' THEN t.typelem::int8 ELSE 0 END, t.typrelid::int8,
       t.typsend <> 0 AND t.typreceive <> 0, t.typnotnull
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
"""
_FIELDS = """
SELECT a.attrelid::int8, a.attname, a.atttypid::int8
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relnamespace <> 'pg_catalog'::regnamespace
ORDER BY a.attrelid, a.attnum
"""
_LABELS = """
SELECT enumtypid::int8, enumlabel FROM pg_enum ORDER BY enumtypid, enumsortorder
"""
_CHECKS = """
SELECT contypid::int8, pg_get_expr(conbin, 0) FROM pg_constraint
WHERE contypid <> 0 AND contype = 'c' ORDER BY contypid, conname
"""
_RANGES = "SELECT rngtypid::int8, rngsubtype::int8 FROM pg_range"
_MULTIRANGES = "SELECT rngmultitypid::int8, rngsubtype::int8 FROM pg_range"

#: Types whose binary form is an OID, which means something else on another server. They travel by name.
OID_ALIASES = frozenset(
    {
        *("regproc", "regprocedure", "regoper", "regoperator", "regclass", "regcollation", "regtype"),
        *("regrole", "regnamespace", "regconfig", "regdictionary", "regdatabase"),
    }
)


class TypeReader:
    """Builds ``Type`` values from one reading of pg_type."""

    def __init__(self, fetch: Any, version: int) -> None:
        self._rows = {row[0]: row[1:] for row in fetch(_TYPES)}
        self._fields: dict[int, list[tuple[str, int]]] = defaultdict(list)
        for relation, name, oid in fetch(_FIELDS):
            self._fields[relation].append((name, oid))
        self._labels: dict[int, list[str]] = defaultdict(list)
        for oid, label in fetch(_LABELS):
            self._labels[oid].append(label)
        self._checks: dict[int, list[str]] = defaultdict(list)
        for oid, check in fetch(_CHECKS):
            self._checks[oid].append(check)
        self._subtypes = dict(fetch(_RANGES))
        if version >= 140000:
            self._subtypes.update(fetch(_MULTIRANGES))
        self._built: dict[int, Type] = {}

    def type(self, oid: int) -> Type:
        """The type with that OID and everything below it."""
        if oid not in self._built:
            self._built[oid] = self._build(oid)
        return self._built[oid]

    def _build(self, oid: int) -> Type:
        schema, name, kind, category, base, element, relation, binary, not_null = self._rows[oid]
        below = {
            "base": self.type(base) if base else None,
            "element": self.type(element) if element else None,
            "subtype": self.type(self._subtypes[oid]) if oid in self._subtypes else None,
        }
        fields = tuple((n, self.type(o)) for n, o in self._fields[relation]) if kind == "c" else ()
        parts = [part for part in below.values() if part] + [part for _, part in fields]
        return Type(
            oid=oid,
            name=Name(schema, name),
            kind=kind,
            category=category,
            fields=fields,
            labels=tuple(self._labels.get(oid, ())),
            binary=binary and name not in OID_ALIASES and all(part.binary for part in parts),
            checks=tuple(self._checks.get(oid, ())),
            not_null=not_null,
            **below,
        )
