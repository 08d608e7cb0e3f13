"""Shapes of tokens: which alphabets follow each other, and how such a token is written as numbers.

A token of a small shape is one number below a million; any other is cut into chunks of two halves, for FF1.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise
from math import log2, prod

import numpy as np
import numpy.typing as npt

from parity_data.mask.cipher.ff1 import head
from parity_data.mask.cipher.permutation import SMALL

#: Bits of one chunk: halves stay below 2**32 even when one large alphabet makes them uneven.
_CHUNK_BITS = 48.0


@dataclass(frozen=True)
class Shape:
    """How to write tokens of one shape.

    weight, slot: by position; the number in a slot is the sum of index * weight over its positions.
    size: the number of tokens, where below SMALL (then there is one slot), else 0. u, v: halves' moduli, by
    chunk; chunk c has the slots 2c and 2c + 1. digest: 16 bytes that name the shape. heads: (chunks, 16).
    """

    weight: npt.NDArray[np.uint64]
    slot: npt.NDArray[np.int64]
    slots: int
    size: int
    u: npt.NDArray[np.uint64]
    v: npt.NDArray[np.uint64]
    digest: bytes
    heads: npt.NDArray[np.uint8]


def make_shape(radices: list[int], name: bytes) -> Shape:
    """radices: members of the alphabet at each position, 1 for what stays. name: stable name of the shape."""
    digest = hashlib.sha256(name).digest()[:16]
    if sum(map(log2, radices)) < 24 and (size := prod(radices)) < SMALL:
        weight = _weights(radices)
        none = np.zeros(0, np.uint64)
        slot = np.zeros(len(radices), np.int64)
        return Shape(weight, slot, 1, size, none, none, digest, np.zeros((0, 16), np.uint8))
    weights, slots, us, vs, heads = [], [], [], [], []
    for number, (first, middle, last) in enumerate(_chunks(radices)):
        left, right = radices[first:middle], radices[middle:last]
        weights += [_weights(left), _weights(right)]
        slots += [2 * number] * len(left) + [2 * number + 1] * len(right)
        us.append(prod(left))
        vs.append(prod(right))
        uniform = radices[first] if len(set(radices[first:last])) == 1 else 0
        heads.append(np.frombuffer(head(uniform, len(left), last - first), np.uint8))
    return Shape(
        np.concatenate(weights),
        np.array(slots, np.int64),
        2 * len(us),
        0,
        np.array(us, np.uint64),
        np.array(vs, np.uint64),
        digest,
        np.stack(heads),
    )


def _weights(radices: list[int]) -> npt.NDArray[np.uint64]:
    weights, weight = [], 1
    for radix in reversed(radices):
        weights.append(weight)
        weight *= radix
    return np.array(weights[::-1], np.uint64)


def _chunks(radices: list[int]) -> list[tuple[int, int, int]]:
    """Cuts (first, middle, last): chunks about equal in bits, each in halves as equal as they come."""
    bits = np.concatenate([[0.0], np.cumsum([log2(r) for r in radices])])
    count = max(1, int(np.ceil(bits[-1] / _CHUNK_BITS)))
    targets = bits[-1] * np.arange(1, count) / count
    edges = [0, *(int(np.abs(bits - t).argmin()) for t in targets), len(radices)]
    return [(first, _middle(bits, first, last), last) for first, last in pairwise(edges)]


def _middle(bits: npt.NDArray[np.float64], first: int, last: int) -> int:
    """Where the halves are most equal; the earlier place of two, as FF1 has it. Neither half is empty."""
    centre = (bits[first] + bits[last]) / 2
    inner = np.abs(bits[first + 1 : last] - centre).round(9)
    return first + 1 + int(inner.argmin())
