"""Telephone numbers: the subscriber's digits move, country, area and writing stay, valid stays valid.

Numbering plans come from the metadata of ``phonenumbers`` (libphonenumber), matched in bulk.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import numpy as np
import phonenumbers
import polars as pl
from phonenumbers import PhoneMetadata

from parity_data.mask._common import by_kind, tokens
from parity_data.mask.cipher.flat import Ints
from parity_data.mask.context import Context
from parity_data.mask.registry import Function

#: Countries whose plans a number without country code is held against when no region is given.
_REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "PL", "SE", "BR", "IN", "CH", "AT", "BE", "AU", "JP")

#: Digits of the subscriber: the last ones, which are enciphered.
_SUBSCRIBER = 7
#: Digits behind the country's that tell areas and kinds of numbers apart.
_AREA = 2

_DESCRIPTIONS = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "voip", "personal_number", "pager",
    "uan", "voicemail",
)  # fmt: skip

_EXTENSION = r"(?i)^(.*?)((?:[\s;,]*(?:ext\.?|extension|x|#|durchwahl)\s*\p{Nd}{1,6})?\s*)$"
#: A letter among the digits may become one that reads as an extension; such numbers are a plan apart.
_LIKE_EXTENSION = r"(?i)(?:ext\.?|extension|x|durchwahl)\s*[0-9]{1,6}\s*$"
_EXTENSION_AT_END = re.compile(_LIKE_EXTENSION)
_APART = 1_000
#: What an extension or blanks at the end need.
_EXTENDED = r"(?i)[x#]|durchwahl|\s$"
#: What can be a number: digits, letters of a keypad, and what stands between them.
_WRITTEN = r"^[^\p{L}\p{M}\p{N}]*(?:[A-Za-z]+[^\p{L}\p{M}\p{N}]*)?\p{Nd}[\p{Nd}A-Za-z[^\p{L}\p{M}\p{N}]]*$"
_CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE, key=lambda code: -len(str(code)))
_HEAD = "^(?:00)?(" + "|".join(map(str, _CODES)) + ")"

_HEADS = re.compile(_HEAD)
_ABROAD = re.compile(r"^[\s(]*(?:\+|00[1-9])")

#: Below so many numbers each is matched for itself.
_FEW = 64

_LETTERS = {"2": "abc", "3": "def", "4": "ghi", "5": "jkl", "6": "mno", "7": "pqrs", "8": "tuv", "9": "wxyz"}

#: Rounds after which a walk gives up. A plan that accepts one number in a thousand needs about so many.
_ROUNDS = 5_000


def is_valid(text: str) -> bool:
    """Whether a number with its country code is valid."""
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text, None))
    except phonenumbers.NumberParseException:
        return False


def make(context: Context) -> Function:
    """The masker. params: region."""
    cipher = tokens(context)
    region = context.params["region"]
    regions = (str(region).upper(),) if region else _REGIONS
    # Several countries share a code; their plans are held against a number once.
    codes = tuple(dict.fromkeys(filter(None, map(phonenumbers.country_code_for_region, regions))))

    def mask(values: pl.Series) -> pl.Series:
        return by_kind(values, values.str.contains(_WRITTEN), numbers, cipher.whole)

    def numbers(values: pl.Series) -> pl.Series:
        main, extension = _parts(values)
        maskable = main.str.count_matches(r"[A-Za-z\p{Nd}]").cast(pl.Int64)
        kept = _kept(_country_digits(main).to_numpy(), maskable.to_numpy())
        wanted = _plan(main, codes).to_numpy()
        out = cipher.whole(main, kept)
        wrong = np.flatnonzero(_plan(out, codes).to_numpy() != wanted)
        for _ in range(_ROUNDS):
            if not len(wrong):
                break
            new = cipher.whole(out.gather(wrong), kept[wrong])
            out = out.scatter(wrong, new)
            wrong = wrong[_plan(new, codes).to_numpy() != wanted[wrong]]
        return (out if extension is None else out + cipher.tokens(extension)).alias(values.name)

    return mask


def _parts(values: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    """Numbers and their extensions; no Series for these where no number has one."""
    if not values.str.contains(_EXTENDED).any():
        return values, None
    parts = values.str.extract_groups(f"(?s){_EXTENSION}").struct.unnest()
    return parts.to_series(0), parts.to_series(1)


def _kept(country: Ints, maskable: Ints) -> Ints:
    """Leading digits that stay: the country, and all but the last seven; two at least where four follow."""
    area = np.where(country + _AREA + 4 <= maskable, country + _AREA, country)
    kept = np.maximum(area, maskable - _SUBSCRIBER)
    return np.where(kept < maskable, kept, 0)


def _international(values: pl.Series) -> pl.Series:
    return values.str.contains(_ABROAD.pattern)


def _digits(values: pl.Series) -> pl.Series:
    """The digits of n numbers in ASCII; letters as on a keypad where there are three or more."""
    digits = values.str.replace_all(r"[^0-9]", "")
    odd = values.str.contains(r"[^\P{Nd}0-9]|(?:[a-zA-Z].*){3}").arg_true()
    if len(odd):
        plain = [_keyed_in(text) for text in values.gather(odd).to_list()]
        digits = digits.scatter(odd, pl.Series(plain, dtype=pl.String))
    return digits


def _keyed_in(text: str) -> str:
    keys = {letter: key for key, letters in _LETTERS.items() for letter in letters}
    vanity = sum(c in keys for c in text.lower()) >= 3
    return "".join(
        str(unicodedata.digit(c)) if c.isdecimal() else keys.get(c, "") if vanity else ""
        for c in text.lower()
    )


def _country_digits(values: pl.Series) -> pl.Series:
    """Leading digits that belong to +country or 00country, 0 without."""
    length = _digits(values).str.extract(f"({_HEAD[1:]})", 1).str.len_chars().cast(pl.Int64).fill_null(0)
    return pl.select(pl.when(_international(values)).then(length).otherwise(0)).to_series()


def _plan(values: pl.Series, codes: tuple[int, ...]) -> pl.Series:
    """Which numbering plan accepts each number, 0 for none: what masking must not change.

    codes: plans held, in this order, against numbers without a country code.
    """
    if len(values) < _FEW:
        return pl.Series([_plan_of(text, codes) for text in values.to_list()], dtype=pl.Int64)
    digits = _digits(values)
    extended = values.str.contains(_LIKE_EXTENSION)
    frame = pl.DataFrame({"digits": digits, "abroad": _international(values)}).with_columns(
        code=pl.when("abroad").then(pl.col("digits").str.extract(_HEAD, 1).cast(pl.Int64)),
        national=pl.col("digits").str.replace(_HEAD, ""),
    )
    found = pl.lit(0, dtype=pl.Int64)
    if not frame["abroad"].all():
        for place in range(len(codes), 0, -1):
            found = (
                pl.when(pl.col("digits").str.contains(_pattern(codes[place - 1])))
                .then(place)
                .otherwise(found)
            )
    found = pl.when("abroad").then(0).otherwise(found)
    for code in frame["code"].unique().drop_nulls().to_list():
        here = pl.col("abroad") & (pl.col("code") == code)
        found = (
            pl.when(here)
            .then(pl.col("national").str.contains(_pattern(code)).cast(pl.Int64))
            .otherwise(found)
        )
    return frame.select(found.cast(pl.Int64).fill_null(0)).to_series() + extended.cast(pl.Int64) * _APART


def _plan_of(text: str, codes: tuple[int, ...]) -> int:
    """The same for one number: for the last few of a walk, where matching in bulk costs more."""
    digits = _keyed_in(text)
    apart = _APART if _EXTENSION_AT_END.search(text) else 0
    if _ABROAD.match(text) is None:
        return apart + next(
            (place for place, code in enumerate(codes, 1) if _compiled(code).match(digits)), 0
        )
    head = _HEADS.match(digits)
    fits = head is not None and _compiled(int(head[1])).match(digits[head.end() :]) is not None
    return apart + int(fits)


@cache
def _compiled(code: int) -> re.Pattern[str]:
    return re.compile(_pattern(code))


@cache
def _pattern(code: int) -> str:
    """National numbers valid in the countries of a calling code, with or without the trunk prefix."""
    plans = []
    for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]:
        plan = (
            PhoneMetadata.metadata_for_nongeo_region(code)
            if region == "001"
            else PhoneMetadata.metadata_for_region(region)
        )
        if plan is None:
            continue
        trunk = f"(?:{plan.national_prefix_for_parsing})?" if plan.national_prefix_for_parsing else ""
        for name in _DESCRIPTIONS:
            description = getattr(plan, name)
            if description is not None and description.national_number_pattern:
                plans.append(f"{trunk}(?:{description.national_number_pattern})")
    if not plans:
        return "^$"
    # Digits of ASCII only: seven times as fast as those of all scripts.
    return "^(?:" + "|".join(dict.fromkeys(plans)).replace(r"\d", "[0-9]") + ")$"
