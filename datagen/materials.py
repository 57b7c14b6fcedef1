"""What a scene may use: photographs and words of its split, dealt by the sample's own generator."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from datagen.sources import PlannedSource
from datagen.texts import TextBank, Words
from pipeline.formats.picture import Pixels
from pipeline.formats.sample import Source

LoadPhoto = Callable[[PlannedSource], Pixels]

_MIN_CROP = 0.7
"""Smallest share of a photograph's larger possible crop that is cut out."""
_PORTRAIT_SHARE = 0.6
"""Side of a portrait's square, as a share of the photograph's shorter side."""
_JPEG_SHARE = 0.5
"""Share of photographs that are JPEG-compressed at their shown size, as most are on the web."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Portrait:
    photo: PlannedSource
    place: tuple[float, float]
    """Where the square is cut, as shares of the free width and height."""


class Materials:
    """Photographs and texts for one sample; remembers what was used."""

    def __init__(
        self, photos: Sequence[PlannedSource], words: Words, *, load: LoadPhoto, rng: np.random.Generator
    ) -> None:
        self.text = TextBank(words, rng)
        self._photos = photos
        self._words = words
        self._load = load
        self._rng = rng
        self._unused: list[int] = []
        self._used: dict[str, Source] = {}
        self._portraits: dict[str, _Portrait | None] = {}

    @property
    def sources(self) -> tuple[Source, ...]:
        """The photographs used so far, in order of use, then the words."""
        return (*self._used.values(), self._words.source)

    def photo(self, width: int, height: int) -> Pixels:
        """Return a crop of some photograph, scaled to (height, width, 3); none repeats until all were used.

        Raises: ValueError: a side is 0.
        """
        return self.crop(self.whole_photo(), width, height)

    def whole_photo(self) -> Pixels:
        """Return a whole photograph, (H, W, 3) at its own size; none repeats until all were used."""
        if not self._unused:
            self._unused = [int(index) for index in self._rng.permutation(len(self._photos))]
        return self._open(self._photos[self._unused.pop()])

    def portrait(self, name: str, side: int) -> Pixels | None:
        """Return the square picture of the person `name`, or None for half of all people; a name keeps its picture."""
        if name not in self._portraits:
            planned = self._photos[int(self._rng.integers(len(self._photos)))]
            place = (float(self._rng.random()), float(self._rng.random()))
            self._portraits[name] = _Portrait(photo=planned, place=place) if self._rng.random() < 0.5 else None
        portrait = self._portraits[name]
        if portrait is None:
            return None
        pixels = self._open(portrait.photo)
        height, width = pixels.shape[:2]
        cut = max(1, round(min(height, width) * _PORTRAIT_SHARE))
        x, y = (round(share * (size - cut)) for share, size in zip(portrait.place, (width, height), strict=True))
        return scale(np.ascontiguousarray(pixels[y : y + cut, x : x + cut]), side, side)

    def _open(self, planned: PlannedSource) -> Pixels:
        self._used.setdefault(planned.source.sha256, planned.source)
        return self._load(planned)

    def crop(self, pixels: Pixels, width: int, height: int) -> Pixels:
        """Return a random crop of the wanted shape, scaled with antialiasing, perhaps through JPEG."""
        full_height, full_width = pixels.shape[:2]
        share = self._rng.uniform(_MIN_CROP, 1) * min(full_width / width, full_height / height)
        crop_width, crop_height = max(1, round(width * share)), max(1, round(height * share))
        x = int(self._rng.integers(0, max(1, full_width - crop_width + 1)))
        y = int(self._rng.integers(0, max(1, full_height - crop_height + 1)))
        cut = np.ascontiguousarray(pixels[y : y + crop_height, x : x + crop_width])
        return self._finish(scale(cut, width, height))

    def fit(self, pixels: Pixels, width: int, height: int) -> Pixels:
        """Return the whole picture scaled to fit into width x height."""
        full_height, full_width = pixels.shape[:2]
        factor = min(width / full_width, height / full_height)
        return self._finish(scale(pixels, max(1, round(full_width * factor)), max(1, round(full_height * factor))))

    def _finish(self, pixels: Pixels) -> Pixels:
        lossy, quality = self._rng.random() < _JPEG_SHARE, int(self._rng.integers(70, 96))
        return through_jpeg(pixels, quality=quality) if lossy else pixels


def scale(pixels: Pixels, width: int, height: int) -> Pixels:
    """Return (H, W, 3) pixels resized to (height, width, 3) with an antialiasing filter."""
    if pixels.shape[:2] == (height, width):
        return pixels
    image = Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return np.array(image, dtype=np.uint8)


def through_jpeg(pixels: Pixels, *, quality: int) -> Pixels:
    """Return what a JPEG of `quality` makes of the pixels."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="JPEG", quality=quality)
    with Image.open(buffer) as image:
        return np.array(image, dtype=np.uint8)
