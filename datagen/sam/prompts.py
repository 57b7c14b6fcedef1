"""Where Segment Anything is asked: crops of the picture, and a grid of points in each (Kirillov et al. 2023, B)."""

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from datagen.geometry import Box, box


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """A part of the picture that is looked at by itself."""

    area: Box
    points_N2: NDArray[np.float64]
    """(x, y) in pixels of the crop."""


def crops(width: int, height: int, *, points_per_side: int, num_layers: int, overlap: float, shrink: int) -> list[Crop]:
    """Return the whole picture, then in layer i = 1, 2, ... 4^i crops, their points fewer by `shrink`^i a side.

    `overlap` is that of the first layer's crops as a share of the shorter side; it halves from layer to layer.
    """
    found = [_crop(box(0, 0, width, height), points_per_side)]
    for layer in range(1, num_layers + 1):
        count = 2**layer
        common = int(overlap * min(width, height) * 2 / count)
        wide, high = (math.ceil((common * (count - 1) + size) / count) for size in (width, height))
        side = max(1, points_per_side // shrink**layer)
        for column, row in product(range(count), repeat=2):
            x, y = (wide - common) * column, (high - common) * row
            area = box(x, y, min(wide, width - x), min(high, height - y))
            if area.width > 0 and area.height > 0:
                found.append(_crop(area, side))
    return found


def _crop(area: Box, points_per_side: int) -> Crop:
    steps = (np.arange(points_per_side) + 0.5) / points_per_side
    x, y = np.meshgrid(steps * area.width, steps * area.height)
    return Crop(area=area, points_N2=np.stack([x.ravel(), y.ravel()], axis=1))
