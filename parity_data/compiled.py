"""Functions compiled to machine code by Numba, kept on disk between runs.

The compiled code lies beside the source file, or where that may not be written in the user's cache folder, or
in NUMBA_CACHE_DIR where that is set; where nothing can be written it is made anew in every process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.errors import NumbaWarning
from numba.extending import intrinsic

_P = ParamSpec("_P")
_R = TypeVar("_R")

Bytes = npt.NDArray[np.uint8]


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


def _make_copy(context: Any, to: Any, at: Any, source: Any, start: Any, count: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _byte_of(context, builder, signature, arguments, 2)
        copy: Any = cgutils.raw_memcpy
        copy(builder, _byte_of(context, builder, signature, arguments, 0), place, arguments[4], 1)
        return context.get_dummy_value()

    return types.void(to, types.int64, source, types.int64, types.int64), generate


def _make_load(context: Any, data: Any, at: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _byte_of(context, builder, signature, arguments, 0)
        return builder.load(builder.bitcast(place, ir.IntType(64).as_pointer()), align=1)

    return types.uint64(data, types.int64), generate


def _byte_of(context: Any, builder: Any, signature: Any, arguments: Any, array: int) -> Any:
    """Where the byte lies whose array and index are these two arguments."""
    found = context.make_array(signature.args[array])(context, builder, arguments[array])
    return builder.gep(found.data, [arguments[array + 1]])


_copy_bytes: Any = intrinsic(_make_copy)
_word_at: Any = intrinsic(_make_load)


@compiled
def copy_bytes(to: Bytes, at: int, source: Bytes, start: int, count: int) -> None:
    """Copy bytes between two arrays, for compiled code: a loop takes several times as long."""
    _copy_bytes(to, at, source, start, count)


@compiled
def word_at(data: Bytes, at: int) -> np.uint64:
    """Eight bytes from any place as a number in the machine's order, for compiled code."""
    return _word_at(data, at)  # type: ignore[no-any-return]
