"""How the process of a verb is set up: one pool of memory for all threads, no cycles looked for in vain."""

from __future__ import annotations

import ctypes
import gc
import subprocess
import sys

import pytest

from parity_data.commands._common import imports

#: Allocates in several threads at once, then says in how many places glibc keeps memory.
_PLACES = """
import ctypes, os, sys, tempfile, threading
from parity_data.allocator import one_pool
if sys.argv[1] == "pooled":
    one_pool()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.fdopen.restype = ctypes.c_void_p, ctypes.c_void_p
together = threading.Barrier(4)
def take():
    together.wait()
    libc.malloc(10_000)
    together.wait()
threads = [threading.Thread(target=take) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
with tempfile.TemporaryFile() as file:
    stream = ctypes.c_void_p(libc.fdopen(os.dup(file.fileno()), b"w"))
    libc.malloc_info(0, stream)
    libc.fclose(stream)
    file.seek(0)
    print(file.read().count(b"<heap nr="))
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_info"), reason="the C library is not glibc")
def test_threads_take_memory_from_one_place() -> None:
    def places(how: str) -> int:
        command = [sys.executable, "-c", _PLACES, how]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert places("pooled") == 1
    assert places("as it is") > 1


def test_what_is_imported_is_left_out_of_the_look_for_cycles() -> None:
    try:
        with imports():
            made: list[list[int]] = [[]]
            assert not gc.isenabled()
        assert not any(found is made for found in gc.get_objects())
        with pytest.raises(ImportError), imports():
            raise ImportError
        assert gc.isenabled()
    finally:
        gc.unfreeze()
