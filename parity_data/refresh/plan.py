"""What a refresh would keep, without writing anywhere."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Any

from parity_data.catalog import Catalog, Name, Snapshot, read_catalog
from parity_data.catalog.arrow import ArrowReader
from parity_data.errors import RulesError
from parity_data.mask import KeyRing
from parity_data.refresh.request import RefreshRequest, share_of
from parity_data.report.forest import ForestLine, ForestTable, grow
from parity_data.rules import Policy, check_policy, load_policy
from parity_data.rules.check import check_names
from parity_data.settings import Settings
from parity_data.subset import Selection, make_links, select_rows
from parity_data.subset.suggest import Suggestion, suggest_keys
from parity_data.transfer.spec import SCAN_ABOVE


@dataclass(frozen=True)
class Plan:
    """Roles and expected rows by table at one fraction.

    undecided: problems that would stop a refresh. suggested: keys that nothing declares and values speak for.
    """

    fraction: float
    catalog: Catalog
    policy: Policy
    selections: dict[Name, Selection]
    undecided: int
    suggested: tuple[Suggestion, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The plan for programs: one entry per table, bytes in proportion to rows."""
        return {
            "fraction": self.fraction,
            "undecided": self.undecided,
            "suggested_keys": [
                {
                    "table": str(s.link.table),
                    "columns": list(s.link.columns),
                    "referenced": str(s.link.referenced),
                    "referenced_columns": list(s.link.referenced_columns),
                    "values": s.values,
                    "found": s.found,
                }
                for s in self.suggested
            ],
            "tables": [
                {
                    "schema": name.schema,
                    "table": name.name,
                    "role": found.role.role,
                    "reason": found.role.reason,
                    "owner": str(found.role.owner.referenced) if found.role.owner else None,
                    "rows_source": found.total,
                    "rows_planned": found.rows,
                    "rows_completed": found.completed,
                    "rows_beyond_fraction": found.excess,
                    "rows_relinked": {keys.link.name: keys.rows for keys in found.relinked},
                    "rows_by_quota": dict(found.by_quota),
                    "weights": dict(found.weights),
                    "bytes_planned": self.bytes(name),
                    "read": self.read(name),
                }
                for name, found in self.selections.items()
            ],
        }

    def bytes(self, name: Name) -> int:
        """Expected bytes of the table in staging."""
        found = self.selections[name]
        return round(self.catalog.tables[name].bytes * found.rows / found.total) if found.total else 0

    def read(self, name: Name) -> str:
        """How the rows are fetched: 'scan', or 'by address' where few of all are chosen; '' for no rows."""
        found = self.selections[name]
        if not found.rows:
            return ""
        few = found.addresses is not None and found.rows < SCAN_ABOVE * found.total
        return "by address" if few else "scan"

    def note(self, name: Name) -> str:
        """What is special about the table's rows, in words."""
        found = self.selections[name]
        parts = []
        if found.completed:
            parts.append(f"{found.completed:,} only because others reference them")
        if found.excess:
            parts.append(f"{found.excess:,} beyond the fraction: the heaviest exceeds the quotas' budget")
        if found.thinned:
            parts.append(f"{found.thinned:,} drawn one by one, as the policy thins the heaviest")
        for keys in found.relinked:
            parts.append(
                f"{keys.rows:,} refer to other rows of {keys.link.referenced}, "
                f"as {keys.left_out:,} were not sampled"
            )
        return "; ".join(parts)

    def forest(self) -> list[ForestLine]:
        """The tables in the order in which they follow each other."""
        return grow(
            forest_table(self.catalog, self.policy, name, found, self.bytes(name), self.note(name))
            for name, found in self.selections.items()
        )


def forest_table(
    catalog: Catalog, policy: Policy, name: Name, found: Selection, size: int | None, note: str = ""
) -> ForestTable:
    """A table for the forest. size: planned bytes."""
    owner = found.role.owner
    links = make_links(catalog, policy.subset.virtual_keys)
    others = [str(link.referenced) for link in links if link.table == name and link != owner]
    return ForestTable(
        name=str(name),
        role=found.role.role,
        rows_source=found.total,
        rows_planned=found.rows,
        bytes_planned=size,
        owner=str(owner.referenced) if owner else None,
        also=tuple(dict.fromkeys(others)),
        note=note,
    )


def make_plan(settings: Settings, fraction: float | None) -> Plan:
    """Plan a refresh from one snapshot of production. Raises ConfigError, RulesError, SourceError."""
    RefreshRequest(fraction=fraction).checked()
    policy = load_policy(settings.rules)
    keys = KeyRing(settings.need_key())
    with Snapshot(settings.need_source(), application="parity-data plan") as snapshot:
        catalog = read_catalog(snapshot, ignore_schemas=policy.ignore_schemas)
        for problem in check_names(policy, catalog):
            raise RulesError(problem.what, where=problem.place, todo=problem.todo)
        share = share_of(fraction, policy, catalog)
        with closing(ArrowReader(snapshot.database, snapshot.id)) as reader:
            selections, found = select_rows(
                [reader],
                catalog,
                policy,
                share.fraction,
                keys.subkey("subset"),
                target_bytes=share.target_bytes,
                work=settings.work,
            )
            suggested = tuple(suggest_keys(reader, catalog, policy))
        undecided = len(check_policy(policy, catalog))
        return Plan(found, catalog, policy, selections, undecided, suggested)
