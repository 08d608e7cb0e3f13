"""The token cipher: a keyed bijection on strings of one shape.

Letters move within script, case, vowel or consonant and UTF-8 length, digits within digits; everything else
stays. So code points, grapheme clusters, bytes, case and normal form stay what they are. Small shapes go by
table, others by FF1 in mixed radix; long tokens in chunks, where the first takes a digest of all others as
tweak and the others take the first: a change anywhere changes everything, and it can be undone.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from parity_data.mask.cipher import shapes
from parity_data.mask.cipher.alphabet import MARK, Alphabets, alphabets, restricted
from parity_data.mask.cipher.ff1 import BulkFF1
from parity_data.mask.cipher.flat import Bytes, Flat, Ints, code_points, ragged, utf8
from parity_data.mask.cipher.permutation import TABLES

U64 = npt.NDArray[np.uint64]

#: Alphabets larger than this hold no letter that composes with a mark.
_COMPOSING_ALPHABETS = 500
#: Marks after one letter that are looked at.
_MARKS = 30


class TokenCipher:
    """The cipher of one masking domain. Safe to share between threads.

    key: 32 bytes. table: which characters stand for each other, all scripts' letters and digits by default.
    """

    def __init__(self, key: bytes, table: Alphabets | None = None) -> None:
        self._key = key
        self._table = table or alphabets()
        self._ff1 = BulkFF1(key)
        self._shape = lru_cache(maxsize=100_000)(self._make_shape)
        self._extra = _ExtraAlphabets(self._table)

    def tokens(self, values: pl.Series, cuts: tuple[int, ...] = ()) -> pl.Series:
        """Mask word by word: every run of letters, and every run of digits, for itself.

        values: String Series of length n without NULLs. Equal words, up to case, become equal words.
        cuts: numbers of letters after which a word is cut in two, negative ones counted from its end.
        """
        return self._by_rows(values, whole=False, cuts=cuts)

    def whole(self, values: pl.Series, kept: Ints | None = None) -> pl.Series:
        """Mask each value's letters and digits as one token, whatever stands between them.

        kept: leading letters and digits of each value that stay, n numbers.
        """
        return self._by_rows(values, whole=True, kept=kept)

    def _by_rows(
        self, values: pl.Series, whole: bool, kept: Ints | None = None, cuts: tuple[int, ...] = ()
    ) -> pl.Series:
        if not values.len():
            return values
        flat = Flat.of(values)
        ascii_only = not flat.data.size or int(flat.data.max()) < 0x80
        text = (_Ascii if ascii_only else _Unicode)(flat.data, self._table)
        places = np.flatnonzero(text.kinds)
        if not len(places):
            return values
        row_ends = np.searchsorted(places, flat.offsets[1:])
        firsts = np.zeros(len(places), bool)
        row_starts = np.concatenate([[0], row_ends[:-1]])
        firsts[row_starts[row_starts < row_ends]] = True
        if kept is not None:
            places, firsts = _without_kept(text, places, row_starts, row_ends, kept)
            if not len(places):
                return values
        if not whole:
            kinds = text.kinds[places]
            firsts[1:] |= (np.diff(places) > 1) | (kinds[1:] != kinds[:-1])
            if cuts:
                _cut(firsts, text.letters[places], cuts)
        starts = np.flatnonzero(firsts)
        offsets = np.append(starts, len(places)).astype(np.int64)
        masked = self._distinct_tokens(text.folded[places], offsets)
        return flat.series(text.put(places, masked)).alias(values.name)

    def _distinct_tokens(self, data: Bytes, offsets: Ints) -> Bytes:
        """Mask n tokens, each once. Same lengths."""
        tokens = pa.LargeBinaryArray.from_buffers(
            pa.large_binary(), len(offsets) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(data)]
        )
        codes = tokens.dictionary_encode()
        distinct = Flat.of_arrow(codes.dictionary)
        masked = Flat(self._mask(distinct), distinct.offsets)
        taken = pc.take(
            pa.LargeBinaryArray.from_buffers(
                pa.large_binary(),
                len(codes.dictionary),
                [None, pa.py_buffer(np.ascontiguousarray(masked.offsets)), pa.py_buffer(masked.data)],
            ),
            codes.indices,
        )
        return Flat.of_arrow(taken).data

    def _mask(self, tokens: Flat) -> Bytes:
        """Mask distinct, folded tokens."""
        table = self._table
        if int(tokens.data.max()) < 0x80:
            points, offsets = tokens.data.astype(np.uint32), tokens.offsets
        else:
            points = code_points(tokens.data)
            leads = np.concatenate([[0], np.cumsum((tokens.data & 0xC0) != 0x80)])
            offsets = leads[tokens.offsets]
        of = table.of[points].astype(np.uint32)
        index = table.index[points].astype(np.uint64)
        if (of == MARK).any():
            self._extra.restrict(points, of, index, offsets)
        number, used = self._shapes(of, offsets)
        work = _Work.layout(number, used, offsets)
        numbers = np.add.reduceat(index * work.weight, work.slot_starts)
        self._small(numbers, work)
        self._large(numbers, work)
        places = numbers[work.slot] // work.weight % self._extra.size(of)
        new = self._extra.member(of, places.astype(np.int64))
        stays = of == MARK
        new[stays] = points[stays]
        return utf8(new) if len(points) != len(tokens.data) else new.astype(np.uint8)

    def _shapes(self, of: npt.NDArray[np.uint32], offsets: Ints) -> tuple[Ints, list[shapes.Shape]]:
        """The number of each token's shape, and the shapes."""
        coded = pa.LargeBinaryArray.from_buffers(
            pa.large_binary(), len(offsets) - 1, [None, pa.py_buffer(offsets * 4), pa.py_buffer(of)]
        ).dictionary_encode()
        used = [self._shape(name) for name in coded.dictionary.to_pylist()]
        return coded.indices.to_numpy().astype(np.int64), used

    def _make_shape(self, name: bytes) -> shapes.Shape:
        of = np.frombuffer(name, np.uint32)
        return shapes.make_shape(self._extra.size(of).tolist(), self._extra.stable_name(of))

    def _small(self, numbers: U64, work: _Work) -> None:
        """Shapes below a million: by table."""
        for shape, slots in work.by_small_shape():
            if shape.size > 1:
                numbers[slots] = TABLES.get(self._key, shape.digest, shape.size)[numbers[slots]]

    def _large(self, numbers: U64, work: _Work) -> None:
        """Other shapes: FF1, first chunk first."""
        chunks = work.large_chunks()
        if chunks is None:
            return
        digests = np.zeros((len(chunks.token), 2), np.uint64)
        rest = ~chunks.first
        if rest.any():
            blocks = self._blocks(chunks.number[rest], chunks.value(numbers)[rest])
            # The rest of a token as one digest: exclusive or of its chunks, each enciphered with its place.
            owner = np.cumsum(chunks.first)[rest] - 1
            for word in (0, 1):
                column = np.zeros(int(chunks.first.sum()), np.uint64)
                np.bitwise_xor.at(column, owner, blocks[:, word])
                digests[chunks.first, word] = column
        self._step(numbers, chunks, chunks.first, digests)
        if rest.any():
            leader = np.flatnonzero(chunks.first)[np.cumsum(chunks.first)[rest] - 1]
            digests[rest] = self._blocks(chunks.number[rest], chunks.value(numbers)[leader])
            self._step(numbers, chunks, rest, digests)

    def _blocks(self, number: Ints, value: U64) -> U64:
        """AES of (place of a chunk, a chunk's value), as (n, 2) words."""
        block = np.stack([number.astype(np.uint64) + np.uint64(1 << 40), value], axis=1)
        mac = self._ff1.aes(block.astype(">u8").view(np.uint8).reshape(-1, 16))
        words: U64 = mac.view(">u8").astype(np.uint64)
        return words

    def _step(self, numbers: U64, chunks: _Chunks, chosen: npt.NDArray[np.bool_], digests: U64) -> None:
        extra = digests[chosen].astype(">u8").view(np.uint8).reshape(-1, 16)
        state = self._ff1.state(chunks.heads[chosen], chunks.tweaks[chosen] ^ extra)
        a, b = chunks.slot[chosen], chunks.slot[chosen] + 1
        u, v = chunks.u[chosen], chunks.v[chosen]
        numbers[a], numbers[b] = self._ff1.step(numbers[a], numbers[b], u, v, state)


