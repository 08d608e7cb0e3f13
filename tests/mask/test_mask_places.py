"""Places: moved within their distance, one to one, in every way in which types write numbers."""

from __future__ import annotations

import re

import polars as pl
import pytest

from parity_data.mask import MaskSpec, compile_mask, describe
from parity_data.mask.testing import KEYS, assert_promises

NUMBERS = re.compile(r"-?[0-9.]+(?:e[+-]?[0-9]+)?")


def masked(values: list[str], type_name: str = "text") -> list[str]:
    return compile_mask(MaskSpec("geo", {}), KEYS[0], type_name=type_name)(pl.Series(values)).to_list()


@pytest.mark.parametrize("text", ["(1e-05,52.5)", "(-2.5e-07,-1e-10)", "(0.000123,180)", "(-179.9999,0)"])
def test_points_near_zero_stay_points_near_where_they_were(text: str) -> None:
    (new,) = masked([text], "point")
    assert new != text
    for before, after in zip(NUMBERS.findall(text), NUMBERS.findall(new), strict=True):
        # A thousand metres, or two units of a coarse number.
        assert abs(float(before) - float(after)) <= max(
            0.009, 1 if "." not in before and "e" not in before else 0.2
        )


def test_points_nowhere_stay() -> None:
    assert masked(["(NaN,Infinity)"], "point") == ["(NaN,Infinity)"]


def test_numbers_that_no_type_writes_meet_no_coordinate() -> None:
    values = [f"{n}.5" for n in range(20)] + [f"0{n}.5" for n in range(20)] + [f"-0{n}.5" for n in range(20)]
    values += [
        "0.0",
        "-0.1",
        "999.9999",
        "999.9998",
        "1000.0001",
        "1000.0002",
        "05.5, 7",
        "5.5, 07",
        "5.5, 7",
    ]
    assert len(set(masked(values))) == len(values)
    assert_promises(describe("geo"), [*values, "-0.0", "-0"])
