"""Rows of coloured text on a grid of cells, as terminals draw them."""

from dataclasses import dataclass

import numpy as np

from datagen.canvas import Canvas, Colour
from datagen.fonts import Font
from datagen.geometry import Box, box
from datagen.shell_commands import Row
from datagen.theme import Theme, luminance, mix

_NAMES = ("back", "text", "red", "green", "yellow", "blue", "magenta", "cyan")
_SCHEMES = """
    0c0c0c cccccc c50f1f 13a10e c19c00 3b78ff 881798 3a96dd
    000000 d0d0d0 cd3131 0dbc79 e5e510 2472c8 bc3fbc 11a8cd
    1e1e2e cdd6f4 f38ba8 a6e3a1 f9e2af 89b4fa f5c2e7 94e2d5
    282a36 f8f8f2 ff5555 50fa7b f1fa8c 8ca9f9 ff79c6 8be9fd
    002b36 93a1a1 dc322f 859900 b58900 268bd2 d33682 2aa198
    300a24 eeeeec ef2929 8ae234 fce94f 729fcf ad7fa8 34e2e2
    282828 ebdbb2 fb4934 b8bb26 fabd2f 83a598 d3869b 8ec07c
    2e3440 d8dee9 bf616a a3be8c ebcb8b 81a1c1 b48ead 88c0d0
    012456 eeedf0 ff7b72 7ee787 eedc82 9cc8ff d2a8ff 8be0e0
    fdf6e3 586e75 dc322f 708200 a57a00 268bd2 d33682 218a80
    ffffff 24292f cf222e 116329 7d5400 0969da 8250df 1b7c83
    fbf1c7 3c3836 9d0006 79740e b57614 076678 8f3f71 427b58
    f5f5f5 1a1a1a c91b00 008a20 8a7000 0225c7 b000b0 007f8a
"""
"""A scheme a line, in the order of _NAMES, as hexadecimal RGB."""
_SIZES = (11.0, 12.0, 13.0, 13.0, 14.0, 15.0, 17.0)
_LEADINGS = (1.0, 1.0, 1.1, 1.2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A terminal's colours and its cells."""

    colours: dict[str, Colour]
    font: Font
    bold: Font
    cell: int
    """Width of a column in pixels."""
    step: int
    """Height of a row."""
    cursor: str


def choose_look(rng: np.random.Generator, theme: Theme) -> Look:
    """Return a colour scheme, as dark as the theme, and a size."""
    schemes = [line.split() for line in _SCHEMES.strip().splitlines()]
    dark = [scheme for scheme in schemes if luminance(_colour(scheme[0])) < 128]
    light = [scheme for scheme in schemes if luminance(_colour(scheme[0])) >= 128]
    chosen = dark if theme.dark else light
    scheme = chosen[int(rng.integers(len(chosen)))]
    colours = dict(zip(_NAMES, map(_colour, scheme), strict=True))
    colours["dim"] = mix(colours["text"], colours["back"], 0.45)
    colours["grey"] = mix(colours["text"], colours["back"], 0.7)
    colours["plain"] = colours["bold"] = colours["white"] = colours["text"]
    size = float(rng.choice(_SIZES))
    font = theme.mono_font(size)
    return Look(
        colours=colours,
        font=font,
        bold=theme.mono_font(size, "bold"),
        cell=font.width("M"),
        step=round(font.height * float(rng.choice(_LEADINGS))),
        cursor=str(rng.choice(["block", "block", "bar", "line"])),
    )


def _colour(digits: str) -> Colour:
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue


def wrap(rows: list[Row], num_columns: int) -> list[Row]:
    """Return the rows cut where the terminal's width ends."""
    wrapped: list[Row] = []
    for row in rows:
        wrapped.append([])
        room = num_columns
        for text, style in row:
            left = text
            while len(left) > room:
                wrapped[-1].append((left[:room], style))
                wrapped.append([])
                left, room = left[room:], num_columns
            wrapped[-1].append((left, style))
            room -= len(left)
    return wrapped


def draw_rows(canvas: Canvas, area: Box, look: Look, rows: list[Row]) -> Box:
    """Draw rows from the top of `area`; return the cell after the last one's end."""
    x, y = area.x, area.y - look.step
    for row in rows:
        x, y = area.x, y + look.step
        for text, style in row:
            x = _span(canvas, box(x, y, look.cell * len(text), look.step), look, text, style)
        if x > area.x:
            canvas.mark(box(area.x, y, x - area.x, look.step))
    return box(x, y, look.cell, look.step)


def _span(canvas: Canvas, area: Box, look: Look, text: str, style: str) -> int:
    kind, _, colour = style.rpartition("_")
    ink = look.colours[colour]
    if kind == "on":
        canvas.fill(area, ink)
        ink = look.colours["back"] if luminance(look.colours["back"]) < 128 else (255, 255, 255)
    if text.strip():
        indent = len(text) - len(text.lstrip())
        font = look.bold if kind == "bold" or style == "bold" else look.font
        baseline = area.y + (look.step - font.height) // 2 + font.ascent
        canvas.text(area.x + indent * look.cell, baseline, text.strip(), font, ink)
    return area.right


def draw_cursor(canvas: Canvas, cell: Box, look: Look, *, focused: bool) -> None:
    """Draw the cursor in `cell`: hollow where typing goes elsewhere."""
    colour = look.colours["text"]
    if not focused:
        canvas.outline(cell, colour)
    elif look.cursor == "block":
        canvas.fill(cell, colour)
    elif look.cursor == "bar":
        canvas.fill(cell.cut_left(max(1, look.cell // 6))[0], colour)
    else:
        canvas.fill(cell.cut_bottom(max(1, look.step // 8))[0], colour)
