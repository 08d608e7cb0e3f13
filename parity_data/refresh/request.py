"""What a person asks for when they start a refresh."""

from __future__ import annotations

import getpass
import uuid
from dataclasses import dataclass, field
from typing import Literal, get_args

from parity_data.catalog.model import Catalog
from parity_data.errors import ConfigError
from parity_data.rules import Policy

Mode = Literal["release", "hold", "dry_run"]


@dataclass(frozen=True)
class RefreshRequest:
    """One refresh as asked for.

    fraction: share of the roots' rows, None for the policy's. mode: 'release' swaps when all checks pass,
    'hold' waits for promote, 'dry_run' builds, verifies, reports and drops. run_id: ties the release to its
    run; its first eight hexadecimal digits name the release. requested_by: who, for ledger and report.
    """

    fraction: float | None = None
    mode: Mode = "release"
    note: str | None = None
    run_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    requested_by: str | None = None

    def checked(self) -> RefreshRequest:
        """Itself. Raises ConfigError for a fraction outside (0, 1] or an unknown mode."""
        if self.fraction is not None and not 0 < self.fraction <= 1:
            raise ConfigError(
                f"The fraction {self.fraction:g} is outside (0, 1].",
                where="fraction",
                todo="0.1 asks for a tenth of production, 1 for all of it.",
            )
        if self.mode not in get_args(Mode):
            raise ConfigError(
                "The mode is unknown.", where="mode", todo=f"Use one of: {', '.join(get_args(Mode))}."
            )
        return self

    @property
    def release(self) -> str:
        """Id of the release this request makes."""
        return self.run_id.replace("-", "")[:8]


@dataclass(frozen=True)
class Share:
    """How much of production: the fraction, foretold where the policy asks for a size of so many bytes."""

    fraction: float
    target_bytes: int | None = None


def share_of(asked: float | None, policy: Policy, catalog: Catalog) -> Share:
    """What was asked for, else the policy's size (all where production is smaller), else its fraction."""
    size = policy.subset.target_bytes
    if asked is not None or size is None:
        return Share(policy.fraction if asked is None else asked)
    whole = sum(table.bytes for name, table in catalog.tables.items() if policy.covers_rows_of(name))
    return Share(size / whole, size) if size < whole else Share(1.0)


def current_user() -> str | None:
    """The operating system's name for who runs this, None where it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None
