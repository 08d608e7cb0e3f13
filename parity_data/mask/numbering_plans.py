"""Numbering plans: which digits are a valid telephone number, and where.

They come from the metadata of ``phonenumbers`` (libphonenumber). Plain numbers (``phone_loops``) are held
against automata made of them, others against regular expressions.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

import numpy as np
import phonenumbers
import polars as pl
from phonenumbers import PhoneMetadata

from parity_data.mask import phone_loops
from parity_data.mask.cipher.flat import Flat, Ints
from parity_data.mask.digit_automaton import automaton

_DESCRIPTIONS = (
    "fixed_line", "mobile", "toll_free", "premium_rate", "shared_cost", "voip", "personal_number", "pager",
    "uan", "voicemail",
)  # fmt: skip

#: Blanks of Unicode: Python has four control characters more.
_BLANK = r"[^\S\x1c-\x1f]"
#: A letter among the digits may become one that reads as an extension; such numbers are a plan apart.
_LIKE_EXTENSION = rf"(?i)(?:ext\.?|extension|x|durchwahl){_BLANK}*[0-9]{{1,6}}{_BLANK}*$"
_EXTENSION_AT_END = re.compile(_LIKE_EXTENSION)
_APART = 1_000
_CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE, key=lambda code: -len(str(code)))
_HEAD = "^(?:00)?(" + "|".join(map(str, _CODES)) + ")"

_HEADS = re.compile(_HEAD)
_ABROAD = re.compile(rf"^(?:{_BLANK}|\()*(?:\+|00[1-9])")

#: Below so many numbers each is matched for itself.
_FEW = 64

_LETTERS = {"2": "abc", "3": "def", "4": "ghi", "5": "jkl", "6": "mno", "7": "pqrs", "8": "tuv", "9": "wxyz"}

#: By number, whether it is a calling code.
_KNOWN = np.zeros(1_000, np.bool_)
_KNOWN[_CODES] = True


@dataclass(frozen=True)
class _States:
    """Automata of calling codes, one after another.

    begins: by calling code, its first state, or MISSING or NEVER. following: (s, 10); accepting: s booleans.
    """

    begins: Ints
    following: phone_loops.U16
    accepting: phone_loops.Bools

    @classmethod
    def none(cls) -> _States:
        begins = np.full(len(_KNOWN), phone_loops.MISSING, np.int64)
        return cls(begins, np.zeros((0, 10), np.uint16), np.zeros(0, np.bool_))

    def with_codes(self, codes: list[int]) -> _States:
        """These and those of more codes."""
        begins, made = self.begins.copy(), []
        place = len(self.accepting)
        for code in codes:
            try:
                one = automaton(_pattern(code).removeprefix("^").removesuffix("$"))
            except ValueError:
                # Newer metadata may hold what is not known here: then it is for regular expressions.
                begins[code] = phone_loops.NEVER
                continue
            begins[code] = place
            place += len(one.accepting)
            made.append(one)
        return _States(
            begins,
            np.concatenate([self.following, *(one.following for one in made)]),
            np.concatenate([self.accepting, *(one.accepting for one in made)]),
        )


#: Of all codes that have occurred. It is replaced, not changed: threads may hold an older one.
_made = _States.none()


def plans(flat: Flat, codes: tuple[int, ...]) -> Ints:
    """The plans of n numbers without an extension, 0 for none: what masking must not change.

    codes: calling codes whose plans are held, in this order, against numbers without a country code.
    """
    plan, _, _ = _judged(flat, codes)
    others = np.flatnonzero(plan == phone_loops.UNKNOWN)
    if len(others):
        plan[others] = _plan(_strings(flat, others), codes).to_numpy()
    return plan


def plans_and_digits(flat: Flat, codes: tuple[int, ...]) -> tuple[Ints, Ints, Ints]:
    """The same, leading digits that belong to +country or 00country (0 without), and digits and letters."""
    plan, country, maskable = _judged(flat, codes)
    others = np.flatnonzero(plan == phone_loops.UNKNOWN)
    if len(others):
        values = _strings(flat, others)
        plan[others] = _plan(values, codes).to_numpy()
        country[others] = _country_digits(values).to_numpy()
        maskable[others] = values.str.count_matches(r"[A-Za-z\p{Nd}]").to_numpy()
    return plan, country, maskable


def _judged(flat: Flat, codes: tuple[int, ...]) -> tuple[Ints, Ints, Ints]:
    """What ``phone_loops.judge`` finds, with automata of all codes that occur."""
    global _made
    plan, country, maskable = (np.empty(len(flat.offsets) - 1, np.int64) for _ in range(3))
    states, national = _made, np.array(codes, np.int64)
    while True:
        missing = np.zeros(len(_KNOWN), np.bool_)
        phone_loops.judge(
            flat.data, flat.offsets, national, _KNOWN, states.begins, states.following, states.accepting,
            plan, country, maskable, missing,
        )  # fmt: skip
        if not missing.any():
            return plan, country, maskable
        states = _made = states.with_codes(np.flatnonzero(missing).tolist())


def _strings(flat: Flat, chosen: Ints) -> pl.Series:
    return flat.pieces(flat.offsets[chosen], flat.offsets[chosen + 1]).series()


def _international(values: pl.Series) -> pl.Series:
    return values.str.contains(_ABROAD.pattern)


def _digits(values: pl.Series) -> pl.Series:
    """The digits of n numbers in ASCII; letters as on a keypad where there are three or more."""
    digits = values.str.replace_all(r"[^0-9]", "")
    odd = values.str.contains(r"(?s)[^\P{Nd}0-9]|(?:[a-zA-Z].*){3}").arg_true()
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
