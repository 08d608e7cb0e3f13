"""The closed world: what is found in texts, against an Aho-Corasick automaton over the same values."""

from __future__ import annotations

import pickle
import re
import unicodedata

import ahocorasick
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_data.mask import KnownValues, MaskSpec
from parity_data.mask.gathering import Gathering

NAME, LOGIN, EMAIL, CODE = (MaskSpec(m, {}) for m in ("person_name", "username", "email", "code"))


def gathered(**values: list[str | None]) -> KnownValues:
    """Known values by masker."""
    gathering = Gathering(seed=7)
    for name, texts in values.items():
        gathering.add(MaskSpec(name, {}), pl.Series(texts, dtype=pl.String))
    return gathering.finish()


def found(known: KnownValues, *texts: str) -> list[list[tuple[str, str]]]:
    """(span, masker) by text."""
    data = "".join(texts).encode()
    out: list[list[tuple[str, str]]] = [[] for _ in texts]
    for text, start, end, mask in zip(*known.find(pl.Series(list(texts), dtype=pl.String)), strict=True):
        out[text].append((data[start:end].decode(), known.masks[mask].name))
    return out


PEOPLE = gathered(
    person_name=[
        "Maria Lopez", "李雷", "佐藤　花子", "Will Grace", "O'Brien-Łukasz", "Zoë Müller-Çelik",
        "von der Berg", "渡辺 ユキ", "van der Berg",
        "Мария Иванова", "김민수", "X", "Jo Ann", None, "", "伟", "{name} 100%", "=cmd|' /C calc'!A0",
        "Back\\slash \\N", "فاطمة حسن", "สมชาย ใจดี",
    ],
    username=["mlopez84", "info", "anna_k"],
    code=["KD 7781", "12", "INV-2024-00042"],
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("call maria", ["maria"]),
        ("LOPEZ, Maria!", ["LOPEZ", "Maria"]),
        ("Maria\u00a0 Lopez", ["Maria\u00a0 Lopez"]),
        ("Maria ......... Lopez", ["Maria", "Lopez"]),
        ("marial, Mariana, maria2", []),
        ("MLopez84 and anna_k@", ["MLopez84", "anna_k"]),
        ("zoe\u0308 mu\u0308ller", ["zoe\u0308", "mu\u0308ller"]),
        ("o'brien-łukasz’s", ["o'brien-łukasz"]),
        ("李雷打电话给佐藤花子。", ["李雷", "佐藤", "花子"]),
        ("김민수가", ["김민수"]),
        ("ИВАНОВА, Мария", ["ИВАНОВА", "Мария"]),
        ("ask فاطمة!", ["فاطمة"]),
        ("คุณสมชายครับ", ["สมชาย"]),
        ("伟大 伟", ["伟"]),
        ("ask ユキ, van der Berg, van der", ["ユキ", "van der Berg"]),
        ("kd-7781 12 inv/2024/00042", ["kd-7781", "inv/2024/00042"]),
        ("Will you will, or will Will?", ["Will"]),
        ("ask Will Grace, jo or Jo", ["Will Grace", "Jo"]),
        ("x X my Name name info", []),
        ("Bell: =cmd|' /C calc'!A0, back\\slash \\N", ["cmd|' /C calc'!A0", "back\\slash \\N"]),
        ("", []),
        ("😀", []),
    ],
)
def test_what_is_found(text: str, spans: list[str]) -> None:
    assert [span for span, _ in found(PEOPLE, text)[0]] == spans


def test_texts_do_not_run_into_each_other() -> None:
    assert found(PEOPLE, "Maria", "Lopez", "", "李", "雷") == [
        [("Maria", "person_name")], [("Lopez", "person_name")], [], [], [],
    ]  # fmt: skip


def test_the_longest_value_counts_and_the_first_mask_that_came() -> None:
    known = gathered(person_name=["Anna Weber"], company=["Anna Weber Bau GmbH"], username=["anna"])
    assert found(known, "anna weber bau gmbh, anna weber, anna")[0] == [
        ("anna weber bau gmbh", "company"), ("anna weber", "person_name"), ("anna", "person_name"),
    ]  # fmt: skip


def test_a_name_that_stands_among_addresses_too_is_a_name() -> None:
    for order in (("address", "username", "person_name"), ("person_name", "address", "username")):
        known = gathered(**{masker: ["Hans-Peter Schmidt"] for masker in order})
        assert found(known, "call Hans-Peter Schmidt")[0] == [("Hans-Peter Schmidt", "person_name")]


def test_no_value_can_be_read_from_what_is_kept() -> None:
    data = pickle.dumps(PEOPLE)
    assert b"Maria" not in data
    assert b"mlopez" not in data
    assert "Maria" not in repr(PEOPLE)
    again = pickle.loads(data)
    assert found(again, "call maria") == found(PEOPLE, "call maria")


def test_batches_make_no_difference() -> None:
    values = [f"Name{'abcdefghij'[i % 10]}{'klmnopqrst'[i // 10]} Other{'uvwxyz'[i % 6]}" for i in range(100)]
    gathering = Gathering(seed=7)
    for value in values * 2:
        gathering.add(NAME, pl.Series([value]))
    one, many = gathered(person_name=list(values)), gathering.finish()
    assert (one.runs == many.runs).all()
    assert (one.when == many.when).all()
    assert len(one) == len(many)


letters = st.sampled_from("abcAB éÉ,-.\n")
words = st.lists(st.text(letters, min_size=1, max_size=14), min_size=1, max_size=6)


GLUED = st.sampled_from(["ab", "caba", "bé", "zz", " ", ", ", "-", "\n", "Ab CABA", "x"])


@given(words, st.lists(GLUED, max_size=12))
def test_finds_what_an_automaton_finds(values: list[str], parts: list[str]) -> None:
    """Codes as a whole, the longest first: what Aho-Corasick gives when only whole words count."""
    values = [f"ab1{v}caba" for v in values] + ["7caba ab", "zz9zz"]
    text = "".join([*parts, values[0], " ", *parts[:3], values[-1]])
    known = gathered(code=list(values))

    def normal(raw: str) -> str:
        return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", raw).lower()))

    automaton = ahocorasick.Automaton()
    for value in values:
        telling = normal(value)
        size = telling.count(" ") + 1
        if size <= 8 and len(telling.replace(" ", "")) >= 5:
            automaton.add_word(f" {telling} ", size)
    automaton.make_automaton()
    wide = any(len(gap.encode()) > 8 for gap in re.findall(r"[\W_]+", text))
    hits = [size for _, size in automaton.iter(f" {normal(text)} ")]
    mine = found(known, text)[0]
    if not wide:
        assert bool(mine) == bool(hits)
        assert max((len(re.findall(r"\w+", s)) for s, _ in mine), default=0) == max(hits, default=0)
