"""History: a refresh knows the nights before it, and its report shows size, differences and run time."""

from __future__ import annotations

import json
import re

from fix_release import Staging

from parity_data.refresh.nights import NIGHTS, looking_back, nights
from parity_data.report import Night
from parity_data.report.trend import trends


def test_a_report_looks_back_on_the_nights_before(staging: Staging) -> None:
    first = staging.refresh()
    with staging.settings.need_source().connect(autocommit=True) as connection:
        connection.execute("INSERT INTO bare SELECT i, 'more ' || i FROM generate_series(1, 5000) i")
    second = staging.refresh()
    folder = staging.settings.work / "releases"
    assert json.loads((folder / first / "report.json").read_text())["nights"][0]["release"] == first
    document = json.loads((folder / second / "report.json").read_text())
    before, now = document["nights"]
    assert [before["release"], now["release"]] == [first, second]
    assert now["rows"] == before["rows"] + 5000
    assert now["bytes"] > before["bytes"] > 8192
    assert now["seconds"] == document["seconds"]
    assert (now["undeclared"], now["declared"]) == (0, len(document["differences"]))
    page = (folder / second / "report.html").read_text()
    assert page.count('<svg class="tr" role="img"') == 6
    with staging.ledger() as ledger:
        kept = nights(ledger)
    assert [(n.release, n.rows, n.bytes) for n in kept] == [
        (first, before["rows"], before["bytes"]),
        (second, now["rows"], now["bytes"]),
    ]


def test_only_nights_that_ended_are_shown_and_not_all_of_them() -> None:
    this = Night("now", None, "pass", seconds=1)
    ended = [Night(f"n{i}", None, "pass", seconds=float(i)) for i in range(3 * NIGHTS)]
    shown = looking_back([Night("building", None, None), *ended, this], this)
    assert len(shown) == NIGHTS
    assert shown[-2:] == (ended[-1], this)


def test_lines_end_at_the_newest_and_stay_in_their_frame() -> None:
    made = trends([Night("a", None, "pass", seconds=4, rows=0), Night("b", None, "pass", seconds=2, rows=0)])
    assert [(t.name, t.first, t.last) for t in made] == [
        ("run time", "4.0\u00a0s", "2.0\u00a0s"),
        ("rows", "0", "0"),
    ]
    for trend in made:
        for x, y in re.findall(r"([\d.]+),([\d.]+)", trend.picture.split('points="')[1]):
            assert 0 <= float(x) <= 220
            assert 0 <= float(y) <= 40
    assert trends([Night("a", None, "pass", seconds=4)])[0].picture == ""
