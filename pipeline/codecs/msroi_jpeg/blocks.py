"""A picture as 8x8 blocks of DCT coefficients, as JPEG defines them (ITU-T T.81; JFIF colour), not yet quantised.

Shapes: H, W picture; R, C blocks down and across; coefficients (R, C, 8, 8) in natural order, row frequency first.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.codecs.compiled import compile_kernel
from pipeline.codecs.threads import on_threads

BLOCK = 8
_STRIP = 64
"""Rows of blocks that one thread takes at a time."""

_LOOKED_AT = 1 << 19
"""Pixels that suffice to see whether chroma has detail."""

RGB_ERROR = (3.0, 3.2584, 2.4755)
"""Squared error of R + G + B that a unit of squared error of Y, Cb, Cr causes (JFIF's inverse matrix, by column)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One colour component."""

    coefficients: NDArray[np.float32]
    """(R, C, 8, 8)."""
    scale: int
    """Pixels a sample, each way: 1, or 2 for chroma at half resolution."""


def components(picture: NDArray[np.uint8], *, chroma_scale: int) -> list[Component]:
    """Return Y, Cb and Cr of RGB (H, W, 3), or Y alone of a picture that is grey all over.

    Where blocks reach beyond the picture its last row and column go on. Chroma is averaged over 2x2 pixels if
    `chroma_scale` is 2.
    """
    height, width = picture.shape[:2]
    is_grey = bool((picture[:, :, 1:] == picture[:, :, :1]).all())
    scales = (1,) if is_grey else (1, chroma_scale, chroma_scale)
    parts = [
        np.empty((-(-height // (BLOCK * scale)), -(-width // (BLOCK * scale)), BLOCK, BLOCK), dtype=np.float32)
        for scale in scales
    ]
    kernel = compile_kernel(_transform, fast_math=True)
    basis = _basis()
    tasks = [
        (number, scale, first)
        for number, (part, scale) in enumerate(zip(parts, scales, strict=True))
        for first in _strips(part.shape[0])
    ]
    on_threads(
        lambda task: kernel(picture, basis, task, min(_STRIP, parts[task[0]].shape[0] - task[2]), parts[task[0]]), tasks
    )
    return [Component(coefficients=part, scale=scale) for part, scale in zip(parts, scales, strict=True)]


def chroma_detail(picture: NDArray[np.uint8]) -> float:
    """Return the mean squared RGB error, a sample, that averaging chroma over 2x2 pixels causes, on some rows."""
    height, width = (side // 2 * 2 for side in picture.shape[:2])
    if not height * width:
        return 0.0
    every = -(-height * width // _LOOKED_AT)
    pairs = picture[:height, :width].reshape(height // 2, 2, width, 3)[::every]
    even = pairs.reshape(-1, width, 3).astype(np.float32)
    luma = even @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    total = 0.0
    for channel, gain, error in ((2, 0.5643, RGB_ERROR[1]), (0, 0.7133, RGB_ERROR[2])):
        chroma = gain * (even[:, :, channel] - luma)
        fours = chroma.reshape(chroma.shape[0] // 2, 2, chroma.shape[1] // 2, 2)
        total += error / 3 * float(fours.var(axis=(1, 3)).mean())
    return total


def _strips(rows: int) -> Iterator[int]:
    return iter(range(0, rows, _STRIP))


def _basis() -> NDArray[np.float32]:
    """Return the orthonormal DCT-II, (frequency, sample)."""
    frequency, sample = np.mgrid[0:BLOCK, 0:BLOCK]
    basis = np.sqrt(2 / BLOCK) * np.cos(math.pi * (2 * sample + 1) * frequency / (2 * BLOCK))
    basis[0] = math.sqrt(1 / BLOCK)
    orthonormal: NDArray[np.float32] = basis.astype(np.float32)
    return orthonormal


def _transform(picture: Any, basis: Any, task: Any, count: int, out: Any) -> None:
    """Write rows of blocks; `task` is (component, scale, first row of blocks)."""
    number, scale, first = task
    height, width = picture.shape[:2]
    samples = np.empty((8, 8), dtype=np.float32)
    half = np.empty((8, 8), dtype=np.float32)
    if number == 0:
        red, green, blue, offset = np.float32(0.299), np.float32(0.587), np.float32(0.114), np.float32(-128.0)
    elif number == 1:
        red, green, blue, offset = np.float32(-0.168736), np.float32(-0.331264), np.float32(0.5), np.float32(0.0)
    else:
        red, green, blue, offset = np.float32(0.5), np.float32(-0.418688), np.float32(-0.081312), np.float32(0.0)
    share = np.float32(1.0 / (scale * scale))
    for r in range(first, first + count):
        for c in range(out.shape[1]):
            for i in range(8):
                for j in range(8):
                    value = np.float32(0.0)
                    for y in range(scale):
                        row = min((8 * r + i) * scale + y, height - 1)
                        for x in range(scale):
                            column = min((8 * c + j) * scale + x, width - 1)
                            value += red * picture[row, column, 0]
                            value += green * picture[row, column, 1]
                            value += blue * picture[row, column, 2]
                    samples[i, j] = value * share + offset
            for i in range(8):
                for f in range(8):
                    value = np.float32(0.0)
                    for j in range(8):
                        value += samples[i, j] * basis[f, j]
                    half[i, f] = value
            for f in range(8):
                for g in range(8):
                    value = np.float32(0.0)
                    for i in range(8):
                        value += basis[f, i] * half[i, g]
                    out[r, c, f, g] = value
