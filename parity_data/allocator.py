"""How the C library of this process keeps memory."""

from __future__ import annotations

import ctypes

#: Parameters of glibc's mallopt, from malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8


def one_pool() -> None:
    """Have all threads take memory from one place, which keeps what they free. For the start of a process.

    glibc has a place for each thread, and gives back what is free at its end: every batch of rows is then
    zeroed anew by the kernel, a second of a refresh, and what one thread has freed is of no use to others.
    https://www.gnu.org/software/libc/manual/html_node/Malloc-Tunable-Parameters.html
    """
    tune = getattr(ctypes.CDLL(None), "mallopt", None)
    if tune is not None:
        tune(_ARENA_MAX, 1)
        tune(_MMAP_THRESHOLD, 32 << 20)  # the largest that it takes
        tune(_TRIM_THRESHOLD, 512 << 20)
