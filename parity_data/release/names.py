"""Names of the databases that surround a staging database, at most 63 bytes each."""

from __future__ import annotations

import hashlib

#: NAMEDATALEN - 1 of a standard build.
_LIMIT = 63


def next_name(target: str, release: str) -> str:
    """The database a release is built in; named after it, so that no other run's work lands there."""
    return _fit(target, f"__next_{release}")


def previous_name(target: str) -> str:
    """The release before the current one."""
    return _fit(target, "__prev")


def kept_name(target: str, release: str) -> str:
    """A release before the previous one, where more than one is kept."""
    return _fit(target, f"__prev_{release}")


def retired_name(target: str, release: str) -> str:
    """A database on its way out: renamed by the swap, dropped right after it."""
    return _fit(target, f"__drop_{release}")


def ledger_name(target: str) -> str:
    """The small database that records releases and holds the lock."""
    return _fit(target, "__releases")


def belongings_prefixes(target: str) -> tuple[str, str, str]:
    """What the names of databases that carry a release's id start with: built, retired, kept."""
    return next_name(target, ""), retired_name(target, ""), kept_name(target, "")


def _fit(target: str, suffix: str) -> str:
    """target + suffix; a target too long is cut and marked with a hash, so that two stay apart.

    The room left does not depend on the release in the suffix, so that prefixes match.
    """
    kind = suffix[: suffix.index("_", 2) + 1] if suffix.count("_") > 2 else suffix
    room = _LIMIT - len(kind.encode()) - 8
    name = target.encode()
    if len(name) > room:
        digest = hashlib.sha256(name).hexdigest()[:6]
        target = name[: room - 7].decode("utf-8", "ignore") + "~" + digest
    return target + suffix
