"""What lies over any application now and then: notification, menu, tool tip, dialog, consent bar, pointer."""

import numpy as np

from datagen import typesetting, widgets
from datagen.canvas import Canvas
from datagen.geometry import Box, box
from datagen.materials import Materials
from datagen.menus import Entry, Menu, dialog, menu
from datagen.shapes import Point
from datagen.texts import TextBank
from datagen.theme import Theme, mix

_SIGNS = ("copy", "reload", "file", "image", "share", "star", "search", "trash", "link", "pen")
_KEYS = ("", "", "Ctrl+C", "Ctrl+V", "Ctrl+X", "F2", "Del", "Ctrl+F")
_POINTER: tuple[Point, ...] = ((0, 0), (0, 16.2), (3.9, 12.8), (6.4, 18.4), (8.9, 17.3), (6.4, 11.8), (11.4, 11.5))


def draw_some(
    canvas: Canvas, area: Box, theme: Theme, materials: Materials, rng: np.random.Generator, *, web: bool = False
) -> None:
    """Draw one overlay into `area` on about one screen in four, and a pointer on one in two.

    `web`: whether `area` is a page, which may ask to accept cookies.
    """
    text = materials.text
    form = rng.random()
    x, y = (int(rng.integers(low, max(low + 1, high))) for low, high in ((area.x, area.right), (area.y, area.bottom)))
    if form < 0.07:
        notification(canvas, area, theme, materials)
    elif form < 0.13:
        menu(canvas, area, x, y, theme, _some_menu(text))
    elif form < 0.17:
        tooltip(canvas, (x, y), area, theme, text)
    elif form < 0.21:
        title = f"{text.verb().capitalize()} this {text.noun()}?"
        dialog(canvas, area, theme, (title, text.paragraph(2)), ("Cancel", text.verb().capitalize()))
    elif form < 0.25 and web:
        consent(canvas, area, theme, text)
    if rng.random() < 0.5:
        pointer(canvas, (x, y), theme)


def notification(canvas: Canvas, area: Box, theme: Theme, materials: Materials) -> None:
    """Draw a message that has just come in, at the upper right or lower right."""
    width, height = min(theme.px(360), area.width - theme.px(24)), theme.px(86)
    lower = materials.text.number(0, 2)
    y = area.bottom - height - theme.px(16) if lower else area.y + theme.px(14)
    card = box(area.right - width - theme.px(16), y, width, height)
    widgets.card(canvas, card, theme, radius=12)
    inner = card.inset(theme.px(14), theme.px(12))
    face, words = inner.cut_left(theme.px(40))
    name = materials.text.full_name()
    widgets.avatar(canvas, face, theme, materials, name)
    words = words.cut_left(theme.px(12))[1]
    head, rest = words.cut_top(theme.px(20))
    stamp, head = head.cut_right(theme.px(40))
    typesetting.line(canvas, stamp, "now", theme.font(11.5), theme.muted, align="right")
    typesetting.line(canvas, head, name, theme.font(13.5, "bold"), theme.text)
    typesetting.paragraph(canvas, rest, materials.text.chat_line(), theme.font(13), theme.muted)


def tooltip(canvas: Canvas, at: tuple[int, int], area: Box, theme: Theme, text: TextBank) -> None:
    """Draw a small label that explains what is at `at`, moved so that it lies in `area`."""
    words = text.label(3)
    font = theme.font(12)
    width, height = font.width(words) + theme.px(16), theme.px(26)
    frame = box(min(at[0], area.right - width), min(at[1], area.bottom - height), width, height)
    canvas.rounded(frame, mix(theme.text, theme.surface, 0.12), theme.px(5))
    canvas.mark(frame)
    typesetting.line(canvas, frame, words, font, theme.surface, align="centre")


def consent(canvas: Canvas, area: Box, theme: Theme, text: TextBank) -> None:
    """Draw the bar at the bottom that asks to accept cookies."""
    bar = area.cut_bottom(theme.px(96))[0]
    canvas.fill(bar, theme.surface)
    canvas.fill(bar.cut_top(1)[0], theme.border)
    canvas.mark(bar)
    inner = bar.inset(theme.px(24), theme.px(18))
    buttons, words = inner.cut_right(min(theme.px(250), inner.width // 2))
    typesetting.paragraph(canvas, words, f"We value your privacy. {text.paragraph(2)}", theme.font(13.5), theme.text)
    cells = buttons.inset(theme.px(12), theme.px(12)).columns(2, theme.px(10))
    widgets.button(canvas, cells[0], theme, "Reject", primary=False)
    widgets.button(canvas, cells[1], theme, "Accept")


def pointer(canvas: Canvas, at: tuple[int, int], theme: Theme) -> None:
    """Draw the mouse's arrow with its tip at `at`: black with a white rim."""
    factor = theme.scale * 0.95
    points = [(at[0] + x * factor, at[1] + y * factor) for x, y in _POINTER]
    canvas.polyline([*points, points[0]], (255, 255, 255), thickness=2.2 * factor)
    canvas.polygon(points, (0, 0, 0))


def _some_menu(text: TextBank) -> Menu:
    count = text.number(4, 10)
    entries = []
    with_signs = text.number(0, 2)
    for number in range(count):
        if number and text.number(0, 4) == 0:
            entries.append(Entry())
        name = f"{text.verb()} {text.noun()}".capitalize()
        entries.append(Entry(name=name, sign=_SIGNS[number] if with_signs else "", shortcut=text.pick(_KEYS)))
    return Menu(entries=tuple(entries), chosen=text.number(-2, len(entries)), width=text.number(190, 250))
