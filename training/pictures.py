"""`pictures/step-XXXXXXXX.png`: what a validation decoded, for people.

A row a crop: original, decoded, true labels, predicted labels. H, W side of a crop.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.base.store import Store
from pipeline.formats.picture import write_png
from pipeline.formats.sample import NATURAL, SYNTHETIC
from training.validation import Shown

PICTURES = "pictures"
_GAP = 4
_COLOURS = {SYNTHETIC: (38, 92, 166), NATURAL: (230, 140, 30)}
_UNKNOWN = (128, 128, 128)


def write_grid(out: Path, shown: Sequence[Shown], *, step: int) -> Path:
    """Write the picture of a validation into the run's folder; return its path. Raises: StorageError."""
    name = f"{PICTURES}/step-{step:08d}.png"
    Store(out).write_bytes(name, write_png(grid(shown)))
    return out / name


def grid(shown: Sequence[Shown]) -> NDArray[np.uint8]:
    """Return (rows, columns, 3): one row of tiles a crop, white between them; labels blue synthetic, orange natural.

    Where the codec is unsure, its predicted label's colour lies between the two. The last column is grey for a codec
    without a segmentation head.
    """
    rows = [
        [one.original, one.decoded, _true(one.label), _grey(one.label) if one.natural is None else _blend(one.natural)]
        for one in shown
    ]
    return _beside([_beside(tiles, axis=1) for tiles in rows], axis=0)


def _beside(tiles: Sequence[NDArray[np.uint8]], *, axis: int) -> NDArray[np.uint8]:
    shape = list(tiles[0].shape)
    shape[axis] = _GAP
    gap = np.full(shape, 255, dtype=np.uint8)
    return np.concatenate([part for tile in tiles for part in (gap, tile)][1:], axis=axis)


def _true(label: NDArray[np.uint8]) -> NDArray[np.uint8]:
    colours = np.full((256, 3), _UNKNOWN, dtype=np.uint8)
    for value, colour in _COLOURS.items():
        colours[value] = colour
    return colours[label]


def _blend(natural: NDArray[np.float32]) -> NDArray[np.uint8]:
    synthetic, photographed = (np.asarray(_COLOURS[kind], dtype=np.float32) for kind in (SYNTHETIC, NATURAL))
    mixed = synthetic + natural[..., None] * (photographed - synthetic)
    return mixed.round().astype(np.uint8)


def _grey(label: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.full((*label.shape, 3), _UNKNOWN, dtype=np.uint8)
