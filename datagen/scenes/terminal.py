"""A terminal: shell sessions, panes, process monitors, manuals, pictures shown inline; alone or on a desktop."""

from dataclasses import dataclass

import numpy as np

from datagen import typesetting, widgets
from datagen.canvas import Canvas, Colour
from datagen.console import Look, choose_look, draw_cursor, draw_rows, wrap
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.materials import Materials
from datagen.shell import write_manual, write_monitor, write_session
from datagen.theme import Theme, choose_theme, luminance, mix

_MIN_COLUMNS = 44
"""Columns that a pane keeps when it is split."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pane:
    area: Box
    focused: bool

    def num_columns(self, look: Look) -> int:
        return max(1, self.area.width // look.cell)

    def num_rows(self, look: Look) -> int:
        return max(2, self.area.height // look.step)


def draw(canvas: Canvas, materials: Materials, rng: np.random.Generator) -> None:
    """Draw the whole screen."""
    theme = choose_theme(rng, canvas, dark_share=0.7)
    look = choose_look(rng, theme)
    if rng.random() < 0.5:
        _window(canvas, canvas.area, theme, look, materials, rng)
        return
    room = _desktop(canvas, theme, materials, rng)
    for _ in range(int(rng.choice([1, 1, 2]))):
        width, height = (round(side * rng.uniform(0.55, 0.95)) for side in (room.width, room.height))
        x = room.x + int(rng.integers(0, room.width - width + 1))
        y = room.y + int(rng.integers(0, room.height - height + 1))
        window = Canvas(width, height, look.colours["back"], display=canvas.display)
        _window(window, window.area, theme, look, materials, rng)
        area = box(x, y, width, height)
        canvas.shadow(area, blur=theme.px(16), strength=0.35, offset=theme.px(6))
        # A translucent window over a photograph mixes both, so only small ones are.
        clear = width * height < 0.2 * room.width * room.height
        canvas.compose(area, window, radius=theme.px(10), opacity=0.9 if clear else 1.0)
        canvas.mark(area)


def draw_window(canvas: Canvas, materials: Materials, rng: np.random.Generator) -> None:
    """Draw one window that fills the canvas."""
    theme = choose_theme(rng, canvas, dark_share=0.7)
    _window(canvas, canvas.area, theme, choose_look(rng, theme), materials, rng)


def _desktop(canvas: Canvas, theme: Theme, materials: Materials, rng: np.random.Generator) -> Box:
    """Draw a wallpaper and a panel; return what windows may cover."""
    if rng.random() < 0.7:
        canvas.paste(canvas.area, materials.photo(canvas.area.width, canvas.area.height))
    else:
        first, second = (mix(theme.accent, (0, 0, 0), share) for share in (0.25, 0.7))
        canvas.gradient(canvas.area, first, second, vertical=bool(rng.random() < 0.5))
    if rng.random() < 0.5:
        bar, room = canvas.area.cut_top(theme.px(28))
        canvas.fill(bar, (18, 18, 20) if theme.dark else (236, 236, 238))
        ink: Colour = (235, 235, 235) if theme.dark else (30, 30, 34)
        text = materials.text
        clock = f"{text.pick(['Mon', 'Tue', 'Wed', 'Thu', 'Fri'])} {text.clock()}"
        typesetting.line(canvas, bar, clock, theme.font(13, "bold"), ink, align="centre")
        typesetting.line(canvas, bar.inset(theme.px(12), 0), "Activities", theme.font(13), ink)
        for number, name in enumerate(("bell", "gear", "user")):
            cell = box(bar.right - theme.px(30 * (number + 1)), bar.y, theme.px(24), bar.height)
            icon(canvas, cell.centred(theme.px(15), theme.px(15)), name, ink)
        return room
    dock = canvas.area.cut_bottom(theme.px(48))[0]
    canvas.fill(dock, mix(theme.surface, theme.accent, 0.06))
    names = ("menu", "search", "folder", "chat", "image", "gear", "file")
    strip = dock.centred(theme.px(46 * len(names)), dock.height)
    for name, cell in zip(names, strip.columns(len(names), 0), strict=True):
        icon(canvas, cell.centred(theme.px(24), theme.px(24)), name, theme.text)
    right = dock.cut_right(theme.px(90))[0]
    typesetting.line(canvas, right, materials.text.clock(), theme.font(12.5), theme.text, align="centre")
    return canvas.area.cut_bottom(theme.px(48))[1]


def _window(
    canvas: Canvas, area: Box, theme: Theme, look: Look, materials: Materials, rng: np.random.Generator
) -> None:
    canvas.fill(area, look.colours["back"])
    text = materials.text
    form = rng.random()
    title = f"{text.first_name().lower()}@{text.noun()}: ~/{text.noun()}/{text.noun()}"
    if form < 0.55:
        area = widgets.window_bar(canvas, area, theme, title, rng)
    elif form < 0.85:
        area = _tabs(canvas, area, theme, look, materials)
    if rng.random() < 0.3:
        bar, area = area.cut_bottom(look.step)
        _status(canvas, bar, look, materials)
    pad = theme.px(float(rng.choice([2, 4, 8, 14])))
    for pane in _split(canvas, area, look, rng):
        inner = pane.area.inset(pad, pad)
        if inner.width < look.cell or inner.height < look.step:
            continue
        with canvas.clipped(pane.area):
            _pane(canvas, _Pane(area=inner, focused=pane.focused), look, materials, rng)


def _tabs(canvas: Canvas, area: Box, theme: Theme, look: Look, materials: Materials) -> Box:
    bar, rest = area.cut_top(theme.px(36))
    canvas.fill(bar, theme.raised)
    tabs = widgets.window_buttons(canvas, bar, theme)
    count = materials.text.number(1, 5)
    width = min(theme.px(220), (tabs.width - theme.px(40)) // count)
    tabs = tabs.cut_left(theme.px(6))[1]
    for number in range(count):
        cell, tabs = tabs.cut_left(width)
        colour = theme.muted
        if number == 0:
            colour = look.colours["text"]
            with canvas.clipped(cell):
                lower = box(cell.x, cell.y + theme.px(5), cell.width, cell.height + theme.px(20))
                canvas.rounded(lower, look.colours["back"], theme.px(8))
            canvas.mark(cell)
        close, name = cell.inset(theme.px(12), 0).cut_right(theme.px(18))
        icon(canvas, close.centred(theme.px(11), theme.px(11)), "close", colour)
        typesetting.line(canvas, name, f"~/{materials.text.noun()}", theme.font(12.5), colour)
    icon(canvas, tabs.cut_left(theme.px(34))[0].centred(theme.px(15), theme.px(15)), "plus", theme.muted)
    return rest


def _status(canvas: Canvas, bar: Box, look: Look, materials: Materials) -> None:
    """Draw the line that a terminal multiplexer keeps below its panes."""
    text = materials.text
    back = look.colours[text.pick(["green", "blue", "cyan", "grey", "yellow"])]
    ink: Colour = (12, 12, 12) if luminance(back) > 110 else (245, 245, 245)
    canvas.fill(bar, back)
    canvas.mark(bar)
    names = "  ".join(f"{number}:{text.noun()}{'*' if number == 0 else '-'}" for number in range(text.number(1, 5)))
    typesetting.line(canvas, bar, f"[{text.number(0, 9)}] {names}", look.font, ink)
    if bar.width > 90 * look.cell:
        right = f'"{text.noun()}" {text.clock()} {text.number(1, 29):02d}-Mar-26'
        typesetting.line(canvas, bar.cut_right(bar.width // 3)[0], right, look.font, ink, align="right")


def _split(canvas: Canvas, area: Box, look: Look, rng: np.random.Generator) -> list[_Pane]:
    """Return one to four panes with lines between them."""
    areas = [area]
    for _ in range(int(rng.choice([0, 0, 0, 1, 1, 2, 3]))):
        first = areas.pop(int(rng.integers(len(areas))))
        share = float(rng.choice([0.5, 0.5, 0.6, 0.7]))
        if first.width // look.cell >= 2 * _MIN_COLUMNS and (rng.random() < 0.6 or first.height < 20 * look.step):
            left, right = first.cut_left(round(first.width * share))
            areas += [left, right.cut_left(1)[1]]
            canvas.fill(right.cut_left(1)[0], look.colours["grey"])
        elif first.height >= 14 * look.step:
            upper, lower = first.cut_top(round(first.height * share))
            areas += [upper, lower.cut_top(1)[1]]
            canvas.fill(lower.cut_top(1)[0], look.colours["grey"])
        else:
            areas.append(first)
    chosen = int(rng.integers(len(areas)))
    return [_Pane(area=part, focused=number == chosen) for number, part in enumerate(areas)]


def _pane(canvas: Canvas, pane: _Pane, look: Look, materials: Materials, rng: np.random.Generator) -> None:
    num_rows, num_columns = pane.num_rows(look), pane.num_columns(look)
    form = rng.random()
    if form < 0.12 and num_columns > 70 and num_rows > 14:
        draw_rows(canvas, pane.area, look, write_monitor(materials.text, num_rows, num_columns))
    elif form < 0.2 and num_rows > 10:
        draw_rows(canvas, pane.area, look, write_manual(materials.text, num_rows, num_columns))
    elif form < 0.5 and num_rows > 10 and num_columns > 30:
        _session_with_picture(canvas, pane, look, materials, rng)
    else:
        rows = wrap(write_session(materials.text, num_rows), num_columns)[-num_rows:]
        draw_cursor(canvas, draw_rows(canvas, pane.area, look, rows), look, focused=pane.focused)


def _session_with_picture(
    canvas: Canvas, pane: _Pane, look: Look, materials: Materials, rng: np.random.Generator
) -> None:
    """A picture printed between two prompts, as terminals with a graphics protocol can."""
    num_rows = pane.num_rows(look)
    rows_high = int(rng.integers(6, max(7, min(26, num_rows - 3))))
    rows = write_session(materials.text, num_rows - rows_high - 1)
    name = f"{materials.text.noun()}_{materials.text.number(1, 99):02d}.jpg"
    shown = [*rows[:-1], [*rows[-1], (f"{materials.text.pick(['icat', 'imgcat', 'img2sixel'])} {name}", "plain")]]
    shown = wrap(shown, pane.num_columns(look))[-(num_rows - rows_high - 1) :]
    end = draw_rows(canvas, pane.area, look, shown)
    height = rows_high * look.step
    width = min(pane.area.width, round(height * float(rng.choice([0.75, 1.0, 1.33, 1.5, 1.78]))))
    area = box(pane.area.x, end.bottom, width, height - look.step // 3)
    canvas.paste(area, materials.photo(area.width, area.height))
    below = box(pane.area.x, end.bottom + height, pane.area.width, look.step)
    draw_cursor(canvas, draw_rows(canvas, below, look, [rows[-1]]), look, focused=pane.focused)
