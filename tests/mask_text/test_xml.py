"""XML by path, against a parser that knows nothing of the masker."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity_data.errors import RulesError
from parity_data.mask.registry import describe, validate
from tests.mask_text.made import one

PATHS = {"//name": "person_name", "/order/customer/@mail": "email", "/order/note": "free_text"}
DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE order>
<order xmlns:x="urn:x" id="42">
  <customer mail='maria@acme.com' x:vip="yes"><name> Maria &amp; Søn </name><empty/></customer>
  <x:name>left alone</x:name><!-- for Maria --><![CDATA[1 < 2 & 3]]>
  <note>call <b>Maria</b> or a@b.de</note>
</order>
"""


def test_leaves_are_masked_as_columns_are_and_everything_else_stays() -> None:
    expected = DOCUMENT.replace("maria@acme.com", one("email", "maria@acme.com"))
    expected = expected.replace("Maria &amp; Søn", one("person_name", "Maria & Søn").replace("&", "&amp;"))
    two = {path: PATHS[path] for path in list(PATHS)[:2]}
    assert one("xml", DOCUMENT, {"paths": two, "other": "keep"}) == expected
    out = one("xml", DOCUMENT, {"paths": PATHS}, type_name="xml")
    here, there = ElementTree.fromstring(DOCUMENT), ElementTree.fromstring(out)
    assert [element.tag for element in here.iter()] == [element.tag for element in there.iter()]
    assert there[2].text == one("free_text", "call") + " "
    assert there.attrib["id"] == one("number", "42", type_name="numeric")
    for word in ("Maria", "left", "acme", "yes", "1 <"):
        assert word not in out


names = st.sampled_from(["order", "customer", "name", "é", "x-1", "a.b"])
texts = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=10
)


@st.composite
def elements(draw: st.DrawFn, depth: int = 0) -> ElementTree.Element:
    element = ElementTree.Element(draw(names), {k: draw(texts) for k in draw(st.sets(names, max_size=2))})
    element.text = draw(texts)
    for _ in range(draw(st.integers(0, 2)) if depth < 3 else 0):
        child = draw(elements(depth + 1))
        child.tail = draw(texts)
        element.append(child)
    return element


@given(elements())
def test_any_document_stays_well_formed_and_keeps_its_elements(element: ElementTree.Element) -> None:
    raw = ElementTree.tostring(element, encoding="unicode")
    out = ElementTree.fromstring(one("xml", raw, {"paths": PATHS, "other": "token"}))
    assert [(e.tag, list(e.attrib)) for e in element.iter()] == [(e.tag, list(e.attrib)) for e in out.iter()]
    assert one("xml", raw, {"paths": {"/no": "email"}, "other": "keep"}) == raw
    for before, after in zip(element.iter("name"), out.iter("name"), strict=True):
        if (before.text or "").strip():
            assert (after.text or "").strip() == one("person_name", (before.text or "").strip()).strip()


@pytest.mark.parametrize(
    "raw", ["<a>", "</a>", "<a><b></a></b>", "maria < lopez", "<a b=c>x</a>", "<a><</a>", "a > b <"]
)
def test_what_is_not_well_formed_is_masked_as_a_whole(raw: str) -> None:
    assert one("xml", raw, {"paths": PATHS, "other": "keep"}) == one("token", raw)


@pytest.mark.parametrize("path", ["", "name", "/a[1]", "/a//", "//@", '/a"b'])
def test_a_path_that_cannot_be_read_is_refused(path: str) -> None:
    with pytest.raises(RulesError):
        validate(describe("xml"), {"paths": {path: "email"}})
