"""Numbers: whole ones within the range of every type, others by their digits."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl

from parity_data.mask._common import as_one, by_kind, integers, matches, tokens, valid_or_not, walk
from parity_data.mask.cipher import IntegerCipher, TokenCipher
from parity_data.mask.cipher.flat import Flat
from parity_data.mask.context import Context
from parity_data.mask.registry import Function, MaskerInfo, register
from parity_data.mask.written import whole_numbers

_INTEGERS = frozenset({"int2", "int4", "int8"})

#: Where classes of numbers begin: at each number of digits, and beyond what each type holds. A number stays
#: in its class in every type, so that a key of one type joins with one of another.
_CLASSES = sorted({10**n for n in range(20)} | {2**15, 2**31, 2**63})
_BELOW_ZERO = sorted({10**n for n in range(20)} | {2**15 + 1, 2**31 + 1, 2**63 + 1})

_WHOLE = r"-?[1-9][0-9]{0,18}"
_DECIMAL = r"[^0-9a-zA-Z]*[0-9][0-9.,]*[^0-9a-zA-Z]*"
_EXPONENT = r"(?:[eE][+-]?[0-9]+)?"
#: A number, and what stays behind it: zeros that end its fraction, and the exponent.
_PARTS = rf"(?s)^([^.eE]*(?:\.[0-9]*?)?|.*)(0*{_EXPONENT})$"
_ENDS_IN_ZERO = r"^[^.]*\.[0-9]*0$"
#: Alone of their kind: no other number may become these.
_ZEROS = r"-?0"


def integer(context: Context) -> Function:
    """A bijection among the numbers with as many digits that fit the type; the sign stays."""
    cipher = integers(context)

    def negative(values: pl.Series) -> pl.Series:
        return "-" + _step_digits(values.str.strip_prefix("-"), cipher, _BELOW_ZERO)

    def numbers(values: pl.Series) -> pl.Series:
        below = values.str.starts_with("-")
        return by_kind(values, below, negative, lambda s: _step_digits(s, cipher, _CLASSES))

    rest = as_one(context) if context.is_text else decimals(tokens(context))
    zero, whole = matches(_ZEROS), matches(_WHOLE)

    def others(values: pl.Series) -> pl.Series:
        return walk(values, rest, lambda s: ~(whole(s) | zero(s)))

    def mask(values: pl.Series) -> pl.Series:
        read = whole_numbers(Flat.of(values))
        if read is not None and not read[1].any() and read[0].all():
            return _step(read[0], cipher, _CLASSES)
        return by_kind(values, whole(values), numbers, lambda s: by_kind(s, zero(s), lambda z: z, others))

    return mask


def _step_digits(digits: pl.Series, cipher: IntegerCipher, classes: list[int]) -> pl.Series:
    """Numbers below 2**64 without leading zeros, each to another of its class."""
    return _step(digits.cast(pl.UInt64).to_numpy(), cipher, classes)


def _step(value: npt.NDArray[np.uint64], cipher: IntegerCipher, classes: list[int]) -> pl.Series:
    new = value.copy()
    of = np.searchsorted(np.array(classes, np.uint64), value, side="right") - 1
    for number in np.unique(of).tolist():
        at = np.flatnonzero(of == number)
        first, end = classes[number], [*classes, 2**64][number + 1]
        new[at] = cipher.step(value[at] - np.uint64(first), end - first, f"{first}") + np.uint64(first)
    return pl.Series(new).cast(pl.String)


def decimals(cipher: TokenCipher) -> Function:
    """Numbers as types write them: digits move, so that equal numbers stay equal, however they are written.

    Exponent, zeros at the end of a fraction and whether the first digit is zero stay; so do NaN and infinity.
    """
    number = matches(_DECIMAL + _EXPONENT)

    def mask(values: pl.Series) -> pl.Series:
        return by_kind(values, number(values), numbers, lambda s: s)

    def numbers(values: pl.Series) -> pl.Series:
        if not values.str.contains(r"[.eE]").any():
            return digits(values)
        # 1.50 and 1.5 are one number, and no other becomes 2.0 where 2 may be taken.
        core, ending = values.str.extract_groups(_PARTS).struct.unnest().get_columns()
        return digits(core) + ending

    def digits(values: pl.Series) -> pl.Series:
        return by_kind(values, leading(values), partial(moved, kept=1), partial(moved, kept=0))

    def moved(values: pl.Series, kept: int) -> pl.Series:
        return walk(
            values,
            lambda s: cipher.whole(s, np.full(len(s), kept)),
            lambda s: (leading(s) == bool(kept)) & ~s.str.contains(_ENDS_IN_ZERO),
        )

    def leading(values: pl.Series) -> pl.Series:
        # A fraction of zeros alone has none left.
        return (values.str.extract(r"([0-9])", 1) == "0").fill_null(True)

    return mask


def _number(context: Context) -> Function:
    if context.type_name in _INTEGERS:
        return integer(context)
    cipher = tokens(context)
    fractions, accept = decimals(cipher), matches(_DECIMAL)
    if not context.is_text:
        return fractions
    return lambda values: valid_or_not(values, accept, fractions, cipher.whole)


register(
    MaskerInfo(
        name="integer",
        summary="Maps whole numbers to others with as many digits, one to one, within the type; 0 stays.",
        theme="generic",
        accepts=("integer", "number", "text"),
        distinct="injective",
        keeps=frozenset({"length", "bytes", "validity"}),
        make=integer,
        samples=("7", "123456", "-42"),
        stays=(_ZEROS,),
        domain="integer",
        check=lambda text: text.removeprefix("-").isdigit(),
    )
)
register(
    MaskerInfo(
        name="number",
        summary="Enciphers the digits of a number; sign, places around the point, a leading zero, zeros that "
        "end a fraction and the exponent stay.",
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
