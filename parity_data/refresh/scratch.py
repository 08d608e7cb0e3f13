"""A run's private folder inside the work folder: made, locked while the run lives, removed with it."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "run-"


@contextmanager
def scratch(work: Path, release: str) -> Iterator[Path]:
    """A folder for the schema archive; it never holds a row."""
    work.mkdir(parents=True, exist_ok=True)
    folder, lock = _locked(work, release)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _locked(work: Path, release: str) -> tuple[Path, int]:
    """A new folder and its lock. One that another run took for a dead one's is made again."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{release}-", dir=work))
        try:
            lock = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:
            continue
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return folder, lock
        os.close(lock)


def clear_scratch(work: Path) -> list[str]:
    """Remove the folders of runs that died: nobody holds their lock. Returns their names."""
    removed = []
    for folder in sorted(work.glob(f"{_PREFIX}*")):
        try:
            lock = os.open(folder, os.O_RDONLY)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
            removed.append(folder.name)
        except BlockingIOError:
            pass
        finally:
            os.close(lock)
    return removed
