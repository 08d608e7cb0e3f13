"""The forest of tables: every table once, under what it follows, in lines and in the picture."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from parity_data.report.forest import ForestTable, grow, picture

SHOP = (
    ForestTable("shop.items", "owned", 300, 30, 900, "shop.orders", ("shop.products",)),
    ForestTable("shop.customers", "root", 50, 5, 100),
    ForestTable("shop.orders", "owned", 100, 10, 200, "shop.customers"),
    ForestTable("shop.notes", "owned", 10, 1, 20, "shop.customers"),
    ForestTable("shop.log", "unattached", 900, 90, 90),
    ForestTable("shop.products", "reference", 20, 20, 20),
)


def test_every_table_stands_below_what_it_follows() -> None:
    lines = [line.branch + line.table.name for line in grow(SHOP)]
    assert lines == [
        "shop.customers",
        "├─ shop.orders",
        "│  └─ shop.items",
        "└─ shop.notes",
        "shop.log",
        "shop.products",
    ]


def test_the_picture_is_whole_and_names_every_table() -> None:
    svg = ElementTree.fromstring(str(picture(grow(SHOP), 0.1)))
    words = " ".join(svg.itertext())
    for table in SHOP:
        assert table.name in words
    assert "30 of 300" in words
    assert_nothing_is_cut(svg)


def test_the_picture_has_room_for_its_heads_where_names_are_short() -> None:
    tables = [ForestTable("a", "root", 1, 1), ForestTable("b", "reference", 1, 1, also=("a",))]
    for forest in ([], tables[:1], tables):
        assert_nothing_is_cut(ElementTree.fromstring(str(picture(grow(forest), 0.1))))


def assert_nothing_is_cut(svg: ElementTree.Element) -> None:
    """Characters of the 12 pixels that the picture is written in are about 7 wide."""
    width = float(svg.attrib["width"])
    for text in svg.iter("{http://www.w3.org/2000/svg}text"):
        assert float(text.attrib["x"]) + 6.8 * len(text.text or "") < width, text.text


def test_names_cannot_leave_the_picture_or_write_into_it() -> None:
    hostile = ForestTable('x.</text><script>alert("1")</script>' + "y" * 300, "root", 1, 1)
    many = ForestTable(
        "x.many", "owned", 1, 1, 1, hostile.name, tuple(f"x.parent_number_{i}" for i in range(12))
    )
    drawn = str(picture(grow([hostile, many]), 0.5))
    svg = ElementTree.fromstring(drawn)
    assert "<script" not in drawn
    assert float(svg.attrib["width"]) < 1300
    assert re.search(r"x\.parent_number_0, .* and \d+ more", " ".join(svg.itertext()))
