"""Words of texts, their digests, and what is remembered of production's values."""

from __future__ import annotations

import re
import unicodedata
from unittest.mock import patch

import numpy as np
import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from parity_data.catalog import Name
from parity_data.mask.cipher.flat import Flat
from parity_data.verify import _lookup, _words
from parity_data.verify._lookup import Beginnings, Lookup
from parity_data.verify.digests import COUNT, SHIFT, ValueDigests, counts

KEY = _words.Key.derive(b"only a test" * 3)
_FIELDS = ("firsts", "texts", "sizes", "characters", "digests")
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


#: Words around the eight bytes that are hashed at once, alone and beside characters of several bytes.
_LONG = st.text("aZ9é", min_size=1, max_size=26)


@given(st.lists(_LONG, min_size=1, max_size=12), st.sampled_from([" ", "-", "😀", "\u00a0", " . "]))
@settings(max_examples=150, deadline=None)
def test_a_word_has_one_hash_wherever_it_stands(found: list[str], between: str) -> None:
    """First and last of all bytes, after any number of others, in a batch that is all ASCII or is not."""
    small = [word.lower() for word in found]
    alone = {word: int(_split(word).hashes[0]) for word in small}
    assert len(set(alone.values())) == len(alone)
    for text in (between.join(found), between.join([*found, "é"]), between + between.join(found) + between):
        words = _split(text)
        assert words.hashes.tolist()[: len(found)] == [alone[word] for word in small]
        assert words.figures.tolist()[: len(found)] == [set(word) == {"9"} for word in small]
        assert words.lengths.tolist()[: len(found)] == [len(word) for word in small]
    together = _split(*found, "", between)
    assert together.hashes.tolist() == [alone[word] for word in small]
    assert together.digits.tolist() == [word.count("9") for word in small]


_BEGIN = st.sampled_from(["", " ", "\t\n", "\u00a0", "\u3000 ", "é", "€", "x", "%41", "\x85"])
_REST = st.sampled_from(
    ['{"k": "Maria 7", "l": ["é"]}', '["a%20b"]', "<p>hi</p>", '"a"=>"b c"', "plain 5", ""]
)


@given(st.lists(st.builds(str.__add__, _BEGIN, _REST), max_size=6))
@settings(max_examples=150, deadline=None)
def test_texts_are_read_as_their_pieces(texts: list[str]) -> None:
    values = pl.Series(texts, dtype=pl.String)
    words, where, plain = _words.read(Flat.of(values), KEY)
    parts, from_text, whole = _words.pieces(values)
    expected = _words.split(_words.normal(parts), KEY)
    assert where.tolist() == from_text.tolist()
    assert plain.tolist() == whole.tolist() == [parts[i] == texts[row] for i, row in enumerate(from_text)]
    for name in ("hashes", "lengths", "figures", "starts", "rows", "digits"):
        assert getattr(words, name).tolist() == getattr(expected, name).tolist()


@given(st.lists(_TEXTS, max_size=8))
@settings(max_examples=60, deadline=None)
def test_what_is_not_ascii_is_made_normal_in_its_place(texts: list[str]) -> None:
    found = _words.normal(pl.Series(texts, dtype=pl.String)).str.to_lowercase().to_list()
    expected = [unicodedata.normalize("NFKC", text).lower() for text in texts]
    # A last sigma of a word is small in two ways.
    assert [t.replace("ς", "σ") for t in found] == [
        re.sub("%[0-9a-f]{2}", " ", t).replace("ς", "σ") for t in expected
    ]


def _split(*texts: str) -> _words.Words:
    return _words.split(_words.normal(pl.Series(texts, dtype=pl.String)), KEY)


