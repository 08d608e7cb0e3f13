"""The token cipher: a keyed bijection on strings of one shape.

Letters move within script, case, vowel or consonant and UTF-8 length, digits within digits; everything else
stays. So code points, grapheme clusters, bytes, case and normal form stay what they are. Small shapes go by
table, others by FF1 in mixed radix; long tokens in chunks, where the first takes a digest of all others as
tweak and the others take the first: a change anywhere changes everything, and it can be undone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt
import polars as pl

from parity_data.mask.cipher import number_loops, word_loops
from parity_data.mask.cipher.alphabet import Alphabets, alphabets
from parity_data.mask.cipher.ff1 import BulkFF1
from parity_data.mask.cipher.flat import Flat, Ints
from parity_data.mask.cipher.marked import Groups, Marked, marked
from parity_data.mask.cipher.permutation import SMALL, TABLES
from parity_data.mask.cipher.pool import Pool
from parity_data.mask.cipher.remembered import SPLIT, Remembered

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
Halves = Callable[[U64, U64, U64, U64, U64], tuple[U64, U64]]

_NONE = np.zeros(0, np.int64)

#: Bytes of texts that are masked as wholes at once, and texts: what they are made into stays in the cache.
_AT_ONCE = 1 << 17


class TokenCipher:
    """The cipher of one masking domain. Safe to share between threads.

    key: 32 bytes. table: which characters stand for each other, all scripts' letters and digits by default.
    """

    def __init__(self, key: bytes, table: Alphabets | None = None) -> None:
        self._key = key
        self._table = table or alphabets()
        self._marked = marked() if table is None else Marked(self._table)
        self._ff1 = BulkFF1(key)
        seeds = hashlib.sha256(b"names of shapes" + key).digest()[:24]
        self._seed, *shapes = np.frombuffer(seeds, "<u8").astype(np.uint64)
        self._shape_seeds = np.array(shapes, np.uint64)
        self._memories = Pool(Remembered)

    def tokens(self, values: pl.Series, cuts: tuple[int, ...] = ()) -> pl.Series:
        """Mask word by word: every run of letters, and every run of digits, for itself.

        values: String Series of length n without NULLs. Equal words, up to case, become equal words.
        cuts: numbers of letters after which a word is cut in two, negative ones counted from its end.
        """
        letters = np.array(cuts, np.int64)
        return self._in_copy(values, lambda flat, out: self.mask_flat(out, flat.offsets, letters))

    def whole(self, values: pl.Series, kept: Ints | None = None) -> pl.Series:
        """Mask each value's letters and digits as one token, whatever stands between them.

        kept: leading letters and digits of each value that stay, n numbers.
        """
        stay = _NONE if kept is None else kept
        return self._in_copy(values, lambda flat, out: self.mask_whole(out, flat.offsets, stay))

    def before_last(
        self, char: str, values: pl.Series, cuts: tuple[int, ...] = ()
    ) -> tuple[pl.Series, pl.Series]:
        """Mask word by word what stands before the last of an ASCII character, which each of n values has.

        Returns (what was masked, the character included; the rest as it was).
        """
        flat = Flat.of(values)
        middle = np.empty(values.len(), np.int64)
        word_loops.after_last(flat.data, flat.offsets, ord(char), middle)
        first = flat.pieces(flat.offsets[:-1], middle)
        self.mask_flat(first.data, first.offsets, np.array(cuts, np.int64))
        return first.series(), flat.pieces(middle, flat.offsets[1:]).series()

    def _in_copy(self, values: pl.Series, mask: Callable[[Flat, U8], None]) -> pl.Series:
        if not values.len():
            return values
        flat = Flat.of(values)
        out = flat.data.copy()
        mask(flat, out)
        return flat.series(out).alias(values.name)

    def mask_flat(self, out: U8, offsets: Ints, cuts: Ints = _NONE) -> None:
        """``tokens`` of n texts given as bytes, changed in place. offsets: n + 1 places in ``out``."""
        table = self._table
        row: word_loops.Int = 0
        if int(np.diff(offsets).max()) > SPLIT:
            found = np.empty(len(offsets) + len(out) // SPLIT, np.int64)
            offsets = found[: word_loops.breaks(out, offsets, table.kind, SPLIT, found)]
        with self._memories.one() as memory:
            while True:
                known = memory.count
                row, count, waits = word_loops.find(
                    out, offsets, row, cuts, table.kind, table.fold, table.upper, table.of, self._seed,
                    memory.slots, memory.hashes, memory.bounds, memory.store, known,
                    memory.folded, memory.codes, memory.held, memory.words, memory.waiting,
                )  # fmt: skip
                memory.count = int(count)
                if memory.count > known:
                    self._encipher_words(memory.store, memory.bounds[known : memory.count + 1])
                    word_loops.put(out, memory.waiting[:waits], memory.store, table.fold, table.upper)
                if row == len(offsets) - 1:
                    memory.forget_long_texts()
                    return
                memory.make_room(int(offsets[row + 1] - offsets[row]))

    def mask_whole(self, out: U8, offsets: Ints, kept: Ints, times: Ints = _NONE) -> None:
        """``whole`` of n texts given as bytes, changed in place. offsets: n + 1 places in ``out``.

        times: how often each is masked, at least once; only for texts short enough for one chunk.
        """
        table = self._table
        kept = np.ascontiguousarray(kept, np.int64)
        row, room = 0, 1 + max(min(_AT_ONCE, len(out)), int(np.diff(offsets).max(initial=0)))
        points, alphabet, member = (np.empty(room, np.uint32) for _ in range(3))
        places, bounds = np.empty(room, np.int64), np.empty(min(_AT_ONCE, len(offsets)), np.int64)
        while row < len(offsets) - 1:
            texts, marks = word_loops.take(
                out, offsets, row, kept, table.kind, table.fold, table.of, table.index,
                points, alphabet, member, places, bounds,
            )  # fmt: skip
            ends = bounds[: texts + 1]
            size = int(ends[-1])
            steps = times[row : row + int(texts)]
            groups = self._encipher(points[:size], alphabet, member, ends, bool(marks), steps)
            word_loops.put_in_place(
                out, places[:size], points, alphabet, member, groups.start, groups.members,
                table.fold, table.upper,
            )  # fmt: skip
            row += int(texts)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("A cipher is made from its key where it is needed.")

    def _encipher_words(self, store: U8, bounds: Ints) -> None:
        """Encipher n words in a memory. bounds: of each and of the room for what it becomes, n + 1."""
        table = self._table
        size = int(bounds[-1] - bounds[0]) // 2
        points, alphabet, member = (np.empty(size, np.uint32) for _ in range(3))
        ends = np.empty(len(bounds), np.int64)
        marks = word_loops.unpack(store, bounds, table.of, table.index, points, alphabet, member, ends)
        groups = self._encipher(points, alphabet, member, ends, bool(marks))
        word_loops.spell(store, bounds, points, alphabet, member, ends, groups.start, groups.members)

    def _encipher(
        self, points: U32, alphabet: U32, member: U32, ends: Ints, marks: bool, times: Ints = _NONE
    ) -> Groups:
        """Encipher n words, given by their characters: the places in alphabets change, in place.

        ends: of each word among the characters, n + 1. marks: whether there are any. times: as in
        ``mask_whole``. Returns the alphabets.
        """
        if marks:
            self._marked.restrict(points, alphabet, member, ends)
        groups = self._marked.groups
        domain, chunks = np.empty(len(ends) - 1, np.int64), np.empty((len(ends) - 1, 2), np.int64)
        number, shape = np.empty(len(domain), np.uint64), np.empty((len(domain), 2), np.uint64)
        rest = number_loops.measure(
            alphabet, member, ends, groups.size, groups.name, groups.bits, self._shape_seeds, SMALL,
            domain, number, shape, chunks,
        )  # fmt: skip
        self._small(domain, number, shape, times)
        number_loops.spread_small(alphabet, member, ends, groups.size, groups.inverses, domain, number)
        large = np.flatnonzero(domain == 0)
        if len(large):
            room = len(large) + int(rest)
            where, halves = np.empty((room, 5), np.int64), np.empty((4, room), np.uint64)
            heads, tweaks = np.empty((room, 2), np.uint64), np.empty((room, 2), np.uint64)
            count = number_loops.cut(
                alphabet, member, ends, large, groups.size, groups.bits, shape, chunks,
                where, halves, heads, tweaks,
            )  # fmt: skip
            where, halves = where[:count], halves[:, :count]
            often = times[large] if len(times) else times
            self._large(len(large), where, halves, heads[:count], tweaks[:count], often)
            number_loops.spread_large(alphabet, member, groups.size, groups.inverses, where, halves)
        return groups

    def _small(self, domain: Ints, number: U64, shape: U64, times: Ints) -> None:
        """Shapes below a million: by table."""
        words = np.flatnonzero(domain > 1)
        if not len(words):
            return
        names = shape[words, 0]
        order = np.argsort(names, kind="stable")
        words, names = words[order], names[order]
        begins = np.flatnonzero(np.diff(names, prepend=~names[0]))
        for begin, end in zip(begins.tolist(), [*begins[1:].tolist(), len(words)], strict=True):
            one = words[begin]
            table = TABLES.get(self._key, shape[one].astype(">u8").tobytes(), int(domain[one]))
            number_loops.step_small(table, number, words[begin:end], times)

    def _large(self, words: int, where: Ints, halves: U64, heads: U64, tweaks: U64, times: Ints) -> None:
        """Other shapes: FF1. words: how many; their first chunks come before all others."""
        if len(where) == words:
            step = partial(self._ff1.step, times=times.astype(np.uint64)) if len(times) else self._ff1.step
            self._pass(halves, heads, tweaks, slice(words), step)
            return
        if len(times):
            raise ValueError("tokens of several chunks are masked once")
        # The rest of a token as one digest: exclusive or of its chunks, each enciphered with its place.
        number_loops.fold_rest(self._blocks(where, halves, words, led=False), where, words, tweaks)
        leads = np.zeros(words, np.bool_)
        leads[where[words:, 1]] = True
        # Tokens of several chunks are more than 2**48: that one of them stays as it is will not be seen.
        for some, cipher in ((leads, self._ff1.encrypt), (~leads, self._ff1.step)):
            if some.any():
                self._pass(halves, heads, tweaks, np.flatnonzero(some), cipher)
        tweaks[words:] ^= self._blocks(where, halves, words, led=True)
        self._pass(halves, heads, tweaks, slice(words, None), self._ff1.encrypt)

    def _blocks(self, where: Ints, halves: U64, first: int, *, led: bool) -> U64:
        """AES of (place of a chunk in its token, its number or its leader's), from chunk ``first`` on."""
        blocks = np.empty((len(where) - first, 2), np.uint64)
        number_loops.blocks_of(where, halves, first, led, blocks)
        return self._ff1.aes(_bytes(blocks)).view(np.uint64)

    def _pass(self, halves: U64, heads: U64, tweaks: U64, chosen: slice | Ints, cipher: Halves) -> None:
        state = self._ff1.state(_bytes(heads[chosen]), _bytes(tweaks[chosen]))
        a, b, u, v = halves[:, chosen]
        halves[0, chosen], halves[1, chosen] = cipher(a, b, u, v, state)


def _bytes(words: U64) -> U8:
    """Blocks of 16 bytes, of two words each."""
    return words.view(np.uint8)
