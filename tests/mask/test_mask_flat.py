"""Strings as one buffer of bytes are the strings they were made from, whole or in part."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from parity_data.mask.cipher.flat import Flat

texts = st.lists(st.text(max_size=12), max_size=12)


@given(texts, st.data())
def test_parts_are_the_strings_they_should_be(found: list[str], data: st.DataObject) -> None:
    flat = Flat.of(pl.Series(found, dtype=pl.String))
    some = data.draw(st.lists(st.booleans(), min_size=len(found), max_size=len(found)))
    n = data.draw(st.integers(0, len(found) + 2))
    assert len(flat) == len(found)
    assert flat.series().to_list() == found
    assert flat.lengths.tolist() == [len(text.encode()) for text in found]
    chosen = [text for text, is_one in zip(found, some, strict=True) if is_one]
    assert flat.filter(np.array(some, np.bool_)).series().to_list() == chosen
    assert flat.head(n).series().to_list() == found[:n]
    assert flat.head(n).filter(np.array(some[:n], np.bool_)).series().to_list() == [
        text for text, is_one in zip(found[:n], some[:n], strict=True) if is_one
    ]


@given(texts, texts, texts)
def test_a_slice_of_an_array_begins_at_its_own_first_byte(
    before: list[str], found: list[str], after: list[str]
) -> None:
    array = pa.array([*before, *found, *after], pa.large_string()).slice(len(before), len(found))
    flat = Flat.of_arrow(array)
    assert flat.offsets[0] == 0
    assert flat.series().to_list() == found
