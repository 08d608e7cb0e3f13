"""Dates and times: days moved within a year or month, everything shifted by one keyed offset, ages."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl

from parity_data.mask import _keyed
from parity_data.mask._common import (
    ROUNDS,
    as_one,
    by_kind,
    integers,
    matches,
    padded,
    tokens,
    valid_or_not,
    walk,
)
from parity_data.mask.cipher import TokenCipher
from parity_data.mask.cipher.flat import Flat
from parity_data.mask.column import over_distinct
from parity_data.mask.context import Context
from parity_data.mask.dates import DAYS, DayCipher
from parity_data.mask.numerals import integer
from parity_data.mask.registry import Function, Keeps, MaskerInfo, Param, register
from parity_data.mask.written import days_of

#: What PostgreSQL prints.
_ISO = "%Y-%m-%d"
#: Ways in which dates are written, the first that reads a value wins.
_SHAPES = {
    _ISO: r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    "%d.%m.%Y": r"^[0-9]{2}\.[0-9]{2}\.[0-9]{4}$",
    "%d/%m/%Y": r"^[0-9]{2}/[0-9]{2}/[0-9]{4}$",
    "%m/%d/%Y": r"^[0-9]{2}/[0-9]{2}/[0-9]{4}$",
    "%Y/%m/%d": r"^[0-9]{4}/[0-9]{2}/[0-9]{2}$",
    "%d-%m-%Y": r"^[0-9]{2}-[0-9]{2}-[0-9]{4}$",
    "%Y%m%d": r"^(?:1[89]|20)[0-9]{6}$",
    "%Y.%m.%d": r"^[0-9]{4}\.[0-9]{2}\.[0-9]{2}$",
}
_CLOCK = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})([ T][0-9]{2}:[0-9]{2}.*)$"

#: First and last day that shifts move, and of ways of writing that hold fewer years. What stands in the
#: years 1 and 9999 means 'never', and stays.
_FIRST, _LAST = date(2, 1, 1), date(9998, 12, 31)
_SPANS = {"%Y%m%d": (date(1800, 1, 1), date(2099, 12, 31))}
_NEVER = (r"(?:0001|9999)[./-].*", r".*[./-](?:0001|9999)")
_EPOCH = date(1970, 1, 1).toordinal()

_FULL_CLOCK = r"(?s)^([0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:)([0-5][0-9]):([0-5][0-9])(.*)$"

#: Ages are below this.
_AGES = 10_000

#: Dates of n values and the way in which each is written, in; dates out.
Move = Callable[[pl.Series, pl.Series], pl.Series]


def read(values: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Dates of n values, NULL where none is read, and the format of each ('' for none)."""
    plain = days_of(Flat.of(values))
    if plain is not None:
        forms = pl.Series("form", [_ISO], dtype=pl.String).new_from_index(0, len(values))
        return pl.Series("date", plain).cast(pl.Int32).cast(pl.Date), forms
    dates = pl.Series("date", [None], dtype=pl.Date).new_from_index(0, len(values))
    forms = pl.Series("form", [""], dtype=pl.String).new_from_index(0, len(values))
    for form, shape in _SHAPES.items():
        here = (values.str.contains(shape) & dates.is_null()).arg_true()
        if not len(here):
            continue
        found = values.gather(here).str.to_date(form, strict=False)
        good = (found.is_not_null() & found.dt.year().is_between(1, 9999)).arg_true()
        places = here.gather(good)
        dates = dates.scatter(places, found.gather(good))
        forms = forms.scatter(places, form)
        if len(places) == len(values):
            break
    return dates, forms


def write(dates: pl.Series, forms: pl.Series) -> pl.Series:
    """Dates in the format of each."""
    written = pl.lit(None, dtype=pl.String)
    for form in forms.unique().to_list():
        padded = pl.col("d").dt.year().cast(pl.String).str.zfill(4)
        text = pl.col("d").dt.to_string(form.replace("%Y", "@")).str.replace("@", padded, literal=True)
        written = pl.when(pl.col("f") == form).then(text).otherwise(written)
    return pl.DataFrame({"d": dates, "f": forms}).select(written).to_series()


