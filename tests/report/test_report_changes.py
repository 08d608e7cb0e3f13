"""What changed since the last approved report stands on top, and nothing else does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from report_samples import detailed, failed, healthy

from parity_data.report import load_report, write_report
from parity_data.report.changes import changes
from parity_data.report.html import to_html
from parity_data.report.model import Change, ColumnReport, Since, TableReport
from parity_data.verify.result import Difference


def test_nothing_changed_is_nothing_to_read() -> None:
    report = detailed(healthy())
    assert changes(report, replace(report, release="other", seconds=1.0, snapshot="other")) == ()


def test_everything_worth_a_line_has_one() -> None:
    before = detailed(healthy())
    customers, orders, _ = before.tables
    assert customers.profile is not None
    emptier = replace(customers.profile.columns[1], nulls=(0.4, 0.41))
    columns = (customers.profile.columns[0], emptier, *customers.profile.columns[2:])
    now = replace(
        failed(),
        tables=(
            replace(
                customers,
                rows_source=40_000,
                columns=(
                    replace(customers.columns[0], mask="token"),
                    replace(customers.columns[1], sql_type="text"),
                    ColumnReport("tax_number", "text", "null", "nothing"),
                ),
                profile=replace(customers.profile, columns=columns),
            ),
            replace(orders, role="root"),
            TableReport("shop", "carts", "root", "new", 1, 1, 1),
        ),
        fraction=0.2,
        rules_digest="ffffffffffffffffffff",
    )
    found = {(change.scope, change.what) for change in changes(before, now)}
    assert found == {
        ("database", "rules: 9b2f6c1de4a7 → ffffffffffffffff"),
        ("database", "fraction: 10\u00a0% → 20\u00a0%"),
        ("shop.customers.full_name", "leaks: not checked → fail"),
        ("shop.orders", "foreign_keys: not checked → fail"),
        ("shop.orders", "new, undeclared: index orders_placed_at_idx is missing"),
        ("shop.carts", "new table of 0 columns"),
        ("public.countries", "table gone"),
        ("shop.customers", "rows in production: 20,000 → 40,000"),
        ("shop.customers.id", "mask: keep → token"),
        ("shop.customers.email", "type: citext → text"),
        ("shop.customers.tax_number", "new column, text, null"),
        ("shop.customers.full_name", "column gone"),
        ("shop.customers.email", "NULLs in production: 3\u00a0% → 40\u00a0%"),
        ("shop.orders", "role: owned → root"),
    }
    back = {change.what for change in changes(now, before)}
    assert {"leaks: fail → not checked", "gone: index orders_placed_at_idx is missing"} <= back


def test_a_check_that_is_not_made_any_more_is_told() -> None:
    before = healthy()
    now = replace(before, checks=tuple(check for check in before.checks if check.name != "leaks"))
    assert changes(before, now) == (Change("database", "no check leaks any more"),)


def test_changes_lead_the_page(tmp_path: Path) -> None:
    lines = (Change("shop.<i>carts", "new table of 3 columns"),)
    report = replace(
        healthy(),
        since=Since("20261120-0130-aaaa", "anna", "2026-11-20T08:00:00+00:00", lines),
        differences=(Difference("shop.orders", "something that differs"),),
    )
    page = to_html(report, "0" * 64).decode().replace("<wbr>", "")
    section = page.split('id="since"')[1].split("</section>")[0]
    for words in ("20261120-0130-aaaa", "anna", "2026-11-20", "one thing has changed", "shop.&lt;i&gt;carts"):
        assert words in section
    assert page.index("new table of 3 columns") < page.index("something that differs")
    assert load_report(write_report(report, tmp_path).json) == report
    assert "there is nothing to compare with" in to_html(healthy(), "0" * 64).decode()
    unchanged = replace(report, since=replace(report.since, changes=()))
    assert "Nothing has changed since then" in to_html(unchanged, "0" * 64).decode()
