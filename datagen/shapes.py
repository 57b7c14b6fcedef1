"""Coverage masks of shapes: (H, W) uint8, 255 = fully inside, values between on antialiased edges."""

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from datagen.blending import Values, spread
from datagen.geometry import Box, box

Mask = NDArray[np.uint8]
Point = tuple[float, float]

_SUPERSAMPLING = 4
_HELD_PIXELS = 64 * 64
"""Masks up to this size are held for the next time."""
_STRIP = 48
"""Width of a line's pieces, in pixels."""


def rounded(width: int, height: int, radius: float) -> Mask:
    """Return a rectangle with rounded corners; `radius` is capped at half the shorter side."""
    radius = min(radius, width / 2, height / 2)
    mask = np.full((height, width), 255, dtype=np.uint8)
    size = math.ceil(radius)
    if size <= 0:
        return mask
    for rows, columns, corner in _corners(size, _corner(radius)):
        mask[rows, columns] = corner
    return mask


def rounded_parts(area: Box, radius: float) -> list[tuple[Box, Mask | None]]:
    """Return `rounded` in parts that do not overlap: small masks at the corners, None where all is inside."""
    size = math.ceil(min(radius, area.width / 2, area.height / 2))
    if size <= 0:
        return [(area, None)]
    if 2 * size >= min(area.width, area.height):
        return [(area, rounded(area.width, area.height, radius))]
    return [*_corner_boxes(area, size, _corner(radius)), *((side, None) for side in _without_corners(area, size))]


def rounded_corners(width: int, height: int, radius: float) -> Values | None:
    """Return the corners of `rounded` as `blending.lay_rounded` wants them; None if there are none or they meet."""
    radius = min(radius, width / 2, height / 2)
    size = math.ceil(radius)
    return None if size <= 0 or 2 * size > min(width, height) else _rounded_values(radius)


def outline_corners(width: int, height: int, radius: float, thickness: int) -> Values | None:
    """Return the corners of `outline` as `blending.lay_outline` wants them; None if they meet."""
    radius = min(radius, width / 2, height / 2)
    size = max(math.ceil(radius), thickness)
    return None if 2 * size >= min(width, height) else _outline_values(radius, thickness)


def outline(width: int, height: int, radius: float, thickness: int) -> Mask:
    """Return the border of a rounded rectangle, `thickness` pixels wide, inside its box."""
    mask = rounded(width, height, radius)
    if width > 2 * thickness and height > 2 * thickness:
        inner = rounded(width - 2 * thickness, height - 2 * thickness, max(0.0, radius - thickness))
        mask[thickness : height - thickness, thickness : width - thickness] -= inner
    return mask


def outline_parts(area: Box, radius: float, thickness: int) -> list[tuple[Box, Mask | None]]:
    """Return `outline` in parts that do not overlap: masks at the corners, None along the sides."""
    size = max(math.ceil(min(radius, area.width / 2, area.height / 2)), thickness)
    if 2 * size >= min(area.width, area.height):
        return [(area, outline(area.width, area.height, radius, thickness))]
    corner = _outline_corner(radius, thickness)
    _, top, bottom = _without_corners(area, size)
    top, bottom = top.cut_top(thickness)[0], bottom.cut_bottom(thickness)[0]
    middle = box(area.x, area.y + size, area.width, area.height - 2 * size)
    sides = (top, bottom, middle.cut_left(thickness)[0], middle.cut_right(thickness)[0])
    return [*_corner_boxes(area, size, corner), *((side, None) for side in sides)]


def polygon(points: Sequence[Point], width: int, height: int) -> Mask:
    """Return a filled polygon; points are in pixels from the mask's upper left corner."""
    return (_held_polygon if width * height <= _HELD_PIXELS else _polygon)(tuple(points), width, height)


def polyline(points: Sequence[Point], width: int, height: int, *, thickness: float) -> Mask:
    """Return an open line through `points` with round joins, `thickness` pixels wide."""
    return polylines([points], width, height, thickness=thickness)


