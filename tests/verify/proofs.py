"""Refreshes of small databases under rules made for a test, with damage done before the checks run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from parity_data.database import Database
from parity_data.refresh import Refresh, RefreshRequest
from parity_data.settings import Settings

_COLUMNS = """
select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
  and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by 1, 2
"""


def refreshed(
    settings: Settings,
    staging: Callable[[Database], None] = lambda database: None,
    *,
    fraction: float | None = None,
) -> Refresh:
    """A refresh up to its checks, with something done to the built database before they run."""
    with Refresh(settings, RefreshRequest(fraction, mode="dry_run", requested_by="test")) as refresh:
        refresh.open()
        refresh.map_pii()
        refresh.choose_rows()
        refresh.prepare()
        for sent in refresh.send_rows():
            if sent.error is not None:
                raise sent.error
        refresh.complete()
        staging(refresh.building.target)
        refresh.verify()
    return refresh


def failed(refresh: Refresh, name: str) -> set[str]:
    """Scopes of a check that failed."""
    return {check.scope for check in refresh.checks if check.name == name and check.status == "fail"}


def write_rules(settings: Settings, source: Database, masks: Mapping[str, Mapping[str, Any]]) -> None:
    """Rules for the schema public: masks by table and column, everything else is kept."""
    tables: dict[str, dict[str, Any]] = {}
    with source.connect() as connection:
        for table, column in connection.execute(_COLUMNS).fetchall():
            kept = {"mask": "keep", "why": "made for a test", "by": "test"}
            tables.setdefault(table, {})[column] = masks.get(table, {}).get(column, kept)
    # JSON is YAML.
    text = json.dumps({"schema": "public", "tables": tables}, ensure_ascii=False)
    (settings.rules / "public.yaml").write_text(text, encoding="utf-8")
