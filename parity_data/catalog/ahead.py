"""Reading and working side by side."""

from __future__ import annotations

import threading
from collections.abc import Generator
from queue import SimpleQueue
from typing import TypeVar

_T = TypeVar("_T")


def ahead(batches: Generator[_T]) -> Generator[_T]:
    """The batches, the next of which is read while one is at work. At its end nobody reads any more."""
    asked: SimpleQueue[bool] = SimpleQueue()
    found: SimpleQueue[_T | BaseException | None] = SimpleQueue()

    def read() -> None:
        while asked.get():
            try:
                found.put(next(batches, None))
            except BaseException as error:
                found.put(error)

    # It must not keep the process from ending, however long a server takes.
    reading = threading.Thread(target=read, name=f"{threading.current_thread().name}-reads", daemon=True)
    reading.start()
    try:
        asked.put(True)
        while (batch := found.get()) is not None:
            if isinstance(batch, BaseException):
                raise batch
            asked.put(True)
            yield batch
    finally:
        asked.put(False)
        reading.join()
        batches.close()
