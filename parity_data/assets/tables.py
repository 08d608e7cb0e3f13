"""The tables that the rules know: specs, checks and what the graph says of them before the first run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import dagster as dg

from parity_data.assets.keys import SUBSET_KEYS, Stage, key_part, table_key
from parity_data.catalog.model import Name
from parity_data.report.markdown import escape
from parity_data.rules import ColumnRule, Policy
from parity_data.rules.patterns import fill

ROW_COUNT = "row_count"


@dataclass(frozen=True)
class Known:
    """Tables in name order, as the rules and the accepted state had them when Dagster loaded this code."""

    policy: Policy | None

    @classmethod
    def of(cls, policy: Policy | None) -> Known:
        """With what patterns say of the columns that were accepted."""
        if policy is None:
            return cls(None)
        return cls(fill(policy, {name: table.columns for name, table in policy.accepted.items()}))

    @property
    def tables(self) -> tuple[Name, ...]:
        if self.policy is None:
            return ()
        found = {*self.policy.columns, *self.policy.exclude_rows}
        return tuple(sorted(name for name in found if name.schema not in self.policy.ignore_schemas))

    @property
    def keys(self) -> frozenset[dg.AssetKey]:
        """Keys of every table's asset in both stages."""
        return frozenset(table_key(stage, t) for t in self.tables for stage in ("scrubbed", "staging"))

    def specs(self) -> Iterator[dg.AssetSpec]:
        """Two assets per table: its rows masked, and its rows in the next release."""
        for name in self.tables:
            yield self._spec(
                name,
                "scrubbed",
                after=SUBSET_KEYS,
                kinds={"polars", "arrow"},
                description=f"The chosen rows of production's {_shown(name)}, masked on their way. "
                "They never rest on a disk unmasked.",
            )
            yield self._spec(
                name,
                "staging",
                after=table_key("scrubbed", name),
                kinds={"postgres", "table"},
                description=f"Rows of {_shown(name)} in the next release, a database beside the one that "
                "serves; staging_release puts it in place.",
            )

    def _spec(
        self, name: Name, stage: Stage, *, after: dg.AssetKey, kinds: set[str], description: str
    ) -> dg.AssetSpec:
        assert self.policy is not None
        rules = self.policy.columns.get(name, {})
        masked = {column: rule for column, rule in rules.items() if rule.mask.name != "keep"}
        digest = hashlib.sha256(repr([(c, r.mask) for c, r in sorted(rules.items())]).encode()).hexdigest()
        metadata: dict[str, object] = {
            # What is scrubbed is on its way and stored nowhere, so only one asset has the table's name.
            **({"dagster/table_name": str(name)} if stage == "staging" else {}),
            "schema": name.schema,
            "table": name.name,
            "columns masked": f"{len(masked)} of {len(rules)}",
        }
        if masked:
            metadata["masks"] = dg.MetadataValue.md(_masks(masked))
        if name in self.policy.exclude_rows:
            metadata["rows excluded because"] = self.policy.exclude_rows[name]
        return dg.AssetSpec(
            table_key(stage, name),
            deps=[after],
            description=description,
            group_name=stage,
            kinds=kinds,
            skippable=True,
            code_version=digest[:12],
            tags={"parity/schema": key_part(name.schema), "parity/masked": "yes" if masked else "no"},
            metadata=metadata,
        )

    def checks(self) -> Iterator[dg.AssetCheckSpec]:
        for name in self.tables:
            yield dg.AssetCheckSpec(
                ROW_COUNT,
                asset=table_key("staging", name),
                blocking=True,
                description="As many rows arrived as the subset chose.",
            )


def _shown(name: Name) -> str:
    return f"`{name}`" if "`" not in str(name) else str(name)


def _masks(rules: Mapping[str, ColumnRule]) -> str:
    lines = ["| column | mask | why |", "|---|---|---|"]
    for column, rule in rules.items():
        lines.append(f"| {escape(column)} | {escape(rule.mask.name)} | {escape(rule.why or '')} |")
    return "\n".join(lines)