@dataclass(frozen=True)
class _Chunks:
    """Every chunk of every large token, in order. slot: of its left half."""

    token: Ints
    number: Ints
    first: npt.NDArray[np.bool_]
    slot: Ints
    u: U64
    v: U64
    heads: npt.NDArray[np.uint8]
    tweaks: npt.NDArray[np.uint8]

    def value(self, numbers: U64) -> U64:
        """Each chunk as one number below 2**64."""
        return numbers[self.slot] * self.v + numbers[self.slot + 1]


@dataclass(frozen=True)
class _Work:
    """Where the numbers of all tokens are. weight, slot: by position; slot_starts: by slot."""

    shape: Ints
    used: list[shapes.Shape]
    weight: U64
    slot: Ints
    slot_starts: Ints
    first_slot: Ints

    @classmethod
    def layout(cls, shape: Ints, used: list[shapes.Shape], offsets: Ints) -> _Work:
        lengths = np.diff(offsets)
        starts = np.concatenate([[0], np.cumsum([len(s.weight) for s in used])])[:-1]
        places = ragged(lengths, starts[shape])
        weight = np.concatenate([s.weight for s in used])[places]
        slots = np.array([s.slots for s in used], np.int64)[shape]
        first_slot = np.cumsum(slots) - slots
        slot = np.concatenate([s.slot for s in used])[places] + np.repeat(first_slot, lengths)
        slot_starts = np.flatnonzero(np.diff(slot, prepend=-1))
        return cls(shape, used, weight, slot, slot_starts, first_slot)

    def by_small_shape(self) -> list[tuple[shapes.Shape, Ints]]:
        """Each small shape with the slots of its tokens."""
        order = np.argsort(self.shape, kind="stable")
        bounds = np.searchsorted(self.shape[order], np.arange(len(self.used) + 1))
        return [
            (shape, self.first_slot[order[bounds[i] : bounds[i + 1]]])
            for i, shape in enumerate(self.used)
            if shape.size
        ]

    def large_chunks(self) -> _Chunks | None:
        counts = np.array([len(s.u) for s in self.used], np.int64)
        tokens = np.flatnonzero(counts[self.shape])
        if not len(tokens):
            return None
        shape = self.shape[tokens]
        many = counts[shape]
        starts = np.cumsum(counts) - counts
        places = ragged(many, starts[shape])
        number = ragged(many, np.zeros(len(many), np.int64))
        tweaks = np.frombuffer(b"".join(s.digest for s in self.used), np.uint8).reshape(-1, 16)
        return _Chunks(
            token=np.repeat(tokens, many),
            number=number,
            first=number == 0,
            slot=np.repeat(self.first_slot[tokens], many) + 2 * number,
            u=np.concatenate([s.u for s in self.used])[places],
            v=np.concatenate([s.v for s in self.used])[places],
            heads=np.concatenate([s.heads for s in self.used])[places],
            tweaks=tweaks[np.repeat(shape, many)],
        )


