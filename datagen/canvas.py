"""A picture and its labels, drawn together, so that the labels are exact by construction.

The rule: a pixel is NATURAL where its colour comes from a photograph alone, SYNTHETIC where it does not depend on any
photograph, IGNORE where both mix (antialiased text or edges over a photograph, a shadow on one).
"""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from datagen import shapes
from datagen.blending import Values, blend, lay_outline, lay_rounded, row_of, spread
from datagen.fonts import BUILT_IN, Font, Typefaces
from datagen.geometry import Box, box
from datagen.glyphs import lay_line
from datagen.kernels import lay_colour
from datagen.shapes import Mask, Point
from pipeline.formats.picture import Pixels
from pipeline.formats.sample import IGNORE, NATURAL, SYNTHETIC

Colour = tuple[int, int, int]
Antialiasing = Literal["grey", "rgb"]
_T = TypeVar("_T", np.uint8, np.bool_)

_LARGEST_CORNER = 24
"""Radius in logical pixels beyond which no card has rounded its corners."""


class Region(NamedTuple):
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
    typefaces: Typefaces = BUILT_IN
    """What is installed on it."""


class Canvas:
    """Draws on `picture` (H, W, 3), keeps `label` (H, W) true, and collects `regions`."""

    def __init__(self, width: int, height: int, background: Colour, *, display: Display | None = None) -> None:
        self.display = display or Display()
        self.num_letters = 0
        """Characters set so far that left ink inside the picture."""
        self.picture: Pixels = np.empty((height, width, 3), dtype=np.uint8)
        self._values: Values = self.picture.reshape(height, 3 * width)
        self._values[:] = row_of(background, width)
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
        seen = self._visible(area)
        if seen.width == 0 or seen.height == 0:
            return
        inside = None if mask is None else _window(mask, area, seen) >= 128
        self.regions.append(Region(area=seen, mask=inside))

    def fill(self, area: Box, colour: Colour) -> None:
        """Fill a rectangle."""
        seen = self._visible(area)
        self._seen(seen)[:] = row_of(colour, seen.width)
        self.label[_slices(seen)] = SYNTHETIC

    def rounded(self, area: Box, colour: Colour, radius: float) -> None:
        """Fill a rectangle with rounded corners."""
        self._cover(area, radius, colour)

    def outline(self, area: Box, colour: Colour, *, radius: float = 0, thickness: int = 1) -> None:
        """Draw a border inside `area`."""
        corners = shapes.outline_corners(area.width, area.height, radius, thickness)
        if corners is not None and self._is_plain(area):
            lay_outline(self._seen(area), row_of(colour, area.width), corners, thickness)
            return
        for part, coverage in shapes.outline_parts(area, radius, thickness):
            self._part(part, coverage, colour)

    def gradient(self, area: Box, start: Colour, end: Colour, *, radius: float = 0, vertical: bool = True) -> None:
        """Fill with a linear gradient, downwards or to the right."""
        num_steps = area.height if vertical else area.width
        share = np.linspace(0, 1, max(1, num_steps))[:, None]
        ramp = (np.asarray(start) * (1 - share) + np.asarray(end) * share + 0.5).astype(np.uint8)
        if vertical:
            values = np.tile(ramp, (1, area.width))
        else:
            values = np.broadcast_to(ramp.reshape(-1), (area.height, 3 * area.width))
        self._cover(area, radius, values)

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        """Fill a polygon, antialiased."""
        area, local = _bounds(points, 1)
        self.mask(area, shapes.polygon(local, area.width, area.height), colour)

    def polyline(self, points: Sequence[Point], colour: Colour, *, thickness: float = 1) -> None:
        """Draw an open line, antialiased."""
        margin = int(thickness) + 1
        area, _ = _bounds(points, margin)
        # A long thin line leaves most of its box empty, so it is drawn in pieces as wide as a piece of it is high.
        for strip, part in shapes.strips(points, area, margin):
            local = [(x - strip.x, y - strip.y) for x, y in part]
            self.mask(strip, shapes.polylines([local], strip.width, strip.height, thickness=thickness), colour)

    def shadow(self, area: Box, *, blur: int, strength: float, offset: int = 0) -> None:
        """Darken around `area` as a window or card does; draw it before the card, which has to hide its middle."""
        around = box(area.x - blur, area.y - blur + offset, area.width + 2 * blur, area.height + 2 * blur)
        hidden = area.inset(math.ceil(_LARGEST_CORNER * self.display.scale))
        if not (hidden.width and hidden.height):
            hidden = box(area.x, area.y, 0, 0)
        for part in _frame(around, hidden) if hidden.width else [around]:
            seen = self._visible(part)
            if seen.width and seen.height:
                coverage = shapes.soft_part(around, seen, blur=blur, strength=strength)
                self._part(seen, coverage, (0, 0, 0))

    def text(self, x: int, baseline: int, text: str, font: Font, colour: Colour) -> int:
        """Set one line with its origin at (x, baseline); return the x where the next glyph would start."""
        clip = self._clip
        at = (x, baseline, clip.x, clip.y, clip.right, clip.bottom)
        subpixel = self.display.antialiasing == "rgb"
        laid = lay_line((self._values, self.label), at, text, font, colour, subpixel=subpixel)
        for emblem in laid.emblems:
            height, width = emblem.coverage.shape
            place = box(x + emblem.left, baseline + emblem.top, width, height)
            self._part(place, emblem.coverage, emblem.colours.reshape(height, 3 * width))
        self.num_letters += laid.num_letters
        return x + laid.width

    def paste(self, area: Box, photo: Pixels, *, radius: float = 0) -> None:
        """Show photographed pixels, (height, width, 3) of `area`, with rounded corners; marks a region."""
        values = np.ascontiguousarray(photo).reshape(area.height, 3 * area.width)
        self._cover(area, radius, values, natural=True)
        self.mark(area, shapes.rounded(area.width, area.height, radius) if radius > 0 else None)

    def lay(self, area: Box, drawn: Pixels) -> None:
        """Show pixels, (height, width, 3) of `area`, that were drawn without any photograph, such as a map's."""
        seen = self._visible(area)
        rows, columns = _slices(seen)
        self.picture[rows, columns] = _window(drawn, area, seen)
        self.label[rows, columns] = SYNTHETIC

    def veil(self, area: Box, colour: Colour, opacity: float, *, radius: float = 0) -> None:
        """Lay a translucent colour over `area`; `opacity` is 0..1."""
        self._cover(area, radius, colour, opacity=opacity)

    def compose(self, area: Box, other: "Canvas", *, radius: float = 0, opacity: float = 1.0) -> None:
        """Lay a canvas of the size of `area`, such as a window, over this one, with its labels and regions."""
        for part, coverage in shapes.rounded_parts(area, radius):
            seen = self._visible(part)
            if seen.width and seen.height:
                alpha = None if coverage is None else _window(coverage, part, seen)
                self._compose(area, seen, other, _faded(alpha, opacity))
        self.num_letters += other.num_letters
        for region in other.regions:
            place = region.area.moved(area.x, area.y)
            left = place.intersection(area.intersection(self._clip))
            if left.width and left.height:
                inside = None if region.mask is None else _window(region.mask, place, left)
                self.regions.append(Region(area=left, mask=inside))

    def mask(self, area: Box, coverage: Mask, colour: Colour) -> None:
        """Draw `colour` through a coverage mask of the size of `area`, (H, W) or (H, W, 3) for subpixels."""
        self._part(area, coverage, colour)

    def _cover(
        self, area: Box, radius: float, colours: Colour | Values, *, opacity: float = 1.0, natural: bool = False
    ) -> None:
        """Lay a colour, or values (H, 3 * W) of `area`, over a rectangle with rounded corners."""
        corners = shapes.rounded_corners(area.width, area.height, radius) if opacity >= 1 and not natural else None
        if corners is not None and self._is_plain(area):
            above = row_of(colours, area.width) if isinstance(colours, tuple) else colours
            lay_rounded(self._seen(area), above, corners)
            return
        for part, coverage in shapes.rounded_parts(area, radius):
            own = colours if isinstance(colours, tuple) else _wide_window(colours, area, part)
            self._part(part, _faded(coverage, opacity), own, natural=natural)

    def _part(self, area: Box, coverage: Mask | int | None, colours: Colour | Values, *, natural: bool = False) -> None:
        """Lay a colour, or values (H, 3 * W) of `area`, over the picture where coverage says; None is everywhere."""
        seen = self._visible(area)
        if seen.width == 0 or seen.height == 0:
            return
        own = NATURAL if natural else SYNTHETIC
        if isinstance(colours, tuple) and isinstance(coverage, np.ndarray):
            place = (seen.y, seen.x, seen.y - area.y, seen.x - area.x, seen.height, seen.width)
            lay_colour((self._values, self.label), coverage, place, colours, own)
            return
        above = row_of(colours, seen.width) if isinstance(colours, tuple) else _wide_window(colours, area, seen)
        below, label = self._seen(seen), self.label[_slices(seen)]
        if coverage is None:
            below[:] = above
            label[:] = own
            return
        alpha = coverage if isinstance(coverage, int) else _window(coverage, area, seen)
        blend(below, above, alpha if isinstance(alpha, int) else spread(alpha))
        # Most of what is drawn lies on drawn pixels, which stay what they are.
        if natural or label.any():
            _relabel(label, alpha, own)

    def _compose(self, area: Box, seen: Box, other: "Canvas", alpha: Mask | int | None) -> None:
        above, upper = _wide_window(other._values, area, seen), _window(other.label, area, seen)
        below, label = self._seen(seen), self.label[_slices(seen)]
        if alpha is None:
            below[:] = above
            label[:] = upper
            return
        blend(below, above, alpha if isinstance(alpha, int) else spread(alpha))
        partial = np.where((label == SYNTHETIC) & (upper == SYNTHETIC), SYNTHETIC, IGNORE)
        label[:] = np.where(np.equal(alpha, 255), upper, np.where(np.equal(alpha, 0), label, partial))

    def _is_plain(self, area: Box) -> bool:
        """Return whether all of `area` is in sight and drawn, so that drawing there changes no label."""
        return self._visible(area) is area and not self.label[_slices(area)].any()

    def _visible(self, area: Box) -> Box:
        """Return the part of `area` inside the clip; its width or height is 0 if there is none."""
        x, y, width, height = area
        left, top, wide, high = self._clip
        inside = x >= left and y >= top and x + width <= left + wide and y + height <= top + high
        return area if inside else area.intersection(self._clip)

    def _seen(self, area: Box) -> Values:
        """Return the values of a part of the picture, (H, 3 * W)."""
        return self._values[area.y : area.bottom, 3 * area.x : 3 * area.right]


