"""Keyed digests of production's values: enough to recognise one, not enough to tell it.

The key belongs to one run and is thrown away with it. A digest takes 8 bytes: 58 bits of the hash, two
marks, and in how many rows the value was seen, up to 15. A chance match has probability n D / 2**58.
"""

from __future__ import annotations

import math
import secrets
import threading
from collections import Counter
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from parity_data.catalog.model import Name
from parity_data.errors import ParityError
from parity_data.mask.cipher.flat import Flat
from parity_data.mask.words import common
from parity_data.verify import _digest_loops, _pair_loops, _words
from parity_data.verify._lookup import Beginnings, Bits
from parity_data.verify._words import I64, U64, Key, Words

Bools = npt.NDArray[np.bool_]

#: A column by table and name.
ColumnKey = tuple[Name, str]

#: Shorter values say nothing. Three characters of three bytes each (CJK) say as much as more letters.
MIN_CHARACTERS = 4
_MIN_WIDE_BYTES = 9

#: The rows a value was seen in.
COUNT = np.uint64(0b1111)
#: E-mail addresses and long numbers: telling wherever they stand.
IDENTIFIER = np.uint64(1 << 4)
#: Several words that are not all everyday ones, or a word with digits: recognisable inside a longer text.
TELLING_INSIDE = np.uint64(1 << 5)
SHIFT = np.uint64(6)

_IDENTIFIER_DIGITS = 9
_TELLING_WORD = 6
_TELLING_WORDS = 8
#: Dates and times: all databases share them.
_DATE = r"^\s*(?:(?:19|20)\d\d[-/.]\d\d?[-/.]\d\d?|\d\d?[-/.]\d\d?[-/.](?:19|20)\d\d)(?:$|[\sT])"

#: Runs of up to this many words are looked for inside texts; longer values only as a whole.
MAX_RUN = 8
#: Longer values count as this long.
MAX_CHARACTERS = 4096

#: Values looked at for repeats, and the share of them from which on it pays to take each once.
_SAMPLE, _REPEATED = 1_024, 0.2

#: Bits of the set of everyday words, a thousand.
_COMMON = 20

#: Columns whose digests are put in order side by side; each takes its own memory while it is sorted.
_SORTERS = 2

#: Rows hashed at once, which bounds memory.
ROWS_AT_ONCE = 250_000


