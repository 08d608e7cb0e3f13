"""FF1 format-preserving encryption (NIST SP 800-38G, February 2025 revision 1): reference and bulk form.

The reference takes any radix and length. The bulk form works on NumPy arrays of numbers whose halves are
below 2**40, in mixed radix, one AES-ECB call per round for all of them; for a uniform radix the two agree.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from parity_data.mask.cipher import number_loops
from parity_data.mask.cipher.pool import Pool

U64 = npt.NDArray[np.uint64]
Blocks = npt.NDArray[np.uint8]

ROUNDS = 10
_ONCE = np.uint64(1)


def ff1(key: bytes, radix: int, tweak: bytes, numerals: Sequence[int], *, decrypt: bool = False) -> list[int]:
    """FF1.Encrypt or FF1.Decrypt (algorithms 7 and 8). numerals: at least 2, each below ``radix``."""
    n, t = len(numerals), len(tweak)
    u = n // 2
    v = n - u
    a, b = list(numerals[:u]), list(numerals[u:])
    width = -(-((radix**v - 1).bit_length()) // 8)
    d = 4 * -(-width // 4) + 4
    head = bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([10, u % 256])
    head += n.to_bytes(4, "big") + t.to_bytes(4, "big")
    ecb = Cipher(algorithms.AES(key), modes.ECB())
    for i in reversed(range(ROUNDS)) if decrypt else range(ROUNDS):
        seen = a if decrypt else b
        q = tweak + bytes((-t - width - 1) % 16) + bytes([i]) + _number(seen, radix).to_bytes(width, "big")
        mac = bytes(16)
        for j in range(0, len(head + q), 16):
            block = bytes(x ^ y for x, y in zip((head + q)[j : j + 16], mac, strict=True))
            mac = ecb.encryptor().update(block)
        s = mac
        for j in range(1, -(-d // 16)):
            s += ecb.encryptor().update((int.from_bytes(mac, "big") ^ j).to_bytes(16, "big"))
        y = int.from_bytes(s[:d], "big")
        m = u if i % 2 == 0 else v
        if decrypt:
            a, b = _numerals((_number(b, radix) - y) % radix**m, radix, m), a
        else:
            a, b = b, _numerals((_number(a, radix) + y) % radix**m, radix, m)
    return a + b


def _number(numerals: Sequence[int], radix: int) -> int:
    value = 0
    for numeral in numerals:
        value = value * radix + numeral
    return value


def _numerals(value: int, radix: int, length: int) -> list[int]:
    out = []
    for _ in range(length):
        value, digit = divmod(value, radix)
        out.append(digit)
    return out[::-1]


class BulkFF1:
    """FF1 on arrays of n numbers, each given as two halves with its own moduli. Safe to share."""

    def __init__(self, key: bytes) -> None:
        # Whole blocks leave nothing behind in what enciphered them.
        self._encryptors = Pool(Cipher(algorithms.AES(key), modes.ECB()).encryptor)

    def aes(self, blocks: Blocks) -> Blocks:
        """AES-ECB of an (n, 16) array."""
        if not len(blocks):
            return blocks
        with self._encryptors.one() as aes:
            data = aes.update(np.ascontiguousarray(blocks).data)
        return np.frombuffer(data, np.uint8).reshape(-1, 16)

    def state(self, heads: Blocks, tweaks: Blocks) -> U64:
        """CBC-MAC state after the head P and a tweak of 16 bytes, as an (n, 2) array of words.

        heads: (n, 16), made by ``head``. tweaks: (n, 16).
        """
        return self.aes(self.aes(heads) ^ tweaks).view(">u8").astype(np.uint64)

    def encrypt(self, a: U64, b: U64, u: U64, v: U64, state: U64) -> tuple[U64, U64]:
        """Ten rounds. a < u, b < v, elementwise; state: (n, 2). u and v below 2**40.

        Halves from 2**32 on, which only mixed radices have, take 8 of the 12 bytes that FF1 has for them.
        """
        return self._rounds(a, b, u, v, state, inverse=False)

    def decrypt(self, a: U64, b: U64, u: U64, v: U64, state: U64) -> tuple[U64, U64]:
        """The inverse of ``encrypt``."""
        return self._rounds(a, b, u, v, state, inverse=True)

    def _rounds(self, a: U64, b: U64, u: U64, v: U64, state: U64, inverse: bool) -> tuple[U64, U64]:
        halves = [a.copy(), b.copy()]
        shift = np.empty(len(a), np.uint64)
        number_loops.shifts(u, v, shift)
        blocks = np.empty((len(a), 2), np.uint64)
        room = np.empty(16 * len(a) + 15, np.uint8)
        mac = room[: 16 * len(a)].view(np.uint64).reshape(-1, 2)
        step, first = (-1, ROUNDS - 1) if inverse else (1, 0)
        number_loops.ask(first, halves[1 - first % 2], shift, state, blocks)
        asked, answered = blocks.data.cast("B"), room.data
        with self._encryptors.one() as aes:
            for i in range(first, first + step * ROUNDS, step):
                # Halves change places every round: an even one changes A, and the next one asks it.
                aes.update_into(asked, answered)
                changed, modulus = halves[i % 2], v if i % 2 else u
                number_loops.answer(mac, changed, modulus, inverse, max(0, i + step), shift, state, blocks)
        return halves[0], halves[1]

    def step(
        self, a: U64, b: U64, u: U64, v: U64, state: U64, times: U64 | np.uint64 = _ONCE
    ) -> tuple[U64, U64]:
        """Where the value goes: with p this FF1, p(i) -> p(i + 1), one cycle through the whole domain.

        A bijection in which nothing maps to itself (for domains of 2 and more), unlike FF1 alone.
        times: how many steps, of all or of each.
        """
        a, b = self.decrypt(a, b, u, v, state)
        b = b + times
        return self.encrypt((a + b // v) % u, b % v, u, v, state)


def head(radix: int, u: int, n: int) -> bytes:
    """The block P for a tweak of 16 bytes. radix: 0 for mixed radix, where the tweak names the radices."""
    fixed = bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([ROUNDS, u % 256])
    return fixed + n.to_bytes(4, "big") + (16).to_bytes(4, "big")
