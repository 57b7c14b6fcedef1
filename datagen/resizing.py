"""Scaling photographs: bilinear interpolation in fixed point, which gives the same bits on every machine."""

import numpy as np

from datagen.opencv import opencv
from pipeline.formats.picture import Pixels


def resized(pixels: Pixels, width: int, height: int) -> Pixels:
    """Return RGB pixels (H, W, 3) scaled to (height, width, 3), which may share memory with them.

    It does not antialias: of what is reduced by more than half, pixels are left out.
    """
    if pixels.shape[:2] == (height, width):
        return pixels
    cv2 = opencv()
    scaled: Pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_LINEAR_EXACT)
    return np.ascontiguousarray(scaled)
