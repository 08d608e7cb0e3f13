"""Maskers for any kind of value: keep, null, constant, identifiers, numbers, and the lossy ones."""

from __future__ import annotations

import numpy as np
import polars as pl

from parity_data.mask import _keyed
from parity_data.mask._common import by_kind, each, integers, matches, tokens, valid_or_not
from parity_data.mask.cipher import IntegerCipher, TokenCipher
from parity_data.mask.cipher.tables import hexadecimal
from parity_data.mask.context import Context
from parity_data.mask.registry import Function, Keeps, MaskerInfo, Param, register

_SHAPE: frozenset[Keeps] = frozenset({"length", "bytes", "script", "case", "format"})

_INTEGERS = frozenset({"int2", "int4", "int8"})

#: Where classes of numbers begin: at each number of digits, and beyond what each type holds. A number stays
#: in its class in every type, so that a key of one type joins with one of another.
_CLASSES = sorted({10**n for n in range(20)} | {2**15, 2**31, 2**63})
_BELOW_ZERO = sorted({10**n for n in range(20)} | {2**15 + 1, 2**31 + 1, 2**63 + 1})


def _constant(context: Context) -> Function:
    value = str(context.params["value"])
    return lambda values: pl.Series(values.name, [value], dtype=pl.String).new_from_index(0, values.len())


def _whole(context: Context) -> Function:
    return tokens(context).whole


def _uuid(context: Context) -> Function:
    """Everything but the version and variant digits (RFC 9562), as one number."""
    hexed = TokenCipher(context.keys.subkey("hexadecimal", context.domain), hexadecimal())
    cipher = tokens(context)
    accept = matches(r"(?i)\{?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\}?")

    def uuids(values: pl.Series) -> pl.Series:
        capital = (values == values.str.to_uppercase()) & (values != values.str.to_lowercase())
        small = values.str.to_lowercase()
        parts = small.str.extract_groups(
            r"^(\{?[0-9a-f]{8}-?[0-9a-f]{4}-?)([0-9a-f])([0-9a-f]{3}-?)([0-9a-f])(.*)$"
        ).struct.unnest()
        a, version, b, variant, c = (parts.to_series(i) for i in range(5))
        # Joined by a character that stays, so that the parts are found again.
        masked = hexed.whole(a + "|" + b + "|" + c).str.split_exact("|", 2).struct.unnest()
        new = masked.to_series(0) + version + masked.to_series(1) + variant + masked.to_series(2)
        return pl.select(pl.when(capital).then(new.str.to_uppercase()).otherwise(new)).to_series()

    return lambda values: valid_or_not(values, accept, uuids, cipher.whole)


def _integer(context: Context) -> Function:
    """A bijection among the numbers with as many digits that fit the type; the sign stays."""
    numbers, cipher = integers(context), tokens(context)
    accept = matches(r"-?[1-9][0-9]{0,18}")

    def whole_numbers(values: pl.Series) -> pl.Series:
        return by_kind(values, values.str.starts_with("-"), negative, positive)

    def positive(values: pl.Series) -> pl.Series:
        return _step_digits(values, numbers, _CLASSES)

    def negative(values: pl.Series) -> pl.Series:
        return "-" + _step_digits(values.str.strip_prefix("-"), numbers, _BELOW_ZERO)

    def mask(values: pl.Series) -> pl.Series:
        rest = (
            cipher.whole
            if context.type_name in ("text", "varchar", "bpchar", "citext")
            else _digits_of_number(cipher)
        )
        return by_kind(
            values, accept(values), whole_numbers, lambda s: by_kind(s, s == "0", lambda z: z, rest)
        )

    return mask


def _step_digits(digits: pl.Series, numbers: IntegerCipher, classes: list[int]) -> pl.Series:
    """Numbers below 2**64 without leading zeros, each to another of its class."""
    value = digits.cast(pl.UInt64).to_numpy()
    new = value.copy()
    of = np.searchsorted(np.array(classes, np.uint64), value, side="right") - 1
    for number in np.unique(of).tolist():
        at = np.flatnonzero(of == number)
        first, end = classes[number], [*classes, 2**64][number + 1]
        new[at] = numbers.step(value[at] - np.uint64(first), end - first, f"{first}") + np.uint64(first)
    return pl.Series(new).cast(pl.String)


def _digits_of_number(cipher: TokenCipher) -> Function:
    """Decimal fractions: enciphered until the first digit is as it was, zero or not."""

    def mask(values: pl.Series) -> pl.Series:
        plain = values.str.contains(r"^[^0-9a-zA-Z]*[0-9][0-9.,]*[0-9]?$")
        return by_kind(values, plain, numbers, lambda s: s)

    def leading(values: pl.Series) -> pl.Series:
        return values.str.extract(r"([0-9])", 1) == "0"

    def numbers(values: pl.Series) -> pl.Series:
        kept = pl.Series(np.where(leading(values).to_numpy(), 1, 0), dtype=pl.Int64).to_numpy()
        out = cipher.whole(values, kept)
        for _ in range(60):
            wrong = (leading(out) != leading(values)).arg_true()
            if not len(wrong):
                break
            out = out.scatter(wrong, cipher.whole(out.gather(wrong), kept[wrong.to_numpy()]))
        return out

    return mask


