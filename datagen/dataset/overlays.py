"""Pictures and their maps small enough for a page: WebP, and transparent PNGs to lay over it."""

import base64
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.formats.picture import Pixels
from pipeline.formats.sample import IGNORE, NATURAL, SYNTHETIC, Sample

COLOURS = {"synthetic": (43, 107, 255), "natural": (255, 138, 0), "ignore": (255, 43, 214)}
"""Colour of each class, the same as in the page's style sheet."""

_VALUES = {"synthetic": SYNTHETIC, "natural": NATURAL, "ignore": IGNORE}
_REGION_COLOURS = np.array(
    [
        *((230, 25, 75), (60, 180, 75), (255, 225, 25), (67, 99, 216), (245, 130, 49), (145, 30, 180), (66, 212, 244)),
        *((240, 50, 230), (191, 239, 69), (250, 190, 212), (70, 153, 144), (220, 190, 255), (154, 99, 36)),
        *((255, 250, 200), (128, 0, 0), (170, 255, 195), (128, 128, 0), (255, 216, 177), (0, 0, 117)),
    ],
    dtype=np.uint8,
)
"""Twenty or so colours that people tell apart (Trubetskoy 2017); a prime number of them, so neighbours differ."""
_BORDER = (20, 20, 20)
_SIDES = (2048, 1600, 1280, 1024, 800, 640, 480, 320)
"""Longest sides that are tried, in pixels."""
_QUALITY = 84


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A sample as a page shows it: data URIs."""

    width: int
    height: int
    picture: str
    layers: dict[str, str]
    """By class, and `regions`; a class that the sample does not have is left out."""

    @property
    def num_bytes(self) -> int:
        return len(self.picture) + sum(map(len, self.layers.values()))


def shrink(sample: Sample, *, max_bytes: int) -> Shown:
    """Return a sample at the largest size of at most `max_bytes` bytes, or the smallest size there is."""
    longest = max(sample.picture.shape[:2])
    sides = [side for side in _SIDES if side < longest]
    for side in [min(longest, _SIDES[0]), *sides]:
        shown = _at(sample, side / longest)
        if shown.num_bytes <= max_bytes:
            break
    return shown


def _at(sample: Sample, scale: float) -> Shown:
    height, width = (max(1, round(side * scale)) for side in sample.picture.shape[:2])
    image = Image.fromarray(sample.picture)
    if scale < 1:
        image = image.resize((width, height), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, format="WEBP", quality=_QUALITY, method=4)
    rows = np.arange(height) * sample.picture.shape[0] // height
    columns = np.arange(width) * sample.picture.shape[1] // width
    label, regions = sample.label[rows][:, columns], sample.regions[rows][:, columns]
    layers = {
        name: _mask(label == value, COLOURS[name]) for name, value in _VALUES.items() if bool((label == value).any())
    }
    if regions.any():
        layers["regions"] = _regions(regions)
    return Shown(width=width, height=height, picture=_uri("webp", buffer.getvalue()), layers=layers)


def _mask(mask: NDArray[np.bool_], colour: tuple[int, int, int]) -> str:
    return _indexed(mask.astype(np.uint8), np.array([(0, 0, 0), colour], dtype=np.uint8), bits=1)


def _regions(regions: NDArray[np.uint16]) -> str:
    """Return the map with a colour for each region and a dark line between neighbours."""
    ids = regions.astype(np.int64)
    colours = np.where(ids > 0, (ids - 1) % len(_REGION_COLOURS) + 1, 0).astype(np.uint8)
    border = np.zeros(ids.shape, dtype=bool)
    border[:, 1:] |= ids[:, 1:] != ids[:, :-1]
    border[1:] |= ids[1:] != ids[:-1]
    colours[border] = len(_REGION_COLOURS) + 1
    return _indexed(colours, np.array([(0, 0, 0), *_REGION_COLOURS.tolist(), _BORDER], dtype=np.uint8), bits=8)


def _indexed(places: Pixels, palette: Pixels, *, bits: int) -> str:
    """Return a PNG of palette places, place 0 transparent."""
    image = Image.fromarray(places, mode="P")
    image.putpalette(palette.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", transparency=0, bits=bits, compress_level=9)
    return _uri("png", buffer.getvalue())


def _uri(kind: str, data: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