def polylines(lines: Sequence[Sequence[Point]], width: int, height: int, *, thickness: float) -> Mask:
    """Return several open lines as one mask."""
    # Points on a grid of 64ths, as glyphs have them: the same figure at another place is then the same key.
    snapped = tuple(tuple((round(x * 64) / 64, round(y * 64) / 64) for x, y in line) for line in lines)
    return (_held_polylines if width * height <= _HELD_PIXELS else _polylines)(snapped, width, height, thickness)


def strips(points: Sequence[Point], area: Box, margin: int) -> Iterator[tuple[Box, tuple[Point, ...]]]:
    """Cut the box of a line into upright strips; yield where the line is in each, and the points it needs there.

    `margin` is how far the line's edge may lie from its middle, in pixels.
    """
    if area.width <= 2 * _STRIP or len(points) < 2:
        yield area, tuple(points)
        return
    x, y = np.asarray(points, dtype=np.float64).T
    left, right = np.minimum(x[:-1], x[1:]), np.maximum(x[:-1], x[1:])
    for start in range(area.x, area.right, _STRIP):
        end = min(start + _STRIP, area.right)
        touching = np.flatnonzero((left <= end + margin) & (right >= start - margin))
        if len(touching):
            first, last = int(touching[0]), int(touching[-1]) + 1
            top, bottom = _reach(x[first : last + 1], y[first : last + 1], start - margin, end + margin)
            top, bottom = max(area.y, math.floor(top) - margin), min(area.bottom, math.ceil(bottom) + margin)
            yield box(start, top, end - start, bottom - top), tuple(points[first : last + 1])


def _reach(x: NDArray[np.float64], y: NDArray[np.float64], start: float, end: float) -> tuple[float, float]:
    """Return the lowest and highest y that a line reaches while its x is in start..end."""
    inside = y[(x >= start) & (x <= end)].tolist()
    for x0, y0, x1, y1 in zip(x[:-1], y[:-1], x[1:], y[1:], strict=True):
        for edge in (start, end):
            if min(x0, x1) <= edge <= max(x0, x1) and x0 != x1:
                inside.append(y0 + (y1 - y0) * (edge - x0) / (x1 - x0))
    return min(inside), max(inside)


def _polygon(points: tuple[Point, ...], width: int, height: int) -> Mask:
    image, draw = _canvas(width, height)
    draw.polygon(_scaled(points), fill=255)
    return _reduce(image)


def _polylines(lines: tuple[tuple[Point, ...], ...], width: int, height: int, thickness: float) -> Mask:
    image, draw = _canvas(width, height)
    stroke = max(1, round(thickness * _SUPERSAMPLING))
    for points in lines:
        draw.line(_scaled(points), fill=255, width=stroke, joint="curve")
        for x, y in (points[0], points[-1]):
            _dot(draw, x * _SUPERSAMPLING, y * _SUPERSAMPLING, stroke / 2)
    return _reduce(image)


# Icons come again and again, at the same places of their boxes.
_held_polygon = lru_cache(maxsize=512)(_polygon)
_held_polylines = lru_cache(maxsize=2048)(_polylines)


def sector(diameter: int, start: float, end: float, *, hole: float = 0.0) -> Mask:
    """Return a pie slice from `start` to `end` (degrees, clockwise from 3 o'clock); `hole` of the radius is cut."""
    image, draw = _canvas(diameter, diameter)
    side = diameter * _SUPERSAMPLING
    draw.pieslice((0, 0, side - 1, side - 1), start, end, fill=255)
    if hole > 0:
        margin = side * (1 - hole) / 2
        draw.ellipse((margin, margin, side - 1 - margin, side - 1 - margin), fill=0)
    return _reduce(image)


def soft_rectangle(width: int, height: int, blur: int) -> Mask:
    """Return a box shadow's mask: a rectangle of the given size with edges blurred over `blur` pixels on each side.

    The mask is (height + 2 * blur, width + 2 * blur); a product of two ramps, as separable blurs give.
    """
    return soft_part(box(0, 0, width + 2 * blur, height + 2 * blur), None, blur=blur)


