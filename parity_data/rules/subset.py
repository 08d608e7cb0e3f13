"""What the policy says about the subset, as frozen values; ``subset:`` in policy.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from parity_data.catalog.model import Name
from parity_data.rules.models import SubsetEntry, SubsetTableEntry
from parity_data.rules.names import format_name, parse_name

#: Share of a table's planned rows that quotas may take.
QUOTA_BUDGET = 0.5
#: A table with at most this many rows that follows nobody is kept whole.
SMALL_ROWS = 1000


@dataclass(frozen=True)
class TableSubset:
    """How one table is subset; what is None or empty is guessed or left at the policy's.

    role: overrides the guess. owner: the columns of the foreign key that is followed. fraction: share of the
    table's rows; rows: number of rows instead. keep: SQL condition of rows always kept; ids: primary keys
    always kept, as text. strata: columns that must stay proportional. extremes: columns whose least and
    greatest rows are kept. thin: sample the rows of the heaviest owners instead of keeping them whole.
    latest: column of time by which the newest rows are taken instead of drawn ones. relink: the columns of
    keys whose references to rows that were not sampled go to sampled ones.
    """

    role: Literal["root", "reference", "unattached"] | None = None
    owner: tuple[str, ...] = ()
    fraction: float | None = None
    rows: int | None = None
    keep: str | None = None
    ids: tuple[str, ...] = ()
    strata: tuple[str, ...] = ()
    extremes: tuple[str, ...] = ()
    thin: bool = False
    latest: str | None = None
    relink: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class VirtualKey:
    """A reference that the database does not declare. when: column and value that a row must have for it."""

    table: Name
    columns: tuple[str, ...]
    referenced: Name
    referenced_columns: tuple[str, ...]
    when: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        """What stands for a constraint's name in plans and reports."""
        case = f" where {self.when[0]} is {self.when[1]!r}" if self.when else ""
        return f"virtual ({', '.join(self.columns)}) to {self.referenced}{case}"


@dataclass(frozen=True)
class SubsetRules:
    """The whole section. target_bytes: size that the subset should have, instead of a fraction."""

    quota_budget: float = QUOTA_BUDGET
    small_rows: int = SMALL_ROWS
    target_bytes: int | None = None
    tables: Mapping[Name, TableSubset] = field(default_factory=dict)
    virtual_keys: tuple[VirtualKey, ...] = ()

    def of(self, table: Name) -> TableSubset:
        """What the policy says about one table."""
        return self.tables.get(table, _NOTHING)

    def content(self) -> dict[str, Any]:
        """For the policy's digest."""
        return {
            "quota_budget": float(self.quota_budget),
            "small_rows": self.small_rows,
            "target_bytes": self.target_bytes,
            "tables": {format_name(name): repr(rules) for name, rules in sorted(self.tables.items())},
            "virtual_keys": sorted(repr(key) for key in self.virtual_keys),
        }


_NOTHING = TableSubset()


def subset_of(entry: SubsetEntry) -> SubsetRules:
    """The section as the file has it."""
    return SubsetRules(
        quota_budget=float(entry.quota_budget),
        small_rows=entry.small_rows,
        target_bytes=entry.target_size,
        tables={parse_name(text): _table_subset(found) for text, found in entry.tables.items()},
        virtual_keys=tuple(
            VirtualKey(
                table=parse_name(key.table),
                columns=tuple(key.columns),
                referenced=parse_name(key.referenced),
                referenced_columns=tuple(key.referenced_columns),
                when=(key.when.column, str(key.when.value)) if key.when else None,
            )
            for key in entry.virtual_keys
        ),
    )


def _table_subset(entry: SubsetTableEntry) -> TableSubset:
    return TableSubset(
        role=entry.role,
        owner=tuple(entry.owner),
        fraction=None if entry.fraction is None else float(entry.fraction),
        rows=entry.rows,
        keep=entry.keep,
        ids=tuple(str(found) for found in entry.ids),
        strata=tuple(entry.strata),
        extremes=tuple(entry.extremes),
        thin=entry.thin,
        latest=entry.latest,
        relink=tuple((key,) if isinstance(key, str) else tuple(key) for key in entry.relink),
    )
