"""Compiled passes over a whole picture or map: how often colours occur, means of brightness, which ids are in sight.

Integers only, so they give the same on every machine.
"""

import numba
import numpy as np
from numpy.typing import NDArray

from datagen.compiled import Kernels, integers

_TABLE_BITS = 16
"""Places for colours: four times as many as `count_colours` is ever shown pixels of."""
_MAX_ROWS = 257
"""As many 8-bit values add up to 16 bits."""
_EMPTY = 1 << 24
_SPREAD = 0x9E3779B1
"""2^32 over the golden ratio: multiplied by it, colours that differ little get places far apart (Knuth 1973, 6.4)."""


def count_colours(picture: NDArray[np.uint8], step: int) -> tuple[int, int, int]:
    """Return how many colours every `step`-th pixel of every `step`-th row of (H, W, 3) has, how many pixels the
    commonest has, and how many were looked at.

    At most 2^15 pixels may be looked at.
    """
    height, width = picture.shape[:2]
    if -(-height // step) * -(-width // step) > 1 << (_TABLE_BITS - 1):
        raise ValueError(f"step {step} is too small for {width}x{height}")
    num_colours, largest, looked = _KERNELS[_count_colours](picture, step)
    return int(num_colours), int(largest), int(looked)


def luma_means(picture: NDArray[np.uint8], factor: int, skip: int) -> NDArray[np.uint8]:
    """Return the mean luma (Rec. 601) of blocks of `factor` x `factor` pixels, (ceil(H / factor), ceil(W / factor)).

    Of each block every `skip`-th row is looked at, 257 at most; blocks at the right and lower edge may be smaller.
    """
    if -(-factor // skip) > _MAX_ROWS:
        raise ValueError(f"every {skip}. of {factor} rows are more than {_MAX_ROWS}")
    height, width = picture.shape[:2]
    means = np.empty((-(-height // factor), -(-width // factor)), dtype=np.uint8)
    _KERNELS[_luma_means](picture.reshape(height, 3 * width), means, factor, skip)
    return means


def in_sight(ids: NDArray[np.uint16], areas: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return for each of the ids 1..n whether it occurs in its area of a map (H, W), (n,).

    `areas` (n, 4) are left, top, right and bottom of the part of the map that an id may occur in.
    """
    found = np.zeros(len(areas), dtype=np.bool_)
    _KERNELS[_in_sight](ids, areas, found)
    return found


def _count_colours(picture: NDArray[np.uint8], step: int) -> tuple[int, int, int]:
    height, width = picture.shape[:2]
    mask = (1 << _TABLE_BITS) - 1
    colours = np.full(mask + 1, _EMPTY, np.int32)
    counts = np.zeros(mask + 1, np.int32)
    num_colours, largest, looked = 0, 0, 0
    last, place = -1, 0
    for y in range(0, height, step):
        for x in range(0, width, step):
            colour = int(picture[y, x, 0]) << 16 | int(picture[y, x, 1]) << 8 | int(picture[y, x, 2])
            if colour != last:
                last = colour
                place = ((colour * _SPREAD) & 0xFFFFFFFF) >> (32 - _TABLE_BITS)
                while colours[place] != _EMPTY and colours[place] != colour:
                    place = (place + 1) & mask
                if colours[place] == _EMPTY:
                    colours[place] = colour
                    num_colours += 1
            counts[place] += 1
            largest = max(largest, int(counts[place]))
            looked += 1
    return num_colours, largest, looked


def _luma_means(values: NDArray[np.uint8], means: NDArray[np.uint8], factor: int, skip: int) -> None:
    height, width = values.shape[0], values.shape[1] // 3
    num_rows, num_columns = means.shape
    sums = np.zeros(3 * width, np.uint16)
    for block_row in range(num_rows):
        first, last = block_row * factor, min(block_row * factor + factor, height)
        sums[:] = 0
        num_added = 0
        for y in range(first, last, skip):
            for at in range(3 * width):
                # Numba adds 32-bit integers as 64-bit ones, which are not vectorised; 16-bit ones are.
                sums[at] += np.uint16(values[y, at])
            num_added += 1
        for block_column in range(num_columns):
            left, right = block_column * factor, min(block_column * factor + factor, width)
            red, green, blue = 0, 0, 0
            for x in range(left, right):
                red += int(sums[3 * x])
                green += int(sums[3 * x + 1])
                blue += int(sums[3 * x + 2])
            num_pixels = num_added * (right - left)
            # Rec. 601 in 65536ths.
            weighted = red * 19595 + green * 38470 + blue * 7471
            means[block_row, block_column] = (weighted + 32768 * num_pixels) // (65536 * num_pixels)


def _in_sight(ids: NDArray[np.uint16], areas: NDArray[np.int32], found: NDArray[np.bool_]) -> None:
    for number in range(len(areas)):
        left, top, right, bottom = areas[number]
        # Most show in their first row.
        for y in range(top, bottom):
            for x in range(left, right):
                if ids[y, x] == number + 1:
                    found[number] = True
                    break
            if found[number]:
                break


_PICTURE = numba.types.Array(numba.uint8, 3, "C", readonly=True)
_VALUES = numba.types.Array(numba.uint8, 2, "C", readonly=True)
_PLANE = numba.types.Array(numba.uint8, 2, "C")
_IDS = numba.types.Array(numba.uint16, 2, "C")
_FLAGS = numba.types.Array(numba.boolean, 1, "C")
_KERNELS = Kernels(
    {
        _count_colours: integers(3)(_PICTURE, numba.int64),
        _luma_means: numba.void(_VALUES, _PLANE, numba.int64, numba.int64),
        _in_sight: numba.void(_IDS, numba.types.Array(numba.int32, 2, "C"), _FLAGS),
    }
)
