"""Coverage of a line of text, with grey or subpixel antialiasing."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from datagen.fonts import Font, font

_SUBPIXELS = 3
_FILTER = (8, 77, 86, 77, 8)
"""Weights of FreeType's default LCD filter, in 256ths: it spreads each subpixel over five, so that no colour stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyphs:
    """A drawn line of text, placed relative to its origin on the baseline."""

    left: int
    top: int
    coverage: NDArray[np.uint8]
    """(H, W) grey, or (H, W, 3) for the red, green and blue stripes of each pixel."""


def draw_line(text: str, face: Font, *, subpixel: bool) -> Glyphs | None:
    """Return the coverage of one line, None if it has no ink."""
    return _subpixel(text, face) if subpixel else _grey(text, face)


def _grey(text: str, face: Font) -> Glyphs | None:
    core, (left, top) = face.face.getmask2(text, mode="L", anchor="ls")
    if 0 in core.size:
        return None
    width, height = core.size
    return Glyphs(left=left, top=top, coverage=np.asarray(core, dtype=np.uint8).reshape(height, width))


def _subpixel(text: str, face: Font) -> Glyphs | None:
    large = _grey(text, font(face.family, face.size * _SUBPIXELS, face.style))
    if large is None:
        return None
    # Grow to whole pixels around, with one more at each side for the filter's reach.
    left, top = large.left // _SUBPIXELS - 1, large.top // _SUBPIXELS
    height, width = large.coverage.shape
    right = -(-(large.left + width) // _SUBPIXELS) + 1
    bottom = -(-(large.top + height) // _SUBPIXELS)
    sheet = np.zeros(((bottom - top) * _SUBPIXELS, (right - left) * _SUBPIXELS), dtype=np.uint8)
    y, x = large.top - top * _SUBPIXELS, large.left - left * _SUBPIXELS
    sheet[y : y + height, x : x + width] = large.coverage
    rows = np.asarray(Image.fromarray(sheet).reduce((1, _SUBPIXELS)), dtype=np.uint32)
    padded = np.pad(rows, ((0, 0), (2, 2)))
    filtered = sum(weight * padded[:, i : i + rows.shape[1]] for i, weight in enumerate(_FILTER))
    stripes = ((np.asarray(filtered) + 128) >> 8).astype(np.uint8)
    return Glyphs(left=left, top=top, coverage=stripes.reshape(bottom - top, right - left, _SUBPIXELS))
