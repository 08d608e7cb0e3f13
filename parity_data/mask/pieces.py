"""Texts cut into spans and what stands between them, all of a batch in one table."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pyarrow as pa

from parity_data.mask.cipher.flat import Flat, Ints, ragged

#: Kind of what is no span.
OPEN = -1

#: Characters of the text before a span that are looked at.
_BEFORE = 32

#: Judges candidates: (distinct texts, text before each) -> kind of each, OPEN for none, and how many of its
#: characters are the span.
Judge = Callable[[list[str], list[str]], tuple[list[int], list[int]]]


class Pieces:
    """The pieces of n texts, in order. row: the text of each; kind: OPEN, or the kind of span; text: Series.

    method: how each span was found, by number.
    """

    def __init__(self, texts: pl.Series) -> None:
        self.n = texts.len()
        self.row: Ints = np.arange(self.n)
        self.kind: Ints = np.full(self.n, OPEN)
        self.method: Ints = np.zeros(self.n, np.int64)
        self.text = texts

    def mark(self, pattern: str, judge: Judge, method: int, trigger: str) -> None:
        """Cut out what a pattern matches and a judge takes for a span. trigger: what must match before."""
        places = np.flatnonzero(self.kind == OPEN)
        texts = self.text.gather(places)
        maybe = texts.str.contains(trigger).to_numpy()
        if not maybe.any():
            return
        places, texts = places[maybe], texts.filter(maybe)
        parts = texts.str.replace_all(pattern, "\0${0}\0").str.split("\0")
        counts = parts.list.len().to_numpy().astype(np.int64)
        if not (counts > 1).any():
            return
        flat = parts.explode()
        number = ragged(counts, np.zeros(len(counts), np.int64))
        candidates = np.flatnonzero(number % 2 == 1)
        spans = flat.gather(candidates)
        before = flat.gather(candidates - 1).str.tail(_BEFORE)
        kinds, lengths = _judged(spans, before, judge)
        kind = np.full(flat.len(), OPEN)
        kind[candidates] = kinds
        flat, counts, kind = _shortened(flat, counts, kind, candidates, lengths)
        self._insert(places, counts, flat, kind, method)
        if (kinds == OPEN).any():
            self.join_open()

    def cut(self, start: Ints, end: Ints, kind: Ints, method: int) -> None:
        """Cut out spans, in order, apart from each other. start, end: bytes through all open pieces."""
        if not len(start):
            return
        places = np.flatnonzero(self.kind == OPEN)
        flat = Flat.of(self.text.gather(places))
        edges = np.concatenate([flat.offsets, start, end])
        what = np.concatenate([np.full(len(flat.offsets), OPEN), kind, np.full(len(end), OPEN)])
        # A span's beginning comes after everything else that stands at the same byte.
        order = np.lexsort(
            (np.concatenate([np.ones(len(flat.offsets)), np.full(len(kind), 2), np.zeros(len(end))]), edges)
        )
        edges, what = edges[order], what[order]
        lengths = np.diff(edges)
        filled = lengths > 0
        pieces = Flat(flat.data, np.append(edges[:-1][filled], edges[-1]))
        owner = np.searchsorted(flat.offsets, edges[:-1][filled], side="right") - 1
        counts = np.bincount(owner, minlength=len(places))
        touched = counts > 0
        text = pieces.series()
        self._insert(places[touched], counts[touched], text, what[:-1][filled], method)

    def join_open(self) -> None:
        """Join open pieces that follow each other in one text."""
        same = (self.row[1:] == self.row[:-1]) & (self.kind[1:] == OPEN) & (self.kind[:-1] == OPEN)
        if not same.any():
            return
        first = np.concatenate([[True], ~same])
        starts = np.flatnonzero(first)
        self.text = _joined(self.text, np.append(starts, len(first)))
        self.row, self.kind, self.method = self.row[starts], self.kind[starts], self.method[starts]

    def joined(self, pieces: pl.Series) -> pl.Series:
        """n texts made of other pieces."""
        return _joined(pieces, np.searchsorted(self.row, np.arange(self.n + 1)))

    def _insert(self, places: Ints, counts: Ints, text: pl.Series, kind: Ints, method: int) -> None:
        """Put counts[i] pieces in the place of piece places[i]."""
        sizes = np.ones(len(self.row), np.int64)
        sizes[places] = counts
        owner = np.repeat(np.arange(len(self.row)), sizes)
        new = np.zeros(len(self.row), bool)
        new[places] = True
        inserted = new[owner]
        source = np.where(inserted, np.cumsum(inserted) - 1 + len(self.row), owner)
        self.text = pl.concat([self.text, text]).gather(source)
        kinds = np.concatenate([self.kind, kind])
        methods = np.concatenate([self.method, np.full(len(kind), method)])
        self.row, self.kind, self.method = self.row[owner], kinds[source], methods[source]


def _judged(spans: pl.Series, before: pl.Series, judge: Judge) -> tuple[Ints, Ints]:
    """Kind and length of every candidate, each different (text, text before) judged once."""
    frame = pl.DataFrame({"span": spans, "before": before})
    distinct = frame.unique(maintain_order=True)
    kinds, lengths = judge(distinct["span"].to_list(), distinct["before"].to_list())
    known = distinct.with_columns(
        kind=pl.Series(kinds, dtype=pl.Int64), length=pl.Series(lengths, dtype=pl.Int64)
    )
    found = frame.join(known, on=["span", "before"], how="left", maintain_order="left")
    return found["kind"].to_numpy(), found["length"].to_numpy()


def _shortened(
    flat: pl.Series, counts: Ints, kind: Ints, candidates: Ints, lengths: Ints
) -> tuple[pl.Series, Ints, Ints]:
    """Give what a span does not use of its candidate to the piece after it."""
    whole = flat.gather(candidates).str.len_chars().to_numpy()
    short = np.flatnonzero((lengths < whole) & (kind[candidates] != OPEN))
    if not len(short):
        return flat, counts, kind
    at, used = candidates[short], pl.Series(lengths[short])
    span = flat.gather(at)
    flat = flat.scatter(at + 1, span.str.slice(used) + flat.gather(at + 1)).scatter(
        at, span.str.slice(0, used)
    )
    return flat, counts, kind


def _joined(pieces: pl.Series, starts: Ints) -> pl.Series:
    lists = pa.LargeListArray.from_arrays(
        starts.astype(np.int64), pieces.to_arrow(compat_level=pl.CompatLevel.oldest())
    )
    return pl.Series("", lists).list.join("")
