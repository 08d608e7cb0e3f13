"""What a check says."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Status = Literal["pass", "warn", "fail"]


@dataclass(frozen=True)
class CheckResult:
    """One verdict. scope: ``schema.table``, ``schema.table.column`` or ``database``.

    value: what was measured; bound: what was allowed. message: one sentence, never a production value.
    declared: why it may be so, where it differs and somebody declared that it may.
    """

    name: str
    scope: str
    status: Status
    value: float | int | str | None
    bound: float | int | str | None
    message: str
    declared: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Difference:
    """A difference between production and staging. declared: the reason, None when nobody gave one.

    key: the words by which it can be declared, None where it cannot. value: the figure of the check that
    found it. owner, ticket, expires (a day in ISO 8601): of who declared it.
    """

    scope: str
    what: str
    declared: str | None = None
    key: str | None = None
    value: float | None = None
    owner: str | None = None
    ticket: str | None = None
    expires: str | None = None

    @property
    def answers(self) -> str:
        """Who answers for it, by which ticket, until when; empty where nobody does."""
        until = f"until {self.expires}" if self.expires else None
        return ", ".join(filter(None, [self.owner, self.ticket, until]))

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
