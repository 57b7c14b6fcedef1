"""Functions that the walk over pixels calls often."""

from collections.abc import Callable
from typing import Any

import numba.extending


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a function that kernels call often: as a call it would be handed every word that describes every array."""
    marked: Callable[..., Any] = numba.extending.register_jitable(forceinline=True)(function)
    return marked
