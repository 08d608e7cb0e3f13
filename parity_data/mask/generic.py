"""Maskers for any kind of value: keep, null, constant, identifiers, and the lossy ones."""

from __future__ import annotations

import numpy as np
import polars as pl

from parity_data.mask import _keyed
from parity_data.mask._common import as_one, each
from parity_data.mask.context import Context
from parity_data.mask.registry import SHAPE, Function, MaskerInfo, Param, register


def _constant(context: Context) -> Function:
    value = str(context.params["value"])
    return lambda values: pl.Series(values.name, [value], dtype=pl.String).new_from_index(0, values.len())


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
        keeps=frozenset({*SHAPE, "validity", "order"}),
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
            keeps=SHAPE,
            make=as_one,
            samples=_samples,
            domain=_name,
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
