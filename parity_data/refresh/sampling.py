"""The check of the sample, beside other work: it reads production only, while the target is busy."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from parity_data.catalog import Catalog, Name, Snapshot
from parity_data.catalog.arrow import ArrowReader, end_reading, open_readers
from parity_data.refresh.representative import check_sample, sampled_of
from parity_data.subset import Selection
from parity_data.verify.result import CheckResult


class Sampling:
    """Begins to check when it is made; ``close`` ends that early. connections: how many tables at once."""

    def __init__(
        self, snapshot: Snapshot, catalog: Catalog, selections: Mapping[Name, Selection], connections: int
    ) -> None:
        self._snapshot, self._catalog, self._selections = snapshot, catalog, selections
        self._connections = min(connections, len(sampled_of(selections)))
        self._ended = threading.Event()
        self._readers: list[ArrowReader] = []
        self._aside = ThreadPoolExecutor(1, thread_name_prefix="sample")
        self._found = self._aside.submit(self._check)

    def _check(self) -> list[CheckResult]:
        if not self._connections:
            return []
        snapshot = self._snapshot
        with open_readers(snapshot.database, snapshot.id, self._connections) as readers:
            self._readers += readers
            return check_sample(readers, self._catalog, self._selections, ended=self._ended)

    def result(self) -> list[CheckResult]:
        """What was found, when it is complete. Raises SourceError; Cancelled after ``close``."""
        return self._found.result()

    def close(self) -> None:
        """End it, if it has not ended, and wait until nothing of it reads production any more."""
        self._ended.set()
        end_reading(self._readers, [self._found])
        self._aside.shutdown()
