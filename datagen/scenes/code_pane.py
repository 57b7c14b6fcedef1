"""Source code in an editor: line numbers, colours, marks of changes and errors, a minimap, completion, search."""

from dataclasses import dataclass

import numpy as np

from datagen import typesetting
from datagen.canvas import Canvas, Colour
from datagen.fonts import Font
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.shapes import rounded
from datagen.source_code import Kind, Line
from datagen.texts import TextBank
from datagen.theme import Theme, mix
from datagen.writings import Listing

_KINDS: tuple[Kind, ...] = ("keyword", "type", "string", "number", "comment", "function")
_DARK = """
    c678dd e5c07b 98c379 d19a66 747c8c 61afef
    569cd6 4ec9b0 ce9178 b5cea8 6a9955 dcdcaa
    ff79c6 8be9fd f1fa8c bd93f9 7285bd 50fa7b
    fb4934 fabd2f b8bb26 d3869b 928374 83a598
    81a1c1 8fbcbb a3be8c b48ead 7b88a1 88c0d0
    f97583 ffab70 9ecbff 79b8ff 7f8b95 b392f0
    cf8e6d c77dbb 6aab73 2aacb8 7a7e85 56a8f5
"""
_LIGHT = """
    a51d87 266e8c a03228 097850 6e7d6e 1e50c8
    0000ff 267f99 a31515 098658 008000 795e26
    d73a49 e36209 032f62 005cc5 6a737d 6f42c1
    859900 b58900 2aa198 d33682 93a1a1 268bd2
    0033b3 871094 067d17 1750eb 8c8c8c 00627a
"""
"""A scheme a line, in the order of _KINDS, as hexadecimal RGB."""
_INDENT = 4
_MINIMAP_ROW = 2
"""Height in pixels at 1x of a line of code in the minimap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeView:
    """A part of a source file and what the reader has done to it."""

    listing: Listing
    first_number: int
    """Number of the first line shown, from 0."""
    chosen: int
    """Row of the line with the cursor, from the top of the view."""
    num_selected: int
    """Rows that are selected, 0 for none."""
    font: Font
    leading: float
    colours: dict[Kind, Colour]
    changes: dict[int, str]
    """Rows that are `added`, `changed`; by row from the top."""
    diff: bool
    """Whether changed rows are shaded, as in a comparison."""
    error: int
    """Row with a wavy underline, -1 for none."""
    guides: bool

    @property
    def step(self) -> int:
        """Distance from one line to the next, in pixels."""
        return round(self.font.size * self.leading)


def choose_colours(theme: Theme, rng: np.random.Generator) -> dict[Kind, Colour]:
    """Return a colour scheme for code that suits the theme."""
    schemes = [line.split() for line in (_DARK if theme.dark else _LIGHT).strip().splitlines()]
    scheme = schemes[int(rng.integers(len(schemes)))]
    return {kind: _colour(digits) for kind, digits in zip(_KINDS, scheme, strict=True)}


def _colour(digits: str) -> Colour:
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue


def draw_code(canvas: Canvas, area: Box, theme: Theme, view: CodeView) -> Box | None:
    """Fill `area` with code; return the cell after the chosen line, None if that is not seen."""
    step, font = view.step, view.font
    gutter = font.width("00000") + theme.px(18)
    cursor: Box | None = None
    lines = view.listing.lines
    with canvas.clipped(area):
        for row in range(area.height // step + 1):
            number = view.first_number + row
            line = box(area.x, area.y + row * step, area.width, step)
            _ground(canvas, line, theme, view, (row, gutter))
            if number >= len(lines):
                break
            end = _line(canvas, line, theme, view, row, gutter)
            if row == view.chosen:
                cursor = box(end, line.y, font.width("0"), step)
    canvas.mark(box(area.x, area.y, gutter, area.height))
    return cursor


def _ground(canvas: Canvas, line: Box, theme: Theme, view: CodeView, place: tuple[int, int]) -> None:
    """What lies behind a line: selection, the current line, changes; `place` is its row and its first column."""
    row, gutter = place
    change = view.changes.get(row, "")
    tone: Colour = (60, 160, 80) if change == "added" else (50, 120, 220)
    if change and view.diff:
        canvas.fill(line, mix(theme.page, tone if change == "added" else (210, 60, 60), 0.22))
    elif view.chosen <= row < view.chosen + view.num_selected:
        number = view.first_number + row
        length = sum(len(token) for token, _ in view.listing.lines[number]) if number < len(view.listing.lines) else 0
        chosen = line.cut_left(gutter)[1].cut_left((length + 1) * view.font.width("0"))[0]
        canvas.fill(chosen, mix(theme.page, theme.accent, 0.3))
    elif row == view.chosen:
        canvas.fill(line, theme.raised)
        canvas.mark(line)
    if change and not view.diff:
        canvas.fill(line.cut_left(max(2, theme.px(3)))[0], tone)


def _line(canvas: Canvas, line: Box, theme: Theme, view: CodeView, row: int, gutter: int) -> int:
    """Draw a line's number and tokens; return the column where it ends."""
    font = view.font
    baseline = line.y + (line.height - font.height) // 2 + font.ascent
    number = view.first_number + row
    shown = str(number + 1)
    ink = theme.text if row == view.chosen else theme.muted
    canvas.text(line.x + gutter - theme.px(18) - font.width(shown), baseline, shown, font, ink)
    start = x = line.x + gutter
    tokens = view.listing.lines[number]
    if view.guides:
        _guides(canvas, line, theme, tokens, start, font.width("0"))
    for token, kind in tokens:
        x = canvas.text(x, baseline, token, font, view.colours.get(kind, theme.text))
    if x > start:
        canvas.mark(box(start, line.y, x - start, line.height))
        if row == view.error:
            _wave(
                canvas, box(start + (x - start) // 2, line.bottom - theme.px(3), (x - start) // 3, theme.px(3)), theme
            )
    return x


def _guides(canvas: Canvas, line: Box, theme: Theme, tokens: Line, start: int, cell: int) -> None:
    first = tokens[0][0] if tokens else ""
    indent = len(first) - len(first.lstrip(" "))
    for column in range(0, indent, _INDENT):
        canvas.fill(box(start + column * cell, line.y, 1, line.height), mix(theme.page, theme.muted, 0.25))


def _wave(canvas: Canvas, area: Box, theme: Theme) -> None:
    step = max(2, theme.px(3))
    count = max(2, area.width // step)
    points = [(area.x + i * step, area.y + (area.height if i % 2 else 0)) for i in range(count)]
    canvas.polyline(points, (224, 60, 60), thickness=max(1.0, theme.scale))


def draw_minimap(canvas: Canvas, area: Box, theme: Theme, view: CodeView, num_rows: int) -> None:
    """Draw the whole file small, a bar for each token, with the shown part lighter."""
    height = max(1, round(_MINIMAP_ROW * theme.scale))
    sheet = np.empty((area.height, area.width, 3), dtype=np.uint8)
    sheet[:] = theme.page
    count = min(len(view.listing.lines), area.height // height)
    first = max(0, min(view.first_number - count // 3, len(view.listing.lines) - count))
    seen = (view.first_number - first) * height
    sheet[seen : seen + num_rows * height] = mix(theme.page, theme.text, 0.1)
    unit = max(1, round(theme.scale))
    for row in range(count):
        y, column = row * height, 0
        for token, kind in view.listing.lines[first + row]:
            blank = len(token) - len(token.lstrip())
            ink = mix(theme.page, view.colours.get(kind, theme.text), 0.55)
            left = (column + blank + 4) * unit
            sheet[y : y + max(1, height - 1), left : left + (len(token) - blank) * unit] = ink
            column += len(token)
    canvas.lay(area, sheet)
    canvas.mark(area)


def draw_completion(canvas: Canvas, cell: Box, area: Box, theme: Theme, text: TextBank, font: Font) -> None:
    """Open a list of names below the cursor's cell."""
    count, row_height = text.number(4, 10), round(font.size * 1.7)
    width = min(theme.px(300), area.width)
    x = max(area.x, min(cell.x, area.right - width))
    y = cell.bottom if cell.bottom + count * row_height <= area.bottom else cell.y - count * row_height
    frame = box(x, y, width, count * row_height)
    canvas.shadow(frame, blur=theme.px(8), strength=0.3, offset=theme.px(2))
    canvas.fill(frame, theme.surface)
    canvas.outline(frame, theme.border)
    canvas.mark(frame)
    stem = text.verb()[:3]
    for number, row in enumerate(frame.inset(1).rows(count, 0)):
        if number == 0:
            canvas.fill(row, theme.soft_accent)
        sign, words = row.inset(theme.px(6), 0).cut_left(theme.px(24))
        badge = sign.cut_left(theme.px(14))[0].centred(theme.px(14), theme.px(14))
        canvas.outline(badge, theme.series[text.number(0, 4)], radius=theme.px(3), thickness=max(1, theme.px(2)))
        detail, name = words.cut_right(theme.px(80))
        typesetting.line(canvas, name, f"{stem}_{text.noun()}", font, theme.text)
        typesetting.line(canvas, detail, text.pick(["int", "str", "method", "field"]), font, theme.muted, align="right")


def draw_search(canvas: Canvas, area: Box, theme: Theme, text: TextBank) -> None:
    """Open the search field at the upper right of the code."""
    frame = box(area.right - theme.px(390), area.y, theme.px(370), theme.px(38))
    canvas.shadow(frame, blur=theme.px(8), strength=0.25, offset=theme.px(2))
    canvas.fill(frame, theme.surface)
    canvas.mark(frame, rounded(frame.width, frame.height, 0))
    field, rest = frame.inset(theme.px(8), theme.px(6)).cut_left(theme.px(190))
    canvas.fill(field, theme.page)
    canvas.outline(field, theme.accent)
    typesetting.line(canvas, field.inset(theme.px(6), 0), text.noun(), theme.font(13), theme.text)
    signs, count = rest.cut_right(theme.px(78))
    total = text.number(1, 40)
    words = f"{text.number(1, total + 1)} of {total}"
    typesetting.line(canvas, count, words, theme.font(12), theme.muted, align="centre")
    for name, cell in zip(("arrow_up", "down", "close"), signs.columns(3, 0), strict=True):
        icon(canvas, cell.centred(theme.px(15), theme.px(15)), name, theme.text)
