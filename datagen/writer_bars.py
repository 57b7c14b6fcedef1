"""The bars around a word processor's page: tabs, tools, ruler, comments, status."""

import numpy as np

from datagen import controls, typesetting, widgets
from datagen.canvas import Canvas
from datagen.geometry import Box, box
from datagen.materials import Materials
from datagen.theme import Theme

_TABS = ("File", "Home", "Insert", "Layout", "References", "Review", "View")
_EDIT_ICONS: tuple[tuple[str, ...], ...] = (
    ("undo", "redo", "printer", "brush"),
    ("align", "list", "table", "menu"),
    ("image", "chart", "link", "chat"),
    ("search", "copy", "cut"),
)
_FONT_NAMES = ("Roboto", "Source Sans", "Source Serif", "DejaVu Sans", "DejaVu Serif")


def writer_bars(canvas: Canvas, area: Box, theme: Theme, materials: Materials, rng: np.random.Generator) -> Box:
    """Draw a word processor's tabs, tools and ruler; return the rest."""
    tabs, rest = area.cut_top(theme.px(32))
    accent = bool(rng.random() < 0.3)
    canvas.fill(tabs, theme.accent if accent else theme.raised)
    inner = tabs.inset(theme.px(10), 0)
    for number, name in enumerate(_TABS):
        font = theme.font(13, "bold" if number == 1 else "regular")
        cell, inner = inner.cut_left(font.width(name) + theme.px(24))
        ink = theme.on_accent if accent else theme.text
        used = typesetting.line(canvas, cell, name, font, ink, align="centre")
        if number == 1:
            canvas.fill(
                box(used.x, tabs.bottom - theme.px(3), used.width, theme.px(3)), ink if accent else theme.accent
            )
    share = inner.cut_right(theme.px(86))[0].inset(0, theme.px(3))
    widgets.button(canvas, share, theme, "Share", primary=not accent)
    bar, rest = rest.cut_top(theme.px(float(rng.choice([40, 76]))))
    canvas.fill(bar, theme.surface)
    controls.rule(canvas, bar, theme)
    _tools(canvas, bar.inset(theme.px(10), theme.px(6)), theme, materials)
    if rng.random() < 0.6:
        ruler, rest = rest.cut_top(theme.px(20))
        _ruler(canvas, ruler, theme)
    return rest


def _tools(canvas: Canvas, area: Box, theme: Theme, materials: Materials) -> None:
    rows = area.rows(2, 0) if area.height > theme.px(50) else [area]
    rest = rows[0]
    rest = _group(canvas, rest, theme, _EDIT_ICONS[0])
    for width, words in ((120, materials.text.pick(_FONT_NAMES)), (50, str(materials.text.number(8, 24)))):
        field, rest = rest.cut_left(theme.px(width))
        field = field.centred(field.width, theme.px(25))
        canvas.outline(field, theme.border, radius=theme.px(4))
        canvas.mark(field)
        typesetting.line(canvas, field.inset(theme.px(8), 0), words, theme.font(12.5), theme.text)
        rest = rest.cut_left(theme.px(7))[1]
    for letter, style in (("B", "bold"), ("I", "italic"), ("U", "regular")):
        cell, rest = rest.cut_left(theme.px(28))
        used = typesetting.line(canvas, cell, letter, theme.font(14, style), theme.text, align="centre")
        if letter == "U":
            canvas.fill(box(used.x, used.bottom - theme.px(2), used.width, max(1, theme.px(1))), theme.text)
    ink, rest = rest.cut_left(theme.px(30))
    canvas.fill(ink.centred(theme.px(16), theme.px(16)).cut_bottom(theme.px(4))[0], (220, 40, 40))
    typesetting.line(canvas, ink, "A", theme.font(12.5, "bold"), theme.text, align="centre")
    rest = rest if len(rows) == 1 else rows[1]
    for names in _EDIT_ICONS[1:]:
        rest = _group(canvas, rest, theme, names)
    if len(rows) > 1:
        for title in ("Normal", "Heading 1", "Heading 2", "Quote"):
            width = theme.px(88)
            if rest.width < width:
                return
            cell, rest = rest.cut_left(width)
            canvas.outline(cell.inset(theme.px(4), theme.px(2)), theme.border, radius=theme.px(3))
            typesetting.line(canvas, cell, title, theme.font(12), theme.text, align="centre")


def _group(canvas: Canvas, area: Box, theme: Theme, names: tuple[str, ...]) -> Box:
    rest = area
    for name in names:
        if rest.width < theme.px(34):
            return rest
        cell, rest = rest.cut_left(theme.px(30))
        controls.sign(canvas, cell, theme, name, 16)
    bar, rest = rest.cut_left(theme.px(13))
    canvas.fill(bar.centred(1, min(bar.height, theme.px(22))), theme.border)
    return rest


def _ruler(canvas: Canvas, area: Box, theme: Theme) -> None:
    canvas.fill(area, theme.surface)
    controls.rule(canvas, area, theme)
    canvas.mark(area)
    step = theme.px(19)
    middle = area.centred(min(area.width, theme.px(760)), area.height)
    canvas.fill(middle.inset(0, theme.px(5)), theme.raised)
    font = theme.font(9)
    for number in range(1, middle.width // step):
        x = middle.x + number * step
        if number % 2:
            canvas.fill(box(x, area.y + area.height // 2 - theme.px(2), 1, theme.px(4)), theme.muted)
        else:
            spot = box(x - step // 2, area.y, step, area.height)
            typesetting.line(canvas, spot, str(number // 2), font, theme.muted, align="centre")


def comments(canvas: Canvas, area: Box, theme: Theme, materials: Materials) -> None:
    """Draw the comments' column."""
    canvas.fill(area, theme.page)
    canvas.fill(area.cut_left(1)[0], theme.border)
    rest = area.inset(theme.px(12), theme.px(14))
    while rest.height > theme.px(130):
        rest = rest.cut_top(theme.px(float(materials.text.number(8, 90))))[1]
        cell, rest = rest.cut_top(theme.px(88))
        if cell.height < theme.px(88):
            return
        widgets.card(canvas, cell, theme, radius=8)
        inner = cell.inset(theme.px(12), theme.px(10))
        head, words = inner.cut_top(theme.px(28))
        face, name = head.cut_left(theme.px(26))
        person = materials.text.full_name()
        widgets.avatar(canvas, face, theme, materials, person)
        typesetting.line(canvas, name.cut_left(theme.px(8))[1], person, theme.font(12.5, "bold"), theme.text)
        typesetting.paragraph(canvas, words, materials.text.chat_line(), theme.font(12.5), theme.text)


def status_bar(canvas: Canvas, area: Box, theme: Theme, materials: Materials, pages: tuple[int, int]) -> None:
    """Draw the line at the bottom; `pages` are the number of the page that is seen and of all."""
    canvas.fill(area, theme.raised)
    canvas.mark(area)
    inner = area.inset(theme.px(14), 0)
    words = f"Page {pages[0]} of {pages[1]}    {materials.text.number(120, 29000):,} words"
    typesetting.line(canvas, inner, words, theme.font(12), theme.muted)
    zoom, rest = inner.cut_right(theme.px(56))
    shown = f"{materials.text.number(7, 18) * 10} %"
    typesetting.line(canvas, zoom, shown, theme.font(12), theme.muted, align="right")
    controls.slider(canvas, rest.cut_right(theme.px(110))[0], theme, materials.text.number(20, 80) / 100, knob=10)
