"""The hard set: tables made from ``hard/tables.yaml`` and ``pools.yaml``, with the truth beside each column.

Names, streets and sentences were written by hand for it; nothing comes from the lists that detection uses.
Half B is set aside: it is evaluated at the end only, not while weights and words are worked on.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import random
import re
import string
import unicodedata
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from ruamel.yaml import YAML
from stdnum import ean, imei, luhn
from stdnum.br import cpf
from stdnum.es import dni
from stdnum.iso7064 import mod_97_10
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.pl import pesel

ROWS = 90
FOLDER = Path(__file__).with_name("hard")

_BEFORE = """
create extension if not exists hstore;
create type hard_address as (line text, town text, zip text);
create type hard_box as (width int, height int, colour text);
"""
_PART = re.compile(r"\{(#?)([A-Za-z0-9_]+)(?:\*(\d+))?\}")
_ALPHABETS = {
    "9": string.digits,
    "A": string.ascii_uppercase,
    "a": string.ascii_lowercase,
    "h": "0123456789abcdef",
    "w": string.ascii_letters + string.digits,
}


@dataclass(frozen=True)
class Truth:
    """What is so of a column, or of a path in it. truth: personal | none | quasi | open. half: A | B."""

    table: str
    column: str
    path: str | None
    truth: str
    label: str
    half: str


def half_of(table: str) -> str:
    """A or B, by the table's name alone."""
    return "B" if hashlib.sha256(table.encode()).digest()[0] & 1 else "A"


def truths() -> list[Truth]:
    """The truth of every column and every labelled path."""
    found = []
    for table, columns in _yaml("tables.yaml").items():
        name = table.split(".")[0]
        for column, entry in columns.items():
            if table.endswith(".paths"):
                found.append(Truth(name, table.split(".")[1], column, entry[0], entry[1], half_of(name)))
            else:
                found.append(Truth(name, column, None, entry[1], entry[2], half_of(name)))
    return found


def build(connection: psycopg.Connection[Any]) -> None:
    """Create and fill all tables. connection: in autocommit mode, of an empty database."""
    connection.execute(_BEFORE)
    pools = _yaml("pools.yaml")
    for table, columns in _yaml("tables.yaml").items():
        if table.endswith(".paths"):
            continue
        defined = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(entry[0]))
            for name, entry in columns.items()
        )
        target = sql.Identifier(table)
        connection.execute(sql.SQL("create table {} (pk serial primary key, {})").format(target, defined))
        copy = sql.SQL("copy {} ({}) from stdin").format(
            target, sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with connection.cursor() as cursor, cursor.copy(copy) as stream:
            for row in _rows(table, columns, pools):
                stream.write_row(row)
    connection.execute("analyze")


def draw(template: str, draws: random.Random) -> str:
    """One value of a template, as the tables' own are drawn."""
    return _fill(template, _yaml("pools.yaml"), draws, 0, {})


def _rows(table: str, columns: dict[str, Any], pools: dict[str, Any]) -> Iterator[list[str | None]]:
    draws = random.Random(table)
    for i in range(ROWS):
        row: list[str | None] = []
        made: dict[str, str] = {}
        for name, entry in columns.items():
            template = entry[3]
            if isinstance(template, list):
                template = draws.choice(template)
            value = _fill(str(template), pools, draws, i, made)
            made[name] = value
            sparse = entry[4] if len(entry) > 4 else 0.0
            row.append(None if draws.random() < sparse else _literal(value, entry[0]))
        yield row


def _literal(value: str, sql_type: str) -> str:
    if not sql_type.endswith("[]"):
        return value
    return "{" + value.strip()[1:-1] + "}"


def _fill(template: str, pools: dict[str, Any], draws: random.Random, i: int, made: dict[str, str]) -> str:
    changes = []
    while match := re.match(r"\$(lower|upper|ascii):", template):
        changes.append(match[1])
        template = template[match.end() :]

    def part(match: re.Match[str]) -> str:
        called, name, times = match.groups()
        if called:
            return _call(name, pools, draws, i, made)
        if name in _ALPHABETS:
            text = "".join(draws.choice(_ALPHABETS[name]) for _ in range(int(times or 1)))
            return _no_leading_zero(text) if name == "9" else text
        return str(draws.choice(pools[name]))

    text = _PART.sub(part, template)
    for change in changes:
        text = {"lower": str.lower, "upper": str.upper, "ascii": _ascii}[change](text)
    return text


def _no_leading_zero(text: str) -> str:
    return "1" + text[1:] if text.startswith("0") and len(text) > 1 else text


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.replace("ł", "l").replace("Ł", "L").replace("ß", "ss"))
    return re.sub(r"[^A-Za-z0-9@._-]", "", plain)


