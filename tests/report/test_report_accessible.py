"""The report against the rules of axe-core, in a real browser with the network off."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest
from report.report_samples import detailed, healthy, hostile, wide
from report.test_report_html import CHROMIUM

from parity_data.report import Report, write_report, write_reviews

#: Runs axe and leaves what it found in the page, for --dump-dom.
_RUN = """
<script>%s</script>
<script>
%s
document.querySelectorAll("details").forEach((d) => { d.open = true; });
axe.run(document, {resultTypes: ["violations"]}).then((found) => {
  const out = document.createElement("pre");
  out.id = "axe";
  out.textContent = JSON.stringify({rules: found.passes.length,
    violations: found.violations.map((v) => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 160)])});
  document.body.append(out);
});
</script>
</body>
"""

#: Leaves a few of lines that are many and made alike: the time that axe takes grows with the square of them.
_FEW = """
const thin = (items, left) => items.forEach((item, i) => {
  if (i % Math.ceil(items.length / left)) item.remove();
});
thin([...document.querySelectorAll("[data-t]")], 10);
for (const body of document.querySelectorAll(".lines > tbody")) thin([...body.rows], 10);
"""

#: As the report shows the decisions of reviewers.
_REVIEW = {
    "decision": "approved",
    "reviewer": "anna",
    "at": "2026-01-01T00:00:00+00:00",
    "comment": "read",
    "digest": "0" * 64,
    "key": "",
}


def violations(
    page: Path, folder: Path, *, dark: bool, width: int = 1280, before: str = ""
) -> dict[str, object]:
    """What axe found; rules: how many it passed. width: of the window, in CSS pixels. before: a script."""
    axe = resources.files("axe_core_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    # The page's own policy would refuse the script, so the copy that is examined has none.
    text = re.sub(r"<meta http-equiv[^>]*>", "", page.read_text(encoding="utf-8"))
    examined = folder / f"examined-{dark}-{width}.html"
    examined.write_text(text.replace("</body>", _RUN % (axe, before)), encoding="utf-8")
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--proxy-server=127.0.0.1:9", f"--user-data-dir={folder / 'browser'}", "--virtual-time-budget=60000",
        *(["--blink-settings=preferredColorScheme=0"] if dark else []),
        f"--window-size={width},900", "--dump-dom", examined.as_uri(),
    ]  # fmt: skip
    found = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
    result = re.search(r'<pre id="axe">(.*?)</pre>', found.stdout, re.DOTALL)
    assert result, "axe did not run"
    return json.loads(result[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))  # type: ignore[no-any-return]


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: detailed(healthy()),
        hostile,
        lambda: wide(8, 3),
    ],
    ids=["healthy", "hostile", "wide"],
)
def test_axe_finds_no_violation(make: Callable[[], Report], dark: bool, tmp_path: Path) -> None:
    report = make()
    paths = write_report(report, tmp_path)
    write_reviews(replace(report), tmp_path, [_REVIEW])
    found = violations(paths.html, tmp_path, dark=dark)
    assert found["violations"] == []
    assert found["rules"] > 10  # type: ignore[operator]


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.slow
def test_axe_finds_no_violation_in_a_report_of_300_tables(tmp_path: Path) -> None:
    paths = write_report(wide(300, 15), tmp_path)
    for dark in (False, True):
        for width in (1280, 500):  # a browser without a screen knows no narrower window
            found = violations(paths.html, tmp_path, dark=dark, width=width, before=_FEW)
            assert found["violations"] == [], (dark, width)
            assert found["rules"] > 10  # type: ignore[operator]
