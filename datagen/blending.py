"""Laying colours over pixels: 8-bit integer arithmetic, rounded to nearest, the same on every machine.

Pixels are rows of (H, 3 * W) values, red, green and blue in turn: numpy is fast along a long last axis and slow along
one of three. What numpy would need several passes for is compiled.
"""

import numba
import numpy as np
from numba.extending import register_jitable
from numpy.typing import NDArray

from datagen.compiled import Kernels

Values = NDArray[np.uint8]


def row_of(colour: tuple[int, int, int], width: int) -> Values:
    """Return a row of `width` pixels of one colour, (3 * width,)."""
    return np.frombuffer(bytes(colour) * width, dtype=np.uint8)


def blend(below: Values, above: Values, alpha: Values | int) -> None:
    """Lay `above` over `below` (H, 3 * W), in place.

    `above` is (H, 3 * W) or one row (3 * W,), `alpha` 0..255 for each value (H, 3 * W) or for all.
    """
    rows = above if above.ndim == 2 else above[None]
    if isinstance(alpha, int):
        _KERNELS[_blend_evenly](below, rows, alpha)
    else:
        _KERNELS[_blend](below, rows, alpha)


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
    _KERNELS[_lay_rounded](below, above if above.ndim == 2 else above[None], corners)


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


# A sum s of 255ths, 0..255 * 255, is divided with rounding to nearest by t = s + 128, (t + t // 256) // 256.


@register_jitable
def _mixed(below: int, above: int, alpha: int) -> int:
    mixed = below * (255 - alpha) + above * alpha + 128
    return (mixed + (mixed >> 8)) >> 8


def _blend(below: Values, above: Values, alpha: Values) -> None:
    num_rows, num_values = below.shape
    step = 1 if above.shape[0] > 1 else 0
    for y in range(num_rows):
        for x in range(num_values):
            below[y, x] = _mixed(int(below[y, x]), int(above[step * y, x]), int(alpha[y, x]))


def _blend_evenly(below: Values, above: Values, alpha: int) -> None:
    num_rows, num_values = below.shape
    step = 1 if above.shape[0] > 1 else 0
    for y in range(num_rows):
        for x in range(num_values):
            below[y, x] = _mixed(int(below[y, x]), int(above[step * y, x]), alpha)


def _lay_rounded(below: Values, above: Values, corners: Values) -> None:
    num_rows, num_values = below.shape
    size, wide = corners.shape[0], 3 * corners.shape[0]
    step = 1 if above.shape[0] > 1 else 0
    right = num_values - wide
    for y in range(num_rows):
        if size <= y < num_rows - size:
            below[y] = above[step * y]
            continue
        row, side = (y, 0) if y < size else (y - (num_rows - size), 2 * wide)
        for x in range(wide):
            below[y, x] = _mixed(int(below[y, x]), int(above[step * y, x]), int(corners[row, side + x]))
        below[y, wide:right] = above[step * y, wide:right]
        for x in range(wide):
            alpha = int(corners[row, side + wide + x])
            below[y, right + x] = _mixed(int(below[y, right + x]), int(above[step * y, right + x]), alpha)


# Of any layout, so that parts of pictures need not be copied.
_PART = numba.types.Array(numba.uint8, 2, "A")
_GIVEN = numba.types.Array(numba.uint8, 2, "A", readonly=True)
_KERNELS = Kernels(
    {
        _blend: numba.void(_PART, _GIVEN, _GIVEN),
        _blend_evenly: numba.void(_PART, _GIVEN, numba.int64),
        _lay_rounded: numba.void(_PART, _GIVEN, _GIVEN),
    }
)
