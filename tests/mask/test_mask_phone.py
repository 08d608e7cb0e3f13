"""Telephone numbers: automata, regular expressions and single numbers are judged and masked alike."""

from __future__ import annotations

import random
import re
from functools import cache

import numpy as np
import phonenumbers
import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from parity_data.mask import numbering_plans, telephone
from parity_data.mask.cipher import TokenCipher
from parity_data.mask.cipher.flat import Flat
from parity_data.mask.context import Context
from parity_data.mask.digit_automaton import Automaton, automaton
from parity_data.mask.numbering_plans import plans, plans_and_digits
from parity_data.mask.registry import Function
from parity_data.mask.testing import KEYS

CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
#: Plans for numbers without a country code.
NATIONAL = (1, 44, 49, 39)
FORMS = (
    phonenumbers.PhoneNumberFormat.E164,
    phonenumbers.PhoneNumberFormat.INTERNATIONAL,
    phonenumbers.PhoneNumberFormat.NATIONAL,
)


def few(count: int) -> settings:
    return settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck))


def examples(code: int) -> list[phonenumbers.PhoneNumber]:
    """Numbers of a calling code that the metadata gives as examples, one of each type and region."""
    found = []
    for region in phonenumbers.COUNTRY_CODE_TO_REGION_CODE[code]:
        if region == "001":
            found.append(phonenumbers.example_number_for_non_geo_entity(code))
            continue
        found += [phonenumbers.example_number_for_type(region, kind) for kind in range(11)]
    return [number for number in found if number is not None]


EXAMPLES = {code: examples(code) for code in CODES}


@cache
def of_plan(code: int) -> tuple[Automaton, re.Pattern[str]]:
    pattern = numbering_plans._pattern(code)
    return automaton(pattern.removeprefix("^").removesuffix("$")), re.compile(pattern)


def mutated(digits: str, rng: random.Random) -> str:
    """Digits with one changed, removed or added, or others in front."""
    at = rng.randrange(len(digits))
    return rng.choice(
        [
            digits[:at] + rng.choice("0123456789") + digits[at + 1 :],
            digits[:at] + digits[at + 1 :],
            digits[:at] + rng.choice("0123456789") + digits[at:],
            rng.choice(["0", "1", "8", "15", "00"]) + digits,
        ]
    )


def accepted(made: Automaton, rng: random.Random) -> str | None:
    """Digits that lead from the first state to one that accepts, chosen at random; None where it got lost."""
    state, digits = 1, ""
    while not (made.accepting[state] and rng.random() < 0.5):
        ways = [digit for digit in range(10) if made.following[state, digit]]
        if not ways:
            return digits if made.accepting[state] else None
        digit = rng.choice(ways)
        state, digits = int(made.following[state, digit]), digits + str(digit)
    return digits


@pytest.mark.parametrize("code", CODES)
def test_the_automaton_of_a_country_accepts_what_its_plans_match(code: int) -> None:
    made, expected = of_plan(code)
    rng = random.Random(code)
    valid = [phonenumbers.national_significant_number(number) for number in EXAMPLES[code]]
    near = [digits for digits in (accepted(made, rng) for _ in range(60)) if digits is not None]
    tried = [*valid, *near]
    for digits in [*valid, *near, *rng.choices(valid, k=100)]:
        tried.append(mutated(digits, rng))
        tried.append(mutated(tried[-1], rng) if tried[-1] else digits)
    tried += ["".join(rng.choices("0123456789", k=length)) for length in range(19) for _ in range(5)]
    answers = {digits: made.accepts(digits) for digits in tried}
    assert answers == {digits: expected.match(digits) is not None for digits in tried}
    assert any(answers[digits] for digits in valid)
    assert all(answers[digits] for digits in near)


@given(code=st.sampled_from(CODES), data=st.data())
@few(200)
def test_the_automaton_of_a_country_agrees_on_any_digits(code: int, data: st.DataObject) -> None:
    made, expected = of_plan(code)
    start = data.draw(st.sampled_from(EXAMPLES[code]))
    valid = phonenumbers.national_significant_number(start)
    length = data.draw(st.integers(0, len(valid)))
    digits = valid[:length] + data.draw(st.text("0123456789", max_size=18 - length))
    assert made.accepts(digits) == (expected.match(digits) is not None)


