"""Small helpers that maskers share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from parity_data.mask.cipher import IntegerCipher, TokenCipher
from parity_data.mask.context import Context
from parity_data.mask.registry import Function

Bools = npt.NDArray[np.bool_]
Accept = Callable[[pl.Series], pl.Series]

#: Rounds after which a walk gives up looking for a value of the same kind.
ROUNDS = 2_000


def tokens(context: Context, domain: str | None = None) -> TokenCipher:
    """The token cipher of a masking domain, the column's own by default."""
    return TokenCipher(context.keys.subkey("tokens", context.domain if domain is None else domain))


def words(context: Context) -> Function:
    """Every run of letters, and every run of digits, enciphered for itself."""
    return tokens(context).tokens


def as_one(context: Context) -> Function:
    """All letters and digits of a value enciphered as one."""
    return tokens(context).whole


def integers(context: Context, purpose: str = "integers") -> IntegerCipher:
    """The integer cipher of the column's masking domain."""
    return IntegerCipher(context.keys.subkey(purpose, context.domain))


def walk(values: pl.Series, step: Function, accept: Accept) -> pl.Series:
    """Repeat a bijection until each value is accepted again: a bijection among accepted values.

    accept: String Series in, Boolean Series out; every one of ``values`` would be accepted itself.
    """
    return _walked(values, step, lambda out, places: ~accept(out))


def walk_within(values: pl.Series, step: Function, kind: Function) -> pl.Series:
    """Repeat a bijection until each value is of the kind it was: a bijection among the values of each kind.

    kind: String Series in, Series of anything out.
    """
    kinds = kind(values)
    return _walked(values, step, lambda out, places: kind(out) != _at(kinds, places))


def _walked(
    values: pl.Series, step: Function, goes_on: Callable[[pl.Series, pl.Series | None], pl.Series]
) -> pl.Series:
    """goes_on: values and their places, None for all places, in; Boolean Series out."""
    out = step(values)
    places = goes_on(out, None).arg_true()
    for _ in range(ROUNDS):
        if not len(places):
            break
        new = step(out.gather(places))
        out = out.scatter(places, new)
        places = places.filter(goes_on(new, places))
    return out


def _at(values: pl.Series, places: pl.Series | None) -> pl.Series:
    return values if places is None else values.gather(places)


def by_kind(values: pl.Series, chosen: pl.Series, yes: Function, no: Function) -> pl.Series:
    """``yes`` where chosen, ``no`` elsewhere. chosen: Boolean Series without NULLs."""
    if chosen.all():
        return yes(values)
    if not chosen.any():
        return no(values)
    return by_group(values, chosen, {True: yes, False: no}.__getitem__)


def by_group(values: pl.Series, groups: pl.Series, function: Callable[[Any], Function]) -> pl.Series:
    """A function of its own for the values of each group. groups: as long as ``values``, without NULLs."""
    out = pl.Series(values.name, [None], dtype=pl.String).new_from_index(0, values.len())
    for group in groups.unique().to_list():
        places = (groups == group).arg_true()
        out = out.scatter(places, function(group)(values.gather(places)))
    return out


def valid_or_not(values: pl.Series, accept: Accept, valid: Function, otherwise: Function) -> pl.Series:
    """``valid`` for accepted values; the others walk with ``otherwise`` among what is not accepted."""
    return by_kind(
        values,
        accept(values),
        valid,
        lambda rest: walk(rest, otherwise, lambda s: ~accept(s)),
    )


def matches(pattern: str) -> Accept:
    """Accepts values that a regular expression (of the Rust crate ``regex``) matches as a whole."""
    anchored = f"^(?:{pattern})$"
    return lambda values: values.str.contains(anchored)


def passes(check: Callable[[str], bool]) -> Accept:
    """Accepts values for which a Python function says yes."""
    return lambda values: pl.Series([check(text) for text in values.to_list()], dtype=pl.Boolean)


def each(function: Callable[[str], str]) -> Function:
    """A Python function applied to every value, for maskers of formats nobody has by the million."""
    return lambda values: pl.Series(values.name, [function(v) for v in values.to_list()], dtype=pl.String)


def numbers(values: pl.Series) -> npt.NDArray[np.uint64]:
    """Decimal strings below 2**64 as numbers."""
    return values.cast(pl.UInt64).to_numpy()


def padded(values: npt.NDArray[np.uint64], width: int) -> pl.Series:
    """Numbers as decimal strings with leading zeros."""
    return pl.Series(values).cast(pl.String).str.zfill(width)
