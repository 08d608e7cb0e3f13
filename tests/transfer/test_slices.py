"""How a table is cut into slices."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from parity_data.catalog.model import Leaf, Name, Table
from parity_data.transfer import Slice, plan_table, slices
from parity_data.transfer.spec import FETCHED_BYTES, SLICE_BYTES

_NAME = Name("public", "cut")
_PAGE = 8192


def cut(pages: int, version: int = 180000) -> list[Slice]:
    leaf = Leaf(_NAME, 1, "r", pages, pages * _PAGE, -1)
    plan = plan_table(Table(_NAME, 1, "r", (), leaves=(leaf,)), {})
    return list(slices(plan, None, version=version))


@given(pages=st.integers(0, 40 * SLICE_BYTES // _PAGE))
def test_every_page_is_in_one_slice_and_rows_that_came_later_in_the_last(pages: int) -> None:
    made = cut(pages)
    assert made[0].first == 0
    assert made[-1].end is None
    assert [piece.end for piece in made[:-1]] == [piece.first for piece in made[1:]]
    assert all(piece.end > piece.first for piece in made[:-1] if piece.end is not None)
    assert all(piece.alone == (len(made) == 1) for piece in made)


def test_the_last_slices_are_small() -> None:
    made = cut(10 * SLICE_BYTES // _PAGE)
    assert [round(piece.weight / SLICE_BYTES, 3) for piece in made] == [1.0] * 8 + [0.25] * 8


def test_a_small_table_is_one_slice_and_so_is_any_before_14() -> None:
    assert len(cut(SLICE_BYTES // _PAGE)) == 1
    assert len(cut(10 * SLICE_BYTES // _PAGE, version=130000)) == 1


@given(
    rows=st.integers(1, 5_000), pages=st.integers(1, 1_000), share=st.floats(0.001, 1), seed=st.integers(0, 9)
)
def test_every_chosen_row_is_in_one_slice(rows: int, pages: int, share: float, seed: int) -> None:
    """A row takes an eighth of what a slice of fetched ones holds, so there are from one to hundreds."""
    random = np.random.default_rng(seed)
    places = np.unique(random.integers(0, pages, rows) << 16 | random.integers(1, 200, rows))
    chosen = places[random.random(len(places)) < share]
    leaf = Leaf(_NAME, 1, "r", pages, len(places) * (SLICE_BYTES // 64), len(places))
    plan = plan_table(Table(_NAME, 1, "r", (), leaves=(leaf,)), {})
    made = list(slices(plan, {_NAME: chosen}, version=180000))
    found = [piece.chosen for piece in made if piece.chosen is not None]
    assert len(found) == len(made)
    assert np.array_equal(np.concatenate([*found, np.empty(0, np.int64)]), chosen)
    for piece in made:
        assert piece.chosen is not None
        inside = piece.chosen >> 16
        assert inside[0] >= piece.first
        assert piece.end is None or inside[-1] < piece.end


def test_rows_fetched_by_address_are_cut_by_their_own_bytes() -> None:
    rows = 10 * 1024
    leaf = Leaf(_NAME, 1, "r", rows, 80 * FETCHED_BYTES, rows)
    plan = plan_table(Table(_NAME, 1, "r", (), leaves=(leaf,)), {})
    chosen = (np.arange(0, rows, 10) << 16) + 1
    made = list(slices(plan, {_NAME: chosen}, version=180000))
    assert [piece.fetch for piece in made] == [True] * 8
    assert {round(piece.weight / FETCHED_BYTES, 2) for piece in made} == {1.0}
