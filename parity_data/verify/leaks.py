"""Leak audit: no value that production holds in a masked column stands anywhere in staging.

Every staged value is compared as a whole; so is every string of JSON, arrays, hstore and markup, and
inside longer texts every few words in a row. Case, blanks, punctuation and normal form do not matter.

A match must mean something. A mask that permutes S possible values hits one of D production values by
chance n D / S times among n staged values; only more than that is a leak. Values seen in many rows
(flags, countries, common first names) prove nothing, and neither do values that staging rightfully holds
in a column the rules keep, unless they are e-mail addresses or long numbers; nor, inside longer texts, those
that consist of everyday words alone.
"""

from __future__ import annotations

import math
import threading
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from parity_data.mask.cipher.flat import Flat
from parity_data.verify import _chance, _digest_loops, _words
from parity_data.verify._lookup import Lookup, Runs
from parity_data.verify._words import I64, U64, Words
from parity_data.verify.digests import (
    COUNT,
    IDENTIFIER,
    MAX_CHARACTERS,
    ROWS_AT_ONCE,
    SHIFT,
    TELLING_INSIDE,
    ColumnKey,
    ValueDigests,
    as_text,
    bucket_numbers,
    counted,
    counts,
)
from parity_data.verify.leak_results import LeakHit

#: Values seen in this many rows of production or more belong to nobody: the small-cell rule of CMS.
SMALL_CELL = 11

#: A kept column that holds at least so many values of a masked one, and this share of them, is suspect.
_SUSPECT_VALUES = 20
_SUSPECT_SHARE = 0.5

_SHAPES = 3
_ANY = np.uint64(0)
_SHAPE_SAMPLE = 50

BoolArray = npt.NDArray[np.bool_]


@dataclass
class _Bucket:
    """Candidates of one staged column with the same number of words and characters.

    candidates: how many were compared. figures, others: what is known of those that are nothing but
    figures and of the others, who may be names beside telephone numbers in one document.
    """

    candidates: int = 0
    figures: _Kind = field(default_factory=lambda: _Kind())
    others: _Kind = field(default_factory=lambda: _Kind())
    hits: Counter[int] = field(default_factory=Counter)
    inside: set[int] = field(default_factory=set)
    shapes: dict[int, str] = field(default_factory=dict)

    def kinds(self) -> tuple[_Kind, _Kind]:
        return self.figures, self.others

    def take(
        self,
        words: Words,
        digests: U64,
        first: npt.NDArray[np.int64],
        size: int,
        rows: npt.NDArray[np.int64],
        figures: BoolArray,
    ) -> list[int]:
        """Take up n hits. first: first words; rows: staged rows each stands for. Returns their digests."""
        found: list[int] = (digests >> SHIFT).tolist()
        for kind, are in ((self.figures, figures), (self.others, ~figures)):
            kind.hits.update((digests[are] >> SHIFT).tolist())
        _add(self.hits, digests, rows)
        some = first[: _SHAPE_SAMPLE - len(self.shapes)]
        if len(some):
            self.shapes.update(zip(found, _shapes(words, some, size), strict=False))
        return found


@dataclass
class _Kind:
    """Candidates of one kind. share: of the bucket's; space: how many values a mask could have put there.

    Both as far as the staged values tell: the whole bucket and any value, until one was hit. hits: the
    bucket's that are of this kind.
    """

    share: float = 1.0
    space: float = math.inf
    hits: set[int] = field(default_factory=set)

    def look(
        self,
        words: Words,
        first: npt.NDArray[np.int64],
        size: int,
        candidates: int,
        *,
        figures: bool,
    ) -> None:
        """Learn from a batch: ``first`` are the first words of those of this kind among its candidates."""
        if first.size:
            share = first.size / candidates
            self.share = share if self.space == math.inf else max(self.share, share)
            self.space = min(self.space, _chance.space(words, first, size, figures=figures))


