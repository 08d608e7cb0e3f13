"""Distinct values stay distinct, by the million."""

from __future__ import annotations

import unicodedata
from itertools import product
from random import Random

import numpy as np
import polars as pl
import pytest

from parity_data.mask import MaskSpec, compile_mask
from parity_data.mask.testing import ALPHABETS, KEYS


def emails(count: int) -> pl.Series:
    """Distinct addresses as people have them: names, digits, tags, few great and many small providers."""
    random = Random(5)

    def words(number: int, least: int, most: int) -> list[str]:
        made: set[str] = set()
        while len(made) < number:
            made.add("".join(random.choices("etaoinshrdlcumwfgypbvkjxqz", k=random.randint(least, most))))
        return sorted(made)

    first, last, firms = words(1_500, 3, 9), words(4_000, 3, 12), words(20_000, 4, 14)
    domains = [
        "gmail.com",
        "web.de",
        "mail.ru",
        "qq.com",
        *(f"{firm}.{random.choice(ENDINGS)}" for firm in firms),
    ]
    draw = np.random.Generator(np.random.Philox(5))
    rows = int(count * 1.15)
    ranks = np.minimum((len(domains) * draw.random(rows) ** 3).astype(int), len(domains) - 1)
    parts = pl.DataFrame(
        {
            "first": pl.Series(first).gather(draw.integers(0, len(first), rows)),
            "last": pl.Series(last).gather(draw.integers(0, len(last), rows)),
            "form": draw.integers(0, 5, rows),
            "number": draw.integers(1, 99, rows),
            "domain": pl.Series(domains).gather(ranks),
        }
    )
    column = pl.col
    local = (
        pl.when(column("form") == 0).then(column("first") + "." + column("last"))
        .when(column("form") == 1).then(column("first").str.slice(0, 1) + column("last"))
        .when(column("form") == 2).then(column("first") + column("number").cast(pl.String))
        .when(column("form") == 3)
        .then(column("first") + "_" + column("last") + "+" + column("number").cast(pl.String))
        .otherwise(column("last") + "." + column("first") + column("number").cast(pl.String))
    )  # fmt: skip
    made = parts.select((local + "@" + column("domain")).alias("email")).to_series()
    return made.unique(maintain_order=True).head(count)


ENDINGS = ("com", "de", "org", "net", "co.uk", "fr", "pl", "io")


def names(count: int) -> list[str]:
    """Distinct names in all scripts: every pair of letters first, then longer ones."""
    random = Random(3)
    scripts = [[c for c in letters if c.isalpha()] for letters in ALPHABETS]
    found = dict.fromkeys("".join(pair) for letters in scripts for pair in product(letters[:40], repeat=2))
    assert len(found) < count
    while len(found) < count:
        letters = random.choice([one for one in scripts if one])
        found["".join(random.choices(letters, k=random.randint(2, 9)))] = None
    return list(found)


def test_the_list_of_names_is_of_all_scripts() -> None:
    made = names(20_000)
    kinds = {unicodedata.name(name[0]).split(" ")[0] for name in made}
    assert kinds >= {"LATIN", "CYRILLIC", "GREEK", "HEBREW", "ARABIC", "DEVANAGARI", "THAI", "CJK", "HANGUL"}
    assert sum(len(name) == 2 for name in made) > 8_000


def test_no_two_short_names_merge() -> None:
    values = pl.Series(names(10_500))
    assert compile_mask(MaskSpec("person_name", {}), KEYS[1])(values).n_unique() == values.len()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["person_name", "initials", "username", "token"])
def test_no_two_names_merge(name: str) -> None:
    values = pl.Series(names(100_000))
    assert compile_mask(MaskSpec(name, {}), KEYS[1])(values).n_unique() == values.len()


@pytest.mark.slow
def test_two_million_addresses_stay_distinct() -> None:
    values = emails(2_000_000)
    assert values.n_unique() == values.len() == 2_000_000
    masked = compile_mask(MaskSpec("email", {}), KEYS[1])(values)
    assert masked.n_unique() >= 0.999 * values.len()
    assert not (masked == values).any()
