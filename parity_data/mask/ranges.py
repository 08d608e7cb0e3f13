"""Ranges and multiranges: both ends shifted by one keyed distance, so that order and overlaps stay."""

from __future__ import annotations

import re
from decimal import Decimal

import polars as pl

from parity_data.mask.context import Context
from parity_data.mask.registry import Function, MaskerInfo, Param, register
from parity_data.mask.temporal import DayShift, shift_of_days

#: One end of a range as PostgreSQL writes it (manual, section 8.17.5).
_END = re.compile(r'"((?:[^"\\]|\\.)*)"|([^\[\](){},"\s][^\[\](){},"]*)')
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")


def _range(context: Context) -> Function:
    days = DayShift(context)
    by = shift_of_days(context)

    def ends_of(values: pl.Series) -> list[str]:
        found = {m[1] or m[2] for text in values.to_list() for m in _END.finditer(text) if m[1] or m[2]}
        return sorted(found - {"empty", "infinity", "-infinity"})

    def mask(values: pl.Series) -> pl.Series:
        ends = ends_of(values)
        numbers = [end for end in ends if _NUMBER.fullmatch(end)]
        new = {end: str(Decimal(end) + by) for end in numbers}
        dates = pl.Series([end for end in ends if end not in new], dtype=pl.String)
        new.update(zip(dates.to_list(), days(dates).to_list(), strict=True))

        def end(found: re.Match[str]) -> str:
            old = found[1] or found[2] or ""
            written = new.get(old, old)
            return f'"{written}"' if found[1] is not None else written

        return pl.Series(values.name, [_END.sub(end, text) for text in values.to_list()], dtype=pl.String)

    return mask


register(
    MaskerInfo(
        name="range",
        summary="Shifts both ends of a range by one keyed number of days, or of units: order, lengths and "
        "overlaps stay.",
        theme="time",
        accepts=("range", "multirange"),
        distinct="injective",
        keeps=frozenset({"order"}),
        make=_range,
        params=(
            Param(
                "days",
                "integer",
                "The longest shift, forwards or back, in days, or units of number ranges.",
                default=30,
                minimum=1,
                maximum=36500,
            ),
        ),
        samples=(
            "[2024-03-01,2024-03-08)",
            '["2024-03-01 12:00:00+00","2024-03-01 13:30:00+00")',
            "{[1,5),[8,12)}",
            "(,12.50]",
        ),
        domain="events",
        stays=("empty",),
    )
)
