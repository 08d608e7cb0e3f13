"""Dates and times: days moved within a year or month, everything shifted by one keyed offset, ages."""

from __future__ import annotations

from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl

from parity_data.mask import _keyed
from parity_data.mask._common import by_kind, integers, tokens, walk
from parity_data.mask.cipher import TokenCipher
from parity_data.mask.column import over_distinct
from parity_data.mask.context import Context
from parity_data.mask.dates import DAYS, DayCipher
from parity_data.mask.registry import Function, Keeps, MaskerInfo, Param, register

#: Ways in which dates are written, the first that reads a value wins. ISO is what PostgreSQL prints.
_FORMATS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%Y%m%d", "%Y.%m.%d")
_SHAPES = {
    "%Y-%m-%d": r"^\d{4}-\d\d-\d\d$",
    "%d.%m.%Y": r"^\d\d\.\d\d\.\d{4}$",
    "%d/%m/%Y": r"^\d\d/\d\d/\d{4}$",
    "%m/%d/%Y": r"^\d\d/\d\d/\d{4}$",
    "%Y/%m/%d": r"^\d{4}/\d\d/\d\d$",
    "%d-%m-%Y": r"^\d\d-\d\d-\d{4}$",
    "%Y%m%d": r"^(?:1[89]|20)\d{6}$",
    "%Y.%m.%d": r"^\d{4}\.\d\d\.\d\d$",
}
_CLOCK = r"^(\d{4}-\d\d-\d\d)([ T]\d\d:\d\d.*)$"
_DAY = {"birth_date": "year", "date": "month"}


def read(values: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Dates of n values, NULL where none is read, and the format of each ('' for none)."""
    dates = pl.Series("date", [None], dtype=pl.Date).new_from_index(0, len(values))
    forms = pl.Series("form", [""], dtype=pl.String).new_from_index(0, len(values))
    for form in _FORMATS:
        here = (values.str.contains(_SHAPES[form]) & dates.is_null()).arg_true()
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
        self._typed = context.type_name not in ("text", "varchar", "bpchar", "citext", "name")
        self._cipher = cipher

    def apply(self, values: pl.Series, move: Function) -> pl.Series:
        """move: Date Series without NULLs in, Date Series out."""
        clock = values.str.contains(_CLOCK)
        return by_kind(values, clock, lambda s: self._clocks(s, move), lambda s: self._days(s, move))

    def _clocks(self, values: pl.Series, move: Function) -> pl.Series:
        parts = values.str.extract_groups(_CLOCK).struct.unnest()
        return self._days(parts.to_series(0), move) + parts.to_series(1)

    def _days(self, values: pl.Series, move: Function) -> pl.Series:
        dates, _ = read(values)
        readable = dates.is_not_null()

        def moved(rest: pl.Series) -> pl.Series:
            days, ways = read(rest)
            new = move(days)
            out = write(new, ways)
            # 04/05/2020 reads either way; what it becomes must be read the same way again.
            for _ in range(40):
                wrong = (read(out)[1] != ways).arg_true()
                if not len(wrong):
                    break
                new = new.scatter(wrong, move(new.gather(wrong)))
                out = write(new, ways)
            return out

        def otherwise(rest: pl.Series) -> pl.Series:
            if self._typed:
                # infinity, -infinity, and years before Christ or beyond 9999: no birthday of a person.
                return rest
            return walk(rest, self._cipher.whole, lambda s: read(s)[0].is_null())

        return by_kind(values, readable, moved, otherwise)


def _moved(within: str | None) -> object:
    def make(context: Context) -> Function:
        dates, days = _Dates(context, tokens(context)), DayCipher(context.keys, context.domain)
        span = within or str(context.params["within"])
        return lambda values: dates.apply(values, lambda d: days.move(d, span))

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
        def shift(days: pl.Series) -> pl.Series:
            moved = days.dt.offset_by(f"{offset}d")
            inside = moved.dt.year().is_between(1, 9999)
            return pl.select(pl.when(inside).then(moved).otherwise(days)).to_series()

        return self._dates.apply(values, shift)


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
    inside = iso & day.is_not_null() & moved.dt.year().is_between(1, 9999)
    written = moved.dt.year().cast(pl.String).str.zfill(4) + moved.dt.to_string("-%m-%d")
    frame = pl.DataFrame({"v": values, "o": offsets}).select(
        pl.when(inside).then(written + column.str.slice(10)).otherwise(column).alias("out"),
        (~inside.fill_null(True) & (column != "")).fill_null(False).alias("rest"),
    )
    return frame["out"].alias(values.name), np.flatnonzero(frame["rest"].to_numpy())


def _timestamp(context: Context) -> Function:
    """The day moves within its month, the clock's digits are drawn within the day."""
    dates, days = _Dates(context, tokens(context)), DayCipher(context.keys, context.domain)
    clock = integers(context, "clock")

    def clocks(values: pl.Series) -> pl.Series:
        pattern = r"^(.*[ T])(\d\d):(\d\d):(\d\d)(.*)$"
        parts = values.str.extract_groups(pattern).struct.unnest()
        if parts.to_series(0).null_count():
            return values
        hour, minute, second = (parts.to_series(i).cast(pl.UInt64).to_numpy() for i in (1, 2, 3))
        moved = clock.step(minute * 60 + second, 3600, "hour")
        new = [pl.Series(n).cast(pl.String).str.zfill(2) for n in (hour, moved // 60, moved % 60)]
        return parts.to_series(0) + new[0] + ":" + new[1] + ":" + new[2] + parts.to_series(4)

    def mask(values: pl.Series) -> pl.Series:
        moved = dates.apply(values, lambda d: days.move(d, "month"))
        full = moved.str.contains(r"^\d{4}-\d\d-\d\d[ T]\d\d:[0-5]\d:[0-5]\d")
        return by_kind(moved, full, clocks, lambda s: s)

    return mask


def _age(context: Context) -> Function:
    """Ages move within a band of years, so that the age pyramid stays."""
    width = int(context.params["width"])
    numbers, cipher = integers(context, "ages"), tokens(context)

    def ages(values: pl.Series) -> pl.Series:
        age = values.cast(pl.UInt64).to_numpy()
        new = age // width * width + numbers.step(age % width, width, "band")
        return pl.Series(values.name, new).cast(pl.String)

    def mask(values: pl.Series) -> pl.Series:
        plain = values.str.contains(r"^(?:0|[1-9][0-9]{0,3})$")
        return by_kind(values, plain, ages, lambda s: s if context.type_name != "text" else cipher.whole(s))

    return mask


def _year_only(text: str) -> bool:
    return not read(pl.Series([text]))[0].is_null()[0]


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
        check=_year_only,
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
        check=_year_only,
    )
)
register(
    MaskerInfo(
        name="date_shift",
        summary="Shifts dates and times by one keyed number of days, of the domain or of each subject: order "
        "and distances stay.",
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
        check=_year_only,
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
        check=_year_only,
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
