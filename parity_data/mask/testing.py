"""Property tests of a masker, driven by its declaration; for this package's maskers and for users' own.

    from hypothesis import given
    from parity_data.mask import describe
    from parity_data.mask.testing import assert_promises, values

    @given(values(describe("my_masker")))
    def test_my_masker(texts):
        assert_promises(describe("my_masker"), texts)

Needs hypothesis. Failures show the values: they are made up, production's never come here.
"""

from __future__ import annotations

import pickle
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from itertools import pairwise, takewhile
from typing import Any

import polars as pl
from hypothesis import strategies as st

from parity_data.mask.cipher.alphabet import MARK, alphabets, restricted
from parity_data.mask.column import ColumnMasker, compile_mask
from parity_data.mask.context import MaskSpec
from parity_data.mask.keys import KeyRing
from parity_data.mask.registry import MaskerInfo
from parity_data.mask.types import type_for
from parity_data.secret import Secret

#: Keys of tests: made up, and good for nothing else.
KEYS = tuple(KeyRing(Secret(f"{number:02d} a masking key that only tests ever use")) for number in range(12))

ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
    "àéîõüçñßÀÉÎÕÜÇÑšžłąęİıœæ",
    "абвгдежзийклмнопрстуфхцчшщъыьэюяАБВГДЕЁ",
    "αβγδεζηθικλμνξοπρστυφχψωάέΑΒΓΔ",
    "אבגדהוזחטיכלמנסעפצקרשת",
    "ابتثجحخدذرزسشصضطظعغفقكلمنهوي٠١٢٣٤٥",
    "अआइईउकखगघचछजझटठडढणतथदधनपफबभमयरलवशषसहिीुू्",
    "กขคงจฉชซญฎดตถทธนบปผพฟมยรลวสหอะาิีุู",
    "李雷韩梅王伟芳娜秀英敏静丽强磊军洋勇艳杰涛明超兰霞平刚桂",
    "あいうえおかきくけこアイウエオガギグゲゴ",
    "김이박최정강조윤장임한오서신권",
    "ⴰⴱⴳⴷ𐐀𐐨𝒜𝒷𠀀𠀁𞤀𞤢𐌰𐌱",
    "-'. ,+_/\\\"@#()[]{}:;&%$\u00a0\t\n\u200d\u200c\u200e\u200f\u202b\u202c\u0301\u0308🎉👩‍👩‍👧🏳️‍🌈",
]


def texts() -> st.SearchStrategy[str]:
    """Any text PostgreSQL stores: all planes, decomposed and composed, joiners, directions, 1 to 10,000."""
    anything = st.characters(exclude_categories=["Cs"], exclude_characters="\x00")
    word = st.sampled_from(ALPHABETS).flatmap(lambda letters: st.text(letters, min_size=1, max_size=12))
    words = st.lists(word | st.text(anything, min_size=1, max_size=4), min_size=1, max_size=4)
    joined = st.tuples(words, st.sampled_from(["", " ", "-", ", ", ".", "@", "\u200d", "\u202e"]))
    one = joined.map(lambda pair: pair[1].join(pair[0]))
    formed = st.tuples(one, st.sampled_from(["NFC", "NFD", None]))
    plain = formed.map(lambda pair: unicodedata.normalize(pair[1], pair[0]) if pair[1] else pair[0])  # type: ignore[arg-type]
    long = st.tuples(plain, st.integers(2, 400)).map(lambda pair: (pair[0] * pair[1])[:10_000])
    return st.one_of(plain, plain, plain, plain, long)


def values(info: MaskerInfo) -> st.SearchStrategy[list[str]]:
    """Lists of values for a masker: its samples, others like them, and, where it takes text, any text.

    Some lists hold values that differ in a single character only, or in how they are written: such are the
    likeliest to merge.
    """
    known = st.sampled_from(info.samples)
    if not _takes_text(info):
        return st.lists(known, min_size=1, max_size=8)
    one = st.one_of(known, known.flatmap(_near), texts())
    mixed = st.lists(one, min_size=1, max_size=12)
    return st.one_of(mixed, mixed, mixed, one.flatmap(_siblings), one.map(_writings))