def _call(name: str, pools: dict[str, Any], draws: random.Random, i: int, made: dict[str, str]) -> str:
    if name == "i":
        return str(i // 4 + 1)
    if name == "mail":
        language = draws.choice(["en", "de", "fr", "it", "pl", "pt"])
        local = f"{draws.choice(pools[language + '_f'])}.{draws.choice(pools[language + '_l'])}"
        return f"{_ascii(local).lower()}@{draws.choice(pools['domain'])}"
    if name in ("kv_value", "eav_value"):
        key = made.get("meta_key") or made["attribute"]
        values: dict[str, str] = {
            "nickname": draws.choice(pools["en_f"]),
            "newsletter": draws.choice(["weekly", "never"]),
            "phone_number": f"+49 171 {draws.randrange(10**6, 10**7)}",
            "layout": draws.choice(["grid", "list"]),
            "colour": draws.choice(pools["colour"]),
            "contact_email": _call("mail", pools, draws, i, made),
            "weight": str(draws.randrange(10, 99)),
            "contact_person": f"{draws.choice(pools['pl_f'])} {draws.choice(pools['pl_l'])}",
        }
        return values[str(key)]
    return _FUNCTIONS[name](draws)


def _day(draws: random.Random, first: int, last: int) -> dt.date:
    start, end = dt.date(first, 1, 1), dt.date(last, 12, 31)
    return start + dt.timedelta(days=draws.randrange((end - start).days))


def _digits(draws: random.Random, n: int) -> str:
    return _no_leading_zero("".join(draws.choice(string.digits) for _ in range(n)))


def _iban_de(draws: random.Random) -> str:
    rest = _digits(draws, 18)
    return f"DE{mod_97_10.calc_check_digits(rest + 'DE')}{rest}"


def _until_valid(make: Callable[[], str], check: Callable[[str], bool]) -> str:
    while True:
        value = make()
        if check(value):
            return value


def _bsn(draws: random.Random) -> str:
    return _until_valid(lambda: _digits(draws, 9), bsn.is_valid)


def _pesel(draws: random.Random) -> str:
    start = _day(draws, 1945, 1999).strftime("%y%m%d") + "".join(
        draws.choice(string.digits) for _ in range(4)
    )
    return start + pesel.calc_check_digit(start)


def _nir(draws: random.Random) -> str:
    start = f"{draws.choice('12')}{draws.randrange(45, 99)}{draws.randrange(1, 13):02d}"
    start += f"{draws.randrange(1, 95):02d}{draws.randrange(1, 999):03d}{draws.randrange(1, 999):03d}"
    return f"{start}{97 - int(start) % 97:02d}"


def _cpf(draws: random.Random) -> str:
    return str(cpf.format(_until_valid(lambda: _cpf_digits(draws), cpf.is_valid)))


def _cpf_digits(draws: random.Random) -> str:
    start = _digits(draws, 9)
    for length in (10, 11):
        total = sum(int(digit) * weight for digit, weight in zip(start, range(length, 1, -1), strict=True))
        start += str(-total % 11 % 10)
    return start


def _codice(draws: random.Random) -> str:
    letters = "".join(draws.choice("BCDFGLMNPRSTV") for _ in range(6))
    born = _day(draws, 1950, 1999)
    month = "ABCDEHLMPRST"[born.month - 1]
    start = f"{letters}{born:%y}{month}{born.day:02d}H{draws.randrange(100, 999)}"
    return start + codicefiscale.calc_check_digit(start)


def _dni(draws: random.Random) -> str:
    start = _digits(draws, 8)
    return start + dni.calc_check_digit(start)


def _with_luhn(start: str) -> str:
    return start + luhn.calc_check_digit(start)


def _ean(draws: random.Random) -> str:
    start = "40" + _digits(draws, 10)
    return start + ean.calc_check_digit(start)


_FUNCTIONS: dict[str, Callable[[random.Random], str]] = {
    "birth": lambda d: _day(d, 1940, 2004).isoformat(),
    "birthint": lambda d: _day(d, 1940, 2004).strftime("%Y%m%d"),
    "dmy": lambda d: _day(d, 1940, 2004).strftime("%d%m%y"),
    "recent": lambda d: _day(d, 2021, 2025).isoformat(),
    "recentint": lambda d: _day(d, 2021, 2025).strftime("%Y%m%d"),
    "mm": lambda d: f"{d.randrange(20, 26)}{d.randrange(1, 13):02d}",
    "epoch": lambda d: str(d.randrange(1_600_000_000, 1_760_000_000)),
    "lat": lambda d: f"{d.uniform(36, 60):.5f}",
    "uuid": lambda d: str(uuid.UUID(int=d.getrandbits(128))),
    "mac": lambda d: ":".join(f"{d.randrange(256):02x}" for _ in range(6)),
    "iban_de": _iban_de,
    "bsn": _bsn,
    "pesel": _pesel,
    "nir": _nir,
    "cpf": _cpf,
    "codicefiscale": _codice,
    "dni": _dni,
    "card": lambda d: _with_luhn("4" + _digits(d, 14)),
    "imei": lambda d: _until_valid(lambda: _with_luhn("35" + _digits(d, 12)), imei.is_valid),
    "ean": _ean,
}  # fmt: skip


@cache
def _yaml(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe", pure=True).load((FOLDER / name).read_text(encoding="utf-8"))
    return loaded
