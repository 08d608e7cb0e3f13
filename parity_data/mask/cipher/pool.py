"""Things that are costly to make, and that one thread at a time may use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Pool(Generic[_T]):
    """As many things as threads have used at once. Safe to share between threads."""

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make = make
        self._free: list[_T] = []

    @contextmanager
    def one(self) -> Iterator[_T]:
        """One that no other thread has. After an exception it may be half done, so it does not come back."""
        try:
            thing = self._free.pop()
        except IndexError:
            thing = self._make()
        yield thing
        self._free.append(thing)
