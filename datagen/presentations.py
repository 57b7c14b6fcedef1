"""Presentations that nobody gave: what their slides say, and the look they share."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from datagen.canvas import Colour
from datagen.charts import Series, random_walk
from datagen.materials import Materials
from datagen.sources import Photo
from datagen.theme import Theme, mix
from pipeline.formats.picture import Pixels

Kind = Literal["title", "bullets", "columns", "picture", "bleed", "chart", "quote", "photos", "figures", "table"]
_KINDS: tuple[Kind, ...] = (
    *("bullets", "bullets", "columns", "picture", "picture", "bleed", "chart", "chart", "quote", "photos", "figures"),
    "table",
)
_NUM_PHOTOS: dict[Kind, int] = {"picture": 1, "bleed": 1, "photos": 3}
_WHITE: Colour = (255, 255, 255)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A photograph and where it is cut, the same at every size."""

    photo: Photo
    place: tuple[float, float]

    def cut(self, width: int, height: int) -> Pixels:
        """Return the pixels for an area, (height, width, 3)."""
        share = min(self.photo.width / width, self.photo.height / height)
        cut_width, cut_height = width * share, height * share
        # Rounding must not push the cut over the edge.
        x = max(0.0, self.place[0] * (self.photo.width - cut_width))
        y = max(0.0, self.place[1] * (self.photo.height - cut_height))
        return self.photo.cut((x, y, x + cut_width, y + cut_height), width, height)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slide:
    """One slide's content."""

    kind: Kind
    title: str
    lines: tuple[str, ...]
    names: tuple[str, ...]
    values: tuple[Series, ...]
    photos: tuple[Picture, ...]
    form: int
    """Chooses among the layouts of a kind."""
    number: int


def write_slides(materials: Materials, rng: np.random.Generator, count: int, *, pictures: float) -> list[Slide]:
    """Return a presentation; `pictures` is the share of slides that may show photographs."""
    return [_write_slide(materials, rng, number, pictures=pictures) for number in range(1, count + 1)]


def _write_slide(materials: Materials, rng: np.random.Generator, number: int, *, pictures: float) -> Slide:
    text = materials.text
    kind: Kind = "title" if number == 1 else text.pick(_KINDS)
    if rng.random() > pictures:
        while kind in _NUM_PHOTOS:
            kind = text.pick(_KINDS)
    num_photos = _NUM_PHOTOS.get(kind, 1 if rng.random() < pictures and kind in ("title", "columns") else 0)
    photos = [
        Picture(photo=materials.whole_photo(), place=(float(rng.random()), float(rng.random())))
        for _ in range(num_photos)
    ]
    return Slide(
        kind=kind,
        title=text.pick([text.label(2), text.label(3), text.headline()]),
        lines=tuple(text.sentence() for _ in range(text.number(3, 7))),
        names=tuple(text.noun().capitalize() for _ in range(8)),
        values=tuple(random_walk(rng, 7, level=60.0) for _ in range(int(rng.integers(1, 4)))),
        photos=tuple(photos),
        form=text.number(0, 12),
        number=number,
    )


def choose_style(theme: Theme, rng: np.random.Generator) -> Theme:
    """Return the look of a presentation, chosen apart from the program that shows it."""
    form = int(rng.integers(5))
    ground: Colour = (255, 255, 255)
    ink: Colour = (34, 38, 46)
    if form == 1:
        ground, ink = mix(theme.series[1], (0, 0, 0), 0.72), (240, 242, 246)
    elif form == 2:
        ground, ink = (22, 24, 29), (236, 238, 240)
    elif form == 3:
        ground = mix((255, 255, 255), theme.series[2], 0.08)
    dark = form in (1, 2)
    order = int(rng.integers(len(theme.series)))
    series = (*theme.series[order:], *theme.series[:order])
    accent = mix(series[0], _WHITE, 0.25) if dark else series[0]
    return replace(
        theme,
        dark=dark,
        page=ground,
        surface=ground,
        raised=mix(ground, ink, 0.06),
        border=mix(ground, ink, 0.18),
        text=ink,
        muted=mix(ink, ground, 0.4),
        accent=accent,
        series=series,
        sans=theme.sans if rng.random() < 0.75 else theme.serif,
    )
