"""The checks as JUnit XML."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from report.report_samples import healthy, hostile

from parity_data.report import Report, to_markdown, write_report
from parity_data.report.junit import to_junit


@pytest.mark.parametrize("make", [healthy, hostile])
def test_every_check_is_a_case_and_every_failure_a_failure(make: Callable[[], Report]) -> None:
    report = make()
    root = ElementTree.fromstring(to_junit(report))
    cases = list(root.iter("testcase"))
    assert len(cases) == len(report.checks)
    assert len(list(root.iter("failure"))) == len(report.failed) == int(root.attrib["failures"])
    assert {case.attrib["classname"] for case in cases} == {check.name for check in report.checks}
    assert to_junit(report) == to_junit(make())


def test_the_markdown_of_the_dagster_ui_lies_beside_it(tmp_path: Path) -> None:
    write_report(healthy(), tmp_path)
    assert (tmp_path / "report.md").read_text() == to_markdown(healthy())
