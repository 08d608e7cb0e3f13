"""The report as a JSON document, and back."""

from __future__ import annotations

import json
import math
import re
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from parity_data.errors import ConfigError
from parity_data.report.model import Report

#: Raised when a name in the document changes its meaning; new names alone do not raise it.
FORMAT = 1

#: A profile's place in the document. No text holds a line break as such, so this is no part of one.
_PROFILE = re.compile(r'(\n      "profile": )([0-9]+)')


def to_json(report: Report) -> dict[str, Any]:
    """The report as plain dicts, lists and scalars, in a fixed order.

    These names are kept for good: verdict, source, target, snapshot, fraction, started_at, seconds, tables
    (schema, table, rows_source, rows_target), checks (name, scope, status, value, bound, message),
    differences. Times are ISO 8601 in UTC; shares lie between 0 and 1; NaN and infinities, which JSON
    lacks, are their names as text.
    """
    document = {"format": FORMAT, **_plain(report)}
    document["stages"] = [{"name": name, "seconds": seconds} for name, seconds in report.stages]
    return document


def to_bytes(report: Report) -> bytes:
    """The file ``report.json``: UTF-8, two blanks of indentation, equal bytes for equal reports."""
    document = to_json(report)
    # A profile stands on one line: one for each of its numbers would be most of the file.
    profiles = [table["profile"] for table in document["tables"]]
    for number, table in enumerate(document["tables"]):
        table["profile"] = number
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=2)
    text = _PROFILE.sub(lambda found: found[1] + _compact(profiles[int(found[2])]), text)
    # A lone surrogate (a name from an SQL_ASCII database) becomes \udcxx, which JSON reads back unchanged.
    return (text + "\n").encode("utf-8", "backslashreplace")


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def load_report(path: Path) -> Report:
    """Read ``report.json``. Names from a later version are ignored. Raises ConfigError."""
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise ConfigError(
            f"The report cannot be read ({type(error).__name__}).",
            where=str(path),
            todo="Name the report.json of a release; 'parity releases' lists them.",
        ) from None
    except ValueError:
        raise _unreadable(path, "it is not JSON") from None
    return from_json(document, path)


def from_json(document: Any, path: Path) -> Report:
    """The report that ``to_json`` made the document from. path: what to blame. Raises ConfigError."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise _unreadable(path, f'it does not say "format": {FORMAT}')
    try:
        stages = [(stage["name"], stage["seconds"]) for stage in document["stages"]]
        return TypeAdapter(Report).validate_python({**document, "stages": stages})
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise _unreadable(path, f"{place} is missing or of the wrong type") from None
    except (KeyError, TypeError):
        raise _unreadable(path, "stages is missing or of the wrong type") from None


def _unreadable(path: Path, why: str) -> ConfigError:
    return ConfigError(
        f"This is not a fidelity report that this version can read: {why}.",
        where=str(path),
        todo="Name an unchanged report.json, or use the version of parity-data that wrote it.",
    )


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return value
