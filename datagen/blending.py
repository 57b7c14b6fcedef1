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


def lay_rounded(below: Values, above: Values, corners: Values) -> None:
    """Lay `above`, of one colour (3 * W,) or (H, 3 * W), over all of `below` except what its four corners leave out.

    `corners` (size, 4 * 3 * size) is the coverage of the upper left, upper right, lower left and lower right one.
    """
    size = corners.shape[0]
    kept = _corners_of(below, size)
    over = np.concatenate([above[: 3 * size]] * 4) if above.ndim == 1 else _corners_of(above, size)
    below[:] = above
    blend(kept, over, corners)
    _put_corners(below, kept, size)


def lay_outline(below: Values, row: Values, corners: Values, thickness: int) -> None:
    """Draw a border of one colour, `row` (3 * W,), inside `below`; `corners` as for `lay_rounded`."""
    size = corners.shape[0]
    middle = slice(3 * size, below.shape[1] - 3 * size)
    below[:thickness, middle] = row[middle]
    below[-thickness:, middle] = row[middle]
    below[size:-size, : 3 * thickness] = row[: 3 * thickness]
    below[size:-size, -3 * thickness :] = row[: 3 * thickness]
    kept = _corners_of(below, size)
    blend(kept, np.concatenate([row[: 3 * size]] * 4), corners)
    _put_corners(below, kept, size)


def _corners_of(values: Values, size: int) -> Values:
    wide = 3 * size
    top, bottom = values[:size], values[-size:]
    return np.concatenate([top[:, :wide], top[:, -wide:], bottom[:, :wide], bottom[:, -wide:]], axis=1)


def _put_corners(values: Values, corners: Values, size: int) -> None:
    wide = 3 * size
    values[:size, :wide] = corners[:, :wide]
    values[:size, -wide:] = corners[:, wide : 2 * wide]
    values[-size:, :wide] = corners[:, 2 * wide : 3 * wide]
    values[-size:, -wide:] = corners[:, 3 * wide :]


def _blend(below: Values, above: Values, alpha: Values | int) -> None:
    change = np.subtract(above, below, dtype=np.int32)
    change *= alpha
    # Floor division, so adding half of 255 first gives the nearest integer for changes of either sign.
    change += 127
    change //= 255
    np.add(below, change, out=below, casting="unsafe")
