"""Telephone numbers: the subscriber's digits move, country, area and writing stay, valid stays valid."""

from __future__ import annotations

import numpy as np
import phonenumbers
import polars as pl

from parity_data.mask import phone_loops
from parity_data.mask._common import by_kind, tokens
from parity_data.mask.cipher import TokenCipher
from parity_data.mask.cipher.flat import Flat, Ints
from parity_data.mask.context import Context
from parity_data.mask.numbering_plans import plans, plans_and_digits
from parity_data.mask.registry import Function

#: Countries whose plans a number without country code is held against when no region is given.
_REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "PL", "SE", "BR", "IN", "CH", "AT", "BE", "AU", "JP")

#: Digits of the subscriber: the last ones, which are enciphered.
_SUBSCRIBER = 7
#: Digits behind the country's that tell areas and kinds of numbers apart.
_AREA = 2

_EXTENSION = r"(?i)^(.*?)((?:[\s;,]*(?:ext\.?|extension|x|#|durchwahl)\s*\p{Nd}{1,6})?\s*)$"
#: What an extension or blanks at the end need.
_EXTENDED = r"(?i)[x#]|durchwahl|\s$"
#: What can be a number: digits, letters of a keypad, and what stands between them.
_WRITTEN = r"^[^\p{L}\p{M}\p{N}]*(?:[A-Za-z]+[^\p{L}\p{M}\p{N}]*)?\p{Nd}[\p{Nd}A-Za-z[^\p{L}\p{M}\p{N}]]*$"

#: Steps of all walks that are looked at together, if each has several.
_AT_ONCE = 2_048

#: Steps after which a walk gives up. A plan that accepts one number in a thousand needs about so many.
_STEPS = 5_000


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
        flat = Flat.of(values)
        plain = phone_loops.plain(flat.data, flat.offsets)
        if plain.all():
            return _masked(flat, cipher, codes).alias(values.name)
        return by_kind(values, pl.Series(plain), plainly_written, others)

    def plainly_written(values: pl.Series) -> pl.Series:
        return _masked(Flat.of(values), cipher, codes)

    def others(values: pl.Series) -> pl.Series:
        return by_kind(values, values.str.contains(_WRITTEN), numbers, cipher.whole)

    def numbers(values: pl.Series) -> pl.Series:
        main, extension = _parts(values)
        out = _masked(Flat.of(main), cipher, codes)
        return (out if extension is None else out + cipher.tokens(extension)).alias(values.name)

    return mask


def _parts(values: pl.Series) -> tuple[pl.Series, pl.Series | None]:
    """Numbers and their extensions; no Series for these where no number has one."""
    if not values.str.contains(_EXTENDED).any():
        return values, None
    parts = values.str.extract_groups(f"(?s){_EXTENSION}").struct.unnest()
    return parts.to_series(0), parts.to_series(1)


def _masked(flat: Flat, cipher: TokenCipher, codes: tuple[int, ...]) -> pl.Series:
    """Numbers without extensions masked, again and again until each is of the plan it was."""
    wanted, country, maskable = plans_and_digits(flat, codes)
    kept = _kept(country, maskable)
    out = flat.data.copy()
    cipher.mask_whole(out, flat.offsets, kept)
    rows = np.flatnonzero(plans(Flat(out, flat.offsets), codes) != wanted)
    walking = Flat(out, flat.offsets).pieces(flat.offsets[rows], flat.offsets[rows + 1])
    data, offsets = walking.data, walking.offsets
    kept, wanted = kept[rows], wanted[rows]
    steps = many = 1
    while len(rows) and steps < _STEPS:
        # Few that go on cost as much as many: they are shown several steps of their walks at once.
        many = min(2 * many, max(1, _AT_ONCE // len(rows)))
        begins, ends = (np.repeat(places, many) for places in (offsets[:-1], offsets[1:]))
        made = Flat(data, offsets).pieces(begins, ends)
        times = np.tile(np.arange(1, many + 1), len(rows))
        cipher.mask_whole(made.data, made.offsets, np.repeat(kept, many), times)
        plan = plans(made, codes)
        left = phone_loops.settle(
            out, flat.offsets, data, offsets, rows, kept, wanted, many, made.data, plan
        )  # fmt: skip
        rows, kept, wanted = rows[:left], kept[:left], wanted[:left]
        offsets, data = offsets[: left + 1], data[: offsets[left]]
        steps += many
    return flat.series(out)


def _kept(country: Ints, maskable: Ints) -> Ints:
    """Leading digits that stay: the country, and all but the last seven; two at least where four follow."""
    area = np.where(country + _AREA + 4 <= maskable, country + _AREA, country)
    kept = np.maximum(area, maskable - _SUBSCRIBER)
    return np.where(kept < maskable, kept, 0)
