"""Small helpers that maskers share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import polars as pl

from parity_data.mask.cipher import IntegerCipher, TokenCipher
from parity_data.mask.context import Context
from parity_data.mask.registry import Function

Bools = npt.NDArray[np.bool_]
Accept = Callable[[pl.Series], pl.Series]

#: Rounds after which a walk gives up looking for a value of the same kind.
_ROUNDS = 2_000


def tokens(context: Context, domain: str | None = None) -> TokenCipher:
    """The token cipher of a masking domain, the column's own by default."""
    return TokenCipher(context.keys.subkey("tokens", context.domain if domain is None else domain))


def integers(context: Context, purpose: str = "integers") -> IntegerCipher:
    """The integer cipher of the column's masking domain."""
    return IntegerCipher(context.keys.subkey(purpose, context.domain))


def walk(values: pl.Series, step: Function, accept: Accept) -> pl.Series:
    """Repeat a bijection until each value is accepted again: a bijection among accepted values.

    accept: String Series in, Boolean Series out; every one of ``values`` would be accepted itself.
    """
    out = step(values)
    for _ in range(_ROUNDS):
        wrong = (~accept(out)).arg_true()
        if not len(wrong):
            break
        out = out.scatter(wrong, step(out.gather(wrong)))
    return out


def by_kind(values: pl.Series, chosen: pl.Series, yes: Function, no: Function) -> pl.Series:
    """``yes`` where chosen, ``no`` elsewhere. chosen: Boolean Series without NULLs."""
    if chosen.all():
        return yes(values)
    if not chosen.any():
        return no(values)
    out = pl.Series(values.name, [None], dtype=pl.String).new_from_index(0, values.len())
    for mask, function in ((chosen, yes), (~chosen, no)):
        places = mask.arg_true()
        out = out.scatter(places, function(values.gather(places)))
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