#: A number's parts: pieces of numbers and of what stands around and between them.
PIECES = st.sampled_from(
    ["+", "00", "0", "(", ")", " ", "-", "/", ".", "\t", "\n", "\x1c", "49", "1", "44", "379", "800", "999",
     "212", "1234567", "30", "5550100"]
)  # fmt: skip
MORE_PIECES = st.one_of(
    PIECES, st.sampled_from(["x1", "ext. 12", "#", "FLOWERS", "a", "\u00a0", "–", "٣", "４", "tel", "½", "é"])
)


ABROAD_OR_NOT = [
    "(+49) 30 1234567", "((+49 30 1234567", " \t\n\x0b\x0c\r+49 30 1234567", "\x1c+49 30 1234567",
    ")+49 30 1234567", "0049301234567", "000493012345678", "00 49 30 1234567", "0 049301234567",
    "(0049) 30 1234567", "00", "001", "0010", "+0049301234567", "+00049301234567", "+49", "+4", "+",
    "+999 123456", "+99 949 123456", "+99900 49123", "+0 49 1", "030 1234567", "212 555 0100",
    "1 212 555 0100", "020 7946 0958", "06 6982 1234", "", "()", "1" * 70, "+1" + "2" * 70,
]  # fmt: skip


@st.composite
def numbers(draw: st.DrawFn, pieces: st.SearchStrategy[str]) -> str:
    """A number of some country as people write it with some digits changed, or made of pieces."""
    if draw(st.booleans()):
        return "".join(draw(st.lists(pieces, min_size=1, max_size=9)))
    example = draw(st.sampled_from(EXAMPLES[draw(st.sampled_from(CODES))]))
    text = list(phonenumbers.format_number(example, draw(st.sampled_from(FORMS))))
    for at in draw(st.lists(st.integers(0, len(text) - 1), max_size=4)):
        if text[at].isdigit():
            text[at] = draw(st.sampled_from("0123456789"))
    place = draw(st.integers(0, len(text)))
    return "".join([*text[:place], *draw(st.lists(pieces, max_size=1)), *text[place:]])


@given(texts=st.lists(numbers(PIECES), min_size=1, max_size=30))
@example(texts=ABROAD_OR_NOT)
@few(60)
def test_plans_and_digits_are_those_of_the_regular_expressions(texts: list[str]) -> None:
    values = pl.Series(texts)
    plan, country, maskable = plans_and_digits(Flat.of(values), NATIONAL)
    # So many that they are matched in bulk.
    many = pl.concat([values] * 64)
    assert plan.tolist() == numbering_plans._plan(many, NATIONAL).head(len(texts)).to_list()
    assert country.tolist() == numbering_plans._country_digits(values).to_list()
    assert maskable.tolist() == [sum(c.isdigit() for c in text) for text in texts]


@given(texts=st.lists(numbers(MORE_PIECES), min_size=1, max_size=30))
@few(60)
def test_each_number_has_the_plan_it_has_for_itself(texts: list[str]) -> None:
    expected = [numbering_plans._plan_of(text, NATIONAL) for text in texts]
    assert plans(Flat.of(pl.Series(texts * 64)), NATIONAL).tolist() == expected * 64


@pytest.mark.parametrize(
    "text",
    ["a\nb\nc 1234567", "+1 a\nb\nc 5550100", "\x1c+49 30 1234567 é", "\x1f(0049 30 123x45", "1 x1\x1c"],
)
def test_a_number_of_several_lines_or_behind_control_characters_has_one_plan(text: str) -> None:
    values = pl.Series([text])
    many = pl.concat([values] * 64)
    expected = numbering_plans._plan_of(text, NATIONAL)
    assert set(numbering_plans._plan(many, NATIONAL).to_list()) == {expected}
    assert numbering_plans._digits(values).item() == numbering_plans._keyed_in(text)


def masker(region: str | None = None) -> Function:
    """The masker itself: it remembers nothing of what it masked before."""
    return telephone.make(Context({"region": region}, KEYS[0], "phone"))


