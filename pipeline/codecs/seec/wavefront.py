"""The order in which pixels are coded: a wavefront that moves two columns for each row.

Pixel (row r, column c) of a field is coded in step 2 r + c; whatever it sees has an earlier step, so all pixels of a
step, in all fields at once, are predicted together. Source: SEEC, arXiv:2509.07704, and its parent DLPR
(arXiv:2102.10567), where a patch of P x P takes 3 P - 2 steps.

A *field* is a piece of the picture whose pixels see no others: a patch of 64x64, or a whole picture's band of rows
(which also sees the rows above it).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int32]

TAPS: tuple[tuple[int, int], ...] = (
    *((-3, column) for column in range(-3, 4)),
    *((-2, column) for column in range(-3, 4)),
    *((-1, column) for column in range(-3, 2)),
    *((0, column) for column in range(-3, 0)),
)
"""(row, column) of the 22 neighbours that a pixel sees: 2 row + column <= -1."""
REACH = 3
"""Rows above, and columns on either side, that the taps reach."""


def num_steps(height: int, width: int) -> int:
    """Return the number of steps of a field: 190 for 64x64."""
    return 2 * (height - 1) + width


def steps(height: int, width: int) -> Iterator[tuple[Rows, Rows]]:
    """Yield (rows, columns) of each step's pixels, top row first."""
    for step in range(num_steps(height, width)):
        first = max(0, -((width - 1 - step) // 2))  # column = step - 2 row is at most width - 1
        last = min(height - 1, step // 2)
        rows = np.arange(first, last + 1, dtype=np.int32)
        yield rows, step - 2 * rows
