"""Sign-off: decisions of people on releases, in a log that only grows and whose entries are chained.

Each entry holds the digest of the one before it, so that a changed, removed or inserted entry breaks the
chain from there on; a copy beside the report shows when the log's end was cut. What a decision covers is
written down with it, and an approval is void as soon as any of that has changed. Entries can be signed with
Ed25519 (RFC 8032).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from psycopg.rows import class_row

from parity_data.errors import ConfigError
from parity_data.release.ledger import Ledger
from parity_data.secret import Secret

Decision = Literal["approved", "rejected"]

#: The digest before the first entry.
START = "0" * 64

_SCHEMA = """
CREATE TABLE parity.review (
    number bigint PRIMARY KEY,
    release text NOT NULL,
    decision text NOT NULL CHECK (decision IN ('approved', 'rejected')),
    reviewer text NOT NULL,
    at text NOT NULL,
    comment text NOT NULL,
    covers jsonb NOT NULL,
    previous text NOT NULL,
    digest text NOT NULL,
    public_key text,
    signature text
);
CREATE FUNCTION parity.review_only_grows() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the log of reviews only grows'; END $$;
CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON parity.review
    FOR EACH STATEMENT EXECUTE FUNCTION parity.review_only_grows();
"""
_READ = """
SELECT number, release, decision, reviewer, at, comment, covers, previous, digest, public_key, signature
FROM parity.review ORDER BY number
"""
_APPEND = """
INSERT INTO parity.review
    (number, release, decision, reviewer, at, comment, covers, previous, digest, public_key, signature)
VALUES (%(number)s, %(release)s, %(decision)s, %(reviewer)s, %(at)s, %(comment)s, %(covers)s,
        %(previous)s, %(digest)s, %(public_key)s, %(signature)s)
"""


@dataclass(frozen=True)
class Covered:
    """What a decision is about. All are digests or ids, 64 hexadecimal digits but for the snapshot.

    report: of report.json. rules: of the rules folder. catalog: fingerprint of the built database.
    """

    report: str
    rules: str
    snapshot: str
    catalog: str

    def changes(self, now: Covered) -> list[str]:
        """Names of what is no longer as it was."""
        return [name for name, value in asdict(self).items() if getattr(now, name) != value]


@dataclass(frozen=True)
class Review:
    """One entry. at: ISO 8601, UTC. previous, digest: 64 hexadecimal digits; signature: over the digest."""

    number: int
    release: str
    decision: Decision
    reviewer: str
    at: str
    comment: str
    covers: Mapping[str, str]
    previous: str
    digest: str = ""
    public_key: str | None = None
    signature: str | None = None

    @property
    def covered(self) -> Covered:
        return Covered(**self.covers)

    def computed(self) -> str:
        """The digest that this entry's content asks for: SHA-256 over its fields as canonical JSON."""
        content = {k: v for k, v in asdict(self).items() if k not in ("digest", "public_key", "signature")}
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8")).hexdigest()

    def signed_well(self) -> bool:
        """Whether there is a signature and the key in the entry made it."""
        if self.public_key is None or self.signature is None:
            return False
        try:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.public_key))
            key.verify(bytes.fromhex(self.signature), self.digest.encode())
        except (InvalidSignature, ValueError):
            return False
        return True

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Standing:
    """Where a release stands. review: the last entry on it. problem: why an approval does not count."""

    state: Literal["none", "approved", "rejected", "void"]
    review: Review | None = None
    problem: str | None = None


def read_reviews(ledger: Ledger) -> list[Review]:
    """All entries, oldest first; ``chain_problem`` judges them."""
    if not _exists(ledger):
        return []
    with ledger.connection.cursor(row_factory=class_row(Review)) as cursor:
        return cursor.execute(_READ).fetchall()


def _exists(ledger: Ledger) -> bool:
    row = ledger.connection.execute("SELECT to_regclass('parity.review') IS NOT NULL").fetchone()
    return bool(row and row[0])


