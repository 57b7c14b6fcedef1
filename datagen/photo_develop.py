"""A picture editor that develops photographs, as after a shoot."""

import numpy as np

from datagen import controls, photo_panels, typesetting
from datagen.albums import Album
from datagen.canvas import Canvas
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.materials import Materials
from datagen.theme import Theme, mix
from pipeline.formats.picture import Pixels

_TONES = ("Exposure", "Contrast", "Highlights", "Shadows", "Whites", "Blacks")
_COLOURS = ("Temperature", "Tint", "Vibrance", "Saturation", "Hue")
_DETAILS = ("Texture", "Clarity", "Dehaze", "Sharpness", "Noise", "Grain", "Vignette")


def develop(
    canvas: Canvas, area: Box, theme: Theme, materials: Materials, album: Album, rng: np.random.Generator
) -> None:
    """Draw an editor that develops photographs: panels of sliders, a film strip, before and after."""
    head, rest = area.cut_top(theme.px(42))
    canvas.fill(head, theme.surface)
    controls.rule(canvas, head, theme)
    modules = head.inset(theme.px(14), 0).cut_right(theme.px(380))[0]
    for number, (cell, name) in enumerate(
        zip(modules.columns(5, 0), ("Library", "Develop", "Map", "Book", "Print"), strict=True)
    ):
        ink = theme.accent if number == 1 else theme.muted
        typesetting.line(canvas, cell, name, theme.font(14, "bold" if number == 1 else "regular"), ink, align="right")
    typesetting.line(canvas, head.inset(theme.px(16), 0), materials.text.label(1), theme.font(16, "bold"), theme.text)
    if rng.random() < 0.7:
        strip, rest = rest.cut_bottom(theme.px(float(rng.integers(86, 124))))
        _film(canvas, strip, theme, materials, album)
    right, rest = rest.cut_right(min(theme.px(float(rng.integers(240, 300))), rest.width // 3))
    _develop_panel(canvas, right, theme, rng)
    if rng.random() < 0.55 and rest.width > theme.px(620):
        left, rest = rest.cut_left(theme.px(200))
        _presets(canvas, left, theme, materials, album)
    canvas.fill(rest, mix(theme.page, (0, 0, 0), 0.3) if theme.dark else theme.page)
    with canvas.clipped(rest):
        _compared(canvas, rest.inset(theme.px(float(rng.integers(0, 40)))), theme, materials, rng)


def _compared(canvas: Canvas, area: Box, theme: Theme, materials: Materials, rng: np.random.Generator) -> None:
    """The photograph; perhaps before and after, perhaps being cropped."""
    pixels = materials.fit(materials.whole_photo(), area.width, area.height)
    shown = area.centred(pixels.shape[1], pixels.shape[0])
    form = rng.random()
    if form < 0.3:
        after = photo_panels.toned(pixels, rng)
        half = shown.width // 2
        mixed: Pixels = np.concatenate([pixels[:, :half], after[:, half:]], axis=1)
        canvas.paste(shown, mixed)
        canvas.fill(box(shown.x + half - 1, shown.y, max(1, theme.px(2)), shown.height), (240, 240, 240))
        for words, x in (("Before", shown.x), ("After", shown.x + half)):
            tag = box(x + theme.px(10), shown.y + theme.px(10), theme.px(58), theme.px(22))
            canvas.rounded(tag, (28, 28, 32), theme.px(4))
            canvas.mark(tag)
            typesetting.line(canvas, tag, words, theme.font(12), (240, 240, 240), align="centre")
        return
    canvas.paste(shown, photo_panels.toned(pixels, rng) if rng.random() < 0.3 else pixels)
    if form < 0.5:
        photo_panels.crop_frame(canvas, shown, theme, rng)


def _develop_panel(canvas: Canvas, area: Box, theme: Theme, rng: np.random.Generator) -> None:
    canvas.fill(area, theme.surface)
    canvas.fill(area.cut_left(1)[0], theme.border)
    canvas.mark(area)
    plot, rest = area.inset(theme.px(10)).cut_top(min(theme.px(96), area.height // 5))
    photo_panels.histogram(canvas, plot, theme, rng)
    rest = box(area.x, rest.y + theme.px(8), area.width, area.bottom - rest.y - theme.px(8))
    with_curve = rng.random() < 0.5
    for title, names in (("Light", _TONES), ("Colour", _COLOURS), ("Effects", _DETAILS)):
        if rest.height < theme.px(70):
            return
        block, _ = rest.cut_top(theme.px(27 + 16 + 30 * len(names)))
        room = photo_panels.titled(canvas, block, theme, title)
        photo_panels.sliders(canvas, room, theme, names, rng)
        rest = rest.cut_top(block.height)[1]
        if title == "Light" and with_curve and rest.height > theme.px(200):
            block, rest = rest.cut_top(theme.px(200))
            photo_panels.curve(canvas, photo_panels.titled(canvas, block, theme, "Curve"), theme, rng)


def _presets(canvas: Canvas, area: Box, theme: Theme, materials: Materials, album: Album) -> None:
    canvas.fill(area, theme.surface)
    canvas.fill(area.cut_right(1)[0], theme.border)
    canvas.mark(area)
    block, rest = area.cut_top(theme.px(170))
    room = photo_panels.titled(canvas, block, theme, "Navigator")
    pixels = album.fit(room.width, room.height)
    canvas.paste(room.centred(pixels.shape[1], pixels.shape[0]), pixels)
    for title in ("Presets", "History"):
        if rest.height < theme.px(90):
            return
        block, rest = rest.cut_top(rest.height // 2 if title == "Presets" else rest.height)
        room = photo_panels.titled(canvas, block, theme, title)
        for number, row in enumerate(room.rows(max(1, room.height // theme.px(25)), 0)):
            words = (
                materials.text.label(2)
                if title == "Presets"
                else f"{materials.text.pick(_TONES)} {materials.text.number(-80, 80):+d}"
            )
            typesetting.line(canvas, row, words, theme.font(12.5), theme.accent if number == 1 else theme.text)


def _film(canvas: Canvas, area: Box, theme: Theme, materials: Materials, album: Album) -> None:
    canvas.fill(area, theme.surface)
    canvas.fill(area.cut_top(1)[0], theme.border)
    gap = theme.px(7)
    height = area.height - theme.px(30)
    x, chosen, number = area.x + gap, materials.text.number(0, 6), 0
    with canvas.clipped(area):
        while x < area.right:
            cell = box(x, area.y + theme.px(7), height * 4 // 3, height)
            canvas.fill(cell, theme.soft_accent if number == chosen else theme.raised)
            pixels = album.fit(cell.width - 2 * gap, cell.height - 2 * gap)
            canvas.paste(cell.centred(pixels.shape[1], pixels.shape[0]), pixels)
            canvas.mark(cell)
            rated = materials.text.number(0, 6)
            for star in range(rated):
                spot = box(cell.x + theme.px(13) * star, cell.bottom + theme.px(3), theme.px(12), theme.px(12))
                icon(canvas, spot, "star", (230, 180, 40), weight=2.4)
            x, number = cell.right + gap, number + 1
