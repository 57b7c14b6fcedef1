"""Luma planes, and their local means and variances under a Gaussian window, a strip of rows at a time.

Planes are float32 so that two of 7680x4320 take 265 MB; all sums are float64, over strips, so that nothing else grows
with the height of the picture.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.formats.picture import Pixels

Plane = NDArray[np.floating[Any]]
Array = NDArray[np.float64]

STRIP_PIXELS = 1 << 19


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Weighted statistics of two planes around some pixels, each (h, w); variances are at least 0."""

    mean_x: Array
    mean_y: Array
    variance_x: Array
    variance_y: Array
    covariance: Array


def luma(picture: Pixels) -> NDArray[np.float32]:
    """Return the BT.601 luma of an RGB picture (H, W, 3), uint8, as (H, W), 0..255, full range and not rounded.

    It is the Y of JPEG files, 0.299 R + 0.587 G + 0.114 B. Greys keep their value exactly.
    """
    plane = np.empty(picture.shape[:2], np.float32)
    for rows in strips(*plane.shape):
        red, green, blue = (picture[rows, :, channel].astype(np.int32) for channel in range(3))
        plane[rows] = (299 * red + 587 * green + 114 * blue) / 1000
    return plane


def gaussian(size: int, sigma: float) -> Array:
    """Return the weights (size,) of a Gaussian window along one axis; they sum to 1, and `size` is odd."""
    distances = np.arange(size) - size // 2
    weights = np.exp(-(distances**2) / (2 * sigma**2))
    normalised: Array = weights / weights.sum()
    return normalised


def strips(num_rows: int, width: int, *, multiple: int = 2) -> Iterator[slice]:
    """Cut rows into strips of about `STRIP_PIXELS` pixels; each but the last has a multiple of `multiple` rows."""
    step = multiple * max(1, STRIP_PIXELS // (width * multiple))
    for start in range(0, num_rows, step):
        yield slice(start, min(start + step, num_rows))


def local_moments(x: Plane, y: Plane, window: Array) -> Iterator[Moments]:
    """Weigh two planes (H, W) by a window (N,) along both axes, where it fits; strip by strip.

    All strips together are (H - N + 1, W - N + 1). Raises: ValueError: the window does not fit.
    """
    for rows in _valid_strips(x, window):
        x_strip, y_strip = x[rows].astype(np.float64), y[rows].astype(np.float64)
        mean_x, mean_y = _weighted(x_strip, window), _weighted(y_strip, window)
        yield Moments(
            mean_x=mean_x,
            mean_y=mean_y,
            # Rounding may leave a difference just below zero.
            variance_x=np.maximum(_weighted(np.square(x_strip), window) - np.square(mean_x), 0.0),
            variance_y=np.maximum(_weighted(np.square(y_strip), window) - np.square(mean_y), 0.0),
            covariance=_weighted(x_strip * y_strip, window) - mean_x * mean_y,
        )


def decimated(x: Plane, window: Array) -> Array:
    """Weigh a plane by a window where it fits, then keep every other row and column, the first included."""
    parts = [_weighted(x[rows].astype(np.float64), window)[::2, ::2] for rows in _valid_strips(x, window)]
    return np.concatenate(parts)


def halved(x: Plane) -> Array:
    """Average 2x2 pixels; the last row and column of an odd size stand for their missing neighbours."""
    height, width = x.shape
    parts = []
    for rows in strips(height, width):
        strip = x[rows].astype(np.float64)
        strip = np.pad(strip, ((0, strip.shape[0] % 2), (0, width % 2)), mode="edge")
        rows_halved = strip[::2] + strip[1::2]
        parts.append((rows_halved[:, ::2] + rows_halved[:, 1::2]) / 4)
    return np.concatenate(parts)


def _valid_strips(x: Plane, window: Array) -> Iterator[slice]:
    height, width = x.shape
    margin = len(window) - 1
    if height <= margin or width <= margin:
        raise ValueError(f"a window of {len(window)} does not fit into {width}x{height}")
    for rows in strips(height - margin, width):
        yield slice(rows.start, rows.stop + margin)


def _weighted(x: Array, window: Array) -> Array:
    """Return (H - N + 1, W - N + 1)."""
    from scipy.ndimage import correlate1d

    reach = len(window) // 2
    columns = correlate1d(x, window, axis=0)[reach : x.shape[0] - reach]
    weighted: Array = correlate1d(columns, window, axis=1)[:, reach : x.shape[1] - reach]
    return weighted
