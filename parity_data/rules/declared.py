"""Wanted differences between production and staging, as frozen values; ``declared_differences.yaml``."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

DECLARED_FILE = "declared_differences.yaml"

#: Checks whose findings a person may declare, as they measure a difference that can be wanted.
DECLARABLE = (
    "subset_rows",
    "fan_out",
    "reference_share",
    "distribution",
    "migration_heads",
    "server_settings",
    "environment",
    "feature_flags",
    "leak_audit",
)
#: Those of them whose findings are a setting's value on each side, so that a bound means nothing.
WITHOUT_BOUND = ("server_settings", "environment")
#: Checks that prove the run itself. A finding of theirs is a defect, whatever anybody writes.
PROOFS = (
    "mask_link",
    "load_link",
    "spot_check",
    "canaries",
    "planted_skew",
    "row_count",
    "null_share",
    "drawn_rows",
    "owned_rows",
    "relinked",
    "foreign_keys",
    "sequence_position",
    "rules_cover_catalog",
)


@dataclass(frozen=True)
class DeclaredDifference:
    """A wanted difference.

    scope: ``schema.table``, ``schema.table.column``, another object, ``server`` or ``database``. what: the
    class of the object, its attribute, both, a check's name, or a part of the sentence that the report has.
    bound: how far a check's figure may go, or how many objects may differ; None for any. owner: who answers
    for it. expires: the last day on which it holds without anybody being asked. file, line: where it is
    written; empty for what follows from other entries of the policy.
    """

    scope: str
    what: str
    reason: str
    bound: float | None = None
    owner: str = ""
    ticket: str | None = None
    expires: date | None = None
    file: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)

    @property
    def written(self) -> bool:
        """Whether a person wrote it, else it follows from the policy."""
        return self.line > 0

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}"

    def content(self) -> list[Any]:
        """What the digest of the rules covers."""
        until = self.expires.isoformat() if self.expires else None
        return [self.scope, self.what, self.reason, self.bound, self.owner, self.ticket, until]
