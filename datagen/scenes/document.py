"""A document on paper: a PDF viewer, alone or in a browser, or a word processor, with pages of many kinds."""

from dataclasses import dataclass

import numpy as np

from datagen import controls, menus, typesetting, widgets
from datagen.canvas import Canvas
from datagen.file_icons import miniature
from datagen.geometry import Box, box
from datagen.materials import Materials
from datagen.menus import Entry, Menu
from datagen.paper import continue_page, draw_page
from datagen.paper_style import choose_style
from datagen.scenes.overlays import draw_some
from datagen.theme import Theme, choose_theme, mix
from datagen.writer_bars import comments, status_bar, writer_bars

_RATIOS = (1.414, 1.294)
"""Height of A4 and Letter pages to their width."""
_MENU = Menu(
    entries=(
        Entry(name="Cut", sign="cut", shortcut="Ctrl+X"),
        Entry(name="Copy", sign="copy", shortcut="Ctrl+C"),
        Entry(name="Paste", sign="file", shortcut="Ctrl+V"),
        Entry(),
        Entry(name="Synonyms"),
        Entry(name="Translate", sign="globe"),
        Entry(name="New comment", sign="chat"),
        Entry(name="Link", sign="link", shortcut="Ctrl+K"),
    ),
    width=210,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """How much of the document is seen."""

    zoom: str
    """width, page or spread (two pages)."""
    ratio: float
    first: int
    """Number of the uppermost page."""
    num_pages: int


def draw(canvas: Canvas, materials: Materials, rng: np.random.Generator) -> None:
    """Draw the whole screen."""
    theme = choose_theme(rng, canvas, dark_share=0.35)
    text = materials.text
    name = f"{text.noun()}-{text.noun()}-{text.number(2015, 2027)}"
    canvas.fill(canvas.area, theme.surface)
    form = str(rng.choice(["viewer", "browser", "writer"], p=[0.4, 0.2, 0.4]))
    view = _View(
        zoom=str(rng.choice(["width", "page", "spread"], p=[0.66, 0.17, 0.17])),
        ratio=float(rng.choice(_RATIOS)),
        first=1 if rng.random() < 0.5 else int(rng.integers(2, 30)),
        num_pages=int(rng.integers(1, 60)),
    )
    if form == "browser":
        titles = [f"{name}.pdf", *(text.headline() for _ in range(text.number(0, 5)))]
        body = widgets.browser_bar(canvas, canvas.area, theme, titles, f"{text.noun()}.example/files/{name}.pdf")
    else:
        body = widgets.window_bar(canvas, canvas.area, theme, f"{name}.{'pdf' if form == 'viewer' else 'docx'}", rng)
    if form == "writer":
        body = writer_bars(canvas, body, theme, materials, rng)
        status, body = body.cut_bottom(theme.px(26))
        status_bar(canvas, status, theme, materials, (view.first, view.first + view.num_pages))
        if rng.random() < 0.3 and body.width > theme.px(900):
            panel, body = body.cut_right(theme.px(250))
            comments(canvas, panel, theme, materials)
    else:
        bar, body = body.cut_top(theme.px(44))
        _viewer_bar(canvas, bar, theme, materials, view)
        if rng.random() < 0.5:
            panel, body = body.cut_left(min(theme.px(float(rng.integers(150, 210))), body.width // 4))
            _contents(canvas, panel, theme, materials, view, rng)
    desk = mix(theme.page, (0, 0, 0) if theme.dark else (90, 92, 98), float(rng.choice([0.1, 0.25, 0.6])))
    canvas.fill(body, desk)
    with canvas.clipped(body):
        _pages(canvas, body, theme, materials, view, rng)
    controls.scroll_bar(canvas, body.cut_right(theme.px(11))[0], theme, float(rng.random()) * 0.9, 0.12)
    if form == "writer" and rng.random() < 0.12:
        x, y = int(rng.integers(body.x, body.right)), int(rng.integers(body.y, body.bottom))
        menus.menu(canvas, canvas.area, x, y, theme, _MENU)
    else:
        draw_some(canvas, body, theme, materials, rng)


def _pages(
    canvas: Canvas, area: Box, theme: Theme, materials: Materials, view: _View, rng: np.random.Generator
) -> None:
    gap = theme.px(14)
    if view.zoom == "width":
        widest = min(area.width - 2 * gap, theme.px(float(rng.integers(560, 960))))
        width, num_columns = widest, 1
    else:
        num_columns = 2 if view.zoom == "spread" else 1
        width = min((area.width - 3 * gap) // num_columns, round((area.height - 2 * gap) / view.ratio))
    height = round(width * view.ratio)
    style = choose_style(theme, materials, rng, width, area)
    left = area.x + (area.width - num_columns * width - (num_columns - 1) * gap) // 2
    scrolled = view.first > 1 and view.zoom == "width"
    y = area.y + gap
    number = view.first
    if scrolled:
        # The page that the view begins in: only what is in sight of it is set.
        seen = box(left, area.y - 1, width, int(rng.integers(area.height // 6, area.height)))
        _edge(canvas, seen, theme)
        continue_page(canvas, seen, style, materials, rng)
        y, number = seen.bottom + gap, number + 1
    while y < area.bottom:
        for column in range(num_columns):
            page = box(left + column * (width + gap), y, width, height)
            _edge(canvas, page, theme)
            with canvas.clipped(page):
                draw_page(canvas, page, style, materials, rng, number)
            number += 1
        if number - view.first >= view.num_pages:
            return
        y += height + gap


def _edge(canvas: Canvas, page: Box, theme: Theme) -> None:
    canvas.outline(page.inset(-1), mix(theme.page, (0, 0, 0), 0.5 if theme.dark else 0.28))


def _viewer_bar(canvas: Canvas, area: Box, theme: Theme, materials: Materials, view: _View) -> None:
    canvas.fill(area, theme.surface)
    controls.rule(canvas, area, theme)
    inner = area.inset(theme.px(10), theme.px(7))
    for name in ("menu", "search"):
        cell, inner = inner.cut_left(theme.px(36))
        controls.sign(canvas, cell, theme, name, 18)
    for name in ("dots", "download", "printer", "rotate", "pen"):
        cell, inner = inner.cut_right(theme.px(36))
        controls.sign(canvas, cell, theme, name, 18)
    middle = inner.centred(min(inner.width, theme.px(330)), inner.height)
    cell, middle = middle.cut_left(theme.px(32))
    controls.sign(canvas, cell, theme, "up", 15)
    field, middle = middle.cut_left(theme.px(44))
    canvas.outline(field.inset(0, theme.px(2)), theme.border, radius=theme.px(4))
    canvas.mark(field)
    typesetting.line(canvas, field, str(view.first), theme.font(13), theme.text, align="centre")
    count, middle = middle.cut_left(theme.px(56))
    total = f"/ {view.first + view.num_pages}"
    typesetting.line(canvas, count.inset(theme.px(6), 0), total, theme.font(13), theme.muted)
    for name in ("down", "minus"):
        cell, middle = middle.cut_left(theme.px(34))
        controls.sign(canvas, cell, theme, name, 15)
    zoom, middle = middle.cut_left(theme.px(62))
    shown = f"{materials.text.number(5, 20) * 10} %"
    typesetting.line(canvas, zoom, shown, theme.font(13), theme.text, align="centre")
    controls.sign(canvas, middle.cut_left(theme.px(34))[0], theme, "plus", 15)


def _contents(
    canvas: Canvas, area: Box, theme: Theme, materials: Materials, view: _View, rng: np.random.Generator
) -> None:
    """Page previews, or the headings."""
    canvas.fill(area, mix(theme.surface, theme.text, 0.03))
    canvas.fill(area.cut_right(1)[0], theme.border)
    canvas.mark(area)
    rest = area.inset(theme.px(14), theme.px(12))
    if rng.random() < 0.4:
        for number in range(rest.height // theme.px(27)):
            row, rest = rest.cut_top(theme.px(27))
            level = int(rng.integers(0, 3)) if number else 0
            words = f"{number + 1}  {materials.text.label(2)}"
            ink = theme.accent if number == 2 else theme.text
            typesetting.line(canvas, row.cut_left(theme.px(13) * level)[1], words, theme.font(12.5), ink)
        return
    width = rest.width * 7 // 10
    height = round(width * view.ratio)
    number = view.first
    with canvas.clipped(area):
        while rest.height > height // 3:
            cell, rest = rest.cut_top(height)
            page = box(cell.x + (cell.width - width) // 2, cell.y, width, height)
            chosen = number == view.first
            canvas.outline(page.inset(-theme.px(3) if chosen else -1), theme.accent if chosen else theme.border,
                           radius=theme.px(2), thickness=theme.px(3) if chosen else 1)  # fmt: skip
            miniature(canvas, page, materials.text)
            foot, rest = rest.cut_top(theme.px(26))
            typesetting.line(canvas, foot, str(number), theme.font(11.5), theme.muted, align="centre")
            number += 1
