"""What the command line writes into Dagster's history, any other process of Dagster reads."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
from dagster._core.instance.ref import InstanceRef

from parity_data.assets.history import EventLog, event_log

KEY = dg.AssetKey("asset")


def open_instance(home: Path, **overrides: object) -> dg.DagsterInstance:
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home), overrides=overrides))


def test_events_are_read_by_dagster_s_own_event_log(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    with open_instance(tmp_path, **event_log(tmp_path)) as instance:
        assert isinstance(instance.event_log_storage, EventLog)
        for number in range(3):
            instance.report_runless_asset_event(dg.AssetMaterialization(KEY, metadata={"number": number}))
    with open_instance(tmp_path) as instance:
        assert not isinstance(instance.event_log_storage, EventLog)
        records = instance.fetch_materializations(KEY, limit=10).records
        found = [r.asset_materialization.metadata["number"].value for r in records if r.asset_materialization]
        assert found == [2, 1, 0]


def test_a_history_that_is_kept_elsewhere_stays_there(tmp_path: Path) -> None:
    place = tmp_path / "elsewhere"
    said = f"storage: {{sqlite: {{base_dir: '{place}'}}}}\n"
    (tmp_path / "dagster.yaml").write_text(said, encoding="utf-8")
    assert event_log(tmp_path) == {}
    with open_instance(tmp_path, **event_log(tmp_path)) as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization(KEY))
        assert instance.get_latest_materialization_event(KEY) is not None
    assert (place / "history" / "runs" / "index.db").exists()
    assert not (tmp_path / "history" / "runs" / "index.db").exists()
