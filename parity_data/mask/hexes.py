"""Identifiers of hexadecimal digits: UUIDs, and the addresses of network hardware."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import polars as pl

from parity_data.mask._common import by_kind, matches, tokens, valid_or_not, walk, walk_within
from parity_data.mask.cipher import TokenCipher
from parity_data.mask.cipher.tables import decimal, hexadecimal, hexadecimal_by_case
from parity_data.mask.context import Context
from parity_data.mask.registry import Function, MaskerInfo, register

_UUID = r"(?i)\{?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\}?"
_MAC = r"(?i)[0-9a-f]{2}(?:[:-]?[0-9a-f]{2}){5}(?:(?:[:-]?[0-9a-f]{2}){2})?|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}"

_UUID_PARTS = r"^(\{?.{8}-?.{4}-?)(.)(.{3}-?)(.)(.*)$"

Around = Callable[[Function], Function]


class HexCipher:
    """Enciphers hexadecimal digits so that case stays, too: what is written in two cases stays two values.

    A value in small letters and the same in capitals move together. For that a value with a letter gets one,
    and one without gets none. Where both cases are mixed, letters move within letters of their case.
    """

    def __init__(self, context: Context) -> None:
        key = context.keys.subkey("hexadecimal", context.domain)
        self._any = TokenCipher(key, hexadecimal())
        self._digits = TokenCipher(key, decimal())
        self._by_case = TokenCipher(key, hexadecimal_by_case())

    def mask(
        self,
        values: pl.Series,
        kind: Function | None = None,
        around: Around = lambda whole: whole,
    ) -> pl.Series:
        """Mask n values. kind: what must stay, a Series of length n for n values.

        around: makes a function of values of one of those of their parts that move.
        """

        def stepped(rest: pl.Series, cipher: TokenCipher) -> pl.Series:
            step = around(cipher.whole)
            return step(rest) if kind is None else walk_within(rest, step, kind)

        def small(rest: pl.Series) -> pl.Series:
            return walk(rest, partial(stepped, cipher=self._any), _has_letter)

        def lettered(rest: pl.Series) -> pl.Series:
            if not rest.str.contains("[A-F]").any():
                return small(rest)
            alike = (rest == rest.str.to_lowercase()) | (rest == rest.str.to_uppercase())
            return by_kind(rest, alike, in_one_case, partial(stepped, cipher=self._by_case))

        def in_one_case(rest: pl.Series) -> pl.Series:
            lowered = rest.str.to_lowercase()
            new = small(lowered)
            return pl.select(pl.when(rest == lowered).then(new).otherwise(new.str.to_uppercase())).to_series()

        return by_kind(values, _has_letter(values), lettered, partial(stepped, cipher=self._digits))


def _has_letter(values: pl.Series) -> pl.Series:
    return values.str.contains("[a-fA-F]")


def _uuid(context: Context) -> Function:
    """Everything but the version and variant digits (RFC 9562), as one number."""
    hexed, cipher = HexCipher(context), tokens(context)

    def around(whole: Function) -> Function:
        def mask(values: pl.Series) -> pl.Series:
            a, version, b, variant, c = values.str.extract_groups(_UUID_PARTS).struct.unnest().get_columns()
            # Joined by a character that stays, so that the parts are found again.
            masked = whole(a + "|" + b + "|" + c).str.split_exact("|", 2).struct.unnest()
            return masked.to_series(0) + version + masked.to_series(1) + variant + masked.to_series(2)

        return mask

    return lambda values: valid_or_not(
        values, matches(_UUID), lambda s: hexed.mask(s, around=around), cipher.whole
    )


def _mac(context: Context) -> Function:
    """All digits as one, but the two bits that say what kind of address it is (IEEE 802)."""
    hexed, cipher = HexCipher(context), tokens(context)
    return lambda values: valid_or_not(values, matches(_MAC), lambda s: hexed.mask(s, _flags), cipher.whole)


def _flags(values: pl.Series) -> pl.Series:
    return values.str.slice(1, 1).str.to_integer(base=16) % 4


register(
    MaskerInfo(
        name="uuid",
        summary="Enciphers a UUID; version, variant and writing stay.",
        theme="generic",
        accepts=("uuid", "text"),
        distinct="injective",
        keeps=frozenset({"length", "bytes", "format", "validity"}),
        make=_uuid,
        samples=("0190163d-8694-739b-aea5-966c26f8ad91", "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}"),
        domain="uuid",
        details="In small letters and in capitals it becomes the same. One that mixes both within itself is "
        "enciphered by itself, so that all of them stay apart.",
        check=lambda text: re.fullmatch(_UUID, text) is not None,
    )
)
register(
    MaskerInfo(
        name="mac",
        summary="Enciphers a hardware address; multicast and local bits, separators and case stay.",
        theme="network",
        accepts=("mac", "text"),
        distinct="injective",
        keeps=frozenset({"length", "bytes", "format", "validity"}),
        make=_mac,
        samples=("08:00:2b:01:02:03", "08-00-2B-01-02-03", "0800.2b01.0203"),
        domain="mac",
        check=lambda text: re.fullmatch(_MAC, text) is not None,
    )
)
