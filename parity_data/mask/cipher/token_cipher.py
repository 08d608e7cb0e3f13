"""The token cipher: a keyed bijection on strings of one shape.

Letters move within script, case, vowel or consonant and UTF-8 length, digits within digits; everything else
stays. So code points, grapheme clusters, bytes, case and normal form stay what they are. Small shapes go by
table, others by FF1 in mixed radix; long tokens in chunks, where the first takes a digest of all others as
tweak and the others take the first: a change anywhere changes everything, and it can be undone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import polars as pl

from parity_data.mask.cipher import number_loops, word_loops
from parity_data.mask.cipher.alphabet import Alphabets, alphabets
from parity_data.mask.cipher.ff1 import BulkFF1
from parity_data.mask.cipher.flat import Flat, Ints
from parity_data.mask.cipher.marked import Marked, marked
from parity_data.mask.cipher.permutation import SMALL, TABLES
from parity_data.mask.cipher.remembered import SPLIT, Remembered

U64 = npt.NDArray[np.uint64]
Halves = Callable[[U64, U64, U64, U64, U64], tuple[U64, U64]]

_NONE = np.zeros(0, np.int64)


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
        self._memories: list[Remembered] = []

    def tokens(self, values: pl.Series, cuts: tuple[int, ...] = ()) -> pl.Series:
        """Mask word by word: every run of letters, and every run of digits, for itself.

        values: String Series of length n without NULLs. Equal words, up to case, become equal words.
        cuts: numbers of letters after which a word is cut in two, negative ones counted from its end.
        """
        return self._by_rows(values, whole=False, cuts=np.array(cuts, np.int64))

    def whole(self, values: pl.Series, kept: Ints | None = None) -> pl.Series:
        """Mask each value's letters and digits as one token, whatever stands between them.

        kept: leading letters and digits of each value that stay, n numbers.
        """
        return self._by_rows(values, whole=True, kept=_NONE if kept is None else kept)

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
        self.mask_flat(first.data, first.offsets, cuts=np.array(cuts, np.int64))
        return first.series(), flat.pieces(middle, flat.offsets[1:]).series()

    def _by_rows(self, values: pl.Series, whole: bool, kept: Ints = _NONE, cuts: Ints = _NONE) -> pl.Series:
        if not values.len():
            return values
        flat = Flat.of(values)
        out = flat.data.copy()
        self.mask_flat(out, flat.offsets, whole, kept, cuts)
        return flat.series(out).alias(values.name)

    def mask_flat(
        self,
        out: npt.NDArray[np.uint8],
        offsets: Ints,
        whole: bool = False,
        kept: Ints = _NONE,
        cuts: Ints = _NONE,
    ) -> None:
        """The same for n texts given as bytes, changed in place. offsets: n + 1 places in ``out``."""
        table = self._table
        row: word_loops.Int = 0
        kept = np.ascontiguousarray(kept, np.int64)
        if not whole and int(np.diff(offsets).max()) > SPLIT:
            found = np.empty(len(offsets) + len(out) // SPLIT, np.int64)
            offsets = found[: word_loops.breaks(out, offsets, table.kind, SPLIT, found)]
        with self._memory() as memory:
            while True:
                known = memory.count
                row, count, waits = word_loops.find(
                    out, offsets, row, whole, kept, cuts,
                    table.kind, table.fold, table.upper, table.of, self._seed,
                    memory.slots, memory.hashes, memory.bounds, memory.store, known,
                    memory.folded, memory.codes, memory.held, memory.words, memory.pieces, memory.waiting,
                )  # fmt: skip
                memory.count = int(count)
                if memory.count > known:
                    self._encipher(memory, known)
                    word_loops.put(out, memory.waiting[:waits], memory.store, table.fold, table.upper)
                if row == len(offsets) - 1:
                    return
                memory.make_room(int(offsets[row + 1] - offsets[row]))

    @contextmanager
    def _memory(self) -> Iterator[Remembered]:
        """A memory that no other thread has."""
        try:
            memory = self._memories.pop()
        except IndexError:
            memory = Remembered()
        # After an exception it may hold words that were never enciphered, so it does not come back.
        yield memory
        if memory.worth_keeping:
            self._memories.append(memory)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("A cipher is made from its key where it is needed.")

    def _encipher(self, memory: Remembered, first: int) -> None:
        """Encipher the words from ``first`` on."""
        table = self._table
        bounds = memory.bounds[first : memory.count + 1]
        size = int(bounds[-1] - bounds[0])
        points, alphabet, member = (np.empty(size, np.uint32) for _ in range(3))
        ends = np.empty(len(bounds), np.int64)
        if word_loops.unpack(memory.store, bounds, table.of, table.index, points, alphabet, member, ends):
            self._marked.restrict(points, alphabet, member, ends)
        groups = self._marked.groups
        domain = np.empty(len(bounds) - 1, np.int64)
        number = np.empty(len(domain), np.uint64)
        shape = np.empty((len(domain), 2), np.uint64)
        number_loops.measure(
            alphabet, member, ends, groups.size, groups.name, self._shape_seeds, SMALL, domain, number, shape
        )
        self._small(domain, number, shape)
        place = (memory.store, bounds, alphabet, points)
        word_loops.spell_small(*place, ends, groups.size, groups.start, groups.members, domain, number)
        large = np.flatnonzero(domain == 0)
        if not len(large):
            return
        chunks = number_loops.count_chunks(alphabet, ends, large, groups.bits)
        where = np.empty((chunks, 5), np.int64)
        halves = np.empty((4, chunks), np.uint64)
        heads, tweaks = np.empty((chunks, 2), np.uint64), np.empty((chunks, 2), np.uint64)
        number_loops.cut(
            alphabet, member, ends, large, groups.size, groups.bits, shape,
            where, halves, heads, tweaks,
        )  # fmt: skip
        self._large(where, halves, heads, tweaks)
        word_loops.spell_large(*place, groups.size, groups.start, groups.members, large, where, halves)

    def _small(self, domain: Ints, number: U64, shape: U64) -> None:
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
            number_loops.step_small(table, number, words[begin:end])

    def _large(self, where: Ints, halves: U64, heads: U64, tweaks: U64) -> None:
        """Other shapes: FF1, first chunk first."""
        first = where[:, 0] == 0
        rest = np.flatnonzero(~first)
        leads = np.flatnonzero(first) if len(rest) else slice(None)
        if len(rest):
            # The rest of a token as one digest: exclusive or of its chunks, each enciphered with its place.
            number_loops.fold_rest(self._blocks(where, halves, rest, rest), rest, where, tweaks)
        self._pass(halves, heads, tweaks, leads, self._ff1.step)
        if len(rest):
            # A token whose first chunk has changed has changed: the others need not step.
            tweaks[rest] ^= self._blocks(where, halves, rest, where[rest, 1])
            self._pass(halves, heads, tweaks, rest, self._ff1.encrypt)

    def _blocks(self, where: Ints, halves: U64, chunks: Ints, of: Ints) -> U64:
        """AES of (place of a chunk in its token, the number of another), as (n, 2) words."""
        a, b, _, v = halves[:, of]
        block = np.stack([where[chunks, 0].astype(np.uint64) + np.uint64(1 << 40), a * v + b], axis=1)
        return self._ff1.aes(_bytes(block)).view(">u8").astype(np.uint64)

    def _pass(self, halves: U64, heads: U64, tweaks: U64, chosen: Ints | slice, cipher: Halves) -> None:
        state = self._ff1.state(_bytes(heads[chosen]), _bytes(tweaks[chosen]))
        a, b, u, v = np.ascontiguousarray(halves[:, chosen])
        halves[0, chosen], halves[1, chosen] = cipher(a, b, u, v, state)


def _bytes(words: U64) -> npt.NDArray[np.uint8]:
    """Blocks of 16 bytes from (n, 2) big-endian words."""
    return words.astype(">u8").view(np.uint8).reshape(-1, 16)
