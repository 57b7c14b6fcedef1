"""An editor of designs: a page with a photograph, shapes and words, and pictures to choose from."""

import numpy as np

from datagen import photo_panels, typesetting, widgets
from datagen.albums import Album
from datagen.canvas import Canvas
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.materials import Materials
from datagen.theme import Theme, luminance, mix

_DESIGN = (("grid", "Templates"), ("star", "Elements"), ("type", "Text"), ("image", "Photos"), ("download", "Uploads"),
           ("folder", "Projects"))  # fmt: skip
_OVER_PICTURE = 0.4
"""Share of designs whose words stand over the picture."""
_BRIGHT = 140
"""Lightness (0..255) of a ground from which words on it are dark."""


def design(
    canvas: Canvas, area: Box, theme: Theme, materials: Materials, album: Album, rng: np.random.Generator
) -> None:
    """Draw an editor of posters, cards and posts with pictures and words to choose from."""
    head, rest = area.cut_top(theme.px(50))
    canvas.gradient(head, theme.accent, theme.series[1], vertical=False)
    canvas.mark(head)
    inner = head.inset(theme.px(16), theme.px(9))
    typesetting.line(canvas, inner, materials.text.label(2), theme.font(15, "bold"), (255, 255, 255))
    action, inner = inner.cut_right(theme.px(92))
    widgets.button(canvas, action, theme, "Share", primary=False)
    for name in ("download", "redo", "undo"):
        cell, inner = inner.cut_right(theme.px(40))
        icon(canvas, cell.centred(theme.px(19), theme.px(19)), name, (255, 255, 255))
    rail, rest = rest.cut_left(theme.px(70))
    canvas.fill(rail, theme.raised)
    for number, (cell, (sign, title)) in enumerate(
        zip(rail.cut_top(theme.px(396))[0].rows(6, 0), _DESIGN, strict=True)
    ):
        if cell.bottom > rail.bottom:
            break
        upper, lower = cell.inset(0, theme.px(9)).rows(2, 0)
        ink = theme.accent if number == 3 else theme.muted
        icon(canvas, upper.centred(theme.px(21), theme.px(21)), sign, ink)
        typesetting.line(canvas, lower, title, theme.font(10.5), ink, align="centre")
    if rng.random() < 0.8:
        panel, rest = rest.cut_left(min(theme.px(290), rest.width // 3))
        _stock(canvas, panel, theme, materials, album)
    canvas.fill(rest, mix(theme.page, theme.text, 0.05))
    with canvas.clipped(rest):
        _poster(canvas, rest.inset(theme.px(36), theme.px(30)), theme, materials, rng)


def _stock(canvas: Canvas, area: Box, theme: Theme, materials: Materials, album: Album) -> None:
    canvas.fill(area, theme.surface)
    canvas.fill(area.cut_right(1)[0], theme.border)
    inner = area.inset(theme.px(14), theme.px(14))
    field, rest = inner.cut_top(theme.px(38))
    widgets.search_field(canvas, field, theme, f"Search {materials.text.noun()}")
    with canvas.clipped(area):
        for column in rest.cut_top(theme.px(12))[1].columns(2, theme.px(8)):
            y = column.y
            while y < area.bottom:
                height = column.width * materials.text.number(60, 150) // 100
                place = box(column.x, y, column.width, height)
                canvas.paste(place, album.crop(place.width, place.height), radius=theme.px(5))
                y += height + theme.px(8)


def _poster(canvas: Canvas, area: Box, theme: Theme, materials: Materials, rng: np.random.Generator) -> None:
    """A poster, card or post with a photograph, shapes and large words."""
    text = materials.text
    ratio = float(rng.choice([1.0, 0.8, 1.414, 0.5625]))
    width = min(area.width, round(area.height / ratio))
    page = area.centred(width, min(area.height, round(width * ratio)))
    colour = theme.series[int(rng.integers(4))]
    ground = mix(colour, (255, 255, 255), float(rng.choice([0.0, 0.75, 0.92])))
    canvas.fill(page, ground)
    canvas.mark(page)
    form = rng.random()
    if form < _OVER_PICTURE:
        picture = page
    else:
        picture = page.cut_top(page.height * int(rng.integers(42, 60)) // 100)[0]
        picture = picture if form < 0.7 else picture.inset(page.width // 12)
    canvas.paste(picture, materials.photo(picture.width, picture.height))
    words = page.inset(page.width // 12).cut_bottom(page.height // 3)[0]
    if form >= _OVER_PICTURE:
        words = box(words.x, picture.bottom, words.width, page.bottom - picture.bottom).inset(0, page.height // 24)
    if form < _OVER_PICTURE:
        ground = (255, 255, 255) if rng.random() < 0.5 else colour
        canvas.rounded(words, ground, theme.px(4))
        words = words.inset(page.width // 20)
    ink = (255, 255, 255) if luminance(ground) < _BRIGHT else (24, 26, 32)
    size = min(words.width / 9, words.height / 4) / theme.scale
    used = typesetting.paragraph(canvas, words, text.label(3), theme.serif_font(size, "bold"), ink, leading=1.1)
    below = box(words.x, used.bottom + theme.px(6), words.width, max(0, words.bottom - used.bottom - theme.px(6)))
    typesetting.paragraph(canvas, below, text.sentence(), theme.font(size * 0.42), ink)
    if rng.random() < 0.5:
        photo_panels.handles(canvas, used.inset(-theme.px(4)), theme, (124, 58, 237))
