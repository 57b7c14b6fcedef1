"""A city map drawn from random streets: land, water, parks, houses, roads by class, names along them."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from datagen.blending import blend, row_of, spread
from datagen.canvas import Colour
from datagen.fonts import Family, Font, font
from datagen.glyphs import draw_line
from datagen.map_palettes import Palette
from datagen.opencv import opencv
from datagen.shapes import Mask, Point
from datagen.texts import TextBank
from pipeline.formats.picture import Pixels

_SUPERSAMPLING = 2
"""Of names."""
_FRACTION_BITS = 4
"""Points lie on a grid of 16ths of pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A city's streets: crossings of a turned, uneven grid."""

    points: tuple[tuple[Point, ...], ...]
    """Crossings by column and row, in pixels."""
    main_columns: frozenset[int]
    main_rows: frozenset[int]
    names: tuple[str, ...]
    """Of streets, columns first."""

    def path(self, rng: np.random.Generator) -> list[Point]:
        """Return a way from one crossing to another along streets."""
        columns, rows = len(self.points), len(self.points[0])
        i, j = (
            columns // 2 - int(rng.integers(1, max(2, columns // 4))),
            rows // 2 - int(rng.integers(1, max(2, rows // 4))),
        )
        way = [self.points[i][j]]
        for step in rng.random(int(rng.integers(6, 16))):
            i, j = (min(columns - 1, i + 1), j) if step < 0.55 else (i, min(rows - 1, j + 1))
            way.append(self.points[i][j])
        return way

    def crossing(self, rng: np.random.Generator) -> Point:
        """Return any crossing."""
        column = self.points[int(rng.integers(len(self.points)))]
        return column[int(rng.integers(len(column)))]


