"""Names of columns, in eight languages and several scripts, and words that mislead."""

from __future__ import annotations

import pytest

from parity_data.detect.lexicon import lexicon
from parity_data.detect.names import judge_name, place_of
from parity_data.detect.tokens import split_glued, words

PERSONAL = [
    ("t", "emailAddress", "email"),
    ("t", "addr2_txt", "street_address"),
    ("t", "addressline1", "street_address"),
    ("t", "FNAME", "first_name"),
    ("t", "last_login_ip", "ip_address"),
    ("t", "stripe_apiToken", "secret"),
    ("t", "nr_telefonu", "phone"),
    ("klient", "nazwisko", "last_name"),
    ("t", "geburtsdatum", "birth_date"),
    ("kunden", "Straße", "street_address"),
    ("t", "fecha_nacimiento", "birth_date"),
    ("t", "prénom", "first_name"),
    ("t", "telefone_celular", "phone"),
    ("t", "codiceFiscale", "national_id"),
    ("t", "achternaam", "last_name"),
    ("t", "wachtwoord", "password"),
    ("t", "фамилия", "last_name"),
    ("t", "姓名", "person_name"),
    ("t", "電話番号", "phone"),
    ("t", "이메일", "email"),
    ("users", "name", "person_name"),
    ("users", "display_name", "person_name"),
    ("members", "displayName", "person_name"),
    ("t", "customer_name", "person_name"),
    ("t", "nombre_cliente", "person_name"),
]
HARMLESS = [
    ("product", "name"),
    ("product_category", "name"),
    ("companies", "display_name"),
    ("shop_voucher", "displayname"),
    ("t", "file_name"),
    ("t", "hostname"),
    ("t", "email_verified"),
    ("t", "phone_type"),
    ("t", "email_count"),
    ("t", "max_tokens"),
    ("t", "mailing_list_id"),
    ("t", "order_number"),
    ("t", "zipped"),
    ("t", "shipping_method"),
    ("t", "platform"),
    ("t", "pinned"),
    ("t", "script"),
    ("t", "clip"),
    ("t", "statement"),
    ("t", "capacity"),
    ("t", "modifieddate"),
]


@pytest.mark.parametrize(("table", "column", "kind"), PERSONAL)
def test_personal_names(table: str, column: str, kind: str) -> None:
    strongest = judge_name(column, place_of(table)).evidence[0]
    assert (strongest.kind, strongest.weight >= 0.6) == (kind, True)


@pytest.mark.parametrize(("table", "column"), HARMLESS)
def test_harmless_names(table: str, column: str) -> None:
    assert all(item.weight < 0.2 for item in judge_name(column, place_of(table)).evidence)


def test_a_name_without_meaning_is_opaque() -> None:
    for column in ("c1", "attr_7", "xq_zz"):
        verdict = judge_name(column, place_of("t"))
        assert verdict.opaque
        assert not verdict.evidence


def test_the_name_of_a_thing_tells_what_its_values_are() -> None:
    assert judge_name("native_name", place_of("countries")).neutral
    assert not judge_name("native_name", place_of("t")).neutral
    assert not judge_name("native_name", place_of("users")).neutral


def test_comments_count() -> None:
    verdict = judge_name("c1", place_of("t"), "E-mail address of the customer")
    assert verdict.evidence[0].kind == "email"


def test_words_of_identifiers() -> None:
    assert words("customerEMailAddr2") == ("customer", "e", "mail", "addr", "2")
    assert words("ÜberName") == ("uber", "name")
    assert split_glued("businessentityid", frozenset({"business", "entity"})) == ("businessentityid",)
    assert split_glued("lastnameprefix", frozenset({"last", "name", "prefix"})) == ("last", "name", "prefix")


def test_every_list_of_the_lexicon_is_read() -> None:
    lex = lexicon()
    assert set(lex.kinds) == {kind for kind, _, _ in lex.phrases.values()}
    assert {"en", "de", "fr", "es", "pt", "it", "nl", "pl"} <= {
        language for _, _, language in lex.phrases.values()
    }
    for listed in (lex.names, lex.people, lex.things, lex.negative, lex.neutral):
        assert len(listed) > 5
    assert all(kind.level in {"direct", "quasi", "secret", "special", "text"} for kind in lex.kinds.values())
