"""The mask link: every masked value against its original, for what its mask declares to keep.

In the stream, elementwise and exact. What may be expected comes from the masker's declaration, what a
character is from Python's Unicode tables. Length, letters, case and everything between letters and digits
are held place by place, so that combining marks, joiners, emoji and blanks, and with them graphemes, stay
where they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from parity_data.catalog.model import Name
from parity_data.mask import MaskSpec, describe, looks_at
from parity_data.mask.cipher.flat import Flat
from parity_data.mask.registry import all_specs, validate
from parity_data.mask.types import family_of_type
from parity_data.transfer.wire import ColumnPlan, as_text
from parity_data.verify import _pair_loops, _row_loops
from parity_data.verify._classes import DECOMPOSES, PROPERTIES, UNSURE, classes, forms
from parity_data.verify.result import CheckResult

Bools = npt.NDArray[np.bool_]
U64 = npt.NDArray[np.uint64]

_PLACED = frozenset(PROPERTIES)
_FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")

#: Values looked at to see whether they repeat.
_SAMPLE = 1_000


#: Pairs of digests remembered for each column. When there are twice as many, a keyed part of them stays.
_PAIRS = 1 << 18

#: All bits, where a property is kept, and none.
_KEPT, _FREE = np.uint64(2**64 - 1), np.uint64(0)

#: What is broken, in the words of messages.
_NULLS, _EMPTIES = "NULLs", "empty values"
_LENGTH, _BYTES = "length in characters", "length in bytes"
_FORM, _ORDER, _RAW = "Unicode normal form", "order", "being masked at all"
_ELEMENTS = "number of elements"
_MERGED, _SPLIT = "distinct values", "one pseudonym for each value"

#: A letter or digit with others to become. Before a mark it may be the only one that composes with it.
_TEXTS = r"[0-9A-Za-zА-Яа-яא-ת가-힣一-龥](?:\P{M}|$)"
#: Years from 1000 to 8999: beyond them a shift has no room.
_DATES = r"^[1-8][0-9]{3}-[0-9]{2}-[0-9]{2}"
_DATED = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:$|[ T][0-9]{2}:[0-9]{2}.*$)"
_BEFORE_CHRIST = " BC"
_ADDRESSES = r"^[0-9]{1,3}(?:\.[0-9]{1,3}){3}$"
#: A pattern that no text has.
_NOTHING = "[^\\s\\S]"
_CAPITAL = r"\p{Uppercase}"
_BYTEAS = r"^\\x[0-9a-f]{16,}$"
#: An element of an array literal: quoted, or a run without structure (manual, section 8.15.6).
_BOUNDS = r"^(?:\[[+-]?\d+:[+-]?\d+\])+="
_ELEMENT = r'"(?:[^"\\]|\\.)*"|[^{},"\s][^{},"]*'


@dataclass(frozen=True)
class Promise:
    """What a column's mask declares.

    keeps: place by place or by size. must_change: pattern of values none of which may stay as it is, None
    where some may. stays: pattern of values that may after all. one_to_one: different values stay different,
    and equal ones equal. numbers: order is that of numbers. one_writing: of values that may be written in
    several ways, None where each is written in one.
    """

    keeps: frozenset[str]
    must_change: str | None
    stays: str
    one_to_one: bool
    makes_null: bool
    array: bool
    padded: bool
    numbers: bool = False
    one_writing: Callable[[pl.Series], pl.Series] | None = None


def promise(plan: ColumnPlan) -> Promise:
    """What may be expected of the column's mask. plan: of a masked column."""
    assert plan.mask is not None
    spec: MaskSpec = plan.mask
    info, plain, family = describe(spec.name), plan.column.type.plain, family_of_type(plan.column.type)
    params = validate(info, spec.params)
    # What is drawn from a pool has another form; what another column decides has its form, but no order.
    drawn = any(value is not ... and params.get(name) == value for name, value in info.lossy_when)
    beside = looks_at(spec) is not None
    return Promise(
        keeps=frozenset() if drawn else info.keeps - ({"order"} if beside else set()),
        must_change=_must_change(info.accepts) if info.changes and not drawn else None,
        stays=f"^(?:{'|'.join(info.stays)})$" if info.stays else _NOTHING,
        one_to_one=not beside and not info.by_batch and info.distinct_with(params) == "injective",
        makes_null=any(inner.name == "null" for inner in all_specs(spec)),
        array=plan.column.type.is_array and not info.whole_array,
        padded=plain.name.name == "bpchar",
        numbers=family in ("integer", "number"),
        one_writing=info.one_writing if family == "text" else None,
    )


