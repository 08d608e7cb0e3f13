"""Keyed bijections on 0 .. n-1 without a fixed point: tables below a million, else FF1 and cycle walking."""

from __future__ import annotations

import hashlib
from math import isqrt

import numpy as np
import numpy.typing as npt

from parity_data.mask.cipher.ff1 import BulkFF1, head
from parity_data.mask.cipher.permutation import SMALL, TABLES

U64 = npt.NDArray[np.uint64]

#: Largest domain: halves must stay below 2**32.
LARGEST = 2**64 - 2**33


class IntegerCipher:
    """Bijections on ranges of whole numbers. key: 32 bytes. Safe to share between threads."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._ff1 = BulkFF1(key)

    def step(self, values: U64, size: int, tweak: str = "") -> U64:
        """Where each value goes. values: each below ``size``; size: 1 to 2**64 - 2**33.

        Different tweaks give unrelated bijections. Nothing maps to itself when size > 1.
        """
        if size <= 1 or not len(values):
            return values
        nonce = hashlib.sha256(f"{size}:{tweak}".encode()).digest()[:16]
        if size <= SMALL:
            return TABLES.get(self._key, nonce, size)[values].astype(np.uint64)
        return self._walk(values, size, nonce)

    def _walk(self, values: U64, size: int, nonce: bytes) -> U64:
        """FF1 on u * v >= size, repeated until the result is in range (cycle walking keeps the bijection).

        A walk that came back to where it started would be a cycle of one; the domain has a single cycle, so
        a walk meets every other member first.
        """
        u = isqrt(size - 1) + 1
        v = -(-size // u)
        heads = np.frombuffer(head(0, 1, 2), np.uint8).reshape(1, 16)
        state = self._ff1.state(heads, np.frombuffer(nonce, np.uint8).reshape(1, 16))
        out = values.copy()
        todo = np.arange(len(values))
        while len(todo):
            x = out[todo]
            n = len(todo)
            us, vs = np.full(n, u, np.uint64), np.full(n, v, np.uint64)
            a, b = self._ff1.step(x // vs, x % vs, us, vs, np.repeat(state, n, axis=0))
            out[todo] = a * vs + b
            todo = todo[out[todo] >= size]
        return out
