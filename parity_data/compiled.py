"""Functions compiled to machine code by Numba, kept on disk between runs.

The compiled code lies beside the source file, or where that may not be written in the user's cache folder, or
in NUMBA_CACHE_DIR where that is set; where nothing can be written it is made anew in every process.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import llvmlite.binding
import numba
from llvmlite import ir
from numba import types
from numba.core.errors import NumbaWarning
from numba.extending import intrinsic

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


@compiled
def _nothing() -> None:
    pass


def warm_up() -> None:
    """Have done what the first call of any compiled function does once; half a second, mostly of imports."""
    _nothing()


def function_of(library: ctypes.CDLL, name: str, signature: Any) -> Any:
    """A function of a library for compiled code, which is kept on disk and finds it by its name."""
    symbol = f"parity_data_{name}"
    llvmlite.binding.add_symbol(symbol, ctypes.cast(getattr(library, name), ctypes.c_void_p).value)
    return types.ExternalFunction(symbol, signature)


#: C's memcpy for compiled code: address of what to fill, address of the source, bytes.
copy_bytes = function_of(ctypes.CDLL(None), "memcpy", types.intp(types.intp, types.intp, types.uintp))


def _loader(bits: int, kind: Any) -> Any:
    def load(typing_context: Any, address: Any) -> Any:
        def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pointer = builder.inttoptr(arguments[0], ir.IntType(bits).as_pointer())
            return builder.load(pointer, align=1)

        return kind(types.intp), make

    return intrinsic(load)


def _storer(bits: int, kind: Any) -> Any:
    def store(typing_context: Any, address: Any, value: Any) -> Any:
        def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pointer = builder.inttoptr(arguments[0], ir.IntType(bits).as_pointer())
            builder.store(arguments[1], pointer, align=1)
            return context.get_dummy_value()

        return types.void(types.intp, kind), make

    return intrinsic(store)


def _counter(name: str) -> Any:
    def count(typing_context: Any, number: Any) -> Any:
        def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            # Zero is no exception: it has 64 of them.
            known = [ir.Constant(ir.IntType(1), 0)] if name == "cttz" else []
            return getattr(builder, name)(*arguments, *known)

        return types.int64(types.uint64), make

    return intrinsic(count)


@intrinsic
def _upper_half(typing_context: Any, one: Any, other: Any) -> Any:
    def make(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wide = [builder.zext(argument, ir.IntType(128)) for argument in arguments]
        product = builder.lshr(builder.mul(*wide), ir.Constant(ir.IntType(128), 64))
        return builder.trunc(product, ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), make


# What follows becomes part of what is compiled elsewhere, which is not made anew when this changes.

#: For compiled code: the byte at an address, and four and eight as one number. They need not be aligned.
byte_at: Any = _loader(8, types.uint8)
half_at: Any = _loader(32, types.uint32)
word_at: Any = _loader(64, types.uint64)
#: The same for writing: address, number.
put_byte: Any = _storer(8, types.uint8)
put_half: Any = _storer(32, types.uint32)
put_word: Any = _storer(64, types.uint64)
#: Of 64 bits: how many are zero below the lowest that is set, and how many are set.
low_zeros: Any = _counter("cttz")
set_bits: Any = _counter("ctpop")
#: The upper 64 of the 128 bits of a product of two unsigned numbers.
upper_half: Any = _upper_half
