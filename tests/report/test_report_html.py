"""report.html: one safe, small, self-contained page in which everything is explained."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path

import pytest
from report_samples import HOSTILE, detailed, failed, healthy, hostile, wide

from parity_data.report import SpansReport, TextReport, write_report
from parity_data.report.explain import explain
from parity_data.report.html import _views
from parity_data.report.model import Report
from parity_data.report.profile_view import Profiles
from parity_data.report.text import shown
from parity_data.verify.result import CheckResult, Difference

VOID = {"meta", "link", "img", "br", "hr", "input", "base", "embed", "source", "wbr"}


class Page(HTMLParser):
    """Elements with their attributes, the text of the body, and whether every element is closed in order."""

    def __init__(self, markup: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.raw: dict[str, list[str]] = {"style": [], "script": []}
        self.texts: list[str] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.raw:
            self.raw[self.open[-1]].append(data)
        else:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", "".join(self.texts))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def page_of(report: Report, folder: Path) -> Page:
    return Page(write_report(report, folder).html.read_text(encoding="utf-8"))


@pytest.mark.parametrize("make", [healthy, failed, hostile, wide])
def test_every_element_is_closed(make, tmp_path: Path) -> None:
    page = page_of(make(), tmp_path)
    assert page.open == []
    ids = Counter(attributes["id"] for _, attributes in page.elements if "id" in attributes)
    assert max(ids.values()) == 1
    targets = {attributes["href"] for attributes in page.all("a")}
    assert {f"#{name}" for name in ids} >= targets


@pytest.mark.parametrize("make", [failed, hostile])
def test_nothing_is_asked_from_anywhere(make, tmp_path: Path) -> None:
    page = page_of(make(), tmp_path)
    for tag, attributes in page.elements:
        assert tag not in {"link", "img", "iframe", "object", "embed", "base", "source", "video", "audio"}
        assert not {"src", "srcset", "action", "data", "poster", "xlink:href", "style"} & attributes.keys()
        assert not [name for name in attributes if name.startswith("on")]
        assert attributes.get("href", "#").startswith("#")
    style = "".join(page.raw["style"])
    assert "url(" not in style
    assert "@import" not in style


def test_the_policy_admits_exactly_its_own_style_and_script(tmp_path: Path) -> None:
    page = page_of(failed(), tmp_path)
    (policy,) = [
        attributes["content"]
        for attributes in page.all("meta")
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for name in ("style", "script"):
        assert len(page.all(name)) == 1
        digest = base64.b64encode(hashlib.sha256("".join(page.raw[name]).encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy


def test_hostile_names_are_text(tmp_path: Path) -> None:
    page = page_of(hostile(), tmp_path)
    reference = page_of(failed(), tmp_path / "reference")
    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in reference.elements}
    for name in HOSTILE:
        assert page.text.count(re.sub(r"\s+", " ", shown(name))) >= 8
    assert "\u202e" not in "".join(page.texts)


def test_invisible_characters_are_spelt_out() -> None:
    assert shown("a\u202eb\u200bc\nd\x7f") == "a\\u202eb\\u200bc\\u000ad\\u007f"
    assert shown("🧑‍🚀 ünï Łukasz 李雷") == "🧑‍🚀 ünï Łukasz 李雷"


def test_300_tables_stay_below_5_megabytes(tmp_path: Path) -> None:
    paths = write_report(wide(300, 15), tmp_path)
    assert paths.html.stat().st_size < 5_000_000
    page = Page(paths.html.read_text(encoding="utf-8"))
    assert sum("data-t" in attributes for attributes in page.all("tbody")) == 300


def test_every_check_is_explained(tmp_path: Path) -> None:
    names = (
        "row_counts",
        "null_share",
        "leaks",
        "foreign_keys",
        "catalog_fingerprint",
        "sequences",
        "load_hash",
    )
    for status in ("fail", "warn", "pass"):
        checks = tuple(
            CheckResult(name, "s.t", status, 1, 0, f"{name} said so") for name in (*names, "a new idea")
        )
        page = page_of(replace(failed(), checks=checks), tmp_path / status)
        for name in (*names, "a new idea"):
            explanation = explain(name)
            assert min(len(explanation.title), len(explanation.how), len(explanation.todo)) > 5
            for part in (explanation.title, explanation.how, explanation.todo, f"{name} said so"):
                assert part in page.text
    assert len({explain(name) for name in names}) == len(names)


def test_fails_lead_and_passes_are_collapsed(tmp_path: Path) -> None:
    page = page_of(failed(), tmp_path)
    groups = [attributes for attributes in page.all("details") if "data-g" in attributes]
    assert [group["class"] for group in groups] == ["g fail", "g fail", "g warn", "g warn", *["g pass"] * 4]
    assert ["open" in group for group in groups] == [True] * 4 + [False] * 4


def test_undeclared_differences_come_before_declared(tmp_path: Path) -> None:
    differences = (Difference("b", "declared thing", "a reason"), Difference("a", "undeclared thing"))
    text = page_of(replace(failed(), differences=differences), tmp_path).text
    assert text.index("undeclared thing") < text.index("declared thing", text.index("undeclared thing") + 20)
    assert text.index("a reason") < text.index("Foreign keys resolve")


def test_pictures_say_what_they_show(tmp_path: Path) -> None:
    page = page_of(failed(), tmp_path)
    pictures = page.all("svg")
    labelled = [attributes for attributes in pictures if attributes.get("role") == "img"]
    assert [sum(one["class"] == kind for one in labelled) for kind in ("b", "tr")] == [3, 6]
    assert "Staging holds 26.61\u00a0% of production's rows; the fraction is 10\u00a0%." in [
        attributes["aria-label"] for attributes in labelled
    ]
    assert all(
        attributes.get("aria-hidden") == "true" for attributes in pictures if attributes not in labelled
    )
    assert all("scope" in attributes for attributes in page.all("th"))
    assert {"header", "nav", "main", "footer"} <= {tag for tag, _ in page.elements}


def test_a_profile_is_drawn_and_told_in_words(tmp_path: Path) -> None:
    page = page_of(detailed(healthy()), tmp_path)
    pictures = [attributes for attributes in page.all("svg") if attributes.get("class") == "c"]
    # The legend; NULLs by column of the tables that have columns; pairs; three keys; those of the columns.
    assert len(pictures) == 2 + 2 + 3 + 3 + (2 + 3 + 2) + (2 + 3)
    for words in (
        "Profile of production: 9,983 rows of blocks at even distances (limit 10,000 rows); of staging: "
        "every row, 2,000. Heap 25 MB | 1.7 MB; indexes 38 % | 52 % of it; dead rows 120 | 0; "
        "bloat, estimated, 41 % | 16 %. Rows that equal another one: 12 | 2.",
        "rows per row of shop.customers (orders_customer_id_fkey), at most 50,001 | 32",
        "NULL 3 % | 3.1 %; length 1–33, half up to 12 | 2–31, half up to 12",
        "beyond ASCII 12.3 % | 13 %",
        "position, 1.2 points apart",
        "Association: id and note 0.12; born and city 0.91 | 0.12 (masked apart); a and b 0.50 | 0.49.",
        "shapes Aaa Aaa 61 % | 60 %; AA, Aaa 20 %; Яяя Яяя 10 % | 7 %; other 9 % | 13 %",
        "correlation with the physical order 0.98 | 0.12",
    ):
        assert words in page.text.replace("\u00a0", " "), words
    assert "Profile" not in page_of(healthy(), tmp_path / "without").text


def test_pictures_give_way_to_size_those_of_failed_tables_last(tmp_path: Path) -> None:
    report = wide(60, 20)
    last = report.tables[-1].scope
    checks = (*report.checks, CheckResult("row_counts", last, "fail", 1, 2, "Rows are missing."))
    report = replace(report, checks=checks)
    for room, drawn in ((None, 60), (100_000, 30), (0, 0)):
        profiles = Profiles(1200, room)
        views = _views(report, frozenset(), profiles)
        having = [
            view.table.scope
            for view in views
            if view.profile and any(column.figures for column in view.profile.columns.values())
        ]
        assert len(having) == 60 if room is None else len(having) <= drawn
        assert (last in having) == (room != 0)
        assert room is None or profiles.taken <= room


def test_the_digest_on_the_page_is_that_of_the_json(tmp_path: Path) -> None:
    paths = write_report(failed(), tmp_path)
    assert paths.sha256 in Page(paths.html.read_text(encoding="utf-8")).text


def test_an_empty_report_is_a_page_too(tmp_path: Path) -> None:
    empty = replace(healthy(), tables=(), checks=(), differences=(), foreign_keys=(), stages=(), note=None)
    text = page_of(empty, tmp_path).text
    assert "No check was run" in text
    assert "The refresh had no table." in text


def _luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[index : index + 2], 16) / 255 for index in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_text_has_contrast_in_light_dark_and_print() -> None:
    """WCAG 2.2, 1.4.3: at least 4.5 to 1 for every ink on every ground that it may stand on."""
    style = resources.files("parity_data.report").joinpath("style.css").read_text(encoding="utf-8")
    palettes = [
        dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{3,6})", block))
        for block in re.findall(r":root \{(.*?)\}", style, re.S)
    ]
    assert len(palettes) == 3
    for palette in palettes:
        pairs = [(ink, ground) for ink in ("ink", "quiet") for ground in ("paper", "raised")]
        pairs += [(ink, f"{status}-wash") for status in ("fail", "warn") for ink in ("ink", "quiet", status)]
        pairs += [(ink, "paper") for ink in ("pass", "warn", "fail", "link")]
        for ink, ground in pairs:
            light, dark = sorted((_luminance(palette[ink]), _luminance(palette[ground])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, ground)


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def _opened(page: Path, folder: Path) -> Page:
    """The page as a browser leaves it after its script ran, network off."""
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--proxy-server=127.0.0.1:9", f"--user-data-dir={folder / 'browser'}", "--virtual-time-budget=3000",
        "--dump-dom", page.as_uri(),
    ]  # fmt: skip
    found = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return Page(found.stdout)


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_browser_runs_the_script_under_the_policy_and_no_other(tmp_path: Path) -> None:
    paths = write_report(hostile(), tmp_path)
    as_written = Page(paths.html.read_text(encoding="utf-8"))
    assert [attributes for attributes in as_written.all("form") if "hidden" in attributes]
    opened = _opened(paths.html, tmp_path)
    assert not [attributes for attributes in opened.all("form") if "hidden" in attributes]
    tampered = tmp_path / "tampered.html"
    text = paths.html.read_text(encoding="utf-8").replace('"use strict";', '"use strict"; 1;')
    tampered.write_text(text, encoding="utf-8")
    assert [attributes for attributes in _opened(tampered, tmp_path).all("form") if "hidden" in attributes]


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_the_filter_hides_what_does_not_match(tmp_path: Path) -> None:
    paths = write_report(wide(12, 3), tmp_path)
    text = re.sub(r"<meta http-equiv[^>]*>", "", paths.html.read_text(encoding="utf-8"))
    typed = (
        "<script>document.getElementById('find').value = 'Customers_002'; "
        "document.getElementById('only').dispatchEvent(new Event('change'));</script></body>"
    )
    paths.html.write_text(text.replace("</body>", typed), encoding="utf-8")
    page = _opened(paths.html, tmp_path)
    tables = [attributes for attributes in page.all("tbody") if "data-t" in attributes]
    assert len(tables) == 12
    assert sum("hidden" not in attributes for attributes in tables) == 1
    # Its row check, two checks for each of 3 columns, its foreign key, and its masked columns.
    masked = sum(column.masked for column in wide(12, 3).tables[2].columns)
    assert f"1 of 12 tables, {8 + masked} of " in page.text


def test_free_text_is_counted_by_method(tmp_path: Path) -> None:
    found = (SpansReport("known", "person_name", 1234), SpansReport("pattern", "email", 7))
    report = replace(healthy(), texts=(TextReport("crm.notes.body", 4321, 1240, found),))
    page = write_report(report, tmp_path / "with").html.read_text(encoding="utf-8")
    section = page.split('id="texts"')[1].split("</section>")[0]
    for shown_there in ("crm.notes.body", "4,321", "1,240", "1,234", "person_name", "email"):
        assert shown_there in section
    assert 'id="texts"' not in write_report(healthy(), tmp_path / "without").html.read_text(encoding="utf-8")
