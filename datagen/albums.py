"""Many small pictures from a few photographs, as bursts and series in people's folders are."""

import numpy as np

from datagen.materials import Materials, through_jpeg
from datagen.sources import Photo
from pipeline.formats.picture import Pixels

_SMALLEST_SHARE = 0.4
"""Of a photograph's larger possible crop: how far in the next picture of the same place may look."""
_MIRRORED_SHARE = 0.3
_JPEG_SHARE = 0.4


class Album:
    """Deals crops of at most `num_photos` photographs: decoding one costs more than drawing a screen of thumbnails."""

    def __init__(self, materials: Materials, rng: np.random.Generator, num_photos: int) -> None:
        self._materials = materials
        self._rng = rng
        self._num_photos = num_photos
        self._held: list[Photo] = []
        self._next = 0

    def shape(self) -> tuple[int, int]:
        """Return a usual picture shape, width to height: landscape, portrait, square or wide."""
        shapes = ((3, 2), (4, 3), (3, 2), (16, 9), (2, 3), (3, 4), (1, 1))
        return shapes[int(self._rng.integers(len(shapes)))]

    def crop(self, width: int, height: int) -> Pixels:
        """Return another picture, (height, width, 3); neighbours show different photographs.

        Raises: ValueError: a side is 0.
        """
        photo = self._turn()
        share = float(self._rng.uniform(_SMALLEST_SHARE, 1)) * min(photo.width / width, photo.height / height)
        cut_width, cut_height = width * share, height * share
        x = float(self._rng.random()) * (photo.width - cut_width)
        y = float(self._rng.random()) * (photo.height - cut_height)
        pixels = photo.cut((x, y, x + cut_width, y + cut_height), width, height)
        if self._rng.random() < _MIRRORED_SHARE:
            pixels = np.ascontiguousarray(pixels[:, ::-1])
        lossy, quality = self._rng.random() < _JPEG_SHARE, int(self._rng.integers(70, 95))
        return through_jpeg(pixels, quality=quality) if lossy else pixels

    def fit(self, width: int, height: int) -> Pixels:
        """Return a picture of any usual shape that fits into width x height and touches two of its sides."""
        across, down = self.shape()
        factor = min(width / across, height / down)
        return self.crop(max(1, round(across * factor)), max(1, round(down * factor)))

    def _turn(self) -> Photo:
        if self._next == len(self._held):
            self._held.append(self._materials.whole_photo())
        photo = self._held[self._next]
        self._next = (self._next + 1) % self._num_photos
        return photo