class _ExtraAlphabets:
    """Parts of alphabets that keep the normal form before certain marks, numbered as they turn up."""

    def __init__(self, table: Alphabets) -> None:
        self._table = table
        self._first = len(table.size)
        self._lock = threading.Lock()
        self._numbers: dict[tuple[int, ...], int] = {}
        self._names: list[bytes] = []
        self._sizes, self._starts, self._members = table.size, table.start, table.members

    def restrict(
        self,
        points: npt.NDArray[np.uint32],
        of: npt.NDArray[np.uint32],
        index: npt.NDArray[np.uint64],
        offsets: Ints,
    ) -> None:
        """Replace, in place, the alphabets of letters that a mark follows in the same token."""
        sizes = self._table.size
        letters = (of[:-1] > MARK) & (sizes[of[:-1]] < _COMPOSING_ALPHABETS)
        begins = np.zeros(len(of) + 1, bool)
        begins[offsets] = True
        follows = np.flatnonzero(letters & (of[1:] == MARK) & ~begins[1:-1])
        for place in follows.tolist():
            end = place + 1
            while end < len(of) and end <= place + _MARKS and of[end] == MARK and not begins[end]:
                end += 1
            marks = "".join(map(chr, points[place + 1 : end].tolist()))
            members = restricted(int(of[place]), marks, chr(points[place]))
            if len(members) < sizes[of[place]]:
                index[place] = members.index(int(points[place]))
                of[place] = self._number(members)

    def _number(self, members: tuple[int, ...]) -> int:
        with self._lock:
            number = self._numbers.get(members)
            if number is None:
                number = self._first + len(self._numbers)
                self._numbers[members] = number
                self._names.append(repr(members).encode())
                start = len(self._members)
                self._members = np.append(self._members, np.array(members, np.uint32))
                self._starts = np.append(self._starts, start)
                self._sizes = np.append(self._sizes, len(members))
            return number

    def size(self, of: npt.NDArray[np.uint32]) -> U64:
        sizes: U64 = np.where(of <= MARK, 1, self._sizes[of]).astype(np.uint64)
        return sizes

    def member(self, of: npt.NDArray[np.uint32], index: Ints) -> npt.NDArray[np.uint32]:
        """Code points by alphabet and place in it."""
        found: npt.NDArray[np.uint32] = self._members[self._starts[of] + index]
        return found

    def stable_name(self, of: npt.NDArray[np.uint32]) -> bytes:
        """A name of a sequence of alphabets that does not depend on the order in which they turned up."""
        if int(of.max()) < self._first:
            return of.tobytes()
        return b"|".join(
            self._names[n - self._first] if n >= self._first else str(n).encode() for n in of.tolist()
        )


