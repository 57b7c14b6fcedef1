"""What lies over any application now and then: notification, menu, tooltip, dialog, consent bar, pointer."""

import numpy as np

from datagen import typesetting, widgets
from datagen.canvas import Canvas, Colour
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.materials import Materials
from datagen.shapes import Point, rounded
from datagen.texts import TextBank
from datagen.theme import Theme, mix

_MENU_ICONS = ("back", "reload", "file", "image", "share", "star", "search", "trash")
_POINTER: tuple[Point, ...] = ((0, 0), (0, 16.2), (3.9, 12.8), (6.4, 18.4), (8.9, 17.3), (6.4, 11.8), (11.4, 11.5))


def draw_some(canvas: Canvas, area: Box, theme: Theme, materials: Materials, rng: np.random.Generator) -> None:
    """Draw one overlay into `area` on about one screen in four, and a pointer on one in two."""
    form = rng.random()
    if form < 0.07:
        notification(canvas, area, theme, materials)
    elif form < 0.13:
        menu(canvas, _somewhere(area, rng), area, theme, materials.text)
    elif form < 0.17:
        tooltip(canvas, _somewhere(area, rng), area, theme, materials.text)
    elif form < 0.21:
        dialog(canvas, area, theme, materials.text)
    elif form < 0.24:
        consent(canvas, area, theme, materials.text)
    if rng.random() < 0.5:
        pointer(canvas, _somewhere(area, rng), theme)


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


def menu(canvas: Canvas, at: tuple[int, int], area: Box, theme: Theme, text: TextBank) -> None:
    """Draw a context menu with its corner at `at`, moved so that it lies in `area`."""
    count = text.number(4, 10)
    row_height = theme.px(28)
    wide = box(*at, theme.px(230), count * row_height + theme.px(12))
    frame = _inside(wide, area)
    canvas.shadow(frame, blur=theme.px(12), strength=0.3, offset=theme.px(4))
    canvas.rounded(frame, theme.surface, theme.px(8))
    canvas.outline(frame, theme.border, radius=theme.px(8))
    canvas.mark(frame, rounded(frame.width, frame.height, theme.px(8)))
    chosen = text.number(-2, count)
    with_icons = text.number(0, 2)
    rest = frame.inset(theme.px(5), theme.px(6))
    for number in range(count):
        row, rest = rest.cut_top(row_height)
        ink = theme.text
        if number == chosen:
            canvas.rounded(row, theme.accent, theme.px(5))
            ink = theme.on_accent
        elif number and text.number(0, 4) == 0:
            canvas.fill(row.cut_top(1)[0], theme.border)
        keys, words = row.inset(theme.px(10), 0).cut_right(theme.px(56))
        if with_icons:
            sign, words = words.cut_left(theme.px(26))
            place = sign.cut_left(theme.px(15))[0].centred(theme.px(15), theme.px(15))
            icon(canvas, place, _MENU_ICONS[number % len(_MENU_ICONS)], ink)
        typesetting.line(canvas, words, f"{text.verb()} {text.noun()}".capitalize(), theme.font(13), ink)
        if text.number(0, 2):
            typesetting.line(canvas, keys, f"Ctrl+{text.pick(list('CVXZSPFN'))}", theme.font(12), ink, align="right")


def tooltip(canvas: Canvas, at: tuple[int, int], area: Box, theme: Theme, text: TextBank) -> None:
    """Draw a small label that explains what the pointer is over."""
    words = text.label(3)
    font = theme.font(12)
    frame = _inside(box(*at, font.width(words) + theme.px(16), theme.px(26)), area)
    back: Colour = mix(theme.text, theme.surface, 0.12)
    canvas.rounded(frame, back, theme.px(5))
    canvas.mark(frame, rounded(frame.width, frame.height, theme.px(5)))
    typesetting.line(canvas, frame, words, font, theme.surface, align="centre")


def dialog(canvas: Canvas, area: Box, theme: Theme, text: TextBank) -> None:
    """Draw a question in the middle of `area`."""
    frame = area.centred(min(theme.px(440), area.width - theme.px(24)), theme.px(178))
    canvas.shadow(frame, blur=theme.px(24), strength=0.4, offset=theme.px(8))
    canvas.rounded(frame, theme.surface, theme.px(12))
    canvas.outline(frame, theme.border, radius=theme.px(12))
    canvas.mark(frame, rounded(frame.width, frame.height, theme.px(12)))
    inner = frame.inset(theme.px(22), theme.px(18))
    head, rest = inner.cut_top(theme.px(30))
    title = f"{text.verb().capitalize()} this {text.noun()}?"
    typesetting.line(canvas, head, title, theme.font(17, "bold"), theme.text)
    buttons, words = rest.cut_bottom(theme.px(36))
    typesetting.paragraph(canvas, words, text.paragraph(2), theme.font(13.5), theme.muted)
    ok, left = buttons.cut_right(theme.px(110))
    widgets.button(canvas, ok, theme, text.verb().capitalize())
    cancel = left.cut_right(theme.px(10))[1].cut_right(theme.px(100))[0]
    widgets.button(canvas, cancel, theme, "Cancel", primary=False)


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


def _somewhere(area: Box, rng: np.random.Generator) -> tuple[int, int]:
    return area.x + int(rng.integers(0, max(1, area.width))), area.y + int(rng.integers(0, max(1, area.height)))


def _inside(wanted: Box, area: Box) -> Box:
    """Return `wanted` moved into `area`."""
    x = max(area.x, min(wanted.x, area.right - wanted.width))
    y = max(area.y, min(wanted.y, area.bottom - wanted.height))
    return box(x, y, wanted.width, wanted.height)
