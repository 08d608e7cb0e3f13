"""JSON by path, hstore by key, composite types by attribute."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_data.errors import RulesError
from parity_data.mask.registry import describe, validate
from tests.mask_text.made import masked, one

PATHS = {"$.email": "email", "$.contacts[*].phone": "phone", "$.**.name": "person_name", "$.n": "integer"}

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
numbers = st.integers(-(10**12), 10**12) | st.floats(allow_nan=False, allow_infinity=False, width=32)
leaves = texts | numbers | st.booleans() | st.none()
keys = st.sampled_from(["email", "name", "contacts", "phone", "n", "a.b", 'q"q', "é", ""]) | texts
documents = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=10,
)


def shape(value: Any) -> Any:
    """A document with every text and number replaced by the name of its kind."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    if isinstance(value, bool) or value is None:
        return value
    return "text" if isinstance(value, str) else "number"


def test_leaves_are_masked_as_columns_are_and_everything_else_stays() -> None:
    raw = ' {"email" :"Maria@acme.com", "x":1.50,"contacts":[ {"phone":"+49 30 1234567"},{}], "t":true}\n'
    expected = raw.replace("Maria@acme.com", one("email", "Maria@acme.com")).replace(
        "+49 30 1234567", one("phone", "+49 30 1234567")
    )
    assert one("json", raw, {"paths": PATHS, "other": "keep"}, type_name="json") == expected


@given(st.lists(documents, min_size=1, max_size=5), st.booleans(), st.sampled_from(["token", "keep"]))
def test_any_document_keeps_structure_order_of_keys_and_kinds(
    values: list[Any], ascii_only: bool, other: str
) -> None:
    raw = [json.dumps(value, ensure_ascii=ascii_only) for value in values]
    out = masked("json", raw, {"paths": PATHS, "other": other}, type_name="jsonb")
    for value, text in zip(values, out, strict=True):
        assert text is not None
        found = json.loads(text)
        assert shape(found) == shape(value)
        assert json.dumps(shape(found)) == json.dumps(shape(value))


@given(st.lists(documents, min_size=1, max_size=5))
def test_a_rule_for_nothing_that_keeps_the_rest_changes_no_character(values: list[Any]) -> None:
    raw = [json.dumps(value, ensure_ascii=False, indent=2) for value in values]
    assert masked("json", raw, {"paths": {"$.no_such_key": "email"}, "other": "keep"}) == raw


@given(texts.filter(lambda text: text != ""))
def test_a_leaf_gets_the_pseudonym_of_a_column(text: str) -> None:
    for escaped in (False, True):
        raw = json.dumps({"user": {"name": text}}, ensure_ascii=escaped)
        found = json.loads(one("json", raw, {"paths": {"$.user.name": "person_name"}}))
        assert found["user"]["name"] == one("person_name", text)


@given(st.lists(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1)))
def test_what_is_no_json_is_masked_as_a_whole(raw: list[str]) -> None:
    out = masked("json", [f"{text}}}" for text in raw], {"paths": PATHS, "other": "keep"})
    assert out == masked("token", [f"{text}}}" for text in raw])


@pytest.mark.parametrize(
    "raw",
    [
        '{"email":"maria@acme.com"',
        '{"a":1.2.3}',
        '{"a":tru}',
        "maria@acme.com",
        '["x",]',
        "[1 2]",
        '{"a":"b"}x',
    ],
)
def test_broken_documents_are_masked_as_a_whole(raw: str) -> None:
    assert one("json", raw, {"paths": PATHS, "other": "keep"}) == one("token", raw)


def test_nested_masks_have_domains_and_parameters_of_their_own() -> None:
    spec = {"mask": "person_name", "domain": "pets", "params": {"initials": "linked"}}
    out = json.loads(
        one("json", '{"pet": "Rex", "owner": "Rex"}', {"paths": {"$.pet": spec, "$.owner": "person_name"}})
    )
    assert out["pet"] == one("person_name", "Rex", {"initials": "linked"}, domain="pets")
    assert out["owner"] == one("person_name", "Rex")


def test_keys_that_are_data_are_masked() -> None:
    raw = '{"by_mail": {"maria@acme.com": 1, "o\\"x@acme.com": {"email": "a@acme.com"}}, "email": null}'
    out = json.loads(one("json", raw, {"paths": {"$.**.email": "email"}, "keys": {"$.by_mail": "email"}}))
    assert list(out) == ["by_mail", "email"]
    assert list(out["by_mail"]) == [one("email", "maria@acme.com"), one("email", 'o"x@acme.com')]
    assert out["by_mail"][one("email", 'o"x@acme.com')]["email"] == one("email", "a@acme.com")


def test_a_leaf_without_a_path_stops_where_the_rule_says_so() -> None:
    params = {"paths": {"$.email": "email"}, "other": "stop"}
    assert one("json", '{"email": "a@b.de", "t": true, "n": null}', params)
    with pytest.raises(RulesError, match="covered by no path") as caught:
        one("json", '{"email": "a@b.de", "Secret-Key": "Secret-Value"}', params)
    assert "Secret" not in str(caught.value)


