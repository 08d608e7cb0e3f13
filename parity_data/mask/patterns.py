"""What can be told by its form inside running text: addresses, numbers with check digits, telephone numbers.

Patterns run in bulk (Rust's ``regex``); what they propose is judged by validators, each different one once.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache

import stdnum.iban
import stdnum.luhn
from stdnum import numdb

from parity_data.mask import kinds as numbers_with_checks
from parity_data.mask.pieces import OPEN, Judge

#: Kinds of spans, and the maskers that replace them.
KINDS = ("url", "email", "iban", "mac", "ip", "national_id", "card", "phone")
_OF = {name: number for number, name in enumerate(KINDS)}

_NAME = r"[\p{L}\p{M}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?"
_LOCAL = r"(?:\"[^\"\r\n]{1,64}\"|[\p{L}\p{M}\p{N}_][\p{L}\p{M}\p{N}._%+'’-]*)"
_EMAIL = rf"{_LOCAL}@(?:{_NAME}\.)+(?:\p{{L}}{{2,}}|xn--[a-zA-Z0-9-]+)"
_URL = r"(?i)\b(?:https?|ftps?|wss?|s3|ssh|sftp|rtsp|postgres(?:ql)?)://[^\s<>\"'`]*[^\s<>\"'`.,;:!?)\]}…]"
_IBAN = r"\b[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?\b"
_MAC = r"(?i)\b[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}\b"
_IP = (
    r"(?i)\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b|\b(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}\b"
    r"|(?:\b[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*)?::(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*\b)"
)
#: Identity numbers with letters in them, each with the kind that must accept it.
_LETTERED = {
    "it_codicefiscale": r"[A-Z]{6}[0-9]{2}[A-Z][0-9]{2}[A-Z][0-9]{3}[A-Z]",
    "es_dni": r"[0-9]{8}-?[A-Z]",
    "es_nie": r"[XYZ]-?[0-9]{7}-?[A-Z]",
    "gb_nino": r"[A-Z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]",
    "in_pan": r"[A-Z]{5}[0-9]{4}[A-Z]",
    "fi_hetu": r"[0-9]{6}[-+A][0-9]{3}[0-9A-Y]",
}
_LETTERED_ANY = r"(?i)\b(?:" + "|".join(_LETTERED.values()) + r")\b"
_CARD = r"\b[2-6]\d{3}(?:[ -]?\d{4}){2}[ -]?\d{1,7}\b|\b3[47]\d{2}[ -]?\d{6}[ -]?\d{5}\b"
#: Digits without a mark between them, which may stand beside other numbers.
_SOLID = r"\b\d{8,19}\b"
_NUMBER = r"(?:\+ ?|\(\+?\d{1,5}\)[ -]?)?\d(?:[ \u{a0}().·/-]{0,2}\d){5,22}"

#: Identity numbers of digits alone that chance rarely makes, and those that must be written with their marks.
_STRONG = (
    "pl_pesel",
    "br_cpf",
    "tr_tckimlik",
    "fr_nir",
    "de_idnr",
    "za_idnr",
    "cn_ric",
    "be_nn",
    "ch_ssn",
    "hr_oib",
)
_MARKED = {
    "us_ssn": r"\d{3}-\d{2}-\d{4}",
    "us_itin": r"9\d{2}-\d{2}-\d{4}",
    "gb_nhs": r"\d{3}[ -]\d{3}[ -]\d{4}",
    "in_aadhaar": r"\d{4} \d{4} \d{4}",
    "nl_bsn": r"\d{4}\.\d{2}\.\d{3}",
    "se_personnummer": r"\d{6}(?:\d\d)?[-+]\d{4}",
    "br_cpf": r"\d{3}\.\d{3}\.\d{3}-\d{2}",
    "be_nn": r"\d{2}\.\d{2}\.\d{2}-\d{3}[. ]\d{2}",
    "ch_ssn": r"756\.\d{4}\.\d{4}\.\d{2}",
    "fr_nir": r"[12] \d{2} \d{2} \d{2} \d{3} \d{3} \d{2}",
    "de_idnr": r"\d{2} \d{3} \d{3} \d{3}",
    "br_cnpj": r"\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}",
}
_CARD_FIRST = "23456"
_DATE = re.compile(
    r"(?:19|20)\d\d([-/. ])\d\d?\1\d\d?(?:\D.*)?|\d\d?([-/. ])\d\d?\2(?:19|20)?\d\d(?:\D.*)?"
    r"|(?:19|20)\d\d *[-/] *(?:19|20)\d\d|(?:19|20)\d\d(?:0\d|1[0-2])(?:[0-2]\d|3[01])"
)
_THOUSANDS = re.compile(r"\d{1,3}(?:[ .\u00a0]\d{3})+(?:[.,]\d{1,2})?|\d+\.\d+")
#: Words before a number that make it a telephone number.
_CALL = re.compile(
    r"(?:\b(?:tele?(?:fon|phone|foon|fono|fone)?|t[eé]l|phone|mobile?|mobil|cell|handy|fax|call|ring|text|sms|reach"
    r"|whatsapp|signal|ruf|rückruf|anruf|unter|llama\w*|llame|tfno|móvil|celular|appel\w*|portable|joindre|chiam\w*"
    r"|cellulare|bel|bellen|zadzwo\w*|numer|tel)\b|тел|звон|моб|номер|電話|连络|連絡|电话|手机|携帯|전화)"
    r"[^\d\n]{0,16}$",
    re.IGNORECASE,
)
_LEAST_PHONE, _MOST_PHONE = 7, 15


@dataclass(frozen=True)
class Pattern:
    """One pass over open pieces. trigger: a cheap pattern of pieces that may hold a match."""

    pattern: str
    trigger: str
    judge: Judge


def patterns() -> tuple[Pattern, ...]:
    """All passes, in the order in which they go over a text."""
    return (
        Pattern(_URL, "://", _all("url")),
        Pattern(_EMAIL, "@", _all("email")),
        Pattern(_IBAN, r"[A-Z]{2}[0-9]{2}", _prefix("iban", _iban_length)),
        Pattern(_MAC, r"(?i)[0-9a-f]{2}[:-][0-9a-f]{2}[:-][0-9a-f]{2}", _all("mac")),
        Pattern(_IP, r"[0-9]\.[0-9]|::|(?i:[0-9a-f]:[0-9a-f]{1,4}:)", _each(_ip)),
        Pattern(
            _LETTERED_ANY, r"[0-9]{2}[ -]?(?:[0-9]{2}[ -]?)?[A-Za-z]|[0-9]{6}[-+Aa][0-9]", _each(_lettered)
        ),
        Pattern(_CARD, r"\d{4}[ -]?\d{4}|\d{4}[ -]?\d{6}", _each(number)),
        Pattern(_SOLID, r"\d{8}", _each(number)),
        Pattern(_NUMBER, r"\d\D{0,2}\d\D{0,2}\d", _each(number)),
    )


def _all(kind: str) -> Judge:
    return lambda spans, before: ([_OF[kind]] * len(spans), [len(s) for s in spans])


def _each(judge: Callable[[str, str], str | None]) -> Judge:
    def judged(spans: list[str], before: list[str]) -> tuple[list[int], list[int]]:
        found = [judge(span, text) for span, text in zip(spans, before, strict=True)]
        return [OPEN if kind is None else _OF[kind] for kind in found], [len(span) for span in spans]

    return judged


def _prefix(kind: str, length: Callable[[str], int]) -> Judge:
    """Candidates of which the first so many characters are a span, or none."""

    def judged(spans: list[str], before: list[str]) -> tuple[list[int], list[int]]:
        lengths = [length(span) for span in spans]
        return [_OF[kind] if n else OPEN for n in lengths], lengths

    return judged


@cache
def _iban_lengths() -> dict[str, int]:
    """Characters of an IBAN by country (the registry that python-stdnum ships)."""
    registry = numdb.get("iban")
    found = {}
    for first in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        for second in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
            info = registry.info(first + second)[0][1]
            if "bban" in info:
                parts = re.findall(r"(\d+)!", info["bban"])
                found[first + second] = 4 + sum(map(int, parts))
    return found


def _iban_length(text: str) -> int:
    """How many characters from the first on are a valid IBAN, 0 for none."""
    wanted = _iban_lengths().get(text[:2], 0)
    seen = 0
    for place, char in enumerate(text, start=1):
        seen += char.isalnum()
        if seen == wanted and wanted:
            return place if stdnum.iban.is_valid(text[:place], check_country=False) else 0
    return 0


def _ip(text: str, before: str) -> str | None:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return None
    return None if re.search(r"(?i)\b(?:v|version|release|build)\.? ?$", before) else "ip"


def _lettered(text: str, before: str) -> str | None:
    known = {kind.name: kind for kind in numbers_with_checks.NATIONAL}
    for name, pattern in _LETTERED.items():
        if re.fullmatch(pattern, text, re.IGNORECASE) and known[name].fits(text):
            return "national_id"
    return None


@lru_cache(maxsize=100_000)
def number(text: str, before: str) -> str | None:
    """What a run of digits with marks between them is: card, national_id, phone, or nothing of the kind."""
    plain = "".join(str(unicodedata.digit(c, c)) for c in text)
    digits = re.sub(r"\D", "", plain)
    if _DATE.fullmatch(plain):
        return None
    if re.search(r"[\w€$£¥#]$", before) and not plain.startswith("+"):
        return None
    if (
        12 <= len(digits) <= 19
        and digits[0] in _CARD_FIRST
        and stdnum.luhn.is_valid(digits)
        and "+" not in plain
    ):
        return "card"
    if plain.startswith("+"):
        return "phone" if _LEAST_PHONE <= len(digits) <= _MOST_PHONE else None
    called = bool(_CALL.search(before))
    if not called and _identity(plain, digits):
        return "national_id"
    return "phone" if _is_phone(plain, digits, called) else None


def _identity(plain: str, digits: str) -> bool:
    known = {kind.name: kind for kind in numbers_with_checks.NATIONAL}
    for name, pattern in _MARKED.items():
        if re.fullmatch(pattern, plain) and known[name].fits(plain):
            return True
    return plain == digits and len(set(digits)) > 2 and any(known[name].fits(plain) for name in _STRONG)


def _is_phone(plain: str, digits: str, called: bool) -> bool:
    if not _LEAST_PHONE <= len(digits) <= _MOST_PHONE:
        return False
    if called or plain.startswith(("00", "(")):
        return True
    if _THOUSANDS.fullmatch(plain):
        return False
    groups = re.split(r"\D+", plain.strip("() "))
    if digits.startswith("0") and len(digits) >= 9:
        return True
    return len(groups) >= 3 and 8 <= len(digits) <= 12 and all(2 <= len(g) <= 5 for g in groups)
