"""Compiled maskers: distinct values once, NULL and '' untouched."""

from __future__ import annotations

from collections import Counter
from typing import Protocol, runtime_checkable

import polars as pl

from parity_data.mask import arrays
from parity_data.mask.context import Context, MaskSpec
from parity_data.mask.keys import KeyRing
from parity_data.mask.known import KnownValues
from parity_data.mask.memory import Memory
from parity_data.mask.own import guarded
from parity_data.mask.registry import Function, MaskerInfo, describe, validate

#: Below this share of repeated values in a sample, looking for repeats costs more than it saves.
_WORTH_DEDUPLICATING = 0.3
_SAMPLE = 4_096


@runtime_checkable
class ByRow(Protocol):
    """A masker that looks at another column."""

    def beside(self, values: pl.Series, keys: pl.Series | None) -> pl.Series:
        """Mask n values (NULLs possible) by the n values beside them, None for none."""


class ColumnMasker:
    """Masks one column, batch by batch. Picklable and safe to share between threads.

    tally: what the masker found in texts, by method and kind, added up over its calls.
    """

    def __init__(
        self,
        spec: MaskSpec,
        keys: KeyRing,
        type_name: str,
        max_length: int | None,
        is_array: bool,
        known: KnownValues | None,
        attributes: tuple[tuple[str, str], ...] = (),
        tally: Counter[str] | None = None,
    ) -> None:
        self._arguments = (spec, keys, type_name, max_length, is_array, known, attributes)
        self.tally: Counter[str] = Counter() if tally is None else tally
        info = describe(spec.name)
        context = Context(
            params=validate(info, spec.params),
            keys=keys,
            domain=info.domain if spec.domain is None else spec.domain,
            type_name=type_name.removeprefix("_"),
            max_length=max_length,
            known=known,
            attributes=attributes,
            tally=self.tally,
        )
        self.info: MaskerInfo = info
        self.function: Function = guarded(info, info.make(context))
        self._padded = context.type_name == "bpchar" and not is_array
        self._is_array = is_array and not info.whole_array
        self._memory = None if info.by_batch else Memory()

    @property
    def beside(self) -> str | None:
        """The column whose values decide, row by row, how this one is masked; None for most maskers."""
        return looks_at(self._arguments[0])

    def __call__(self, values: pl.Series, beside: pl.Series | None = None) -> pl.Series:
        """Mask a String Series of length n, PostgreSQL's text output in, text input out; same length.

        beside: as long, the values before masking of the column that ``self.beside`` names.
        """
        if values.len() == values.null_count() or self.info.name == "keep":
            return values
        if self.info.name == "null":
            return pl.Series(values.name, [None], dtype=pl.String).new_from_index(0, values.len())
        if self._padded:
            # character(n) comes with its blanks, and PostgreSQL adds them again.
            values = values.str.strip_chars_end(" ")
        if isinstance(self.function, ByRow) and (beside is not None or self.info.by_batch):
            return self.function.beside(values, beside)
        if self._is_array:
            masked = arrays.map_elements(values, lambda s: over_distinct(self.function, s, self._memory))
        else:
            masked = over_distinct(self.function, values, self._memory)
        if self.tally:
            # What is counted must be looked at every time.
            self._memory = None
        return masked

    def __reduce__(self) -> tuple[object, ...]:
        return ColumnMasker, self._arguments


def compile_mask(
    spec: MaskSpec,
    keys: KeyRing,
    *,
    type_name: str = "text",
    max_length: int | None = None,
    is_array: bool = False,
    known: KnownValues | None = None,
    attributes: tuple[tuple[str, str], ...] = (),
) -> ColumnMasker:
    """A masker for one column. type_name: pg_type.typname, below domains; max_length: of varchar(n), char(n).

    known: names and identifiers of this database, for free text. attributes: names and types of a
    composite's attributes. Raises RulesError on an unknown masker or bad parameters.
    """
    return ColumnMasker(spec, keys, type_name, max_length, is_array, known, attributes)


def looks_at(spec: MaskSpec) -> str | None:
    """The column whose values decide about the masked one's, row by row; None for most masks."""
    beside = describe(spec.name).beside
    name = spec.params.get(beside) if beside else None
    return None if name is None else str(name)


def keeps_everything(spec: MaskSpec) -> bool:
    """Whether the mask leaves values as they are, so that their bytes can be moved unread."""
    return spec.name == "keep"


def over_distinct(function: Function, values: pl.Series, memory: Memory | None = None) -> pl.Series:
    """Apply to distinct values that are neither NULL nor ''. Same length and order."""
    plain = values.null_count() == 0 and not (values == "").any()
    with (memory or Memory()).table() as table:
        if plain and not _repeats(values) and (memory is None or not table.may_know(values)):
            # A masker may write into what it is given, which is not ours.
            return function(values.clone()).alias(values.name)
        return table.masked(function, values)


def _repeats(values: pl.Series) -> bool:
    if values.len() <= 64:
        return True
    sample = values.head(_SAMPLE)
    return sample.n_unique() < sample.len() * (1 - _WORTH_DEDUPLICATING / 10)
