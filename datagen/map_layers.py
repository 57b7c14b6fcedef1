"""What lies on a map: markers, routes, heat, cards, controls; on streets or on a photograph from above."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from datagen import typesetting, widgets
from datagen.albums import Album
from datagen.canvas import Canvas, Colour
from datagen.geometry import Box, box
from datagen.icons import icon, solid_icon
from datagen.map_palettes import PALETTES
from datagen.materials import Materials
from datagen.shapes import Point
from datagen.street_map import Plan, draw_map, make_plan
from datagen.texts import TextBank
from datagen.theme import Theme, mix
from pipeline.formats.picture import Pixels

_WHITE: Colour = (255, 255, 255)
_KINDS = ("pin", "dot", "number", "price", "sign")
_SIGNS = ("home", "basket", "train", "heart", "star", "camera", "music")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A map that was drawn, and where its streets are."""

    area: Box
    plan: Plan
    photographed: bool

    def place(self, point: Point) -> Point:
        """Return a point of the plan on the canvas."""
        return (self.area.x + point[0], self.area.y + point[1])

    def crossings(self, rng: np.random.Generator, count: int, margin: int) -> list[tuple[int, int]]:
        """Return up to `count` crossings inside the map, `margin` pixels from its edges."""
        inner = self.area.inset(margin)
        found = [self.place(self.plan.crossing(rng)) for _ in range(4 * count)]
        inside = [(round(x), round(y)) for x, y in found if inner.x < x < inner.right and inner.y < y < inner.bottom]
        return inside[:count]


def lay_ground(
    canvas: Canvas, area: Box, theme: Theme, materials: Materials, rng: np.random.Generator, *, photographed: bool
) -> Ground:
    """Draw the map itself, from streets or as a photograph, over all of `area`."""
    plan = make_plan(area.width, area.height, theme.scale, materials.text, rng)
    ground = Ground(area=area, plan=plan, photographed=photographed)
    if photographed:
        canvas.paste(area, _from_above(materials, area, rng))
        return ground
    light = ("road", "road", "cool", "open", "grey")
    name = "dark" if theme.dark and rng.random() < 0.85 else light[int(rng.integers(len(light)))]
    canvas.lay(area, draw_map((area.width, area.height), plan, PALETTES[name], (theme.sans, theme.scale), rng))
    canvas.mark(area)
    return ground


def _from_above(materials: Materials, area: Box, rng: np.random.Generator) -> Pixels:
    """Return a detail of a photograph: leaves, rock or walls without a horizon pass for land."""
    photo = materials.whole_photo()
    share = min(photo.width / area.width, photo.height / area.height) * float(rng.uniform(0.3, 0.55))
    width, height = area.width * share, area.height * share
    x, y = float(rng.random()) * (photo.width - width), float(rng.uniform(0.4, 1)) * (photo.height - height)
    return photo.cut((x, y, x + width, y + height), area.width, area.height)


