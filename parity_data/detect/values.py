"""Evidence from values: how many of a sample pass which validator, in counts and shapes, never in values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from parity_data.detect import validators as v
from parity_data.detect.model import Evidence
from parity_data.detect.people import share_of_names
from parity_data.detect.weights import weight

#: Below so many distinct values a share says little.
FEW = 4
#: Log-likelihood ratio from which a check digit is no accident (odds of e^8, about 3000 to 1).
ENOUGH_EVIDENCE = 8.0
#: Numbers whose check digits are tried: more make no odds any clearer.
ENOUGH_NUMBERS = 120
#: Share of people's names from which a column speaks of people: towns and products carry them too.
LEAST_NAMES = 0.3
#: Characters, or words, from which a value counts as prose.
LONG = 60
MANY_WORDS = 6

#: What many values do, and what one does.
_OF_NAMES = "consist of people's names", "consists of people's names"
_MACHINE_MADE = "are numbers, dates, codes or hashes", "is a number, a date, a code or a hash"


@dataclass(frozen=True)
class Sample:
    """Distinct texts of a column, stripped and not empty. rows: values read, nulls and empty ones included.

    filled: values that were not null. skipped: values too large to look into.
    """

    values: tuple[str, ...]
    rows: int
    filled: int
    skipped: int = 0


@dataclass(frozen=True)
class ValueVerdict:
    """evidence: for and against. prose: mostly running text. wordy: words nobody has classified.

    foreign: letters outside Latin, Greek and Cyrillic, which no list here covers well.
    """

    evidence: tuple[Evidence, ...]
    prose: bool = False
    wordy: bool = False
    foreign: bool = False


def judge_values(sample: Sample, *, numeric: bool = False) -> ValueVerdict:
    """Evidence from a column's sampled values. numeric: the SQL type holds numbers only."""
    values = list(sample.values)
    if not values:
        return ValueVerdict(())
    if numeric:
        digits = [value for value in values if v.DIGITS.fullmatch(value)]
        return ValueVerdict(tuple(_digits(digits, len(values))))
    machines = [_machine(value) for value in values]
    evidence = [
        *_full(values),
        *_digits([value for value in values if v.DIGITS.fullmatch(value)], len(values)),
    ]
    n = len(values)
    prose = sum(len(x) > LONG or x.count(" ") >= MANY_WORDS - 1 for x in values) / n >= 0.3
    foreign = sum(_foreign(value) for value in values) / n >= 0.3
    evidence += _within(values, machines, prose)
    names, kind = share_of_names(values)
    at_least = _lower_bound(names, n)
    if not prose and at_least >= LEAST_NAMES and round(names * n) >= 2:
        counts = min(weight("values.names"), (at_least - 0.2) * weight("values.names_slope"))
        evidence.append(Evidence("values", _so_many(names, n, *_OF_NAMES), round(counts, 3), kind))
    shaped = sum(machines) / n
    against = weight("against.machine") - 1
    if shaped >= 0.9:
        evidence.append(Evidence("values", _so_many(shaped, n, *_MACHINE_MADE), against, "text"))
    elif not prose and not foreign and names < 0.15 and n >= 10:
        said = _so_many(names, n, *_OF_NAMES)
        evidence.append(Evidence("values", said, weight("against.no_names") - 1, "person"))
    wordy = shaped < 0.7 and not evidence_for(evidence)
    return ValueVerdict(tuple(evidence), prose, wordy, foreign)


def evidence_for(evidence: list[Evidence]) -> bool:
    return any(item.weight > 0 for item in evidence)


def _full(values: list[str]) -> list[Evidence]:
    """Validators that the whole value must pass."""
    checks: tuple[tuple[str, str, str, Callable[[str], bool]], ...] = (
        ("email", "are written like e-mail addresses", "is written like an e-mail address", v.is_email),
        ("bank_account", "are valid IBANs", "is a valid IBAN", v.is_iban),
        ("ip_address", "are IP addresses", "is an IP address", v.is_ip),
        ("device_id", "are hardware (MAC) addresses", "is a hardware (MAC) address", _written(v.MAC)),
        ("password", "are password hashes", "is a password hash", _written(v.PASSWORD_HASH)),
        ("secret", "are written like access tokens", "is written like an access token", _written(v.TOKEN)),
        ("phone", "are written like telephone numbers", "is written like a telephone number", v.is_phone),
        (
            "street_address",
            "are written like postal addresses",
            "is written like a postal address",
            v.is_address,
        ),
        (
            "national_id",
            "are valid identity numbers",
            "is a valid identity number",
            lambda x: v.national_id(x) is not None,
        ),
    )
    n = len(values)
    found = []
    for kind, many, one, check in checks:
        hits = sum(map(check, values))
        if not hits:
            continue
        share = hits / n
        steep = 6 if kind in ("email", "bank_account", "password", "secret", "national_id") else 3
        counts = weight(f"values.{kind}") * (1 - math.exp(-steep * share))
        if share < 0.05 and steep == 3:
            counts = 0.0
        if kind in ("street_address", "phone") and share < 0.3:
            counts = min(counts, 0.15)
        if counts >= 0.05:
            found.append(Evidence("values", _so_many(share, n, many, one), round(counts, 3), kind))
    return found


