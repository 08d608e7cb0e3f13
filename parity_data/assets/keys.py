"""Asset keys for tables, whatever the tables are called."""

from __future__ import annotations

import hashlib
import re
from typing import Literal

import dagster as dg

from parity_data.catalog.model import Name

CATALOG = dg.AssetKey("production_catalog")
PII_MAP = dg.AssetKey("pii_map")
SUBSET_KEYS = dg.AssetKey("subset_keys")
RELEASE = dg.AssetKey("staging_release")
REPORT = dg.AssetKey("fidelity_report")

Stage = Literal["scrubbed", "staging"]

# Dagster allows letters, digits and underscores, and joins the parts of a key with two underscores for the
# names of outputs: so a part neither starts nor ends with one, nor holds two in a row.
_PLAIN = re.compile(r"[A-Za-z0-9]+(_[A-Za-z0-9]+)*")
_MARKED = re.compile(r".*_x[0-9a-f]{8}")
# With its mark a part has at most 63 characters, which is also what Dagster allows in the value of a tag.
_LIKENESS = 53
_OTHERS = re.compile(r"[^A-Za-z0-9]+")


def table_key(stage: Stage, table: Name) -> dg.AssetKey:
    """The key of a table's asset, ``staging/<schema>/<table>``."""
    return dg.AssetKey([stage, key_part(table.schema), key_part(table.name)])


def key_part(name: str) -> str:
    """A name as part of an asset key: itself where Dagster allows that, else a likeness with a mark.

    The mark is ``_x`` and eight hexadecimal digits of the name's SHA-256, so that names that look alike
    without their odd characters stay apart, and one name has one key for ever.
    """
    if _PLAIN.fullmatch(name) and not _MARKED.fullmatch(name):
        return name
    likeness = _OTHERS.sub("_", name)[:_LIKENESS].strip("_") or "name"
    return f"{likeness}_x{hashlib.sha256(name.encode()).hexdigest()[:8]}"