def soft_part(around: Box, seen: Box | None, *, blur: int, strength: float = 1.0) -> Mask:
    """Return the part in `seen` (None: all) of a soft rectangle whose blurred edges reach to the sides of `around`."""
    seen = seen or around
    rows = _ramp(around.height - 2 * blur, blur)[seen.y - around.y : seen.bottom - around.y]
    columns = _ramp(around.width - 2 * blur, blur)[seen.x - around.x : seen.right - around.x]
    return (np.outer(rows, columns) * (255 * strength) + 0.5).astype(np.uint8)


@lru_cache(maxsize=256)
def _ramp(size: int, blur: int) -> NDArray[np.float64]:
    position = np.arange(size + 2 * blur) + 0.5
    edge = np.minimum(position, size + 2 * blur - position) / max(1, 2 * blur)
    step = np.clip(edge, 0, 1)
    return np.asarray(step * step * (3 - 2 * step))


@lru_cache(maxsize=256)
def _corner(radius: float) -> Mask:
    """Return the upper left corner of a rounded rectangle, (ceil(radius), ceil(radius))."""
    centre = np.arange(math.ceil(radius)) + 0.5 - radius
    distance = np.hypot(centre[:, None], centre[None, :])
    return np.clip((radius + 0.5 - distance) * 255 + 0.5, 0, 255).astype(np.uint8)


@lru_cache(maxsize=256)
def _outline_corner(radius: float, thickness: int) -> Mask:
    size = max(math.ceil(radius), thickness)
    # A small outline has the same corners as a large one.
    return outline(4 * size, 4 * size, radius, thickness)[:size, :size]


@lru_cache(maxsize=256)
def _rounded_values(radius: float) -> Values:
    return _corner_values(_corner(radius))


@lru_cache(maxsize=256)
def _outline_values(radius: float, thickness: int) -> Values:
    return _corner_values(_outline_corner(radius, thickness))


def _corner_values(corner: Mask) -> Values:
    """Return the four corners made from the upper left one side by side, a value for each colour."""
    return spread(np.concatenate([mask for _, _, mask in _corners(len(corner), corner)], axis=1))


def _corners(size: int, corner: Mask) -> list[tuple[slice, slice, Mask]]:
    """Return where the four corners go and what they look like, made from the upper left one."""
    low, high = slice(None, size), slice(-size, None)
    return [
        (low, low, corner),
        (low, high, corner[:, ::-1]),
        (high, low, corner[::-1]),
        (high, high, corner[::-1, ::-1]),
    ]


def _corner_boxes(area: Box, size: int, corner: Mask) -> list[tuple[Box, Mask | None]]:
    x, y = area.right - size, area.bottom - size
    places = ((area.x, area.y), (x, area.y), (area.x, y), (x, y))
    masks = [mask for _, _, mask in _corners(size, corner)]
    return [(box(left, top, size, size), mask) for (left, top), mask in zip(places, masks, strict=True)]


def _without_corners(area: Box, size: int) -> tuple[Box, Box, Box]:
    """Return the middle over the whole width, and what lies above and below it between the corners."""
    inner = area.width - 2 * size
    return (
        box(area.x, area.y + size, area.width, area.height - 2 * size),
        box(area.x + size, area.y, inner, size),
        box(area.x + size, area.bottom - size, inner, size),
    )


def _canvas(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("L", (max(1, width) * _SUPERSAMPLING, max(1, height) * _SUPERSAMPLING), 0)
    return image, ImageDraw.Draw(image)


def _scaled(points: Sequence[Point]) -> list[Point]:
    return [(x * _SUPERSAMPLING, y * _SUPERSAMPLING) for x, y in points]


def _dot(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float) -> None:
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)


def _reduce(image: Image.Image) -> Mask:
    # np.asarray gives a view that nobody can write to, so a mask that is held stays as it is.
    return np.asarray(image.reduce(_SUPERSAMPLING), dtype=np.uint8)
