"""A city map drawn from random streets: land, water, parks, houses, roads by class, names along them."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from datagen.canvas import Colour
from datagen.fonts import Family, Font, font
from datagen.glyphs import draw_line
from datagen.shapes import Mask, Point
from datagen.texts import TextBank
from pipeline.formats.picture import Pixels

_SUPERSAMPLING = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Colours of one provider's maps."""

    land: Colour
    houses: Colour
    water: Colour
    park: Colour
    street: Colour
    casing: Colour
    main: Colour
    main_casing: Colour
    motorway: Colour
    motorway_casing: Colour
    text: Colour
    halo: Colour
    water_text: Colour


PALETTES = {
    "road": Palette(
        land=(245, 243, 240), houses=(232, 229, 224), water=(156, 204, 232), park=(198, 231, 190),
        street=(255, 255, 255), casing=(222, 220, 216), main=(255, 247, 214), main_casing=(226, 206, 150),
        motorway=(252, 214, 112), motorway_casing=(220, 164, 60), text=(92, 92, 96), halo=(255, 255, 255),
        water_text=(70, 126, 170),
    ),
    "cool": Palette(
        land=(236, 239, 241), houses=(226, 230, 233), water=(144, 200, 226), park=(190, 226, 200),
        street=(255, 255, 255), casing=(214, 219, 224), main=(255, 255, 255), main_casing=(192, 200, 208),
        motorway=(160, 176, 196), motorway_casing=(128, 146, 170), text=(80, 88, 100), halo=(250, 251, 252),
        water_text=(56, 110, 150),
    ),
    "open": Palette(
        land=(242, 239, 233), houses=(217, 208, 201), water=(170, 211, 223), park=(200, 250, 204),
        street=(255, 255, 255), casing=(187, 187, 187), main=(247, 250, 191), main_casing=(191, 193, 110),
        motorway=(232, 146, 162), motorway_casing=(194, 78, 100), text=(60, 58, 56), halo=(255, 255, 255),
        water_text=(90, 120, 170),
    ),
    "grey": Palette(
        land=(242, 243, 244), houses=(234, 235, 236), water=(208, 215, 220), park=(232, 238, 232),
        street=(255, 255, 255), casing=(226, 227, 229), main=(255, 255, 255), main_casing=(214, 216, 219),
        motorway=(232, 233, 236), motorway_casing=(200, 203, 208), text=(140, 143, 148), halo=(248, 249, 250),
        water_text=(140, 152, 164),
    ),
    "dark": Palette(
        land=(32, 36, 44), houses=(38, 43, 52), water=(18, 30, 48), park=(30, 50, 46), street=(52, 58, 70),
        casing=(26, 30, 38), main=(70, 77, 92), main_casing=(28, 32, 40), motorway=(104, 96, 74),
        motorway_casing=(40, 36, 30), text=(170, 176, 188), halo=(26, 30, 38), water_text=(96, 130, 176),
    ),
}  # fmt: skip


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
    large = (width * _SUPERSAMPLING, height * _SUPERSAMPLING)
    image = Image.new("RGB", large, palette.land)
    pen = _Pen(draw=ImageDraw.Draw(image), unit=face[1] * _SUPERSAMPLING)
    houses = rng.random() < 0.6
    _areas(pen, plan, palette, rng, houses=houses)
    wide = float(rng.uniform(4, 8))
    _streets(pen, plan, palette, rng, wide)
    # Only main roads have bridges.
    _water(pen, size, palette, rng)
    _main_roads(pen, size, plan, palette, rng, wide)
    _names(image, pen, plan, palette, face, rng)
    return np.asarray(image.reduce(_SUPERSAMPLING), dtype=np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pen:
    draw: ImageDraw.ImageDraw
    unit: float
    """Supersampled pixels to a 1x pixel."""

    def line(self, points: list[Point], colour: Colour, width: float, *, bent: bool = False) -> None:
        """Draw an open line; `bent` closes the gaps at its corners, which at crossings other streets cover."""
        scaled = [(x * _SUPERSAMPLING, y * _SUPERSAMPLING) for x, y in points]
        self.draw.line(scaled, fill=colour, width=max(1, round(width * self.unit)), joint="curve" if bent else None)

    def sees(self, point: Point, margin: float) -> bool:
        """Return whether a point is on the map or near it."""
        width, height = self.draw.im.size
        x, y = point[0] * _SUPERSAMPLING, point[1] * _SUPERSAMPLING
        return bool(-margin < x < width + margin and -margin < y < height + margin)

    def area(self, points: list[Point], colour: Colour) -> None:
        self.draw.polygon([(x * _SUPERSAMPLING, y * _SUPERSAMPLING) for x, y in points], fill=colour)


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
        pen.line(points, palette.water, float(rng.uniform(14, 70)), bent=True)
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
            pen.line(curve, colour, wide * 2 + extra, bent=True)


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


def _names(
    image: Image.Image, pen: _Pen, plan: Plan, palette: Palette, face: tuple[Family, float], rng: np.random.Generator
) -> None:
    """Write names along main streets first, then along some others, none where another name is."""
    small = font(face[0], max(8, round(10.5 * pen.unit)))
    taken: list[tuple[float, float, float]] = []
    points = plan.points
    places = [(i, j, True) for i in sorted(plan.main_columns) for j in range(1, len(points[0]) - 1, 5)]
    places += [(i, j, False) for j in sorted(plan.main_rows) for i in range(1, len(points) - 1, 5)]
    places += [
        (int(rng.integers(1, len(points) - 1)), int(rng.integers(1, len(points[0]) - 1)), bool(rng.random() < 0.5))
        for _ in range(12)
    ]
    for i, j, upright in places:
        here, there = points[i][j], points[i][j + 1] if upright else points[i + 1][j]
        x, y = (here[0] + there[0]) * _SUPERSAMPLING / 2, (here[1] + there[1]) * _SUPERSAMPLING / 2
        name = plan.names[(i if upright else j + 7) % len(plan.names)]
        half = small.width(name) / 2
        inside = half < x < image.width - half and 20 < y < image.height - 20
        if not inside or any(math.hypot(x - a, y - b) < half + c for a, b, c in taken):
            continue
        taken.append((x, y, half))
        angle = -math.degrees(math.atan2(there[1] - here[1], there[0] - here[0]))
        _turned(image, (x, y), name, small, palette, angle=(angle + 90) % 180 - 90)


def _turned(image: Image.Image, at: Point, name: str, small: Font, palette: Palette, *, angle: float) -> None:
    drawn = draw_line(name, small, subpixel=False)
    if drawn is None:
        return
    reach = max(1, small.size // 8)
    mask = Image.fromarray(np.pad(drawn.coverage, 2 * reach)).rotate(angle, Image.Resampling.BILINEAR, expand=True)
    place = (round(at[0] - mask.width / 2), round(at[1] - mask.height / 2))
    image.paste(palette.halo, place, Image.fromarray(_grown(np.asarray(mask), reach)))
    image.paste(palette.text, place, mask)


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
