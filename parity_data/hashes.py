"""Steps of published hash functions, for compiled code.

They become part of what is compiled in other files, which is not made anew when this one changes. It has no
reason to: each is as it was published.
"""

from __future__ import annotations

import numpy as np

from parity_data.compiled import byte_at, compiled, half_at, word_at

#: Multipliers of SplitMix64's finaliser (Steele, Lea, Flood 2014).
MIX_1, MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31 = np.uint64(27), np.uint64(30), np.uint64(31)
#: Multipliers of XXH64 (Collet), and what is left of 64 bits.
_XX_1, _XX_2 = np.uint64(0x9E3779B185EBCA87), np.uint64(0xC2B2AE3D27D4EB4F)
_XX_4 = np.uint64(0x85EBCA77C2B2AE63)
_S33, _S37 = np.uint64(33), np.uint64(37)


@compiled
def mixed(x: np.uint64) -> np.uint64:
    """SplitMix64's finaliser: all bits mixed."""
    x = (x ^ (x >> _S30)) * MIX_1
    x = (x ^ (x >> _S27)) * MIX_2
    return x ^ (x >> _S31)


@compiled
def taken_up(code: np.uint64, word: np.uint64) -> np.uint64:
    """One round of XXH64's ending: eight more bytes of a value."""
    word *= _XX_2
    word = (word << _S31 | word >> _S33) * _XX_1
    code ^= word
    return (code << _S27 | code >> _S37) * _XX_1 + _XX_4


@compiled
def hashed(address: int, length: int, seed: np.uint64) -> np.uint64:
    """A keyed number for some bytes; without XXH64's finaliser, so it is to be mixed before it is used."""
    code = seed + np.uint64(length + 1) * _XX_1
    at, end = address, address + length
    while at + 8 <= end:
        code = taken_up(code, word_at(at))
        at += 8
    if at < end:
        # The last bytes, some of them once more.
        if length >= 8:
            word: np.uint64 = word_at(end - 8)
        elif length >= 4:
            word = np.uint64(half_at(at)) << np.uint64(32) | np.uint64(half_at(end - 4))
        else:
            word = np.uint64(0)
            while at < end:
                word = word << np.uint64(8) | np.uint64(byte_at(at))
                at += 1
        code = taken_up(code, word)
    return code
