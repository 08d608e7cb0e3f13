"""Rows of one table that refer to each other form families: under one head, of bounded size, in any order."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from parity_data.subset.heads import _FAMILY_ROWS, family_heads


@given(st.lists(st.integers(-2, 60), max_size=60))
def test_a_family_is_small_and_hangs_together(parents: list[int]) -> None:
    at = np.array([p if p < len(parents) else -1 for p in parents], np.int32)
    head = family_heads(at)
    assert (head[head] == head).all()  # a head is its own
    for row in np.flatnonzero(head != np.arange(len(at))).tolist():
        assert head[at[row]] == head[row]  # whoever is not a head goes where the row above it goes
    if len(at):
        assert np.bincount(head).max() <= max(_FAMILY_ROWS, len(at) * 0.0005)


def test_a_chain_is_cut_and_a_circle_is_left_alone() -> None:
    chain = np.arange(-1, 19, dtype=np.int32)
    assert len(np.unique(family_heads(chain))) > 2
    circle = np.array([1, 2, 0, 0], np.int32)
    assert family_heads(circle).tolist() == [0, 1, 2, 3]
