"""Free text: each span gets the pseudonym that its column has, and the rest what the rule says."""

from __future__ import annotations

import re

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from parity_data.errors import RulesError
from parity_data.mask import KnownValues, MaskSpec, compile_mask
from parity_data.mask.gathering import Gathering
from tests.mask_text.made import KEYS, masked, one

PEOPLE = ("Maria Lopez", "Łukasz O'Brien", "Zoë Müller-Çelik", "Нина Зорина", "李雷", "דוד כהן", "Will Grace")
LOGINS = ("mlopez84", "zmueller")


def known_people() -> KnownValues:
    gathering = Gathering(seed=7)
    gathering.add(MaskSpec("person_name", {}), pl.Series(PEOPLE))
    gathering.add(MaskSpec("username", {}), pl.Series(LOGINS))
    return gathering.finish()


KNOWN = known_people()
ANY = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=40)
BETWEEN = st.sampled_from([" ", ", ", "\n", " - ", "? ", " (", "; "])
SPANS = st.sampled_from(
    [
        *(("person_name", name) for name in PEOPLE),
        *(("person_name", name.upper()) for name in PEOPLE),
        *(("username", name) for name in LOGINS),
        ("email", "maria.lopez+x@gmail.com"),
        ("phone", "+49 30 1234567"),
        ("iban", "DE89 3704 0044 0532 0130 00"),
        ("card", "4111 1111 1111 1111"),
        ("ip", "84.132.7.19"),
        ("url", "https://www.acme-widgets.com/u/maria-lopez"),
        ("national_id", "44051401359"),
    ]
)
#: No bare number: behind a telephone number nobody could tell it from an extension.
PROSE = st.sampled_from(["please", "bitte", "прошу", "refund", "今日", "to the shop", "item 42:", "ok"])


@given(st.lists(st.tuples(PROSE, BETWEEN, SPANS, BETWEEN), min_size=1, max_size=6))
def test_every_span_gets_the_pseudonym_of_its_column_and_the_rest_stays(
    parts: list[tuple[str, str, tuple[str, str], str]],
) -> None:
    raw = "".join(f"{prose} {before}{span}{after}" for prose, before, (_, span), after in parts)
    expected = "".join(
        f"{prose} {before}{one(kind, span)}{after}" for prose, before, (kind, span), after in parts
    )
    assert one("free_text", raw, {"rest": "keep"}, known=KNOWN) == expected


@given(st.lists(ANY, min_size=1, max_size=8), st.sampled_from(["scramble", "words", "keep"]))
@example(["", "a", "\ufeff", "𝟎"], "scramble")
def test_any_text_is_masked_without_error_and_the_same_way_alone_or_in_company(
    texts: list[str], rest: str
) -> None:
    together = masked("free_text", texts, {"rest": rest}, known=KNOWN)
    assert together == [
        one("free_text", text, {"rest": rest}, known=KNOWN) if text else text for text in texts
    ]


@given(ANY.filter(lambda text: len(re.findall(r"[^\W_]", text)) >= 6))
def test_scrambled_text_keeps_its_shape_and_nothing_else(text: str) -> None:
    plain = re.sub(r"[@:/.+0-9]|[^\x00-\x7f]", " ", text)
    for rest in ("scramble", "words"):
        out = one("free_text", plain, {"rest": rest}) if plain.strip() else plain
        assert len(out) == len(plain)
        assert [c for c in out if not c.isalnum()] == [c for c in plain if not c.isalnum()]
        if len(re.findall(r"[a-z]", plain.lower())) >= 6:
            assert out != plain


def test_scramble_hides_that_words_recur_and_words_does_not() -> None:
    texts = ["the parcel is late", "the parcel was late"]
    alike = [a == b for a, b in zip(*(t.split() for t in masked("free_text", texts)), strict=True)]
    assert alike.count(True) <= 1
    first, second = masked("free_text", texts, {"rest": "words"})
    assert first is not None
    assert second is not None
    assert first.split()[:2] == second.split()[:2]


def test_the_default_leaves_nothing_readable() -> None:
    raw = "Unknown Person lives in Nowhere and likes Something"
    out = one("free_text", raw)
    assert not set(out.split()) & set(raw.split())


def test_scrambled_texts_do_not_merge() -> None:
    texts = [f"note {a}{b}{c}" for a in "abcdefgh" for b in "klmnop" for c in "rstuv"]
    assert len(set(masked("free_text", texts))) == len(texts)


def test_other_masks_for_spans() -> None:
    spec = {"mask": "email", "domain": "elsewhere"}
    out = one("free_text", "to a.b@gmail.com", {"rest": "keep", "masks": {"email": spec, "phone": "digits"}})
    assert out == "to " + one("email", "a.b@gmail.com", domain="elsewhere")
    with pytest.raises(RulesError, match="no kind of span 'mail'"):
        one("free_text", "x", {"masks": {"mail": "email"}})


def test_spans_follow_the_masks_that_columns_have() -> None:
    linked = MaskSpec("person_name", {"initials": "linked"}, "people")
    mail = MaskSpec("email", {"initials": "linked"}, "people")
    gathering = Gathering(seed=7)
    gathering.add(linked, pl.Series(["Maria Lopez"]))
    gathering.add(mail, pl.Series(["maria@acme.com"]))
    out = one("free_text", "maria lopez: new@acme.com", {"rest": "keep"}, known=gathering.finish())
    name = one("person_name", "maria lopez", {"initials": "linked"}, domain="people")
    assert out == f"{name}: " + one("email", "new@acme.com", {"initials": "linked"}, domain="people")


def test_a_text_with_nul_in_a_json_string_is_masked_as_a_whole() -> None:
    raw = '{"note": "Maria \\u0000 Lopez"}'
    out = one(
        "json", raw, {"paths": {"$.note": {"mask": "free_text", "params": {"rest": "keep"}}}}, known=KNOWN
    )
    assert "Maria" not in out
    assert "\\u0000" in out


def test_counts_what_was_found_and_how() -> None:
    masker = compile_mask(MaskSpec("free_text", {"rest": "keep"}), KEYS, known=KNOWN)
    masker(pl.Series(["Maria Lopez, a@b.de", "ok", "ok", None, "", "mlopez84 a@b.de c@d.de"]))
    assert dict(masker.tally) == {
        "texts": 3,
        "texts with spans": 2,
        "known person_name": 1,
        "known username": 1,
        "pattern email": 3,
        "count lengths": 2,
    }


def test_counts_of_texts_inside_documents_reach_the_column() -> None:
    masker = compile_mask(MaskSpec("json", {"paths": {"$.note": "free_text"}}), KEYS, type_name="jsonb")
    masker(pl.Series(['{"note": "a@b.de"}']))
    assert masker.tally["pattern email"] == 1