def one_by_one(text: str, cipher: TokenCipher, codes: tuple[int, ...]) -> str:
    """A number masked as the regular expressions have it, for itself."""
    if not pl.Series([text]).str.contains(telephone._WRITTEN).item():
        return str(cipher.whole(pl.Series([text])).item())
    main, extension = telephone._parts(pl.Series([text]))
    country = numbering_plans._country_digits(main).to_numpy()
    kept = telephone._kept(country, main.str.count_matches(r"[A-Za-z\p{Nd}]").cast(pl.Int64).to_numpy())
    wanted = numbering_plans._plan_of(main.item(), codes)
    out = cipher.whole(main, kept)
    for _ in range(telephone._STEPS):
        if numbering_plans._plan_of(out.item(), codes) == wanted:
            break
        out = cipher.whole(out, kept)
    return str(out.item() + ("" if extension is None else cipher.tokens(extension).item()))


#: In which a walk to another valid number takes a few rounds, or many.
WRITTEN = [
    "+49 30 1234567", "0049-171-2345678", "+49 151 12345678", "(415) 555-2671", "+1 212 736 5000",
    "+1 800 4664411", "030 1234567", "(+44) 20 7946 0958", "+39 06 6982", "+378 0549 886377",
    "+54 9 11 2345 6789", "+999 123456", "+0049301234567", "00 49 30 1234567", "+7 701 123 45 67", "12",
    "+", "+49", "911", "()", "  030/1234567  ", "+49 30 1234567 ext. 12", "030 1234567#12",
    "030 1234567 x7", "1-800-FLOWERS", "Tel. 030 1234567", "tel: +49 30 1234567", "٠٣٠١٢٣٤٥٦٧",
    "+４９ ３０ １２３４５６７", "+49\u00a030\u00a01234567", "+49–30–1234567", "né le 12", "a b 12",
    "+49 30 1234567" + "0" * 40,
]  # fmt: skip


@pytest.mark.parametrize("region", [None, "DE", "US", "AR"])
def test_numbers_are_masked_alike_together_and_alone(region: str | None) -> None:
    mask = masker(region)
    cipher = TokenCipher(KEYS[0].subkey("tokens", "phone"))
    regions = (region,) if region else telephone._REGIONS
    codes = tuple(dict.fromkeys(phonenumbers.country_code_for_region(r) for r in regions))
    rng = random.Random(str(region))
    texts = list(WRITTEN)
    for code in rng.choices(CODES, k=60):
        text = phonenumbers.format_number(rng.choice(EXAMPLES[code]), rng.choice(FORMS))
        texts.append(text[:-3] + "".join(rng.choices("0123456789", k=3)))
    texts = list(dict.fromkeys(texts))
    expected = [one_by_one(text, cipher, codes) for text in texts]
    assert sum(a != b for a, b in zip(texts, expected, strict=True)) > len(texts) / 2
    assert mask(pl.Series(texts)).to_list() == expected
    assert mask(pl.Series(texts * 10)).to_list() == expected * 10
    assert [mask(pl.Series([text])).item() for text in texts] == expected


def test_plans_without_automaton_are_matched_by_expression(monkeypatch: pytest.MonkeyPatch) -> None:
    mask = masker()
    values = pl.Series(WRITTEN * 3)
    expected = mask(values).to_list()

    def refuse(pattern: str) -> Automaton:
        raise ValueError(pattern)

    monkeypatch.setattr(numbering_plans, "automaton", refuse)
    monkeypatch.setattr(numbering_plans, "_made", numbering_plans._States.none())
    assert mask(values).to_list() == expected
    assert not len(numbering_plans._made.accepting)
    assert np.any(numbering_plans._made.begins == numbering_plans.phone_loops.NEVER)


@pytest.mark.parametrize("values", [[], [""], ["", "", ""], ["", "030 1234567", ""]])
def test_few_and_empty_numbers(values: list[str]) -> None:
    mask = masker()
    out = mask(pl.Series("number", values, dtype=pl.String))
    assert out.name == "number"
    assert out.dtype == pl.String
    assert out.str.len_bytes().to_list() == [len(text) for text in values]