class _Dates:
    """Applies a move of days to whatever is read as a date, with or without a clock behind it."""

    def __init__(self, context: Context, cipher: TokenCipher) -> None:
        self._typed = not context.is_text
        self._cipher = cipher

    def apply(self, values: pl.Series, move: Move) -> pl.Series:
        """A bijection among the dates of each way of writing, and one among all other texts."""
        if not len(values):
            return values
        if days_of(Flat.of(values)) is not None:
            return _moved_days(values, move)
        clock = values.str.contains(_CLOCK)
        return by_kind(values, clock, lambda s: self._clocks(s, move), lambda s: self._days(s, move))

    def _clocks(self, values: pl.Series, move: Move) -> pl.Series:
        parts = values.str.extract_groups(_CLOCK).struct.unnest()
        return self._days(parts.to_series(0), move) + parts.to_series(1)

    def _days(self, values: pl.Series, move: Move) -> pl.Series:
        return by_kind(values, _is_date(values), partial(_moved_days, move=move), self._others)

    def _others(self, values: pl.Series) -> pl.Series:
        if self._typed:
            # infinity, -infinity, and years before Christ or beyond 9999: no birthday of a person.
            return values
        return walk(values, self._cipher.whole, lambda s: ~(_is_date(s) | s.str.contains(_CLOCK)))


def _is_date(values: pl.Series) -> pl.Series:
    return read(values)[0].is_not_null()


def _moved_days(values: pl.Series, move: Move) -> pl.Series:
    """n dates moved, each in its way of writing."""
    days, ways = read(values)
    days = move(days, ways)
    out = write(days, ways)
    # 04/05/2020 reads either way; what it becomes must be read the same way again.
    places = pl.Series(range(len(out)), dtype=pl.UInt32)
    for _ in range(ROUNDS):
        wrong = read(out.gather(places))[1] != ways.gather(places)
        if not wrong.any():
            break
        places = places.filter(wrong)
        days = days.scatter(places, move(days.gather(places), ways.gather(places)))
        out = out.scatter(places, write(days.gather(places), ways.gather(places)))
    return out


def _moved(within: str | None) -> object:
    def make(context: Context) -> Function:
        dates, days = _Dates(context, tokens(context)), DayCipher(context.keys, context.domain)
        span = within or str(context.params["within"])
        return lambda values: dates.apply(values, lambda d, _: days.move(d, span))

    return make


def shift_of_days(context: Context) -> int:
    """The keyed number of days of a masking domain, never 0. params: days, the longest shift."""
    most = int(context.params["days"])
    draw = int.from_bytes(context.keys.subkey("date shift", context.domain, 8), "big")
    days = 1 + draw // 2 % most
    return days if draw % 2 else -days


