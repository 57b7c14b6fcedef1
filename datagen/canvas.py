"""A picture and its labels, drawn together, so that the labels are exact by construction.

The rule: a pixel is NATURAL where its colour comes from a photograph alone, SYNTHETIC where it does not depend on any
photograph, IGNORE where both mix (antialiased text or edges over a photograph, a shadow on one).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from datagen import glyphs, shapes
from datagen.fonts import Font
from datagen.geometry import Box, box
from datagen.shapes import Mask, Point
from pipeline.formats.picture import Pixels
from pipeline.formats.sample import IGNORE, NATURAL, SYNTHETIC

Colour = tuple[int, int, int]
Antialiasing = Literal["grey", "rgb"]
_T = TypeVar("_T", np.uint8, np.bool_)


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One object of the layout."""

    area: Box
    mask: NDArray[np.bool_] | None
    """(height, width) of `area`; None = all of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Display:
    """The screen that is drawn for."""

    scale: float = 1.0
    """Device pixels to a logical pixel."""
    antialiasing: Antialiasing = "grey"
    """Of text: grey levels, or the red, green and blue stripes of an LCD."""


class Canvas:
    """Draws on `picture` (H, W, 3), keeps `label` (H, W) true, and collects `regions`."""

    def __init__(self, width: int, height: int, background: Colour, *, display: Display | None = None) -> None:
        self.display = display or Display()
        self.num_letters = 0
        """Characters set so far that left ink inside the picture."""
        self.picture: Pixels = np.empty((height, width, 3), dtype=np.uint8)
        self.picture[:] = background
        self.label: NDArray[np.uint8] = np.full((height, width), SYNTHETIC, dtype=np.uint8)
        self.regions: list[Region] = []
        self.area = box(0, 0, width, height)
        self._clip = self.area

    @contextmanager
    def clipped(self, area: Box) -> Iterator[None]:
        """Draw only inside `area` while the block runs, as a scrolled view does."""
        before = self._clip
        self._clip = before.intersection(area)
        try:
            yield
        finally:
            self._clip = before

    def mark(self, area: Box, mask: Mask | None = None) -> None:
        """Record an object of the layout: the visible part of `area`, or of a coverage mask of its size."""
        seen = area.intersection(self._clip)
        if seen.width == 0 or seen.height == 0:
            return
        inside = None if mask is None else _window(mask, area, seen) >= 128
        self.regions.append(Region(area=seen, mask=inside))

    def fill(self, area: Box, colour: Colour) -> None:
        """Fill a rectangle."""
        seen = area.intersection(self._clip)
        rows, columns = _slices(seen)
        self.picture[rows, columns] = colour
        self.label[rows, columns] = SYNTHETIC

    def rounded(self, area: Box, colour: Colour, radius: float) -> None:
        """Fill a rectangle with rounded corners."""
        self.mask(area, shapes.rounded(area.width, area.height, radius), colour)

    def outline(self, area: Box, colour: Colour, *, radius: float = 0, thickness: int = 1) -> None:
        """Draw a border inside `area`."""
        self.mask(area, shapes.outline(area.width, area.height, radius, thickness), colour)

    def gradient(self, area: Box, start: Colour, end: Colour, *, radius: float = 0, vertical: bool = True) -> None:
        """Fill with a linear gradient, downwards or to the right."""
        num_steps = area.height if vertical else area.width
        share = np.linspace(0, 1, max(1, num_steps))[:, None]
        ramp = (np.asarray(start) * (1 - share) + np.asarray(end) * share + 0.5).astype(np.uint8)
        colours = ramp[:, None, :] if vertical else ramp[None, :, :]
        pixels = np.broadcast_to(colours, (area.height, area.width, 3))
        self._blend(area, shapes.rounded(area.width, area.height, radius), pixels, natural=False)

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill a polygon, antialiased."""
        area, local = _bounds(points, 1)
        self.mask(area, shapes.polygon(local, area.width, area.height), colour)

    def polyline(self, points: Sequence[Point], colour: Colour, *, thickness: float = 1) -> None:
        """Draw an open line, antialiased."""
        area, local = _bounds(points, int(thickness) + 1)
        self.mask(area, shapes.polyline(local, area.width, area.height, thickness=thickness), colour)

    def shadow(self, area: Box, *, blur: int, strength: float, offset: int = 0) -> None:
        """Darken around `area` as a window or card does; draw it before the card."""
        mask = shapes.soft_rectangle(area.width, area.height, blur)
        around = box(area.x - blur, area.y - blur + offset, area.width + 2 * blur, area.height + 2 * blur)
        self.mask(around, (mask * strength).astype(np.uint8), (0, 0, 0))

    def text(self, x: int, baseline: int, text: str, font: Font, colour: Colour) -> int:
        """Set one line with its origin at (x, baseline); return the x where the next glyph would start."""
        drawn = glyphs.draw_line(text, font, subpixel=self.display.antialiasing == "rgb")
        if drawn is not None:
            height, width = drawn.coverage.shape[:2]
            area = box(x + drawn.left, baseline + drawn.top, width, height)
            self.mask(area, drawn.coverage, colour)
            seen = area.intersection(self._clip)
            self.num_letters += len(text) * seen.width * seen.height // (width * height)
        return x + font.width(text)

    def paste(self, area: Box, photo: Pixels, *, radius: float = 0) -> None:
        """Show photographed pixels, (height, width, 3) of `area`, with rounded corners; marks a region."""
        mask = shapes.rounded(area.width, area.height, radius)
        self._blend(area, mask, photo, natural=True)
        self.mark(area, mask)

    def lay(self, area: Box, drawn: Pixels) -> None:
        """Show pixels, (height, width, 3) of `area`, that were drawn without any photograph, such as a map's."""
        seen = area.intersection(self._clip)
        rows, columns = _slices(seen)
        self.picture[rows, columns] = _window(drawn, area, seen)
        self.label[rows, columns] = SYNTHETIC

    def veil(self, area: Box, colour: Colour, opacity: float, *, radius: float = 0) -> None:
        """Lay a translucent colour over `area`; `opacity` is 0..1."""
        coverage = shapes.rounded(area.width, area.height, radius)
        self.mask(area, (coverage * opacity + 0.5).astype(np.uint8), colour)

    def compose(self, area: Box, other: "Canvas", *, radius: float = 0, opacity: float = 1.0) -> None:
        """Lay a canvas of the size of `area`, such as a window, over this one, with its labels and regions."""
        seen = area.intersection(self._clip)
        if seen.width == 0 or seen.height == 0:
            return
        coverage = (shapes.rounded(area.width, area.height, radius) * opacity + 0.5).astype(np.uint8)
        rows, columns = _slices(seen)
        alpha = _window(coverage, area, seen)
        self.picture[rows, columns] = _mix(
            self.picture[rows, columns], _window(other.picture, area, seen), alpha[:, :, None]
        )
        below, above = self.label[rows, columns], _window(other.label, area, seen)
        both_drawn = (below == SYNTHETIC) & (above == SYNTHETIC)
        partial = np.where(both_drawn, SYNTHETIC, IGNORE)
        below[:] = np.where(alpha == 255, above, np.where(alpha == 0, below, partial))
        self.num_letters += other.num_letters
        for region in other.regions:
            place = region.area.moved(area.x, area.y)
            left = place.intersection(seen)
            if left.width and left.height:
                inside = None if region.mask is None else _window(region.mask, place, left)
                self.regions.append(Region(area=left, mask=inside))

    def mask(self, area: Box, coverage: Mask, colour: Colour) -> None:
        """Draw `colour` through a coverage mask of the size of `area`, (H, W) or (H, W, 3) for subpixels."""
        self._blend(area, coverage, np.asarray(colour, dtype=np.uint8), natural=False)

    def _blend(self, area: Box, coverage: Mask, colours: NDArray[np.uint8], *, natural: bool) -> None:
        """Lay `colours` ((3,) or (H, W, 3) of `area`) over the picture; a pixel of coverage 255 is replaced."""
        seen = area.intersection(self._clip)
        if seen.width == 0 or seen.height == 0:
            return
        rows, columns = _slices(seen)
        alpha = _window(coverage, area, seen)
        if colours.ndim == 3:
            colours = _window(colours, area, seen)
        target, label = self.picture[rows, columns], self.label[rows, columns]
        target[:] = _mix(target, colours, alpha if alpha.ndim == 3 else alpha[:, :, None])
        own = NATURAL if natural else SYNTHETIC
        some, all_of_it = (alpha, alpha) if alpha.ndim == 2 else (alpha.max(axis=2), alpha.min(axis=2))
        partial = (some > 0) & (all_of_it < 255) & (label != own)
        label[partial] = IGNORE
        label[all_of_it == 255] = own


def _mix(below: NDArray[np.uint8], above: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return `above` over `below`; `alpha` has a last axis of 1 or 3."""
    # 16 bits hold 255 * 255 + 127, and integers round alike on every machine.
    weight = alpha.astype(np.uint16)
    mixed: NDArray[np.uint8] = ((below * (255 - weight) + above * weight + 127) // 255).astype(np.uint8)
    return mixed


def _slices(area: Box) -> tuple[slice, slice]:
    return slice(area.y, area.bottom), slice(area.x, area.right)


def _window(array: NDArray[_T], area: Box, seen: Box) -> NDArray[_T]:
    """Return the part of `array`, which covers `area`, that lies in `seen`."""
    top, left = seen.y - area.y, seen.x - area.x
    return array[top : top + seen.height, left : left + seen.width]


def _bounds(points: Sequence[Point], margin: int) -> tuple[Box, list[Point]]:
    """Return the whole-pixel box around `points` and the points relative to it."""
    x, y = (int(np.floor(min(point[axis] for point in points))) - margin for axis in (0, 1))
    right, bottom = (int(np.ceil(max(point[axis] for point in points))) + margin for axis in (0, 1))
    return box(x, y, right - x, bottom - y), [(px - x, py - y) for px, py in points]
