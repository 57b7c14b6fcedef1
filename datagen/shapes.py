"""Coverage masks of shapes: (H, W) uint8, 255 = fully inside, values between on antialiased edges."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Mask = NDArray[np.uint8]
Point = tuple[float, float]

_SUPERSAMPLING = 4


def rounded(width: int, height: int, radius: float) -> Mask:
    """Return a rectangle with rounded corners; `radius` is capped at half the shorter side."""
    radius = min(radius, width / 2, height / 2)
    mask = np.full((height, width), 255, dtype=np.uint8)
    size = math.ceil(radius)
    if size <= 0:
        return mask
    centre = np.arange(size) + 0.5 - radius
    distance = np.hypot(centre[:, None], centre[None, :])
    corner = np.clip((radius + 0.5 - distance) * 255 + 0.5, 0, 255).astype(np.uint8)
    mask[:size, :size] = corner
    mask[:size, width - size :] = corner[:, ::-1]
    mask[height - size :, :size] = corner[::-1]
    mask[height - size :, width - size :] = corner[::-1, ::-1]
    return mask


def outline(width: int, height: int, radius: float, thickness: int) -> Mask:
    """Return the border of a rounded rectangle, `thickness` pixels wide, inside its box."""
    mask = rounded(width, height, radius)
    if width > 2 * thickness and height > 2 * thickness:
        inner = rounded(width - 2 * thickness, height - 2 * thickness, max(0.0, radius - thickness))
        mask[thickness : height - thickness, thickness : width - thickness] -= inner
    return mask


def polygon(points: Sequence[Point], width: int, height: int) -> Mask:
    """Return a filled polygon; points are in pixels from the mask's upper left corner."""
    image, draw = _canvas(width, height)
    draw.polygon(_scaled(points), fill=255)
    return _reduce(image)


def polyline(points: Sequence[Point], width: int, height: int, *, thickness: float) -> Mask:
    """Return an open line through `points` with round joins, `thickness` pixels wide."""
    image, draw = _canvas(width, height)
    stroke = max(1, round(thickness * _SUPERSAMPLING))
    draw.line(_scaled(points), fill=255, width=stroke, joint="curve")
    for x, y in (points[0], points[-1]):
        _dot(draw, x * _SUPERSAMPLING, y * _SUPERSAMPLING, stroke / 2)
    return _reduce(image)


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
    return (np.outer(_ramp(height, blur), _ramp(width, blur)) * 255 + 0.5).astype(np.uint8)


def _ramp(size: int, blur: int) -> NDArray[np.float64]:
    position = np.arange(size + 2 * blur) + 0.5
    edge = np.minimum(position, size + 2 * blur - position) / (2 * blur)
    step = np.clip(edge, 0, 1)
    return np.asarray(step * step * (3 - 2 * step))


def _canvas(width: int, height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("L", (max(1, width) * _SUPERSAMPLING, max(1, height) * _SUPERSAMPLING), 0)
    return image, ImageDraw.Draw(image)


def _scaled(points: Sequence[Point]) -> list[Point]:
    return [(x * _SUPERSAMPLING, y * _SUPERSAMPLING) for x, y in points]


def _dot(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float) -> None:
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)


def _reduce(image: Image.Image) -> Mask:
    return np.asarray(image.reduce(_SUPERSAMPLING), dtype=np.uint8)