def _relabel(label: NDArray[np.uint8], alpha: Mask | int, own: int) -> None:
    """Say what pixels (H, W) are after something of the kind `own` was laid over them."""
    if isinstance(alpha, int):
        some = all_of_it = np.full(label.shape, alpha, dtype=np.uint8)
    else:
        some, all_of_it = (alpha, alpha) if alpha.ndim == 2 else (alpha.max(axis=2), alpha.min(axis=2))
    label[(some > 0) & (all_of_it < 255) & (label != own)] = IGNORE
    label[all_of_it == 255] = own


def _faded(coverage: Mask | None, opacity: float) -> Mask | int | None:
    """Return a coverage, None for a full one, times an opacity."""
    if opacity >= 1:
        return coverage
    return int(255 * opacity + 0.5) if coverage is None else (coverage * opacity + 0.5).astype(np.uint8)


def _frame(outer: Box, inner: Box) -> list[Box]:
    """Return what is left of `outer` without `inner`: the rows above and below it, then its sides."""
    inner = inner.intersection(outer)
    return [
        box(outer.x, outer.y, outer.width, inner.y - outer.y),
        box(outer.x, inner.bottom, outer.width, outer.bottom - inner.bottom),
        box(outer.x, inner.y, inner.x - outer.x, inner.height),
        box(inner.right, inner.y, outer.right - inner.right, inner.height),
    ]


def _slices(area: Box) -> tuple[slice, slice]:
    return slice(area.y, area.bottom), slice(area.x, area.right)


def _window(array: NDArray[_T], area: Box, seen: Box) -> NDArray[_T]:
    """Return the part of `array`, which covers `area`, that lies in `seen`."""
    top, left = seen.y - area.y, seen.x - area.x
    return array[top : top + seen.height, left : left + seen.width]


def _wide_window(values: Values, area: Box, seen: Box) -> Values:
    """Return the part of values (H, 3 * W), which cover `area`, that lies in `seen`."""
    top, left = seen.y - area.y, 3 * (seen.x - area.x)
    return values[top : top + seen.height, left : left + 3 * seen.width]


def _bounds(points: Sequence[Point], margin: int) -> tuple[Box, list[Point]]:
    """Return the whole-pixel box around `points` and the points relative to it."""
    x, y = (math.floor(min(point[axis] for point in points)) - margin for axis in (0, 1))
    right, bottom = (math.ceil(max(point[axis] for point in points)) + margin for axis in (0, 1))
    return box(x, y, right - x, bottom - y), [(px - x, py - y) for px, py in points]
