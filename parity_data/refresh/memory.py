"""Memory that allocators keep for later, given back between stages that need it for other things."""

from __future__ import annotations

import ctypes

import pyarrow as pa


def give_back() -> None:
    """Return what is free to the operating system, as far as Arrow and the C library know how to."""
    pa.default_memory_pool().release_unused()
    # Of glibc alone: other C libraries keep little.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
