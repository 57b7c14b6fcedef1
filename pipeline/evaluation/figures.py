"""Pictures for the report as `data:` URIs: overviews, overlays, error pictures and crops of exact pixels.

Overviews are scaled down and coded by WebP to keep the page small; crops are PNG, pixel for pixel.
"""

import base64
import colorsys
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.formats.picture import Pixels, write_png
from pipeline.formats.sample import IGNORE, NATURAL, SYNTHETIC

OVERVIEW_SIDE = 640
"""Longest side of an overview in pixels."""
CROP_WIDTH, CROP_HEIGHT = 208, 160
ERROR_GAIN = 4
"""By how much error pictures are brighter than the error."""

LABEL_COLOURS = {SYNTHETIC: (47, 95, 208), NATURAL: (214, 120, 20), IGNORE: (128, 128, 128)}
_NUM_REGION_COLOURS = 254
_GOLDEN_RATIO = 0.618033988749895


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """A window of a picture."""

    top: int
    left: int
    height: int
    width: int

    def of(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the window of an array (H, W, ...)."""
        window: NDArray[np.uint8] = pixels[self.top : self.top + self.height, self.left : self.left + self.width]
        return window


def data_uri(data: bytes, media_type: str) -> str:
    """Return bytes as a `data:` URI."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def exact_uri(pixels: Pixels) -> str:
    """Return a picture (H, W, C) as PNG in a `data:` URI: what is seen are these pixels."""
    return data_uri(write_png(np.ascontiguousarray(pixels), compress_level=9), "image/png")


def overview_uri(pixels: Pixels, *, side: int = OVERVIEW_SIDE) -> str:
    """Return an RGB picture, no side over `side`, as lossy WebP in a `data:` URI."""
    image = Image.fromarray(pixels)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, format="WEBP", quality=82, method=6)
    return data_uri(buffer.getvalue(), "image/webp")


def label_overlay_uri(label: NDArray[np.uint8], *, side: int = OVERVIEW_SIDE) -> str:
    """Return a label map (H, W) as a palette PNG: synthetic, natural and ignored pixels in their colours."""
    return _palette_uri(_shrink(label, side), LABEL_COLOURS, transparent=None)


def regions_overlay_uri(regions: NDArray[np.uint16], *, side: int = OVERVIEW_SIDE) -> str:
    """Return a region map (H, W) as a palette PNG: neighbours in different colours, white outlines, 0 see-through."""
    small = _shrink(regions, side)
    indices = np.where(small == 0, 0, 1 + (small.astype(np.int64) - 1) % _NUM_REGION_COLOURS).astype(np.uint8)
    indices[_outlines(small)] = 255
    # Hues a golden ratio apart: ids that follow one another, as neighbours' do, are easily told apart.
    hues = [(index * _GOLDEN_RATIO) % 1 for index in range(_NUM_REGION_COLOURS)]
    colours = {1 + index: _rgb(hue) for index, hue in enumerate(hues)}
    return _palette_uri(indices, {0: (0, 0, 0), **colours, 255: (255, 255, 255)}, transparent=0)


def error_picture(original: Pixels, decoded: Pixels, *, gain: int = ERROR_GAIN) -> Pixels:
    """Return |decoded - original| of two RGB pictures, `gain` times as bright, clipped at 255."""
    difference = np.abs(original.astype(np.int32) - decoded)
    amplified: Pixels = np.minimum(difference * gain, 255).astype(np.uint8)
    return amplified


def busiest_crop(pixels: Pixels, mask: NDArray[np.bool_] | None = None) -> Crop | None:
    """Return the window with the most detail on the pixels where `mask` (H, W) is true (default: all).

    Detail is the absolute luma step to the next pixel right and below. None if the mask has no pixel.
    """
    height, width = pixels.shape[:2]
    luma = pixels.astype(np.float64) @ np.array([0.299, 0.587, 0.114])
    detail = np.abs(np.diff(luma, axis=0, append=luma[-1:])) + np.abs(np.diff(luma, axis=1, append=luma[:, -1:]))
    if mask is not None:
        if not mask.any():
            return None
        # The constant keeps the window on the mask where it is flat.
        detail = np.where(mask, detail + 1.0, 0.0)
    crop_height, crop_width = min(CROP_HEIGHT, height), min(CROP_WIDTH, width)
    sums = np.zeros((height + 1, width + 1))
    sums[1:, 1:] = detail.cumsum(axis=0).cumsum(axis=1)
    windows = (
        sums[crop_height:, crop_width:]
        - sums[:-crop_height, crop_width:]
        - sums[crop_height:, :-crop_width]
        + sums[:-crop_height, :-crop_width]
    )
    top, left = np.unravel_index(int(windows.argmax()), windows.shape)
    return Crop(top=int(top), left=int(left), height=crop_height, width=crop_width)


def _shrink(plane: NDArray[np.generic], side: int) -> NDArray[np.int64]:
    """Return a map of whole numbers no larger than `side`, each pixel the value at its centre."""
    height, width = plane.shape
    scale = min(1.0, side / max(height, width))
    new_height, new_width = max(1, round(height * scale)), max(1, round(width * scale))
    rows = (np.arange(new_height) * height + height // 2) // new_height
    columns = (np.arange(new_width) * width + width // 2) // new_width
    small: NDArray[np.int64] = plane[rows.clip(max=height - 1)][:, columns.clip(max=width - 1)].astype(np.int64)
    return small


def _outlines(regions: NDArray[np.int64]) -> NDArray[np.bool_]:
    outlines = np.zeros(regions.shape, np.bool_)
    outlines[:, 1:] |= regions[:, 1:] != regions[:, :-1]
    outlines[1:] |= regions[1:] != regions[:-1]
    return outlines


def _rgb(hue: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.75, 0.95)
    return round(red * 255), round(green * 255), round(blue * 255)


def _palette_uri(
    indices: NDArray[np.int64] | NDArray[np.uint8],
    colours: dict[int, tuple[int, int, int]],
    *,
    transparent: int | None,
) -> str:
    palette = np.zeros((256, 3), np.uint8)
    for index, colour in colours.items():
        palette[index] = colour
    image = Image.fromarray(indices.astype(np.uint8))
    image = image.convert("P") if image.mode != "P" else image
    image.putpalette(palette.tobytes())
    buffer = io.BytesIO()
    if transparent is None:
        image.save(buffer, format="PNG", compress_level=9)
    else:
        image.save(buffer, format="PNG", compress_level=9, transparency=transparent)
    return data_uri(buffer.getvalue(), "image/png")
