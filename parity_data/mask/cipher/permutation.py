"""Keyed permutations of small domains, as tables: one cycle, so that nothing maps to itself.

Below a million members FF1 is weak (SP 800-38G requires at least 10**6). A table is exact instead: a keyed
shuffle that can only end in a single cycle (Sattolo 1986).
"""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from parity_data.mask.cipher import number_loops

Table = npt.NDArray[np.uint32]

#: Domains below this size get a table, others FF1.
SMALL = 1_000_000

#: Entries kept in memory by all tables of a process (4 bytes each).
_KEPT_ENTRIES = 48_000_000

#: Random numbers of 8 bytes that are made at once.
_AT_ONCE = 4_096
_ZEROS = bytes(8 * _AT_ONCE)


def cycle(key: bytes, nonce: bytes, size: int) -> Table:
    """The table of a cycle of ``size`` members, at most 2**20. nonce: 16 bytes, one per domain.

    table[x] is where x goes; table[x] != x for every x when size > 1.
    """
    stream = Cipher(algorithms.AES(key), modes.CTR(nonce)).encryptor()
    table = np.arange(size, dtype=np.uint32)
    random = np.empty(_AT_ONCE + 2, np.uint64)
    for last in range(size - 1, 0, -_AT_ONCE):
        stream.update_into(_ZEROS, random.data.cast("B"))
        number_loops.shuffle(random[: min(last, _AT_ONCE)], table, last)
    return table


class Tables:
    """Tables by (key, nonce, size), made when first asked for, the least recently used dropped."""

    def __init__(self, kept_entries: int = _KEPT_ENTRIES) -> None:
        self._tables: OrderedDict[tuple[bytes, bytes, int], Table] = OrderedDict()
        self._lock = threading.Lock()
        self._entries = 0
        self._kept = kept_entries

    def get(self, key: bytes, nonce: bytes, size: int) -> Table:
        """The table, from memory where possible. Safe to call from several threads."""
        name = (key, nonce, size)
        with self._lock:
            found = self._tables.get(name)
            if found is not None:
                self._tables.move_to_end(name)
                return found
        made = cycle(key, nonce, size)
        with self._lock:
            if name not in self._tables:
                self._tables[name] = made
                self._entries += size
                while self._entries > self._kept and len(self._tables) > 1:
                    (_, _, dropped), _ = self._tables.popitem(last=False)
                    self._entries -= dropped
        return made


TABLES = Tables()
