"""The design of one paper document: its typefaces, columns and colours, sized in points."""

from dataclasses import dataclass, replace

import numpy as np

from datagen.canvas import Colour
from datagen.fonts import Font, font
from datagen.geometry import Box
from datagen.materials import Materials
from datagen.page_text import Body
from datagen.theme import Theme

_SMALLEST_TYPE = 5
_A4_POINTS = 595
"""Width of a page in typographic points; type sizes below are in points."""
_HIGHLIGHTERS: tuple[Colour, ...] = ((255, 243, 128), (190, 240, 170), (255, 214, 224))
_KINDS = {"paper": 0.26, "report": 0.28, "letter": 0.12, "manual": 0.2, "invoice": 0.08, "scan": 0.06}


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """One document's design."""

    kind: str
    """Key of _KINDS."""
    width: int
    """Of a page, in pixels."""
    serif: bool
    text: float
    """Type size in points."""
    num_columns: int
    justified: bool
    numbered: bool
    theme: Theme
    """Of the page itself: light, sized in points."""
    heading: Colour
    photo_share: float
    """Of figures that are photographs."""
    title: str
    view: Box
    """What is seen of the document; below it nothing is set."""

    def px(self, points: float) -> int:
        """Return a length given in points, in pixels."""
        return round(points * self.width / _A4_POINTS)

    def font(self, points: float, style: str = "regular", *, sans: bool = False) -> Font:
        """Return the document's typeface."""
        family = self.theme.sans if sans or not self.serif else self.theme.serif
        return font(family, max(_SMALLEST_TYPE, self.px(points)), style)

    def body(self, rng: np.random.Generator) -> Body:
        """Return how its running text is set; one paragraph in 25 has been highlighted."""
        marked = _HIGHLIGHTERS[int(rng.integers(len(_HIGHLIGHTERS)))] if rng.random() < 0.04 else None
        return Body(
            font=self.font(self.text),
            colour=self.theme.text,
            leading=1.32 if self.serif else 1.42,
            justified=self.justified,
            indent=self.px(14) if self.kind == "paper" else 0,
            marked=marked,
        )


def choose_style(theme: Theme, materials: Materials, rng: np.random.Generator, width: int, view: Box) -> Style:
    """Return a random design for pages of `width` pixels."""
    kind = str(rng.choice(list(_KINDS), p=list(_KINDS.values())))
    serif = bool(rng.random() < (0.8 if kind == "paper" else 0.4))
    ink = int(rng.integers(0, 50))
    paper = replace(
        theme,
        dark=False,
        page=(255, 255, 255),
        surface=(255, 255, 255),
        raised=(243, 244, 246),
        border=(205, 207, 211),
        text=(ink, ink, ink),
        muted=(100, 102, 108),
        scale=width / 640,
    )
    return Style(
        kind=kind,
        width=width,
        serif=serif,
        text=float(rng.choice([9.5, 10, 11, 12])),
        num_columns=2 if rng.random() < {"paper": 0.6, "manual": 0.15}.get(kind, 0.0) else 1,
        justified=bool(rng.random() < (0.5 if kind == "paper" else 0.15)),
        numbered=bool(rng.random() < 0.5),
        theme=paper,
        heading=theme.series[0] if rng.random() < 0.4 else (ink, ink, ink),
        photo_share=float(rng.choice([0.3, 0.7, 1.0])),
        title=materials.text.headline(),
        view=view,
    )
