"""Compiling Python loops over arrays for the CPU."""

import functools
from collections.abc import Callable
from typing import Any, cast

import numba


@functools.cache
def compile_kernel(kernel: Callable[..., Any], *, fast_math: bool = False) -> Callable[..., Any]:
    """Compile a kernel on first use; kept on disk where numba finds a writable folder with room.

    `fast_math` lets sums be taken in any order, so it is for floats that no other machine has to reproduce.
    """
    try:
        compiled: Callable[..., Any] = numba.njit(cache=True, nogil=True, fastmath=fast_math)(kernel)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        return cast(Callable[..., Any], numba.njit(nogil=True, fastmath=fast_math)(kernel))

    def run(*arguments: Any) -> Any:
        try:
            return compiled(*arguments)
        except OSError:
            # The disk is full: the kernel is compiled, only its cache file could not be written.
            return compiled(*arguments)

    return run
