"""What the stages return, as metadata that the Dagster UI knows how to show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import dagster as dg

from parity_data.assets.keys import table_key
from parity_data.catalog.model import Catalog, Column, Name, Table
from parity_data.detect import Decision
from parity_data.mask import MaskSpec
from parity_data.report import ReportPaths
from parity_data.rules import ColumnRule, Policy
from parity_data.subset import Selection
from parity_data.verify.result import CheckResult

#: Rows of a list in an event before the rest is only counted: people read it, the report has them all.
SHOWN = 500

Metadata = dict[str, dg.MetadataValue]


def of_catalog(catalog: Catalog) -> Metadata:
    """What production is."""
    names = list(catalog.tables.values())
    return {
        "PostgreSQL": dg.MetadataValue.text(
            f"{catalog.server_version // 10000}.{catalog.server_version % 10000}"
        ),
        "tables": dg.MetadataValue.int(len(names)),
        "columns": dg.MetadataValue.int(sum(len(t.columns) for t in names)),
        "foreign keys": dg.MetadataValue.int(len(catalog.foreign_keys)),
        "megabytes": dg.MetadataValue.float(round(sum(t.bytes for t in names) / 1e6, 1)),
        "extensions": dg.MetadataValue.text(", ".join(catalog.extensions) or "none"),
    }


def of_decisions(
    policy: Policy,
    seen: Mapping[tuple[Name, str], Decision],
    masks: Mapping[Name, Mapping[str, MaskSpec]],
) -> Metadata:
    """What is personal, what happens to it, who decided and where that is written; the personal first."""
    rows = [
        {
            "column": f"{table}.{column}",
            "mask": mask.name,
            "looks": decision.kind.replace("_", " ") if decision else "",
            "band": decision.band.replace("_", " ") if decision else "",
            "by": rule.by or "" if rule else "",
            "rule": (rule.where if rule.line else rule.via) if rule else "",
        }
        for table, columns in masks.items()
        for column, mask in columns.items()
        for rule, decision in [(policy.rule(table, column), seen.get((table, column)))]
    ]
    bands = ("personal", "uncertain", "not personal", "")
    rows.sort(key=lambda row: (row["mask"] == "keep", bands.index(row["band"]), row["column"]))
    masked = sum(row["mask"] != "keep" for row in rows)
    return {
        "columns decided on": dg.MetadataValue.int(len(rows)),
        "columns masked": dg.MetadataValue.int(masked),
        "columns that look personal": dg.MetadataValue.int(sum(r["band"] == "personal" for r in rows)),
        "rules": dg.MetadataValue.text(policy.digest),
        **_table("decisions", rows),
    }


def of_selections(selections: Mapping[Name, Selection]) -> Metadata:
    """Which rows go, table by table."""
    ordered = sorted(selections.items(), key=lambda item: (-item[1].total, item[0]))
    rows: list[dict[str, str | int]] = [
        {
            "table": str(name),
            "role": found.role.role,
            "rows in production": found.total,
            "rows expected": round(found.expected),
            "rows chosen": found.rows,
            "share": f"{found.rows / found.total:.1%}" if found.total else "",
            "completed": found.completed,
            "beyond the fraction": found.excess,
            "relinked": sum(keys.rows for keys in found.relinked),
            "kept by quota": quotas(found.by_quota, found.weights),
            "reason": found.role.reason,
        }
        for name, found in ordered
    ]
    return {
        "rows in production": dg.MetadataValue.int(sum(s.total for s in selections.values())),
        "rows chosen": dg.MetadataValue.int(sum(s.rows for s in selections.values())),
        **_table("tables", rows),
    }


def quotas(rows: Mapping[str, int], weights: Mapping[str, float]) -> str:
    """Why the rows are there, and how many of production each stands for."""
    return "; ".join(
        f"{reason} {count:,}" + (f" (each for {weights[reason]:.3g})" if reason in weights else "")
        for reason, count in rows.items()
    )


def of_table(table: Table, masks: Mapping[str, MaskSpec], rules: Mapping[str, ColumnRule]) -> Metadata:
    """Columns of a table; a masked one carries the tag ``pii``, each the reason of its rule."""
    return {
        "dagster/column_schema": dg.MetadataValue.table_schema(
            dg.TableSchema(
                columns=[
                    _column(column, masks.get(column.name), rules.get(column.name), table)
                    for column in table.columns
                ],
                constraints=dg.TableConstraints(
                    other=[f"PRIMARY KEY ({', '.join(table.primary_key)})"] if table.primary_key else []
                ),
            )
        ),
    }


def of_lineage(table: Table) -> Metadata:
    """Every column of the staged table comes from the scrubbed column of the same name."""
    scrubbed = table_key("scrubbed", table.name)
    return {
        "dagster/column_lineage": dg.MetadataValue.column_lineage(
            dg.TableColumnLineage(
                {c.name: [dg.TableColumnDep(scrubbed, c.name)] for c in table.stored_columns}
            )
        )
    }


def of_check(found: Iterable[CheckResult]) -> Metadata:
    """Value and bound of the result that matters most, and every result that is not a pass."""
    ordered = sorted(found, key=lambda check: ("fail", "warn", "pass").index(check.status))
    worst = ordered[0]
    rows = [
        {
            "status": check.status,
            "scope": check.scope,
            "value": _plain(check.value),
            "bound": _plain(check.bound),
            "message": check.message,
        }
        for check in ordered
    ]
    return {
        "scope": dg.MetadataValue.text(worst.scope),
        "value": dg.MetadataValue.text(_plain(worst.value)),
        "bound": dg.MetadataValue.text(_plain(worst.bound)),
        "compared": dg.MetadataValue.int(len(ordered)),
        **_table("results", rows),
    }


def of_report(report: ReportPaths) -> Metadata:
    """Where the whole report is."""
    return {
        "report.html": dg.MetadataValue.path(report.html),
        "report.json": dg.MetadataValue.path(report.json),
        "sha256 of report.json": dg.MetadataValue.text(report.sha256),
    }


def of_stages(stages: Sequence[tuple[str, float]]) -> Metadata:
    """Seconds by stage, in order."""
    return _table("stages", [{"stage": name, "seconds": seconds} for name, seconds in stages])


def _column(column: Column, mask: MaskSpec | None, rule: ColumnRule | None, table: Table) -> dg.TableColumn:
    masked = mask is not None and mask.name != "keep"
    computed = ["computed by the database"] if column.generated else []
    return dg.TableColumn(
        column.name,
        column.sql_type,
        description=rule.why if rule else None,
        constraints=dg.TableColumnConstraints(
            nullable=column.nullable,
            unique=(column.name,) in {table.primary_key, *table.unique_keys},
            other=computed,
        ),
        tags={"pii": mask.name} if mask is not None and masked else {},
    )


def _table(name: str, rows: Sequence[Mapping[str, str | int | float]]) -> Metadata:
    if not rows:
        return {}
    shown: Metadata = {name: dg.MetadataValue.table([dg.TableRecord(row) for row in rows[:SHOWN]])}
    if len(rows) > SHOWN:
        shown[f"{name} not shown"] = dg.MetadataValue.int(len(rows) - SHOWN)
    return shown


def _plain(value: float | int | str | None) -> str:
    if value is None:
        return "none"
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}" if isinstance(value, float) else value
