"""How allocators keep memory: for what comes next, and given back between stages that need it elsewhere."""

from __future__ import annotations

import ctypes

import pyarrow as pa

#: Parameters of glibc's mallopt, from malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8


def pool() -> None:
    """Have all threads of this process take memory from one place, which keeps what they free.

    glibc has one for each thread, and gives back what is free at its end: every batch of rows is then zeroed
    anew by the kernel, a second of a refresh, and what one thread has freed is of no use to the others.
    https://www.gnu.org/software/libc/manual/html_node/Malloc-Tunable-Parameters.html
    """
    tune = getattr(ctypes.CDLL(None), "mallopt", None)
    if tune is not None:
        tune(_ARENA_MAX, 1)
        tune(_MMAP_THRESHOLD, 32 << 20)  # the largest that it takes
        tune(_TRIM_THRESHOLD, 512 << 20)


def give_back() -> None:
    """Return what is free to the operating system, as far as Arrow and the C library know how to."""
    pa.default_memory_pool().release_unused()
    # Of glibc alone: other C libraries keep little.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
