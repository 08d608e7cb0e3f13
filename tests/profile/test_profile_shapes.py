"""Shapes tell how texts are written, and spell no letter and no digit of any."""

from __future__ import annotations

import unicodedata

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_data.profile import profile_column
from parity_data.profile.shapes import OTHER, ROWS, VALUES, profile_shapes, shapes_of

#: Letters and digits of one class each, so that any may stand for any other.
CLASSES = (
    "abcdefghijklmnopqrstuvwxyzäßłéñ",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄŁÉÑ",
    "0123456789٠١٢٣٤٥٦٧٨٩०१२३४५६७८९",
    "абвгдежзиклмнопрстуфхцчшщыэюяї",
    "АБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЫЭЮЯЇ",
    "αβγδεζηθικλμνξοπρστυφχψω",
    "李雷韩梅王小明北京",
    "ابتثجحخدذرزسشص",
    "אבגדהוזחטיכלמנ",
    "กขคงจฉชซ",
)
CLASS_OF = {character: letters for letters in CLASSES for character in letters}
#: Every sign that a shape may have in the place of a letter or digit.
SIGNS = set("Aa9ЯяΩω字かカ한عשअก◌")
TEXTS = st.text(
    st.one_of(
        st.sampled_from("".join(CLASSES)),
        st.sampled_from(" .,-_@+/()'#\n\u0308🧑"),
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    ),
    max_size=30,
)


def shape(text: str) -> str:
    return shapes_of([text])[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Maria Lopez", "Aaa Aaa"),
        ("Li", "Aa"),
        ("LOPEZ, Maria", "AA, Aaa"),
        ("+41 79 123 45 67", "+99 99 999 99 99"),
        ("o.brien@mail.example", "a.aa@aa.aa"),
        ("O'Brien-Łukasz", "A'Aaa-Aaa"),
        ("A\u0308rger und Ärger", "Aaa aa Aaa"),
        ("Анна 李雷 ١٢٣", "Яяя 字字 999"),
        ("two\nlines\t", "aa¤aa¤"),
        ("------ !", "--- !"),
        ("🧑‍🚀", "¤¤"),
        ("7" * 30, "9" * 20),
        ("", ""),
    ],
)
def test_a_shape_reads_like_the_text(text: str, expected: str) -> None:
    assert shape(text) == expected


@given(TEXTS, st.data())
def test_any_other_letters_and_digits_have_the_same_shape(text: str, data: st.DataObject) -> None:
    other = "".join(
        data.draw(st.sampled_from(CLASS_OF[character])) if character in CLASS_OF else character
        for character in text
    )
    assert shape(other) == shape(text)


@given(st.lists(TEXTS, max_size=12))
def test_a_shape_holds_signs_blanks_and_ascii_punctuation_only(texts: list[str]) -> None:
    found = shapes_of(texts)
    assert len(found) == len(texts)
    for text, one in zip(texts, found, strict=True):
        assert len(one) <= len(text)
        for sign in one:
            assert (
                sign in SIGNS or sign == "¤" or (sign.isascii() and not sign.isalnum() and sign.isprintable())
            )
        letters = sum(unicodedata.category(sign)[0] in "LN" for sign in one)
        assert letters <= sum(unicodedata.category(character)[0] in "LN" for character in text)
    # Alone or among others, ASCII or not, a text has one shape.
    assert found == [shape(text) for text in texts]


def counted(texts: list[str]) -> tuple[pl.Series, np.ndarray]:
    made = pl.Series("value", texts, dtype=pl.String).value_counts(sort=True, name="rows")
    return made["value"], made["rows"].to_numpy().astype(np.float64)


@given(
    st.lists(
        st.tuples(st.sampled_from(["Aaa", "aa 99", "#9", "AA-9", "a@a", "字字"]), st.integers(0, 8)),
        max_size=150,
    ),
    st.lists(st.tuples(st.sampled_from(["Aaa", "aa 99", "x.y"]), st.integers(0, 8)), max_size=40),
)
def test_a_rare_shape_is_counted_and_never_named(
    mine: list[tuple[str, int]], theirs: list[tuple[str, int]]
) -> None:
    def text(kind: str, which: int) -> str:
        """The text of a kind, one of nine."""
        swaps = {"A": "ABCDEFGHI", "a": "abcdefghi", "9": "123456789", "字": "李雷韩梅王小明北京"}
        return "".join(swaps[c][which] if c in swaps else c for c in kind)

    sides = [[text(*one) for one in side] for side in (mine, theirs)]
    found = profile_shapes(counted(sides[0]), counted(sides[1]))
    named = {trait.label: trait.shares for trait in found if trait.label != OTHER}
    for kind in {shape(text) for text in sides[0]}:
        having = [text for text in sides[0] if shape(text) == kind]
        assert (kind in named) <= (len(having) >= ROWS and len(set(having)) >= VALUES)
    for kind, shares in named.items():
        for side, share in zip(sides, shares, strict=True):
            part = sum(shape(text) == kind for text in side) / len(side) if side else None
            assert share == (None if part is None else pytest.approx(part, abs=1e-4))
    if found:
        assert found[-1].label == OTHER
        for side in (0, 1):
            shares = [trait.shares[side] for trait in found]
            assert None in shares or sum(s for s in shares if s is not None) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    ("rows", "values", "named"),
    [(ROWS, VALUES, True), (ROWS - 1, VALUES, False), (ROWS, VALUES - 1, False)],
)
def test_a_shape_is_named_from_so_many_rows_and_values_on(rows: int, values: int, named: bool) -> None:
    few = [f"#{i % values}" for i in range(rows)]
    many = [f"Name {i % 10}" for i in range(100)]
    found = profile_shapes(counted(few + many), counted(many))
    assert [trait.label for trait in found] == ["Aaa 9", *(["#9"] if named else []), OTHER]


def test_a_mask_that_loses_the_shape_shows() -> None:
    numbers = pl.Series([f"+41 79 {i:03d} 00 {i % 90 + 10}" for i in range(300)])
    lost = numbers.str.replace_all(" ", "")
    found = profile_column("c", numbers, lost, "text", masked=True).shapes
    assert [(trait.label, trait.shares) for trait in found] == [
        ("+99 99 999 99 99", (1.0, 0.0)),
        (OTHER, (0.0, 1.0)),
    ]


def test_of_documents_and_of_few_values_no_shape_is_taken() -> None:
    documents = pl.Series([f'{{"a": {i}}}' for i in range(100, 300)])
    assert not profile_column("c", documents, documents, "text", masked=True, document=True).shapes
    labels = pl.Series(["paid", "open", "void", "lost"] * 100)
    assert not profile_column("c", labels, labels, "text", masked=False).shapes


def test_of_many_values_an_even_choice_is_looked_at() -> None:
    texts = [f"person{i}" if i % 4 else f"Ms {i}" for i in range(100_000, 109_000)] + ["often"] * 3000
    shuffled = np.random.default_rng(0).permutation(texts).tolist()
    found = profile_shapes(counted(texts), counted(shuffled))
    shares = {trait.label: trait.shares for trait in found}
    for label, expected in (("aa999999", 0.5625), ("Aa 999999", 0.1875), (OTHER, 0.25)):
        assert shares[label] == pytest.approx((expected, expected), abs=0.03)
        assert shares[label][0] == shares[label][1]  # whatever order they come in
