"""Which class each pixel is of, when the user says and when he does not."""

from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pipeline.codecs.seec.config import PATCH

if TYPE_CHECKING:
    from pipeline.codecs.seec.codec import Seec

IGNORE = 255
"""Labels' value of pixels that nobody labelled; they are coded as class 0."""
_BLOCK = 16
# Pixels priced at a time, in whole rows of blocks.
_PIXELS = 1 << 18


def checked_classes(label: NDArray[np.uint8], num_classes: int) -> NDArray[np.uint8]:
    """Return the classes that a label map says; with one class, all are 0.

    Raises: ValueError: a label is neither a class nor IGNORE.
    """
    if num_classes == 1:
        return np.zeros_like(label)
    classes = np.where(label == IGNORE, 0, label).astype(np.uint8)
    if classes.size and int(classes.max()) >= num_classes:
        raise ValueError(f"the label map holds class {int(classes.max())}; this codec has {num_classes}")
    return classes


@torch.no_grad()
def cheapest_classes(codec: "Seec", picture_3HW: Tensor) -> NDArray[np.uint8]:
    """Return (H, W): for each block of 16x16 pixels, the class whose entropy model prices it least.

    Priced by the float networks, so another machine may choose otherwise; whatever is chosen is sent.
    """
    _, height, width = picture_3HW.shape
    num_classes = codec.config.num_classes
    if num_classes == 1:
        return np.zeros((height, width), dtype=np.uint8)
    costs = np.zeros((num_classes, -(-height // _BLOCK) * _BLOCK, -(-width // _BLOCK) * _BLOCK), dtype=np.float32)
    rows = max(1, _PIXELS // width // PATCH) * PATCH
    for top in range(0, height, rows):
        part_3HW = picture_3HW[:, top : top + rows]
        size = (part_3HW.shape[1], width)
        # Every pixel is told what it may copy, whichever class it ends in.
        pixels, there, features, _ = codec.seen(part_3HW[None], np.zeros((1, *size), dtype=np.uint8))
        which = (there == 0).nonzero()[:, 0]
        for of_class in range(num_classes):
            bits = codec.costs(pixels, which, of_class, features).cpu().numpy()
            costs[of_class, top : top + size[0], :width] = codec.in_picture(bits, there, size)
    blocks = costs.reshape(num_classes, -1, _BLOCK, costs.shape[2] // _BLOCK, _BLOCK).sum(axis=(2, 4))
    cheapest: NDArray[np.uint8] = blocks.argmin(axis=0).astype(np.uint8)
    cheapest = cheapest.repeat(_BLOCK, axis=0).repeat(_BLOCK, axis=1)
    return cheapest[:height, :width].copy()
