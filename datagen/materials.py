"""What a scene may use: photographs, texts and source code of its split, dealt by the sample's own generator."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import imagecodecs
import numpy as np

from datagen.documents import TextDocument
from datagen.scripts import bank
from datagen.source_code import identifier, write_code
from datagen.sources import Photo, PlannedSource
from datagen.texts import Words
from datagen.writings import Library, Listing, open_code, open_text
from pipeline.formats.picture import Pixels
from pipeline.formats.sample import Source

LoadPhoto = Callable[[PlannedSource], Photo | Pixels]

_MIN_CROP = 0.7
"""Smallest share of a photograph's larger possible crop that is cut out."""
_AS_SERVED_SHARE = 0.5
"""Share of crops that show pixels of the photograph, halved so and so often, without resampling: most sites serve
pictures in the size they are shown in."""
_PORTRAIT_SHARE = 0.6
"""Side of a portrait's square, as a share of the photograph's shorter side."""
_JPEG_SHARE = 0.5
"""Share of photographs that are JPEG-compressed at their shown size, as most are on the web."""
_COMPOSED = {"python": ("Python", "py"), "typescript": ("TypeScript", "ts")}
"""Title and file ending of the languages that can be composed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Portrait:
    photo: PlannedSource
    place: tuple[float, float]
    """Where the square is cut, as shares of the free width and height."""


class Materials:
    """Photographs and texts for one sample; remembers what was used."""

    def __init__(
        self,
        photos: Sequence[PlannedSource],
        words: Words,
        *,
        load: LoadPhoto,
        rng: np.random.Generator,
        library: Library | None = None,
    ) -> None:
        """`load` gives a photograph, or all its pixels; without a `library` texts and code are composed."""
        self._library = library or Library()
        self.text = bank(words, rng, open_document=self._open_text if self._library.texts else None)
        self._photos = photos
        self._words = words
        self._load = load
        self._rng = rng
        self._unused: list[int] = []
        self._used: dict[str, Source] = {}
        self._portraits: dict[str, _Portrait | None] = {}

    @property
    def sources(self) -> tuple[Source, ...]:
        """The photographs, texts and source files used so far, in order of use, then the words."""
        return (*self._used.values(), self._words.source)

    def photo(self, width: int, height: int) -> Pixels:
        """Return a crop of some photograph, scaled to (height, width, 3); none repeats until all were used.

        Raises: ValueError: a side is 0.
        """
        return self.crop(self.whole_photo(), width, height)

    def whole_photo(self) -> Photo:
        """Return a photograph to `crop` or `fit`; none repeats until all were used."""
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
        photo = self._open(portrait.photo)
        cut = max(1, round(min(photo.height, photo.width) * _PORTRAIT_SHARE))
        free = (photo.width - cut, photo.height - cut)
        x, y = (round(share * room) for share, room in zip(portrait.place, free, strict=True))
        return photo.cut((x, y, x + cut, y + cut), side, side)

    def code(self, language: str | None = None, num_lines: int = 120) -> Listing:
        """Return source code in `language` (Pygments' name, such as `python`), or in any.

        A file of the library is as long as it is; if there is none in the language, `num_lines` or more are composed,
        as Python where the composer does not know the language.
        """
        file = self._library.choose_code(self._rng, language)
        if file is not None:
            self._used.setdefault(file.source.sha256, file.source)
            return open_code(file)
        composed = language if language in _COMPOSED else "python" if language else self.text.pick(list(_COMPOSED))
        title, ending = _COMPOSED[composed]
        lines = tuple(write_code(self.text, composed, num_lines))
        return Listing(language=title, file_name=f"{identifier(self.text)}.{ending}", lines=lines)

    def _open_text(self) -> TextDocument:
        texts = self._library.texts
        text = texts[int(self._rng.integers(len(texts)))]
        self._used.setdefault(text.source.sha256, text.source)
        return open_text(text)

    def _open(self, planned: PlannedSource) -> Photo:
        self._used.setdefault(planned.source.sha256, planned.source)
        loaded = self._load(planned)
        return loaded if isinstance(loaded, Photo) else Photo.from_pixels(loaded)

    def crop(self, photo: Photo | Pixels, width: int, height: int) -> Pixels:
        """Return a random crop of the wanted shape, scaled with antialiasing, perhaps through JPEG."""
        photo = photo if isinstance(photo, Photo) else Photo.from_pixels(photo)
        full_width, full_height = photo.width, photo.height
        largest = min(full_width / width, full_height / height)
        share, unit = self._rng.uniform(_MIN_CROP, 1) * largest, 1
        if largest >= 1 and self._rng.random() < _AS_SERVED_SHARE:
            share = unit = 1 << int(math.log2(largest))
        crop_width, crop_height = max(1, round(width * share)), max(1, round(height * share))
        x = unit * int(self._rng.integers(0, max(1, (full_width - crop_width) // unit + 1)))
        y = unit * int(self._rng.integers(0, max(1, (full_height - crop_height) // unit + 1)))
        return self._finish(photo.cut((x, y, x + crop_width, y + crop_height), width, height))

    def fit(self, photo: Photo | Pixels, width: int, height: int) -> Pixels:
        """Return the whole picture scaled to fit into width x height."""
        photo = photo if isinstance(photo, Photo) else Photo.from_pixels(photo)
        factor = min(width / photo.width, height / photo.height)
        size = (max(1, round(photo.width * factor)), max(1, round(photo.height * factor)))
        return self._finish(photo.cut((0, 0, photo.width, photo.height), *size))

    def _finish(self, pixels: Pixels) -> Pixels:
        lossy, quality = self._rng.random() < _JPEG_SHARE, int(self._rng.integers(70, 96))
        return through_jpeg(pixels, quality=quality) if lossy else pixels


def through_jpeg(pixels: Pixels, *, quality: int) -> Pixels:
    """Return what a JPEG of `quality`, its colours at half the resolution, makes of pixels (H, W, 3)."""
    coded = imagecodecs.jpeg8_encode(pixels, level=quality, subsampling="420")
    decoded: Pixels = imagecodecs.jpeg8_decode(coded)
    return decoded