def _number(context: Context) -> Function:
    if context.type_name in _INTEGERS:
        return _integer(context)
    cipher = tokens(context)
    fractions = _digits_of_number(cipher)
    if context.type_name in ("text", "varchar", "bpchar", "citext"):
        accept = matches(r"[^0-9a-zA-Z]*[0-9][0-9.,]*[0-9]?")
        return lambda values: valid_or_not(values, accept, fractions, cipher.whole)
    return fractions


def _generalise(context: Context) -> Function:
    to, width = context.params["to"], context.params["width"]

    def number(text: str) -> str:
        try:
            return str(int(float(text) // width * width))
        except (ValueError, OverflowError):
            return text

    if to == "width":
        return each(number)
    if to == "initial":
        return lambda values: values.str.slice(0, 1)
    length = {"year": 4, "month": 7}[to]
    rest = "-01-01" if to == "year" else "-01"

    def dates(values: pl.Series) -> pl.Series:
        new = values.str.slice(0, length) + rest + values.str.slice(10).str.replace_all("[0-9]", "0")
        fits = values.str.contains(r"^\d{4}-\d\d-\d\d")
        return pl.select(pl.when(fits).then(new).otherwise(values)).to_series()

    return dates


def _choice(context: Context) -> Function:
    key = context.keys.subkey("choice", context.domain)
    weights = context.params["values"]
    names = [str(v) for v in weights]
    shares = list(weights.values()) if isinstance(weights, dict) else [1] * len(names)
    edges = np.cumsum(np.array(shares, float)) / sum(shares)

    def mask(values: pl.Series) -> pl.Series:
        draw = _keyed.numbers(values, key) / 2.0**64
        return pl.Series(names, dtype=pl.String).gather(
            np.minimum(np.searchsorted(edges, draw), len(names) - 1)
        )

    return mask


_ANY = ("any",)
register(
    MaskerInfo(
        name="keep",
        summary="Leaves values as they are.",
        theme="generic",
        accepts=_ANY,
        distinct="injective",
        keeps=frozenset({*_SHAPE, "validity", "order"}),
        make=lambda context: lambda values: values,
        samples=("anything",),
        changes=False,
    )
)
register(
    MaskerInfo(
        name="null",
        summary="Replaces every value by NULL.",
        theme="generic",
        accepts=_ANY,
        distinct="lossy",
        keeps=frozenset(),
        make=lambda context: lambda values: pl.Series(values.name, [None] * values.len(), dtype=pl.String),
        samples=("anything",),
        changes=False,
    )
)
register(
    MaskerInfo(
        name="constant",
        summary="Replaces every value by one and the same.",
        theme="generic",
        accepts=_ANY,
        distinct="lossy",
        keeps=frozenset(),
        make=_constant,
        params=(Param("value", "text", "The value to write, as PostgreSQL reads it.", required=True),),
        samples=("anything",),
        params_for_tests={"value": "x"},
        changes=False,
    )
)
for _name, _summary, _samples in (
    ("token", "Enciphers the letters and digits of a value as one.", ("A7f-99x", "Ключ-42")),
    (
        "code",
        "Enciphers an identifier: letters within letters, digits within digits.",
        ("INV-2024-00042", "KD 7781"),
    ),
    (
        "digits",
        "Enciphers a number written in any script, with whatever stands between its digits.",
        ("4421-9987", "٠١٢٣٤"),
    ),
):
    register(
        MaskerInfo(
            name=_name,
            summary=_summary,
            theme="generic",
            accepts=("text",),
            distinct="injective",
            keeps=_SHAPE,
            make=_whole,
            samples=_samples,
            domain=_name,
        )
    )
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
    )
)
register(
    MaskerInfo(
        name="integer",
        summary="Maps whole numbers to others with as many digits, one to one, within the type; 0 stays.",
        theme="generic",
        accepts=("integer", "number", "text"),
        distinct="injective",
        keeps=frozenset({"length", "bytes", "validity"}),
        make=_integer,
        samples=("7", "123456", "-42"),
        stays=("0",),
        domain="integer",
        check=lambda text: text.removeprefix("-").isdigit(),
    )
)
register(
    MaskerInfo(
        name="number",
        summary="Enciphers the digits of a number; sign, places around the point, leading zero stay.",
        theme="generic",
        accepts=("number", "integer", "text"),
        distinct="injective",
        keeps=frozenset({"length", "bytes", "format", "validity"}),
        make=_number,
        samples=("1204.50", "-0.07", "$1,300.00"),
        domain="number",
        changes=False,
    )
)
register(
    MaskerInfo(
        name="generalise",
        summary="Rounds down: dates to the year or month, numbers to a width, text to its first letter.",
        theme="generic",
        accepts=("date", "timestamp", "integer", "number", "text"),
        distinct="lossy",
        keeps=frozenset({"order"}),
        make=_generalise,
        params=(
            Param(
                "to",
                "choice",
                "What to round to.",
                default="year",
                choices=("year", "month", "width", "initial"),
            ),
            Param("width", "number", "Numbers become multiples of this.", default=10, minimum=1),
        ),
        samples=("1984-07-23",),
        changes=False,
    )
)
register(
    MaskerInfo(
        name="choice",
        summary="Draws one of given values for each value, by keyed hash.",
        theme="generic",
        accepts=_ANY,
        distinct="lossy",
        keeps=frozenset(),
        make=_choice,
        params=(
            Param(
                "values", "collection", "Values to draw from, or values with their weights.", required=True
            ),
        ),
        samples=("active",),
        params_for_tests={"values": ["red", "green", "blue"]},
        changes=False,
    )
)
