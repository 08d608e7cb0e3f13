"""The section for whoever answers for data protection."""

from __future__ import annotations

from dataclasses import replace

from report_samples import healthy

from parity_data.report import UndecidedReport
from parity_data.report.html import to_html


def section(page: bytes) -> str:
    """Its words: where a long name may part is not one of them."""
    whole = page.decode().replace("<wbr>", "")
    return whole.partition('<section id="personal"')[2].partition("</section>")[0]


def test_what_is_personal_what_happens_to_it_and_who_decided() -> None:
    report = healthy()
    table = report.tables[0]
    columns = tuple(replace(c, by=None, decided_by="Ada", decided_on="2026-05-02") for c in table.columns)
    text = section(to_html(replace(report, tables=(replace(table, columns=columns),)), "0" * 64))
    assert "Nothing was undecided" in text
    assert "shop.customers.email" in text
    assert "shop.customers.id<" not in text  # kept, and nothing personal
    assert "Ada<br>2026-05-02" in text


def test_what_was_undecided_stands_first_with_its_evidence() -> None:
    undecided = UndecidedReport(
        "shop.customers.ssn",
        "new column",
        "shop.customers.ssn (text) has no rule.",
        ("shop.customers.ssn: null",),
        ("the name says <b>identity</b> number",),
    )
    text = section(to_html(replace(healthy(), undecided=(undecided,)), "0" * 64))
    assert text.index("shop.customers.ssn") < text.index("shop.customers.email")
    assert "the name says &lt;b&gt;identity" in text
    assert "Nothing was undecided" not in text