def _written(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda value: pattern.fullmatch(value) is not None


def _digits(values: list[str], of: int) -> list[Evidence]:
    """Check digits against chance: k of n pass where a share q of random digits would.

    Log-likelihood ratio k ln(.97/q) + (n-k) ln(.03/(1-q)), after Wald's sequential test.
    """
    if len(values) < FEW or len(values) < of / 2:
        return []
    values = values[:ENOUGH_NUMBERS]
    n = len(values)
    found = []
    lengths = [len(value) for value in values]
    cards = sum(v.is_card(value) for value in values)
    if cards and _ratio(cards, n, 0.03) > ENOUGH_EVIDENCE:
        found.append(
            Evidence(
                "values",
                f"{cards} of {n} distinct values are valid card numbers",
                weight("values.card_number"),
                "card_number",
            )
        )
    for label, country, module, length, chance in v.ENRICHED:
        if max(lengths) > length or sum(lengths) / n < length - 1.5:
            continue
        passed = sum(v.passes_check_digit(country, module, length, value) for value in values)
        if passed and _ratio(passed, n, chance) > ENOUGH_EVIDENCE:
            reason = f"{passed} of {n} distinct values have the check digit of the {label}, far above chance"
            found.append(Evidence("values", reason, weight("values.check_digit"), "national_id"))
    return found


def _ratio(passed: int, n: int, chance: float) -> float:
    return passed * math.log(0.97 / chance) + (n - passed) * math.log(0.03 / (1 - chance))


def _within(values: list[str], machines: list[bool], prose: bool) -> list[Evidence]:
    """E-mail addresses and telephone numbers inside longer text: one is enough."""
    found = []
    n = len(values)
    mails = sum("@" in x and v.EMAIL_WITHIN.search(x) is not None and not v.is_email(x) for x in values)
    phones = sum(
        ("+" in x or "00" in x) and v.PHONE_WITHIN.search(x) is not None and not v.is_phone(x)
        for x, machine in zip(values, machines, strict=True)
        if not machine
    )
    for hits, what in ((mails, "an e-mail address"), (phones, "a telephone number")):
        if hits:
            found.append(
                Evidence(
                    "values",
                    _so_many(hits / n, n, f"contain {what}", f"contains {what}") + " within other text",
                    weight("values.contains"),
                    "free_text",
                )
            )
    if prose:
        named = sum(_names_inside(value) for value in values)
        if named >= 2:
            entry = "titled_names" if named / n >= 0.05 else "titled_names_few"
            reason = f"running text, and {named} of {n} distinct values speak of a person by title and name"
            found.append(Evidence("values", reason, weight(f"values.{entry}"), "free_text"))
    return found


_TITLED = re.compile(
    r"\b(?:Mr|Mrs|Ms|Dr|Prof|Herr|Frau|Mme|M|Mlle|Sr|Sra|Señor|Señora|Sig|Dott|Dhr|Mevr|Pan|Pani)\.?\s+[A-ZÀ-Ý][a-zà-ÿ]+"
)


def _names_inside(text: str) -> bool:
    return _TITLED.search(text) is not None


def _lower_bound(share: float, n: int) -> float:
    """Least true share that explains an observed one at 90 % confidence (Wilson 1927, one-sided)."""
    z = 1.2816
    centre = share + z * z / (2 * n)
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (centre - spread) / (1 + z * z / n)


def _machine(value: str) -> bool:
    return bool(
        v.NUMBER.fullmatch(value)
        or v.is_date(value)
        or v.UUID.fullmatch(value)
        or v.HASH.fullmatch(value)
        or (v.CODE.fullmatch(value) and (any(ch.isdigit() for ch in value) or len(value) <= 3))
        or v.HOST.fullmatch(value)
        or v.is_jumble(value)
    )


def _foreign(value: str) -> bool:
    if value.isascii():
        return False
    letters = [ch for ch in value if ch.isalpha()]
    return bool(letters) and sum(ord(ch) > 0x052F for ch in letters) * 2 > len(letters)


def _so_many(share: float, n: int, many: str, one: str) -> str:
    """How many of n distinct values do something, and what. one: the same said of a single value."""
    count = round(share * n)
    if n == 1 and count:
        return f"its only distinct value {one}"
    return f"{count} of {n} distinct values {one if count == 1 else many}"
