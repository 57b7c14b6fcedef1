"""Scaling photographs: OpenCV's bilinear interpolation in fixed point, which gives the same bits on every machine."""

import functools
from typing import Any

import numpy as np

from pipeline.formats.picture import Pixels


def resized(pixels: Pixels, width: int, height: int) -> Pixels:
    """Return RGB pixels (H, W, 3) scaled to (height, width, 3), which may share memory with them.

    It does not antialias: of what is reduced by more than half, pixels are left out.
    """
    if pixels.shape[:2] == (height, width):
        return pixels
    cv2 = _opencv()
    scaled: Pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR_EXACT)
    # OpenCV drops no axis of three, but gives views of its own.
    return np.ascontiguousarray(scaled)


@functools.cache
def _opencv() -> Any:
    # Imported here: it takes a quarter of a second, and only what draws photographs needs it.
    import cv2

    # Work is spread over processes; threads of their own would only get in each other's way.
    cv2.setNumThreads(1)
    return cv2