class ValueDigests:
    """Digests of production's values by column. Adding is thread-safe; instances can be pickled and merged.

    Add columns whose mask replaces every value by one from elsewhere. Columns whose mask leaves some
    values as they are on purpose (free text, shuffles, JSON by path) would make each of these a leak: of
    them add only what must go.
    """

    def __init__(self, secret: bytes | None = None) -> None:
        """secret: 16 random bytes or more, the same wherever digests are to be merged; fresh by default."""
        self._secret = secret or secrets.token_bytes(32)
        self.key = Key.derive(self._secret)
        self._columns: dict[ColumnKey, list[U64]] = {}
        self._run_sizes: set[int] = set()
        self._buckets: dict[ColumnKey, Counter[int]] = {}
        #: Of what can be told inside longer texts.
        self.beginnings = Beginnings()
        self._kept: list[U64] = []
        self._lock = threading.Lock()

    def add(self, column: ColumnKey, values: pl.Series) -> None:
        """Take up a batch of raw values (Series of String, or what casts to it); NULLs are skipped."""
        self._add(column, self._read(values))

    def add_replaced(self, column: ColumnKey, raw: pa.Array, masked: pa.Array) -> None:
        """Take up those of n raw values that became others. Both are large strings."""
        self._add(column, self._read_replaced(raw, masked))

    def _add(self, column: ColumnKey, batches: Iterator[_Read]) -> None:
        for read in batches:
            telling = self._mark(read)
            packed = _sorted(read.counting)
            # Repeats count, too, where there are few: how many are different in all is known afterwards.
            numbers = bucket_numbers(read.sizes, read.characters)[read.long_enough]
            buckets, seen = np.unique(numbers, return_counts=True)
            sizes = np.flatnonzero(np.bincount(read.sizes[telling]))
            with self._lock:
                self.beginnings.add(read.words, telling, self.key)
                _append(self._columns.setdefault(column, []), packed)
                self._run_sizes.update(sizes.tolist())
                found = self._buckets.setdefault(column, Counter())
                found.update(dict(zip(buckets.tolist(), seen.tolist(), strict=True)))

    def add_kept(self, values: pl.Series) -> None:
        """Take up values that the rules leave as they are: finding one of them anywhere proves nothing."""
        for read in self._read(values):
            packed = _sorted(read.counting)
            with self._lock:
                _append(self._kept, packed)

    def merge(self, others: Collection[ValueDigests]) -> None:
        """Take up all that other instances of the same secret have. Raises ParityError for other secrets."""
        if any(other._secret != self._secret for other in others):
            raise ParityError("Digests made with different keys cannot be merged.")
        with self._lock:
            mine, theirs = [self._kept], [[part for other in others for part in other._kept]]
            for column in {column: None for other in others for column in other._columns}:
                mine.append(self._columns.setdefault(column, []))
                theirs.append([part for other in others for part in other._columns.get(column, ())])
            for other in others:
                for column, found in other._buckets.items():
                    self._buckets.setdefault(column, Counter()).update(found)
                self._run_sizes |= other._run_sizes
                self.beginnings.merge(other.beginnings)
            # Sorting releases the interpreter's lock.
            with ThreadPoolExecutor(_SORTERS, thread_name_prefix="digests") as pool:
                list(pool.map(_extend, mine, theirs))

    @property
    def columns(self) -> tuple[ColumnKey, ...]:
        return tuple(sorted(self._columns))

    @property
    def run_sizes(self) -> tuple[int, ...]:
        """How many words the values have that can be told inside longer texts, each number once."""
        return tuple(sorted(self._run_sizes))

    def bucket_sizes(self, column: ColumnKey) -> dict[int, int]:
        """About how many different values have so many words and characters, by ``bucket_numbers``."""
        buckets = self._buckets.get(column, Counter())
        # Batches share values: what was counted in each is scaled to what is different in all.
        scale = self.packed(column).size / max(1, buckets.total())
        return {bucket: math.ceil(count * scale) for bucket, count in buckets.items()}

    def packed(self, column: ColumnKey) -> U64:
        """A column's digests with marks and counts, sorted, each digest once."""
        with self._lock:
            return _whole(self._columns.get(column, []))

    def packed_kept(self) -> U64:
        """The same for what was given to ``add_kept``."""
        with self._lock:
            return _whole(self._kept)

    def __len__(self) -> int:
        return sum(self.packed(column).size for column in self._columns)

    def __getstate__(self) -> dict[str, Any]:
        with self._lock:
            return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()

    @cached_property
    def _common(self) -> Bits:
        """Everyday words."""
        found = Bits(_COMMON)
        found.add(_words.split(pl.Series(sorted(common())), self.key).hashes)
        return found

    def _everyday(self, words: Words, some: Bools) -> Bools:
        """Which of the texts marked in ``some`` are made of everyday words alone."""
        found = some.copy()
        _digest_loops.find_made_of(words.hashes, words.starts, self._common.bits, self._common.mask, found)
        return found

    def _read(self, values: pl.Series) -> Iterator[_Read]:
        """Batches of values long enough to say anything, with their digests; marks are still to be set."""
        for start in range(0, len(values), ROWS_AT_ONCE):
            flat = Flat.of(as_text(values[start : start + ROWS_AT_ONCE]).drop_nulls())
            yield self._digested(flat, np.ones(len(flat), np.bool_))

    def _read_replaced(self, raw: pa.Array, masked: pa.Array) -> Iterator[_Read]:
        """The same of those of n raw values that became others."""
        for start in range(0, len(raw), ROWS_AT_ONCE):
            before, after = (values.slice(start, ROWS_AT_ONCE) for values in (raw, masked))
            flat = Flat.of_arrow(before)
            some = ~_equal(flat, Flat.of_arrow(after))
            if after.null_count:
                some |= after.is_null().to_numpy(zero_copy_only=False)
            if before.null_count:
                some &= before.is_valid().to_numpy(zero_copy_only=False)
            yield self._digested(flat, some)

    def _digested(self, values: Flat, some: Bools) -> _Read:
        """Those of n values that say anything, with their digests. some: others are left out."""
        texts, rows = counted(values.filter(_says_something(values, some)))
        words = _words.split(texts if _is_normal(texts) else _words.normal(texts.series()), self.key)
        digests, sizes, characters = _words.whole(words, self.key)
        seen = np.minimum(rows[words.rows], int(COUNT)).astype(np.uint64)
        long_enough = characters >= MIN_CHARACTERS
        long_enough |= words.flat.lengths[words.rows] >= _MIN_WIDE_BYTES
        return _Read(words, sizes, characters, (digests >> SHIFT) << SHIFT | seen, long_enough)

    def _mark(self, read: _Read) -> Bools:
        """Set the marks, and say which values can be told inside longer texts."""
        digits, sizes, characters = read.words.digits, read.sizes, read.characters
        identifier = _hold(read.words.flat, "@")[read.words.rows] | (digits >= _IDENTIFIER_DIGITS)
        telling: Bools = read.long_enough & np.where(
            sizes == 1,
            (digits > 0) & (characters >= _TELLING_WORD),
            (characters >= _TELLING_WORDS) & (sizes <= MAX_RUN),
        )
        telling &= ~self._everyday(read.words, telling & (sizes > 1))
        read.packed[identifier] |= IDENTIFIER
        read.packed[telling] |= TELLING_INSIDE
        return telling


