"""Compiling Python loops over arrays for the CPU."""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numba
from numba.core.caching import FunctionCache

_Stamp = tuple[tuple[str, int, int], ...]


@functools.cache
def compile_kernel(
    kernel: Callable[..., Any], *, fast_math: bool = False, makes_arrays: bool = True
) -> Callable[..., Any]:
    """Compile a kernel on first use; kept on disk where numba finds a writable folder with room.

    `fast_math` lets sums be taken in any order, so it is for floats that no other machine has to reproduce. A kernel
    that makes no arrays may say so: numba otherwise counts a reference at every use of an array that comes in a tuple,
    and looks for divisions by 0, which can take most of the time of integers' loops.
    """
    options: dict[str, Any] = {} if makes_arrays else {"_nrt": False, "error_model": "numpy"}
    compiled: Any = numba.njit(nogil=True, fastmath=fast_math, **options)(kernel)
    try:
        compiled._cache = _Cache(compiled.py_func)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        return cast(Callable[..., Any], compiled)

    def run(*arguments: Any) -> Any:
        try:
            return compiled(*arguments)
        except OSError:
            # The disk is full: the kernel is compiled, only its cache file could not be written.
            return compiled(*arguments)

    return run


class _Cache(FunctionCache):
    """numba's cache on disk, thrown away when any file changes that a kernel may take functions or constants from.

    numba itself looks only at the kernel's own file: a decoder could then run a kernel made from yesterday's helpers.
    """

    def __init__(self, py_func: Callable[..., Any]) -> None:
        super().__init__(py_func)  # type: ignore[no-untyped-call]
        stamp = (self._impl.locator.get_source_stamp(), _stamp_of(Path(inspect.getfile(py_func)).parent))
        self._cache_file._source_stamp = stamp


@functools.cache
def _stamp_of(folder: Path) -> _Stamp:
    """Return name, time of change and size of every module in a kernel's folder and in the codecs' own."""
    files = sorted({*folder.glob("*.py"), *Path(__file__).parent.glob("*.py")})
    return tuple((str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in files)
