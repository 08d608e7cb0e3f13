"""An example: membership numbers M-dddddd-c; c is the weighted sum of the other digits modulo ten."""

from __future__ import annotations

import re

import polars as pl

from parity_data.mask import Context, Function, MaskerInfo, register
from parity_data.mask.tools import matches, passes, tokens, valid_or_not

SHAPE = "M-[0-9]{6}-[0-9]"


def check_digit(body: str) -> str:
    return str(sum(int(digit) * place for place, digit in enumerate(body, 1)) % 10)


def is_valid(text: str) -> bool:
    return re.fullmatch(SHAPE, text) is not None and check_digit(text[2:8]) == text[-1]


def make(context: Context) -> Function:
    cipher = tokens(context)

    def numbers(values: pl.Series) -> pl.Series:
        """Valid numbers: the six digits become six others, and the check digit follows from them."""
        body = cipher.whole(values.str.slice(2, 6)).to_list()
        return pl.Series([f"M-{digits}-{check_digit(digits)}" for digits in body])

    def mistyped(values: pl.Series) -> pl.Series:
        """What only looks like a number keeps its form, which the column demands."""
        return "M-" + cipher.whole(values.str.slice(2))

    def shaped(values: pl.Series) -> pl.Series:
        return valid_or_not(values, passes(is_valid), numbers, mistyped)

    return lambda values: valid_or_not(values, matches(SHAPE), shaped, cipher.whole)


register(
    MaskerInfo(
        name="member_number",
        summary="Enciphers a membership number; the check digit stays right.",
        theme="identity",
        accepts=("text",),
        distinct="injective",
        keeps=frozenset({"length", "bytes", "format", "validity"}),
        make=make,
        samples=("M-482913-5",),
        domain="member_number",
        check=is_valid,
    )
)
