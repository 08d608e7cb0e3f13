"""The last stages: checks and swap, and the report that a person signs."""

# No postponed annotations: Dagster reads those of an asset's parameters as they stand.

from collections.abc import Iterator, Sequence

import dagster as dg

from parity_data.assets import metadata
from parity_data.assets.decisions import POOL
from parity_data.assets.keys import RELEASE, REPORT, SUBSET_KEYS, table_key
from parity_data.assets.refreshes import Refreshes
from parity_data.assets.tables import Known
from parity_data.report import to_markdown
from parity_data.verify.result import CheckResult

#: The checks of ``parity_data.verify`` by name, and what each is about.
CHECKS = {
    "schema_parity": "Every object of production's catalog is in staging, and the same.",
    "migration_heads": "The migration tools that production uses stand at the same revision in staging.",
    "mask_link": "Every masked value keeps of its original what its mask declares to keep.",
    "load_link": "Every row that was sent is in staging once and unchanged, by a keyed sum over the rows.",
    "row_count": "Every table holds the rows that were planned, read back from staging.",
    "subset_rows": "Of every sampled table the share of rows that was asked for was chosen.",
    "drawn_rows": "Every row that the draw and the quotas chose is among the rows that go.",
    "owned_rows": "Whoever was drawn comes with all rows that are theirs.",
    "fan_out": "Owners in the subset have as many rows as owners in production.",
    "reference_share": "References of the subset are NULL, or find nothing, as often as production's.",
    "distribution": "Every column of the subset is distributed as in production.",
    "left_out": "Rows whose head alone is too heavy for the fraction are named.",
    "relinked": "References that the policy sends to other rows lead to rows that were sampled.",
    "null_share": "Every column holds as many NULLs as were sent.",
    "spot_check": "Some rows of every table, fetched afresh from both sides by key, agree.",
    "foreign_keys": "Every foreign key that resolves in production resolves in staging.",
    "sequence_position": "No sequence will give a number that production has used already.",
    "leak_audit": "No value of a masked column of production is anywhere in staging.",
    "server_settings": "Settings that change how a server behaves are the same, or in proportion.",
    "environment": "What the deployments of both sides say of themselves is the same, or in proportion.",
    "feature_flags": "Flags in the tables that the policy names are the same.",
    "declared_differences": "Every declared difference is there, within its bound, and has not expired.",
    "canaries": "Defects planted in a shadow of the checks were all found.",
    "planted_skew": "A skew planted in a shadow of the sample was noticed, at the bound of this run.",
}


def release_assets(known: Known) -> list[dg.AssetsDefinition]:
    """Checks, swap and report."""
    tables = [table_key("staging", name) for name in known.tables]

    @dg.asset(
        key=RELEASE,
        deps=tables or [SUBSET_KEYS],
        group_name="release",
        kinds={"postgres"},
        pool=POOL,
        check_specs=[
            dg.AssetCheckSpec(name, asset=RELEASE, description=text, blocking=True)
            for name, text in CHECKS.items()
        ],
    )
    def staging_release(
        context: dg.AssetExecutionContext, refreshes: dg.ResourceParam[Refreshes]
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
        """The release: indexes and constraints made, everything checked, swapped in by one transaction.

        A failed check leaves the current release in place. The previous one stays for 'parity rollback'.
        """
        with refreshes.stage(context) as work:
            refresh = refreshes.refresh(context)
            refresh.complete()
            work.checks = refresh.verify()
            yield from check_results(work.checks)
            try:
                work.outcome = refresh.release()
            finally:
                work.report = getattr(refresh, "report", None)
            refresh.log.info("%s", work.outcome)
            yield dg.MaterializeResult(
                metadata={
                    "release": dg.MetadataValue.text(refresh.release_id),
                    "outcome": dg.MetadataValue.text(work.outcome),
                    "mode": dg.MetadataValue.text(refresh.request.mode),
                    "fraction": dg.MetadataValue.float(float(refresh.fraction)),
                    "dagster/row_count": dg.MetadataValue.int(sum(s.rows for s in refresh.sent.values())),
                    "snapshot taken at": dg.MetadataValue.timestamp(refresh.snapshot.taken_at),
                    **metadata.of_report(refresh.report),
                }
            )

    @dg.asset(key=REPORT, deps=[RELEASE], group_name="release", kinds={"html"}, pool=POOL)
    def fidelity_report(
        context: dg.AssetExecutionContext, refreshes: dg.ResourceParam[Refreshes]
    ) -> dg.MaterializeResult[None]:
        """Every difference between production and staging, and every check, for the person who signs.

        The whole of it is one HTML file; programs read the JSON beside it.
        """
        with refreshes.stage(context):
            refresh = refreshes.refresh(context)
            return dg.MaterializeResult(
                metadata={
                    "summary": dg.MetadataValue.md(to_markdown(refresh.document)),
                    **metadata.of_report(refresh.report),
                    **metadata.of_stages(refresh.stages),
                }
            )

    return [staging_release, fidelity_report]


def check_results(found: Sequence[CheckResult]) -> Iterator[dg.AssetCheckResult]:
    """One result per name: failed when anything of that name failed, a warning when anything warned."""
    for name, about in CHECKS.items():
        own = [check for check in found if check.name == name]
        if not own:
            yield dg.AssetCheckResult(
                check_name=name, asset_key=RELEASE, passed=True, description=f"Nothing to check. {about}"
            )
            continue
        statuses = [check.status for check in own]
        failed, warned = statuses.count("fail"), statuses.count("warn")
        bad = failed or warned
        yield dg.AssetCheckResult(
            check_name=name,
            asset_key=RELEASE,
            passed=not bad,
            severity=dg.AssetCheckSeverity.ERROR if failed else dg.AssetCheckSeverity.WARN,
            description=f"{failed} failed, {warned} warned of {len(own)}. {about}" if bad else about,
            metadata=metadata.of_check(own),
        )
