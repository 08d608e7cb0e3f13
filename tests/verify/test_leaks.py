"""Finding production's values in staged texts, compared with a search in plain Python."""

from __future__ import annotations

import json
import re
from collections import Counter

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from parity_data.catalog import Name
from parity_data.verify.digests import ValueDigests
from parity_data.verify.leaks import LeakAudit

SOURCE, STAGED = (Name("public", "person"), "mail"), (Name("public", "visit"), "note")

_WORD = re.compile(r"[^\W_]+")
_VALUES = [
    "rosalind.quay17@mail3.example.org",
    "rosalind.quay18@mail3.example.org",
    "jörg-uwe.zähringer@mail3.example.org",
    "+49 151 20894417",
    "tolliverpenhaligon42",
    "Zuzanna Brzęczyszczykiewicz",
]
_NOISE = [
    "the",
    "Rosalind",
    "quay17",
    "mail3",
    "example",
    "org",
    "49",
    "151",
    "zuzanna",
    "é",
    "ﬁn",
    "7",
    "-",
    "",
]
_TEXTS = st.builds(
    str.join,
    st.sampled_from([" ", ", ", "\u00a0", "😀", " - "]),
    st.lists(st.sampled_from([*_VALUES, *map(str.upper, _VALUES), *_NOISE, *_NOISE]), max_size=12),
)
_DOCUMENTS = st.lists(st.sampled_from([*_VALUES, "the order", "mail3"]), min_size=1, max_size=4).map(
    json.dumps
)


@given(st.lists(st.one_of(_TEXTS, _TEXTS, _DOCUMENTS), max_size=20), st.integers(1, 60), st.booleans())
@settings(max_examples=100, deadline=None)
def test_every_place_of_a_value_is_found(texts: list[str], repeats: int, ascii_only: bool) -> None:
    if ascii_only:
        texts = [text.encode("ascii", "ignore").decode() for text in texts]
    digests = ValueDigests(b"s" * 32)
    digests.add(SOURCE, pl.Series(_VALUES))
    audit = LeakAudit(digests)
    audit.feed(STAGED, pl.Series([text for text in texts for _ in range(repeats)], dtype=pl.String))
    known = [_words(value) for value in _VALUES]
    found: Counter[tuple[str, ...]] = Counter()
    inside = set()
    for text in texts:
        for piece in json.loads(text) if text.startswith("[") else [text]:
            words = _words(piece)
            for value in known:
                places = sum(words[i : i + len(value)] == value for i in range(len(words) - len(value) + 1))
                found[value] += repeats * places
                if places and words != value:
                    inside.add(value)
    found = +found
    # Before it is judged what may be chance: few numbers are to be told from others beside them.
    buckets = audit._scanned[STAGED].buckets.values() if texts else ()
    assert sorted(rows for bucket in buckets for rows in bucket.hits.values()) == sorted(found.values())
    assert sum(len(bucket.inside) for bucket in buckets) == len(inside)
    assert {(hit.staged, hit.source) for hit in audit.hits()} <= {(STAGED, SOURCE)}


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text.replace("ﬁ", "fi").lower()))
