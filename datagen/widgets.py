"""Parts that applications share: window and browser bars, buttons, fields, avatars, rows."""

from collections.abc import Sequence

import numpy as np

from datagen import typesetting
from datagen.canvas import Canvas, Colour
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.materials import Materials
from datagen.shapes import rounded
from datagen.theme import Theme, mix

_TRAFFIC_LIGHTS: tuple[Colour, ...] = ((255, 95, 87), (254, 188, 46), (40, 200, 64))


def window_bar(canvas: Canvas, area: Box, theme: Theme, title: str, rng: np.random.Generator) -> Box:
    """Draw a title bar at the top of `area` in one of two styles; return what is left below it."""
    bar, rest = area.cut_top(theme.px(32))
    canvas.fill(bar, theme.raised)
    canvas.fill(bar.cut_bottom(1)[0], theme.border)
    if rng.random() < 0.5:
        size = theme.px(12)
        for number, colour in enumerate(_TRAFFIC_LIGHTS):
            light = box(bar.x + theme.px(12 + 20 * number), bar.y + (bar.height - size) // 2, size, size)
            canvas.rounded(light, colour, size / 2)
            canvas.mark(light)
    else:
        window_buttons(canvas, bar, theme)
    middle = bar.inset(theme.px(150), 0)
    typesetting.line(canvas, middle, title, theme.font(12.5), theme.muted, align="centre")
    return rest


def window_buttons(canvas: Canvas, bar: Box, theme: Theme) -> Box:
    """Draw minimise, maximise and close at the right end of `bar`; return the rest of it."""
    rest = bar
    for name in ("close", "square", "minus"):
        cell, rest = rest.cut_right(theme.px(42))
        icon(canvas, cell.centred(theme.px(15), theme.px(15)), name, theme.muted, weight=1.6)
    return rest


def browser_bar(canvas: Canvas, area: Box, theme: Theme, titles: Sequence[str], address: str) -> Box:
    """Draw a browser's tab strip and address bar; the first title is the open tab. Return the page's area."""
    strip, rest = area.cut_top(theme.px(38))
    frame = mix(theme.raised, theme.text, 0.08)
    canvas.fill(strip, frame)
    tabs = window_buttons(canvas, strip, theme)
    bar, rest = rest.cut_top(theme.px(42))
    canvas.fill(bar, theme.surface)
    canvas.fill(bar.cut_bottom(1)[0], theme.border)
    _, tabs = tabs.cut_left(theme.px(8))
    width = min(theme.px(210), (tabs.width - theme.px(40)) // max(1, len(titles)))
    for number, title in enumerate(titles):
        cell, tabs = tabs.cut_left(width)
        _tab(canvas, cell.cut_bottom(strip.height - theme.px(6))[0], theme, title, number)
    icon(canvas, tabs.cut_left(theme.px(34))[0].centred(theme.px(16), theme.px(16)), "plus", theme.muted)
    buttons, field = bar.cut_left(theme.px(112))
    for name, cell in zip(("back", "forward", "reload"), buttons.inset(theme.px(6), 0).columns(3, 0), strict=True):
        icon(canvas, cell.centred(theme.px(18), theme.px(18)), name, theme.muted)
    more, field = field.cut_right(theme.px(76))
    for name, cell in zip(("user", "dots"), more.columns(2, 0), strict=True):
        icon(canvas, cell.centred(theme.px(18), theme.px(18)), name, theme.muted)
    field = field.inset(0, theme.px(6))
    canvas.rounded(field, theme.raised, field.height / 2)
    canvas.mark(field)
    lock, text = field.inset(theme.px(8), 0).cut_left(theme.px(24))
    icon(canvas, lock.centred(theme.px(14), theme.px(14)), "lock", theme.muted)
    typesetting.line(canvas, text, address, theme.font(13), theme.text)
    return rest


def _tab(canvas: Canvas, cell: Box, theme: Theme, title: str, number: int) -> None:
    chosen = number == 0
    if chosen:
        with canvas.clipped(cell):
            canvas.rounded(box(cell.x, cell.y, cell.width, cell.height + 20), theme.surface, theme.px(8))
        canvas.mark(cell)
    inner = cell.inset(theme.px(10), 0)
    mark, text = inner.cut_left(theme.px(22))
    badge = mark.cut_left(theme.px(15))[0].centred(theme.px(15), theme.px(15))
    canvas.rounded(badge, theme.series[number % len(theme.series)], theme.px(4))
    canvas.mark(badge)
    close, text = text.cut_right(theme.px(18))
    icon(canvas, close.centred(theme.px(12), theme.px(12)), "close", theme.muted)
    typesetting.line(canvas, text, title, theme.font(12), theme.text if chosen else theme.muted)


def button(canvas: Canvas, area: Box, theme: Theme, text: str, *, primary: bool = True) -> None:
    """Draw a button that fills `area`."""
    radius = theme.px(6)
    canvas.rounded(area, theme.accent if primary else theme.raised, radius)
    if not primary:
        canvas.outline(area, theme.border, radius=radius)
    canvas.mark(area, rounded(area.width, area.height, radius))
    colour = theme.on_accent if primary else theme.text
    typesetting.line(canvas, area.inset(theme.px(8), 0), text, theme.font(13, "bold"), colour, align="centre")


def search_field(canvas: Canvas, area: Box, theme: Theme, hint: str) -> None:
    """Draw an empty search field that fills `area`."""
    canvas.rounded(area, theme.raised, theme.px(8))
    canvas.mark(area, rounded(area.width, area.height, theme.px(8)))
    sign, text = area.inset(theme.px(10), 0).cut_left(theme.px(24))
    icon(canvas, sign.cut_left(theme.px(16))[0].centred(theme.px(16), theme.px(16)), "search", theme.muted)
    typesetting.line(canvas, text, hint, theme.font(13), theme.muted)


def avatar(canvas: Canvas, area: Box, theme: Theme, materials: Materials, name: str) -> None:
    """Draw a round avatar: the person's photograph if there is one, else initials."""
    side = min(area.width, area.height)
    area = area.centred(side, side)
    portrait = materials.portrait(name, side)
    if portrait is not None:
        canvas.paste(area, portrait, radius=area.width / 2)
        return
    canvas.rounded(area, theme.series[sum(map(ord, name)) % len(theme.series)], area.width / 2)
    canvas.mark(area, rounded(area.width, area.height, area.width / 2))
    initials = "".join(part[0] for part in name.split()[:2])
    font = theme.font(area.width / theme.scale * 0.4, "bold")
    typesetting.line(canvas, area, initials, font, (255, 255, 255), align="centre")


def card(canvas: Canvas, area: Box, theme: Theme, *, radius: float = 10) -> None:
    """Draw a card's background: a shadow on light themes, a border on dark ones."""
    corner = theme.px(radius)
    if not theme.dark:
        canvas.shadow(area, blur=theme.px(10), strength=0.10, offset=theme.px(2))
    canvas.rounded(area, theme.surface, corner)
    canvas.outline(area, theme.border, radius=corner)
    canvas.mark(area, rounded(area.width, area.height, corner))
