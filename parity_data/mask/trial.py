"""Trials: values that a column may hold are masked, to see whether it may hold what becomes of them."""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import polars as pl

from parity_data.catalog.model import Column
from parity_data.errors import RulesError
from parity_data.mask.column import compile_mask
from parity_data.mask.conditions import Condition, read
from parity_data.mask.context import MaskSpec
from parity_data.mask.keys import KeyRing
from parity_data.mask.registry import describe
from parity_data.mask.specimens import specimens
from parity_data.mask.types import family_of_type
from parity_data.secret import Secret

#: Keys of trials. What happens under none of them is rare, and stops a refresh at loading at the latest.
_KEYS = tuple(KeyRing(Secret(f"{n} a key that trials of masks against columns use")) for n in range(6))

_RANGE = {"int2": 2**15, "int4": 2**31, "int8": 2**63}

#: Families whose values are tried. The others' maskers take a value apart and put it together again.
_TRIED = frozenset({"text", "integer", "number", "date", "timestamp", "uuid", "boolean", "network", "enum"})


@lru_cache(maxsize=20_000)
def broken(spec: MaskSpec, column: Column, checks: tuple[str, ...]) -> str | None:
    """Why a mask can break what the column demands, in a sentence, None when no trial shows that it does.

    checks: the table's conditions that may concern the column. Tried are the type, its labels and range,
    the length limit, the conditions of domain and table.
    """
    family = family_of_type(column.type)
    type_name = column.type.plain.name.name
    if column.type.is_array or family not in _TRIED:
        return None
    if spec.name == "free_text" and spec.params.get("model", "none") != "none":
        spec = MaskSpec(spec.name, {**spec.params, "model": "none"}, spec.domain)
    conditions = _conditions(column, checks, any_case=type_name == "citext")
    if spec.name == "null":
        false = next((c for c in conditions if c.holds(None) is False), None)
        return f"NULL breaks CHECK ({false.text})." if false else None
    demands = _demands(column, family, conditions)
    if not demands:
        return None
    tried = [
        text
        for text in specimens(describe(spec.name).samples, family, conditions, column)
        if all(fits(text) for _, fits in demands)
    ]
    if not tried:
        return None
    try:
        trials = _masked(spec, type_name, column.max_length, tuple(tried))
    except RulesError:
        raise
    except Exception as error:
        return f"{spec.name} fails on values of this type ({type(error).__name__})."
    for masked in trials:
        for before, after in zip(tried, masked, strict=True):
            if after is None:
                continue
            for demand, fits in demands:
                if not fits(after):
                    return f"{spec.name} can turn {_shown(before)} into {_shown(after)}, and {demand}."
    return None


@lru_cache(maxsize=2_000)
def _masked(
    spec: MaskSpec, type_name: str, max_length: int | None, tried: tuple[str, ...]
) -> list[list[str | None]]:
    """What becomes of the values under each key; many columns are tried with the same."""
    column = pl.Series(tried)
    return [
        compile_mask(spec, key, type_name=type_name, max_length=max_length)(column).to_list() for key in _KEYS
    ]


def _shown(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:39]}…")


Demand = tuple[str, Callable[[str], bool]]


def _demands(column: Column, family: str, conditions: list[Condition]) -> list[Demand]:
    """What each value must be, in words and as a test."""
    type_name = column.type.plain.name.name
    demands: list[Demand] = []
    if family == "enum":
        labels = frozenset(column.type.plain.labels)
        demands.append((f"the type has only {len(labels)} labels", labels.__contains__))
    elif family in _READ:
        demands.append((f"the type is {column.sql_type}", _reads(family, type_name)))
    if column.max_length is not None and family == "text":
        most = column.max_length
        # Blanks beyond the limit are cut off (manual, section 8.3).
        demands.append((f"the column holds {most} characters", lambda t: len(t.rstrip(" ")) <= most))
    for condition in conditions:
        demands.append((f"CHECK ({condition.text}) refuses that", _accepts(condition, family)))
    return demands


def _accepts(condition: Condition, family: str) -> Callable[[str], bool]:
    return lambda text: condition.holds(_typed(text, family)) is not False


def _typed(text: str, family: str) -> Any:
    if family in ("integer", "number"):
        return _number(text)
    if family == "boolean":
        return text in ("t", "true")
    return text


def _conditions(column: Column, checks: tuple[str, ...], *, any_case: bool) -> list[Condition]:
    of_domains = [check for domain in column.type.domains for check in domain.checks]
    own = [read(text, "VALUE", any_case=any_case) for text in of_domains]
    shared = [read(text, column.name, any_case=any_case) for text in checks]
    return [c for c in (*own, *shared) if c is not None]


def _integer(text: str, type_name: str) -> bool:
    limit = _RANGE.get(type_name, 2**63)
    return -limit <= int(text) < limit


def _day(text: str) -> bool:
    return text in ("infinity", "-infinity") or bool(date.fromisoformat(text[:10]))


def _inet(text: str) -> bool:
    return bool(ipaddress.ip_interface(text))


def _number(text: str) -> Decimal:
    """A number, of money too."""
    return Decimal(text.replace("$", "").replace(",", ""))


_READ: dict[str, Callable[[str, str], bool]] = {
    "integer": _integer,
    "number": lambda text, _: _number(text) is not None,
    "date": lambda text, _: _day(text),
    "timestamp": lambda text, _: _day(text),
    "uuid": lambda text, _: bool(uuid.UUID(text)),
    "network": lambda text, _: _inet(text),
    "boolean": lambda text, _: text.lower() in ("t", "f", "true", "false"),
}


def _reads(family: str, type_name: str) -> Callable[[str], bool]:
    def reads(text: str) -> bool:
        try:
            return _READ[family](text, type_name)
        except (ValueError, InvalidOperation):
            return False

    return reads