@given(
    st.lists(st.lists(st.sampled_from(["maria", "1984", "7", "é"]), max_size=6), max_size=9),
    st.lists(st.lists(st.sampled_from(["maria", "1984"]), min_size=1, max_size=4), min_size=1, max_size=4),
    st.sets(st.integers(1, 4), min_size=1) | st.just(set()),
    st.sampled_from([1, 3, 65_536]),
)
@example([["1984", "maria", "1984"]], [["maria", "1984"]], {2}, 1)
@example([["maria", "1984"], ["1984", "maria"]], [["maria"]], {1, 2}, 1)
@example([["1984", "7", "7", "maria"]], [["maria"]], {2}, 1)
@settings(max_examples=200, deadline=None)
def test_looking_runs_up_finds_those_that_are_known(
    staged: list[list[str]], known: list[list[str]], wanted: set[int], at_once: int
) -> None:
    words, values = _split(*map(" ".join, staged)), _split(*map(" ".join, known))
    digests, *_ = _words.whole(values, KEY)
    packed = np.unique((digests >> SHIFT) << SHIFT) | np.uint64(1)
    begin = Beginnings()
    begin.add(values, np.ones(len(known), dtype=np.bool_), KEY)
    sizes = np.isin(np.arange(max(wanted, default=0) + 1), list(wanted))
    lookup = Lookup(packed, shift=SHIFT, count=COUNT)
    with patch.object(_lookup, "_AT_ONCE", at_once):
        candidates, held = lookup.runs(words, sizes, begin, KEY, np.uint64(0), 2, 8)
        assert not lookup.runs(words, sizes, begin, KEY, np.uint64(0), 1, 8)[1].sizes.size
        assert not lookup.runs(words, sizes, Beginnings(), KEY, np.uint64(0), 2, 8)[1].sizes.size
    # Texts without a word are not among those of ``words``; a text's first word is the sum of those before.
    texts = [text for text in staged if text]
    first_of = np.cumsum([0, *map(len, texts)]).tolist()
    runs = [
        (first_of[text] + at, text, size, texts[text][at : at + size])
        for text in range(len(texts))
        for at in range(len(texts[text]))
        for size in range(1, min(len(texts[text]) - at, len(texts[text]) - 1) + 1)
        if size in wanted
    ]
    expected = np.zeros_like(candidates)
    for _, _, size, run in runs:
        expected[size, min(8, len("".join(run)))] += 1
    assert candidates.tolist() == expected.tolist()
    digest_of = dict(zip(map(tuple, known), digests.tolist(), strict=True))
    found = zip(*(getattr(held, name).tolist() for name in _FIELDS), strict=True)
    assert sorted(found) == sorted(
        (first, text, size, min(8, len("".join(run))), digest_of[tuple(run)])
        for first, text, size, run in runs
        if run in known
    )
    for size in wanted:
        figures = [
            (first, len("".join(run)))
            for first, _, n, run in runs
            if n == size and all(map(str.isdigit, run))
        ]
        assert list(zip(*(x.tolist() for x in _words.figure_runs(words, size)), strict=True)) == figures


@given(st.lists(st.integers(0, 2**64 - 1), max_size=600, unique_by=lambda n: n >> 6), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_digests_are_held_or_not(numbers: list[int], rows: int) -> None:
    """Those of every other place are known, one of two marked, and seen in one to four rows."""
    digests = (np.array(numbers, dtype=np.uint64) >> SHIFT) << SHIFT
    seen, mark = np.arange(len(numbers)) % 4 + 1, np.arange(len(numbers)) % 3 == 0
    known = np.arange(len(numbers)) % 2 == 0
    packed = np.sort((digests | seen.astype(np.uint64) | mark.astype(np.uint64) << np.uint64(5))[known])
    lookup = Lookup(packed, shift=SHIFT, count=COUNT)
    assert lookup.held(digests, np.uint64(0), rows).tolist() == (known & (seen < rows)).tolist()
    assert lookup.held(digests, np.uint64(32), rows).tolist() == (known & mark & (seen < rows)).tolist()


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
    assert together.beginnings.first.bits.tobytes() == alone.beginnings.first.bits.tobytes()
    assert together.beginnings.pairs.bits.tobytes() == alone.beginnings.pairs.bits.tobytes()
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