class DayShift:
    """Shifts dates by one keyed number of days, of the masking domain or of the subject beside each."""

    def __init__(self, context: Context) -> None:
        self._dates = _Dates(context, tokens(context))
        self._offset = shift_of_days(context)
        self._most = int(context.params["days"])
        self._key = context.keys.subkey("date shift by subject", context.domain)

    def __call__(self, values: pl.Series) -> pl.Series:
        """n values of no subject."""
        return self._shifted(values, self._offset)

    def beside(self, values: pl.Series, keys: pl.Series | None) -> pl.Series:
        """n values by n subjects (NULLs possible): those of one subject keep their order and distances."""
        if keys is None:
            return over_distinct(self, values)
        subjects = keys.str.strip_chars_end(" ").fill_null("")  # character(n) comes with blanks
        coded = subjects.to_arrow(compat_level=pl.CompatLevel.oldest()).dictionary_encode()
        of_subject = self._offsets(pl.Series("", coded.dictionary, dtype=pl.String))
        offsets = of_subject[coded.indices.to_numpy()]
        out, rest = _shifted_iso(values, offsets)
        for offset in np.unique(offsets[rest]).tolist():
            at = pl.Series(rest[offsets[rest] == offset])
            shift = partial(self._shifted, offset=offset)
            out = out.scatter(at, over_distinct(shift, values.gather(at)))
        return out

    def _offsets(self, subjects: pl.Series) -> npt.NDArray[np.int64]:
        """The days of each subject, never 0; those of the domain for no subject."""
        draws = _keyed.numbers(subjects, self._key)
        days = (1 + draws // np.uint64(2) % np.uint64(self._most)).astype(np.int64)
        signed = np.where(draws % np.uint64(2) == 1, days, -days)
        return np.where((subjects == "").to_numpy(), self._offset, signed)

    def _shifted(self, values: pl.Series, offset: int) -> pl.Series:
        return self._dates.apply(values, partial(_turned, offset=offset))


def _turned(days: pl.Series, ways: pl.Series, offset: int) -> pl.Series:
    """Days shifted, within the years that their way of writing holds: beyond the last day comes the first."""
    out = days
    for way in ways.unique().to_list():
        first, last = (day.toordinal() - _EPOCH for day in _SPANS.get(way, (_FIRST, _LAST)))
        number = pl.col("d").to_physical().cast(pl.Int64)
        inside = number.is_between(first, last) & (pl.col("w") == way)
        turned = (number - first + offset) % (last - first + 1) + first
        moved = pl.when(inside).then(turned.cast(pl.Int32).cast(pl.Date)).otherwise(pl.col("o"))
        out = pl.DataFrame({"d": days, "w": ways, "o": out}).select(moved).to_series()
    return out


def _shifted_iso(
    values: pl.Series, offsets: npt.NDArray[np.int64]
) -> tuple[pl.Series, npt.NDArray[np.int64]]:
    """n values with their days moved by n offsets, where they are written as PostgreSQL writes them.

    Second: the places of the others, NULLs and empty ones aside, which are as they were.
    """
    column = pl.col("v")
    day = column.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    iso = column.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:$|[ T][0-9]{2}:[0-9]{2})")
    moved = (day.to_physical().cast(pl.Int64) + pl.col("o")).cast(pl.Int32).cast(pl.Date)
    inside = iso & day.is_between(_FIRST, _LAST) & moved.is_between(_FIRST, _LAST)
    written = moved.dt.year().cast(pl.String).str.zfill(4) + moved.dt.to_string("-%m-%d")
    frame = pl.DataFrame({"v": values, "o": offsets}).select(
        pl.when(inside).then(written + column.str.slice(10)).otherwise(column).alias("out"),
        (~inside.fill_null(False) & (column != "")).fill_null(False).alias("rest"),
    )
    return frame["out"].alias(values.name), np.flatnonzero(frame["rest"].to_numpy())


