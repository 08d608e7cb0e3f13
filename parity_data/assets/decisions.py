"""The first stages: what production is, which columns are masked, which rows go."""

# No postponed annotations: Dagster reads those of an asset's parameters as they stand.

from collections.abc import Iterator

import dagster as dg

from parity_data.assets import metadata
from parity_data.assets.config import RefreshConfig
from parity_data.assets.keys import CATALOG, PII_MAP, RELEASE, SUBSET_KEYS
from parity_data.assets.refreshes import Refreshes
from parity_data.assets.tables import Known
from parity_data.catalog import Name
from parity_data.errors import ConfigError, RulesError
from parity_data.refresh.cover import CHECK as COVERED

#: The pool that every step takes, so that two refreshes never work at once.
POOL = "staging"


def decision_assets(known: Known, problem: str | None) -> list[dg.AssetsDefinition]:
    """The assets before the first row moves. problem: why the rules could not be loaded, if so."""

    @dg.asset(
        key=CATALOG,
        group_name="production",
        kinds={"postgres"},
        pool=POOL,
        description="What production is, read in one snapshot that stays open until the run ends.\n\n"
        "Settings, the request, both servers and the rules are checked here, and the lock on staging is "
        "taken, before anything is touched." + (f"\n\n**Problem:** {problem}" if problem else ""),
    )
    def production_catalog(
        context: dg.AssetExecutionContext, config: RefreshConfig, refreshes: dg.ResourceParam[Refreshes]
    ) -> dg.MaterializeResult[None]:
        with refreshes.stage(context):
            request = config.request(context.run)
            _refuse_part(context, known)
            refresh = refreshes.start(context, request)
            catalog = refresh.open()
            return dg.MaterializeResult(
                metadata={
                    "release": dg.MetadataValue.text(refresh.release_id),
                    "fraction": dg.MetadataValue.float(float(refresh.fraction)),
                    "mode": dg.MetadataValue.text(request.mode),
                    "source": dg.MetadataValue.text(refresh.settings.need_source().display),
                    "target": dg.MetadataValue.text(refresh.settings.need_target().display),
                    "snapshot taken at": dg.MetadataValue.timestamp(refresh.snapshot.taken_at),
                    **metadata.of_catalog(catalog),
                }
            )

    @dg.asset(
        key=PII_MAP,
        deps=[CATALOG],
        group_name="decisions",
        kinds={"yaml"},
        pool=POOL,
        check_specs=[
            dg.AssetCheckSpec(
                COVERED,
                asset=PII_MAP,
                blocking=True,
                description="Every column of production has a rule, every rule points at a column, and "
                "nothing has changed since the rules were accepted.",
            )
        ],
    )
    def pii_map(
        context: dg.AssetExecutionContext, refreshes: dg.ResourceParam[Refreshes]
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
        """The mask of every column, from the committed rules.

        A column that the rules do not mention, or that changed since they were accepted, stops the run here,
        named, with the lines to add; or it is masked with the safest masker where the policy says so.
        """
        with refreshes.stage(context):
            refresh = refreshes.refresh(context)
            try:
                masks = refresh.map_pii()
            except RulesError as error:
                yield dg.AssetCheckResult(
                    check_name=COVERED, asset_key=PII_MAP, passed=False, description=str(error)
                )
                raise
            masked = {item.problem.table for item in refresh.covered.undecided}
            stored = {name for name, t in refresh.catalog.tables.items() if t.stored_columns}
            _refuse_stale(known, stored - masked)
            found = refresh.covered.checks()
            yield dg.MaterializeResult(
                metadata=metadata.of_decisions(refresh.policy, refresh.covered.decisions, masks)
            )
            yield dg.AssetCheckResult(
                check_name=COVERED,
                asset_key=PII_MAP,
                passed=all(check.status == "pass" for check in found),
                severity=dg.AssetCheckSeverity.WARN,
                description=found[0].message,
                metadata=metadata.of_check(found),
            )

    @dg.asset(key=SUBSET_KEYS, deps=[PII_MAP], group_name="decisions", kinds={"polars"}, pool=POOL)
    def subset_keys(
        context: dg.AssetExecutionContext, refreshes: dg.ResourceParam[Refreshes]
    ) -> dg.MaterializeResult[None]:
        """Which rows go: roots by keyed hash, rows below them with their owner, references completed.

        Only keys are read for this.
        """
        with refreshes.stage(context):
            return dg.MaterializeResult(
                metadata=metadata.of_selections(refreshes.refresh(context).choose_rows())
            )

    return [production_catalog, pii_map, subset_keys]


def _refuse_part(context: dg.AssetExecutionContext, known: Known) -> None:
    """Refuse a selection of some tables before anything is touched: a release is one consistent whole."""
    selected = context.run.asset_selection
    if selected is None:
        return
    whole = known.keys | {RELEASE}
    chosen = whole & selected
    if chosen and chosen != whole:
        raise ConfigError(
            f"{len(chosen)} of the {len(whole)} assets that make a release are selected, and a release is "
            "one consistent whole: all tables, from one snapshot.",
            todo="Launch the job refresh_staging, or select every table together with staging_release.",
        )


def _refuse_stale(known: Known, tables: set[Name]) -> None:
    missing = sorted(str(name) for name in tables - set(known.tables))
    if missing:
        raise RulesError(
            f"The rules have changed since Dagster loaded them: {', '.join(missing[:5])} came in.",
            todo="Reload the code location 'parity' on Dagster's deployment page and start again.",
        )