def markers(canvas: Canvas, ground: Ground, theme: Theme, text: TextBank, rng: np.random.Generator, count: int) -> None:
    """Draw markers of one kind at crossings; the first is larger, as a chosen one is."""
    kind = _KINDS[int(rng.integers(len(_KINDS)))]
    colour = theme.series[int(rng.integers(3))]
    for number, (x, y) in enumerate(ground.crossings(rng, count, theme.px(20))):
        size = theme.px(34 if number == 0 else 26)
        if kind == "pin":
            _pin(canvas, (x, y), size, colour if number else (219, 68, 55))
        elif kind == "dot":
            _dot(canvas, (x, y), theme.px(16 if number == 0 else 11), theme.series[number % 3])
        elif kind == "sign":
            _dot(canvas, (x, y), size, colour)
            spot = box(x - size // 2, y - size // 2, size, size)
            icon(canvas, spot.centred(size * 3 // 5, size * 3 // 5), _SIGNS[number % len(_SIGNS)], _WHITE)
        else:
            words = f"${text.number(30, 600)}" if kind == "price" else str(text.number(2, 99))
            _bubble(
                canvas,
                (x, y),
                theme,
                words,
                mix(theme.surface, colour, 1.0 if number == 0 or kind == "number" else 0.0),
            )


def _pin(canvas: Canvas, tip: tuple[int, int], height: int, colour: Colour) -> None:
    x, y = tip
    radius = height * 0.36
    centre = y - height + radius
    disc = box(round(x - radius), round(centre - radius), round(2 * radius), round(2 * radius))
    canvas.polygon(
        [(x - radius * 0.93, centre + radius * 0.36), (x + radius * 0.93, centre + radius * 0.36), (x, y)], colour
    )
    canvas.rounded(disc, colour, radius)
    hole = disc.centred(round(radius * 0.8), round(radius * 0.8))
    canvas.rounded(hole, _WHITE, hole.width / 2)
    canvas.mark(box(disc.x, disc.y, disc.width, height))


def _dot(canvas: Canvas, at: tuple[int, int], size: int, colour: Colour) -> None:
    ring = box(at[0] - size // 2, at[1] - size // 2, size, size)
    canvas.rounded(ring, _WHITE, size / 2)
    inner = ring.inset(max(1, size // 9))
    canvas.rounded(inner, colour, inner.width / 2)
    canvas.mark(ring)


def _bubble(canvas: Canvas, at: tuple[int, int], theme: Theme, words: str, ground: Colour) -> None:
    font = theme.font(12, "bold")
    area = box(0, 0, font.width(words) + theme.px(16), theme.px(25))
    area = area.moved(at[0] - area.width // 2, at[1] - area.height // 2)
    canvas.rounded(area.inset(-1), mix(ground, (0, 0, 0), 0.25), area.height / 2)
    canvas.rounded(area, ground, area.height / 2)
    canvas.mark(area)
    ink = theme.text if ground == theme.surface else theme.on_accent
    typesetting.line(canvas, area, words, font, ink, align="centre")


def heat(canvas: Canvas, ground: Ground, theme: Theme, rng: np.random.Generator) -> None:
    """Shade some places with translucent discs."""
    for x, y in ground.crossings(rng, int(rng.integers(4, 12)), theme.px(30)):
        side = theme.px(float(rng.uniform(40, 150)))
        disc = box(x - side // 2, y - side // 2, side, side)
        canvas.veil(disc, theme.series[int(rng.integers(2))], float(rng.uniform(0.25, 0.5)), radius=side / 2)


def route(canvas: Canvas, ground: Ground, theme: Theme, rng: np.random.Generator) -> None:
    """Draw a way through the streets, with its start and its end."""
    way = [ground.place(point) for point in ground.plan.path(rng)]
    blue = (26, 115, 232) if rng.random() < 0.7 else theme.accent
    canvas.polyline(way, mix(blue, (0, 0, 0), 0.35), thickness=theme.px(8))
    canvas.polyline(way, blue, thickness=theme.px(5))
    _dot(canvas, (round(way[0][0]), round(way[0][1])), theme.px(16), blue)
    _pin(canvas, (round(way[-1][0]), round(way[-1][1])), theme.px(38), (219, 68, 55))


def place_card(canvas: Canvas, ground: Ground, theme: Theme, materials: Materials, album: Album) -> None:
    """Open a place's card somewhere on the map, most with a photograph."""
    text = materials.text
    width, height = theme.px(230), theme.px(190)
    if ground.area.width < width * 2 or ground.area.height < height * 2:
        return
    area = box(
        ground.area.x + text.number(theme.px(20), ground.area.width - width),
        ground.area.y + text.number(theme.px(20), ground.area.height - height),
        width,
        height,
    )
    pictured = text.number(0, 10) < 8
    area = area if pictured else area.cut_top(theme.px(82))[0]
    widgets.card(canvas, area, theme, radius=8)
    words = area
    if pictured:
        picture, words = area.cut_top(theme.px(108))
        picture = picture.inset(theme.px(6))
        canvas.paste(picture, album.crop(picture.width, picture.height), radius=theme.px(5))
    rows = words.inset(theme.px(12), theme.px(6)).rows(3, 0)
    typesetting.line(canvas, rows[0], text.label(2), theme.font(14.5, "bold"), theme.text)
    stars(canvas, rows[1], theme, text)
    typesetting.line(
        canvas,
        rows[2],
        f"{text.noun().capitalize()} · Open until {text.number(17, 24)}:00",
        theme.font(12),
        theme.muted,
    )


def stars(canvas: Canvas, area: Box, theme: Theme, text: TextBank) -> None:
    """Draw a rating with five stars."""
    rating = text.number(28, 51) / 10
    value, rest = area.cut_left(theme.px(26))
    typesetting.line(canvas, value, f"{rating:.1f}", theme.font(12.5), theme.muted)
    for number in range(5):
        cell, rest = rest.cut_left(theme.px(15))
        colour = (246, 187, 6) if number < round(rating) else theme.border
        solid_icon(canvas, cell.centred(theme.px(12), theme.px(12)), "star", colour)
    typesetting.line(
        canvas, rest.cut_left(theme.px(6))[1], f"({text.number(3, 9000):,})", theme.font(12.5), theme.muted
    )


def map_controls(canvas: Canvas, area: Box, theme: Theme, text: TextBank, signs: Sequence[str]) -> None:
    """Draw the buttons at the lower right, the scale and whose map it is."""
    side = theme.px(34)
    x, y = area.right - side - theme.px(12), area.bottom - theme.px(34)
    for name in reversed(signs):
        y -= side + theme.px(7)
        if y < area.y:
            return
        cell = box(x, y, side, side)
        canvas.rounded(cell.inset(-1), mix(theme.surface, (0, 0, 0), 0.2), theme.px(6))
        canvas.rounded(cell, theme.surface, theme.px(5))
        canvas.mark(cell)
        icon(canvas, cell.centred(theme.px(17), theme.px(17)), name, theme.text)
    words = f"Map data {text.number(2022, 2027)} · {text.noun().capitalize()} contributors · Terms"
    font = theme.font(10)
    note = box(0, 0, font.width(words) + theme.px(12), theme.px(17))
    note = note.moved(area.right - note.width, area.bottom - note.height)
    canvas.fill(note, theme.surface)
    canvas.mark(note)
    typesetting.line(canvas, note, words, font, theme.muted, align="centre")
    bar = box(note.x - theme.px(90), note.y + note.height // 2, theme.px(70), max(2, theme.px(2)))
    if bar.x > area.x:
        canvas.fill(bar, theme.text)
        label = box(bar.x, bar.y - theme.px(16), bar.width, theme.px(15))
        typesetting.line(canvas, label, text.pick(["200 m", "500 m", "1 km", "2 km"]), font, theme.text, align="centre")
