"""Settings of a small refresh: the demo shop, an empty staging, rules that keep every column."""

from __future__ import annotations

from pathlib import Path

import pytest

from parity_data.database import Database
from parity_data.refresh.scan import scan_source
from parity_data.secret import Secret
from parity_data.settings import Settings


@pytest.fixture
def shop_settings(shop_db: Database, target_db: Database, masking_key: Secret, tmp_path: Path) -> Settings:
    """A refresh that could start at once."""
    settings = Settings(
        source=shop_db,
        target=target_db,
        masking_key=masking_key,
        rules=tmp_path / "rules",
        work=tmp_path / "work",
        dagster_home=tmp_path / "home",
    )
    scan_source(settings, write=settings.rules, decide="keep")
    policy = settings.rules / "policy.yaml"
    policy.write_text(policy.read_text().replace("grace_seconds: 5", "grace_seconds: 0"))
    return settings
