"""Secrets: password hashes, tokens, keys. One-way: nobody can compute them back, even with the key."""

from __future__ import annotations

import re
from collections.abc import Callable

import polars as pl

from parity_data.mask._common import by_kind
from parity_data.mask.cipher.tables import base32, hexadecimal, plain, table_of
from parity_data.mask.context import Context
from parity_data.mask.oneway import OneWay
from parity_data.mask.registry import Function, MaskerInfo, register

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_BCRYPT = r"^(\$2[abxy]?\$[0-9]{2}\$)([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$"
#: The PHC string format: $id$v=19$m=65536,t=3,p=4$salt$hash, and what Django and passlib write like it.
_PHC = r"^(\$?[a-z0-9_-]+\$(?:v=[0-9]+\$)?(?:[a-z]+=[0-9]+(?:,[a-z]+=[0-9]+)*\$|[0-9]+\$)?)([A-Za-z0-9+/.=_-]+\$[A-Za-z0-9+/.=_-]+)$"  # noqa: E501
_HEX = r"^(?:[0-9a-f]{8,}|[0-9A-F]{8,})$"
_BASE32 = r"^[A-Z2-7]{16,}=*$"


def _secret(context: Context) -> Function:
    key = context.keys.subkey("secrets", context.domain)
    other_key = context.keys.subkey("ends of secrets", context.domain)
    anything, letters = OneWay(key), OneWay(key, plain())
    hexed, thirty_two = OneWay(key, hexadecimal()), OneWay(key, base32())
    bcrypt = OneWay(key, table_of("./" + _LETTERS))
    # 22 characters of six bits hold 16 bytes and four bits more, 31 hold 23 bytes and two: those are zero.
    salt_end = OneWay(other_key, table_of(".Oeu"))
    hash_end = OneWay(other_key, table_of(".CGKOSWaeimquy26"))

    def bcrypts(values: pl.Series) -> pl.Series:
        parts = values.str.extract_groups(_BCRYPT).struct.unnest()
        drawn = bcrypt.draw(values, parts.to_series(1).str.slice(1) + parts.to_series(2).str.slice(1))
        ends = salt_end.draw(values, _same("....", values)), hash_end.draw(values, _same("..", values))
        salt = drawn.str.slice(0, 21) + ends[0].str.slice(0, 1)
        return parts.to_series(0) + salt + drawn.str.slice(21, 30) + ends[1].str.slice(0, 1)

    def crypts(values: pl.Series) -> pl.Series:
        parts = values.str.extract_groups(_PHC).struct.unnest()
        # The last character of a part may stand for fewer bits than six: A and g end any of them.
        drawn = letters.draw(values, parts.to_series(1))
        return parts.to_series(0) + drawn.str.replace_all(r"[A-Za-z0-9](=*)(\$|$)", "A${1}${2}")

    def hexes(values: pl.Series) -> pl.Series:
        drawn = hexed.draw(values, values.str.to_lowercase())
        capital = values == values.str.to_uppercase()
        return pl.select(pl.when(capital).then(drawn.str.to_uppercase()).otherwise(drawn)).to_series()

    def others(values: pl.Series) -> pl.Series:
        ascii_only = values.str.contains(r"^[\x00-\x7f]*$")
        return by_kind(values, ascii_only, letters.draw, anything.draw)

    out: Function = others
    kinds: tuple[tuple[str, Function], ...] = (
        (_BASE32, thirty_two.draw),
        (_HEX, hexes),
        (_PHC, crypts),
        (_BCRYPT, bcrypts),
    )
    for pattern, function in kinds:
        out = _first(pattern, function, out)
    return out


def _same(text: str, values: pl.Series) -> pl.Series:
    return pl.Series("", [text], dtype=pl.String).new_from_index(0, len(values))


def _first(pattern: str, yes: Function, no: Function) -> Function:
    return lambda values: by_kind(values, values.str.contains(pattern), yes, no)


def _shape(text: str) -> str:
    """Which of the known shapes a secret has."""
    for name, pattern in (("bcrypt", _BCRYPT), ("phc", _PHC), ("hex", _HEX), ("base32", _BASE32)):
        if re.fullmatch(pattern, text):
            return name
    return ""


def has_known_shape(text: str) -> bool:
    """Whether a text is a password hash, a hexadecimal or a base32 key."""
    return bool(_shape(text))


_check: Callable[[str], bool] = has_known_shape

register(
    MaskerInfo(
        name="secret",
        summary="Replaces a password hash, token or key by a random one of the same alphabet and length; "
        "nobody can compute it back, even with the masking key.",
        theme="secrets",
        accepts=("text",),
        distinct="near-injective",
        keeps=frozenset({"length", "bytes", "validity"}),
        make=_secret,
        samples=(
            "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW",
            "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b27eQ",
            "pbkdf2_sha256$600000$c2FsdHNhbHQ$4vNf3jzX0Yk2u8a9c1KXq5yE0p0=",
            "5f4dcc3b5aa765d61d8327deb882cf99",
            "JBSWY3DPEHPK3PXPJBSWY3DP",
            "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        ),
        domain="secret",
        details="Bcrypt, argon2 and other hashes of the form $algorithm$parameters$salt$hash keep algorithm "
        "and parameters and can be parsed; no password matches them. Very short secrets may merge.",
        check=_check,
    )
)
