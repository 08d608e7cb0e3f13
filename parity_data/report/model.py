"""What a fidelity report says, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from parity_data.profile.model import TableProfile
from parity_data.verify.result import CheckResult, Difference

Verdict = Literal["pass", "fail"]
Mode = Literal["release", "hold", "dry_run"]
Role = Literal["root", "owned", "reference", "unattached", "excluded", "all"]
#: A stage of the refresh by name, and its seconds.
Stage = tuple[str, float]


@dataclass(frozen=True)
class ColumnReport:
    """One column on both sides.

    mask: the masker's name, 'keep' for a column copied as it is. keeps: what that masker leaves unchanged.
    why, by: the reason of the decision and who took it. null_share, distinct: shares 0 to 1 and counts, None
    where they were not observed. kind: kind of personal data, None for none. changed_share: share of the
    values that are not NULL that masking changed. decided_by, decided_on: who last changed the rule and the
    day, from the history of the rules, None where there is none.
    """

    name: str
    sql_type: str
    mask: str
    keeps: str
    why: str | None = None
    by: str | None = None
    null_share_source: float | None = None
    null_share_target: float | None = None
    distinct_source: int | None = None
    distinct_target: int | None = None
    kind: str | None = None
    changed_share: float | None = None
    decided_by: str | None = None
    decided_on: str | None = None

    @property
    def masked(self) -> bool:
        return self.mask != "keep"


@dataclass(frozen=True)
class QuotaReport:
    """Rows of a subset's table that are there for one reason.

    weight: how many rows of production one of them stands for on average, None where it stands for none.
    """

    reason: str
    rows: int
    weight: float | None = None


@dataclass(frozen=True)
class TableReport:
    """One table on both sides. rows: counts, None where they were not observed; bytes: of the source.

    owner: ``schema.table`` that it follows. rows_completed: planned only because others reference them.
    rows_beyond: planned beyond the fraction, as the heaviest exceeds the quotas' budget. quotas: why the
    planned rows are there; empty where no rows were drawn. profile: None where no rows were copied.
    """

    schema: str
    table: str
    role: Role
    role_reason: str
    rows_source: int | None
    rows_planned: int | None
    rows_target: int | None
    bytes_source: int | None = None
    seconds: float | None = None
    columns: tuple[ColumnReport, ...] = ()
    owner: str | None = None
    rows_completed: int = 0
    rows_beyond: int = 0
    quotas: tuple[QuotaReport, ...] = ()
    profile: TableProfile | None = None

    @property
    def scope(self) -> str:
        """The name that checks and differences use for this table."""
        return f"{self.schema}.{self.table}"


@dataclass(frozen=True)
class UndecidedReport:
    """Something new or changed that nobody had decided on, and that the policy had masked.

    cause: what happened. what: in words. masks: ``schema.table.column: masker``. evidence: why it was taken
    for what it was taken for.
    """

    scope: str
    cause: str
    what: str
    masks: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class ForeignKeyReport:
    """One foreign key on both sides.

    table, referenced: ``schema.table``. dangling: rows whose key is set and resolves nowhere. null_share:
    share of rows, 0 to 1, with a NULL in the key.
    """

    name: str
    table: str
    columns: tuple[str, ...]
    referenced: str
    dangling_source: int | None = None
    dangling_target: int | None = None
    null_share_source: float | None = None
    null_share_target: float | None = None


@dataclass(frozen=True)
class ParityLine:
    """One line of the checklist of both sides. production, staging: in words, empty where that says nothing.

    verdict: 'proportional' where staging may have less and has. note: why, or what differs.
    """

    area: Literal["infrastructure", "configuration", "data", "process"]
    item: str
    production: str
    staging: str
    verdict: Literal["same", "proportional", "declared", "different", "not observed"]
    note: str = ""


@dataclass(frozen=True)
class Change:
    """Something that is other than it was. scope: as in checks. what: in words."""

    scope: str
    what: str


@dataclass(frozen=True)
class Since:
    """What is other than in a release that was approved. reviewer, at: by whom and when, ISO 8601."""

    release: str
    reviewer: str
    at: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Night:
    """A refresh of the same staging, this one or one before. What is not known of it is None.

    at: when its snapshot was taken, ISO 8601 in UTC. rows, bytes: of the built copy. undeclared, declared:
    differences. flagged: checks that failed or warned. review: the last decision of a person on it.
    """

    release: str
    at: str | None
    verdict: str | None
    seconds: float | None = None
    rows: int | None = None
    bytes: int | None = None
    undeclared: int | None = None
    declared: int | None = None
    flagged: int | None = None
    review: str | None = None


@dataclass(frozen=True)
class SpansReport:
    """Spans found in a column's texts. method: pattern, known or model. kind: the masker of such spans."""

    method: str
    kind: str
    spans: int


@dataclass(frozen=True)
class TextReport:
    """Free text in one column, or in documents of it. texts, texts_with_spans: different ones by batch."""

    column: str
    texts: int
    texts_with_spans: int
    found: tuple[SpansReport, ...] = ()


@dataclass(frozen=True)
class Report:
    """One refresh, from snapshot to verdict.

    release: the release's id. source, target: addresses without password. fraction: 0 to 1. snapshot_at and
    started_at carry a time zone (ValueError otherwise). seconds: of the whole refresh. rules_digest, key_id
    and the catalog fingerprints name what was used without revealing it.
    """

    verdict: Verdict
    release: str
    mode: Mode
    source: str
    target: str
    source_version: str
    target_version: str
    source_system_identifier: str
    target_system_identifier: str
    snapshot: str
    snapshot_at: datetime
    fraction: float
    started_at: datetime
    seconds: float
    rules_digest: str
    key_id: str
    catalog_fingerprint_source: str
    catalog_fingerprint_target: str
    requested_by: str | None
    note: str | None
    tables: tuple[TableReport, ...]
    checks: tuple[CheckResult, ...]
    differences: tuple[Difference, ...]
    foreign_keys: tuple[ForeignKeyReport, ...]
    stages: tuple[Stage, ...]
    product_version: str
    texts: tuple[TextReport, ...] = ()
    undecided: tuple[UndecidedReport, ...] = ()
    parity: tuple[ParityLine, ...] = ()
    since: Since | None = None
    nights: tuple[Night, ...] = ()

    def __post_init__(self) -> None:
        for name in ("snapshot_at", "started_at"):
            if getattr(self, name).tzinfo is None:
                raise ValueError(f"{name} needs a time zone")

    @property
    def personal(self) -> tuple[tuple[TableReport, ColumnReport], ...]:
        """Columns that look personal or are masked, those that are kept first, in order of name."""
        found = [(t, c) for t in self.tables for c in t.columns if c.masked or c.kind is not None]
        return tuple(sorted(found, key=lambda one: (one[1].masked, one[0].scope)))

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        return tuple(check for check in self.checks if check.status == "fail")

    @property
    def warned(self) -> tuple[CheckResult, ...]:
        return tuple(check for check in self.checks if check.status == "warn")

    @property
    def undeclared(self) -> tuple[Difference, ...]:
        return tuple(difference for difference in self.differences if difference.declared is None)

    @property
    def declared(self) -> tuple[Difference, ...]:
        return tuple(difference for difference in self.differences if difference.declared is not None)
