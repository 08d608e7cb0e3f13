"""Keyed permutations of small domains, as tables: one cycle, so that nothing maps to itself.

Below a million members FF1 is weak (SP 800-38G requires at least 10**6). A table is exact instead: sort
the members by a keyed random number, and let each go to the next in that order.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

Table = npt.NDArray[np.uint32]

#: Domains below this size get a table, others FF1.
SMALL = 1_000_000

#: Entries kept in memory by all tables of a process (4 bytes each).
_KEPT_ENTRIES = 48_000_000

_PLACE = np.uint64(2**20 - 1)


def cycle(key: bytes, nonce: bytes, size: int) -> Table:
    """The table of a cycle of ``size`` members, at most 2**20. nonce: 16 bytes, one per domain.

    table[x] is where x goes; table[x] != x for every x when size > 1.
    """
    stream = Cipher(algorithms.AES(key), modes.CTR(nonce)).encryptor().update(bytes(8 * size))
    # The upper 44 bits are random, the lower 20 hold the member: one sort gives the order.
    order = np.frombuffer(stream, np.uint64) & ~_PLACE | np.arange(size, dtype=np.uint64)
    order.sort()
    members = (order & _PLACE).astype(np.uint32)
    table = np.empty(size, np.uint32)
    table[members] = np.roll(members, -1)
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
