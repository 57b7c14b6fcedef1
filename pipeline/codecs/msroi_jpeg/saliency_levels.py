"""From a saliency map to what each block of a JPEG is worth.

Shapes: H, W picture; R, C units (blocks, or MCUs) down and across.
"""

import numpy as np
from numpy.typing import NDArray

POLICIES = (1, 2, 3, 4, 5, 6)
"""Rules from saliency to quality of the released code (iamaaditya/image-compression-cnn, combine_images.py)."""
LOWEST_QUALITY, HIGHEST_QUALITY = 10, 100


def of_units(saliency: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Return the mean of a map (H, W) over each side x side unit of pixels, (R, C); units at the edge are smaller."""
    height, width = saliency.shape
    rows, columns = (np.arange(0, extent, side) for extent in (height, width))
    sums = np.add.reduceat(np.add.reduceat(saliency.astype(np.float64), rows, axis=0), columns, axis=1)
    sizes = np.outer(np.diff(np.append(rows, height)), np.diff(np.append(columns, width)))
    means: NDArray[np.float32] = (sums / sizes).astype(np.float32)
    return means


def qualities(saliency: NDArray[np.float32], policy: int) -> NDArray[np.int64]:
    """Return JPEG qualities of units with such saliency, by one of the released rules; equal saliency, equal quality.

    Unlike in the released code no unit is left without one: 3's top decile is closed. Raises: ValueError: no such rule.
    """
    flat = saliency.reshape(-1)
    if flat.min() == flat.max():
        return np.full(saliency.shape, HIGHEST_QUALITY, dtype=np.int64)

    def above(share: float) -> NDArray[np.bool_]:
        return np.asarray(saliency > np.percentile(flat, 100 * share))

    if policy == 1:
        found = np.where(saliency > flat.mean(), 100, 70)
    elif policy == 2:
        found = 10 * (np.clip(np.floor(10 * saliency / flat.max()) + 2, 1, 9) + 1)
    elif policy == 3:
        decile = sum(above(tenth / 10).astype(np.int64) for tenth in range(1, 10))
        found = np.minimum(10 * (decile + 2), HIGHEST_QUALITY)
    elif policy == 4:
        found = np.where(above(0.9), 100, np.where(above(0.6), 90, np.where(above(0.2), 70, 50)))
    elif policy == 5:
        found = np.where(above(0.5), 90, 30)
    elif policy == 6:
        found = np.where(above(0.5), 100, 80)
    else:
        raise ValueError(f"policy must be one of {POLICIES}, got {policy}")
    return np.asarray(found).astype(np.int64)


def weights(saliency: NDArray[np.float32], depth: float) -> NDArray[np.float32]:
    """Return what squared error counts for in units with such saliency: 1 at the most salient, less by 2^-depth at 0.

    `depth` is in octaves over saliency 0..1: an octave is 3 dB. Only ratios matter, so a constant map weighs nothing.
    """
    highest = saliency.max()
    weighed: NDArray[np.float32] = np.exp2(depth * (saliency - highest)).astype(np.float32)
    return weighed
