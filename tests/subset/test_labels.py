"""Labels counted and rows ordered by them, against NumPy's ways that compare."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_data.subset.labels import distinct, order_within

#: Labels close together, far apart, and at the ends of their type.
_RANGES = [(0, 3), (-5, 70_000), (-(2**62), 2**62), (2**63 - 4, 2**63 - 1)]


@pytest.mark.parametrize("ends", _RANGES)
@given(data=st.data())
def test_labels_are_those_of_numpy(ends: tuple[int, int], data: st.DataObject) -> None:
    labels = np.array(data.draw(st.lists(st.integers(*ends), max_size=40)), np.int64)
    expected = np.unique(labels, return_inverse=True, return_counts=True)
    for found, right in zip(distinct(labels), expected, strict=True):
        assert found.tolist() == right.tolist()


def test_narrow_labels_do_not_overflow() -> None:
    values, inverse, counts = distinct(np.array([127, -128, 127], np.int8))
    assert values.tolist() == [-128, 127]
    assert inverse.tolist() == [1, 0, 1]
    assert counts.tolist() == [1, 2]


@given(data=st.data(), draws=st.sampled_from([st.floats(0, 1), st.sampled_from([0.0, 0.25, 0.5])]))
def test_rows_are_ordered_by_label_then_draw_then_position(
    data: st.DataObject, draws: st.SearchStrategy[float]
) -> None:
    labels = data.draw(st.lists(st.sampled_from([0, 1, 2, 300, 65_535, 65_536, 1 << 40]), max_size=40))
    drawn = np.array(data.draw(st.lists(draws, min_size=len(labels), max_size=len(labels))), np.float64)
    found = order_within(np.array(labels, np.int64), drawn)
    assert found.tolist() == sorted(range(len(labels)), key=lambda at: (labels[at], drawn[at], at))