def assert_promises(
    info: MaskerInfo,
    texts: Sequence[str],
    params: Mapping[str, Any] | None = None,
    *,
    type_name: str | None = None,
    max_length: int | None = None,
) -> None:
    """Hold a masker against its declaration. texts: values; raises AssertionError for a broken promise."""
    params = dict(info.params_for_tests) if params is None else params
    type_name = type_name or type_for(info.accepts)
    distinct = list(dict.fromkeys(t for t in texts if t and (not max_length or len(t) <= max_length)))
    column = pl.Series("c", [None, "", *distinct, None, ""], dtype=pl.String)

    def compiled(key: KeyRing) -> ColumnMasker:
        return compile_mask(MaskSpec(info.name, params), key, type_name=type_name, max_length=max_length)

    masker = compiled(KEYS[0])
    given = column.to_list()
    masked = masker(column)
    assert column.to_list() == given, "the masker wrote into what it was given"
    assert masked.len() == column.len(), "the number of values changed"
    assert masked.dtype == pl.String
    for place in (0, 1, -1, -2):
        # '' stays only where it can be a value of the type.
        expected = None if info.name == "null" else column[place]
        assert masked[place] == expected, f"NULL or '' became {masked[place]!r}"
    new = masked.to_list()[2:-2]
    assert compiled(KEYS[0])(column).to_list() == masked.to_list(), "two runs differ"
    assert pickle.loads(pickle.dumps(masker))(column).to_list() == masked.to_list(), "another process differs"
    if not info.by_batch:
        alone = pl.Series("c", distinct[::-1], dtype=pl.String)
        backwards = masker(alone).to_list()[::-1]
        assert alone.to_list() == distinct[::-1], "the masker wrote into what it was given"
        assert backwards == new, "the result depends on other values of the batch"
    pairs = list(zip(distinct, new, strict=True))
    kind = info.distinct_with(params)
    if kind == "injective":
        _assert_distinct(info, pairs)
    if max_length is not None and max_length >= info.shortest:
        too_long = [after for after in new if after is not None and len(after) > max_length]
        assert not too_long, f"{info.name} made {too_long[0]!r} of at most {max_length} characters"
    for keep in sorted(info.keeps):
        if keep in _KEPT:
            # Where the length may change, so may the places of capitals.
            kept = _cased if keep == "case" and "length" not in info.keeps else _KEPT[keep]
            for before, after in pairs:
                broken = f"{info.name} changed {keep}: {before!r} -> {after!r}"
                assert kept(before) == kept(after or ""), broken
    if info.check is not None and "validity" in info.keeps:
        for before, after in pairs:
            assert not info.check(before) or info.check(after or ""), (
                f"{info.name} made a valid value invalid: {before!r} -> {after!r}"
            )
    if "order" in info.keeps:
        _assert_ordered(info, pairs)
    if info.changes:
        for before, after in pairs:
            free = changeable(before) and not info.keeps_whole(before)
            assert before != after or not free, f"{info.name} left {before!r} as it was"


def assert_keyed(info: MaskerInfo, params: Mapping[str, Any] | None = None) -> None:
    """Every sample that can change becomes several different values under several keys."""
    params = dict(info.params_for_tests) if params is None else params
    for sample in info.samples:
        spec, type_name = MaskSpec(info.name, params), type_for(info.accepts)
        made = {compile_mask(spec, key, type_name=type_name)(pl.Series([sample]))[0] for key in KEYS}
        assert len(made) > 2, f"{info.name} masks {sample!r} alike under {len(KEYS)} keys"


def changeable(text: str) -> bool:
    """Whether a letter or digit of the text has another to become, in the same normal forms."""
    table = alphabets()
    codes = list(map(ord, text))
    for place, code in enumerate(codes):
        of = int(table.of[code])
        if of <= MARK or table.size[of] == 1:
            continue
        marks = "".join(map(chr, takewhile(lambda c: table.of[c] == MARK, codes[place + 1 :])))
        if not marks or len(restricted(of, marks, chr(table.fold[code]))) > 1:
            return True
    return False


def _assert_distinct(info: MaskerInfo, pairs: list[tuple[str, str]]) -> None:
    origin: dict[str, str] = {}
    for before, after in pairs:
        twin = origin.setdefault(after, before)
        writings = pl.Series([twin, before], dtype=pl.String)
        same = (info.one_writing(writings) if info.one_writing else writings).n_unique() == 1
        assert same, f"{info.name}: {twin!r} and {before!r} both became {after!r}"


