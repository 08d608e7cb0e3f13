"""Schema-qualified names as text, and suggestions for misspelt ones."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from parity_data.catalog.model import Name

_QUOTED = r'"(?:[^"]|"")+"'
_PLAIN = r'[^".]+'
_NAME = re.compile(rf"({_QUOTED}|{_PLAIN})\.({_QUOTED}|{_PLAIN})", re.DOTALL)


def format_name(name: Name) -> str:
    """``schema.table``; a part with a dot or a quote in it, or blanks at its ends, goes in double quotes."""
    return f"{_quote(name.schema)}.{_quote(name.name)}"


def parse_name(text: str) -> Name:
    """The inverse of ``format_name``. Case is kept as written. Raises ValueError."""
    match = _NAME.fullmatch(text)
    if match is None:
        raise ValueError(
            'is not of the form schema.table (a part that contains a dot goes in double quotes: "a.b".c)'
        )
    return Name(_unquote(match[1]), _unquote(match[2]))


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The known word closest to a misspelt one, None when none is close."""
    words = list(known)
    for candidate in words:
        if candidate.casefold() == word.casefold():
            return candidate
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    return close[0] if close else None


def _quote(part: str) -> str:
    if "." in part or '"' in part or part != part.strip() or not part:
        return '"' + part.replace('"', '""') + '"'
    return part


def _unquote(part: str) -> str:
    if part.startswith('"'):
        return part[1:-1].replace('""', '"')
    return part
