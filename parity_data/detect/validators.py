"""Full-value validators: what a single value looks like, and how often chance alone looks the same.

Formats: RFC 5321/5322 (e-mail), ISO 13616 (IBAN), ISO/IEC 7812 (cards, Luhn), RFC 4291 (IPv6), RFC 9562
(UUID); national identity numbers by python-stdnum; telephone numbers by phonenumbers.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import phonenumbers
from stdnum import iban, luhn

_DIGIT = re.compile(r"\d")
EMAIL = re.compile(r"[^\s@<>,;:\"()\[\]]{1,64}@(?:[^\s@.<>,;:\"()\[\]/]{1,63}\.)*[^\s@.<>,;:\"()\[\]/]{2,63}")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9 -]{11,38}", re.IGNORECASE)
EMAIL_WITHIN = re.compile(r"[\w.+%-]{1,64}@(?:[\w-]{1,63}\.)+\w{2,24}")
PHONE_WITHIN = re.compile(r"(?<![\w.])(?:\+|00)\d{1,3}[\s./-]?(?:\(?\d{1,5}\)?[\s./-]?){2,5}\d{2,4}(?!\w)")
_PHONE_SHAPE = re.compile(r"[+(]?[\d][\d\s().\-/]{5,24}(?:\s*(?:x|ext\.?)\s*\d{1,6})?", re.IGNORECASE)
_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[ T]\d{2}:\d{2}.*)?"
    r"|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}|\d{1,2}:\d{2}(?::\d{2})?"
)
NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)?%?")
DIGITS = re.compile(r"\d+")
UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)
HASH = re.compile(
    r"(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{56}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})", re.IGNORECASE
)
HASH_PART = re.compile(r"(?:0x)?(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{6,}")
PASSWORD_HASH = re.compile(
    r"\$(?:2[abxy]|argon2[id]{1,2}|scrypt|5|6|y|pbkdf2[\w-]*)\$.+|(?:pbkdf2_|scrypt:|md5)\S{20,}|\{S?SHA\d*\}\S+"
)
TOKEN = re.compile(r"(?:sk|pk|rk|ghp|gho|xox[abp]|AKIA|eyJ)[\w-]{14,}[\w.=/+-]*")
URL = re.compile(r"(?:https?|ftp)://\S+|www\.\S+", re.IGNORECASE)
MAC = re.compile(r"[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}", re.IGNORECASE)
IMEI = re.compile(r"\d{15}")
CODE = re.compile(r"[A-Z0-9]{1,12}(?:[-_/.][A-Z0-9]{1,12})*")
HOST = re.compile(r"(?=.*[a-z])[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?){2,}")
_LABELLED = re.compile(r"[A-Z]{1,6} \d{4,}")
_CLASSES = re.compile(r"[A-Z]+|[a-z]+|\d+")
_JUMBLE_PARTS = re.compile(r"[-_/.;:|=,+\"]")
_STREET_WORD = re.compile(
    r"\b(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|boulevard|blvd|way|court|ct|place|pl|square|sq|close|"
    r"terrace|parkway|pkwy|highway|hwy|crescent|apt|suite|loop|manor|strasse|straße|str|platz|weg|allee|gasse|ring|ufer|"
    r"rue|chemin|quai|impasse|place|allée|via|viale|piazza|corso|calle|c|plaza|paseo|avenida|av|avda|carrera|rua|praça|"
    r"travessa|alameda|rodovia|straat|laan|plein|gracht|kade|dreef|ulica|ul|aleja|al|os|plac|vej|gade|gatan|vägen|"
    r"box|ул|улица|проспект|пер)\b\.?"
    r"|\w(?:strasse|straße|str\.|straat|laan|weg|platz|allee|gasse|gatan|vägen|vej|gade|gracht|kade|katu)\b",
    re.IGNORECASE,
)
_HOUSE = re.compile(r"(?:^|[\s,])\d{1,5}\s?[a-zA-Z]?(?:[-/]\d{1,4})?(?:$|[\s,])")

#: Regions whose national numbers are tried when a value has separators but no country code.
PHONE_REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "PL", "BR")

#: Personal identity numbers with a check digit: label, module of python-stdnum, digits, share of random
#: digit strings of that length that pass. Measured over 200,000 draws each.
ENRICHED: tuple[tuple[str, str, str, int, float], ...] = (
    ("Dutch BSN", "nl", "bsn", 9, 0.091),
    ("Canadian SIN", "ca", "sin", 9, 0.085),
    ("British NHS number", "gb", "nhs", 10, 0.090),
    ("Indian Aadhaar", "in_", "aadhaar", 12, 0.074),
    ("Polish PESEL", "pl", "pesel", 11, 0.016),
    ("Brazilian CPF", "br", "cpf", 11, 0.010),
    ("Turkish identity number", "tr", "tckimlik", 11, 0.011),
    ("French NIR", "fr", "nir", 15, 0.008),
    ("German tax identity number", "de", "idnr", 11, 0.003),
    ("South African identity number", "za", "idnr", 13, 0.001),
    ("Belgian national number", "be", "nn", 11, 0.011),
    ("Swedish personal number", "se", "personnummer", 10, 0.03),
    ("Chinese resident number", "cn", "ric", 18, 0.003),
)

#: Identity numbers whose letters make chance hits rare.
LETTERED: tuple[tuple[str, str, str, str], ...] = (
    ("Spanish DNI", "es", "dni", r"\d{8}[- ]?[A-Z]"),
    ("Spanish NIE", "es", "nie", r"[XYZ][- ]?\d{7}[- ]?[A-Z]"),
    (
        "Italian fiscal code",
        "it",
        "codicefiscale",
        r"[A-Z]{6}[0-9A-Z]{2}[A-Z][0-9A-Z]{2}[A-Z][0-9A-Z]{3}[A-Z]",
    ),
    ("Finnish HETU", "fi", "hetu", r"\d{6}[-+A-FU-Y]\d{3}[0-9A-Z]"),
    ("Mexican CURP", "mx", "curp", r"[A-Z]{4}\d{6}[HM][A-Z]{5}[0-9A-Z]\d"),
    ("Mexican RFC", "mx", "rfc", r"[A-ZÑ&]{3,4}[- ]?\d{6}[- ]?[0-9A-Z]{3}"),
)
_LETTERED = tuple(
    (re.compile(shape, re.IGNORECASE), label, country, module) for label, country, module, shape in LETTERED
)
SSN = re.compile(r"(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}")
NINO = re.compile(r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\s?\d{2}\s?\d{2}\s?\d{2}\s?[A-D]", re.IGNORECASE)


def is_email(value: str) -> bool:
    return "@" in value and EMAIL.fullmatch(value) is not None


def is_jumble(value: str) -> bool:
    """Letters and digits in disorder, as identifiers made by machines are, in all parts of the value.

    User names keep their digits at one end, and people's names have none: four runs of a class are asked for.
    """
    if _LABELLED.fullmatch(value):
        return True
    if not value.isascii() or " " in value or not any(ch.isdigit() for ch in value):
        return False
    return all(
        part.isdigit() or len(part) <= 2 or len(_CLASSES.findall(part)) >= 4 or HASH_PART.fullmatch(part)
        for part in _JUMBLE_PARTS.split(value)
    )


def is_date(value: str) -> bool:
    return _DATE.fullmatch(value) is not None


def is_ip(value: str) -> bool:
    if not ("." in value or ":" in value) or (not value[:1].isalnum() and value[:1] != ":"):
        return False
    try:
        ipaddress.ip_address(value.split("/")[0])
    except ValueError:
        return False
    return value.count(".") == 3 or value.count(":") >= 2


def is_iban(value: str) -> bool:
    return _IBAN.fullmatch(value) is not None and _passes(iban.is_valid, value)


def is_card(value: str) -> bool:
    """Luhn, and a prefix that card networks issue."""
    digits = re.sub(r"[ -]", "", value)
    if not DIGITS.fullmatch(digits) or not 13 <= len(digits) <= 19:
        return False
    two, four = int(digits[:2]), int(digits[:4])
    issued = (
        digits[0] == "4"
        or 51 <= two <= 55
        or 2221 <= four <= 2720
        or two in (34, 37, 36, 38, 39, 62, 65)
        or four == 6011
        or 3528 <= four <= 3589
        or (two in (50, 56, 57, 58, 63, 67) and len(digits) >= 13)
    )
    return issued and bool(_passes(luhn.is_valid, digits))


def is_phone(value: str) -> bool:
    """Written like a telephone number: a plus or separators, and seven to fifteen digits that a plan knows.

    Bare digits never count here: most runs of seven or eight are a valid number somewhere.
    """
    if not _PHONE_SHAPE.fullmatch(value):
        return False
    digits = sum(ch.isdigit() for ch in value)
    if not 7 <= digits <= 15 or is_date(value) or is_ip(value):
        return False
    if value.startswith("+"):
        return _parses(value)
    if NUMBER.fullmatch(value):
        return False
    if value.startswith("00"):
        return _parses(value)
    return any(sep in value for sep in " ()-./") and (_grouped(value) or _parses_nationally(value))


def _grouped(value: str) -> bool:
    return re.fullmatch(
        r"\(?0?\d{2,5}\)?[\s./-]+\d{2,4}(?:[\s./-]+\d{2,4}){1,4}(?:\s*(?:x|ext\.?)\s*\d+)?", value
    ) is not None or bool(re.fullmatch(r"\(\d{1,5}\)\s*[\d\s.-]{5,12}", value))


def _parses(value: str) -> bool:
    text = "+" + value[2:] if value.startswith("00") else value
    try:
        return bool(phonenumbers.is_possible_number(phonenumbers.parse(text, None)))
    except phonenumbers.NumberParseException:
        return False


def _parses_nationally(value: str) -> bool:
    for region in PHONE_REGIONS:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(value, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False


def is_address(value: str) -> bool:
    """A word for a street and a house number, or a number followed by words in capitals."""
    if len(value) > 120 or not _DIGIT.search(value) or not any(ch.isalpha() for ch in value):
        return False
    if _STREET_WORD.search(value) and (_HOUSE.search(value) or re.match(r"\d", value)):
        return True
    return re.fullmatch(r"\d{1,5} (?:[A-Z][\w'.()-]+ ){1,4}[A-Z][\w'.]+", value) is not None


def national_id(value: str) -> str | None:
    """The label of a lettered or dashed identity number, None when it is none."""
    if SSN.fullmatch(value):
        return "US social security number"
    if NINO.fullmatch(value):
        return "British national insurance number"
    if not 8 <= len(value) <= 20 or not _DIGIT.search(value):
        return None
    for shape, label, country, module in _LETTERED:
        if shape.fullmatch(value) and _passes(_module(country, module), value):
            return label
    return None


def passes_check_digit(country: str, module: str, length: int, value: str) -> bool:
    """Whether digits, with leading zeros restored, satisfy an identity number's check digit."""
    return bool(_passes(_module(country, module), value.zfill(length)))


@cache
def _module(country: str, name: str) -> Callable[[str], bool]:
    module: Any = import_module(f"stdnum.{country}.{name}")
    check: Callable[[str], bool] = module.is_valid
    return check


def _passes(check: Callable[[str], Any], value: str) -> bool:
    # Validators of foreign formats meet any text here, and some raise on what they did not foresee.
    try:
        return bool(check(value))
    except Exception:
        return False
