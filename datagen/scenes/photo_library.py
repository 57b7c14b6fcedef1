"""The library of a picture viewer: albums at the left, pictures in justified rows, squares or columns."""

import numpy as np

from datagen import controls, typesetting, widgets
from datagen.albums import Album
from datagen.canvas import Canvas
from datagen.geometry import Box, box
from datagen.icons import icon, solid_icon
from datagen.materials import Materials
from datagen.texts import MONTHS
from datagen.theme import Theme, mix

_PLACES = (("image", "Library"), ("clock", "Recent"), ("heart", "Favourites"), ("user", "People"), ("pin", "Places"),
           ("download", "Imports"), ("trash", "Bin"))  # fmt: skip


def draw_library(canvas: Canvas, theme: Theme, materials: Materials, rng: np.random.Generator) -> None:
    """Draw the whole screen."""
    text = materials.text
    canvas.fill(canvas.area, theme.surface)
    body = widgets.window_bar(canvas, canvas.area, theme, "Photos", rng)
    album = Album(materials, rng, int(rng.integers(6, 17)))
    if rng.random() < 0.75:
        side, body = body.cut_left(min(theme.px(float(rng.integers(170, 230))), body.width // 4))
        _albums(canvas, side, theme, materials)
    bar, body = body.cut_top(theme.px(48))
    controls.rule(canvas, bar, theme)
    inner = bar.inset(theme.px(16), theme.px(9))
    name = text.pick([text.place(), "Library", f"{text.pick(MONTHS)} {text.number(2015, 2027)}"])
    typesetting.line(canvas, inner, name, theme.font(17, "bold"), theme.text)
    find, inner = inner.cut_right(min(theme.px(200), inner.width // 3))
    widgets.search_field(canvas, find, theme, "Search")
    scale, inner = inner.cut_right(theme.px(140))
    controls.slider(canvas, scale.inset(theme.px(16), 0), theme, float(rng.random()))
    if inner.width > theme.px(430):
        tabs = inner.centred(theme.px(230), theme.px(28))
        controls.segments(canvas, tabs, theme, ("Years", "Months", "Days"), int(rng.integers(3)))
    scroll = theme.px(float(rng.choice([0, 0, 40, 130])))
    room = box(body.x, body.y - scroll, body.width, body.height + scroll)
    with canvas.clipped(body):
        form = rng.random()
        if form < 0.5:
            _rows(canvas, room, theme, album, rng)
        elif form < 0.8:
            _squares(canvas, room, theme, album, rng)
        else:
            _columns(canvas, room, theme, album, rng)
    track = body.cut_right(theme.px(11))[0]
    controls.scroll_bar(canvas, track, theme, float(rng.random()), float(rng.uniform(0.05, 0.4)))


def _albums(canvas: Canvas, area: Box, theme: Theme, materials: Materials) -> None:
    canvas.fill(area, mix(theme.surface, theme.text, 0.04))
    canvas.fill(area.cut_right(1)[0], theme.border)
    canvas.mark(area)
    rest = area.inset(theme.px(8), theme.px(10))
    entries = [*_PLACES, *(("folder", materials.text.label(2)) for _ in range(materials.text.number(2, 14)))]
    chosen = materials.text.number(0, len(entries))
    for number, (sign, title) in enumerate(entries):
        if number == len(_PLACES):
            head, rest = rest.cut_top(theme.px(36))
            typesetting.line(canvas, head.inset(theme.px(8), 0), "Albums", theme.font(11.5, "bold"), theme.muted)
        row, rest = rest.cut_top(theme.px(31))
        if row.height < theme.px(31):
            return
        if number == chosen:
            canvas.rounded(row, theme.soft_accent, theme.px(6))
            canvas.mark(row)
        cell, words = row.inset(theme.px(8), 0).cut_left(theme.px(28))
        side = theme.px(16)
        icon(canvas, cell.cut_left(side)[0].centred(side, side), sign, theme.accent)
        count, words = words.cut_right(theme.px(44))
        typesetting.line(canvas, words, title, theme.font(13), theme.text)
        shown = str(materials.text.number(1, 4000))
        typesetting.line(canvas, count, shown, theme.font(11.5), theme.muted, align="right")


def _rows(canvas: Canvas, area: Box, theme: Theme, album: Album, rng: np.random.Generator) -> None:
    """Rows of one height whose pictures keep their shapes and fill the width."""
    gap = theme.px(float(rng.choice([2, 4, 8])))
    wanted = theme.px(float(rng.choice([110, 150, 200, 260])))
    inner = area.inset(theme.px(float(rng.choice([0, 14]))), gap)
    y = inner.y
    while y < inner.bottom:
        shapes: list[float] = []
        while sum(shapes) * wanted < inner.width - gap * len(shapes):
            across, down = album.shape()
            shapes.append(across / down)
        height = max(1, round((inner.width - gap * (len(shapes) - 1)) / sum(shapes)))
        x = inner.x
        for number, shape in enumerate(shapes):
            right = inner.right if number == len(shapes) - 1 else x + max(1, round(height * shape))
            _shot(canvas, box(x, y, max(1, right - x), height), theme, album, rng)
            x = right + gap
        y += height + gap


def _squares(canvas: Canvas, area: Box, theme: Theme, album: Album, rng: np.random.Generator) -> None:
    gap = max(1, theme.px(float(rng.choice([1, 3, 10]))))
    across = max(3, area.width // theme.px(float(rng.choice([90, 130, 170]))))
    side = (area.width - gap * (across - 1)) // across
    for number in range(across * (area.height // (side + gap) + 1)):
        place = box(area.x + number % across * (side + gap), area.y + number // across * (side + gap), side, side)
        _shot(canvas, place, theme, album, rng)


def _columns(canvas: Canvas, area: Box, theme: Theme, album: Album, rng: np.random.Generator) -> None:
    gap = theme.px(float(rng.choice([6, 12])))
    radius = theme.px(float(rng.choice([0, 6, 12])))
    inner = area.inset(gap)
    for column in inner.columns(max(2, inner.width // theme.px(230)), gap):
        y = column.y
        while y < area.bottom:
            across, down = album.shape()
            height = max(1, column.width * down // across)
            place = box(column.x, y, column.width, height)
            canvas.paste(place, album.crop(place.width, place.height), radius=radius)
            y += height + gap


def _shot(canvas: Canvas, place: Box, theme: Theme, album: Album, rng: np.random.Generator) -> None:
    """A picture, perhaps chosen, liked, or a film."""
    canvas.paste(place, album.crop(place.width, place.height))
    form = rng.random()
    corner = place.inset(theme.px(6))
    if form < 0.05:
        canvas.outline(place, theme.accent, thickness=max(2, theme.px(3)))
        disc = corner.cut_left(theme.px(20))[0].cut_top(theme.px(20))[0]
        canvas.rounded(disc, theme.accent, disc.width / 2)
        icon(canvas, disc.inset(theme.px(3)), "check", theme.on_accent, weight=2.6)
    elif form < 0.09:
        heart = corner.cut_left(theme.px(16))[0].cut_bottom(theme.px(16))[0]
        solid_icon(canvas, heart, "heart", (255, 255, 255))
    elif form < 0.13:
        words = corner.cut_bottom(theme.px(18))[0]
        shown = f"{int(rng.integers(0, 9))}:{int(rng.integers(10, 60))}"
        typesetting.line(canvas, words, shown, theme.font(12, "bold"), (255, 255, 255), align="right")