def _assert_ordered(info: MaskerInfo, pairs: list[tuple[str, str]]) -> None:
    """Dates, and numbers, stand in the order they stood in; equal ones may come out of different ones."""
    accepts = set(info.accepts)
    for of, families in ((_day, {"any", "date", "timestamp"}), (_number, {"any", "integer", "number"})):
        if not accepts & families:
            continue
        keyed = [(of(before), of(after), before) for before, after in pairs]
        ordered = sorted(
            (key, new, before) for key, new, before in keyed if key is not None and new is not None
        )
        for (_, one, before), (_, other, later) in pairwise(ordered):
            assert one <= other, f"{info.name} changed order: {before!r} and {later!r}"


def _day(text: str) -> Decimal | None:
    """The number of the day of a date or timestamp, in years far from those that mean 'never'."""
    found = re.fullmatch(r"([1-8][0-9]{3}-[0-9]{2}-[0-9]{2})(?:[ T][0-9]{2}:[0-9]{2}.*)?", text)
    try:
        return Decimal(date.fromisoformat(found[1]).toordinal()) if found else None
    except ValueError:
        return None


def _number(text: str) -> Decimal | None:
    return Decimal(text) if re.fullmatch(r"-?[0-9]+(?:\.[0-9]+)?", text) else None


def _takes_text(info: MaskerInfo) -> bool:
    return "any" in info.accepts or "text" in info.accepts


def _near(sample: str) -> st.SearchStrategy[str]:
    """A sample with other digits, or a character more, less or different."""
    digits = st.lists(st.sampled_from("0123456789"), min_size=len(sample), max_size=len(sample))
    other = digits.map(lambda new: "".join(n if c.isdigit() else c for c, n in zip(sample, new, strict=True)))
    place = st.integers(0, len(sample) - 1)
    odd = st.sampled_from("aZ0 -.١é李\u0301")
    edited = st.tuples(place, odd, st.booleans()).map(
        lambda edit: sample[: edit[0]] + edit[1] + sample[edit[0] + edit[2] :]
    )
    return st.one_of(other, edited, st.just(sample.upper()), st.just(sample.lower()))


def _siblings(text: str) -> st.SearchStrategy[list[str]]:
    """The text with each plain letter and digit in one place: as often as any other the first or last."""
    last = len(text) - 1
    place = st.one_of(st.sampled_from((0, last)), st.integers(0, last))
    return place.map(lambda i: [text[:i] + char + text[i + 1 :] for char in ALPHABETS[0]])


def _writings(text: str) -> list[str]:
    """The text in other cases, normal forms and blanks, with zeros before it and without separators."""
    cases = [text, text.upper(), text.lower(), text.title(), text.swapcase()]
    forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKC", "NFKD")]
    blanks = [
        f" {text}",
        f"{text} ",
        f"{text}\n",
        f"\t{text}",
        text.replace(" ", "  "),
        text.replace(" ", "\u00a0"),
    ]
    others = [f"0{text}", f"00{text}", f"+{text}", f"-{text}", f"{text}.0", f"{text}0", f"'{text}'"]
    bare = [re.sub(r"[\s._:/-]", "", text), re.sub(r"[\s._:/-]", "-", text), re.sub(r"[\s._:/-]", " ", text)]
    return [*cases, *forms, *blanks, *others, *bare]


def _scripts(text: str) -> list[str]:
    return [_script(c) for c in text]


@cache
def _script(char: str) -> str:
    return unicodedata.name(char, "?").split(" ")[0] if char.isalpha() else ""


def _case(text: str) -> list[int]:
    return [c.isupper() - c.islower() for c in text]


def _cased(text: str) -> bool:
    return any(map(str.isupper, text))


def _frame(text: str) -> list[str]:
    return ["" if c.isalnum() else c for c in text]


def _forms(text: str) -> tuple[bool, bool]:
    return unicodedata.is_normalized("NFC", text), unicodedata.is_normalized("NFD", text)


_KEPT: dict[str, Callable[[str], object]] = {
    "length": len,
    "bytes": lambda text: len(text.encode()),
    "script": lambda text: (_scripts(text), _forms(text)),
    "case": _case,
    "format": _frame,
}