def make_plan(width: int, height: int, scale: float, text: TextBank, rng: np.random.Generator) -> Plan:
    """Return the streets that cover width x height pixels; `scale` is pixels to a 1x pixel."""
    across, down = (scale * float(rng.uniform(48, 120)) for _ in range(2))
    angle = math.radians(float(rng.uniform(-32, 32)))
    reach = math.hypot(width, height) * 0.56
    columns, rows = (2 * int(reach // size) + 2 for size in (across, down))
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows), indexing="ij"), axis=2).astype(float)
    grid = (grid - [(columns - 1) / 2, (rows - 1) / 2]) * [across, down]
    grid[:, :, 0] += rng.normal(0, across * 0.16, columns)[:, None] + rng.normal(0, across * 0.035, (columns, rows))
    grid[:, :, 1] += rng.normal(0, down * 0.16, rows)[None, :] + rng.normal(0, down * 0.035, (columns, rows))
    # A wide bend makes long streets curve as they do around old centres.
    grid[:, :, 1] += np.sin(grid[:, :, 0] / reach * float(rng.uniform(0.5, 2.5))) * down * float(rng.uniform(0, 2.2))
    turn = np.asarray([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    placed = grid @ turn.T + [width / 2, height / 2]
    every = int(rng.integers(3, 6))
    endings = ("Street", "Road", "Lane", "Avenue", "Way")
    return Plan(
        points=tuple(tuple((float(x), float(y)) for x, y in column) for column in placed),
        main_columns=frozenset(range(int(rng.integers(every)), columns, every)),
        main_rows=frozenset(range(int(rng.integers(every)), rows, every)),
        names=tuple(f"{text.noun().capitalize()} {text.pick(endings)}" for _ in range(24)),
    )


def draw_map(
    size: tuple[int, int], plan: Plan, palette: Palette, face: tuple[Family, float], rng: np.random.Generator
) -> Pixels:
    """Return the map, (H, W, 3) for a `size` of (width, height); `face` is a font family and the scale."""
    width, height = size
    pixels = np.empty((height, width, 3), dtype=np.uint8)
    pixels[:] = palette.land
    pen = _Pen(pixels=pixels, unit=face[1])
    houses = rng.random() < 0.6
    _areas(pen, plan, palette, rng, houses=houses)
    wide = float(rng.uniform(4, 8))
    _streets(pen, plan, palette, rng, wide)
    # Only main roads have bridges.
    _water(pen, size, palette, rng)
    _main_roads(pen, size, plan, palette, rng, wide)
    _names(pen, plan, palette, face, rng)
    return pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pen:
    pixels: Pixels
    unit: float
    """Pixels to a 1x pixel."""

    def line(self, points: list[Point], colour: Colour, width: float) -> None:
        """Draw an open line, antialiased, with round joints."""
        cv2 = opencv()
        thickness = max(1, round(width * self.unit))
        cv2.polylines(self.pixels, [_fixed(points)], False, colour, thickness, cv2.LINE_AA, _FRACTION_BITS)

    def area(self, points: list[Point], colour: Colour) -> None:
        """Fill a polygon, antialiased."""
        cv2 = opencv()
        cv2.fillPoly(self.pixels, [_fixed(points)], colour, cv2.LINE_AA, _FRACTION_BITS)

    def sees(self, point: Point, margin: float) -> bool:
        """Return whether a point is on the map or near it."""
        height, width = self.pixels.shape[:2]
        return bool(-margin < point[0] < width + margin and -margin < point[1] < height + margin)


def _fixed(points: list[Point]) -> NDArray[np.int32]:
    """Return points in fixed point, (n, 1, 2), with pixels' middles at whole numbers as OpenCV has them."""
    placed: NDArray[np.int32] = np.rint((np.array(points) - 0.5) * (1 << _FRACTION_BITS)).astype(np.int32)
    return placed[:, None]


def _areas(pen: _Pen, plan: Plan, palette: Palette, rng: np.random.Generator, *, houses: bool) -> None:
    points = plan.points
    num_columns, num_rows = len(points) - 1, len(points[0]) - 1
    chances = rng.random((num_columns, num_rows))
    if houses:
        for i, j in zip(*np.nonzero(chances < 0.85), strict=True):
            if pen.sees(points[i][j], 120 * pen.unit):
                _houses(pen, (points[i][j], points[i + 1][j], points[i][j + 1]), palette, rng)
    for i, j in zip(*np.nonzero(chances > 0.965), strict=True):
        # A park takes a few blocks.
        far, low = min(num_columns, i + int(rng.integers(1, 4))), min(num_rows, j + int(rng.integers(1, 3)))
        pen.area([points[i][j], points[far][j], points[far][low], points[i][low]], palette.park)


def _houses(pen: _Pen, corners: tuple[Point, Point, Point], palette: Palette, rng: np.random.Generator) -> None:
    (x, y), right, below = corners
    across, down = (right[0] - x, right[1] - y), (below[0] - x, below[1] - y)
    cuts = np.sort(rng.uniform(0.16, 0.84, 3)).tolist()
    for low, high, chance in zip((0.14, *cuts), (*cuts, 0.89), rng.random(4).tolist(), strict=True):
        far = high - 0.03
        if far - low < 0.06 or chance < 0.2:
            continue
        top, bottom = (0.14, 0.46) if chance < 0.6 else (0.54, 0.86)
        shape = ((low, top), (far, top), (far, bottom), (low, bottom))
        pen.area([(x + across[0] * a + down[0] * b, y + across[1] * a + down[1] * b) for a, b in shape], palette.houses)


def _water(pen: _Pen, size: tuple[int, int], palette: Palette, rng: np.random.Generator) -> None:
    width, height = size
    form = rng.random()
    if form < 0.55:
        steps = np.linspace(-0.1, 1.1, 40)
        middle, swing, turns = float(rng.uniform(0.15, 0.85)), float(rng.uniform(0.03, 0.16)), float(rng.uniform(2, 7))
        line = middle + swing * np.sin(steps * turns + float(rng.uniform(0, 6)))
        lying = rng.random() < 0.5
        points = [
            (x * width, y * height) if lying else (y * width, x * height) for x, y in zip(steps, line, strict=True)
        ]
        pen.line(points, palette.water, float(rng.uniform(14, 70)))
    elif form < 0.8:
        centre = (float(rng.uniform(0, width)), float(rng.uniform(0, height)))
        radius = min(width, height) * float(rng.uniform(0.1, 0.4))
        angles = np.linspace(0, math.tau, 36, endpoint=False)
        waves = 1 + 0.2 * np.sin(2 * angles + float(rng.uniform(0, 6))) + 0.1 * np.sin(5 * angles)
        shore = [
            (centre[0] + radius * r * math.cos(a), centre[1] + radius * r * math.sin(a))
            for r, a in zip(waves, angles, strict=True)
        ]
        pen.area(shore, palette.water)


def _lines(plan: Plan) -> tuple[list[list[Point]], list[list[Point]]]:
    """Return the streets along columns and along rows."""
    points = plan.points
    return [list(column) for column in points], [[column[j] for column in points] for j in range(len(points[0]))]


def _streets(pen: _Pen, plan: Plan, palette: Palette, rng: np.random.Generator, wide: float) -> None:
    columns, rows = _lines(plan)
    streets = [_with_gaps(line, rng) for line in (*columns, *rows)]
    for colour, extra in ((palette.casing, 2.0), (palette.street, 0.0)):
        for pieces in streets:
            for piece in pieces:
                pen.line(piece, colour, wide + extra)


def _main_roads(
    pen: _Pen, size: tuple[int, int], plan: Plan, palette: Palette, rng: np.random.Generator, wide: float
) -> None:
    columns, rows = _lines(plan)
    main = [columns[i] for i in plan.main_columns] + [rows[j] for j in plan.main_rows]
    for colour, extra in ((palette.main_casing, 2.4), (palette.main, 0.0)):
        for line in main:
            pen.line(line, colour, wide * 1.7 + extra)
    if rng.random() < 0.6:
        curve = _motorway(size, rng)
        for colour, extra in ((palette.motorway_casing, 3.0), (palette.motorway, 0.0)):
            pen.line(curve, colour, wide * 2 + extra)


def _with_gaps(line: list[Point], rng: np.random.Generator) -> list[list[Point]]:
    """Return the parts of a street that were built."""
    pieces, piece = [], [line[0]]
    for point, missing in zip(line[1:], rng.random(len(line) - 1) < 0.09, strict=True):
        if missing:
            pieces.append(piece)
            piece = [point]
        else:
            piece.append(point)
    return [part for part in (*pieces, piece) if len(part) > 1]


def _motorway(size: tuple[int, int], rng: np.random.Generator) -> list[Point]:
    """Return a gentle curve from one side of the map to the opposite one."""
    width, height = size
    low, bend, high = (float(value) for value in rng.uniform((0.0, 0.1, 0.0), (1.0, 0.9, 1.0)))
    shares = np.linspace(-0.05, 1.05, 40)
    across = (1 - shares) ** 2 * low + 2 * shares * (1 - shares) * bend + shares**2 * high
    lying = rng.random() < 0.5
    return [
        (t * width, y * height) if lying else (y * width, t * height)
        for t, y in zip(shares.tolist(), across.tolist(), strict=True)
    ]


def _names(pen: _Pen, plan: Plan, palette: Palette, face: tuple[Family, float], rng: np.random.Generator) -> None:
    """Write names along main streets first, then along some others, none where another name is."""
    # Turned at twice the size, so that they stay sharp.
    large = font(face[0], max(8 * _SUPERSAMPLING, round(10.5 * pen.unit * _SUPERSAMPLING)))
    taken: list[tuple[float, float, float]] = []
    height, width = pen.pixels.shape[:2]
    points = plan.points
    places = [(i, j, True) for i in sorted(plan.main_columns) for j in range(1, len(points[0]) - 1, 5)]
    places += [(i, j, False) for j in sorted(plan.main_rows) for i in range(1, len(points) - 1, 5)]
    places += [
        (int(rng.integers(1, len(points) - 1)), int(rng.integers(1, len(points[0]) - 1)), bool(rng.random() < 0.5))
        for _ in range(12)
    ]
    for i, j, upright in places:
        here, there = points[i][j], points[i][j + 1] if upright else points[i + 1][j]
        x, y = (here[0] + there[0]) / 2, (here[1] + there[1]) / 2
        name = plan.names[(i if upright else j + 7) % len(plan.names)]
        half = large.width(name) / (2 * _SUPERSAMPLING)
        inside = half < x < width - half and 10 < y < height - 10
        if not inside or any(math.hypot(x - a, y - b) < half + c for a, b, c in taken):
            continue
        taken.append((x, y, half))
        angle = -math.degrees(math.atan2(there[1] - here[1], there[0] - here[0]))
        mask = _turned(name, large, (angle + 90) % 180 - 90)
        if mask is not None:
            left, top = round(x - mask.shape[1] / 2), round(y - mask.shape[0] / 2)
            reach = max(1, large.size // (8 * _SUPERSAMPLING))
            _print(pen.pixels, _grown(mask, reach), (left, top), palette.halo)
            _print(pen.pixels, mask, (left, top), palette.text)


def _turned(name: str, large: Font, angle: float) -> Mask | None:
    """Return the coverage of a name turned by `angle` degrees, with room for a halo; None if it has no ink."""
    drawn = draw_line(name, large, subpixel=False)
    if drawn is None:
        return None
    upright = Image.fromarray(np.pad(drawn.coverage, large.size // 2))
    turned = upright.rotate(angle, Image.Resampling.BILINEAR, expand=True).reduce(_SUPERSAMPLING)
    return np.asarray(turned, dtype=np.uint8)


def _print(pixels: Pixels, mask: Mask, at: tuple[int, int], colour: Colour) -> None:
    """Lay a colour through a coverage whose upper left corner is at (x, y); what lies outside is left out."""
    (left, top), (height, width) = at, pixels.shape[:2]
    rows = slice(max(0, top), min(height, top + mask.shape[0]))
    columns = slice(max(0, left), min(width, left + mask.shape[1]))
    seen = mask[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    if seen.size:
        part = pixels.reshape(height, 3 * width)[rows, 3 * columns.start : 3 * columns.stop]
        blend(part, row_of(colour, seen.shape[1]), spread(seen))


def _grown(mask: Mask, reach: int) -> Mask:
    """Return the mask with everything in it wider by `reach` on each side."""
    grown = mask.copy()
    for shift in range(1, reach + 1):
        np.maximum(grown[:, shift:], mask[:, :-shift], out=grown[:, shift:])
        np.maximum(grown[:, :-shift], mask[:, shift:], out=grown[:, :-shift])
    mask = grown.copy()
    for shift in range(1, reach + 1):
        np.maximum(grown[shift:], mask[:-shift], out=grown[shift:])
        np.maximum(grown[:-shift], mask[shift:], out=grown[:-shift])
    return grown