def _timestamp(context: Context) -> Function:
    """The day moves within its month, the clock's digits are drawn within the day."""
    dates, days = _Dates(context, tokens(context)), DayCipher(context.keys, context.domain)
    clock = integers(context, "clock")

    def clocks(values: pl.Series) -> pl.Series:
        parts = values.str.extract_groups(_FULL_CLOCK).struct.unnest()
        minute, second = (parts.to_series(i).cast(pl.UInt64).to_numpy() for i in (1, 2))
        moved = clock.step(minute * 60 + second, 3600, "hour")
        return parts.to_series(0) + padded(moved // 60, 2) + ":" + padded(moved % 60, 2) + parts.to_series(3)

    def mask(values: pl.Series) -> pl.Series:
        moved = dates.apply(values, lambda d, _: days.move(d, "month"))
        return by_kind(moved, moved.str.contains(_FULL_CLOCK), clocks, lambda s: s)

    return mask


def _age(context: Context) -> Function:
    """Ages move within a band of years, so that the age pyramid stays."""
    width = int(context.params["width"])
    numbers = integers(context, "ages")

    def ages(values: pl.Series) -> pl.Series:
        age = values.cast(pl.UInt64).to_numpy()
        new, first = age.copy(), age // width * width
        for size in np.unique(np.minimum(width, _AGES - first)).tolist():
            band = np.minimum(width, _AGES - first) == size
            new[band] = first[band] + numbers.step((age - first)[band], size, "band")
        return pl.Series(values.name, new).cast(pl.String)

    rest = as_one(context) if context.is_text else integer(context)
    return lambda values: valid_or_not(values, matches(r"0|[1-9][0-9]{0,3}"), ages, rest)


def _dated(text: str) -> bool:
    """Whether a text is read as a date, with or without a clock behind it."""
    clock = re.fullmatch(_CLOCK, text)
    return bool(_is_date(pl.Series([clock[1] if clock else text]))[0])


_FORMAT: frozenset[Keeps] = frozenset({"length", "bytes", "format", "validity"})
register(
    MaskerInfo(
        name="birth_date",
        summary="Moves a date of birth to another day of its year, one to one: ages and counts by year stay.",
        theme="time",
        accepts=("date", "timestamp", "text"),
        distinct="injective",
        keeps=_FORMAT,
        make=_moved("year"),  # type: ignore[arg-type]
        samples=("1984-02-29", "31.12.1999", "19700101"),
        domain=DAYS,
        check=_dated,
    )
)
register(
    MaskerInfo(
        name="date",
        summary="Moves a date to another day of the same month or year, one to one.",
        theme="time",
        accepts=("date", "timestamp", "text"),
        distinct="injective",
        keeps=_FORMAT,
        make=_moved(None),  # type: ignore[arg-type]
        params=(
            Param("within", "choice", "What the date stays in.", default="month", choices=("month", "year")),
        ),
        samples=("2024-03-01", "01.03.2024", "2024-03-01 12:30:00+00"),
        domain=DAYS,
        check=_dated,
    )
)
register(
    MaskerInfo(
        name="date_shift",
        summary="Shifts dates and times by one keyed number of days, of the domain or of each subject: order "
        "and distances of dates stay.",
        theme="time",
        accepts=("date", "timestamp", "text"),
        distinct="injective",
        keeps=_FORMAT | {"order"},
        make=DayShift,
        params=(
            Param(
                "by",
                "text",
                "The column with the subject, such as customer_id: one shift for each, the same in every "
                "table of the domain.",
            ),
            Param(
                "days",
                "integer",
                "The longest shift, forwards or back.",
                default=30,
                minimum=1,
                maximum=36500,
            ),
        ),
        samples=("2024-03-01", "2024-03-01 12:30:00+00"),
        domain="events",
        details="Texts that are no date, such as 2023-02-30, are enciphered and have no order. Dates in the "
        "years 1 and 9999 mean 'never' and stay; one that would be shifted there comes out at the other end.",
        stays=_NEVER,
        check=_dated,
        lossy_when=(("by", ...),),
        beside="by",
    )
)
register(
    MaskerInfo(
        name="timestamp",
        summary="Moves the day within its month, and minutes and seconds within their hour.",
        theme="time",
        accepts=("timestamp", "text"),
        distinct="injective",
        keeps=_FORMAT,
        make=_timestamp,
        samples=("2024-03-01 12:30:00+00", "2024-12-31 23:59:59.123456"),
        domain=DAYS,
        check=_dated,
    )
)
register(
    MaskerInfo(
        name="age",
        summary="Moves an age within a band of years.",
        theme="time",
        accepts=("integer", "number", "text"),
        distinct="injective",
        keeps=frozenset({"validity"}),
        make=_age,
        params=(Param("width", "integer", "Years in a band.", default=5, minimum=2, maximum=100),),
        samples=("34", "7"),
        domain="age",
        changes=False,
    )
)