def _must_change(accepts: Collection[str]) -> str | None:
    """Values that surely have another to become, by what kind of value the mask is for."""
    for families, pattern in (
        ({"date", "timestamp"}, _DATES),
        ({"network"}, _ADDRESSES),
        ({"point", "range", "multirange", "bit", "time", "boolean"}, None),
        ({"bytea"}, _BYTEAS),
        ({"integer", "number"}, "[1-9]"),
    ):
        if families & set(accepts):
            return pattern
    return _TEXTS


@dataclass
class Kept:
    """What was seen of one column. rows: compared, NULLs not counted. broken: rows by what was not kept.

    pairs: digests of masked values and of the raw ones. share: how often they were halved; see ``limit``.
    """

    rows: int = 0
    broken: Counter[str] = field(default_factory=Counter)
    pairs: list[tuple[U64, U64]] = field(default_factory=list)
    share: int = 0

    def add(self, other: Kept) -> None:
        """Take up what was seen of other rows of the same column."""
        self.rows += other.rows
        self.broken.update(other.broken)
        self.share = max(self.share, other.share)
        for masked, raw in other.pairs:
            self.remember(masked, raw)

    def remember(self, masked: U64, raw: U64) -> None:
        """Take up n pairs of digests."""
        self.pairs.append(self._within(masked, raw) if self.share else (masked, raw))
        if sum(pair[0].size for pair in self.pairs) > 2 * _PAIRS:
            self._compact()

    def _compact(self) -> None:
        """Each pair once; where they are too many, those of a keyed part of the masked values."""
        masked, raw = self._pairs()
        while masked.size > _PAIRS:
            self.share += 1
            masked, raw = self._within(masked, raw)
        self.pairs = [(masked, raw)]

    def _within(self, masked: U64, raw: U64) -> tuple[U64, U64]:
        """Those of the pairs that are remembered."""
        inside = masked < self.limit
        return masked[inside], raw[inside]

    @property
    def limit(self) -> np.uint64:
        """Digests of masked values below this are remembered: all, a half, a quarter..."""
        return np.uint64(2 ** (64 - self.share) - 1)

    def _pairs(self) -> tuple[U64, U64]:
        masked = np.concatenate([np.empty(0, np.uint64), *(pair[0] for pair in self.pairs)])
        raw = np.concatenate([np.empty(0, np.uint64), *(pair[1] for pair in self.pairs)])
        if self.share:
            masked, raw = self._within(masked, raw)
        bits = (2 * masked.size).bit_length()
        first = np.empty(masked.size, np.bool_)
        _pair_loops.find_first(masked, raw, np.full(1 << bits, -1, np.int32), np.uint64(64 - bits), first)
        return masked[first], raw[first]

    def distinct(self) -> tuple[int, int, int]:
        """(pairs, masked values, raw values) that are distinct, among those remembered."""
        masked, raw = self._pairs()
        return masked.size, _different(masked), _different(raw)


def _different(digests: U64) -> int:
    """How many there are, each once. Sorting is forty times as fast as the hash table of ``np.unique``."""
    ordered = np.sort(digests)
    return int(np.count_nonzero(ordered[1:] != ordered[:-1])) + (ordered.size > 0)


