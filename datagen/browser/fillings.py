"""Pictures that stand in for a photograph: the same size and transparency, one colour."""

import io
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

BLACK, WHITE = 0, 255


@lru_cache(maxsize=256)
def filling(width: int, height: int, grey: int) -> bytes:
    """Return an opaque PNG of one grey value."""
    return _png(Image.new("L", (width, height), grey))


def transparent_filling(alpha: NDArray[np.uint8], grey: int) -> bytes:
    """Return a PNG of one grey value with the (H, W) transparency of the picture that it stands in for."""
    return _png(Image.merge("LA", (Image.new("L", (alpha.shape[1], alpha.shape[0]), grey), Image.fromarray(alpha))))


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()
