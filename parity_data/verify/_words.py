"""Text as runs of words, and keyed digests of whole texts and of every few words in a row.

A word is a run of letters, marks and digits in normal form NFKC and lower case, so what stands between
words - punctuation, blanks, quotes, JSON - makes no difference: ``Maria.Lopez@Example.com`` and
``{"mail": "maria.lopez@example.com"}`` hold the same four words. All is done in bulk.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

from parity_data.mask.cipher.flat import Flat
from parity_data.verify import _loops

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
Ints = I32 | I64

_PERCENT = r"%[0-9a-fA-F]{2}"

#: Texts that are containers: JSON, arrays and hstore begin so; XML and HTML with an angle bracket.
_CONTAINER = r'^\s*[\[{"<]'
#: A quoted string with its escapes, or a run without any bracket, comma or quote.
_PIECE = r'"(?:[^"\\]|\\.)*"|[^{}\[\],:"<>\s][^{}\[\],"<>]*'
#: Planes of Unicode that hold letters, marks and numbers; the others are empty or for private use.
_PLANES = (0, 1, 2, 3, 14)
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

    hashes, lengths (characters), figures (nothing but numbers): arrays of length m. starts: array of length
    n + 1; text i holds the words starts[i] to starts[i + 1] - 1, at least one. rows: which text of the input
    each is, digits: how many it has; arrays of length n. flat, begins, ends: the bytes, and where words lie.
    """

    hashes: U64
    lengths: I32
    figures: npt.NDArray[np.uint8]
    starts: I64
    rows: I64
    digits: I64
    flat: Flat
    begins: Ints
    ends: Ints

    def spelled(self, places: I64) -> pl.Series:
        """Some of the words, as they stand in the texts but in small letters."""
        begins, ends = self.begins[places].astype(np.int64), self.ends[places].astype(np.int64)
        return self.flat.pieces(begins, ends).series().str.to_lowercase()


def normal(texts: pl.Series) -> pl.Series:
    """The n texts in NFKC and small letters where they are not all ASCII, percent-escapes blanked."""
    # Normalising costs as much as all the rest, and ASCII is normal already.
    wide = (texts.str.len_bytes() != texts.str.len_chars()).to_numpy()
    if wide.any():
        changed = texts.filter(pl.Series(wide)).str.normalize("NFKC").str.to_lowercase()
        places = np.arange(texts.len())
        places[wide] = texts.len() + np.arange(changed.len())
        texts = pl.concat([texts, changed]).gather(places)
    if texts.str.contains("%", literal=True).any():
        texts = texts.str.replace_all(_PERCENT, " ")
    return texts


def split(texts: pl.Series | Flat, key: Key) -> Words:
    """The words of n normal texts; texts without any word are left out. Capitals of ASCII count as small."""
    flat = texts if isinstance(texts, Flat) else Flat.of(texts)
    n = flat.offsets.size - 1
    ascii_only = not flat.data.size or int(flat.data.max()) < 0x80
    room = flat.data.size // 2 + n + 1
    hashes, lengths, figures = np.empty(room, np.uint64), np.empty(room, np.int32), np.empty(room, np.uint8)
    # Fresh memory costs more than filling it.
    begins, ends = np.empty((2, room), np.int32 if flat.data.size < 1 << 31 else np.int64)
    starts = np.empty(n + 1, np.int64)
    rows, digits = np.empty((2, n), np.int64)
    count, with_words = _loops.split(
        flat.data, flat.offsets, np.empty(0, np.uint8) if ascii_only else _classes(), np.uint64(key.seed),
        hashes, lengths, figures, begins, ends, starts, rows, digits,
    )  # fmt: skip
    return Words(
        hashes[:count],
        lengths[:count],
        figures[:count],
        starts[: with_words + 1],
        rows[:with_words],
        digits[:with_words],
        flat,
        begins[:count],
        ends[:count],
    )


