"""Canaries: defects that are planted in a shadow of the checks in every run, and must be found.

A check that finds nothing has proven something only if it would have found something. Made-up values are
added to what the leak audit looks for, and stand in columns of their own among those that it reads: as a
whole text, inside a longer one, under another case, in JSON, an array, hstore and XML, and in a kept column.
One more column holds values that must not be reported. A value left unmasked and a row changed on the way
are planted before the mask link and the load link.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterable

import polars as pl

from parity_data.catalog.model import Column, Name, Table, Type
from parity_data.mask import MaskSpec
from parity_data.transfer import TablePlan
from parity_data.transfer.wire import ColumnPlan
from parity_data.verify._words import Key
from parity_data.verify.digests import ColumnKey, ValueDigests
from parity_data.verify.leak_results import LeakHit
from parity_data.verify.leaks import LeakAudit
from parity_data.verify.mask_link import MaskWatch
from parity_data.verify.multiset import RowSummer
from parity_data.verify.result import CheckResult

#: No schema of production is called so: names there cannot be empty.
_SHADOW = Name("", "canaries")
_CLEAN = "clean"
_KEPT = "kept column"

_TEXT = Type(25, Name("pg_catalog", "text"), "b", "S")


class Canaries:
    """Values planted in the leak audit of one run."""

    def __init__(self) -> None:
        self._values = {
            kind: _made_up()
            for kind in ("text", "substring", "other case", "JSON", "array", "hstore", "XML", _KEPT)
        }

    @property
    def kept(self) -> Collection[ColumnKey]:
        """Planted columns that the audit shall take for kept ones."""
        return [(_SHADOW, _KEPT)]

    def plant(self, digests: ValueDigests) -> None:
        """Add the values to what production holds."""
        for kind, value in self._values.items():
            digests.add((_SHADOW, kind), pl.Series([value]))

    def feed(self, audit: LeakAudit) -> None:
        """Put them, and others that production never held, before the audit."""
        for kind, value in self._values.items():
            audit.feed((_SHADOW, kind), pl.Series([_made_up(), _wrapped(kind, value)]))
        audit.feed((_SHADOW, _CLEAN), pl.Series([_wrapped(kind, _made_up()) for kind in self._values]))

    def found(self, hits: Iterable[LeakHit]) -> tuple[list[LeakHit], set[str]]:
        """(hits in staging itself, kinds of canaries that were missed or wrongly reported)."""
        hits = list(hits)
        seen = {(hit.staged, hit.source) for hit in hits if hit.staged[0] == _SHADOW}
        expected = {((_SHADOW, kind), (_SHADOW, kind)) for kind in self._values}
        wrong = {staged[1] for (staged, _) in seen ^ expected}
        return [hit for hit in hits if hit.staged[0] != _SHADOW], wrong

    def own(self, column: ColumnKey) -> bool:
        """Whether the column is a planted one."""
        return column[0] == _SHADOW

    def __len__(self) -> int:
        return len(self._values)


def check_canaries(canaries: Canaries | None, wrong: Collection[str], key: Key) -> CheckResult:
    """'canaries': value defects found, bound defects planted.

    canaries: None where nothing was masked, so that there was no leak audit. wrong: as ``Canaries.found``
    says. key: of the run.
    """
    missed = sorted(wrong)
    planted = (0 if canaries is None else len(canaries)) + 2
    if not _sees_unmasked(key):
        missed.append("a value left unmasked")
    if not _sees_change(key):
        missed.append("a row changed on the way")
    if missed:
        message = (
            f"Of {planted} planted defects, missed or wrongly reported: {', '.join(missed)}. What the checks "
            "of this run say of staging proves nothing."
        )
        return CheckResult("canaries", "database", "fail", planted - len(missed), planted, message)
    message = (
        f"{planted} planted defects were found, and values that are none of production's were not reported."
    )
    return CheckResult("canaries", "database", "pass", planted, planted, message)


def _sees_unmasked(key: Key) -> bool:
    column = ColumnPlan(Column("c", 1, _TEXT, "text", True), MaskSpec("token", {}))
    raw = pl.Series(["Canary A7", "Canary B8", None])
    clean, leaking = MaskWatch(column, key.seed), MaskWatch(column, key.seed)
    clean.compare(raw.to_arrow(), pl.Series(["Kemira E2", "Kobuwe D1", None]).to_arrow())
    leaking.compare(raw.to_arrow(), pl.Series(["Kemira E2", "Canary B8", None]).to_arrow())
    return not clean.kept.broken and bool(leaking.kept.broken)


def _sees_change(key: Key) -> bool:
    columns = tuple(Column(name, 1, _TEXT, "text", True) for name in ("a", "b"))
    table = Table(_SHADOW, 0, "r", columns)
    summer = RowSummer(TablePlan(table, tuple(ColumnPlan(c, None) for c in columns), "binary"), key)
    values = pl.Series(["one", "two", None])
    one, other, changed = (
        series.to_arrow(compat_level=pl.CompatLevel.oldest())
        for series in (values, values.reverse(), values.gather([1, 0, 2]))
    )
    rows, backwards, exchanged = [one, other], [other, one], [changed, other]
    whole = summer.sums(rows, 3)
    return whole == summer.sums(backwards, 3) and whole != summer.sums(exchanged, 3)


def _made_up() -> str:
    """An e-mail address that nobody has and no other run plants."""
    letters = [secrets.choice("bcdfghjklmnpqrstvwxz") + secrets.choice("aeiou") for _ in range(12)]
    return f"{''.join(letters[:5])}.{''.join(letters[5:])}@{secrets.token_hex(4)}.example"


def _wrapped(kind: str, value: str) -> str:
    """The value as it stands in a container of the kind."""
    containers = {
        "substring": f"Spoke to {value}, who will call back.",
        "other case": value.title(),
        "JSON": json.dumps({"contact": {"e-mail": [value]}, "n": 1}),
        "array": '{x,"' + value + '"}',
        "hstore": f'"mail"=>"{value}", "n"=>"1"',
        "XML": f"<contact><mail>{value}</mail></contact>",
    }
    return containers.get(kind, value)
