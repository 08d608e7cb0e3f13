"""Production's extensions against what the target can install, before anything is built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

from parity_data.errors import TargetError
from parity_data.release import read_offer
from parity_data.rules import Policy


def require_extensions(needed: Mapping[str, str], policy: Policy, target: psycopg.Connection[Any]) -> None:
    """Raise TargetError unless the target offers every extension in production's version.

    needed: versions by name. Another version passes where the policy declares it as a difference.
    """
    offer = read_offer(target)
    missing = offer.missing(needed)
    if missing:
        raise TargetError(
            f"The target's server lacks {len(missing)} extension(s) of production: {', '.join(missing)}.",
            todo="Install their packages there (contrib, postgis, ...); nothing was built.",
        )
    declared = other_versions_declared(needed, policy)
    others = {n: v for n, v in offer.other_versions(needed).items() if n not in declared}
    if others:
        shown = ", ".join(f"{n} {mine} (there: {theirs})" for n, (mine, theirs) in others.items())
        raise TargetError(
            f"The target's server lacks production's version of {len(others)} extension(s): {shown}.",
            todo="Bring both to one version, or declare it in declared_differences.yaml: "
            f"{{scope: {next(iter(others))}, what: extension version, reason: ..., owner: ...}}.",
        )


def other_versions_declared(needed: Mapping[str, str], policy: Policy) -> set[str]:
    """Extensions for which the policy says that staging may have another version."""
    return {
        difference.scope
        for difference in policy.declared_differences
        if difference.what.strip().casefold() == "extension version" and difference.scope in needed
    }
