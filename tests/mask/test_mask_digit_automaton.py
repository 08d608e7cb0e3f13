"""Automata over digits accept what the regular expressions accept that they are made of."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parity_data.mask.digit_automaton import automaton

_ONE = st.sampled_from(["0", "1", "2", r"\d", "[01]", "[0-12]", "[02-9]"])
_TIMES = st.sampled_from(
    ["?", "*", "+", "{1}", "{2}", "{0,1}", "{0,2}", "{1,3}", "{2,3}", "{0,}", "{1,}", "{2,}"]
)


def _larger(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.lists(parts, min_size=1, max_size=4)
    return st.one_of(
        several.map("".join),
        several.map(lambda chosen: "(?:" + "|".join(chosen) + ")"),
        several.map(lambda chosen: "(" + "|".join(["", *chosen]) + ")"),
        st.builds("(?:{}){}".format, parts, _TIMES),
    )


EXPRESSIONS = st.recursive(
    st.one_of(_ONE, st.just("$"), st.builds("{}{}".format, _ONE, _TIMES)), _larger, max_leaves=8
)
SHORT = ["".join(digits) for n in range(6) for digits in itertools.product("012", repeat=n)]


@given(expression=EXPRESSIONS)
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_an_automaton_accepts_what_its_expression_matches(expression: str) -> None:
    made, expected = automaton(expression), re.compile(expression)
    for digits in SHORT:
        assert made.accepts(digits) == bool(expected.fullmatch(digits)), digits


@pytest.mark.parametrize("expression", ["", "1", "1|", "(?:1|2$)?2", "1{2,}2", "(?:0?1){2}", "$$", "1$2?"])
def test_an_expression_written_in_a_rare_way(expression: str) -> None:
    made, expected = automaton(expression), re.compile(expression)
    assert [d for d in SHORT if made.accepts(d)] == [d for d in SHORT if expected.fullmatch(d)]


@pytest.mark.parametrize(
    "expression",
    [
        "a", ".", "^1", "(?=1)2", "(?!1)2", "(?<=1)2", "(1)\\1", "1??", "1{2}+", "[^1]", "[1-]", "[]",
        "[3-1]", "1{0}", "1{3,2}", "1{,2}", "(1", "1)", "?", "1|*", "\\D", "(?i:1)", "1 ",
    ],
)  # fmt: skip
def test_an_expression_that_is_not_known_is_refused(expression: str) -> None:
    with pytest.raises(ValueError):
        automaton(expression)


def test_an_expression_of_too_many_states_is_refused() -> None:
    with pytest.raises(ValueError, match="states"):
        automaton(r"\d*1\d{15}")
