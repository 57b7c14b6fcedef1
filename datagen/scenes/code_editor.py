"""A code editor: file tree, tabs, coloured source with line numbers, and a terminal or a picture preview beside it."""

from dataclasses import dataclass

import numpy as np

from datagen import typesetting, widgets
from datagen.canvas import Canvas, Colour
from datagen.fonts import Font
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.library import Listing
from datagen.materials import Materials
from datagen.source_code import Kind, identifier
from datagen.texts import past, plural
from datagen.theme import Theme, choose_theme, mix

_DARK: dict[Kind, Colour] = {
    "keyword": (198, 120, 221),
    "type": (229, 192, 123),
    "string": (152, 195, 121),
    "number": (209, 154, 102),
    "comment": (116, 124, 140),
    "function": (97, 175, 239),
}
_LIGHT: dict[Kind, Colour] = {
    "keyword": (165, 29, 135),
    "type": (38, 110, 140),
    "string": (160, 50, 40),
    "number": (9, 120, 80),
    "comment": (110, 125, 110),
    "function": (30, 80, 200),
}
_MAX_FIRST_NUMBER = 39
_MIN_LINES = 120
_SIZES = (12.5, 13.0, 14.0, 15.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Code:
    listing: Listing
    first_number: int
    """Number of the first line shown, from 0."""
    chosen: int
    """Row of the line with the cursor, from the top of the view."""
    size: float
    """Em size at 1x."""


def draw(canvas: Canvas, materials: Materials, rng: np.random.Generator) -> None:
    """Draw the whole screen."""
    theme = choose_theme(rng, canvas, dark_share=0.6)
    text = materials.text
    listing = materials.code(num_lines=max(_MIN_LINES, _MAX_FIRST_NUMBER + _max_rows(canvas.area, theme)))
    ending = listing.file_name.rpartition(".")[2]
    files = [listing.file_name, *(f"{identifier(text)}.{ending}" for _ in range(23))]
    canvas.fill(canvas.area, theme.page)
    body = widgets.window_bar(canvas, canvas.area, theme, f"{files[0]} - {text.noun()}", rng)
    status, body = body.cut_bottom(theme.px(24))
    rail, body = body.cut_left(theme.px(48))
    _rail(canvas, rail, theme)
    tree, body = body.cut_left(min(theme.px(int(rng.integers(190, 260))), body.width // 4))
    _tree(canvas, tree, theme, materials, files)
    tabs, body = body.cut_top(theme.px(36))
    _tabs(canvas, tabs, theme, files[: text.number(2, 5)])
    if rng.random() < 0.35:
        preview, body = body.cut_right(body.width * 2 // 5)
        _preview(canvas, preview, theme, materials, rng)
    if rng.random() < 0.55:
        terminal, body = body.cut_bottom(theme.px(int(rng.integers(120, 200))))
        _terminal(canvas, terminal, theme, materials)
    code = _Code(
        listing=listing,
        first_number=_first_number(listing, _max_rows(body, theme), rng),
        chosen=int(rng.integers(3, 20)),
        size=float(rng.choice(_SIZES)),
    )
    _source(canvas, body, theme, code)
    _status(canvas, status, theme, code)


def _rail(canvas: Canvas, area: Box, theme: Theme) -> None:
    canvas.fill(area, mix(theme.page, (0, 0, 0), 0.25 if theme.dark else 0.05))
    rest = area
    for number, name in enumerate(("file", "search", "branch", "bug", "grid")):
        cell, rest = rest.cut_top(theme.px(48))
        if number == 0:
            canvas.fill(cell.cut_left(theme.px(2))[0], theme.accent)
        colour = theme.text if number == 0 else theme.muted
        icon(canvas, cell.centred(theme.px(23), theme.px(23)), name, colour)
    icon(canvas, rest.cut_bottom(theme.px(48))[0].centred(theme.px(23), theme.px(23)), "gear", theme.muted)


def _tree(canvas: Canvas, area: Box, theme: Theme, materials: Materials, files: list[str]) -> None:
    canvas.fill(area, theme.surface)
    canvas.fill(area.cut_right(1)[0], theme.border)
    head, rest = area.cut_top(theme.px(36))
    typesetting.line(canvas, head.inset(theme.px(16), 0), "EXPLORER", theme.font(11), theme.muted)
    depth = 0
    height = theme.px(23)
    remaining = list(files)
    while rest.height >= height and remaining:
        row, rest = rest.cut_top(height)
        is_folder = depth == 0 or materials.text.number(0, 5) == 0
        if is_folder:
            depth = 1 if depth >= 3 or depth == 0 else depth + 1
        indent = theme.px(12 + 14 * (depth - 1 if is_folder else depth))
        if not is_folder and len(remaining) == len(files):
            canvas.fill(row.cut_right(1)[1], theme.soft_accent)
            canvas.mark(row)
        sign, label = row.cut_left(row.width - theme.px(6))[0].cut_left(indent)[1].cut_left(theme.px(22))
        name = materials.text.noun() if is_folder else remaining.pop(0)
        place = sign.cut_left(theme.px(15))[0].centred(theme.px(15), theme.px(15))
        icon(canvas, place, "down" if is_folder else "file", theme.muted if is_folder else theme.accent)
        typesetting.line(canvas, label, name, theme.font(13), theme.text)


def _tabs(canvas: Canvas, area: Box, theme: Theme, files: list[str]) -> None:
    canvas.fill(area, theme.raised)
    rest = area
    width = min(theme.px(190), area.width // len(files))
    for number, name in enumerate(files):
        cell, rest = rest.cut_left(width)
        if number == 0:
            canvas.fill(cell, theme.page)
            canvas.fill(cell.cut_top(theme.px(2))[0], theme.accent)
        canvas.fill(cell.cut_right(1)[0], theme.border)
        canvas.mark(cell)
        sign, label = cell.inset(theme.px(12), 0).cut_left(theme.px(20))
        icon(canvas, sign.cut_left(theme.px(14))[0].centred(theme.px(14), theme.px(14)), "file", theme.accent)
        close, label = label.cut_right(theme.px(18))
        icon(canvas, close.centred(theme.px(12), theme.px(12)), "close", theme.muted)
        typesetting.line(canvas, label, name, theme.font(13), theme.text if number == 0 else theme.muted)


def _first_number(listing: Listing, num_rows: int, rng: np.random.Generator) -> int:
    """Return where the view begins: near the start of a file that was composed, anywhere in one that is longer."""
    last = max(0, len(listing.lines) - num_rows)
    return int(rng.integers(0, (last if rng.random() < 0.5 else min(last, _MAX_FIRST_NUMBER)) + 1))


def _max_rows(area: Box, theme: Theme) -> int:
    """Return how many lines of code `area` shows, the last one perhaps cut, at the smallest size."""
    return area.height // _step(theme.mono_font(min(_SIZES))) + 1


def _step(font: Font) -> int:
    """Return the distance from one line of code to the next, in pixels."""
    return round(font.size * 1.5)


def _source(canvas: Canvas, area: Box, theme: Theme, code: _Code) -> None:
    colours = _DARK if theme.dark else _LIGHT
    font = theme.mono_font(code.size)
    step = _step(font)
    gutter = font.width("00000") + theme.px(18)
    gap = (step - font.height) // 2
    with canvas.clipped(area):
        for row in range(area.height // step + 1):
            number = code.first_number + row
            if number >= len(code.listing.lines):
                break
            line = box(area.x, area.y + row * step, area.width, step)
            if row == code.chosen:
                canvas.fill(line, theme.raised)
                canvas.mark(line)
            baseline = line.y + gap + font.ascent
            shown = str(number + 1)
            ink = theme.text if row == code.chosen else theme.muted
            canvas.text(area.x + gutter - theme.px(18) - font.width(shown), baseline, shown, font, ink)
            start = x = area.x + gutter
            for token, kind in code.listing.lines[number]:
                x = canvas.text(x, baseline, token, font, colours.get(kind, theme.text))
            if x > start:
                canvas.mark(box(start, line.y, x - start, step))
    canvas.mark(box(area.x, area.y, gutter, area.height))
    bar = box(area.right - theme.px(10), area.y + area.height // 5, theme.px(8), area.height // 4)
    canvas.rounded(bar, theme.border, theme.px(4))
    canvas.mark(bar)


def _terminal(canvas: Canvas, area: Box, theme: Theme, materials: Materials) -> None:
    text = materials.text
    canvas.fill(area, theme.surface)
    canvas.fill(area.cut_top(1)[0], theme.border)
    canvas.mark(area)
    head, rest = area.cut_top(theme.px(32))
    for number, name in enumerate(("TERMINAL", "OUTPUT", "PROBLEMS")):
        cell, head = head.cut_left(theme.px(98))
        font = theme.font(11, "bold" if number == 0 else "regular")
        used = typesetting.line(
            canvas, cell.inset(theme.px(16), 0), name, font, theme.text if number == 0 else theme.muted
        )
        if number == 0:
            canvas.fill(box(used.x, cell.bottom - theme.px(3), used.width, theme.px(2)), theme.accent)
    mono = theme.mono_font(12.5)
    colours = _DARK if theme.dark else _LIGHT
    row_height = theme.px(18)
    rest = rest.inset(theme.px(16), theme.px(2))
    while rest.height >= row_height:
        row, rest = rest.cut_top(row_height)
        if text.number(0, 4) == 0:
            command = f"{text.verb()} --{text.noun()} {text.noun()}.log"
            used = typesetting.line(canvas, row, f"~/{text.noun()} $ ", mono, colours["string"])
            typesetting.line(canvas, row.cut_left(used.width)[1], command, mono, theme.text)
        else:
            when = f"{text.clock()}:{text.number(10, 60)}"
            shown = f"[{when}] {text.noun()}: {text.number(2, 900)} {plural(text.noun())} {past(text.verb())}"
            typesetting.line(canvas, row, shown, mono, theme.muted)


def _preview(canvas: Canvas, area: Box, theme: Theme, materials: Materials, rng: np.random.Generator) -> None:
    """A picture opened beside the code, fitted into its pane."""
    canvas.fill(area, mix(theme.page, theme.surface, 0.5))
    canvas.fill(area.cut_left(1)[0], theme.border)
    head, pane = area.cut_top(theme.px(30))
    name = f"{materials.text.noun()}_{materials.text.number(1, 99)}.{materials.text.pick(['png', 'jpg'])}"
    typesetting.line(canvas, head.inset(theme.px(14), 0), name, theme.font(12), theme.muted)
    room = pane.inset(theme.px(20))
    ratio = float(rng.choice([0.6, 0.75, 1.0, 1.3]))
    width = min(room.width, round(room.height / ratio))
    shown = room.centred(width, round(width * ratio))
    canvas.paste(shown, materials.photo(shown.width, shown.height))


def _status(canvas: Canvas, area: Box, theme: Theme, code: _Code) -> None:
    canvas.fill(area, theme.accent)
    canvas.mark(area)
    font = theme.font(12)
    inner = area.inset(theme.px(10), 0)
    sign, left = inner.cut_left(theme.px(20))
    icon(canvas, sign.cut_left(theme.px(14))[0].centred(theme.px(14), theme.px(14)), "branch", theme.on_accent)
    typesetting.line(canvas, left.cut_left(theme.px(120))[0], "main", font, theme.on_accent)
    place = f"Ln {code.first_number + code.chosen + 1}, Col 12    Spaces: 4    UTF-8    {code.listing.language}"
    typesetting.line(canvas, inner.cut_right(theme.px(320))[0], place, font, theme.on_accent, align="right")
