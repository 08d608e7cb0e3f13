"""The forms of structured values: JSON, hstore, and PostgreSQL's literals of composite types."""

from __future__ import annotations

import json
import re

import polars as pl

from parity_data.mask.paths import Step

_STRING = r'"(?:[^"\\]|\\.)*"'
_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"

Path = tuple[Step, ...]


class Json:
    """RFC 8259, with anything a string may hold in PostgreSQL's json and jsonb."""

    pattern = rf"(?s)({_STRING}\s*:)|({_STRING}|[^\s{{}}\[\],:\"]+)"
    _TOKEN = re.compile(rf"(?s)(?P<key>{_STRING})\s*:\0|[{{}}\[\],\0]|\s+")
    _PLAIN = r'(?s)^"[^"\\]*"$'
    _LEAF = rf"(?s)^(?:{_STRING}|{_NUMBER}|true|false|null)$"

    def paths(self, skeleton: str) -> list[Path | None] | None:
        """Paths of leaves: a walk over the skeleton with a stack of keys and places."""
        try:
            json.loads(self._TOKEN.sub(_for_parsing, skeleton), strict=False)
        except (ValueError, RecursionError):
            return None
        out: list[Path | None] = []
        for path, token in self._walk(skeleton):
            if token["key"] is not None:
                out.append(None)
            elif token[0] == "\0":
                out.append(path)
        return out

    def keys(self, skeleton: str) -> list[tuple[Path, int, int, str]]:
        return [
            (path, token.start("key"), token.end("key"), json.loads(token["key"], strict=False))
            for path, token in self._walk(skeleton)
            if token["key"] is not None
        ]

    def _walk(self, skeleton: str) -> list[tuple[Path, re.Match[str]]]:
        """(path, token): of the leaf for a leaf's mark, of the object around it for a key."""
        out: list[tuple[Path, re.Match[str]]] = []
        stack: list[Step | None] = []
        for token in self._TOKEN.finditer(skeleton):
            text = token[0]
            if token["key"] is not None:
                out.append((_path(stack[:-1]), token))
                stack[-1] = json.loads(token["key"], strict=False)
            elif text == "{":
                stack.append(None)
            elif text == "[":
                stack.append(0)
            elif text in "}]":
                stack.pop()
            elif text == ",":
                if isinstance(stack[-1], int):
                    stack[-1] += 1
            elif text == "\0":
                out.append((_path(stack), token))
        return out

    def write_key(self, key: str, skeleton: str) -> str:
        return json.dumps(key, ensure_ascii=skeleton.isascii() and "\\u" in skeleton)

    def broken(self, leaves: pl.Series) -> pl.Series:
        return ~leaves.str.contains(self._LEAF)

    def maskable(self, leaves: pl.Series) -> pl.Series:
        return leaves.str.contains(r'^["0-9-]')

    def decode(self, leaves: pl.Series) -> pl.Series:
        plain = leaves.str.contains(self._PLAIN)
        text = pl.select(
            pl.when(plain).then(leaves.str.slice(1, leaves.str.len_chars() - 2)).otherwise(leaves)
        )
        out = text.to_series()
        odd = (leaves.str.starts_with('"') & ~plain).arg_true()
        return out.scatter(odd, [_json_string(t) for t in leaves.gather(odd)]) if len(odd) else out

    def encode(self, masked: pl.Series, leaves: pl.Series) -> pl.Series:
        number = ~leaves.str.starts_with('"') & masked.str.contains(rf"^{_NUMBER}$")
        bare = pl.when(masked.is_null()).then(pl.lit("null")).when(number).then(masked)
        out = pl.select(bare.otherwise('"' + masked + '"')).to_series()
        escaped = leaves.str.contains(r"\\u[0-9a-fA-F]{4}")
        odd = (masked.is_not_null() & (masked.str.contains(r'["\\\x00-\x1f]') | escaped)).arg_true()
        if len(odd):
            pairs = zip(masked.gather(odd), leaves.gather(odd).str.contains(r"[^\x00-\x7f]"), strict=True)
            out = out.scatter(odd, [json.dumps(text, ensure_ascii=not wide) for text, wide in pairs])
        return out


