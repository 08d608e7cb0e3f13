"""Dagster's history in SQLite files, for the process of the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._serdes import ConfigurableClassData
from sqlalchemy import create_engine
from sqlalchemy.engine import Connection, Engine

_STORAGE = ("storage", "run_storage", "event_log_storage", "schedule_storage")


class EventLog(SqliteEventLogStorage):
    """Dagster's event log, which keeps the engine of each file that it has opened.

    Dagster makes a new one for every event, so SQLAlchemy works out each statement anew: 15 ms for an event
    instead of 9, and there are some hundred in a refresh of 25 tables. The files are the same, and open to
    the UI.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, Engine] = {}
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> EventLog:
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engines.get(shard)
            if engine is None:
                address = self.conn_string_for_shard(shard)
                engine = create_engine(address, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS})
                self._initdb(engine)
                self._engines[shard] = engine
            with engine.begin() as connection:
                yield connection

    def dispose(self) -> None:
        super().dispose()
        while self._engines:
            self._engines.popitem()[1].dispose()


def event_log(home: Path) -> dict[str, Any]:
    """What an instance's settings say of it; empty where dagster.yaml keeps the history elsewhere.

    home: Dagster's folder. Raises OSError and yaml.YAMLError.
    """
    said = yaml.safe_load((home / "dagster.yaml").read_text(encoding="utf-8")) or {}
    if any(said.get(name) for name in _STORAGE):
        return {}
    folder = {"base_dir": str(home / "history" / "runs")}
    return {"event_log_storage": {"module": __name__, "class": EventLog.__name__, "config": folder}}
