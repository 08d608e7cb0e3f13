"""Make ``domain_model.json``: how letters follow each other in host names, from Faker's words and names.

Run by a developer, never at run time: masked domains must not change with the version of Faker.
"""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

from faker import Faker

#: Letters, hyphen, dot, and 0 for any digit.
SYMBOLS = "abcdefghijklmnopqrstuvwxyz-.0"

_LOCALES = ("en_US", "de_DE", "es_ES", "fr_FR", "it_IT", "pl_PL", "nl_NL", "pt_BR", "sv_SE", "tr_TR", "cs_CZ")


def counts() -> dict[str, list[int]]:
    """How often each symbol follows each context (a symbol; '.' also stands for the beginning)."""
    found = {context: dict.fromkeys(SYMBOLS, 1) for context in SYMBOLS}
    for word in sorted(_words()):
        for before, after in zip("." + word, word, strict=False):
            found[before][after] += 4
        found[word[-1]]["-"] += 1
        found[word[-1]]["."] += 1
    # Digits come in runs.
    found["0"]["0"] = sum(found["0"].values())
    return {c: _scaled(list(row.values())) for c, row in found.items()}


def _scaled(row: list[int]) -> list[int]:
    """The same shares in parts of about 1000, none of them nothing."""
    total = sum(row)
    return [max(1, round(1000 * n / total)) for n in row]


def _words() -> set[str]:
    words: set[str] = set()
    for locale in _LOCALES:
        for provider in Faker(locale).get_providers():
            for attribute in ("last_names", "first_names", "word_list", "cities", "catch_phrase_words"):
                for name in _flat(getattr(provider, attribute, ())):
                    plain = unicodedata.normalize("NFD", name.lower())
                    words.add("".join(c for c in plain if c in "abcdefghijklmnopqrstuvwxyz"))
    return {word for word in words if len(word) > 2}


def _flat(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict | list | tuple | set | frozenset):
        return [text for item in value for text in _flat(item)]
    return []


if __name__ == "__main__":
    target = Path(__file__).with_name("domain_model.json")
    lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in counts().items())
    target.write_text(f"{{\n{lines}\n}}\n", encoding="ascii")
