"""Which class each pixel is of, when the user says and when he does not."""

import numpy as np
from numpy.typing import NDArray

IGNORE = 255
"""Labels' value of pixels that nobody labelled."""
_BLOCK = 16
_TRIED = 1.0 / 16
"""Share of unlabelled blocks that training gives to a class by chance."""


def checked_classes(label: NDArray[np.uint8], num_classes: int) -> NDArray[np.uint8]:
    """Return the classes that a label map says, 0 where it says IGNORE; with one class, all are 0.

    Raises: ValueError: a label is neither a class nor IGNORE.
    """
    if num_classes == 1:
        return np.zeros_like(label)
    classes = np.where(label == IGNORE, 0, label).astype(np.uint8)
    if classes.size and int(classes.max()) >= num_classes:
        raise ValueError(f"the label map holds class {int(classes.max())}; this codec has {num_classes}")
    return classes


def sampled(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return (N, H, W): every fourth pixel, two of each 2x4; enough to price a block by."""
    _, height, width = shape
    rows, columns = np.arange(height)[:, None], np.arange(width)[None]
    # Writable, as tensors over it have to be.
    return np.broadcast_to((columns + 2 * rows) % 4 == 0, shape).copy()


def tried(classes: NDArray[np.uint8], num_classes: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return classes (N, H, W) with some blocks of 16x16 given to classes by chance.

    A class that is given only what it prices least forgets all else, and then prices it absurdly.
    """
    num_pictures, height, width = classes.shape
    shape = (num_pictures, -(-height // _BLOCK), -(-width // _BLOCK))
    chance = np.where(rng.random(shape) < _TRIED, rng.integers(num_classes, size=shape), IGNORE).astype(np.uint8)
    chance = chance.repeat(_BLOCK, axis=1).repeat(_BLOCK, axis=2)[:, :height, :width]
    return np.where(chance == IGNORE, classes, chance)


def cheapest_classes(prices: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Return (N, H, W): for each block of 16x16 pixels, the class with the least sum of prices (classes, N, H, W)."""
    _, _, height, width = prices.shape
    filled = np.pad(prices, ((0, 0), (0, 0), (0, -height % _BLOCK), (0, -width % _BLOCK)))
    num_classes, num_pictures, full_height, full_width = filled.shape
    blocks = filled.reshape(num_classes, num_pictures, full_height // _BLOCK, _BLOCK, full_width // _BLOCK, _BLOCK)
    cheapest: NDArray[np.uint8] = blocks.sum(axis=(3, 5)).argmin(axis=0).astype(np.uint8)
    cheapest = cheapest.repeat(_BLOCK, axis=1).repeat(_BLOCK, axis=2)
    return cheapest[:, :height, :width].copy()
