"""IBANs in bulk: country, structure, check digits (ISO 13616, ISO 7064 mod 97-10) and national ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, partial

import numpy as np
import numpy.typing as npt
import polars as pl
import stdnum.iban
from stdnum import numdb

from parity_data.mask._common import by_group, tokens, walk
from parity_data.mask.cipher import TokenCipher
from parity_data.mask.cipher.tables import plain
from parity_data.mask.context import Context
from parity_data.mask.registry import Function

#: What an IBAN is: nothing like one, right by mod 97, right by its country's own check digits, too.
_NONE, _INTERNATIONAL, _NATIONAL = 0, 1, 2

_SEPARATORS = "[ .-]"
_IBAN = r"^[A-Z]{2}[0-9]{2}[0-9A-Z]{8,30}$"
_FIELD = re.compile(r"([1-9][0-9]*)!([nac])")
_CLASSES = {"n": "[0-9]", "a": "[A-Z]", "c": "[0-9A-Z]"}

Numbers = npt.NDArray[np.int64]


def is_iban(text: str) -> bool:
    """Whether the text has its country's form and right check digits, separators aside."""
    return bool(_kinds(pl.Series([text], dtype=pl.String))[0] != _NONE)


def make(context: Context) -> Function:
    """The masker: valid stays valid and of its country, what is no IBAN stays none."""
    cipher = tokens(context)
    inner = TokenCipher(context.keys.subkey("ibans", context.domain), plain())

    def mask(values: pl.Series) -> pl.Series:
        return by_group(values, _kinds(values), of_kind)

    def of_kind(kind: int) -> Function:
        step = cipher.whole if kind == _NONE else partial(_step, inner, national=kind == _NATIONAL)
        return lambda values: walk(values, step, lambda s: _kinds(s) == kind)

    return mask


def _step(cipher: TokenCipher, values: pl.Series, national: bool) -> pl.Series:
    compact = values.str.replace_all(_SEPARATORS, "")
    country, body = compact.str.slice(0, 2), compact.str.slice(4)
    new = cipher.whole(body)
    if national:
        for name, (place, check) in _NATIONAL_DIGITS.items():
            at = (country.str.to_uppercase() == name).arg_true()
            if len(at):
                digits = body.gather(at)
                rest = cipher.whole(digits.str.slice(0, place) + digits.str.slice(place + 2))
                account = rest.str.slice(0, place), rest.str.slice(place)
                new = new.scatter(at, account[0] + _two(check(_matrix(account[0] + account[1]))) + account[1])
    check_digits = _two(98 - _mod97((new + country + "00").str.to_uppercase()))
    return _written_like(values, country + check_digits + new)


def _kinds(values: pl.Series) -> pl.Series:
    """What each of n values is."""
    compact = values.str.replace_all(_SEPARATORS, "").str.to_uppercase()
    out = pl.Series("", np.full(len(values), _NONE, np.int8))
    shaped = (compact.str.contains(_IBAN) & values.str.contains(r"^[A-Za-z0-9 .-]*$")).arg_true()
    if not len(shaped):
        return out
    inside = compact.gather(shaped)
    # Check digits are 98 minus a remainder; 00, 01 and 99 would pass as well, beside those that are meant.
    meant = inside.str.slice(2, 2).is_between(pl.lit("02"), pl.lit("98"))
    right = pl.Series(_mod97(inside.str.slice(4) + inside.str.slice(0, 4)) == 1) & meant
    known, national = np.zeros(len(inside), bool), np.zeros(len(inside), bool)
    countries = inside.str.slice(0, 2)
    for country in countries.unique().to_list():
        at = (countries == country).arg_true()
        here = inside.gather(at)
        good = here.str.contains(_structure(country)) & right.gather(at)
        known[at.to_numpy()] = good.to_numpy()
        national[at.to_numpy()] = (good & _nationally_right(country, here, good)).to_numpy()
    return out.scatter(shaped, pl.Series(known.astype(np.int8) + national.astype(np.int8)))