def read(texts: Flat, key: Key) -> tuple[Words, I64, npt.NDArray[np.bool_]]:
    """The words of the pieces of n texts; the text each piece is from; whether it is that text as it is."""
    where, plain = np.arange(len(texts), dtype=np.int64), np.ones(len(texts), np.bool_)
    seen = _loops.survey(texts.data, texts.offsets)
    if not seen:
        return split(texts, key), where, plain
    found = texts.series()
    if seen & _loops.CONTAINER:
        found, where, plain = pieces(found)
    return split(normal(found), key), where, plain


@cache
def _classes() -> npt.NDArray[np.uint8]:
    """Class of every character, by code point."""
    points = np.concatenate([np.arange(plane << 16, (plane + 1) << 16, dtype="<u4") for plane in _PLANES])
    points[0xD800:0xE000] = 0  # surrogates are no characters
    chars = _characters(points)
    found = np.zeros(0x110000, np.uint8)
    for number, pattern in (
        (_loops.LETTER, r"[\p{L}\p{M}]"),
        (_loops.NUMBER, r"\p{N}"),
        (_loops.DIGIT, r"\p{Nd}"),
    ):
        found[points[chars.str.contains(pattern).to_numpy()]] = number
    return found


def _characters(points: npt.NDArray[np.uint32]) -> pl.Series:
    """Each of n code points as a text of its own."""
    data = np.frombuffer(points.tobytes().decode("utf-32-le").encode(), np.uint8)
    begins = np.flatnonzero((data & 0xC0) != 0x80)
    return Flat(data, np.append(begins, data.size)).series()


def whole(words: Words, key: Key) -> tuple[U64, I64, I64]:
    """(digests, word counts, characters in words) of the n texts."""
    counts = np.diff(words.starts)
    digests, characters = np.empty(counts.size, np.uint64), np.empty(counts.size, np.int64)
    _loops.whole(
        words.hashes,
        words.lengths,
        words.starts,
        np.uint64(key.factor),
        np.uint64(key.salt),
        digests,
        characters,
    )
    return digests, counts, characters


def figure_runs(words: Words, size: int) -> tuple[I64, I64]:
    """(first words, characters) of every ``size`` words in a row, all figures, that are not a whole text."""
    firsts, characters = np.empty((2, words.hashes.size), np.int64)
    found = _loops.figure_runs(words.figures, words.lengths, words.starts, size, firsts, characters)
    return firsts[:found], characters[:found]


def all_figures(words: Words, first: I64, size: int) -> npt.NDArray[np.bool_]:
    """Which of the runs of ``size`` words that begin at ``first`` are nothing but figures."""
    found = np.ones(first.size, dtype=bool)
    for i in range(size):
        found &= words.figures[first + i] == 1
    return found


def is_container(texts: pl.Series) -> pl.Series:
    """Which of the texts are JSON, arrays, hstore or markup, by how they begin."""
    return texts.str.contains(_CONTAINER).fill_null(False)


def pieces(texts: pl.Series) -> tuple[pl.Series, I64, npt.NDArray[np.bool_]]:
    """What the n texts hold, the text each piece is from, and whether it is that text as it is.

    Plain texts are one piece; JSON, arrays, hstore and markup give their strings, keys included.
    """
    contains = is_container(texts)
    rows = np.arange(len(texts), dtype=np.int64)
    if not contains.any():
        return texts, rows, np.ones(len(texts), np.bool_)
    inside = contains.to_numpy()
    found = texts.filter(contains).str.extract_all(_PIECE)
    counts = found.list.len().to_numpy().astype(np.int64)
    parts = _unescape(found.filter(found.list.len() > 0).explode())
    where = np.concatenate([rows[~inside], np.repeat(rows[inside], counts)])
    plain = np.arange(where.size) < rows.size - inside.sum()
    return pl.concat([texts.filter(~contains), parts]), where, plain


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
