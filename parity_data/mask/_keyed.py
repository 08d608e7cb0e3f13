"""Keyed one-way randomness by value: HMAC-SHA-256 of each value, stretched with AES in counter mode."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl
import polars_hash as plh
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from parity_data.mask.cipher.flat import Ints, ragged


def digests(values: pl.Series, key: bytes) -> npt.NDArray[np.uint8]:
    """HMAC-SHA-256 of n values: an (n, 32) array."""
    if not values.len():
        return np.zeros((0, 32), np.uint8)
    hexed = values.to_frame("v").select(plh.col("v").chash.hmac_sha256(key=key.hex()))
    joined = "".join(hexed.to_series().to_list())
    return np.frombuffer(bytes.fromhex(joined), np.uint8).reshape(-1, 32)


def numbers(values: pl.Series, key: bytes) -> npt.NDArray[np.uint64]:
    """A keyed number of 64 bits by value."""
    first: npt.NDArray[np.uint64] = np.ascontiguousarray(digests(values, key)[:, :8]).view(">u8")[:, 0]
    return first.astype(np.uint64)


def streams(values: pl.Series, key: bytes, lengths: Ints) -> npt.NDArray[np.uint32]:
    """``lengths[i]`` random words of 32 bits for value i, one after another."""
    seeds = digests(values, key)[:, :16]
    blocks = -(-lengths // 4)
    counter = ragged(blocks, np.zeros(len(blocks), np.int64))
    block = np.repeat(seeds, blocks, axis=0)
    block[:, 8:] ^= counter.astype(">u8").view(np.uint8).reshape(-1, 8)
    data = Cipher(algorithms.AES(key[:16]), modes.ECB()).encryptor().update(np.ascontiguousarray(block).data)
    words = np.frombuffer(data, np.uint32)
    starts = (np.cumsum(blocks) - blocks) * 4
    return words[ragged(lengths, starts)]
