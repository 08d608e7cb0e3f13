"""Masked text as the column that takes it will give it back: ``05`` becomes ``5``, ``{ "a" }`` ``{a}``.

Text that is written as PostgreSQL writes it is told by its form; about the rest the target is asked, as
nobody else knows how all of its types write their values.
"""

from __future__ import annotations

import re
import threading
from typing import Any

import polars as pl
import psycopg
import pyarrow as pa
from psycopg import sql

from parity_data.catalog.model import Column
from parity_data.database import Database
from parity_data.mask.cipher.flat import Flat
from parity_data.mask.written import days_of, whole_numbers

_ASK = "SELECT (({value}::{type})::{plain})::text FROM unnest(%s::text[]) WITH ORDINALITY u(v, i) ORDER BY i"

_ANY = r"(?s)^.*$"
_INTEGER = r"^(?:0|-?[1-9][0-9]*)$"
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r" [0-9]{2}:[0-9]{2}:[0-9]{2}"
#: How types write their values: by type, what needs no question. Nothing listed: everything is asked.
_WRITTEN = {
    **dict.fromkeys(("text", "varchar", "bpchar", "citext", "json", "xml"), _ANY),
    **dict.fromkeys(("int2", "int4", "int8"), _INTEGER),
    "numeric": r"^(?:-?[1-9][0-9]*(?:\.[0-9]+)?|0(?:\.[0-9]+)?)$",
    "bool": "^(?:true|false)$",
    "date": _DATE + "$",
    "timestamp": _DATE + _TIME + r"(?:\.[0-9]{0,5}[1-9])?$",
    "timestamptz": _DATE + _TIME + r"(?:\.[0-9]{0,5}[1-9])?\+00$",
    "uuid": "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
    "bytea": r"^\\x(?:[0-9a-f]{2})*$",
}
_SCALE = re.compile(r"\(\d+,(\d+)\)$")


class Canonical:
    """Asks the target, over one connection for each thread. Close it when nothing is sent any more.

    connection: asked instead where only it sees the columns; there is but one thread then.
    """

    def __init__(self, target: Database, connection: psycopg.Connection[Any] | None = None) -> None:
        self._only = connection
        self._target = target
        self._local = threading.local()
        self._open: list[psycopg.Connection[Any]] = []
        self._lock = threading.Lock()

    @staticmethod
    def may_differ(column: Column) -> bool:
        """Whether the column may give text back in other words; never where it is text itself."""
        return _written(column) != _ANY

    def __call__(self, column: Column, raw: pa.Array, masked: pa.Array) -> pa.Array:
        """Masked values (large strings, length n) as the column gives them back.

        raw: the values before masking. Gives ``masked`` itself where nothing differs.
        """
        written = _written(column)
        if written == _ANY or _all_are(written, masked):
            return masked
        before, text = (pl.Series(values, dtype=pl.String) for values in (raw, masked))
        given = self._given(column, written, before, text)
        return masked if given is text else given.to_arrow(compat_level=pl.CompatLevel.oldest())

    def _given(self, column: Column, written: str | None, raw: pl.Series, masked: pl.Series) -> pl.Series:
        odd = masked.is_not_null()
        if written is not None:
            odd &= ~masked.str.contains(written)
        if odd.any():
            odd &= masked.ne_missing(raw)
        if not odd.any():
            return masked
        distinct = masked.filter(odd).unique()
        answer = self._ask(column, distinct)
        return masked if answer is None else masked.replace(distinct, pl.Series(answer, dtype=pl.String))

    def _ask(self, column: Column, values: pl.Series) -> list[str] | None:
        """What the column makes of values; None where it refuses one, as it will when it is sent."""
        plain = column.type.plain
        query = sql.SQL(_ASK).format(
            value=sql.Identifier("v"),
            type=sql.SQL(column.sql_type),
            plain=sql.Identifier(plain.name.schema, plain.name.name),
        )
        try:
            connection = self._connection()
            with connection.transaction():
                return [row[0] for row in connection.execute(query, [_as_array(values)]).fetchall()]
        except (psycopg.DataError, psycopg.IntegrityError):
            return None

    def _connection(self) -> psycopg.Connection[Any]:
        if self._only is not None:
            return self._only
        mine: psycopg.Connection[Any] | None = getattr(self._local, "connection", None)
        if mine is None or mine.closed:
            mine = self._target.connect(role="target", autocommit=True)
            self._local.connection = mine
            with self._lock:
                self._open.append(mine)
        return mine

    def close(self) -> None:
        """Close all connections. Safe to repeat."""
        with self._lock:
            for connection in self._open:
                connection.close()
            self._open.clear()


def _all_are(written: str | None, values: pa.Array) -> bool:
    """Whether all values are plain numbers or dates of the form; not told of other forms."""
    read = {_INTEGER: whole_numbers, _DATE + "$": days_of}.get(written or "")
    return read is not None and read(Flat.of_arrow(values.drop_null())) is not None


def _as_array(values: pl.Series) -> str:
    """Texts without NULL as PostgreSQL writes an array of them: psycopg would look at each in turn."""
    escaped = values.str.replace_all("\\", "\\\\", literal=True).str.replace_all('"', '\\"', literal=True)
    return '{"' + '","'.join(escaped.to_list()) + '"}'


def _written(column: Column) -> str | None:
    """The form of text that the column gives back as it is; None where there is no telling."""
    plain = column.type.plain
    if plain.kind == "e":
        return _ANY
    if not plain.built_in and plain.name.name != "citext":
        return None
    found = _WRITTEN.get(plain.name.name)
    if plain.name.name not in ("numeric", "timestamp", "timestamptz"):
        return found
    if column.type.base is not None:
        return None  # a domain may hide a precision
    if "(" in column.sql_type:
        scale = _SCALE.search(column.sql_type)
        if plain.name.name == "numeric":
            digits = int(scale[1]) if scale else 0
            return rf"^(?:-?[1-9][0-9]*|0)\.[0-9]{{{digits}}}$" if digits else _INTEGER
        return _DATE + _TIME + (r"\+00$" if plain.name.name == "timestamptz" else "$")
    return found
