"""Loops over texts before and after masking say what plain Python says, text by text."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parity_data.mask.cipher.flat import Flat
from parity_data.verify import _pair_loops, _row_loops
from parity_data.verify._classes import PROPERTIES, classes

KEPT = [frozenset(some) for n in range(4) for some in itertools.combinations(PROPERTIES, n)]
TEXTS = st.text(st.characters(max_codepoint=127) | st.sampled_from("aZ09 é李😀"), max_size=20)


@st.composite
def pairs(draw: st.DrawFn) -> list[tuple[str, str]]:
    """Texts and what they became: themselves, with some characters exchanged, or any other."""
    found = []
    for text in draw(st.lists(TEXTS, max_size=12)):
        other = [draw(st.sampled_from([c, c.swapcase(), "q", "7", "é"])) for c in text]
        found.append((text, draw(st.sampled_from([text, "".join(other)]) | TEXTS)))
    return found


def flat(texts: list[str], cut: int = 0) -> Flat:
    """The texts as they lie in memory, behind others."""
    array = pl.Series(["before"] * cut + texts, dtype=pl.String).to_arrow(
        compat_level=pl.CompatLevel.oldest()
    )
    return Flat.of_arrow(array.slice(cut))


def compared(
    before: list[str], after: list[str], kept: frozenset[str], cut: int = 0
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    raw, masked = flat(before, cut), flat(after)
    # Nothing that lay there before must be left.
    equal, odd = np.full(len(before), True), np.arange(len(before)) % 2 == 0
    bits = [np.uint64(2**64 - 1 if name in kept else 0) for name in ("script", "case", "format")]
    _pair_loops.compare(
        raw.data.ctypes.data, raw.offsets, masked.data.ctypes.data, masked.offsets, *bits, equal, odd
    )
    return equal, odd


@given(pairs(), st.sampled_from(KEPT), st.integers(0, 3))
@settings(max_examples=200, deadline=None)
def test_texts_are_equal_or_odd_as_their_characters_are(
    found: list[tuple[str, str]], kept: frozenset[str], cut: int
) -> None:
    def is_odd(one: str, other: str) -> bool:
        if not (one.isascii() and other.isascii()) or len(one) != len(other):
            return True
        of = [classes(kept).of(np.array([ord(c) for c in text], np.uint32)) for text in (one, other)]
        return bool((of[0] != of[1]).any())

    before, after = [one for one, _ in found], [other for _, other in found]
    equal, odd = compared(before, after, kept, cut)
    assert equal.tolist() == [one == other for one, other in found]
    assert odd.tolist() == [is_odd(one, other) for one, other in found]


@pytest.mark.parametrize("kept", KEPT, ids=lambda kept: "+".join(sorted(kept)) or "nothing")
def test_every_character_of_ascii_is_held_against_every_other(kept: frozenset[str]) -> None:
    one, other = np.divmod(np.arange(128 * 128, dtype=np.uint32), 128)
    expected = classes(kept).of(one) != classes(kept).of(other)
    for number, width in enumerate((1, 3, 5, 8, 13)):
        ahead = "x" * (width // 2 + number % 2)
        before, after = (
            [ahead + chr(c) + "-" * (width - 1) for c in codes.tolist()] for codes in (one, other)
        )
        equal, odd = compared(before, after, kept)
        assert (equal == (one == other)).all()
        assert (odd == expected).all()


@given(pairs(), st.integers(0, 3))
@settings(max_examples=100, deadline=None)
def test_equal_texts_are_found(found: list[tuple[str, str]], cut: int) -> None:
    raw, masked = flat([one for one, _ in found], cut), flat([other for _, other in found])
    equal = np.full(len(found), True)
    _pair_loops.find_equal(raw.data.ctypes.data, raw.offsets, masked.data.ctypes.data, masked.offsets, equal)
    assert equal.tolist() == [one == other for one, other in found]


@given(st.lists(TEXTS, max_size=20), st.integers(0, 3))
@settings(max_examples=100, deadline=None)
def test_capitals_are_found(texts: list[str], cut: int) -> None:
    of = flat(texts, cut)
    found, unsure = np.empty((2, len(texts)), np.bool_)
    _pair_loops.find_capitals(of.data.ctypes.data, of.offsets, found, unsure)
    assert found.tolist() == [any(c.isascii() and c.isupper() for c in text) for text in texts]
    assert unsure.tolist() == [not text.isascii() for text in texts]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3) | st.integers(2**63, 2**64 - 1)), max_size=60))
@settings(max_examples=100, deadline=None)
def test_pairs_count_when_they_come_first(found: list[tuple[int, int]]) -> None:
    masked, raw = np.array(found, np.uint64).reshape(-1, 2).T.copy()
    first = np.full(len(found), True)
    # As full as it may be.
    bits = len(found).bit_length()
    table = np.full(1 << bits, -1, np.int32)
    _pair_loops.find_first(masked, raw, table, np.uint64(64 - bits), first)
    assert first.tolist() == [pair not in found[:i] for i, pair in enumerate(found)]


@given(st.lists(TEXTS, max_size=20, unique=True), st.integers(0, 3), st.integers(0, 2**63))
@settings(max_examples=60, deadline=None)
def test_hashes_tell_texts_apart_wherever_they_lie(texts: list[str], cut: int, seed: int) -> None:
    def hashes(of: Flat, seed: int) -> list[int]:
        found = np.empty(len(of.offsets) - 1, np.uint64)
        _row_loops.hash_texts(of.data.ctypes.data, of.offsets, np.uint64(seed), found)
        numbers: list[int] = found.tolist()
        return numbers

    found = hashes(flat(texts, cut), seed)
    assert len(set(found)) == len(texts)
    assert found == hashes(flat(texts[::-1]), seed)[::-1]
    assert not set(found) & set(hashes(flat(texts), seed + 1))
