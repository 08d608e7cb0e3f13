"""Identifiers that are written in two ways, in small letters and in capitals, stay two values."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from parity_data.mask import MaskSpec, compile_mask, describe
from parity_data.mask.testing import KEYS, assert_promises

uuids = st.uuids(allow_nil=True).map(str)
macs = st.binary(min_size=6, max_size=6).map(lambda raw: raw.hex(":"))


def masked(name: str, values: list[str]) -> list[str]:
    return compile_mask(MaskSpec(name, {}), KEYS[0])(pl.Series(values, dtype=pl.String)).to_list()


def some_capitals(text: str) -> str:
    """Every second letter as a capital."""
    return "".join(c.upper() if i % 2 else c for i, c in enumerate(text))


def assert_cases_stay(name: str, text: str) -> None:
    small, capital = text.lower(), text.upper()
    of_small, of_capital = masked(name, [small, capital])
    assert of_small == of_small.lower()
    assert of_capital == of_small.upper()
    assert (of_capital == of_small) == (capital == small)
    assert_promises(describe(name), [small, capital, some_capitals(text)])


@settings(max_examples=30)
@given(uuids)
@example("00000000-0000-4000-8000-000000000001")
@example("00000000-0000-0000-0000-00000000000a")
def test_uuids_stay_in_their_case(text: str) -> None:
    assert_cases_stay("uuid", text)


@settings(max_examples=30)
@given(macs)
@example("00:11:22:33:44:55")
@example("0a:00:00:00:00:00")
def test_macs_stay_in_their_case(text: str) -> None:
    assert_cases_stay("mac", text)


@pytest.mark.parametrize(
    ("name", "text"),
    [("vin", "1M8GDM9AXKP042788"), ("vin", "11111111111111111"), ("national_id", "36042619910101008X"),
     ("national_id", "131052-308T"), ("national_id", "54362315K"), ("bic", "AGRIFRPP")],
)  # fmt: skip
def test_numbers_with_letters_stay_in_their_case(name: str, text: str) -> None:
    check = describe(name).check
    assert check is not None
    assert check(text)
    assert_cases_stay(name, text)


@pytest.mark.parametrize("text", ["1M8GDM9AßKP04278", "١M8GDM9AXKP042788", "5432236١K", "AGRIFRPﬀ"])
def test_letters_and_digits_beyond_ascii_are_in_no_number(text: str) -> None:
    for name in ("vin", "national_id", "bic"):
        assert_promises(describe(name), [text, text.upper(), text.lower()])


def test_no_two_macs_in_either_case_meet() -> None:
    small = [f"0a:1b:00:00:{high:02x}:{low:02x}" for high in range(256) for low in range(16)]
    values = [*small, *(text.upper() for text in small)]
    assert len(set(masked("mac", values))) == len(values)


def test_the_last_digits_of_a_vin_stay_digits() -> None:
    for text in masked("vin", ["1M8GDM9AXKP042788", "WVWZZZ1JZXW000001"]):
        assert text[-6:].isdigit()


ADDRESSES = ["2a02:810d::3c4d", "2A02:810D::3C4D", "2a02:810d:0:0:0:0:0:3c4d", "2a02:810d:0000::3c4d"]


def test_an_address_in_two_ways_of_writing_is_one_address() -> None:
    one_writing = describe("ip").one_writing
    assert one_writing is not None
    assert one_writing(pl.Series(ADDRESSES)).n_unique() == 1
    assert one_writing(pl.Series(masked("ip", ADDRESSES))).n_unique() == 1
    assert_promises(describe("ip"), [*ADDRESSES, "2a02:810d::3c4e"])
