"""Compiling a loop to machine code with numba, when it is first run."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import numba


class Kernels(dict[Callable[..., Any], Callable[..., Any]]):
    """The compiled form of each kernel in a table of signatures, made when it is first asked for.

    Machine code is kept beside the kernel's file, or in numba's folder for the user, so only a machine's first process
    compiles it; where no folder can be written, each process does.
    """

    # A dict keyed by the kernel alone: numba's signatures take longer to hash than most of these loops take to run.

    def __init__(self, signatures: Mapping[Callable[..., Any], Any]) -> None:
        super().__init__()
        self._signatures = signatures

    def __missing__(self, kernel: Callable[..., Any]) -> Callable[..., Any]:
        signature = self._signatures[kernel]
        try:
            made = numba.njit(signature, cache=True, nogil=True)(kernel)
        except (RuntimeError, OSError):  # no folder can be written, or the disk is full
            made = numba.njit(signature, nogil=True)(kernel)
        self[kernel] = cast(Callable[..., Any], made)
        return self[kernel]


def integers(count: int) -> Any:
    """Return numba's type of a tuple of `count` integers."""
    return numba.types.UniTuple(numba.int64, count)  # type: ignore[no-untyped-call]
