"""What a refresh would keep, without writing anywhere."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Any

from parity_data.catalog import Catalog, Name, Snapshot, read_catalog
from parity_data.catalog.arrow import ArrowReader
from parity_data.mask import KeyRing
from parity_data.refresh.request import RefreshRequest
from parity_data.rules import check_policy, load_policy
from parity_data.settings import Settings
from parity_data.subset import Selection, select_rows


@dataclass(frozen=True)
class Plan:
    """Roles and expected rows by table at one fraction. undecided: problems that would stop a refresh."""

    fraction: float
    catalog: Catalog
    selections: dict[Name, Selection]
    undecided: int

    def as_dict(self) -> dict[str, Any]:
        """The plan for programs: one entry per table, bytes in proportion to rows."""
        return {
            "fraction": self.fraction,
            "undecided": self.undecided,
            "tables": [
                {
                    "schema": name.schema,
                    "table": name.name,
                    "role": found.role.role,
                    "reason": found.role.reason,
                    "rows_source": found.total,
                    "rows_planned": found.rows,
                    "rows_completed": found.completed,
                    "bytes_planned": self.bytes(name),
                }
                for name, found in self.selections.items()
            ],
        }

    def bytes(self, name: Name) -> int:
        """Expected bytes of the table in staging."""
        found = self.selections[name]
        return round(self.catalog.tables[name].bytes * found.rows / found.total) if found.total else 0


def make_plan(settings: Settings, fraction: float | None) -> Plan:
    """Plan a refresh from one snapshot of production. Raises ConfigError, RulesError, SourceError."""
    RefreshRequest(fraction=fraction).checked()
    policy = load_policy(settings.rules)
    keys = KeyRing(settings.need_key())
    share = policy.fraction if fraction is None else fraction
    with Snapshot(settings.need_source(), application="parity-data plan") as snapshot:
        catalog = read_catalog(snapshot, ignore_schemas=policy.ignore_schemas)
        with closing(ArrowReader(snapshot.database, snapshot.id)) as reader:
            selections = select_rows(reader, catalog, policy, share, keys.subkey("subset"))
        return Plan(share, catalog, selections, len(check_policy(policy, catalog)))
