"""Laying colours over pixels: 8-bit integer arithmetic, rounded to nearest, the same on every machine.

Pixels are rows of (H, 3 * W) values, red, green and blue in turn: numpy is fast along a long last axis and slow along
one of three.
"""

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.uint8]

_ROWS = 64
"""How many rows are mixed at a time, so that what is in between stays in the processor's cache."""


def row_of(colour: tuple[int, int, int], width: int) -> Values:
    """Return a row of `width` pixels of one colour, (3 * width,)."""
    return np.frombuffer(bytes(colour) * width, dtype=np.uint8)


def blend(below: Values, above: Values, alpha: Values | int) -> None:
    """Lay `above` over `below` (H, 3 * W), in place.

    `above` is (H, 3 * W) or one row (3 * W,), `alpha` 0..255 for each value (H, 3 * W) or for all.
    """
    for first in range(0, below.shape[0], _ROWS):
        rows = slice(first, first + _ROWS)
        _blend(below[rows], above if above.ndim == 1 else above[rows], alpha if isinstance(alpha, int) else alpha[rows])


def spread(coverage: Values) -> Values:
    """Return a value for each of red, green and blue, (H, 3 * W), of a coverage (H, W) or (H, W, 3)."""
    height, width = coverage.shape[:2]
    if coverage.ndim == 3:
        return np.ascontiguousarray(coverage).reshape(height, 3 * width)
    wide = np.empty((height, width, 3), dtype=np.uint8)
    # Three strided copies take a third of the time of one broadcast along an axis of three.
    wide[:, :, 0] = coverage
    wide[:, :, 1] = coverage
    wide[:, :, 2] = coverage
    return wide.reshape(height, 3 * width)


def _blend(below: Values, above: Values, alpha: Values | int) -> None:
    if isinstance(alpha, int):
        total = below.astype(np.uint16)
        total *= 255 - alpha
        total += np.multiply(above, alpha, dtype=np.uint16)
    else:
        weight = alpha.astype(np.uint16)
        part = weight * above
        np.subtract(255, weight, out=weight)
        weight *= below
        weight += part
        total = weight
    # Exactly the nearest integer to total / 255 for all that 8 bits can give (Blinn 1995), and all of it in 16 bits.
    total += 128
    total += np.right_shift(total, 8, dtype=np.uint16)
    total >>= 8
    below[:] = total
