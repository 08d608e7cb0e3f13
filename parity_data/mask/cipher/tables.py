"""Alphabets for identifiers that are written in a few characters only: hexadecimal, base 32, VIN."""

from __future__ import annotations

from functools import cache

import numpy as np

from parity_data.mask.cipher.alphabet import CODE_POINTS, Alphabets


@cache
def table_of(*groups: str) -> Alphabets:
    """A table in which the characters of each group stand for each other, and all others stay."""
    of = np.zeros(CODE_POINTS, np.uint16)
    index = np.zeros(CODE_POINTS, np.uint16)
    kind = np.zeros(CODE_POINTS, np.uint8)
    same = np.arange(CODE_POINTS, dtype=np.uint32)
    members = [np.zeros(2, np.uint32)]
    for number, group in enumerate(groups, start=2):
        codes = np.array([ord(c) for c in group])
        of[codes], index[codes], kind[codes] = number, np.arange(len(codes)), 1
        members.append(codes.astype(np.uint32))
    size = np.array([1, 1, *(len(g) for g in groups)], np.int64)
    start = np.concatenate([[0], np.cumsum(size)[:-1]])
    return Alphabets(of, index, same, same, kind, size, start, np.concatenate(members))


def hexadecimal() -> Alphabets:
    return table_of("0123456789abcdef")


def hexadecimal_by_case() -> Alphabets:
    """Letters within letters of their case."""
    return table_of("0123456789", "abcdef", "ABCDEF")


def decimal() -> Alphabets:
    return table_of("0123456789")


def base32() -> Alphabets:
    """RFC 4648, section 6."""
    return table_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")


def plain() -> Alphabets:
    """Small letters, capitals and digits of ASCII, without regard to vowels."""
    return table_of("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789")


def vin() -> Alphabets:
    """ISO 3779: no I, O, Q. Letters within letters, since serial numbers are numbers."""
    return table_of("0123456789", "ABCDEFGHJKLMNPRSTUVWXYZ")