class MaskWatch:
    """Compares batches of one column. seed: of the digests, of this run alone.

    share: what other rows of the column left of the pairs; see ``Kept``.
    """

    def __init__(self, plan: ColumnPlan, seed: int, share: int = 0) -> None:
        self._promise = promise(plan)
        self._seed = seed
        self.kept = Kept(share=share)

    def compare(self, raw: pa.Array, masked: pa.Array) -> None:
        """Take up n values before and after masking, as text."""
        raw, masked = as_text(raw), as_text(masked)
        if self._promise.padded:
            raw, masked = pc.utf8_rtrim(raw, " "), pc.utf8_rtrim(masked, " ")
        if raw.null_count or masked.null_count:
            present, left = raw.is_valid(), masked.is_valid()
            both = pc.and_(present, left)
            gone = int(pc.sum(pc.xor(present, left)).as_py() or 0)
            if not self._promise.makes_null or (_bools(left) & ~_bools(present)).any():
                self._broken(_NULLS, gone)
            raw, masked = raw.filter(both), masked.filter(both)
        self.kept.rows += len(raw)
        if not len(raw):
            return
        self._pairs(raw, masked)
        if self._promise.array:
            self._elements(raw, masked)
        else:
            self._values(raw, masked)

    def _broken(self, what: str, rows: int) -> None:
        if rows:
            self.kept.broken[what] += rows

    def _values(self, raw: pa.Array, masked: pa.Array) -> None:
        before, after = Flat.of_arrow(raw), Flat.of_arrow(masked)
        self._broken(_EMPTIES, int(((before.lengths == 0) != (after.lengths == 0)).sum()))
        keeps = self._promise.keeps
        equal, odd = _compared(before, after, keeps)
        self._unmasked(raw, equal)
        if "order" in keeps:
            self._broken(_ORDER, _disorder(pl.Series(raw), pl.Series(masked), self._promise.numbers))
        if "length" not in keeps:
            if "case" in keeps:
                differ = _capitals(raw, before) != _capitals(masked, after)
                self._broken(PROPERTIES["case"], int(differ.sum()))
        elif odd.any():
            chosen = pa.array(odd)
            self._closely(pl.Series(raw.filter(chosen)), pl.Series(masked.filter(chosen)))

    def _unmasked(self, raw: pa.Array, equal: Bools) -> None:
        pattern = self._promise.must_change
        if pattern is None or not equal.any():
            return
        left = pl.Series(raw.filter(pa.array(equal)), dtype=pl.String)
        free = (
            left.str.contains(pattern)
            & ~left.str.contains(self._promise.stays)
            & ~left.str.ends_with(_BEFORE_CHRIST)
        )
        self._broken(_RAW, int(free.sum()))

    def _closely(self, raw: pl.Series, masked: pl.Series) -> None:
        """Values that are not plain ASCII or in which something differs."""
        rows = np.ones(len(raw), np.int64)
        if raw.head(_SAMPLE).n_unique() < 0.7 * min(len(raw), _SAMPLE):
            pairs = pl.DataFrame({"raw": raw, "masked": masked}).group_by("raw", "masked").len()
            raw, masked, rows = pairs["raw"], pairs["masked"], pairs["len"].to_numpy().astype(np.int64)
        keeps = self._promise.keeps
        if "bytes" in keeps:
            self._broken(_BYTES, int(rows[_differ(raw.str.len_bytes(), masked.str.len_bytes())].sum()))
        longer = _differ(raw.str.len_chars(), masked.str.len_chars())
        self._broken(_LENGTH, int(rows[longer].sum()))
        raw, masked, rows = raw.filter(~longer), masked.filter(~longer), rows[~longer]
        if not len(raw):
            return
        before, after = _code_points(raw), _code_points(masked)
        owner = np.repeat(np.arange(len(raw)), raw.str.len_chars().to_numpy())
        together = classes(keeps & _PLACED)
        if (together.of(before) != together.of(after)).any():
            for name in sorted(keeps & _PLACED):
                table = classes(frozenset({name}))
                wrong = _owners(owner, table.of(before) != table.of(after), len(raw))
                self._broken(PROPERTIES[name], int(rows[wrong].sum()))
        if "script" in keeps:
            found = [forms().of(codes) for codes in (before, after)]
            one, other = (_owners(owner, form == DECOMPOSES, len(raw)) for form in found)
            unsure = _owners(owner, (found[0] == UNSURE) | (found[1] == UNSURE), len(raw))
            self._broken(_FORM, int(rows[(one != other) & ~unsure].sum()))
            if unsure.any():
                self._forms(raw.filter(unsure), masked.filter(unsure), rows[unsure])

    def _forms(self, raw: pl.Series, masked: pl.Series, rows: npt.NDArray[np.int64]) -> None:
        wrong = np.zeros(len(raw), bool)
        for form in _FORMS:
            wrong |= _differ(raw == raw.str.normalize(form), masked == masked.str.normalize(form))
        self._broken(_FORM, int(rows[wrong].sum()))

    def _elements(self, raw: pa.Array, masked: pa.Array) -> None:
        """Elements of arrays instead of values; NULL elements stay and count as one."""
        before, after = (
            pl.Series(values).str.replace(_BOUNDS, "").str.extract_all(_ELEMENT) for values in (raw, masked)
        )
        longer = _differ(before.list.len(), after.list.len())
        self._broken(_ELEMENTS, int(longer.sum()))
        flat = [_unquoted(lists.filter(~longer).explode()) for lists in (before, after)]
        self._broken(_NULLS, int(_differ(flat[0].is_null(), flat[1].is_null()).sum()))
        both = flat[0].is_not_null() & flat[1].is_not_null()
        one, other = (as_text(values.filter(both).to_arrow()) for values in flat)
        if len(one):
            self._values(one, other)

    def _pairs(self, raw: pa.Array, masked: pa.Array) -> None:
        """Remember which value became which, by digest, to see whether any two became one."""
        if not self._promise.one_to_one:
            return
        if self._promise.one_writing:
            raw, masked = (as_text(self._promise.one_writing(pl.Series(v)).to_arrow()) for v in (raw, masked))
        digests, raws = (_hashes(Flat.of_arrow(values), self._seed) for values in (masked, raw))
        self.kept.remember(digests, raws)


