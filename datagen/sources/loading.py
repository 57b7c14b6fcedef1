"""Reading a source again: its bytes are checked against the plan, a photograph is decoded no larger than needed."""

import io
import math
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image, ImageOps

from datagen.resizing import resized
from datagen.sources.containers import read_part
from datagen.sources.model import PlannedSource
from pipeline.base.errors import PictureError
from pipeline.base.store import sha256_hex
from pipeline.formats.picture import FORMATS, PILLOW_ERRORS, Pixels, read_picture, to_rgb

HELD_BYTES = 384 << 20
"""Decoded pixels that a process holds, at most."""
_DECODED_LEVELS = 2
"""JPEG decoders give 1/2 and 1/4 of the size directly; smaller ones are reduced from 1/4, which several uses share."""
_LARGE = 1 << 20
"""Of photographs with fewer pixels all levels are reduced from the full size: it is decoded sooner than looked for."""
_MAX_LEVEL = 10
_ORIENTATION, _FIRST_TURNED = 0x0112, 5
"""EXIF's tag, and the first of its values that swap width and height."""


def load_bytes(planned: PlannedSource) -> bytes:
    """Return a source's file. Raises: PictureError: `unreadable`, `source_changed`; StorageError: no network."""
    data = read_part(planned.path, planned.part)
    if sha256_hex(data) != planned.source.sha256:
        raise PictureError("source_changed", f"{planned.source.name}: changed since the plan was made")
    return data


def load_pixels(planned: PlannedSource) -> Pixels:
    """Return a source's RGB pixels (H, W, 3). Raises: PictureError: `source_changed` or what read_picture raises."""
    return to_rgb(read_picture(load_bytes(planned), where=planned.source.name).pixels)


class Photo:
    """A photograph at its full size, 1/2, 1/4, ...; each is decoded when it is first asked for.

    What a level holds is a function of the file alone, whatever was asked for before.
    """

    def __init__(
        self, full: tuple[int, int], decode: Callable[[int], Pixels], *, num_decoded: int = 0, num_bytes: int = 0
    ) -> None:
        """`full` is (width, height); `decode` returns level 0 to `num_decoded` as RGB and holds `num_bytes`."""
        self.width, self.height = full
        self._decode = decode
        self._num_decoded = num_decoded
        self._num_bytes = num_bytes
        self._levels: dict[int, Pixels] = {}

    @classmethod
    def from_pixels(cls, pixels: Pixels) -> "Photo":
        """Return a photograph of RGB pixels (H, W, 3)."""
        height, width = pixels.shape[:2]
        photo = cls((width, height), lambda _: pixels)
        photo._levels[0] = pixels
        return photo

    @classmethod
    def from_file(cls, data: bytes, *, where: str) -> "Photo":
        """Return a photograph of a file's bytes, decoded later. Raises: PictureError: it is no picture."""
        with _decoding(where), Image.open(io.BytesIO(data), formats=FORMATS) as image:
            direct = image.format == "JPEG" and image.mode in ("RGB", "L")
            full = image.size[::-1] if image.getexif().get(_ORIENTATION, 1) >= _FIRST_TURNED else image.size
        if direct:
            num_decoded = _DECODED_LEVELS if full[0] * full[1] >= _LARGE else 0
            return cls(
                full, lambda level: _decode_jpeg(data, level, where), num_decoded=num_decoded, num_bytes=len(data)
            )
        return cls.from_pixels(to_rgb(read_picture(data, where=where).pixels))

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, 3), as of pixels."""
        return (self.height, self.width, 3)

    @property
    def num_bytes(self) -> int:
        """What it holds in memory."""
        return self._num_bytes + sum(pixels.nbytes for pixels in self._levels.values())

    def cut(self, area: tuple[float, float, float, float], width: int, height: int) -> Pixels:
        """Return the part (left, top, right, bottom) scaled to (height, width, 3).

        Reduced as browsers do it: bilinearly from the smallest level that is large enough, so at most by half. Borders
        lie on whole pixels of that level. Raises: PictureError: the file cannot be decoded.
        """
        left, top, right, bottom = area
        ratio = min((right - left) / width, (bottom - top) / height)
        level = max(0, math.floor(math.log2(ratio)) if ratio > 0 else 0)
        level = min(level, _MAX_LEVEL)
        pixels = self._level(level)
        columns = _whole(left / (1 << level), right / (1 << level), pixels.shape[1])
        rows = _whole(top / (1 << level), bottom / (1 << level), pixels.shape[0])
        return resized(pixels[rows, columns], width, height)

    def _level(self, level: int) -> Pixels:
        if level not in self._levels:
            if level <= self._num_decoded:
                self._levels[level] = self._decode(level)
            else:
                base = Image.fromarray(self._level(self._num_decoded))
                self._levels[level] = np.asarray(base.reduce(1 << (level - self._num_decoded)), dtype=np.uint8)
        return self._levels[level]


class Shelf:
    """The photographs a process holds: those last used, as many as fit into `max_bytes`."""

    def __init__(self, max_bytes: int = HELD_BYTES) -> None:
        self._max_bytes = max_bytes
        self._photos: OrderedDict[PlannedSource, Photo] = OrderedDict()

    def __call__(self, planned: PlannedSource) -> Photo:
        """Return a photograph. Raises: PictureError: `unreadable`, `source_changed`, not a picture."""
        if planned not in self._photos:
            self._photos[planned] = Photo.from_file(load_bytes(planned), where=planned.source.name)
            # Levels are decoded after a photograph was handed out, so the sum is taken anew.
            held = sum(photo.num_bytes for photo in self._photos.values())
            while held > self._max_bytes and len(self._photos) > 1:
                held -= self._photos.popitem(last=False)[1].num_bytes
        self._photos.move_to_end(planned)
        return self._photos[planned]


def _whole(first: float, last: float, size: int) -> slice:
    """Return the whole pixels of 0..`size` nearest to first..last, one at least."""
    start = min(max(0, round(first)), size - 1)
    return slice(start, min(max(start + 1, round(last)), size))


def _decode_jpeg(data: bytes, level: int, where: str) -> Pixels:
    with _decoding(where), Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        image.draft(image.mode, (max(1, image.width >> level), max(1, image.height >> level)))
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"), dtype=np.uint8)


@contextmanager
def _decoding(where: str) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            # Pillow warns about large pictures and odd metadata; the plan looked at them.
            warnings.simplefilter("ignore")
            yield
    except (*PILLOW_ERRORS, Image.DecompressionBombError) as error:
        raise PictureError("truncated", f"{where}: damaged or cut short ({error})") from error
