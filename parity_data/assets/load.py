"""The stage in which rows move: every table, masked, into the next release."""

# No postponed annotations: Dagster reads those of an asset's parameters as they stand.

from collections.abc import Iterator
from contextlib import closing

import dagster as dg

from parity_data.assets import metadata
from parity_data.assets.decisions import POOL
from parity_data.assets.keys import table_key
from parity_data.assets.refreshes import Refreshes
from parity_data.assets.tables import ROW_COUNT, Known
from parity_data.errors import Cancelled, CheckFailed, ConfigError, ParityError
from parity_data.refresh import Refresh
from parity_data.transfer import TableSent

Result = dg.MaterializeResult[None]


def load_assets(known: Known) -> list[dg.AssetsDefinition]:
    """One step for all tables, two assets for each. None when no rules were loaded."""
    if not known.tables:
        return []

    @dg.multi_asset(
        name="staging_tables",
        specs=list(known.specs()),
        check_specs=list(known.checks()),
        can_subset=True,
        pool=POOL,
        description="Sends every table through masking into a new database, several at a time.",
    )
    def staging_tables(
        context: dg.AssetExecutionContext, refreshes: dg.ResourceParam[Refreshes]
    ) -> Iterator[Result]:
        with refreshes.stage(context):
            refresh = refreshes.refresh(context)
            if context.selected_asset_keys != known.keys:
                raise ConfigError(
                    "Only some tables are selected, and a release is one consistent whole.",
                    todo="Launch the job refresh_staging.",
                )
            refresh.prepare()
            errors: list[ParityError] = []
            # Closed at once when the run is cancelled while a result is handed over: no worker outlives it.
            with closing(refresh.send_rows()) as tables:
                for sent in tables:
                    if sent.error is not None:
                        errors.append(sent.error)
                        continue
                    refresh.log.info("%s: %s rows, %.1f s", sent.table, f"{sent.rows:,}", sent.seconds)
                    if table_key("staging", sent.table) in known.keys:
                        yield from _results(refresh, sent)
            _raise_first(errors)
            _raise_short(refresh)

    return [staging_tables]


def _results(refresh: Refresh, sent: TableSent) -> Iterator[Result]:
    table = refresh.catalog.tables[sent.table]
    chosen = refresh.selections[sent.table]
    columns = metadata.of_table(
        table, refresh.masks.get(sent.table, {}), refresh.policy.columns.get(sent.table, {})
    )
    rows = {
        "dagster/row_count": dg.MetadataValue.int(sent.rows),
        "rows in production": dg.MetadataValue.int(chosen.total),
        "rows planned": dg.MetadataValue.int(chosen.rows),
        "rows sent": dg.MetadataValue.int(sent.rows),
        "seconds": dg.MetadataValue.float(round(sent.seconds, 3)),
    }
    yield dg.MaterializeResult(asset_key=table_key("scrubbed", sent.table), metadata={**columns, **rows})
    yield dg.MaterializeResult(
        asset_key=table_key("staging", sent.table),
        metadata={
            "dagster/table_name": dg.MetadataValue.text(str(sent.table)),
            **columns,
            **metadata.of_lineage(table),
            **rows,
        },
        check_results=[
            dg.AssetCheckResult(
                check_name=ROW_COUNT,
                asset_key=table_key("staging", sent.table),
                passed=sent.rows == chosen.rows,
                description=f"{sent.rows:,} rows sent, {chosen.rows:,} planned.",
                metadata={"value": sent.rows, "bound": chosen.rows},
            )
        ],
    )


def _raise_first(errors: list[ParityError]) -> None:
    """Raise what went wrong first; the tables that stopped because of it say only that they stopped."""
    for error in sorted(errors, key=lambda error: isinstance(error, Cancelled)):
        raise error


def _raise_short(refresh: Refresh) -> None:
    short = [name for name, sent in refresh.sent.items() if sent.rows != refresh.selections[name].rows]
    if short:
        raise CheckFailed(
            f"{len(short)} table(s) did not get the rows that were planned, first {short[0]}.",
            todo="Staging still serves the old release.",
        )
