"""Words of texts, their digests, and what is remembered of production's values."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from parity_data.catalog import Name
from parity_data.verify import _words
from parity_data.verify._lookup import Bits, Lookup
from parity_data.verify.digests import COUNT, SHIFT, ValueDigests, counts

KEY = _words.Key.derive(b"only a test" * 3)
_NOTHING = np.empty(0, np.int64)
COLUMN = (Name("public", "person"), "name")

#: \w of Python without the underscore: letters and numbers; the alphabet below holds marks as well.
_WORD = re.compile(r"(?:[^\W_]|[\u0301\u0307])+")
_LONGER = st.text("abc 1é", min_size=3, max_size=14)
_TEXTS = st.text("abcXYZ019 .,-%éÉßΣς李٣\u0301\u0307😀_", max_size=14)


@given(st.lists(_TEXTS, max_size=20), st.booleans())
@settings(max_examples=150, deadline=None)
def test_words_are_runs_of_letters_marks_and_digits(texts: list[str], ascii_only: bool) -> None:
    if ascii_only:
        texts = [text.encode("ascii", "ignore").decode() for text in texts]
    normal = _words.normal(pl.Series(texts, dtype=pl.String))
    words = _words.split(normal, KEY)
    expected = [_WORD.findall(text.lower()) for text in normal.to_list()]
    spelled = words.spelled(np.arange(len(words.hashes))).to_list()
    assert words.rows.tolist() == [row for row, found in enumerate(expected) if found]
    assert spelled == [word for found in expected for word in found]
    assert words.lengths.tolist() == [len(word) for word in spelled]
    assert words.figures.tolist() == [word.isnumeric() for word in spelled]
    assert np.diff(words.starts).tolist() == [len(found) for found in expected if found]
    assert words.digits.tolist() == [
        sum(c.isdecimal() for c in "".join(found)) for found in expected if found
    ]
    by_word = dict(zip(spelled, words.hashes.tolist(), strict=True))
    assert [by_word[word] for word in spelled] == words.hashes.tolist()
    assert len(set(by_word.values())) == len(by_word)


@given(
    st.lists(st.sampled_from(["maria", "Lopez", "1984", "é", "x"]), min_size=2, max_size=9), st.integers(1, 3)
)
@settings(max_examples=60, deadline=None)
def test_a_run_of_words_has_the_digest_of_a_text_of_these_words(found: list[str], size: int) -> None:
    digests, first, texts, characters = _words.runs(_split(" ".join(found)), size, KEY)
    alone = [" ".join(found[i : i + size]) for i in range(len(found) - size + 1)] if len(found) > size else []
    expected, _, lengths = _words.whole(_split(*alone), KEY)
    assert digests.tolist() == expected.tolist()
    assert first.tolist() == list(range(len(alone)))
    assert characters.tolist() == lengths.tolist()
    assert not texts.any()


def _split(*texts: str) -> _words.Words:
    return _words.split(_words.normal(pl.Series(texts, dtype=pl.String)), KEY)


@given(
    st.lists(st.lists(st.sampled_from(["maria", "lopez", "1984", "x7", "é"]), max_size=7), max_size=12),
    st.lists(st.lists(st.sampled_from(["maria", "lopez", "1984", "x7"]), min_size=1, max_size=3), max_size=4),
    st.sets(st.integers(1, 3), min_size=1),
)
@settings(max_examples=80, deadline=None)
def test_looking_runs_up_finds_those_that_are_known(
    staged: list[list[str]], known: list[list[str]], wanted: set[int]
) -> None:
    words, values = _split(*map(" ".join, staged)), _split(*map(" ".join, known))
    packed = np.unique((_words.whole(values, KEY)[0] >> SHIFT) << SHIFT) | np.uint64(1)
    begin = Bits(20)
    begin.add(values.hashes[values.starts[:-1]])
    sizes = np.isin(np.arange(4), list(wanted))
    lookup = Lookup(packed, shift=SHIFT, count=COUNT)
    candidates, hit = lookup.runs(words, sizes, begin, KEY, np.uint64(0), 2, 5)
    for size in range(4):
        digests, _, _, characters = _words.runs(words, size, KEY) if size in wanted else (_NOTHING,) * 4
        assert candidates[size].tolist() == np.bincount(np.minimum(characters, 5), minlength=6).tolist()
        held = np.isin(digests.astype(np.uint64) >> SHIFT, packed >> SHIFT)
        assert hit[size] == held.any()
        assert lookup.held(digests.astype(np.uint64), np.uint64(0), 2).tolist() == held.tolist()
        assert not lookup.held(digests.astype(np.uint64), np.uint64(0), 1).any()


def test_case_punctuation_and_escapes_make_no_difference() -> None:
    digests, *_ = _words.whole(
        _split("Maria.Lopez@Example.com", "maria lopez%40EXAMPLE.com", "maria lopez"), KEY
    )
    assert digests[0] == digests[1] != digests[2]


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("abk"), _LONGER), max_size=40))
@settings(max_examples=60, deadline=None)
def test_what_workers_saw_is_put_together_as_if_one_had_seen_all(seen: list[tuple[int, str, str]]) -> None:
    secret = b"s" * 32
    alone, together, workers = (
        ValueDigests(secret),
        ValueDigests(secret),
        [ValueDigests(secret) for _ in "1234"],
    )
    columns = {letter: (COLUMN[0], letter) for letter in "ab"}
    for worker, letter, value in seen:
        for digests in (alone, workers[worker]):
            if letter == "k":
                digests.add_kept(pl.Series([value]))
            else:
                digests.add(columns[letter], pl.Series([value]))
    together.merge(workers[:2])
    together.merge(workers[2:])
    assert together.columns == alone.columns
    assert together.run_sizes == alone.run_sizes
    assert together.packed_kept().tolist() == alone.packed_kept().tolist()
    assert together.beginnings.bits.tobytes() == alone.beginnings.bits.tobytes()
    for column in alone.columns:
        assert together.packed(column).tolist() == alone.packed(column).tolist()
        assert together.bucket_sizes(column) == alone.bucket_sizes(column)


def test_values_are_counted_alike_whether_they_repeat_or_not() -> None:
    """Few repeats take another way than many; what is remembered is the same."""
    values = [f"person number {n}" for n in range(2_000)]
    one, other = ValueDigests(b"s" * 32), ValueDigests(b"s" * 32)
    one.add(COLUMN, pl.Series([v for v in values for _ in range(3)]))
    for _ in range(3):
        other.add(COLUMN, pl.Series(values))
    assert one.packed(COLUMN).tolist() == other.packed(COLUMN).tolist()
    assert set(counts(one.packed(COLUMN)).tolist()) == {3}
    assert len(np.unique(one.packed(COLUMN) >> SHIFT)) == len(values)
    assert sum(one.bucket_sizes(COLUMN).values()) == sum(other.bucket_sizes(COLUMN).values()) == len(values)