@dataclass
class _Scanned:
    """What is known of one staged column so far.

    values: staged values seen, not NULL. whole: compared as a whole, different ones of each batch.
    """

    values: int = 0
    whole: int = 0
    buckets: dict[int, _Bucket] = field(default_factory=lambda: defaultdict(_Bucket))

    def count(self, buckets: npt.NDArray[np.int64], candidates: npt.NDArray[np.int64]) -> None:
        """Take up how many candidates there are, by bucket."""
        for bucket, number in zip(buckets.tolist(), candidates.tolist(), strict=True):
            self.buckets[bucket].candidates += number


class LeakAudit:
    """Feed it every staged textual column, then ask for ``hits``. Several threads may feed it.

    kept: staged columns whose rule is keep. spaces: for production columns whose mask draws from a pool
    (a list of names, numbers with a fixed beginning), how many values there are to draw.
    """

    def __init__(
        self,
        digests: ValueDigests,
        *,
        kept: Collection[ColumnKey] = frozenset(),
        spaces: Mapping[ColumnKey, float] | None = None,
    ) -> None:
        self._key = digests.key
        self._sizes = digests.run_sizes
        self._by_column = {column: digests.packed(column) for column in digests.columns}
        self._bucket_sizes = {column: digests.bucket_sizes(column) for column in digests.columns}
        self._everything = _union(self._by_column.values())
        self._known = Lookup(self._everything, shift=SHIFT, count=COUNT)
        self._beginnings = digests.beginnings
        self._runs = np.zeros(max(self._sizes, default=0) + 1, dtype=np.bool_)
        self._runs[list(self._sizes)] = True
        self._kept_values = digests.packed_kept()
        self._kept_columns = frozenset(kept)
        self._held_by_kept: Counter[int] = Counter()
        self._lock = threading.Lock()
        self._spaces = dict(spaces or {})
        self._scanned: dict[ColumnKey, _Scanned] = defaultdict(_Scanned)

    def feed(self, column: ColumnKey, values: pl.Series) -> None:
        """Compare staged values (Series of String, lists, or what casts to String)."""
        for start in range(0, len(values), ROWS_AT_ONCE):
            self.feed_texts(column, Flat.of(as_text(values[start : start + ROWS_AT_ONCE]).drop_nulls()))

    def feed_texts(self, column: ColumnKey, texts: Flat) -> None:
        """Compare one batch of staged texts."""
        with self._lock:
            scanned = self._scanned[column]
            scanned.values += len(texts)
        if len(texts) and self._everything.size:
            self._feed(column, scanned, texts)

    @property
    def scanned(self) -> dict[ColumnKey, int]:
        """How many values of each staged column were compared."""
        return {column: scanned.values for column, scanned in sorted(self._scanned.items())}

    def hits(self) -> list[LeakHit]:
        """What chance does not explain, by staged column and production column."""
        found: list[LeakHit] = []
        bar = self._bar()
        for column, scanned in sorted(self._scanned.items()):
            hit = _hit_kinds(scanned)
            for source in self._by_column:
                found += self._judge(column, scanned, hit, source, bar)
        return found

    def _feed(self, column: ColumnKey, scanned: _Scanned, texts: Flat) -> None:
        texts, seen = counted(texts)
        words, where, plain = _words.read(texts, self._key)
        rows = seen[where][words.rows]
        digests, sizes, characters = _words.whole(words, self._key)
        hit = self._known.held(digests, _ANY, SMALL_CELL)
        candidates, held = self._known.runs(
            words, self._runs, self._beginnings, self._key, TELLING_INSIDE, SMALL_CELL, MAX_CHARACTERS - 1
        )
        buckets = bucket_numbers(sizes, characters)
        in_buckets = np.unique(buckets, return_counts=True)
        with self._lock:
            if column in self._kept_columns:
                # What stands inside a container is no value that the rules decided on.
                kept = hit & plain[words.rows]
                _add(self._held_by_kept, digests[kept], rows[kept])
            scanned.whole += digests.size
            scanned.count(*in_buckets)
            self._note_whole(scanned, words, digests, buckets, hit, rows)
            self._note_runs(scanned, words, candidates, held, rows)

    def _note_whole(
        self, scanned: _Scanned, words: Words, digests: U64, buckets: I64, hit: BoolArray, rows: I64
    ) -> None:
        """Take up which of n texts are held as a whole, and what their buckets tell of chance."""
        for bucket in np.unique(buckets[hit]).tolist():
            mine, size = np.flatnonzero(buckets == bucket), bucket // MAX_CHARACTERS
            noted, first, held = scanned.buckets[bucket], words.starts[mine], hit[mine]
            figures = _words.all_figures(words, first, size)
            noted.figures.look(words, first[figures], size, mine.size, figures=True)
            noted.others.look(words, first[~figures], size, mine.size, figures=False)
            noted.take(words, digests[mine[held]], first[held], size, rows[mine[held]], figures[held])

    def _note_runs(self, scanned: _Scanned, words: Words, candidates: I64, held: Runs, rows: I64) -> None:
        """The same for every few words in a row. candidates: how many, by (words, characters)."""
        scanned.count(bucket_numbers(*np.nonzero(candidates)), candidates[candidates > 0])
        for size in np.unique(held.sizes).tolist():
            firsts, lengths = _words.figure_runs(words, size)
            for characters in np.unique(held.characters[held.sizes == size]).tolist():
                noted = scanned.buckets[int(bucket_numbers(size, characters))]
                # Words of prose say nothing of how many names there are; figures within it are numbers, too.
                figures = firsts[np.minimum(lengths, MAX_CHARACTERS - 1) == characters]
                noted.figures.look(words, figures, size, int(candidates[size, characters]), figures=True)
                mine = (held.sizes == size) & (held.characters == characters)
                first = held.firsts[mine]
                figures = _words.all_figures(words, first, size)
                found = noted.take(words, held.digests[mine], first, size, rows[held.texts[mine]], figures)
                noted.inside.update(found)

    def _judge(
        self,
        column: ColumnKey,
        scanned: _Scanned,
        hit: Sequence[tuple[int, _Bucket, _Kind, U64]],
        source: ColumnKey,
        bar: _chance.Bar,
    ) -> list[LeakHit]:
        """A leak, or else a suspicious kept column, or nothing. hit: as of ``_hit_kinds``."""
        packed, sizes = self._by_column[source], self._bucket_sizes[source]
        leaks: list[tuple[_Bucket, list[int], float]] = []
        suspects: list[tuple[_Bucket, list[int], float]] = []
        for number, bucket, kind, digests in hit:
            found = _lookup(packed, digests)
            own = (counts(found) > 0) & (counts(found) < SMALL_CELL)
            if not own.any():
                continue
            exempt = own & self._exempt(digests, found)
            space = min(kind.space, self._spaces.get(source, math.inf))
            expected = _chance.expected(
                bucket.candidates * kind.share, sizes.get(number, 0), space, _characters(number)
            )
            leaking = (digests[own & ~exempt] >> SHIFT).tolist()
            if len(leaking) > bar.allows(expected):
                leaks.append((bucket, leaking, expected))
            if column in self._kept_columns and exempt.any():
                suspects.append((bucket, (digests[exempt] >> SHIFT).tolist(), expected))
        if leaks:
            return [_hit(column, source, leaks, kept=column in self._kept_columns)]
        held = sum(len(found) for _, found, _ in suspects)
        if held >= _SUSPECT_VALUES and held >= _SUSPECT_SHARE * scanned.whole:
            return [_hit(column, source, suspects, kept=True, question=True)]
        return []

    def _bar(self) -> _chance.Bar:
        """What is allowed by chance, over all that was compared in this run, hits or not."""
        total: Counter[int] = Counter()
        for sizes in self._bucket_sizes.values():
            total.update(sizes)
        return _chance.Bar(
            [
                _chance.expected(
                    bucket.candidates * kind.share, total[number], kind.space, _characters(number)
                )
                for scanned in self._scanned.values()
                for number, bucket in scanned.buckets.items()
                for kind in (bucket.kinds() if bucket.hits else bucket.kinds()[:1])
                if total[number]
            ]
        )

    def _exempt(self, digests: U64, found: U64) -> BoolArray:
        """Values that kept columns hold; identifiers only where many rows do."""
        given = counts(_lookup(self._kept_values, digests)).astype(np.int64)
        seen = [self._held_by_kept.get(digest, 0) for digest in (digests >> SHIFT).tolist()]
        rows = np.maximum(given, np.array(seen, dtype=np.int64))
        exempt: BoolArray = rows >= np.where((found & IDENTIFIER) != 0, SMALL_CELL, 1)
        return exempt