def _nationally_right(country: str, compact: pl.Series, candidates: pl.Series) -> pl.Series:
    """By the country's own rule, where python-stdnum has one. candidates: worth asking."""
    if country not in _WITH_MODULES:
        return candidates
    if country in _NATIONAL_DIGITS:
        place, check = _NATIONAL_DIGITS[country]
        at = candidates.arg_true()
        if not len(at):
            return candidates
        account = compact.gather(at).str.slice(4)
        right = account.str.slice(place, 2) == _two(
            check(_matrix(account.str.slice(0, place) + account.str.slice(place + 2)))
        )
        candidates = candidates.clone().scatter(at, right)
        if country == "ES":
            return candidates
    # The others also name banks, or have rules nobody meets by the million.
    checked = [
        good and bool(stdnum.iban.is_valid(text))
        for text, good in zip(compact.to_list(), candidates.to_list(), strict=True)
    ]
    return pl.Series(checked, dtype=pl.Boolean)


@cache
def _structure(country: str) -> str:
    """A regular expression for the whole IBAN, from the registry that python-stdnum ships."""
    found = numdb.get("iban").info(country)[0][1].get("bban", "")
    body = _FIELD.sub(lambda m: f"{_CLASSES[m[2]]}{{{m[1]}}}", found)
    return f"^{country}[0-9]{{2}}{body}$" if body else "[^\\s\\S]"


def _matrix(digits: pl.Series) -> Numbers:
    """Strings of one length as digits: (n, length)."""
    data = np.frombuffer("".join(digits.to_list()).encode("ascii"), np.uint8)
    return data.reshape(len(digits), -1).astype(np.int64) - ord("0")


def _mod97(texts: pl.Series) -> Numbers:
    """Remainders of n capital texts read as numbers in which A is 10 and Z 35."""
    out = np.zeros(len(texts), np.int64)
    lengths = texts.str.len_bytes()
    for length in lengths.unique().to_list():
        at = (lengths == length).arg_true()
        rest = np.zeros(len(at), np.int64)
        for column in _matrix(texts.gather(at)).T:
            letter = column > 9
            rest = (rest * np.where(letter, 100, 10) + np.where(letter, column - 7, column)) % 97
        out[at.to_numpy()] = rest
    return out


def _two(numbers: Numbers) -> pl.Series:
    return pl.Series(numbers).cast(pl.String).str.zfill(2)


def _spanish(digits: Numbers) -> Numbers:
    """Two control digits: one for bank and branch, one for the account (weights 2**i, modulo 11)."""
    weights = 2 ** np.arange(10)
    first, second = (digits[:, :8] * weights[2:]).sum(axis=1) % 11, (digits[:, 8:] * weights).sum(axis=1) % 11
    one, two = (np.where(rest < 2, rest, 11 - rest) for rest in (first, second))
    return np.asarray(one * 10 + two)


def _belgian(digits: Numbers) -> Numbers:
    """The first ten digits modulo 97, 97 for 0."""
    number = (digits * 10 ** np.arange(9, -1, -1)).sum(axis=1) % 97
    return np.where(number == 0, 97, number)


#: Countries whose accounts have two check digits of their own: where, and how they follow from the rest.
_NATIONAL_DIGITS: dict[str, tuple[int, Callable[[Numbers], Numbers]]] = {
    "ES": (8, _spanish),
    "BE": (10, _belgian),
}
_WITH_MODULES = frozenset({"ES", "BE", "ME", "NO"})


def _written_like(values: pl.Series, compact: pl.Series) -> pl.Series:
    """Put separators back where they stood, and capitals as they were."""
    spaced = values.str.contains(_SEPARATORS).arg_true()
    if not len(spaced):
        return compact
    out = []
    for text, new in zip(values.gather(spaced).to_list(), compact.gather(spaced).to_list(), strict=True):
        chars = iter(new)
        out.append("".join(c if c in " .-" else next(chars) for c in text))
    return compact.scatter(spaced, pl.Series(out, dtype=pl.String))
