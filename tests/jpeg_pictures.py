"""Real pictures of any size that a JPEG encoder is tried on."""

import numpy as np
from skimage import data


def photograph(height: int, width: int) -> np.ndarray:
    """Return (H, W, 3) uint8: part of a portrait, its detail and its smooth parts; at most 512 pixels a side."""
    return np.ascontiguousarray(data.astronaut()[:height, 100 : 100 + width])


def screen(height: int, width: int) -> np.ndarray:
    """Return (H, W, 3) uint8: lines of scanned type in two colours on a flat ground."""
    page = data.page()
    lines = np.tile(page, (1 + height // page.shape[0], 1 + width // page.shape[1]))[:height, :width] < 128
    picture = np.full((height, width, 3), 245, np.uint8)
    picture[lines] = (20, 30, 90)
    picture[: height // 8] = (200, 60, 40)
    return picture
