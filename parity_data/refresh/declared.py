"""Differences that follow from the policy: declared by what it says of objects, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from parity_data.catalog.fingerprint import Fingerprint
from parity_data.rules import DeclaredDifference, Policy
from parity_data.rules.declared import DECLARABLE
from parity_data.verify.declared import check_declared, settle
from parity_data.verify.result import CheckResult, Difference
from parity_data.verify.schema import covered_objects, schema_differences

#: Kinds of which a database has one set, so that they do not come along with schemas.
ONE_PER_DATABASE = {
    "event trigger": "an event trigger belongs to the database, and method 'schema' replaces schemas only",
    "publication": "a publication belongs to the database, and method 'schema' replaces schemas only",
}
_OWNERS = "objects belong to the role that refreshes (objects.owners in policy.yaml)"
_GRANTS = "production's roles get nothing in staging (objects.grants in policy.yaml)"
_SUBSCRIPTIONS = "subscriptions would pull from, or hold a slot on, production's publishers"


def declared_differences(policy: Policy) -> tuple[DeclaredDifference, ...]:
    """All differences that are wanted: those written down, and those that other entries mean."""
    return (*policy.declared_differences, *implied_differences(policy))


@dataclass(frozen=True)
class Judged:
    """Checks and differences after the declared ones were told from the others.

    differences: those that nobody declared, and those that entries of ``declared_differences.yaml`` cover.
    """

    checks: tuple[CheckResult, ...]
    differences: tuple[Difference, ...]


def judged(
    policy: Policy,
    checks: Iterable[CheckResult],
    production: Fingerprint,
    staging: Fingerprint,
    *,
    today: date,
) -> Judged:
    """The checks with what the policy declares, and what becomes of each of its entries. today: in UTC."""
    declared = declared_differences(policy)
    settled = settle(checks, declared, DECLARABLE)
    schema = [d for d in schema_differences(production, staging, declared) if d.declared is None or d.owner]
    entries = check_declared(
        declared,
        covered_objects(production, staging, declared),
        settled,
        today=today,
        undeclared=[d for d in schema if d.declared is None],
    )
    return Judged((*settled.checks, *entries), (*schema, *settled.differences))


def without_database(staging: Fingerprint, production: Fingerprint) -> Fingerprint:
    """Staging's catalog with the database's own properties as production has them.

    For releases within staging's database, which leave the database itself as it is.
    """
    entries = {key: value for key, value in staging.entries.items() if key[0] != "database"}
    entries |= {key: value for key, value in production.entries.items() if key[0] == "database"}
    return Fingerprint(dict(sorted(entries.items())), staging.server_version)


def implied_differences(policy: Policy) -> Iterator[DeclaredDifference]:
    """Differences that other entries of the policy mean."""
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
    if policy.release.in_place:
        # What staging added to one release is there when the next one is built.
        for name, reason in policy.staging.extensions.items():
            yield DeclaredDifference(name, "extension", reason)
        for role in policy.staging.roles:
            yield DeclaredDifference("database", f"grants to {role.name}", role.reason)
    once = ONE_PER_DATABASE if policy.release.method == "schema" else {}
    for kind, reason in {**once, **policy.objects.exclude}.items():
        yield DeclaredDifference("database", kind, reason)
        if kind == "publication":
            yield DeclaredDifference("database", "published table", reason)
