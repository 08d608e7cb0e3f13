"""The look between refreshes: drift of production and the reviewer's signature as asset checks."""

from __future__ import annotations

import dagster as dg

from parity_data.assets.build import build_definitions
from parity_data.assets.launch import run_refresh
from parity_data.assets.refreshes import Refreshes
from parity_data.assets.watch import JOB
from parity_data.refresh import RefreshRequest
from parity_data.refresh.review import review_release
from parity_data.settings import Settings


def look(settings: Settings) -> dict[str, dg.AssetCheckEvaluation]:
    """What the job found, by the check's name."""
    job = build_definitions(settings, Refreshes(lambda: settings)).resolve_job_def(JOB)
    with dg.instance_for_test() as instance:
        result = job.execute_in_process(instance=instance, raise_on_error=False)
        return {found.check_name: found for found in result.get_asset_check_evaluations()}


def test_drift_and_signature_are_seen_between_refreshes(shop_settings: Settings) -> None:
    outcome = run_refresh(shop_settings, RefreshRequest(fraction=0.2), home=shop_settings.dagster_home)
    assert outcome.error is None
    # Neither is part of a refresh: production is compared anyway, and nobody can have signed.
    assert {check.name for check in outcome.checks}.isdisjoint({"drift", "signed_off"})

    found = look(shop_settings)
    assert found["drift"].passed
    assert not found["signed_off"].passed
    assert "not reviewed" in (found["signed_off"].description or "")

    review_release(shop_settings, outcome.release, "approved", reviewer="anna", comment="read")
    with shop_settings.need_source().connect(autocommit=True) as production:
        production.execute("ALTER TABLE shop.flags ADD COLUMN owner text")
    found = look(shop_settings)
    assert found["signed_off"].passed
    assert not found["drift"].passed
    assert "owner" in (found["drift"].description or "")
