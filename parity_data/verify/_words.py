"""Text as runs of words, and keyed digests of whole texts and of every few words in a row.

A word is a run of letters, marks and digits in normal form NFKC and lower case, so what stands between
words - punctuation, blanks, quotes, JSON - makes no difference: ``Maria.Lopez@Example.com`` and
``{"mail": "maria.lopez@example.com"}`` hold the same four words. All is done in bulk.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

_WORD = r"[\p{L}\p{M}\p{N}]+"
_PERCENT = r"%[0-9a-fA-F]{2}"

#: Texts that are containers: JSON, arrays and hstore begin so; XML and HTML with an angle bracket.
_CONTAINER = r'^\s*[\[{"<]'
#: A quoted string with its escapes, or a run without any bracket, comma or quote.
_PIECE = r'"(?:[^"\\]|\\.)*"|[^{}\[\],:"<>\s][^{}\[\],"<>]*'
_ESCAPE = r"\\u[0-9a-fA-F]{4}"


@dataclass(frozen=True)
class Key:
    """Secrets of one run, from which nobody can tell afterwards what a digest was made of."""

    seed: int
    factor: int
    salt: int

    @classmethod
    def derive(cls, secret: bytes) -> Key:
        """From at least 16 random bytes."""
        wide = hashlib.blake2b(secret, digest_size=24).digest()
        seed, factor, salt = (int.from_bytes(wide[i : i + 8], "little") for i in (0, 8, 16))
        return cls(seed, factor | 1, salt)


@dataclass(frozen=True)
class Words:
    """n texts as one flat run of m words.

    words: Series of length m. hashes, lengths (characters): arrays of length m. starts: array of length
    n + 1; text i holds the words starts[i] to starts[i + 1] - 1, at least one. rows: which text of the
    input each is, array of length n.
    """

    words: pl.Series
    hashes: U64
    lengths: I64
    starts: I64
    rows: I64


def normal(texts: pl.Series) -> pl.Series:
    """Texts of the same length, NFKC and lower case, percent-escapes blanked."""
    # Normalising costs as much as all the rest, and ASCII is normal already.
    if (texts.str.len_bytes() != texts.str.len_chars()).any():
        texts = texts.str.normalize("NFKC")
    return texts.str.replace_all(_PERCENT, " ").str.to_lowercase()


def split(texts: pl.Series, key: Key) -> Words:
    """The words of n normal texts; texts without any word are left out."""
    lists = texts.str.extract_all(_WORD)
    counts = lists.list.len().fill_null(0).to_numpy().astype(np.int64)
    rows = np.flatnonzero(counts)
    words = lists.gather(rows).explode() if rows.size else pl.Series(dtype=pl.String)
    starts = np.zeros(rows.size + 1, dtype=np.int64)
    np.cumsum(counts[rows], out=starts[1:])
    hashes = words.hash(seed=key.seed).to_numpy().astype(np.uint64, copy=False)
    lengths = words.str.len_chars().to_numpy().astype(np.int64)
    return Words(words, hashes, lengths, starts, rows)


def whole(words: Words, key: Key) -> tuple[U64, I64, I64]:
    """(digests, word counts, characters in words) of the n texts."""
    counts = np.diff(words.starts)
    if not counts.size:
        return np.empty(0, np.uint64), counts, counts
    position = np.arange(words.hashes.size, dtype=np.int64) - np.repeat(words.starts[:-1], counts)
    powers = _powers(key, int(counts.max()))
    sums = np.add.reduceat(words.hashes * powers[position], words.starts[:-1])
    lengths = np.add.reduceat(words.lengths, words.starts[:-1])
    return _finish(sums, counts.astype(np.uint64), key), counts, lengths


def runs(words: Words, size: int, key: Key) -> tuple[U64, I64, I64, I64]:
    """(digests, first words, texts, characters) of every ``size`` words in a row that are not a whole text.

    The digest of a run is that of a text of just these words.
    """
    counts = np.diff(words.starts)
    longer = counts > size
    if not longer.any():
        empty = np.empty(0, np.int64)
        return np.empty(0, np.uint64), empty, empty, empty
    per_text = np.where(longer, counts - size + 1, 0)
    texts = np.repeat(np.arange(counts.size), per_text)
    offset = np.arange(texts.size) - np.repeat(np.cumsum(per_text) - per_text, per_text)
    first = words.starts[texts] + offset
    powers = _powers(key, size)
    sums = np.zeros(first.size, dtype=np.uint64)
    lengths = np.zeros(first.size, dtype=np.int64)
    for i in range(size):
        sums += words.hashes[first + i] * powers[i]
        lengths += words.lengths[first + i]
    return _finish(sums, np.full(sums.size, size, dtype=np.uint64), key), first, texts, lengths


def all_figures(words: Words, first: I64, size: int) -> npt.NDArray[np.bool_]:
    """Which of the runs of ``size`` words that begin at ``first`` are nothing but figures."""
    found = np.ones(first.size, dtype=bool)
    for i in range(size):
        found &= words.words.gather(first + i).str.contains(r"^\p{N}+$").to_numpy()
    return found


def is_container(texts: pl.Series) -> pl.Series:
    """Which of the texts are JSON, arrays, hstore or markup, by how they begin."""
    return texts.str.contains(_CONTAINER).fill_null(False)


def pieces(texts: pl.Series) -> tuple[pl.Series, I64]:
    """What the n texts hold, and the text each piece is from.

    Plain texts are one piece; JSON, arrays, hstore and markup give their strings, keys included.
    """
    contains = is_container(texts)
    rows = np.arange(len(texts), dtype=np.int64)
    if not contains.any():
        return texts, rows
    inside = contains.to_numpy()
    found = texts.filter(contains).str.extract_all(_PIECE)
    counts = found.list.len().to_numpy().astype(np.int64)
    parts = _unescape(found.filter(found.list.len() > 0).explode())
    where = np.concatenate([rows[~inside], np.repeat(rows[inside], counts)])
    return pl.concat([texts.filter(~contains), parts]), where


def _unescape(parts: pl.Series) -> pl.Series:
    """JSON escapes as what they stand for; those of blanks and quotes as a blank."""
    escaped = parts.filter(parts.str.contains(r"\\u"))
    if len(escaped):
        codes = escaped.str.extract_all(f"(?:{_ESCAPE})+").explode().drop_nulls().unique()
        plain = [_decode(code) for code in codes]
        # The longest first: a pair of surrogates before either of its halves.
        ordered = sorted(zip(codes, plain, strict=True), key=lambda pair: -len(pair[0]))
        for code, text in ordered:
            parts = parts.str.replace_all(code, text, literal=True)
    return parts.str.replace_all(r"\\.", " ")


def _decode(code: str) -> str:
    units = bytes.fromhex("".join(code.split("\\u")))
    return units.decode("utf-16-be", errors="replace")


def _powers(key: Key, count: int) -> U64:
    powers = np.empty(count, dtype=np.uint64)
    power = 1
    for i in range(count):
        powers[i] = power
        power = power * key.factor % 2**64
    return powers


def _finish(sums: U64, counts: U64, key: Key) -> U64:
    """Mix all bits (the finaliser of SplitMix64: Steele, Lea, Flood 2014)."""
    x: U64 = sums + counts * np.uint64(0x9E3779B97F4A7C15) + np.uint64(key.salt)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