def append(
    ledger: Ledger,
    release: str,
    decision: Decision,
    *,
    reviewer: str,
    comment: str,
    covers: Covered,
    signing_key: Secret | None = None,
) -> Review:
    """Write down a decision; the caller holds the lock. Raises ConfigError when the log is broken."""
    if not _exists(ledger):
        with ledger.connection.transaction():
            ledger.connection.execute(_SCHEMA)
    reviews = read_reviews(ledger)
    broken = chain_problem(reviews)
    if broken:
        raise ConfigError(
            f"The log of reviews was tampered with: {broken}.",
            where=f"{ledger.database.display} parity.review",
            todo="Find out who could write there; restore the ledger database from a backup.",
        )
    entry = Review(
        number=len(reviews) + 1,
        release=release,
        decision=decision,
        reviewer=reviewer,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        comment=comment,
        covers=asdict(covers),
        previous=reviews[-1].digest if reviews else START,
    )
    entry = replace(entry, digest=entry.computed())
    if signing_key is not None:
        entry = _sign(entry, signing_key)
    values = {**entry.as_dict(), "covers": json.dumps(dict(entry.covers))}
    ledger.connection.execute(_APPEND, values)
    return entry


def chain_problem(reviews: Sequence[Review]) -> str | None:
    """The first place where the log contradicts itself, in words; None when it is whole."""
    previous = START
    for place, entry in enumerate(reviews, start=1):
        if entry.number != place:
            return f"entry {place} is missing"
        if entry.previous != previous:
            return f"entry {place} does not follow entry {place - 1}"
        if entry.digest != entry.computed():
            return f"entry {place} was changed"
        if entry.signature is not None and not entry.signed_well():
            return f"entry {place} carries a signature that its key did not make"
        previous = entry.digest
    return None


def standing(
    reviews: Sequence[Review],
    release: str,
    now: Covered,
    *,
    reviewers: Mapping[str, str] | None = None,
    copy: Sequence[Review] = (),
) -> Standing:
    """Whether the release is approved.

    now: what an approval would have to cover. reviewers: name -> public key (64 hexadecimal digits) of those
    whose signature counts; empty where no signature is asked for. copy: the entries kept beside the report.
    """
    own = [entry for entry in reviews if entry.release == release]
    broken = chain_problem(reviews) or _cut(reviews, copy)
    if broken:
        return Standing("void", own[-1] if own else None, f"the log of reviews was tampered with: {broken}")
    if not own:
        return Standing("none")
    last = own[-1]
    if last.decision == "rejected":
        return Standing("rejected", last)
    changed = last.covered.changes(now)
    if changed:
        return Standing("void", last, f"changed since it was approved: {', '.join(changed)}")
    if reviewers and (not last.signed_well() or last.public_key not in reviewers.values()):
        return Standing("void", last, "it is not signed by one of the policy's reviewers")
    return Standing("approved", last)


def _cut(reviews: Sequence[Review], copy: Sequence[Review]) -> str | None:
    """What the copy holds and the log does not."""
    known = {entry.digest for entry in reviews}
    gone = [entry for entry in copy if entry.digest not in known]
    return f"entry {gone[0].number} of the copy beside the report is not in it" if gone else None


def _sign(entry: Review, signing_key: Secret) -> Review:
    try:
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(signing_key.reveal()))
    except ValueError:
        raise ConfigError(
            "The signing key is not 64 hexadecimal digits.",
            where="PARITY_SIGNING_KEY",
            todo="Make one with 'parity keygen --signing'.",
        ) from None
    return replace(entry, public_key=public_key(signing_key), signature=key.sign(entry.digest.encode()).hex())


def public_key(signing_key: Secret) -> str:
    """The public half of a signing key, 64 hexadecimal digits, for the policy's reviewers."""
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(signing_key.reveal()))
    return key.public_key().public_bytes_raw().hex()
