"""One HTML file for the person who signs, one JSON file for programs, Markdown for the Dagster UI.

``write_report`` takes the finished values of a refresh; nothing here measures or judges.
"""

from parity_data.report.document import load_report, to_json
from parity_data.report.markdown import to_markdown
from parity_data.report.model import (
    ColumnReport,
    ForeignKeyReport,
    Night,
    ParityLine,
    QuotaReport,
    Report,
    SpansReport,
    TableReport,
    TextReport,
    UndecidedReport,
)
from parity_data.report.write import ReportPaths, write_report, write_reviews

__all__ = [
    "ColumnReport",
    "ForeignKeyReport",
    "Night",
    "ParityLine",
    "QuotaReport",
    "Report",
    "ReportPaths",
    "SpansReport",
    "TableReport",
    "TextReport",
    "UndecidedReport",
    "load_report",
    "to_json",
    "to_markdown",
    "write_report",
    "write_reviews",
]