def _add(counter: Counter[int], digests: U64, rows: npt.NDArray[np.int64]) -> None:
    """Count n digests, each so often as it has rows."""
    once = rows == 1
    # Counter counts what it is given one by one without any Python.
    counter.update((digests[once] >> SHIFT).tolist())
    for digest, count in zip((digests[~once] >> SHIFT).tolist(), rows[~once].tolist(), strict=True):
        counter[digest] += count


def _hit_kinds(scanned: _Scanned) -> list[tuple[int, _Bucket, _Kind, U64]]:
    """(number, bucket, kind, digests in ascending order) of what was hit at all."""
    return [
        (number, bucket, kind, np.sort(np.fromiter(kind.hits, np.uint64, len(kind.hits))) << SHIFT)
        for number, bucket in sorted(scanned.buckets.items())
        for kind in bucket.kinds()
        if kind.hits
    ]


def _hit(
    column: ColumnKey,
    source: ColumnKey,
    parts: list[tuple[_Bucket, list[int], float]],
    *,
    kept: bool,
    question: bool = False,
) -> LeakHit:
    shapes = Counter(
        bucket.shapes[digest] for bucket, found, _ in parts for digest in found if digest in bucket.shapes
    )
    return LeakHit(
        staged=column,
        source=source,
        values=sum(len(found) for _, found, _ in parts),
        occurrences=sum(bucket.hits[digest] for bucket, found, _ in parts for digest in found),
        expected=sum(expected for _, _, expected in parts),
        shapes=tuple(shape for shape, _ in shapes.most_common(_SHAPES)),
        inside=all(digest in bucket.inside for bucket, found, _ in parts for digest in found),
        kept=kept,
        question=question,
    )


