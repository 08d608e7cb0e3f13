"""How a table is cut into slices."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from parity_data.catalog.model import Leaf, Name, Table
from parity_data.transfer import Slice, plan_table, slices
from parity_data.transfer.spec import SLICE_BYTES

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
