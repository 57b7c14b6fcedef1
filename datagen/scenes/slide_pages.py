"""Slides of a presentation, drawn at any size: as a thumbnail, in the editor, on the whole screen."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from datagen import charts, typesetting
from datagen.canvas import Canvas, Colour
from datagen.fonts import Font, font
from datagen.geometry import Box, box
from datagen.presentations import Kind, Slide
from datagen.texts import plural
from datagen.theme import Theme

_WIDTH = 960
"""Slides are laid out this wide."""
_SMALLEST_TYPE = 3
_THUMBNAIL = 0.35
"""Scale below which charts have no labels."""
_WHITE: Colour = (255, 255, 255)


def draw_slide(canvas: Canvas, area: Box, slide: Slide, style: Theme) -> None:
    """Draw a slide that fills `area`."""
    theme = replace(style, scale=area.width / _WIDTH)
    with canvas.clipped(area):
        canvas.fill(area, theme.page)
        canvas.mark(area)
        _DRAW[slide.kind](canvas, area, slide, theme)
        if slide.kind not in ("bleed", "title"):
            foot = area.inset(theme.px(48), 0).cut_bottom(theme.px(34))[0]
            typesetting.line(canvas, foot, str(slide.number), _font(theme, 12), theme.muted, align="right")


def _font(theme: Theme, size: float, style: str = "regular") -> Font:
    return font(theme.sans, max(_SMALLEST_TYPE, theme.px(size)), style)


def _head(canvas: Canvas, area: Box, slide: Slide, theme: Theme) -> Box:
    """Draw the title and the deck's ornament; return the room for the content."""
    inner = area.inset(theme.px(56), theme.px(36))
    if theme.series[0][0] % 2:
        canvas.fill(area.cut_top(theme.px(12))[0], theme.accent)
    else:
        canvas.fill(box(inner.x, inner.y + theme.px(52), theme.px(80), max(1, theme.px(4))), theme.accent)
    row, rest = inner.cut_top(theme.px(50))
    typesetting.line(canvas, row, slide.title, _font(theme, 34, "bold"), theme.text)
    return rest.cut_top(theme.px(30))[1].cut_bottom(theme.px(10))[1]


def _bullet_list(canvas: Canvas, area: Box, lines: tuple[str, ...], theme: Theme, size: float) -> None:
    face = _font(theme, size)
    for words in lines:
        if area.height < theme.px(size * 1.4):
            return
        dot = box(area.x, area.y + theme.px(size * 0.55), max(2, theme.px(7)), max(2, theme.px(7)))
        canvas.rounded(dot, theme.accent, dot.width / 2)
        used = typesetting.paragraph(canvas, area.cut_left(theme.px(24))[1], words, face, theme.text)
        area = area.cut_top(used.height + theme.px(size * 0.6))[1]


