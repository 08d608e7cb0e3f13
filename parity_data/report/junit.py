"""The checks as JUnit XML, for pipelines that show test results.

The format is the one that Jenkins, GitLab and GitHub's reporters read: a suite for each check, a case for
each scope. A warning is a case that passed and says so in its output.
"""

from __future__ import annotations

from itertools import groupby
from xml.etree import ElementTree

from parity_data.report.model import Report
from parity_data.report.text import shown


def to_junit(report: Report) -> bytes:
    """The document as UTF-8; equal bytes for equal reports."""
    checks = sorted(report.checks, key=lambda check: (check.name, check.scope, check.message))
    root = ElementTree.Element("testsuites", name=f"parity-data release {report.release}")
    root.set("tests", str(len(checks)))
    root.set("failures", str(len(report.failed)))
    for name, members in groupby(checks, key=lambda check: check.name):
        cases = list(members)
        failed = sum(check.status == "fail" for check in cases)
        suite = ElementTree.SubElement(
            root, "testsuite", name=name, tests=str(len(cases)), failures=str(failed), errors="0", skipped="0"
        )
        suite.set("timestamp", report.started_at.isoformat(timespec="seconds"))
        for check in cases:
            case = ElementTree.SubElement(suite, "testcase", classname=name, name=shown(check.scope))
            if check.status == "fail":
                failure = ElementTree.SubElement(case, "failure", message=shown(check.message), type=name)
                failure.text = f"measured {shown(str(check.value))}, allowed {shown(str(check.bound))}"
            elif check.status == "warn":
                ElementTree.SubElement(case, "system-out").text = f"warning: {shown(check.message)}"
    ElementTree.indent(root)
    document: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"
