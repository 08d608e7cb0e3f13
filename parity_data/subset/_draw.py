"""Keyed draws: a uniform number for every row that nobody can tell without the key.

AES of a block that holds the row's code, under a key of its table's own: a pseudorandom function (one block,
so the cipher itself), at 50 ns a row where HMAC-SHA-256 takes 200.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from parity_data.catalog.model import Name

#: Rows per call of the cipher, so that its blocks stay small.
_CHUNK = 1 << 20


def draws(
    codes: npt.NDArray[np.int64], repeats: npt.NDArray[np.int32] | None, table: Name, key: bytes
) -> npt.NDArray[np.float64]:
    """Uniform in [0, 1) for each code. repeats: tells equal codes apart; None when all are distinct."""
    own = hmac.digest(key, f"draw\x1f{table.schema}\x1f{table.name}".encode(), hashlib.sha256)
    encryptor = Cipher(algorithms.AES(own), modes.ECB()).encryptor()
    made = np.empty(len(codes), np.float64)
    for start in range(0, len(codes), _CHUNK):
        part = codes[start : start + _CHUNK]
        blocks = np.zeros((len(part), 2), np.int64)
        blocks[:, 0] = part
        if repeats is not None:
            blocks[:, 1] = repeats[start : start + _CHUNK]
        hashed = np.frombuffer(encryptor.update(blocks.tobytes()), np.uint64).reshape(-1, 2)[:, 0]
        made[start : start + _CHUNK] = (hashed >> np.uint64(11)) * 2.0**-53
    return made


def label_draws(labels: Sequence[str], key: bytes) -> npt.NDArray[np.float64]:
    """Uniform in [0, 1) for each label. Few labels only."""
    hashed = [hmac.digest(key, label.encode(), hashlib.sha256)[:8] for label in labels]
    numbers = np.frombuffer(b"".join(hashed), np.uint64)
    return np.asarray((numbers >> np.uint64(11)) * 2.0**-53, np.float64)
