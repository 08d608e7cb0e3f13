"""What masks declare to keep is held against every value; whatever is not kept is found down to one row."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parity_data.catalog.model import Column, Name, Type
from parity_data.mask import MaskSpec, compile_mask, describe, masker_names
from parity_data.mask.cipher.alphabet import MARK, alphabets
from parity_data.mask.testing import KEYS, values
from parity_data.transfer.wire import ColumnPlan
from parity_data.verify.mask_link import _TEXTS, Kept, MaskWatch, check_masks, promise

#: A type for each family that maskers take, as text or as it is.
TYPES = {
    "any": "text", "text": "text", "integer": "int8", "number": "numeric", "date": "date", "json": "jsonb",
    "timestamp": "timestamptz", "network": "inet", "mac": "macaddr", "range": "daterange", "hstore": "hstore",
    "composite": "pair", "xml": "xml", "bytea": "bytea", "uuid": "uuid", "point": "point",
}  # fmt: skip


def plan(mask: str, type_name: str = "text", params: dict[str, object] | None = None) -> ColumnPlan:
    """A masked column."""
    of = Type(25, Name("pg_catalog", type_name.removesuffix("[]")), "b", "S")
    type_ = (
        Type(1009, Name("pg_catalog", "_" + of.name.name), "b", "A", element=of) if "[]" in type_name else of
    )
    return ColumnPlan(Column("c", 1, type_, type_name, True), MaskSpec(mask, params or {}))


def seen(of: ColumnPlan, raw: list[str | None], masked: list[str | None]) -> Kept:
    """What the watch sees when these become those."""
    watch = MaskWatch(of, 7)
    watch.compare(*(pl.Series(v, dtype=pl.String).to_arrow() for v in (raw, masked)))
    return watch.kept


def masked_by(of: ColumnPlan, raw: list[str | None]) -> list[str | None]:
    """What the masker makes of the values."""
    assert of.mask is not None
    plain = of.column.type
    masker = compile_mask(of.mask, KEYS[0], type_name=plain.name.name, is_array=plain.is_array)
    return masker(pl.Series(raw, dtype=pl.String)).to_list()


def message(of: ColumnPlan, kept: Kept) -> str | None:
    """What the check says when it fails."""
    key = Name("s", "t"), "c"
    (result,) = check_masks({key: kept}, {key: promise(of)})
    return result.message if result.status == "fail" else None


@pytest.mark.slow  # some values of every kind for each masker
@pytest.mark.parametrize("name", [n for n in masker_names() if n != "by_key"])
@settings(max_examples=20)
@given(data=st.data())
def test_maskers_keep_their_word(name: str, data: st.DataObject) -> None:
    assert_word_kept(name, data.draw(values(describe(name))))


def test_maskers_keep_their_word_for_their_samples() -> None:
    for name in masker_names():
        if name != "by_key":
            assert_word_kept(name, ["Zoë 🎉 O'Neil-3"])


def assert_word_kept(name: str, texts: list[str]) -> None:
    """The check passes on what the masker makes of its samples and, where it takes text, of these."""
    info = describe(name)
    texts = list(dict.fromkeys(texts))
    for family in info.accepts:
        type_name = TYPES.get(family)
        if type_name is None or (family not in ("any", "text") and family != info.accepts[0]):
            continue
        raw = [None, "", *texts, *info.samples, None]
        if family != "text" and "any" not in info.accepts:
            raw = [None, *info.samples] if info.accepts[0] == family else raw
        of = plan(name, type_name, dict(info.params_for_tests))
        raw = list(dict.fromkeys(raw))
        assert message(of, seen(of, raw, masked_by(of, raw))) is None


def test_what_must_change_has_another_to_become() -> None:
    table = alphabets()
    letters = pl.Series([chr(code) for code in range(32, 0xD800)])
    for letter in letters.filter(letters.str.contains(_TEXTS)).to_list():
        of = table.of[ord(letter)]
        assert of > MARK, letter
        assert table.size[of] > 1, letter


NAMES = [
    "Maria Lopez",
    "O'Brien-Łukasz",
    "Zoë Çelik ",
    "李雷",
    "Нина 🎉 Зорина",
    "e\u0301tienne",
    "x" * 60,
    "",
    None,
]

#: What goes wrong with one masked value, and the words that must name it.
DEFECTS: dict[str, tuple[str, Callable[[str], str | None], str]] = {
    "cut at 50": ("x" * 60, lambda s: s[:50], "length in characters"),
    "lower-cased": ("Maria Lopez", str.lower, "upper and lower case"),
    "accents stripped": (
        "Zoë Çelik ",
        lambda s: "".join(c for c in unicodedata.normalize("NFD", s) if not unicodedata.combining(c)),
        "length in bytes",
    ),
    "NFC forced": ("e\u0301tienne", lambda s: "é" + s[2:], "length in characters"),
    "emoji lost": ("Нина 🎉 Зорина", lambda s: s.replace("🎉", "?"), "what stands between"),
    "trailing blanks stripped": ("Zoë Çelik ", str.rstrip, "length in characters"),
    "emptied": ("Maria Lopez", lambda s: "", "empty values"),
    "made NULL": ("Maria Lopez", lambda s: None, "NULLs"),
    "other script": ("李雷", lambda s: "ﷲﷲ", "the script of letters"),
    "left as it was": ("Maria Lopez", lambda s: "Maria Lopez", "being masked at all"),
    "hyphen moved": ("O'Brien-Łukasz", lambda s: s.replace("-", "'"), "what stands between"),
}


@pytest.mark.parametrize("name", DEFECTS)
def test_one_value_in_many_is_found(name: str) -> None:
    victim, damage, words = DEFECTS[name]
    raw = [*NAMES, *(f"Person Number{i}" for i in range(2_000))]
    of = plan("person_name")
    masked = masked_by(of, raw)
    assert message(of, seen(of, raw, masked)) is None
    place = raw.index(victim)
    value = masked[place]
    assert value is not None
    masked[place] = damage(value)
    said = message(of, seen(of, raw, masked))
    assert said is not None
    assert f"{words}: 1 row" in said
    assert not any(text and text.strip() and text in said for text in (*NAMES, *masked))


def test_a_letter_that_alone_composes_with_its_mark_may_stay() -> None:
    of = plan("passport")
    raw: list[str | None] = [
        f"{letter}\u0308" for letter in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    ]
    masked = masked_by(of, raw)
    assert masked[19] == "t\u0308"
    assert message(of, seen(of, raw, masked)) is None


def test_capitals_of_any_script_are_compared_where_lengths_are_not() -> None:
    of = plan("email")
    assert "case" in promise(of).keeps
    assert "length" not in promise(of).keeps
    raw = ["Maria@shop.example", "maria@shop.example", "Émile@shop.example", "émile@shop.example"]
    kept = ["Xy@a.example", "xy@a.example", "Ñu@a.example", "ñu@a.example"]
    assert message(of, seen(of, raw, kept)) is None
    for i, other in enumerate(["xy@a.example", "xY@a.example", "ñu@a.example", "Ñu@a.example"]):
        broken = seen(of, raw, [*kept[:i], other, *kept[i + 1 :]]).broken
        assert broken == {"upper and lower case": 1}


def test_null_and_empty_are_not_exchanged() -> None:
    of = plan("person_name")
    raw = [*NAMES, "Ann"]
    masked = masked_by(of, raw)
    for value, other, words in (
        (None, "", "NULLs: 1 row"),
        ("", None, "NULLs: 1 row"),
        ("", "x", "empty values"),
    ):
        wrong = [
            other if before == value and before in (None, "") else after
            for before, after in zip(raw, masked, strict=True)
        ]
        assert words in (message(of, seen(of, raw, wrong)) or "")


def test_values_that_merge_or_split_are_counted() -> None:
    of = plan("code")
    raw = [f"K{i}" for i in range(100)] * 3
    masked = masked_by(of, raw)
    merged = [masked[1] if before == "K0" else after for before, after in zip(raw, masked, strict=True)]
    # Of two values that become one, either is held against the other.
    assert "distinct values: 1 row" in (message(of, seen(of, raw, merged)) or "")
    split = [*masked[:-1], "Q77"]
    assert "one pseudonym for each value: 1 row" in (message(of, seen(of, raw, split)) or "")


def test_many_values_are_seen_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parity_data.verify.mask_link._PAIRS", 500)
    of = plan("code")
    whole = Kept()
    for half in range(2):
        watch = MaskWatch(of, 7, whole.share)
        for start in range(0, 10_000, 1_000):
            raw: list[str | None] = [f"K{half}-{i}" for i in range(start, start + 1_000)]
            watch.compare(*(pl.Series(v, dtype=pl.String).to_arrow() for v in (raw, masked_by(of, raw))))
        whole.add(watch.kept)
    assert whole.rows == 20_000
    assert whole.share >= 5
    assert 0 < whole.distinct()[0] <= 2 * 500
    assert message(of, whole) is None


def test_elements_of_arrays_are_held_one_by_one() -> None:
    of = plan("person_name", "text[]")
    raw = ['{Maria,NULL,"O\'Brien, Jr"}', "{}", '[0:1]={Zoë,"a \\"b\\""}', None, '{"null"}']
    masked = masked_by(of, raw)
    assert message(of, seen(of, raw, masked)) is None
    first = masked[0]
    assert first is not None
    left = [first.replace(first[1:6], "Maria"), *masked[1:]]
    assert "being masked at all: 1 row" in (message(of, seen(of, raw, left)) or "")
    fewer = ["{" + first[1:6] + "}", *masked[1:]]
    assert "number of elements: 1 row" in (message(of, seen(of, raw, fewer)) or "")


def test_a_shift_of_one_date_breaks_the_order() -> None:
    of = plan("date_shift", "date")
    raw: list[str | None] = [f"1980-{m:02}-{d:02}" for m in range(1, 13) for d in range(1, 28)]
    masked = masked_by(of, raw)
    assert message(of, seen(of, raw, masked)) is None
    masked[40], masked[41] = masked[41], masked[40]
    assert "order" in (message(of, seen(of, raw, masked)) or "")


def test_what_only_looks_like_a_date_has_no_order() -> None:
    of = plan("date_shift")
    numbers: list[str | None] = [str(n) for n in range(100)]
    assert message(of, seen(of, numbers, masked_by(of, numbers))) is None
    raw: list[str | None] = [f"2023-{m:02}-{d:02}" for m in (1, 2, 13) for d in range(1, 32)]
    masked = masked_by(of, raw)
    assert message(of, seen(of, raw, masked)) is None
    masked[3], masked[4] = masked[4], masked[3]
    assert "order: 1 row" in (message(of, seen(of, raw, masked)) or "")


@pytest.mark.parametrize(
    ("mask", "text"),
    [
        ("uuid", "0190163d-8694-739b-aea5-966c26f8ad91"),
        ("mac", "08:00:2b:0a:0b:0c"),
        ("ip", "2a02:810d:0::3c4d"),
    ],
)
def test_one_identifier_in_several_ways_of_writing_passes(mask: str, text: str) -> None:
    of = plan(mask)
    mixed = "".join(c.upper() if i % 2 else c for i, c in enumerate(text))
    raw: list[str | None] = [text, text.upper(), mixed, text.replace(":0::", "::")]
    assert message(of, seen(of, raw, masked_by(of, raw))) is None


def test_shifts_by_subject_keep_the_form_and_no_order() -> None:
    of = plan("date_shift", "date", {"by": "subject"})
    raw: list[str | None] = ["1980-01-01", "1980-01-02", "1980-01-01"]
    assert message(of, seen(of, raw, ["1980-03-09", "1979-12-24", "1980-02-02"])) is None
    assert "being masked at all" in (
        message(of, seen(of, raw, ["1980-03-09", "1980-01-02", "1980-02-02"])) or ""
    )


def test_blanks_that_pad_are_no_part_of_the_value() -> None:
    of = plan("token", "bpchar")
    raw: list[str | None] = ["Ab 1    ", "        ", None]
    masked = masked_by(of, raw)
    assert message(of, seen(of, raw, masked)) is None
