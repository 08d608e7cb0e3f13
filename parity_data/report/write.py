"""Writing the report's files so that a reader sees a whole one or none."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from parity_data.errors import ParityError
from parity_data.report.document import to_bytes
from parity_data.report.html import to_html
from parity_data.report.junit import to_junit
from parity_data.report.markdown import to_markdown
from parity_data.report.model import Report


@dataclass(frozen=True)
class ReportPaths:
    """Where the report lies. sha256: of report.json, the digest that report.html shows, 64 hex digits."""

    html: Path
    json: Path
    sha256: str


def write_reviews(report: Report, folder: Path, reviews: Sequence[Mapping[str, str]]) -> None:
    """Write ``report.html`` anew with the decisions on it; ``report.json``, which they are about, stays.

    reviews: decision, reviewer, at, comment, digest and key of each entry, as text. Raises ParityError.
    """
    digest = hashlib.sha256((folder / "report.json").read_bytes()).hexdigest()
    try:
        _replace(folder / "report.html", to_html(report, digest, reviews))
    except OSError as error:
        raise ParityError(
            f"The report cannot be written ({type(error).__name__}).", where=str(folder)
        ) from None


def write_report(report: Report, folder: Path) -> ReportPaths:
    """Write ``report.json``, ``.html``, ``.md`` and ``.xml`` (JUnit) into the folder, made if missing.

    Equal reports give equal bytes. Each file appears by rename, the JSON first. Raises ParityError when the
    folder cannot be written.
    """
    document = to_bytes(report)
    digest = hashlib.sha256(document).hexdigest()
    page = to_html(report, digest)
    paths = ReportPaths(html=folder / "report.html", json=folder / "report.json", sha256=digest)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _replace(paths.json, document)
        _replace(paths.html, page)
        _replace(folder / "report.md", to_markdown(report).encode("utf-8", "backslashreplace"))
        _replace(folder / "report.xml", to_junit(report))
    except OSError as error:
        raise ParityError(
            f"The report cannot be written ({type(error).__name__}).",
            where=str(folder),
            todo="Check that the work folder exists, is writable and has room.",
        ) from None
    return paths


def _replace(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise
