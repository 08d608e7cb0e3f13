"""Differences that follow from the policy: declared by what it says of objects, each with its reason."""

from __future__ import annotations

from collections.abc import Iterator

from parity_data.rules import DeclaredDifference, Policy

_OWNERS = "objects belong to the role that refreshes (objects.owners in policy.yaml)"
_GRANTS = "production's roles get nothing in staging (objects.grants in policy.yaml)"
_SUBSCRIPTIONS = "subscriptions would pull from, or hold a slot on, production's publishers"


def declared_differences(policy: Policy) -> tuple[DeclaredDifference, ...]:
    """All differences that are wanted: those written down, and those that other entries mean."""
    return (*policy.declared_differences, *_implied(policy))


def _implied(policy: Policy) -> Iterator[DeclaredDifference]:
    yield DeclaredDifference("database", "subscription", _SUBSCRIPTIONS)
    if policy.objects.owners == "target":
        yield DeclaredDifference("database", "owner", _OWNERS)
        yield DeclaredDifference("database", "grants", _OWNERS)
        yield DeclaredDifference("database", "default privileges", _OWNERS)
    if policy.objects.grants == "none":
        for what in ("grants", "default privileges", "role settings"):
            yield DeclaredDifference("database", what, _GRANTS)
    for source, target in policy.objects.tablespaces.items():
        reason = f"{target} stands for {source} (objects.tablespaces in policy.yaml)"
        yield DeclaredDifference("database", "tablespace", reason)
    for kind, reason in policy.objects.exclude.items():
        yield DeclaredDifference("database", kind, reason)
        if kind == "publication":
            yield DeclaredDifference("database", "published table", reason)
