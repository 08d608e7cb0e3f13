"""Validators on whole values, check digits against chance, and names in several scripts."""

from __future__ import annotations

import random
import sys

import pytest

from parity_data.detect import validators as v
from parity_data.detect.nested import open_documents, step
from parity_data.detect.patterns import judge_text
from parity_data.detect.values import Sample, judge_values


def kinds(values: list[str], *, numeric: bool = False) -> dict[str, float]:
    verdict = judge_values(Sample(tuple(values), len(values), len(values)), numeric=numeric)
    return {item.kind: item.weight for item in verdict.evidence if item.weight > 0}


@pytest.mark.parametrize("value", ["a@b.co", "o'brien+x@mail.example", "jörg@exämple.de", "root@localhost"])
def test_emails(value: str) -> None:
    assert v.is_email(value)


@pytest.mark.parametrize("value", ["a@", "@b.co", "a b@c.de", "a@b@c.de", "call me", "user@host:/path"])
def test_no_emails(value: str) -> None:
    assert not v.is_email(value)


@pytest.mark.parametrize(
    "value", ["+49 171 5551234", "(415) 555-2671", "0171/5551234", "+1-212-555-0100", "01 42 68 53 00"]
)
def test_phones(value: str) -> None:
    assert v.is_phone(value)


@pytest.mark.parametrize(
    "value",
    ["12345678", "2024-01-31", "192.168.0.10", "3.14159265", "2024-01-31 10:00:00", "1.234.567", "-1234567"],
)
def test_no_phones(value: str) -> None:
    assert not v.is_phone(value)


def test_ip_addresses() -> None:
    assert v.is_ip("10.1.2.3")
    assert v.is_ip("2001:db8::1")
    assert not v.is_ip("1.2.3")
    assert not v.is_ip("12:30:61x")


def test_cards_need_a_network_and_luhn() -> None:
    assert v.is_card("4111 1111 1111 1111")
    assert v.is_card("2223003122003222")
    assert not v.is_card("4111111111111112")
    assert not v.is_card("9999999999999995")


def test_identity_numbers_show_in_the_column_and_not_in_chance() -> None:
    from stdnum.nl import bsn

    draw = random.Random(7)
    numbers = [f"{draw.randrange(10**8, 10**9)}" for _ in range(4000)]
    valid = [number for number in numbers if bsn.is_valid(number)][:40]
    assert kinds(valid, numeric=True)["national_id"] >= 0.9
    assert "national_id" not in kinds(numbers[:200], numeric=True)
    cards = [f"{draw.randrange(10**15, 10**16)}" for _ in range(200)]
    assert "card_number" not in kinds(cards)


@pytest.mark.parametrize(
    "names",
    [
        ["Maria Lopez", "John Smith", "Anna Schmidt", "Peter Martin", "Laura Garcia", "Paul Müller"],
        ["LOPEZ, Maria", "SMITH, John", "SCHMIDT, Anna", "MARTIN, Peter"],
        ["Иван Петров", "Мария Иванова", "Анна Смирнова", "Дмитрий Кузнецов", "Ольга Попова"],
        ["Maria", "John", "Anna", "Peter", "Laura", "Paul"],
    ],
)
def test_people_by_their_names(names: list[str]) -> None:
    assert set(kinds(names)) & {"person_name", "first_name", "last_name"}


@pytest.mark.parametrize(
    "values",
    [
        ["red", "green", "blue", "yellow", "black"],
        ["SKU-1", "SKU-2", "SKU-3", "SKU-4"],
        ["Steel hammer", "Wooden chair", "Garden hose", "Paint bucket", "Office desk"],
        ["active", "closed", "pending", "open"],
        [f"{i:032x}" for i in range(20)],
        [f"2024-01-{i:02d}" for i in range(1, 20)],
    ],
)
def test_harmless_values(values: list[str]) -> None:
    assert not {kind for kind, weight in kinds(values).items() if weight >= 0.2}


def test_one_address_inside_text_is_enough() -> None:
    notes = [f"the order number {i} was sent again on Monday morning" for i in range(100)]
    notes[63] += ", answer to maria.lopez@example.com"
    verdict = judge_values(Sample(tuple(notes), 100, 100))
    found = [item for item in verdict.evidence if item.kind == "free_text"]
    assert found
    assert found[0].weight >= 0.6
    assert "maria" not in found[0].reason


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (("a@b.co",), "its only distinct value is written like an e-mail address"),
        (("a@b.co", "none"), "1 of 2 distinct values is written like an e-mail address"),
        (("a@b.co", "c@d.eu"), "2 of 2 distinct values are written like e-mail addresses"),
        (("call a@b.co", "none"), "1 of 2 distinct values contains an e-mail address within other text"),
    ],
)
def test_reasons_count_as_people_speak(values: tuple[str, ...], said: str) -> None:
    assert said in [item.reason for item in judge_values(Sample(values, 9, 9)).evidence]


def test_presidio_finds_identifiers_in_text_without_a_model() -> None:
    found = judge_text(("paid with 4012888888881881 yesterday", "nothing here"))
    assert [item.kind for item in found] == ["free_text"]
    assert "payment card number" in found[0].reason
    assert judge_text(("nothing here", "nor here")) == []


def test_documents_open_into_paths() -> None:
    sample = Sample(('{"a": {"b c": 1, "d": ["x", {"e": null}]}}', '["y"]', "no json"), 3, 3)
    opened = open_documents(sample, "payload")
    assert set(opened.leaves) == {'$.a."b c"', "$.a.d[*]", "$.a.d[*].e", "$[*]"}
    assert opened.data_keys == {}
    assert not opened.whole
    assert step("$", 'q"') == '$."q\\""'


def test_keys_that_are_data_stay_out_of_paths() -> None:
    people = ["maria", "Łukasz", "maria.lopez@example.com", "+49 171 5551234", "2024-01-31", "Maria Lopez"]
    texts = tuple(f'{{"by": {{"{who}": {{"phone": "{i}"}}}}, "at_x": 1}}' for i, who in enumerate(people))
    opened = open_documents(Sample(texts, len(texts), len(texts)), "payload")
    assert set(opened.leaves) == {"$.by.*.phone", "$.at_x"}
    assert set(opened.data_keys["$.by"]) == set(people)


@pytest.mark.parametrize("depth", [900, 980, 990, 3000, 50_000])
def test_a_document_that_is_too_deep_is_left_out_and_said_so(depth: int) -> None:
    deep = '{"in":' * depth + "1" + "}" * depth
    opened = open_documents(Sample((deep, '{"name": "Ada"}'), 2, 2), "payload")
    assert list(opened.leaves["$.name"].values) == ["Ada"]
    assert opened.whole == (len(opened.leaves) == 2)
    assert not (opened.whole and depth > sys.getrecursionlimit())