def _without_kept(
    text: _Ascii | _Unicode, places: Ints, row_starts: Ints, row_ends: Ints, kept: Ints
) -> tuple[Ints, npt.NDArray[np.bool_]]:
    """Leave out the first ``kept`` characters of each row."""
    leads = text.leads[places]
    order = np.cumsum(leads)
    lengths = row_ends - row_starts
    before = np.concatenate([[0], order])[row_starts]
    stays = order > np.repeat(before + kept, lengths)
    rows = np.repeat(np.arange(len(lengths)), lengths)[stays]
    return places[stays], np.diff(rows, prepend=-1) > 0


def _cut(firsts: npt.NDArray[np.bool_], letters: npt.NDArray[np.bool_], cuts: tuple[int, ...]) -> None:
    """Let a new token begin, in place, at some letters of each run. letters: where a letter begins."""
    run = np.cumsum(firsts) - 1
    starts = np.flatnonzero(firsts)
    counts = np.add.reduceat(letters.astype(np.int64), starts)
    before = np.cumsum(counts) - counts
    order = np.cumsum(letters) - 1 - before[run]
    for cut in cuts:
        firsts |= letters & (order == (cut if cut > 0 else counts[run] + cut)) & (order > 0)


class _Ascii:
    """ASCII text, byte by byte."""

    def __init__(self, data: Bytes, table: Alphabets) -> None:
        self._data = data
        self.kinds = table.kind[:128][data]
        self.folded = table.fold[:128].astype(np.uint8)[data]

    @property
    def leads(self) -> npt.NDArray[np.bool_]:
        """Where a character begins."""
        return np.ones(len(self._data), bool)

    @property
    def letters(self) -> npt.NDArray[np.bool_]:
        """Where a letter begins."""
        letters: npt.NDArray[np.bool_] = self.kinds == 1
        return letters

    def put(self, places: Ints, masked: Bytes) -> Bytes:
        """The text with other, small letters at some places, in the case of the original."""
        out = self.folded.copy()
        out[places] = masked
        capital = self.folded != self._data
        out[capital] -= 32
        return out


class _Unicode:
    """Any text, byte by byte; kinds and folding go by code point."""

    def __init__(self, data: Bytes, table: Alphabets) -> None:
        self._table = table
        points = code_points(data)
        folded = table.fold[points]
        self._capital = folded != points
        self.leads = (data & 0xC0) != 0x80
        owner = np.cumsum(self.leads) - 1
        self.kinds = table.kind[points][owner]
        self.letters = ((table.kind[points] == 1) & (table.of[points] != MARK))[owner] & self.leads
        self.folded = utf8(folded)

    def put(self, places: Ints, masked: Bytes) -> Bytes:
        """The text with other, small letters at some places, in the case of the original."""
        out = self.folded.copy()
        out[places] = masked
        points = code_points(out)
        return utf8(np.where(self._capital, self._table.upper[points], points))
