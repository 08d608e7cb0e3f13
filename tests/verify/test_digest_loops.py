"""Loops over values and their digests say what plain Python says, one by one."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import reduce

import numpy as np
import polars as pl
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from parity_data.catalog import Name
from parity_data.mask.cipher.flat import Flat
from parity_data.verify import _digest_loops
from parity_data.verify._lookup import Bits
from parity_data.verify.digests import _DATE, COUNT, SHIFT, ValueDigests, _sorted, _whole
from parity_data.verify.leaks import _union

COLUMN = (Name("public", "person"), "name")
TEXTS = st.text("ab 0199-/.@%\tTé李😀\u0301\u0661\u00a0\x1c", max_size=20)
VALUES = (
    st.none() | TEXTS | st.sampled_from(["maria@shop.example", "Maria Lopez 7", "1999-12-31", "the and of"])
)

_PACKED = st.builds(
    lambda digest, marks: digest << 6 | marks,
    st.integers(0, 5) | st.integers(2**57, 2**58 - 1),
    st.integers(1, 63),
)


def flat(texts: list[str], cut: int) -> Flat:
    """The texts as they lie in memory, behind others."""
    array = pl.Series(["before"] * cut + texts, dtype=pl.String).to_arrow(
        compat_level=pl.CompatLevel.oldest()
    )
    return Flat.of_arrow(array.slice(cut))


@given(st.lists(TEXTS, max_size=20), st.integers(0, 2), st.integers(1, 6), st.integers(1, 12))
@settings(max_examples=100, deadline=None)
def test_texts_are_long_by_characters_or_bytes(texts: list[str], cut: int, least: int, wide: int) -> None:
    of, found = flat(texts, cut), np.arange(len(texts)) % 2 == 0
    _digest_loops.find_long(of.data.ctypes.data, of.offsets, least, wide, found)
    assert found.tolist() == [len(text) >= least or len(text.encode()) >= wide for text in texts]


@given(st.lists(TEXTS | st.from_regex(_DATE.replace("(?:", "("), fullmatch=False), max_size=20))
@settings(max_examples=100, deadline=None)
def test_no_date_is_missed(texts: list[str]) -> None:
    of, found = flat(texts, 1), np.arange(len(texts)) % 2 == 0
    _digest_loops.find_dated(of.data.ctypes.data, of.offsets, found)
    may = re.compile(r"[\t-\r ]*(?:[0-9]{1,4}[-/.]|[0-9]{0,4}[^\x00-\x7f])")
    assert found.tolist() == [may.match(text) is not None for text in texts]
    dates = pl.Series(texts, dtype=pl.String).str.contains(_DATE).to_numpy()
    assert not (dates & ~found).any()


@given(st.lists(TEXTS, max_size=20), st.integers(0, 2), st.sampled_from("@%a\t"))
@settings(max_examples=100, deadline=None)
def test_a_character_is_found(texts: list[str], cut: int, character: str) -> None:
    of, found = flat(texts, cut), np.arange(len(texts)) % 2 == 0
    _digest_loops.find_byte(of.data.ctypes.data, of.offsets, ord(character), found)
    assert found.tolist() == [character in text for text in texts]


def test_a_byte_next_to_the_one_sought_is_not_taken_for_it() -> None:
    """What one byte borrows must not reach those above it."""
    near = [chr(one) + chr(other) * 9 for one in (63, 64, 65) for other in (63, 64, 65, 0)]
    of, found = flat(near, 0), np.empty(len(near), np.bool_)
    _digest_loops.find_byte(of.data.ctypes.data, of.offsets, 64, found)
    assert found.tolist() == ["@" in text for text in near]


@given(st.lists(st.tuples(st.booleans(), st.lists(st.integers(0, 6), min_size=1, max_size=4)), max_size=20))
@settings(max_examples=100, deadline=None)
def test_texts_are_made_of_words_of_a_set(texts: list[tuple[bool, list[int]]]) -> None:
    known = Bits(3)
    known.add(np.array([1, 2, 5], np.uint64))
    hashes = np.array([word + (1 << 40) for _, words in texts for word in words], np.uint64)
    starts = np.cumsum([0, *(len(words) for _, words in texts)])
    found = np.array([marked for marked, _ in texts], np.bool_)
    _digest_loops.find_made_of(hashes, starts, known.bits, known.mask, found)
    assert found.tolist() == [marked and set(words) <= {1, 2, 5} for marked, words in texts]


def joined(packed: Iterable[int]) -> list[int]:
    """Each digest once: the marks of all, the sum of the counts up to 15."""
    by_digest: dict[int, list[int]] = defaultdict(list)
    for one in packed:
        by_digest[one >> 6].append(one)
    return [
        digest << 6
        | reduce(int.__or__, (one & 0b110000 for one in same))
        | min(15, sum(one & 15 for one in same))
        for digest, same in sorted(by_digest.items())
    ]


@given(st.lists(st.lists(_PACKED, max_size=12), max_size=4))
@settings(max_examples=200, deadline=None)
def test_sorted_digests_are_put_together(found: list[list[int]]) -> None:
    parts = [_sorted(np.array(part, np.uint64)) for part in found]
    assert [part.tolist() for part in parts] == [joined(part) for part in found]
    together = _whole(parts)
    assert together.tolist() == joined(one for part in found for one in part)
    assert together.base is None


@given(st.lists(_PACKED, max_size=12), st.lists(_PACKED, max_size=12))
@settings(max_examples=100, deadline=None)
def test_two_merge_into_one(one: list[int], other: list[int]) -> None:
    parts = [np.array(joined(part), np.uint64) for part in (one, other)]
    into = np.zeros(len(one) + len(other), np.uint64)
    size = _digest_loops.merge(*parts, SHIFT, COUNT, into)
    assert into[:size].tolist() == joined(one + other)


@given(st.lists(st.lists(_PACKED, max_size=12), max_size=4))
@settings(max_examples=200, deadline=None)
def test_columns_are_united_by_their_smallest_counts(found: list[list[int]]) -> None:
    by_digest: dict[int, list[int]] = defaultdict(list)
    for packed in found:
        for one in packed:
            by_digest[one >> 6].append(one)
    expected = [
        digest << 6 | reduce(int.__or__, (one & 0b110000 for one in same)) | min(one & 15 for one in same)
        for digest, same in sorted(by_digest.items())
    ]
    assert _union(np.array(packed, np.uint64) for packed in found).tolist() == expected


@given(st.lists(st.tuples(VALUES, VALUES | st.just("same")), max_size=30), st.integers(0, 2), st.booleans())
@settings(max_examples=150, deadline=None)
def test_what_was_replaced_counts_as_if_it_came_alone(
    found: list[tuple[str | None, str | None]], cut: int, repeated: bool
) -> None:
    rows = [(raw, raw if masked == "same" else masked) for raw, masked in found] * (3 if repeated else 1)
    before, after = (
        pl.Series([None, "before it"][:cut] + [row[side] for row in rows], dtype=pl.String)
        .to_arrow(compat_level=pl.CompatLevel.oldest())
        .slice(cut)
        for side in (0, 1)
    )
    one, other = ValueDigests(b"s" * 32), ValueDigests(b"s" * 32)
    one.add_replaced(COLUMN, before, after)
    for raw, masked in rows:
        if raw is not None and raw != masked:
            other.add(COLUMN, pl.Series([raw]))
    assert one.packed(COLUMN).tolist() == other.packed(COLUMN).tolist()
    assert one.run_sizes == other.run_sizes
    for mine, theirs in zip(vars(one.beginnings).values(), vars(other.beginnings).values(), strict=True):
        assert mine.bits.tobytes() == theirs.bits.tobytes()
    assert one.bucket_sizes(COLUMN).keys() == other.bucket_sizes(COLUMN).keys()


def test_bytes_that_lie_under_a_null_are_no_value() -> None:
    whole = pa.array(["Maria Lopez 7", "Elena Sanchez 8"], pa.large_string())
    _, places, data = whole.buffers()
    raw = pa.LargeStringArray.from_buffers(2, places, data, pa.py_buffer(b"\x01"), 1)
    assert raw.to_pylist() == ["Maria Lopez 7", None]
    seen, expected = ValueDigests(b"s" * 32), ValueDigests(b"s" * 32)
    seen.add_replaced(COLUMN, raw, pa.array(["Xy", "Zw"], pa.large_string()))
    expected.add(COLUMN, pl.Series(["Maria Lopez 7"]))
    assert seen.packed(COLUMN).tolist() == expected.packed(COLUMN).tolist()
