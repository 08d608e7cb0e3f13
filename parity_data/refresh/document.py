"""Put together the report of a refresh from what the stages left behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from parity_data import __version__
from parity_data.catalog import Column, Name
from parity_data.mask import describe
from parity_data.refresh.changes import since_approved
from parity_data.refresh.declared import implied_differences
from parity_data.refresh.nights import keep_night, looking_back, nights, this_night
from parity_data.refresh.surroundings import checklist
from parity_data.release.extensions import tables_with_user_rows
from parity_data.release.properties import settings_everywhere
from parity_data.report import (
    ColumnReport,
    ForeignKeyReport,
    QuotaReport,
    Report,
    ReportPaths,
    SpansReport,
    TableReport,
    TextReport,
    UndecidedReport,
    write_report,
)
from parity_data.report.scan_page import looks_like
from parity_data.report.text import plural, share
from parity_data.rules.history import History
from parity_data.verify.result import Difference

if TYPE_CHECKING:
    from parity_data.refresh.session import Refresh

#: Differences every refresh has by design, with the reason the report gives.
_BY_DESIGN = (
    ("database", "physical layout: staging is freshly loaded and has no bloat", "a copy is written anew"),
)


def write_document(refresh: Refresh) -> tuple[Report, ReportPaths]:
    """Write the report of a refresh whose checks have run, and note in the ledger what it says."""
    ledger, verification, work = refresh.ledger, refresh.verification, refresh.settings.work
    report = _report(refresh)
    night = this_night(report, sum(verification.rows.values()), verification.bytes)
    document = replace(
        report, since=since_approved(ledger, work, report), nights=looking_back(nights(ledger), night)
    )
    paths = write_report(document, work / "releases" / refresh.release_id)
    keep_night(ledger, night, report=paths.sha256)
    return document, paths


def _report(refresh: Refresh) -> Report:
    target = refresh.ledger
    return Report(
        verdict="pass" if refresh.verdict == "pass" else "fail",
        release=refresh.release_id,
        mode=refresh.request.mode,
        source=refresh.settings.need_source().display,
        target=refresh.settings.need_target().display,
        source_version=_version(refresh.snapshot.version),
        target_version=_version(target.connection.info.server_version),
        source_system_identifier=refresh.snapshot.system_identifier,
        target_system_identifier=target.system_identifier(),
        snapshot=refresh.snapshot.id,
        snapshot_at=refresh.snapshot.taken_at,
        fraction=refresh.fraction,
        started_at=refresh.started_at,
        seconds=round((datetime.now(UTC) - refresh.started_at).total_seconds(), 1),
        rules_digest=refresh.policy.digest,
        key_id=refresh.keys.key_id,
        catalog_fingerprint_source=refresh.fingerprint.digest,
        catalog_fingerprint_target=refresh.verification.fingerprint.digest,
        requested_by=refresh.request.requested_by,
        note=refresh.request.note,
        tables=tuple(_tables(refresh)),
        checks=tuple(refresh.checks),
        differences=tuple(_differences(refresh)),
        foreign_keys=tuple(_foreign_keys(refresh)),
        stages=tuple(refresh.stages),
        undecided=tuple(_undecided(refresh)),
        product_version=__version__,
        texts=tuple(_texts(refresh)),
        parity=tuple(
            checklist(
                refresh.verification.around,
                refresh.checks,
                refresh.policy,
                refresh.fraction,
                sum(spec.name != "keep" for masks in refresh.masks.values() for spec in masks.values()),
            )
        ),
    )


def _version(number: int) -> str:
    """180006 -> 18.6"""
    return f"{number // 10000}.{number % 10000}"


def _tables(refresh: Refresh) -> Iterator[TableReport]:
    history = History(refresh.policy.folder)
    for name, table in refresh.catalog.tables.items():
        chosen, sent = refresh.selections[name], refresh.sent[name]
        yield TableReport(
            schema=name.schema,
            table=name.name,
            role=chosen.role.role,
            role_reason=chosen.role.reason,
            rows_source=chosen.total,
            rows_planned=chosen.rows,
            rows_target=refresh.verification.rows.get(name),
            bytes_source=table.bytes,
            seconds=round(sent.seconds, 3),
            columns=tuple(_column(refresh, name, column, history) for column in table.columns),
            profile=refresh.profiles.get(name),
            owner=str(chosen.role.owner.referenced) if chosen.role.owner else None,
            rows_completed=chosen.completed,
            rows_beyond=chosen.excess,
            quotas=tuple(QuotaReport(why, n, chosen.weights.get(why)) for why, n in chosen.by_quota.items()),
        )


def _column(refresh: Refresh, name: Name, column: Column, history: History) -> ColumnReport:
    rule = refresh.policy.columns.get(name, {}).get(column.name)
    mask = rule.mask.name if rule else "keep"
    sent = refresh.sent[name]
    # What the database computes is not sent.
    nulls = None if column.generated else sent.nulls[column.name]
    values = sent.rows - (nulls or 0) - sent.empty[column.name]
    changed = None
    if column.name in sent.unchanged and values:
        changed = 1 - sent.unchanged[column.name] / values
    staged = refresh.verification.nulls.get((name, column.name))
    rows = refresh.verification.rows.get(name)
    decided = history.of(rule.file, rule.line) if rule else None
    distinct = refresh.profiles[name].distinct(column.name)
    return ColumnReport(
        name=column.name,
        sql_type=column.sql_type,
        mask=mask,
        keeps="computed by the database" if column.generated else describe(mask).keeps_text,
        why=rule.why if rule else None,
        by=rule.by if rule else None,
        kind=_kind(refresh, name, column),
        null_share_source=nulls / sent.rows if sent.rows and nulls is not None else None,
        null_share_target=staged / rows if rows and staged is not None else None,
        changed_share=changed,
        distinct_source=distinct[0],
        distinct_target=distinct[1],
        decided_by=decided[0] if decided else None,
        decided_on=decided[1] if decided else None,
    )


def _undecided(refresh: Refresh) -> Iterator[UndecidedReport]:
    """What the policy had masked for want of a decision."""
    for item in refresh.covered.undecided:
        masks = tuple(f"{where}: {mask}" for where, mask in item.masks.items())
        yield UndecidedReport(
            item.problem.where, item.problem.cause, item.problem.what, masks, item.problem.evidence[:3]
        )


def _texts(refresh: Refresh) -> Iterator[TextReport]:
    """What masks found in texts, by column."""
    for name, sent in refresh.sent.items():
        for column, tally in sorted(sent.found.items()):
            found = [
                SpansReport(method, kind, spans)
                for key, spans in tally.items()
                for method, _, kind in [key.partition(" ")]
                if method not in ("texts", "count")
            ]
            if not tally["texts"]:
                continue
            found.sort(key=lambda one: (one.method, -one.spans, one.kind))
            scope = f"{name}.{column}"
            yield TextReport(scope, tally["texts"], tally["texts with spans"], tuple(found))


def _kind(refresh: Refresh, name: Name, column: Column) -> str | None:
    """The kind of personal data that the column looks like in this snapshot, None for none."""
    seen = refresh.covered.decisions.get((name, column.name))
    return None if seen is None or seen.band == "not_personal" else looks_like(seen.kind)


def _foreign_keys(refresh: Refresh) -> Iterator[ForeignKeyReport]:
    for key in refresh.catalog.foreign_keys:
        where = (key.table, key.name)
        nulls = refresh.profiles[key.table].nulls(key.columns)
        yield ForeignKeyReport(
            name=key.name,
            table=str(key.table),
            columns=key.columns,
            referenced=str(key.referenced),
            dangling_source=refresh.verification.expected_dangling.get(where),
            dangling_target=refresh.verification.dangling.get(where),
            null_share_source=nulls[0],
            null_share_target=nulls[1],
        )


def _differences(refresh: Refresh) -> Iterator[Difference]:
    yield from refresh.verification.differences
    for scope, what, reason in _BY_DESIGN:
        yield Difference(scope, what, reason)
    for declared in implied_differences(refresh.policy):
        yield Difference(declared.scope, f"{declared.what}: as the policy has it", declared.reason)
    for sentence in refresh.building.left:
        reason = f"method '{refresh.policy.release.method}' leaves the database itself as it is"
        yield Difference("database", sentence, reason)
    for schema in sorted(refresh.building.hidden):
        if not refresh.building.is_ours(schema):
            reason = "the schema is not production's, and the release method leaves it as it is"
            yield Difference(schema, "a schema of staging's own", reason)
    for own in refresh.policy.staging.differences():
        yield Difference(*own)
    for hook in (*refresh.policy.release.before_swap, *refresh.policy.release.after_swap):
        yield Difference("database", f"what the hook {hook.shown} changes", "the policy runs it at the swap")
    for name, reason in refresh.policy.exclude_rows.items():
        yield Difference(str(name), "no rows, structure only", reason)
    for schema in refresh.policy.ignore_schemas:
        yield Difference(
            schema, "the schema does not come along", "listed under ignore_schemas in the policy"
        )
    if refresh.fraction < 1:
        what = f"{share(refresh.fraction)} of production's rows, chosen by keyed hash"
        yield Difference("database", what, "the fraction that was asked for")
    for name, found in refresh.selections.items():
        if found.completed:
            what = f"{plural(found.completed, 'row')} there only because a chosen row references them"
            yield Difference(str(name), what, "every reference that resolves in production resolves here")
        for keys in found.relinked:
            what = f"{plural(keys.rows, 'row')} with a reference to other rows of {keys.link.referenced}"
            reason = f"{keys.left_out} that they refer to were not sampled (relink in policy.yaml)"
            yield Difference(f"{name}.{keys.link.name}", what, reason)
    masked = {c.name for masks in refresh.masks.values() for c in masks.values() if c.name != "keep"}
    for mask in sorted(masked):
        columns = sum(spec.name == mask for masks in refresh.masks.values() for spec in masks.values())
        yield Difference(
            "database", f"{plural(columns, 'column')} masked by '{mask}'", describe(mask).summary
        )
    for (kind, reason), count in Counter(refresh.excluded_entries).items():
        yield Difference("database", f"{plural(count, kind)} left out", reason)
    if count := settings_everywhere(refresh.snapshot, refresh.catalog.roles):
        what = f"{plural(count, 'setting')} that roles have on the whole server left out"
        yield Difference("database", what, "they are the server's; those of roles in the database come along")
    for extension, table in tables_with_user_rows(refresh.snapshot.connection):
        what = f"rows of {table}, a table of the extension {extension}, left out"
        yield Difference("database", what, "what extensions keep, such as jobs to run, is their server's")
    for name, why in refresh.not_analyzed.items():
        yield Difference(
            str(name), f"no planner statistics: ANALYZE fails with {why}", "a type without an order"
        )
    for role in refresh.created_roles:
        yield Difference("database", f'role "{role}" was created without login', "objects belong to it")
    treatment = refresh.policy.objects.large_objects
    if refresh.large_objects and treatment != "keep":
        what = "left out" if treatment == "exclude" else "filled with zero bytes"
        reason = f"large_objects: {treatment} in policy.yaml; column rules do not reach them"
        yield Difference("database", f"{plural(refresh.large_objects, 'large object')} {what}", reason)