def check_masks(
    kept: Mapping[tuple[Name, str], Kept], promises: Mapping[tuple[Name, str], Promise]
) -> list[CheckResult]:
    """'mask_link' for each masked column: value rows in which something declared was not kept, bound 0.

    promises: of the columns in ``kept``.
    """
    return [_check(key, seen, promises[key]) for key, seen in sorted(kept.items())]


def _check(key: tuple[Name, str], seen: Kept, promised: Promise) -> CheckResult:
    scope = f"{key[0]}.{key[1]}"
    broken = Counter(seen.broken)
    if promised.one_to_one and seen.rows:
        pairs, masked, raw = seen.distinct()
        broken.update({_MERGED: pairs - masked, _SPLIT: pairs - raw})
    broken = +broken
    if broken:
        listed = "; ".join(
            f"{what}: {rows:,} row{'s' if rows != 1 else ''}" for what, rows in broken.most_common()
        )
        message = f"Of {seen.rows:,} values compared with their originals, not kept as declared: {listed}."
        return CheckResult("mask_link", scope, "fail", broken.most_common(1)[0][1], 0, message)
    message = f"{seen.rows:,} values compared with their originals: {_words(promised)}."
    if promised.one_to_one and seen.share:
        message += f" Whether values stay distinct was seen on one in {2**seen.share:,}."
    return CheckResult("mask_link", scope, "pass", 0, 0, message)


def _words(promised: Promise) -> str:
    sizes = {"length": _LENGTH, "bytes": _BYTES, "order": _ORDER}
    kept = [word for name, word in {**sizes, **PROPERTIES}.items() if name in promised.keeps]
    if promised.one_to_one:
        kept.append(f"{_MERGED} and how often each occurs")
    text = f"NULLs, empty values, {', '.join(kept)} are kept" if kept else "NULLs and empty values are kept"
    if promised.makes_null:
        text = "no NULL became a value"
    return text + (", and no value is left as it was" if promised.must_change else "")