def _shapes(words: Words, first: npt.NDArray[np.int64], size: int) -> list[str]:
    """What runs of ``size`` words look like. first: the first word of each."""
    spelled = words.spelled((first[:, None] + np.arange(size)).ravel())
    shapes = spelled.str.replace_all(r"\p{N}", "N").str.replace_all(r"[^N]", "L").to_list()
    return [" ".join(shapes[at : at + size]) for at in range(0, len(shapes), size)]


def _characters(bucket: int) -> int:
    return bucket % MAX_CHARACTERS


def _lookup(packed: U64, digests: U64) -> U64:
    """What a sorted packed array holds of each digest, 0 where it holds nothing."""
    if not packed.size:
        return np.zeros(digests.size, dtype=np.uint64)
    wanted = digests >> SHIFT
    at = np.minimum(np.searchsorted(packed, wanted << SHIFT), packed.size - 1)
    return np.where(packed[at] >> SHIFT == wanted, packed[at], np.uint64(0))


def _union(columns: Iterable[U64]) -> U64:
    """All digests, each once, with its smallest count and all its marks."""
    packed = np.concatenate([np.empty(0, np.uint64), *columns])
    if not packed.size:
        return packed
    packed.sort()
    return packed[: _digest_loops.unite(packed, SHIFT, COUNT)].copy()