def test_one_place_of_an_array_has_a_mask_of_its_own() -> None:
    raw = '["Maria", "Lopez", ["Lopez", "Lopez"]]'
    out = json.loads(
        one("json", raw, {"paths": {"$[1]": "person_name", "$[2][1]": "person_name"}, "other": "keep"})
    )
    assert out == ["Maria", one("person_name", "Lopez"), ["Lopez", one("person_name", "Lopez")]]


def test_numbers_stay_numbers_whatever_masks_them() -> None:
    found = json.loads(
        one("json", '{"phone": 4930123456, "id": 7, "x": 0.5}', {"paths": {"$.phone": "phone"}})
    )
    assert all(isinstance(value, int | float) for value in found.values())
    assert found["phone"] != 4930123456
    assert found["id"] != 7


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"paths": {"email": "email"}},
        {"paths": {"$.a": "no_such_masker"}},
        {"paths": {"$.a": {"mask": "email", "typo": 1}}},
        {"paths": {"$.a": {"mask": "phone", "params": {"no": 1}}}},
        {"paths": {"$.a": 3}},
        {"paths": {}, "other": "ignore"},
    ],
)
def test_rules_that_cannot_be_read_are_refused(params: dict[str, Any]) -> None:
    with pytest.raises(RulesError):
        validate(describe("json"), params)


def test_null_within_makes_the_whole_lossy() -> None:
    assert describe("json").distinct_with({"paths": {"$.a": "null"}}) == "lossy"
    assert describe("json").distinct_with({"paths": {"$.a": "email"}}) == "injective"


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@given(st.dictionaries(texts, texts | st.none(), max_size=4))
def test_hstore_by_key(pairs: dict[str, str | None]) -> None:
    pairs = {
        **{k.replace("\0", ""): v and v.replace("\0", "") for k, v in pairs.items()},
        "name": "Maria Lopez",
    }

    def written(found: dict[str, str | None]) -> str:
        return ", ".join(f"{quoted(k)}=>{'NULL' if v is None else quoted(v)}" for k, v in found.items())

    out = one(
        "hstore", written(pairs), {"keys": {"name": "person_name"}, "other": "keep"}, type_name="hstore"
    )
    assert out == written({**pairs, "name": one("person_name", "Maria Lopez")})
    with_names = one("hstore", written(pairs), {"keys": {"*": "token"}, "names": {"mask": "token"}})
    expected = {k and one("token", k): v and one("token", v) for k, v in pairs.items()}
    assert with_names == written(expected)


ADDRESS = (("street", "text"), ("house", "text"), ("city", "text"))


@given(st.lists(texts | st.none(), min_size=3, max_size=3))
def test_composites_by_attribute(values: list[str | None]) -> None:
    clean = [v and v.replace("\0", "") for v in values]

    def written(found: list[str | None]) -> str:
        def field(text: str | None) -> str:
            if text is None:
                return ""
            special = text == "" or any(c in '(),"\\' or c.isspace() for c in text)
            doubled = text.replace("\\", "\\\\").replace('"', '""')
            return f'"{doubled}"' if special else text

        return "(" + ",".join(map(field, found)) + ")"

    params = {"attributes": {"street": "street", "house": "code"}, "other": "keep"}
    out = one("composite", written(clean), params, type_name="address", attributes=ADDRESS)
    street, house, city = clean
    assert out == written([street and one("street", street), house and one("code", house), city])


def test_composites_in_arrays() -> None:
    params = {"attributes": {"street": "street"}, "other": "keep"}
    raw = '{"(Hauptstr.,\\"1 a\\",Köln)",NULL}'
    out = one("composite", raw, params, type_name="_address", is_array=True, attributes=ADDRESS)
    assert out == raw.replace("Hauptstr", one("street", "Hauptstr"))


def test_an_attribute_that_the_type_lacks_is_refused() -> None:
    with pytest.raises(RulesError, match="no attribute 'town'"):
        one("composite", "(a,b,c)", {"attributes": {"town": "city"}}, attributes=ADDRESS)


def test_a_star_stands_for_any_other_attribute_of_whatever_type() -> None:
    of = (("street", "text"), ("house", "text"), ("floor", "int4"))
    params = {"attributes": {"street": "street", "*": "number"}, "other": "stop"}
    out = one("composite", '(Hauptstr.,"12 a",-7)', params, type_name="address", attributes=of)
    street, house, floor = out.strip("()").split(",")
    assert street == one("street", "Hauptstr.")
    assert house == f'"{one("number", "12 a")}"'
    assert floor == one("number", "-7", type_name="int4")


def test_a_star_is_taken_in_a_trial_without_the_type() -> None:
    params = {"attributes": {"street": "street", "*": "token"}}
    assert one("composite", "(Hauptstr.)", params) == f"({one('street', 'Hauptstr.')})"


def test_what_is_no_document_never_becomes_one() -> None:
    broken = [f"0{n}" for n in range(10)] + [f"nu{a}l" for a in "bcdfghjkmnpqrstvwxz"]
    assert len(set(masked("json", [*broken, *map(str, range(10, 100))], {"paths": {}}))) == len(broken) + 90
    for text in masked("json", broken, {"paths": {}}):
        with pytest.raises(ValueError, match=r"Extra data|Expecting value"):
            json.loads(text or "")
