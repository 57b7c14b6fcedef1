"""Line icons on a 24 x 24 grid, drawn with round strokes as most interfaces do."""

import math
from functools import lru_cache

from datagen.canvas import Canvas, Colour
from datagen.geometry import Box
from datagen.shapes import Point

_GRID = 24.0
_CIRCLE_POINTS = 20

ICONS = {
    "back": "14,6 8,12 14,18",
    "bell": "5,17 7,14 7,10 9,6 12,5 15,6 17,10 17,14 19,17 5,17; 10,19.5 14,19.5",
    "branch": "o7,6,2; o7,18,2; o17,8,2; 7,8 7,16; 17,10 16,12.5 7,13.5",
    "bug": "o12,13,5; 12,8 12,18; 4,10 7.4,11; 20,10 16.6,11; 4,17 7.6,15.6; 20,17 16.4,15.6; 9,5 10.5,8; 15,5 13.5,8",
    "calendar": "4,6 20,6 20,20 4,20 4,6; 4,10.5 20,10.5; 8,4 8,8; 16,4 16,8",
    "chart": "5,4 5,19 20,19; 8,15 12,10 15,12.5 19,7",
    "chat": "4,5 20,5 20,16 11,16 7,20 7,16 4,16 4,5",
    "check": "5,12.5 10,17.5 19,7",
    "clip": "18,10 11,17 8,17 6.5,15 7,12.5 14,5.5 17,5.5 18,8 11,15 9.5,14",
    "close": "6,6 18,18; 18,6 6,18",
    "crop": "7,3 7,17 21,17; 3,7 17,7 17,21",
    "dots": "o5.5,12,0.9; o12,12,0.9; o18.5,12,0.9",
    "down": "6,9 12,15 18,9",
    "file": "7,4 14,4 18,8 18,20 7,20 7,4; 14,4 14,8 18,8",
    "folder": "4,18 4,6 10,6 12,8.5 20,8.5 20,18 4,18",
    "forward": "10,6 16,12 10,18",
    "gear": "o12,12,3; o12,12,6.6; 12,2.8 12,5.4; 12,18.6 12,21.2; 2.8,12 5.4,12; 18.6,12 21.2,12; "
    "5.5,5.5 7.3,7.3; 16.7,16.7 18.5,18.5; 18.5,5.5 16.7,7.3; 7.3,16.7 5.5,18.5",
    "grid": "4,4 10,4 10,10 4,10 4,4; 14,4 20,4 20,10 14,10 14,4; "
    "4,14 10,14 10,20 4,20 4,14; 14,14 20,14 20,20 14,20 14,14",
    "heart": "12,19 5,12 4,9 6,6 9,6 12,9 15,6 18,6 20,9 19,12 12,19",
    "home": "4,12 12,5 20,12; 6.5,10 6.5,19 17.5,19 17.5,10",
    "image": "4,5 20,5 20,19 4,19 4,5; 4,16 9,11 13,15 16,12.5 20,16; o15.5,9,1.3",
    "lock": "6,11 18,11 18,20 6,20 6,11; 8.5,11 8.5,7.5 10,5 12,4.4 14,5 15.5,7.5 15.5,11",
    "menu": "4,7 20,7; 4,12 20,12; 4,17 20,17",
    "minus": "5,12 19,12",
    "phone": "6,4 9,4 10.5,9 8.5,10.5 13.5,15.5 15,13.5 20,15 20,18 17,20 10,17 6,11 4,7 6,4",
    "play": "8,5 19,12 8,19 8,5",
    "plus": "12,5 12,19; 5,12 19,12",
    "reload": "19,8 16,5.5 12,5 7,7 5,12 7,17 12,19 17,17 19,13; 19,4 19,8 15,8",
    "rotate": "18,9 15,6 11,5.4 7,7.5 5.5,12 7,16.5 11,18.6 15,18 18,15; 18,4 18,9 13,9",
    "search": "o10.5,10.5,6; 15,15 20,20",
    "send": "4,12 20,4 14,20 11,13 4,12; 11,13 20,4",
    "share": "o6,12,2.2; o17,6,2.2; o17,18,2.2; 8,11 15,7; 8,13 15,17",
    "sliders": "4,8 20,8; 4,16 20,16; o9,8,2; o15,16,2",
    "smile": "o12,12,8; 8.5,14 10,15.6 12,16.2 14,15.6 15.5,14; 9.3,9.6 9.3,10; 14.7,9.6 14.7,10",
    "square": "6,6 18,6 18,18 6,18 6,6",
    "star": "12,3.5 14.1,9.1 20.1,9.4 15.4,13.1 17,18.9 12,15.6 7,18.9 8.6,13.1 3.9,9.4 9.9,9.1 12,3.5",
    "trash": "5,7 19,7; 7,7 8,20 16,20 17,7; 10,7 10,4 14,4 14,7",
    "user": "o12,8.5,3.7; 5,20 6,16.5 9,15 15,15 18,16.5 19,20",
    "video": "4,7 15,7 15,17 4,17 4,7; 15,11 20,8 20,16 15,13",
}
"""Strokes by name, separated by `;`: points `x,y` joined by straight lines, or a circle `ox,y,radius`."""


def icon(canvas: Canvas, area: Box, name: str, colour: Colour, *, weight: float = 1.7) -> None:
    """Draw an icon in the middle of `area`, as large as its shorter side; `weight` is the stroke on the grid."""
    side = min(area.width, area.height)
    square = area.centred(side, side)
    factor = side / _GRID
    for stroke in strokes(name):
        points = [(square.x + x * factor, square.y + y * factor) for x, y in stroke]
        canvas.polyline(points, colour, thickness=weight * factor)
    canvas.mark(square)


@lru_cache(maxsize=len(ICONS))
def strokes(name: str) -> tuple[tuple[Point, ...], ...]:
    """Return the icon's lines on the grid."""
    return tuple(_parse(stroke.strip()) for stroke in ICONS[name].split(";"))


def _parse(stroke: str) -> tuple[Point, ...]:
    if stroke.startswith("o"):
        x, y, radius = map(float, stroke[1:].split(","))
        angles = [index * math.tau / _CIRCLE_POINTS for index in range(_CIRCLE_POINTS + 1)]
        return tuple((x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles)
    return tuple((float(x), float(y)) for x, y in (point.split(",") for point in stroke.split()))
