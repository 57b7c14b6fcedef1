"""Pictures and maps scaled, the same bits on every machine and number of threads: Pillow's filters are integers."""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.formats.picture import Pixels

T = TypeVar("T", bound=np.generic)


def size_for_short_side(height: int, width: int, short_side: int) -> tuple[int, int]:
    """Return the (height, width) at which the shorter side is `short_side` and the aspect ratio is kept."""
    shorter = min(height, width)
    # Rounded to the nearest; sides are whole numbers, so no float decides.
    return (2 * height * short_side + shorter) // (2 * shorter), (2 * width * short_side + shorter) // (2 * shorter)


def scaled(picture: Pixels, height: int, width: int) -> Pixels:
    """Return an RGB picture (H, W, 3) at another size: the mean over each pixel's area, or bilinear where it grows."""
    if picture.shape[:2] == (height, width):
        return picture
    shrinks = height <= picture.shape[0] and width <= picture.shape[1]
    resample = Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR
    return np.array(Image.fromarray(picture).resize((width, height), resample))


def scaled_ids(plane: NDArray[T], height: int, width: int) -> NDArray[T]:
    """Return a map of ids (H, W) at another size: each pixel takes the id at its centre, so no new ids appear."""
    rows, columns = (_centres(old, new) for old, new in zip(plane.shape, (height, width), strict=True))
    result: NDArray[T] = plane[rows[:, None], columns]
    return result


def _centres(old: int, new: int) -> NDArray[Any]:
    return (2 * np.arange(new) + 1) * old // (2 * new)
