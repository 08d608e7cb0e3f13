"""Names from Faker's lists by script, for ``style: realistic``: readable, and it merges values."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache

import numpy as np
import polars as pl

from parity_data.mask import _keyed
from parity_data.mask._common import tokens
from parity_data.mask.context import MERGED, Context
from parity_data.mask.registry import Function

#: Locales by the script their names are written in.
_LOCALES = {
    "LATIN": ("en_US", "de_DE", "es_ES", "fr_FR", "it_IT", "pl_PL", "nl_NL", "sv_SE", "tr_TR", "pt_BR"),
    "CYRILLIC": ("ru_RU", "uk_UA", "bg_BG"),
    "GREEK": ("el_GR",),
    "HEBREW": ("he_IL",),
    "ARABIC": ("ar_SA", "ar_EG", "fa_IR"),
    "CJK": ("zh_CN", "zh_TW"),
    "HANGUL": ("ko_KR",),
    "DEVANAGARI": ("hi_IN",),
    "THAI": ("th_TH",),
    "GEORGIAN": ("ka_GE",),
    "ARMENIAN": ("hy_AM",),
    "KATAKANA": ("ja_JP",),
    "HIRAGANA": ("ja_JP",),
}


def names(context: Context, part: str) -> Function:
    """A masker that replaces each word by a name of the same script; other scripts keep their shape."""
    key = context.keys.subkey("realistic", context.domain)
    cipher, room, merged = tokens(context), context.max_length, _Merged(context)
    group = "last_name" if part == "last_name" else "first_name"

    def mask(values: pl.Series) -> pl.Series:
        words = values.str.extract_all(r"\p{L}[\p{L}\p{M}]*").list.explode().drop_nulls().unique()
        if not words.len():
            return cipher.tokens(values)
        folded = words.str.to_lowercase()
        draws = _keyed.numbers(folded, key)
        chosen = {
            word: _pick(word, group, int(draw)) for word, draw in zip(words.to_list(), draws, strict=True)
        }
        shaped = dict(zip(words.to_list(), cipher.tokens(words).to_list(), strict=True))
        out = _replace(values, {w: c if c is not None else shaped[w] for w, c in chosen.items()})
        if room is not None:
            long = (out.str.len_chars() > room).arg_true()
            out = out.scatter(long, cipher.tokens(values.gather(long))) if len(long) else out
        merged.count(values, out)
        return out

    return mask


class _Merged:
    """Counts for the report how many different values have met in one name, over all batches of a slice."""

    def __init__(self, context: Context) -> None:
        self._tally = context.tally
        self._before: set[int] = set()
        self._after: set[int] = set()

    def count(self, before: pl.Series, after: pl.Series) -> None:
        lost = len(self._before) - len(self._after)
        self._before.update(before.hash(1).to_list())
        self._after.update(after.hash(1).to_list())
        self._tally[MERGED] += len(self._before) - len(self._after) - lost


def _replace(values: pl.Series, words: dict[str, str]) -> pl.Series:
    """Replace whole words; everything between them stays."""
    pattern = r"\p{L}[\p{L}\p{M}]*|[^\p{L}]+|."
    parts = pl.DataFrame({"row": np.arange(values.len()), "part": values.str.extract_all(pattern)})
    replaced = pl.col("part").replace(list(words), list(words.values()))
    joined = (
        parts.explode("part")
        .with_columns(replaced)
        .group_by("row", maintain_order=True)
        .agg(pl.col("part").str.join(""))
    )
    return joined["part"].alias(values.name)


def _pick(word: str, group: str, draw: int) -> str | None:
    pool = _pool(unicodedata.name(word[0], "").split(" ")[0], group)
    if not pool:
        return None
    picked = pool[draw % len(pool)]
    if picked.casefold() == word.casefold():
        picked = pool[(draw + 1) % len(pool)]
    if word.isupper() and len(word) > 1:
        return picked.upper()
    return picked.lower() if word.islower() else picked


@cache
def _pool(script: str, group: str) -> tuple[str, ...]:
    """Single words of the script, sorted, so that a draw means the same everywhere."""
    from faker import Faker

    found: set[str] = set()
    for locale in _LOCALES.get(script, ()):
        provider = next(p for p in Faker(locale).get_providers() if hasattr(p, "first_names"))
        for attribute in (f"{group}s", f"{group}s_male", f"{group}s_female"):
            found.update(_words(getattr(provider, attribute, ())))
    names_of = {n for n in found if all(unicodedata.name(c, "").startswith(script) for c in n)}
    return tuple(sorted(names_of))


def _words(names_of: Iterable[str]) -> Iterable[str]:
    return (name for name in names_of if name and all(c.isalpha() for c in name))
