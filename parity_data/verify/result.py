"""What a check says."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Status = Literal["pass", "warn", "fail"]


@dataclass(frozen=True)
class CheckResult:
    """One verdict. scope: ``schema.table``, ``schema.table.column`` or ``database``.

    value: what was measured; bound: what was allowed. message: one sentence, never a production value.
    """

    name: str
    scope: str
    status: Status
    value: float | int | str | None
    bound: float | int | str | None
    message: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Difference:
    """A difference between production and staging. declared: the reason, None when nobody gave one."""

    scope: str
    what: str
    declared: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
