"""Every pixel's features at once, for training, where the whole picture is known: the same kernels as in coding."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.codecs.compiled import compile_kernel
from pipeline.codecs.seec.neighbours import (
    NUM_COPY_FEATURES,
    NUM_DENSE,
    NUM_KEYS,
    NUM_SOURCES,
    Canvas,
    base_colour,
    copy_features,
    dense_features,
    neighbourhoods,
    propose,
    remember,
)
from pipeline.codecs.seec.wavefront import REACH


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFeatures:
    """Features of the H W pixels of one picture, in raster order."""

    dense: NDArray[np.int16]
    """(H W, NUM_DENSE)."""
    flags: NDArray[np.int8]
    """(H W, NUM_COPY_FEATURES); zero where a pixel's class copies nothing."""
    base: NDArray[np.int16]
    """(H W, 3)."""
    proposed: NDArray[np.int32]
    """(H W,) bit s: source s proposes a colour."""
    right: NDArray[np.int32]
    """(H W,) bit s: it proposes the pixel's own."""


def scan(picture: NDArray[np.uint8], copies: NDArray[np.bool_]) -> PictureFeatures:
    """Return the features of a picture (H, W, 3), coded as one band; `copies` (H, W): whether a pixel may copy."""
    height, width = copies.shape
    num_pixels = height * width
    out = PictureFeatures(
        dense=np.zeros((num_pixels, NUM_DENSE), dtype=np.int16),
        flags=np.zeros((num_pixels, NUM_COPY_FEATURES), dtype=np.int8),
        base=np.zeros((num_pixels, 3), dtype=np.int16),
        proposed=np.zeros(num_pixels, dtype=np.int32),
        right=np.zeros(num_pixels, dtype=np.int32),
    )
    arrays = (out.dense, out.flags, out.base, out.proposed, out.right)
    compile_kernel(_scan)(packed(picture), np.ascontiguousarray(copies), Canvas(height, width).arrays, arrays)
    return out


def packed(picture: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return (H, W): R << 16 | G << 8 | B."""
    wide = picture.astype(np.int32)
    return (wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2]


def unpacked(colours: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Return (H, W, 3) of R << 16 | G << 8 | B."""
    pixels: NDArray[np.uint8] = np.stack([colours >> 16, colours >> 8, colours], axis=-1).astype(np.uint8)
    return pixels


def _scan(picture: Any, copies: Any, canvas: Any, arrays: Any) -> None:
    dense, flags, base, proposed, right = arrays
    colours = canvas[0]
    height, width = picture.shape
    keys = np.empty((height, NUM_KEYS), dtype=np.uint64)
    sources = np.empty((height, NUM_SOURCES), dtype=np.int32)
    for step in range(2 * (height - 1) + width):
        first = max(0, -((width - 1 - step) // 2))
        last = min(height - 1, step // 2)
        for row in range(first, last + 1):
            column = step - 2 * row
            at_row, at_column = row + REACH, column + REACH
            pixel = row * width + column
            colour = base_colour(colours, at_row, at_column)
            for channel in range(3):
                base[pixel, channel] = colour[channel]
            dense_features(colours, at_row, at_column, colour, dense[pixel])
            if copies[row, column]:
                neighbourhoods(colours, at_row, at_column, keys[row])
                propose(canvas, at_row, at_column, keys[row], (REACH, REACH + height), sources[row])
                copy_features(canvas, at_row, at_column, keys[row], sources[row], flags[pixel])
                for source in range(NUM_SOURCES):
                    if sources[row, source] >= 0:
                        proposed[pixel] |= 1 << source
                        if sources[row, source] == picture[row, column]:
                            right[pixel] |= 1 << source
        for row in range(first, last + 1):
            column = step - 2 * row
            at_row, at_column = row + REACH, column + REACH
            if copies[row, column]:
                remember(canvas, at_row, at_column, keys[row], sources[row], picture[row, column])
            else:
                colours[at_row, at_column] = picture[row, column]
