"""Menus whose lines an application chooses itself, its dialogs and tool tips."""

from collections.abc import Sequence
from dataclasses import dataclass

from datagen import typesetting, widgets
from datagen.canvas import Canvas
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.theme import Theme


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a menu; without a name it is a separator."""

    name: str = ""
    sign: str = ""
    """Icon at its left, "" for none."""
    shortcut: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """A menu's lines and how it looks."""

    entries: tuple[Entry, ...]
    chosen: int = -1
    """Line under the pointer, -1 for none."""
    opacity: float = 1.0
    """Below 1 what lies under it shines through."""
    width: float = 200
    """At 1x."""


def menu(canvas: Canvas, within: Box, x: int, y: int, theme: Theme, shown: Menu) -> Box:
    """Open a menu with its corner near (x, y), moved to stay inside `within`; return its box."""
    row, gap = theme.px(27), theme.px(9)
    width = min(theme.px(shown.width), within.width)
    height = sum(row if entry.name else gap for entry in shown.entries) + theme.px(10)
    area = box(
        max(within.x, min(x, within.right - width)), max(within.y, min(y, within.bottom - height)), width, height
    )
    canvas.shadow(area, blur=theme.px(14), strength=0.28, offset=theme.px(4))
    radius = theme.px(8)
    if shown.opacity < 1:
        canvas.veil(area, theme.surface, shown.opacity, radius=radius)
    else:
        canvas.rounded(area, theme.surface, radius)
    canvas.outline(area, theme.border, radius=radius)
    canvas.mark(area)
    has_signs = any(entry.sign for entry in shown.entries)
    rest = area.inset(theme.px(5))
    for number, entry in enumerate(shown.entries):
        if not entry.name:
            line, rest = rest.cut_top(gap)
            canvas.fill(line.centred(line.width - theme.px(8), 1), theme.border)
            continue
        line, rest = rest.cut_top(row)
        _entry(canvas, line, theme, entry, has_signs=has_signs, chosen=number == shown.chosen)
    return area


def _entry(canvas: Canvas, line: Box, theme: Theme, entry: Entry, *, has_signs: bool, chosen: bool) -> None:
    ink = theme.on_accent if chosen else theme.text
    if chosen:
        canvas.rounded(line, theme.accent, theme.px(5))
        canvas.mark(line)
    inner = line.inset(theme.px(9), 0)
    if has_signs:
        cell, inner = inner.cut_left(theme.px(25))
        if entry.sign:
            side = theme.px(15)
            icon(canvas, cell.cut_left(side)[0].centred(side, side), entry.sign, ink)
    if entry.shortcut:
        font = theme.font(11.5)
        right, inner = inner.cut_right(font.width(entry.shortcut) + theme.px(8))
        typesetting.line(canvas, right, entry.shortcut, font, ink if chosen else theme.muted, align="right")
    typesetting.line(canvas, inner, entry.name, theme.font(12.5), ink)


def dialog(canvas: Canvas, within: Box, theme: Theme, texts: tuple[str, str], buttons: Sequence[str]) -> Box:
    """Open a dialog in the middle of `within`: `texts` are its title and message. Return its box."""
    width = min(theme.px(400), within.width - theme.px(24))
    message = theme.font(13)
    num_lines = len(typesetting.break_lines(texts[1], message, width - theme.px(48)))
    height = theme.px(118) + num_lines * round(message.size * 1.35)
    area = within.centred(width, height)
    canvas.shadow(area, blur=theme.px(30), strength=0.4, offset=theme.px(10))
    canvas.rounded(area, theme.surface, theme.px(12))
    canvas.outline(area, theme.border, radius=theme.px(12))
    canvas.mark(area)
    head, rest = area.inset(theme.px(24), theme.px(20)).cut_top(theme.px(28))
    typesetting.line(canvas, head, texts[0], theme.font(16, "bold"), theme.text)
    foot, body = rest.cut_bottom(theme.px(32))
    typesetting.paragraph(canvas, body, texts[1], message, theme.muted)
    for number, name in enumerate(reversed(buttons)):
        cell, foot = foot.cut_right(max(theme.px(84), theme.font(13, "bold").width(name) + theme.px(32)))
        widgets.button(canvas, cell, theme, name, primary=number == 0)
        foot = foot.cut_right(theme.px(10))[1]
    return area
