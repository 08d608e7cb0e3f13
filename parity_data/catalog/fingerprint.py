"""The whole catalog of a database as comparable text: what exists, and how it is defined.

An entry is (object class, qualified name, attribute) -> value. No value holds an OID, and names are always
schema-qualified, so a database that was dumped and restored elsewhere has the same entries. What an
extension owns is represented by the extension.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row

from parity_data.catalog import _fingerprint_objects as objects
from parity_data.catalog import _fingerprint_relations as relations
from parity_data.catalog._fingerprint_compare import FingerprintDifference, compare_entries, quote
from parity_data.catalog.model import Name

__all__ = ["Fingerprint", "FingerprintDifference", "compare_fingerprints", "read_fingerprint"]

#: Under these settings the server prints definitions the same way everywhere.
_CANONICAL = {
    "search_path": "",
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "TimeZone": "UTC",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "quote_all_identifiers": "off",
    "standard_conforming_strings": "on",
    "lc_monetary": "C",
}

#: Options and settings whose names say that the value is a secret: only a digest of it is kept.
_SECRET_WORDS = ("pass", "secret", "token", "key", "credential", "private")

#: Objects that belong to the database and to no schema.
_WITHOUT_SCHEMA = frozenset(
    {
        *("pg_language", "pg_am", "pg_extension", "pg_event_trigger", "pg_publication", "pg_subscription"),
        *("pg_foreign_data_wrapper", "pg_foreign_server", "pg_database", "pg_cast", "pg_transform"),
    }
)

_SEQUENCES_AT_ONCE = 200
_POSITION = sql.SQL("SELECT {}::int4, last_value, is_called FROM {}")

#: A key of a fingerprint: object class, qualified name, attribute.
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Fingerprint:
    """A catalog in comparable form. entries: in order of their keys. server_version: server_version_num."""

    entries: Mapping[Key, str]
    server_version: int

    @cached_property
    def digest(self) -> str:
        """SHA-256 over all entries, as hexadecimal text."""
        text = json.dumps([[*key, value] for key, value in self.entries.items()], ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def objects(self) -> dict[tuple[str, str], dict[str, str]]:
        """Attributes by (object class, qualified name)."""
        grouped: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
        for (object_class, name, attribute), value in self.entries.items():
            grouped[object_class, name][attribute] = value
        return dict(grouped)

    def to_json(self) -> str:
        """Text from which ``from_json`` makes an equal fingerprint."""
        entries = [[*key, value] for key, value in self.entries.items()]
        return json.dumps({"server_version": self.server_version, "entries": entries}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Fingerprint:
        """The fingerprint that ``to_json`` wrote. Raises ValueError for other text."""
        try:
            read = json.loads(text)
            entries = {(c, n, a): v for c, n, a, v in read["entries"]}
            return cls(entries, int(read["server_version"]))
        except (KeyError, TypeError, ValueError):
            raise ValueError("Not a fingerprint.") from None


def read_fingerprint(
    connection: psycopg.Connection[Any], *, hidden: Collection[str] = frozenset()
) -> Fingerprint:
    """The fingerprint of the connected database, PostgreSQL 13 to 18.

    hidden: schemas that are passed over with all that is in them.
    Reads only, inside the connection's transaction where one is open; session settings come back as they
    were. Raises psycopg.Error.
    """
    with connection.transaction(force_rollback=True), connection.cursor(row_factory=tuple_row) as cursor:
        for setting, value in _CANONICAL.items():
            cursor.execute("SELECT set_config(%s, %s, true)", [setting, value])
        return _Reader(cursor, connection.info.server_version, hidden).read()


def compare_fingerprints(source: Fingerprint, target: Fingerprint) -> list[FingerprintDifference]:
    """What differs, in the order of the keys; nothing below an object that is missing altogether.

    Between different major versions the servers' own way to print definitions is left out of account.
    """
    return compare_entries(
        source.objects(), target.objects(), source.server_version // 10000, target.server_version // 10000
    )


def sequence_positions(
    connection: psycopg.Connection[Any], *, hidden: Collection[str] = frozenset()
) -> dict[Name, tuple[int, bool]]:
    """(last_value, is_called) of every sequence. Positions are not transactional: they are of this moment.

    hidden: schemas that are passed over.
    """
    positions: dict[Name, tuple[int, bool]] = {}
    with connection.cursor(row_factory=tuple_row) as cursor:
        found = [Name(*row) for row in cursor.execute(objects.SEQUENCE_NAMES).fetchall()]
        names = [name for name in found if name.schema not in hidden]
        for start in range(0, len(names), _SEQUENCES_AT_ONCE):
            some = names[start : start + _SEQUENCES_AT_ONCE]
            parts = [_POSITION.format(i, sql.Identifier(n.schema, n.name)) for i, n in enumerate(some)]
            for i, last_value, is_called in cursor.execute(sql.SQL(" UNION ALL ").join(parts)).fetchall():
                positions[some[i]] = (last_value, is_called)
    return dict(sorted(positions.items()))


class _Reader:
    """Collects entries; remembers by OID which object is which, for comments, owners and privileges."""

    def __init__(
        self, cursor: psycopg.Cursor[tuple[Any, ...]], version: int, hidden: Collection[str]
    ) -> None:
        self._hidden = hidden
        self._cursor = cursor
        self._version = version
        self._entries: dict[Key, str] = {}
        self._known: dict[tuple[str, int, int], tuple[str, str]] = {}

    def read(self) -> Fingerprint:
        members = {(catalog, oid) for catalog, oid in self._fetch(objects.MEMBERS)}
        for query in (*relations.QUERIES, *objects.QUERIES):
            if self._version >= query.since * 10000:
                self._read(query, members)
        self._read_comments()
        self._read_privileges()
        self._read_settings()
        return Fingerprint(dict(sorted(self._entries.items())), self._version)

    def _fetch(self, text: str) -> list[tuple[Any, ...]]:
        return self._cursor.execute(sql.SQL(text)).fetchall()

    def _guarded(self, text: str) -> sql.Composed:
        return sql.SQL(text).format(
            **{name: self._guard(name) for name in relations.GUARDS if "{" + name + "}" in text}
        )

    def _guard(self, name: str) -> sql.Composable:
        guard = relations.GUARDS[name]
        return self._guarded(guard.new if self._version >= guard.since * 10000 else guard.old)

    def _read(self, query: relations.Query, members: set[tuple[str, int]]) -> None:
        rows = self._cursor.execute(self._guarded(query.text)).fetchall()
        attributes = [column.name for column in self._cursor.description or ()][6:]
        for object_class, oid, sub, parent, parts, suffix, *values in rows:
            if (query.catalog, oid) in members or ("pg_class", parent) in members:
                continue
            if self._hidden and self._is_hidden(query.catalog, parts, suffix):
                continue
            names = [quote(part) for part in parts]
            what = object_class, ".".join(names) + suffix
            self._known[query.catalog, oid, sub] = what
            self._add(what, "exists", True)
            if parent is not None:
                self._add(what, "table", self._known["pg_class", parent, 0][1])
            elif object_class == "constraint":
                self._add(what, "domain", ".".join(names[:-1]))
            for attribute, value in zip(attributes, values, strict=True):
                self._add(what, attribute, value)

    def _is_hidden(self, catalog: str, parts: list[str], suffix: str) -> bool:
        if catalog == "pg_default_acl":
            return suffix.rpartition(" in ")[2] in self._hidden
        if catalog in _WITHOUT_SCHEMA or not parts:
            # Casts and transforms are known by the types they are about.
            words = {word.strip('"') for word in re.findall(r'"(?:[^"]|"")+"|[^\s.,()"]+', suffix)}
            return not parts and not words.isdisjoint(self._hidden)
        return parts[1 if catalog == "pg_publication_rel" else 0] in self._hidden

    def _add(self, what: tuple[str, str], attribute: str, value: Any) -> None:
        if value is None or value is False or value == []:
            return
        if attribute == "foreign options":
            value = sorted(_hide(option) for option in value)
        if isinstance(value, list):
            value = json.dumps(value, ensure_ascii=False)
        self._entries[(*what, attribute)] = "yes" if value is True else str(value)

    def _read_comments(self) -> None:
        for catalog, oid, sub, comment in self._fetch(objects.COMMENTS):
            if what := self._known.get((catalog, oid, sub)):
                self._add(what, "comment", comment)
        for catalog, oid, sub, provider, label in self._fetch(objects.SECURITY_LABELS):
            if what := self._known.get((catalog, oid, sub)):
                self._add(what, f"security label of {provider}", label)

    def _read_privileges(self) -> None:
        full: dict[str, list[str]] = dict(self._fetch(objects.FULL_PRIVILEGES))
        granted: dict[tuple[str, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        kinds: dict[tuple[str, str], str] = {}
        for catalog, oid, sub, owner, kind, grantee, privilege, grantable in self._fetch(objects.OWNERS):
            what = self._known.get((catalog, oid, sub))
            if what is None:
                continue
            if what[0] not in ("column", "default privileges"):
                self._add(what, "owner", owner)
            if kind is not None:
                kinds[what] = kind
                granted[what]
            if privilege is not None:
                # An owner may grant by right; saying so would tell apart what is the same.
                granted[what][grantee].append(privilege + ("*" if grantable and grantee else ""))
        for what, by_grantee in granted.items():
            everything = full.get(kinds[what], [])
            for grantee, privileges in by_grantee.items():
                self._add_grant(what, grantee, sorted(privileges), everything)
            if everything and "" not in by_grantee and what[0] != "default privileges":
                self._add(what, "grants to its owner", "none")

    def _add_grant(
        self, what: tuple[str, str], grantee: str, privileges: list[str], everything: list[str]
    ) -> None:
        # "ALL" means the same on servers that know different sets of privileges (MAINTAIN came with 17).
        is_all = len(everything) > 1 and [p.rstrip("*") for p in privileges] == everything
        if is_all and len({p.endswith("*") for p in privileges}) == 1:
            privileges = ["ALL*" if privileges[0].endswith("*") else "ALL"]
        if grantee:
            self._add(what, f"grants to {grantee}", ", ".join(privileges))
        elif not (is_all or privileges == everything):
            self._add(what, "grants to its owner", ", ".join(privileges))

    def _read_settings(self) -> None:
        what = "database", "database"
        for role, setting in self._fetch(objects.SETTINGS):
            name, _, value = _hide(setting).partition("=")
            self._add(what, f"setting {name} for role {role}" if role else f"setting {name}", value)


def _hide(option: str) -> str:
    name, _, value = option.partition("=")
    if any(word in name.casefold() for word in _SECRET_WORDS):
        value = "hidden " + hashlib.sha256(value.encode()).hexdigest()[:16]
    return f"{name}={value}"


def classes(fingerprints: Iterable[Fingerprint]) -> list[str]:
    """All object classes that occur, sorted."""
    return sorted({key[0] for fingerprint in fingerprints for key in fingerprint.entries})
