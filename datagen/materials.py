"""What a scene may use: photographs and words of its split, dealt by the sample's own generator."""

import io
from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image

from datagen.sources import PlannedSource
from datagen.texts import TextBank, Words
from pipeline.formats.picture import Pixels
from pipeline.formats.sample import Source

LoadPhoto = Callable[[PlannedSource], Pixels]

_MIN_CROP = 0.7
"""Smallest share of a photograph's larger possible crop that is cut out."""
_JPEG_SHARE = 0.5
"""Share of photographs that are JPEG-compressed at their shown size, as most are on the web."""


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

    @property
    def sources(self) -> tuple[Source, ...]:
        """The photographs used so far, in order of use, then the words."""
        return (*self._used.values(), self._words.source)

    def photo(self, width: int, height: int) -> Pixels:
        """Return a crop of some photograph, scaled to (height, width, 3); none repeats until all were used."""
        if not self._unused:
            self._unused = [int(index) for index in self._rng.permutation(len(self._photos))]
        planned = self._photos[self._unused.pop()]
        self._used.setdefault(planned.source.sha256, planned.source)
        return self.crop(self._load(planned), width, height)

    def whole_photo(self) -> tuple[Pixels, PlannedSource]:
        """Return a whole photograph and its source."""
        planned = self._photos[int(self._rng.integers(len(self._photos)))]
        self._used.setdefault(planned.source.sha256, planned.source)
        return self._load(planned), planned

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