class Hstore:
    """The text form of hstore: ``"key"=>"value", "other"=>NULL``.

    https://www.postgresql.org/docs/current/hstore.html#HSTORE-EXTERNAL-REP
    """

    pattern = rf"(?s)({_STRING}=>)|({_STRING}|NULL)"
    _TOKEN = re.compile(rf"(?s)(?P<key>{_STRING})=>\0\0|(?:, )")

    def paths(self, skeleton: str) -> list[Path | None] | None:
        found = self._walk(skeleton)
        if found is None:
            return None
        return [step for key, _, _ in found for step in (None, (key,))]

    def keys(self, skeleton: str) -> list[tuple[Path, int, int, str]]:
        return [((), start, end, key) for key, start, end in self._walk(skeleton) or ()]

    def _walk(self, skeleton: str) -> list[tuple[str, int, int]] | None:
        out, place = [], 0
        for token in self._TOKEN.finditer(skeleton):
            if token.start() != place:
                return None
            place = token.end()
            if token["key"] is not None:
                out.append((_unescaped(token["key"][1:-1]), token.start("key"), token.end("key")))
        return out if place == len(skeleton) else None

    def write_key(self, key: str, skeleton: str) -> str:
        return _quoted(key)

    def broken(self, leaves: pl.Series) -> pl.Series:
        return pl.Series("", [False], dtype=pl.Boolean).new_from_index(0, leaves.len())

    def maskable(self, leaves: pl.Series) -> pl.Series:
        return leaves.str.starts_with('"')

    def decode(self, leaves: pl.Series) -> pl.Series:
        return leaves.str.slice(1, leaves.str.len_chars() - 2).str.replace_all(r"(?s)\\(.)", "${1}")

    def encode(self, masked: pl.Series, leaves: pl.Series) -> pl.Series:
        escaped = masked.str.replace_all(r'(["\\])', r"\${1}")
        return pl.select(
            pl.when(masked.is_null()).then(pl.lit("NULL")).otherwise('"' + escaped + '"')
        ).to_series()


class Composite:
    """A literal of a composite type, ``(Street,"No. 7",,Town)``: leaves by the names of the attributes.

    https://www.postgresql.org/docs/current/rowtypes.html#ROWTYPES-IO-SYNTAX
    """

    pattern = r'(?s)(\A\b\B)|("(?:[^"\\]|\\.|"")*"|[^(),"\\]+)'

    def __init__(self, attributes: tuple[str, ...]) -> None:
        self._attributes = attributes

    def paths(self, skeleton: str) -> list[Path | None] | None:
        if not re.fullmatch(r"\(\0?(?:,\0?)*\)", skeleton):
            return None
        fields = skeleton[1:-1].split(",")
        if len(fields) != len(self._attributes):
            return None
        return [(name,) for name, text in zip(self._attributes, fields, strict=True) if text]

    def keys(self, skeleton: str) -> list[tuple[Path, int, int, str]]:
        return []

    def write_key(self, key: str, skeleton: str) -> str:
        return key

    def broken(self, leaves: pl.Series) -> pl.Series:
        return pl.Series("", [False], dtype=pl.Boolean).new_from_index(0, leaves.len())

    def maskable(self, leaves: pl.Series) -> pl.Series:
        return pl.Series("", [True], dtype=pl.Boolean).new_from_index(0, leaves.len())

    def decode(self, leaves: pl.Series) -> pl.Series:
        inner = leaves.str.slice(1, leaves.str.len_chars() - 2).str.replace_all(r'(?s)\\(.)|"(")', "${1}${2}")
        return pl.select(pl.when(leaves.str.starts_with('"')).then(inner).otherwise(leaves)).to_series()

    def encode(self, masked: pl.Series, leaves: pl.Series) -> pl.Series:
        escaped = masked.str.replace_all(r'(["\\])', "${1}${1}")
        quote = masked.str.contains(r'[\s(),"\\]|^$') | leaves.str.starts_with('"')
        return pl.select(
            pl.when(masked.is_null()).then(pl.lit("")).when(quote).then('"' + escaped + '"').otherwise(masked)
        ).to_series()


def _for_parsing(token: re.Match[str]) -> str:
    if token["key"] is not None:
        return f"{token['key']}:"
    return "0" if token[0] == "\0" else token[0]


def _path(stack: list[Step | None]) -> Path:
    return tuple(step for step in stack if step is not None)


def _json_string(leaf: str) -> str:
    try:
        text = json.loads(leaf, strict=False)
        text.encode("utf-8")
    except ValueError:
        return leaf[1:-1]  # an escape that JSON lacks, or half a surrogate pair: masked as it is written
    return str(text)


def _unescaped(text: str) -> str:
    return re.sub(r"(?s)\\(.)", r"\1", text)


def _quoted(text: str) -> str:
    escaped = re.sub(r'(["\\])', r"\\\1", text)
    return f'"{escaped}"'
