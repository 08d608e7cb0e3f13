"""What a validator accepts, it accepts after masking: python-stdnum, phonenumbers, Luhn, mod 97."""

from __future__ import annotations

import importlib
import itertools
import random
import string
from collections.abc import Iterator
from datetime import date, timedelta

import phonenumbers
import polars as pl
import pytest
import stdnum.iban
import stdnum.luhn
from faker import Faker

from parity_data.mask import MaskSpec, compile_mask, kinds
from parity_data.mask.numbers_with_checks import Kind, compacted
from parity_data.mask.testing import KEYS

KEY = KEYS[0]
ALL_KINDS = (*kinds.NATIONAL, kinds.IMEI, kinds.VIN, kinds.BIC, kinds.ROUTING)
COUNT = 40


def valid_numbers(kind: Kind, count: int) -> list[str]:
    """Made-up numbers of a kind that its validator accepts: characters at random, check characters tried."""
    rng = random.Random(kind.name)
    sample = compacted(kind.sample)
    template = next(t for t in kind.templates if len(t) == len(sample))
    found: dict[str, None] = {}
    for body in itertools.islice(_bodies(sample, template, rng), 400_000):
        written = body[:6] + "-" + body[6:] if kind.name == "fi_hetu" else body  # its hyphen says the century
        if kind.is_valid(written):
            found[written] = None
            if len(found) == count:
                break
    return list(found)


def _bodies(sample: str, template: str, rng: random.Random) -> Iterator[str]:
    while True:
        born = date(1935, 1, 1) + timedelta(days=rng.randrange(23_000))
        year = f"{born.year:04d}" if "YYYY" in template else f"{born.year % 100:02d}"
        month = f"{born.month:02d}" if "MM" in template else "ABCDEHLMPRST"[born.month - 1]
        dates = {"Y": iter(year), "M": iter(month), "D": iter(f"{born.day:02d}")}
        chars = [
            next(dates[role])
            if role in dates
            else char
            if role == "." and rng.random() < 0.5
            else rng.choice(string.digits if char.isdigit() else string.ascii_uppercase)
            for char, role in zip(sample, template, strict=True)
        ]
        checks = [i for i, role in enumerate(template) if role == "c"]
        choices = itertools.product(string.digits + string.ascii_uppercase, repeat=len(checks))
        if len(checks) > 1:
            choices = itertools.product(string.digits, repeat=len(checks))
        for choice in choices:
            for place, char in zip(checks, choice, strict=True):
                chars[place] = char
            yield "".join(chars)


def masked(masker: str, values: list[str], **params: object) -> list[str]:
    out = compile_mask(MaskSpec(masker, params), KEY)(pl.Series(values)).to_list()
    assert len(set(out)) == len(set(values))
    assert not [v for v, o in zip(values, out, strict=True) if v == o]
    return out


@pytest.mark.parametrize("kind", kinds.NATIONAL, ids=lambda kind: kind.name)
def test_national_numbers_stay_valid_and_of_their_kind(kind: Kind) -> None:
    values = valid_numbers(kind, COUNT)
    assert len(values) == COUNT
    module = importlib.import_module(f"stdnum.{kind.module}") if kind.module else kind
    for new in masked("national_id", values, kind=kind.name):
        assert module.is_valid(new)
    for new in masked("national_id", [*values, kind.sample]):
        assert any(known.fits(new) for known in kinds.NATIONAL)


@pytest.mark.parametrize(
    ("masker", "kind"),
    [("imei", kinds.IMEI), ("vin", kinds.VIN), ("bic", kinds.BIC), ("routing_number", kinds.ROUTING)],
)
def test_other_numbers_stay_valid(masker: str, kind: Kind) -> None:
    values = valid_numbers(kind, COUNT)
    assert len(values) == COUNT
    assert all(kind.is_valid(new) for new in masked(masker, values))


@pytest.mark.parametrize("module", ["ro.cnp", "cz.rc", "ie.pps", "mx.curp", "jp.cn"])
def test_any_number_of_python_stdnum_can_be_named(module: str) -> None:
    samples = {
        "ro.cnp": "1630615123457",
        "cz.rc": "7103192745",
        "ie.pps": "6433435F",
        "mx.curp": "BOXW310820HNERXN09",
        "jp.cn": "5835678256246",
    }
    check = importlib.import_module(f"stdnum.{module}").is_valid
    assert check(samples[module])
    (new,) = masked("national_id", [samples[module]], kind=module)
    assert check(new)


