"""A code editor: files at the side, tabs, coloured source, and a terminal, a picture, a second file or a notebook."""

from dataclasses import replace

import numpy as np

from datagen import typesetting, widgets
from datagen.canvas import Canvas, Colour
from datagen.console import choose_look, draw_cursor, draw_rows, wrap
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.materials import Materials
from datagen.scenes import code_pane, notebook_pane, overlays
from datagen.scenes.code_pane import CodeView
from datagen.shell import write_session
from datagen.source_code import identifier
from datagen.theme import Theme, choose_theme, mix
from datagen.writings import Listing

_MAX_FIRST_NUMBER = 39
_MIN_LINES = 120
_SIZES = (11.5, 12.5, 13.0, 14.0, 15.0)
_LEADINGS = (1.3, 1.4, 1.5, 1.5, 1.6)
_MINIMAP_ROOM = 640
"""Width at 1x of a pane of code from which it has a minimap."""
_SPLIT_ROOM = 1000
_STATES: tuple[tuple[str, Colour], ...] = (("M", (205, 155, 60)), ("U", (95, 175, 95)), ("A", (95, 175, 95)))
"""Letters that version control puts behind changed files."""


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
    if rng.random() < 0.75:
        rail, body = body.cut_left(theme.px(48))
        _rail(canvas, rail, theme)
    if rng.random() < 0.8:
        width = min(theme.px(int(rng.integers(180, 290))), body.width // 4)
        tree, body = body.cut_left(width) if rng.random() < 0.85 else body.cut_right(width)
        _tree(canvas, tree, theme, materials, files)
    view = _view(listing, theme, body, rng)
    if rng.random() < 0.55:
        terminal, body = body.cut_bottom(theme.px(int(rng.integers(120, 300))) * body.height // theme.px(700))
        _terminal(canvas, terminal, theme, materials, rng)
    if rng.random() < 0.3:
        preview, body = body.cut_right(body.width * 2 // 5)
        _preview(canvas, preview, theme, materials, rng)
    tabs, body = body.cut_top(theme.px(36))
    _tabs(canvas, tabs, theme, files[: text.number(2, 7)])
    _body(canvas, body, theme, view, materials, rng)
    _status(canvas, status, theme, view, text.pick([theme.accent, theme.raised, theme.surface]))
    overlays.draw_some(canvas, body, theme, materials, rng)


def _view(listing: Listing, theme: Theme, area: Box, rng: np.random.Generator) -> CodeView:
    num_rows = _max_rows(area, theme)
    changes: dict[int, str] = {}
    diff = bool(rng.random() < 0.12)
    for _ in range(int(rng.integers(0, 5)) + 3 * diff):
        start = int(rng.integers(0, max(1, num_rows)))
        kind = str(rng.choice(["added", "changed"]))
        changes.update(dict.fromkeys(range(start, start + int(rng.integers(1, 7))), kind))
    return CodeView(
        listing=listing,
        first_number=_first_number(listing, num_rows, rng),
        chosen=int(rng.integers(2, max(3, min(30, num_rows - 6)))),
        num_selected=int(rng.integers(2, 9)) if rng.random() < 0.15 else 0,
        font=theme.mono_font(float(rng.choice(_SIZES))),
        leading=float(rng.choice(_LEADINGS)),
        colours=code_pane.choose_colours(theme, rng),
        changes=changes,
        diff=diff,
        error=int(rng.integers(0, num_rows)) if rng.random() < 0.3 else -1,
        guides=bool(rng.random() < 0.6),
    )


def _body(
    canvas: Canvas, area: Box, theme: Theme, view: CodeView, materials: Materials, rng: np.random.Generator
) -> None:
    """The open file, in one pane or two, or as a notebook."""
    if rng.random() < 0.15:
        bar, area = area.cut_top(theme.px(34))
        notebook_pane.draw_toolbar(canvas, bar, theme)
        notebook_pane.draw_notebook(canvas, area, theme, view, materials, rng)
        return
    if rng.random() < 0.5:
        crumbs, area = area.cut_top(theme.px(24))
        path = " > ".join([*(materials.text.noun() for _ in range(3)), view.listing.file_name])
        typesetting.line(canvas, crumbs.inset(theme.px(16), 0), path, theme.font(12), theme.muted)
    if area.width > theme.px(_SPLIT_ROOM) and rng.random() < 0.3:
        area, right = area.cut_left(area.width // 2)
        canvas.fill(right.cut_left(1)[0], theme.border)
        first = int(rng.integers(0, max(1, len(view.listing.lines) // 2)))
        other = replace(view, first_number=first, chosen=-1, num_selected=0, error=-1)
        code_pane.draw_code(canvas, right.cut_left(1)[1], theme, other)
    num_rows = area.height // view.step
    code = area
    if area.width > theme.px(_MINIMAP_ROOM) and rng.random() < 0.6:
        small, code = area.cut_right(theme.px(int(rng.integers(70, 110))))
        code_pane.draw_minimap(canvas, small, theme, view, num_rows)
    cell = code_pane.draw_code(canvas, code, theme, view)
    bar = box(area.right - theme.px(10), area.y + area.height // 5, theme.px(8), area.height // 4)
    canvas.rounded(bar, theme.border, theme.px(4))
    canvas.mark(bar)
    with canvas.clipped(area):
        if cell is not None:
            canvas.fill(cell.cut_left(max(1, theme.px(1.6)))[0], theme.text)
        if rng.random() < 0.14 and cell is not None:
            code_pane.draw_completion(canvas, cell, area, theme, materials.text, view.font)
        elif rng.random() < 0.12 and area.width > theme.px(500):
            code_pane.draw_search(canvas, area, theme, materials.text)


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
        colour = theme.text
        if materials.text.number(0, 6) == 0 and not is_folder:
            letter, colour = materials.text.pick(_STATES)
            state, label = label.cut_right(theme.px(18))
            typesetting.line(canvas, state, letter, theme.font(11.5), colour)
        place = sign.cut_left(theme.px(15))[0].centred(theme.px(15), theme.px(15))
        icon(canvas, place, "down" if is_folder else "file", theme.muted if is_folder else theme.accent)
        typesetting.line(canvas, label, name, theme.font(13), colour)


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
    return area.height // round(theme.mono_font(min(_SIZES)).size * min(_LEADINGS)) + 1


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


def _terminal(canvas: Canvas, area: Box, theme: Theme, materials: Materials, rng: np.random.Generator) -> None:
    canvas.fill(area, theme.surface)
    canvas.fill(area.cut_top(1)[0], theme.border)
    canvas.mark(area)
    head, rest = area.cut_top(theme.px(32))
    chosen = materials.text.number(0, 3)
    for number, name in enumerate(("Problems", "Output", "Terminal")):
        font = theme.font(12, "bold" if number == chosen else "regular")
        cell, head = head.cut_left(font.width(name) + 2 * theme.px(16))
        ink = theme.text if number == chosen else theme.muted
        used = typesetting.line(canvas, cell.inset(theme.px(16), 0), name, font, ink)
        if number == chosen:
            canvas.fill(box(used.x, cell.bottom - theme.px(3), used.width, theme.px(2)), theme.accent)
    look = choose_look(rng, theme)
    font = theme.mono_font(12.5)
    look = replace(look, font=font, bold=theme.mono_font(12.5, "bold"), cell=font.width("M"), step=theme.px(18))
    look.colours.update(back=theme.surface, text=theme.text, plain=theme.text, bold=theme.text)
    rest = rest.inset(theme.px(16), theme.px(2))
    num_rows = max(1, rest.height // look.step)
    rows = wrap(write_session(materials.text, num_rows), max(1, rest.width // look.cell))[-num_rows:]
    with canvas.clipped(area):
        draw_cursor(canvas, draw_rows(canvas, rest, look, rows), look, focused=False)


def _status(canvas: Canvas, area: Box, theme: Theme, view: CodeView, ground: Colour) -> None:
    canvas.fill(area, ground)
    canvas.mark(area)
    ink = theme.on_accent if ground == theme.accent else theme.muted
    font = theme.font(12)
    inner = area.inset(theme.px(10), 0)
    sign, left = inner.cut_left(theme.px(20))
    icon(canvas, sign.cut_left(theme.px(14))[0].centred(theme.px(14), theme.px(14)), "branch", ink)
    typesetting.line(canvas, left.cut_left(theme.px(120))[0], "main", font, ink)
    line = view.first_number + view.chosen + 1
    place = f"Ln {line}, Col 12    Spaces: 4    UTF-8    {view.listing.language}"
    typesetting.line(canvas, inner.cut_right(theme.px(320))[0], place, font, ink, align="right")