def _title(canvas: Canvas, area: Box, slide: Slide, theme: Theme) -> None:
    if slide.photos:
        place, area = area.cut_right(area.width * 2 // 5)
        canvas.paste(place, slide.photos[0].cut(place.width, place.height))
    elif slide.form % 3 == 0:
        canvas.fill(area.cut_bottom(area.height // 3)[0], theme.accent)
    room = area.inset(theme.px(60), area.height // 4)
    used = typesetting.paragraph(canvas, room, slide.title, _font(theme, 54, "bold"), theme.text, leading=1.15)
    canvas.fill(box(room.x, used.bottom + theme.px(14), theme.px(90), max(1, theme.px(5))), theme.accent)
    below = box(room.x, used.bottom + theme.px(34), room.width, theme.px(40))
    who = f"{slide.names[0]} {slide.names[1].lower()} - 2026"
    typesetting.line(canvas, below, who, _font(theme, 20), theme.muted)


def _bullets(canvas: Canvas, area: Box, slide: Slide, theme: Theme) -> None:
    _bullet_list(canvas, _head(canvas, area, slide, theme), slide.lines, theme, 22)


def _columns(canvas: Canvas, area: Box, slide: Slide, theme: Theme) -> None:
    columns = _head(canvas, area, slide, theme).columns(2, theme.px(40))
    half = len(slide.lines) // 2
    for number, column in enumerate(columns):
        if number == 1 and slide.photos:
            canvas.paste(column, slide.photos[0].cut(column.width, column.height), radius=theme.px(8))
            continue
        row, rest = column.cut_top(theme.px(40))
        typesetting.line(canvas, row, slide.names[number], _font(theme, 24, "bold"), theme.accent)
        _bullet_list(canvas, rest, slide.lines[half * number : half * (number + 1)], theme, 18)


def _picture(canvas: Canvas, area: Box, slide: Slide, theme: Theme) -> None:
    """A photograph beside text, to the slide's edge or inside a margin."""
    if slide.form % 2:
        cut = area.cut_left if slide.form % 4 == 1 else area.cut_right
        place, room = cut(area.width * 45 // 100)
        canvas.paste(place, slide.photos[0].cut(place.width, place.height))
        room = room.inset(theme.px(40), theme.px(70))
        used = typesetting.paragraph(canvas, room, slide.title, _font(theme, 34, "bold"), theme.text, leading=1.2)
        _bullet_list(canvas, room.cut_top(used.height + theme.px(20))[1], slide.lines[:3], theme, 18)
        return
    room = _head(canvas, area, slide, theme)
    place, words = room.cut_left(room.width * 55 // 100)
    canvas.paste(place, slide.photos[0].cut(place.width, place.height))
    _bullet_list(canvas, words.cut_left(theme.px(30))[1], slide.lines[:4], theme, 18)


def _bleed(canvas: Canvas, area: Box, slide: Slide, theme: Theme) -> None:
    """A photograph that fills the slide, with text over it: bare, on a shade, on a plate."""
    canvas.paste(area, slide.photos[0].cut(area.width, area.height))
    band = area.cut_bottom(area.height * 30 // 100)[0]
    ink: Colour = _WHITE
    if slide.form % 4 == 1:
        ramp = np.linspace(0, 190, band.height).astype(np.uint8)
        canvas.mask(band, np.repeat(ramp[:, None], band.width, axis=1), (0, 0, 0))
    elif slide.form % 4 == 2:
        canvas.veil(band, theme.accent, 0.75)
    elif slide.form % 4 == 3:
        band = box(area.x, area.bottom - theme.px(150), area.width * 6 // 10, theme.px(110))
        canvas.fill(band, theme.page)
        ink = theme.text
    room = band.inset(theme.px(44), theme.px(14))
    row, rest = room.cut_top(max(theme.px(56), room.height // 2))
    typesetting.line(canvas, row, slide.title, _font(theme, 42, "bold"), ink)
    typesetting.line(canvas, rest.cut_top(theme.px(32))[0], slide.lines[0], _font(theme, 19), ink)


def _chart(canvas: Canvas, area: Box, slide: Slide, theme: Theme) -> None:
    room = _head(canvas, area, slide, theme)
    if slide.form % 5 == 0:
        shares = slide.values[0] / slide.values[0].sum()
        left, words = room.cut_left(room.width // 2)
        charts.pie(canvas, left.inset(theme.px(10)), theme, shares, hole=0.55 if slide.form % 2 else 0.0)
        _bullet_list(canvas, words.cut_left(theme.px(30))[1], slide.lines[:3], theme, 18)
        return
    if slide.form % 5 == 1:
        words, room = room.cut_right(room.width * 3 // 10)
        _bullet_list(canvas, words, slide.lines[:3], theme, 16)
        room = room.cut_right(theme.px(30))[1]
    highest = max(float(series.max()) for series in slide.values)
    if theme.scale < _THUMBNAIL:
        made = charts.Axes(plot=room, top=highest * 1.1)
        canvas.fill(room.cut_bottom(1)[0], theme.border)
    else:
        made = charts.axes(canvas, room, theme, slide.names[:7], highest)
    if slide.form % 2:
        charts.bars(canvas, made, theme, slide.values)
    else:
        charts.lines(canvas, made, theme, slide.values, filled=slide.form % 4 == 0)


def _quote(canvas: Canvas, area: Box, slide: Slide, theme: Theme) -> None:
    room = area.inset(theme.px(110), theme.px(110))
    canvas.text(area.x + theme.px(50), room.y + theme.px(60), "“", font(theme.serif, theme.px(120) + 1), theme.accent)
    face = font(theme.serif, max(_SMALLEST_TYPE, theme.px(34)), "italic")
    used = typesetting.paragraph(canvas, room, " ".join(slide.lines[:2]), face, theme.text, leading=1.4)
    row = box(room.x, used.bottom + theme.px(20), room.width, theme.px(30))
    typesetting.line(canvas, row, f"{slide.names[0]} {slide.names[1]}", _font(theme, 18), theme.muted)


def _photos(canvas: Canvas, area: Box, slide: Slide, theme: Theme) -> None:
    room = _head(canvas, area, slide, theme)
    for number, cell in enumerate(room.columns(len(slide.photos), theme.px(22))):
        shown, below = cell.cut_top(cell.height * 7 // 10)
        round_corners = theme.px(10) if slide.form % 2 else 0
        canvas.paste(shown, slide.photos[number].cut(shown.width, shown.height), radius=round_corners)
        row, rest = below.cut_top(theme.px(38))
        typesetting.line(canvas, row, slide.names[number], _font(theme, 20, "bold"), theme.text)
        typesetting.paragraph(canvas, rest, slide.lines[number], _font(theme, 14), theme.muted)


def _figures(canvas: Canvas, area: Box, slide: Slide, theme: Theme) -> None:
    room = _head(canvas, area, slide, theme)
    for number, cell in enumerate(room.inset(0, room.height // 6).columns(3, theme.px(24))):
        canvas.rounded(cell, theme.raised, theme.px(12))
        canvas.mark(cell)
        upper, lower = cell.inset(theme.px(20), theme.px(24)).rows(2, 0)
        value = float(slide.values[0][number])
        shown = (f"{value:.0f}%", f"{value / 7:.1f}x", f"{value * 40:,.0f}")[number]
        typesetting.line(canvas, upper, shown, _font(theme, 56, "bold"), theme.series[number], align="centre")
        name = f"{slide.names[number]} {plural(slide.names[number + 1].lower())}"
        typesetting.line(canvas, lower, name, _font(theme, 17), theme.muted, align="centre")


def _table(canvas: Canvas, area: Box, slide: Slide, theme: Theme) -> None:
    room = _head(canvas, area, slide, theme)
    for number, row in enumerate(room.rows(6, 0)):
        canvas.fill(row.cut_bottom(1)[0], theme.border)
        if number == 0:
            canvas.fill(row, theme.accent)
        for column, cell in enumerate(row.inset(theme.px(14), 0).columns(5, theme.px(10))):
            name = slide.names[(number + column) % 8]
            shown = name if number == 0 or column == 0 else f"{slide.values[0][(number + column) % 7] * column:,.1f}"
            style, ink = ("bold", theme.page) if number == 0 else ("regular", theme.text)
            typesetting.line(canvas, cell, shown, _font(theme, 17, style), ink, align="right" if column else "left")


_DRAW: dict[Kind, Callable[[Canvas, Box, Slide, Theme], None]] = {
    "title": _title,
    "bullets": _bullets,
    "columns": _columns,
    "picture": _picture,
    "bleed": _bleed,
    "chart": _chart,
    "quote": _quote,
    "photos": _photos,
    "figures": _figures,
    "table": _table,
}