def phone_numbers(count: int) -> list[phonenumbers.PhoneNumber]:
    rng = random.Random(7)
    found = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE):
            example = phonenumbers.example_number_for_type(region, kind)
            if example is None:
                continue
            digits = str(example.national_number)
            for _ in range(count):
                tail = "".join(rng.choice(string.digits) for _ in range(min(4, len(digits) - 2)))
                other = phonenumbers.PhoneNumber(
                    example.country_code,
                    int(digits[: -len(tail)] + tail),
                    italian_leading_zero=example.italian_leading_zero,
                    number_of_leading_zeros=example.number_of_leading_zeros,
                )
                if phonenumbers.is_valid_number(other):
                    found.append(other)
    return found


def test_international_numbers_of_every_country_stay_valid() -> None:
    numbers = phone_numbers(1)
    assert len(numbers) > 200
    for form in (phonenumbers.PhoneNumberFormat.E164, phonenumbers.PhoneNumberFormat.INTERNATIONAL):
        values = list(dict.fromkeys(phonenumbers.format_number(n, form) for n in numbers))
        for before, new in zip(values, masked("phone", values), strict=True):
            old_number, number = phonenumbers.parse(before), phonenumbers.parse(new)
            assert phonenumbers.is_valid_number(number), (before, new)
            assert number.country_code == old_number.country_code
            assert len(new) == len(before)


@pytest.mark.parametrize("region", ["US", "DE", "GB", "FR", "ES", "PL", "BR", "IN", "JP", "RU", "CN", "ZA"])
def test_national_numbers_stay_valid_in_their_country(region: str) -> None:
    code = phonenumbers.country_code_for_region(region)
    form = phonenumbers.PhoneNumberFormat.NATIONAL
    numbers = [n for n in phone_numbers(20) if phonenumbers.region_code_for_number(n) == region]
    values = list(dict.fromkeys(phonenumbers.format_number(n, form) for n in numbers))
    assert len(values) >= 10
    for before, new in zip(values, masked("phone", values, region=region), strict=True):
        number = phonenumbers.parse(new, region)
        assert phonenumbers.is_valid_number(number), (before, new)
        assert number.country_code == code


#: Brand: first digits, lengths.
BRANDS = {"visa": ("4", (13, 16)), "mastercard": ("5", (16,)), "amex": ("37", (15,)),
          "discover": ("6011", (16,)),
          "diners": ("36", (14,)), "jcb": ("3566", (16,))}  # fmt: skip


@pytest.mark.parametrize("brand", BRANDS)
def test_cards_become_test_cards_of_their_brand(brand: str) -> None:
    rng = random.Random(brand)
    start, lengths = BRANDS[brand]
    values = []
    for length in lengths:
        for _ in range(200):
            body = start + "".join(rng.choice(string.digits) for _ in range(length - 1 - len(start)))
            values.append(body + stdnum.luhn.calc_check_digit(body))
    ranges = {"378282", "400000", "555555", "222300", "601111", "356600", "362272", "385200", "305693"}
    for before, new in zip(values, masked("card", list(dict.fromkeys(values))), strict=True):
        assert stdnum.luhn.is_valid(new)
        assert new[:6] in ranges
        assert new[:1] == before[:1]
        assert len(new) == len(before)
    for before, new in zip(values, masked("card", values, range="issuer"), strict=True):
        assert stdnum.luhn.is_valid(new)
        assert new[:6] == before[:6]


IBAN_LOCALES = ("de_DE", "es_ES", "fr_FR", "it_IT", "nl_NL", "pl_PL", "en_GB", "de_AT", "de_CH", "fi_FI")


def test_ibans_stay_valid_in_their_country() -> None:
    values = ["BE71 0961 2345 6769", "BE68539007547034", "ES9121000418450200051332", "NO9386011117947",
              "ME25505000012345678951", "ES7921000813610123456789"]  # fmt: skip
    for locale in IBAN_LOCALES:
        fake = Faker(locale)
        fake.seed_instance(3)
        values += [fake.iban() for _ in range(30)]
    values = [v for v in dict.fromkeys(values) if stdnum.iban.is_valid(v, check_country=False)]
    assert len(values) > 200
    for before, new in zip(values, masked("iban", values), strict=True):
        assert stdnum.iban.is_valid(new, check_country=False), (before, new)
        assert stdnum.iban.is_valid(new) == stdnum.iban.is_valid(before), (before, new)
        assert new[:2] == before[:2]
        assert [c == " " for c in new] == [c == " " for c in before]