def _owners(owner: npt.NDArray[np.int64], wrong: Bools, count: int) -> Bools:
    """Which of ``count`` texts hold a wrong character. owner: text of each character."""
    found = np.zeros(count, bool)
    found[owner[wrong]] = True
    return found


def _compared(before: Flat, after: Flat, keeps: frozenset[str]) -> tuple[Bools, Bools]:
    """Which of n texts are equal, and which odd: unlike in size or in what is kept, or more than ASCII."""
    equal, odd = np.empty((2, len(before.offsets) - 1), np.bool_)
    script, case, form = (_KEPT if name in keeps else _FREE for name in ("script", "case", "format"))
    raw, masked = before.data.ctypes.data, after.data.ctypes.data
    _pair_loops.compare(raw, before.offsets, masked, after.offsets, script, case, form, equal, odd)
    return equal, odd


def _capitals(values: pa.Array, texts: Flat) -> Bools:
    """Which of n texts hold a capital letter."""
    found, unsure = np.empty((2, len(values)), np.bool_)
    _pair_loops.find_capitals(texts.data.ctypes.data, texts.offsets, found, unsure)
    if unsure.any():
        found[unsure] = pl.Series(values.filter(pa.array(unsure))).str.contains(_CAPITAL).to_numpy()
    return found


def _hashes(texts: Flat, seed: int) -> U64:
    found = np.empty(len(texts.offsets) - 1, np.uint64)
    _row_loops.hash_texts(texts.data.ctypes.data, texts.offsets, np.uint64(seed), found)
    return found


def _code_points(values: pl.Series) -> npt.NDArray[np.uint32]:
    text = values.str.join("").item() or ""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)


def _differ(one: pl.Series, other: pl.Series) -> Bools:
    found: Bools = (one != other).fill_null(False).to_numpy()
    return found


def _bools(values: pa.Array) -> Bools:
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=bool)


def _unquoted(elements: pl.Series) -> pl.Series:
    """Array elements without quotes and escapes; an unquoted NULL as NULL."""
    frame = pl.DataFrame({"e": elements})
    quoted = pl.col("e").str.starts_with('"')
    plain = pl.col("e").str.strip_prefix('"').str.strip_suffix('"').str.replace_all(r"\\(.)", "$1")
    return frame.select(
        pl.when(quoted).then(plain).when(pl.col("e").str.to_uppercase() != "NULL").then(pl.col("e"))
    ).to_series()


def _disorder(raw: pl.Series, masked: pl.Series, numbers: bool) -> int:
    """How many neighbours, by original value, stand the other way round after masking. numbers: not dates."""
    if numbers:
        figures = [values.cast(pl.Float64, strict=False) for values in (raw, masked)]
        both = figures[0].is_finite().fill_null(False) & figures[1].is_finite().fill_null(False)
        return _fallen(*(values.filter(both) for values in figures))
    dates = raw.str.contains(_DATES) & ~raw.str.ends_with(_BEFORE_CHRIST)
    one, other = raw.filter(dates), masked.filter(dates)
    fallen = _fallen(one, other)
    if fallen:
        # What only looks like a date has no order; whether it does is asked where it matters.
        day = one.str.head(10).str.to_date("%Y-%m-%d", strict=False)
        real = day.is_not_null() & one.str.contains(_DATED)
        fallen = _fallen(one.filter(real), other.filter(real))
    return fallen


def _fallen(one: pl.Series, other: pl.Series) -> int:
    frame = pl.DataFrame({"one": one, "other": other}).unique().sort("one", "other")
    fell = (frame["other"].shift(1) > frame["other"]) & (frame["one"].shift(1) != frame["one"])
    return int(fell.sum())
