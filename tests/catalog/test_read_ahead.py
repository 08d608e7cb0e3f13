"""The next batch is read while one is at work, and never after the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator

import pytest

from parity_data.catalog.ahead import ahead as read_ahead


class Batches:
    """Gives numbers in place of batches, slowly, and tells whether somebody is waiting for one."""

    def __init__(self, count: int, error: BaseException | None = None) -> None:
        self.count, self.error = count, error
        self.given = 0
        self.closed = self.being_read = False
        self.asked = threading.Semaphore(0)

    def read(self) -> Generator[int]:
        try:
            for number in range(self.count):
                self.asked.release()
                self.being_read = True
                time.sleep(0.02)
                self.being_read = False
                self.given += 1
                yield number
            if self.error is not None:
                raise self.error
        finally:
            self.closed = True


def ahead(batches: Batches) -> Generator[int]:
    return read_ahead(batches.read())


def test_every_batch_comes_once_and_in_order() -> None:
    batches = Batches(20)
    assert list(ahead(batches)) == list(range(20))
    assert batches.closed
    assert list(ahead(Batches(0))) == []


def test_the_next_is_read_while_one_is_at_work() -> None:
    batches = Batches(3)
    reading = ahead(batches)
    assert next(reading) == 0
    # Nobody has asked for the second here.
    assert batches.asked.acquire(timeout=10)
    assert batches.asked.acquire(timeout=10)
    reading.close()


def test_an_error_comes_behind_the_batches_before_it() -> None:
    batches = Batches(2, KeyError("gone"))
    found: list[int] = []
    with pytest.raises(KeyError, match="gone"):
        found.extend(ahead(batches))
    assert found == [0, 1]
    assert batches.closed


def test_who_leaves_early_finds_nobody_reading() -> None:
    for at in range(4):
        batches = Batches(10)
        reading = ahead(batches)
        for _ in range(at + 1):
            next(reading)
        reading.close()
        assert batches.closed
        assert not batches.being_read
        assert batches.given <= at + 2
