"""Sign-off of a release: what a decision covers, whether an approval stands, promotion behind it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from parity_data.catalog.fingerprint import read_fingerprint
from parity_data.errors import CheckFailed, ConfigError, ParityError
from parity_data.refresh.swapping import open_ledger, policy_of, swap_in
from parity_data.release import Ledger, ReleaseRecord, names, recover
from parity_data.release.leftovers import database_of
from parity_data.release.reviews import (
    Covered,
    Decision,
    Review,
    Standing,
    append,
    chain_problem,
    read_reviews,
    standing,
)
from parity_data.release.schemas import as_if_in_place, schemas_there
from parity_data.report import load_report, write_reviews
from parity_data.rules import Policy, load_policy
from parity_data.settings import Settings

#: The copy of a release's entries, beside its report.
COPY = "reviews.json"


def review_release(
    settings: Settings, release: str, decision: Decision, *, reviewer: str, comment: str
) -> Review:
    """Write down a decision on a release and show it in its report.

    Raises ConfigError for a release that is unknown, gone or without its report, and for an approval of one
    whose checks failed or whose rules have changed since it was built.
    """
    if not comment.strip():
        raise ConfigError("A decision needs a comment.", where="--comment", todo="Say what was looked at.")
    policy = load_policy(settings.rules)
    with open_ledger(settings, policy) as ledger:
        ledger.lock()
        record = _record(ledger, release)
        folder = _folder(settings, release)
        report = load_report(folder / "report.json")
        now = _covered(settings, ledger, record, policy)
        if changed := _report_changed(record, now):
            raise ConfigError(
                f"{changed[0].upper()}{changed[1:]}.",
                where=str(folder / "report.json"),
                todo="Restore the file from a backup, or refresh again and review that release.",
            )
        if decision == "approved":
            if report.verdict != "pass":
                raise ConfigError("Its checks failed, so it cannot be approved.", where=release)
            if report.rules_digest != now.rules or report.catalog_fingerprint_target != now.catalog:
                raise ConfigError(
                    "The rules or the built database have changed since the report was written.",
                    where=release,
                    todo="Refresh again, and review that release.",
                )
        entry = append(
            ledger,
            release,
            decision,
            reviewer=reviewer,
            comment=comment,
            covers=now,
            signing_key=settings.signing_key,
        )
        entries = [r for r in read_reviews(ledger) if r.release == release]
    text = json.dumps([e.as_dict() for e in entries], ensure_ascii=False, indent=2)
    (folder / COPY).write_text(text + "\n", encoding="utf-8")
    write_reviews(report, folder, [_shown(e) for e in entries])
    return entry


def release_standing(settings: Settings, ledger: Ledger, release: str) -> Standing:
    """Where a release stands with its reviewers now. Raises ConfigError as ``review_release`` does."""
    policy = load_policy(settings.rules)
    record = _record(ledger, release)
    now = _covered(settings, ledger, record, policy)
    found = standing(
        read_reviews(ledger),
        release,
        now,
        reviewers=policy.release.reviewers,
        copy=_copy(_folder(settings, release)),
    )
    changed = _report_changed(record, now)
    return replace(found, state="void", problem=changed) if changed and found.state == "approved" else found


def standings(settings: Settings, ledger: Ledger) -> dict[str, Standing]:
    """Where every release stands that somebody has decided on.

    Of one that is gone, whose report is not here, or where the rules cannot be read, only the decision and
    the log can be judged.
    """
    reviews = read_reviews(ledger)
    broken = chain_problem(reviews)
    found: dict[str, Standing] = {}
    for entry in reviews:
        try:
            found[entry.release] = release_standing(settings, ledger, entry.release)
        except ParityError:
            void = Standing("void", entry, f"the log of reviews was tampered with: {broken}")
            found[entry.release] = void if broken else Standing(entry.decision, entry)
    return found


def _report_changed(record: ReleaseRecord, now: Covered) -> str | None:
    """Whether report.json is no longer what the refresh wrote down, in words."""
    written = record.details.get("report")
    return "the report was changed since its refresh wrote it" if written not in (None, now.report) else None


def newest_standing(settings: Settings) -> tuple[str, Standing]:
    """The newest release that waits or serves, and where it stands. Raises ConfigError when there is none."""
    with open_ledger(settings) as ledger:
        found = [r for r in ledger.releases() if r.state in ("ready", "current")]
        if not found:
            raise ConfigError("There is no release yet.", todo="Run 'parity refresh' first.")
        return found[0].id, release_standing(settings, ledger, found[0].id)


def promote_release(settings: Settings, release: str) -> None:
    """Swap in a built release, if it is approved or the policy asks for no review.

    Raises CheckFailed, with everything as before, when its approval is missing, void or a rejection.
    """
    policy = policy_of(settings)
    with open_ledger(settings, policy) as ledger:
        ledger.lock()
        recover(ledger)
        if policy.release.require_review:
            found = release_standing(settings, ledger, release)
            if found.state != "approved":
                raise CheckFailed(
                    _REFUSED[found.state] + (f" ({found.problem})." if found.problem else "."),
                    where=release,
                    todo=f"Read its report, then: parity review {release} --approve --comment '...'.",
                )
        swap_in(settings, ledger, release, policy, asked=True)


_REFUSED = {
    "none": "The policy asks for a review before a release is promoted, and nobody has reviewed it",
    "rejected": "It was rejected by its reviewer",
    "void": "Its approval is void",
}


def _record(ledger: Ledger, release: str) -> ReleaseRecord:
    found = next((r for r in ledger.releases() if r.id == release), None)
    if found is None:
        raise ConfigError(
            "There is no such release.", where=release, todo="'parity releases' lists those there are."
        )
    return found


def _folder(settings: Settings, release: str) -> Path:
    folder = settings.work / "releases" / release
    if not (folder / "report.json").is_file():
        raise ConfigError(
            "The report of this release is not in the work folder.",
            where=str(folder),
            todo="Set PARITY_WORK or --work to the folder of the refresh that made it.",
        )
    return folder


def _covered(settings: Settings, ledger: Ledger, record: ReleaseRecord, policy: Policy) -> Covered:
    """What an approval given now would cover."""
    path = _folder(settings, record.id) / "report.json"
    return Covered(
        report=hashlib.sha256(path.read_bytes()).hexdigest(),
        rules=policy.digest,
        snapshot=load_report(path).snapshot,
        catalog=_catalog_digest(ledger, record),
    )


def _catalog_digest(ledger: Ledger, record: ReleaseRecord) -> str:
    """Fingerprint of a release's catalog as it is now."""
    if ledger.inside:
        if record.state not in ("ready", "current", "previous"):
            raise ConfigError(f"Its schemas are not there any more; it is {record.state}.", where=record.id)
        with as_if_in_place(ledger, record) as connection:
            hidden = schemas_there(connection) - set(record.details.get("seen", []))
            return read_fingerprint(connection, hidden=hidden).digest
    databases = {
        "ready": names.next_name(ledger.target, record.id),
        "current": ledger.target,
        "previous": database_of(ledger, record, ledger.databases()),
    }
    name = databases.get(record.state)
    if name is None or name not in ledger.databases():
        raise ConfigError(f"It has no database any more; it is {record.state}.", where=record.id)
    with ledger.server.with_name(name).connect(role="target", autocommit=True) as connection:
        return read_fingerprint(connection).digest


def _copy(folder: Path) -> Sequence[Review]:
    path = folder / COPY
    if not path.is_file():
        return ()
    try:
        return [Review(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
    except (ValueError, TypeError):
        raise ConfigError(
            "The copy of the reviews cannot be read.", where=str(path), todo="Restore it from a backup."
        ) from None


def _shown(entry: Review) -> dict[str, str]:
    return {
        "decision": entry.decision,
        "reviewer": entry.reviewer,
        "at": entry.at,
        "comment": entry.comment,
        "digest": entry.digest,
        "key": entry.public_key or "",
    }
