"""Functions compiled to machine code by Numba, kept on disk between runs.

The compiled code lies beside the source file, or where that may not be written in the user's cache folder, or
in NUMBA_CACHE_DIR where that is set; where nothing can be written it is made anew in every process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba
from numba.core.errors import NumbaWarning

_P = ParamSpec("_P")
_R = TypeVar("_R")


def compiled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile a function of arrays and numbers when it is first called. It does not hold the GIL.

    Integers wrap around and no index is checked, as in C: negative indices must not be used.
    """
    try:
        made = numba.njit(nogil=True, cache=True, boundscheck=False)(function)
    except (RuntimeError, NumbaWarning):
        # No folder for the cache can be written.
        made = numba.njit(nogil=True, boundscheck=False)(function)
    return cast(Callable[_P, _R], made)