@dataclass(frozen=True)
class _Read:
    """n values. packed: digest and count of each; long_enough: which of them count."""

    words: Words
    sizes: I64
    characters: I64
    packed: U64
    long_enough: Bools

    @property
    def counting(self) -> U64:
        """Digests and counts of those that count."""
        return self.packed[self.long_enough]


def _equal(one: Flat, other: Flat) -> Bools:
    """Which of n texts are equal."""
    found = np.empty(len(one.offsets) - 1, np.bool_)
    _pair_loops.find_equal(one.data.ctypes.data, one.offsets, other.data.ctypes.data, other.offsets, found)
    return found


def _says_something(values: Flat, some: Bools) -> Bools:
    """Which of some of n values are long enough, and not a date."""
    data, places = values.data.ctypes.data, values.offsets
    enough, dated = np.empty((2, len(values)), np.bool_)
    _digest_loops.find_long(data, places, MIN_CHARACTERS, _MIN_WIDE_BYTES, enough)
    enough &= some
    _digest_loops.find_dated(data, places, dated)
    dated &= enough
    if dated.any():
        enough[dated] = ~values.filter(dated).series().str.contains(_DATE).to_numpy()
    return enough


def _is_normal(flat: Flat) -> bool:
    """Whether texts are ASCII without any percent-escape, and so as ``_words.normal`` would make them."""
    data = flat.data
    return not data.size or (int(data.max()) < 0x80 and not (data == ord("%")).any())


def _hold(flat: Flat, character: str) -> Bools:
    """Which of n texts hold a character of ASCII."""
    found = np.empty(len(flat.offsets) - 1, np.bool_)
    _digest_loops.find_byte(flat.data.ctypes.data, flat.offsets, ord(character), found)
    return found


def bucket_numbers(sizes: I64, characters: I64) -> I64:
    """One number for (words, characters): values that may be mistaken for one another by chance."""
    return np.minimum(sizes, MAX_CHARACTERS) * MAX_CHARACTERS + np.minimum(characters, MAX_CHARACTERS - 1)


def as_text(values: pl.Series) -> pl.Series:
    """Values as String; lists give their elements, one below the other."""
    while isinstance(values.dtype, pl.List | pl.Array):
        values = values.explode()
    return values if values.dtype == pl.String else values.cast(pl.String)


def counted(values: Flat) -> tuple[Flat, I64]:
    """Values and in how many rows each is: once each where the first of them repeat, else as they are."""
    first = values.head(_SAMPLE)
    if first.series().n_unique() > len(first) * (1 - _REPEATED):
        return values, np.ones(len(values), np.int64)
    found = values.series().rename("value").value_counts(name="rows")
    return Flat.of(found["value"]), found["rows"].to_numpy().astype(np.int64)


def counts(packed: U64) -> U64:
    """In how many rows each value was seen, 15 for 15 or more."""
    return packed & COUNT


def _append(parts: list[U64], packed: U64) -> None:
    """Add one sorted part, merging parts of like size, so that there are few and each value is held once."""
    parts.append(packed)
    while len(parts) > 1 and parts[-2].size <= 2 * parts[-1].size:
        parts[-2:] = [_merged(*parts[-2:])]


def _extend(parts: list[U64], more: list[U64]) -> None:
    if more:
        _append(parts, _whole(more))


def _whole(parts: list[U64]) -> U64:
    """All parts as one, which takes their place."""
    while len(parts) > 1:
        parts[-2:] = [_merged(*parts[-2:])]
    return parts[0] if parts else np.empty(0, np.uint64)


def _merged(one: U64, other: U64) -> U64:
    """Two sorted parts as one in which each digest is once."""
    packed = np.empty(one.size + other.size, np.uint64)
    return _shrunk(packed, _digest_loops.merge(one, other, SHIFT, COUNT, packed))


def _sorted(packed: U64) -> U64:
    """Digests as a part: sorted, each once."""
    packed = np.sort(packed)
    return _shrunk(packed, _digest_loops.join(packed, SHIFT, COUNT))


def _shrunk(packed: U64, size: int) -> U64:
    # A view would keep the memory of all.
    return packed if size == packed.size else packed[:size].copy()
