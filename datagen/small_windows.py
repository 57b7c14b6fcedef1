"""Small windows that lie on a desk beside large ones: a note, a video in a corner, a copy under way, a calculator."""

import numpy as np

from datagen import controls, typesetting, widgets
from datagen.canvas import Canvas, Colour
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.materials import Materials
from datagen.theme import Theme, mix

_PAPERS: tuple[Colour, ...] = ((255, 242, 171), (203, 241, 196), (255, 204, 229), (205, 233, 255), (231, 207, 255))
_SIGNS = "\u00f7\u00d7\u2212+="
"""Division, multiplication, minus, plus, equals."""
_KEYS = (
    *("C", "\u00b1", "%", _SIGNS[0]),
    *("7", "8", "9", _SIGNS[1]),
    *("4", "5", "6", _SIGNS[2]),
    *("1", "2", "3", "+"),
    *("0", ".", "="),
)
_WHITE: Colour = (255, 255, 255)


def small_window(canvas: Canvas, room: Box, theme: Theme, materials: Materials, rng: np.random.Generator) -> None:
    """Draw one of them somewhere in `room`."""
    form = int(rng.integers(4))
    width, height = (theme.px(size) for size in ((230, 220), (340, 191), (400, 132), (240, 330))[form])
    if room.width < width or room.height < height:
        return
    x = room.x + int(rng.integers(0, room.width - width + 1))
    y = room.y + int(rng.integers(0, room.height - height + 1))
    area = box(x, y, width, height)
    canvas.shadow(area, blur=theme.px(16), strength=0.35, offset=theme.px(5))
    (_note, _video, _copying, _calculator)[form](canvas, area, theme, materials, rng)


def _note(canvas: Canvas, area: Box, theme: Theme, materials: Materials, rng: np.random.Generator) -> None:
    paper = _PAPERS[int(rng.integers(len(_PAPERS)))]
    canvas.fill(area, paper)
    canvas.mark(area)
    bar, rest = area.cut_top(theme.px(26))
    canvas.fill(bar, mix(paper, (0, 0, 0), 0.1))
    icon(canvas, bar.cut_right(theme.px(26))[0].centred(theme.px(12), theme.px(12)), "close", (60, 60, 60))
    typesetting.paragraph(canvas, rest.inset(theme.px(12)), materials.text.paragraph(3), theme.font(13.5), (40, 40, 40))


def _video(canvas: Canvas, area: Box, theme: Theme, materials: Materials, rng: np.random.Generator) -> None:
    canvas.paste(area, materials.photo(area.width, area.height), radius=theme.px(8))
    if rng.random() < 0.6:
        disc = area.centred(theme.px(50), theme.px(50))
        canvas.veil(disc, (0, 0, 0), 0.55, radius=disc.width / 2)
        icon(canvas, disc.centred(theme.px(26), theme.px(26)), "pause", _WHITE, weight=2.4)
        for side, name in ((area.cut_left(theme.px(34))[0], "back"), (area.cut_right(theme.px(34))[0], "close")):
            spot = side.cut_top(theme.px(34))[0].centred(theme.px(15), theme.px(15))
            icon(canvas, spot, name, _WHITE, weight=2.2)
        line = area.inset(theme.px(12), theme.px(12)).cut_bottom(max(2, theme.px(4)))[0]
        canvas.rounded(line, (150, 150, 152), line.height / 2)
        canvas.rounded(line.cut_left(line.width * int(rng.integers(5, 95)) // 100)[0], _WHITE, line.height / 2)


def _copying(canvas: Canvas, area: Box, theme: Theme, materials: Materials, rng: np.random.Generator) -> None:
    text = materials.text
    canvas.rounded(area, theme.surface, theme.px(8))
    canvas.outline(area, theme.border, radius=theme.px(8))
    canvas.mark(area)
    inner = area.inset(theme.px(18), theme.px(14))
    head, rest = inner.cut_top(theme.px(24))
    percent = int(rng.integers(2, 99))
    words = f"Copying {text.number(2, 900)} items to {text.noun().capitalize()}"
    typesetting.line(canvas, head, words, theme.font(13.5, "bold"), theme.text)
    line, rest = rest.cut_top(theme.px(22))
    typesetting.line(
        canvas, line, f"{percent} % done, {text.number(2, 59)} seconds left", theme.font(12.5), theme.muted
    )
    bar, rest = rest.cut_top(theme.px(18))
    controls.progress(canvas, bar.centred(bar.width, theme.px(6)), theme, percent / 100)
    stop = rest.cut_bottom(theme.px(28))[0].cut_right(theme.px(86))[0]
    widgets.button(canvas, stop, theme, "Cancel", primary=False)


def _calculator(canvas: Canvas, area: Box, theme: Theme, materials: Materials, rng: np.random.Generator) -> None:
    canvas.rounded(area, theme.page, theme.px(10))
    canvas.outline(area, theme.border, radius=theme.px(10))
    canvas.mark(area)
    shown, keys = area.inset(theme.px(10)).cut_top(theme.px(74))
    value = f"{materials.text.number(1, 99999) / float(rng.choice([1, 10, 100])):,}"
    typesetting.line(canvas, shown, value, theme.font(30), theme.text, align="right")
    gap = theme.px(5)
    for row_number, row in enumerate(keys.rows(5, gap)):
        names = _KEYS[row_number * 4 : row_number * 4 + 4]
        cells = row.columns(4, gap)
        if len(names) == 3:
            cells = [box(cells[0].x, row.y, cells[1].right - cells[0].x, row.height), *cells[2:]]
        for cell, name in zip(cells, names, strict=True):
            strong = name in _SIGNS
            canvas.rounded(cell, theme.accent if strong else theme.raised, theme.px(6))
            canvas.mark(cell)
            ink = theme.on_accent if strong else theme.text
            typesetting.line(canvas, cell, name, theme.font(15), ink, align="centre")
