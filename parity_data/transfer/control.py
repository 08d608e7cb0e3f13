"""What the thread that watches over a load shares with its workers: stop, pause, and how far they are."""

from __future__ import annotations

import threading
import time

from parity_data.errors import Cancelled


class Control:
    """Workers call ``passed`` for every batch; whoever watches calls ``stop``, ``pause`` and ``go_on``.

    expected: bytes of production's tables that will be read, in proportion to the rows chosen.
    """

    def __init__(self, expected: float = 0) -> None:
        self._stop = threading.Event()
        self._go = threading.Event()
        self._go.set()
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self._paused = 0.0
        self.expected = expected
        self.rows = 0
        self.bytes = 0.0
        self.retries = 0

    def stop(self) -> None:
        """Make every worker end at its next batch."""
        self._stop.set()
        self._go.set()

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def pause(self) -> None:
        """Hold every worker at its next batch."""
        if self._go.is_set() and not self.stopped:
            self._paused = time.monotonic()
            self._go.clear()

    def go_on(self) -> None:
        """Let paused workers continue. The pause does not count for ``remaining``."""
        if not self._go.is_set():
            self._started += time.monotonic() - self._paused
            self._go.set()

    @property
    def paused(self) -> bool:
        return not self._go.is_set()

    def passed(self, rows: int, size: float) -> None:
        """Count a batch, and wait while paused. size: bytes in production. Raises Cancelled when stopped."""
        with self._lock:
            self.rows += rows
            self.bytes += size
        self._go.wait()
        self.check()

    def taken_back(self, rows: int, size: float) -> None:
        """Uncount what a lost connection lost."""
        with self._lock:
            self.rows -= rows
            self.bytes -= size
            self.retries += 1

    def check(self) -> None:
        """Raise Cancelled when stopped."""
        if self.stopped:
            raise Cancelled("The refresh was cancelled.")

    def sleep(self, seconds: float) -> None:
        """Sleep, but not longer than until ``stop``. Raises Cancelled then."""
        self._stop.wait(seconds)
        self.check()

    @property
    def remaining(self) -> float | None:
        """Seconds that are left at the speed so far, None while there is no telling."""
        if not self.bytes or not self.expected:
            return None
        spent = (self._paused if self.paused else time.monotonic()) - self._started
        return max(self.expected - self.bytes, 0) * spent / self.bytes

    def line(self) -> str:
        """How far the load is, for people."""
        text = f"{self.rows:,} rows, {self.bytes / 1e6:,.0f} of {self.expected / 1e6:,.0f} MB"
        left = self.remaining
        return text if left is None else f"{text}, {_clock(left)} left"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
