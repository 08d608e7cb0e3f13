"""What is asked of a language model: little, from all over a column, and no more once it is settled."""

import itertools
import random
import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_data.detect.model import PERSONAL, UNCERTAIN
from parity_data.detect.speech import BUDGET, CHARACTERS, FIRST, MOST, Heard, ask, evidence_of
from parity_data.language import Span

WORDS = st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1), max_size=200, unique=True)


class Reader:
    """Stands for a language model: takes whatever matches for a person, and counts what it reads."""

    name = "reader"

    def __init__(self, pattern: str) -> None:
        self._pattern = re.compile(pattern)
        self.read: list[str] = []

    def find(self, texts: Sequence[str]) -> list[list[Span]]:
        self.read += texts
        found = [self._pattern.finditer(text) for text in texts]
        return [[Span(*match.span(), "person_name") for match in matches] for matches in found]


@given(values=WORDS, pattern=st.sampled_from(["", "a", r"^\w", "[0-9]"]), prose=st.booleans())
def test_little_of_a_column_is_read_and_nothing_twice(values: list[str], pattern: str, prose: bool) -> None:
    reader = Reader(pattern)
    heard = ask(reader, values, prose=prose)
    assert heard.asked == len(reader.read) == len(set(reader.read)) <= MOST
    assert set(reader.read) <= set(values)
    assert heard.full <= heard.asked
    assert heard.people <= heard.asked


def test_long_texts_are_read_until_the_budget_is_spent() -> None:
    reader = Reader("nobody")
    ask(reader, [f"{i} " + "x" * 5_000 for i in range(300)], prose=True)
    assert max(map(len, reader.read)) == CHARACTERS
    assert BUDGET <= sum(map(len, reader.read)) < BUDGET + 4 * CHARACTERS


@pytest.mark.parametrize("pattern", ["nobody", ".+"])
def test_a_clear_answer_takes_one_round_from_all_over_the_column(pattern: str) -> None:
    reader = Reader(pattern)
    values = [f"word {i:03}" for i in range(600)]
    heard = ask(reader, values, prose=False)
    assert heard.asked == FIRST
    places = sorted(values.index(text) for text in reader.read)
    assert places[0] < 60
    assert places[-1] > 500
    assert max(b - a for a, b in itertools.pairwise(places)) < 80


def test_an_unclear_answer_takes_more() -> None:
    reader = Reader("^person .+")
    values = [f"{'person' if i % 2 else 'thing'} {i:03}" for i in range(600)]
    random.Random(1).shuffle(values)
    assert FIRST < ask(reader, values, prose=False).asked <= MOST


def test_two_texts_with_full_names_are_enough() -> None:
    reader = Reader("Zorblax Quixotic")
    texts = [f"On day {i} the guest was Zorblax Quixotic, who ate well and left" for i in range(300)]
    heard = ask(reader, texts, prose=True)
    assert heard.asked < FIRST
    assert heard.full >= 2
    (said,) = evidence_of(heard, prose=True)
    assert said.weight >= PERSONAL
    assert f"{heard.people} of the {heard.asked} texts" in said.reason


def test_single_words_as_rare_as_mistakes_accuse_no_text() -> None:
    (rare,) = evidence_of(Heard(60, 4, 0), prose=True)
    (often,) = evidence_of(Heard(60, 30, 0), prose=True)
    (full,) = evidence_of(Heard(60, 4, 2), prose=True)
    assert rare.weight < UNCERTAIN < PERSONAL <= often.weight == full.weight
    assert "by mistake" in rare.reason
    assert "by mistake" not in often.reason
    assert evidence_of(Heard(60, 1, 1), prose=True) == ()
