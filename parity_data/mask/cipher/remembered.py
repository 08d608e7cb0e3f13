"""Words that were enciphered already, so that a column costs what is new in it."""

from __future__ import annotations

import numpy as np

from parity_data.mask.cipher import word_loops

#: Words, and bytes of words, with which a memory begins, and beyond which it forgets everything.
_FIRST_WORDS, _MOST_WORDS = 1 << 12, 1 << 18
_FIRST_BYTES, _MOST_BYTES = 1 << 16, 1 << 23

#: Places in the table for every word: a power of two.
_SLOTS = 2

#: Pieces of text that wait for new words at once, and bytes of texts that are split into words at once.
_WAITING, SPLIT = 1 << 15, 1 << 11

#: What longer texts than this, in bytes, have needed is not kept.
_KEPT = 1 << 18


class Remembered:
    """Words and what they became, in a table with open addressing. Not for several threads at once.

    store: every word, and after it, as long, what it became. bounds: where each begins, and where the last
    ends. hashes: by word. slots: the table, as ``word_loops`` packs it. What else there is, is scratch.
    """

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.count = 0
        self._allocate(_FIRST_WORDS, _FIRST_BYTES)
        self.waiting = np.empty((_WAITING, 3), np.int64)
        self._allocate_scratch(SPLIT)

    def _allocate(self, words: int, size: int) -> None:
        self.hashes = np.empty(words, np.uint64)
        self.bounds = np.zeros(words + 1, np.int64)
        # The first byte is no word's, for an empty slot is 0.
        self.bounds[0] = 1
        self.store = np.zeros(size, np.uint8)
        self.slots = np.zeros(1 << (_SLOTS * words - 1).bit_length(), np.uint64)

    def _allocate_scratch(self, length: int) -> None:
        self.folded = np.empty(length, np.uint8)
        self.codes, self.held = np.empty(length, np.uint64), np.empty(length, np.uint64)
        self.words = np.empty((length, 4), np.int64)

    def forget_long_texts(self) -> None:
        """Give back the memory that a long text needed, and forget everything with it."""
        if len(self.folded) > _KEPT:
            self._begin()

    def make_room(self, length: int) -> None:
        """Grow, or forget everything, until a text of ``length`` bytes has room. Before it, nothing waits."""
        length = max(length, len(self.folded))
        if length > len(self.folded):
            self._allocate_scratch(length)
        if length > len(self.waiting):
            self.waiting = np.empty((length, 3), np.int64)
        count, used = self.count, int(self.bounds[self.count])
        words, size = len(self.hashes), len(self.store)
        while count + length > words:
            words *= 2
        while used + 2 * length > size:
            size *= 2
        if words == len(self.hashes) and size == len(self.store):
            return
        if words > _MOST_WORDS or size > _MOST_BYTES:
            self.count, count, used = 0, 0, 1
            words, size = max(_MOST_WORDS // 2, length), max(_MOST_BYTES // 2, 2 * length + 1)
        hashes, bounds, store = self.hashes, self.bounds, self.store
        self._allocate(words, size)
        self.hashes[:count], self.bounds[: count + 1] = hashes[:count], bounds[: count + 1]
        self.bounds[0] = 1
        self.store[:used] = store[:used]
        word_loops.fill(self.slots, self.hashes, self.bounds, count)
