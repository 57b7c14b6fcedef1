"""A file manager: places at the left, files as icons with thumbnails, as a list or in columns, perhaps a preview."""

import numpy as np

from datagen import controls, menus, typesetting, widgets
from datagen.albums import Album
from datagen.canvas import Canvas
from datagen.file_names import folder_colour, make_file
from datagen.file_views import Folder, column_view, grid_view, list_view, preview
from datagen.geometry import Box
from datagen.icons import icon
from datagen.materials import Materials
from datagen.menus import Entry, Menu
from datagen.scenes.overlays import pointer
from datagen.texts import plural
from datagen.theme import Theme, choose_theme, mix

_MIXES = {
    "photos": {"image": 12.0, "video": 1.0, "folder": 0.5},
    "mixed": {
        "folder": 2.0,
        "image": 3.0,
        "pdf": 2.0,
        "text": 2.0,
        "sheet": 1.0,
        "video": 0.7,
        "archive": 0.7,
        "slides": 0.7,
        "audio": 0.5,
    },
    "office": {"folder": 2.0, "pdf": 3.0, "text": 4.0, "sheet": 2.0, "slides": 1.5, "image": 0.4, "archive": 0.5},
    "code": {"folder": 2.0, "code": 6.0, "text": 1.5, "image": 0.6, "archive": 0.4},
    "folders": {"folder": 8.0, "image": 0.8, "text": 0.6},
}
"""Weights of the files' kinds by what a folder is for."""

_PLACES = (("home", "Home"), ("clock", "Recent"), ("star", "Favourites"), ("image", "Pictures"), ("file", "Documents"),
           ("download", "Downloads"), ("music", "Music"), ("video", "Videos"), ("trash", "Bin"))  # fmt: skip
_DRIVES = (("disk", "System"), ("disk", "Data"), ("cloud", "Cloud"), ("globe", "Network"))
_MENU = Menu(
    entries=(
        Entry(name="Open", sign="folder", shortcut="Enter"),
        Entry(name="Open with", sign="share"),
        Entry(),
        Entry(name="Cut", sign="cut", shortcut="Ctrl+X"),
        Entry(name="Copy", sign="copy", shortcut="Ctrl+C"),
        Entry(name="Rename", sign="pen", shortcut="F2"),
        Entry(),
        Entry(name="Compress", sign="layers"),
        Entry(name="Move to bin", sign="trash", shortcut="Del"),
        Entry(name="Properties", sign="gear"),
    ),
    width=220,
)


_VIEWS = {"grid": grid_view, "list": list_view, "columns": column_view}


def draw(canvas: Canvas, materials: Materials, rng: np.random.Generator) -> None:
    """Draw the whole screen."""
    theme = choose_theme(rng, canvas, dark_share=0.4)
    opened = _open(materials, rng)
    canvas.fill(canvas.area, theme.surface)
    body = widgets.window_bar(canvas, canvas.area, theme, opened.name, rng)
    view = str(rng.choice(["grid", "list", "columns"], p=[0.56, 0.3, 0.14]))
    bar, body = body.cut_top(theme.px(46))
    place = int(rng.integers(len(_PLACES) - 1))
    _tool_bar(canvas, bar, theme, (_PLACES[place][1], opened.name), view)
    status, body = body.cut_bottom(theme.px(26))
    if rng.random() < 0.85:
        side, body = body.cut_left(min(theme.px(float(rng.integers(160, 215))), body.width // 4))
        _places(canvas, side, theme, materials, place)
    if view != "columns" and rng.random() < 0.3 and body.width > theme.px(560):
        panel, body = body.cut_right(theme.px(float(rng.integers(210, 280))))
        preview(canvas, panel, theme, materials, opened)
    with canvas.clipped(body):
        _VIEWS[view](canvas, body, theme, materials, opened, rng)
    _status(canvas, status, theme, materials, opened)
    _above(canvas, body, theme, materials, opened, rng)


def _open(materials: Materials, rng: np.random.Generator) -> Folder:
    text = materials.text
    wanted = str(rng.choice(list(_MIXES), p=[0.34, 0.34, 0.16, 0.1, 0.06]))
    weights = _MIXES[wanted]
    shares = np.asarray(list(weights.values()))
    num_files = int(rng.integers(3, 22) if rng.random() < 0.25 else rng.integers(22, 90))
    kinds = [str(kind) for kind in rng.choice(list(weights), size=num_files, p=shares / shares.sum())]
    if rng.random() < 0.6:
        kinds.sort(key=lambda kind: kind != "folder")
    first = int(rng.integers(num_files))
    count = int(rng.choice([0, 1, 1, 1, 2, 5]))
    return Folder(
        name=f"{text.place()} {text.number(2015, 2027)}" if rng.random() < 0.4 else plural(text.noun()).capitalize(),
        files=tuple(make_file(text, kind) for kind in kinds),
        selected=frozenset(range(first, min(num_files, first + count))),
        colour=folder_colour(text),
        album=Album(materials, rng, int(rng.integers(3, 9))),
        thumbnails=bool(rng.random() < 0.85),
    )


def _tool_bar(canvas: Canvas, area: Box, theme: Theme, names: tuple[str, str], view: str) -> None:
    canvas.fill(area, theme.surface)
    controls.rule(canvas, area, theme)
    inner = area.inset(theme.px(10), theme.px(8))
    for name in ("back", "forward", "arrow_up"):
        cell, inner = inner.cut_left(theme.px(32))
        icon(canvas, cell.centred(theme.px(17), theme.px(17)), name, theme.muted if name == "forward" else theme.text)
    views = ("grid", "list", "columns")
    find, inner = inner.cut_right(min(theme.px(190), inner.width // 4))
    widgets.search_field(canvas, find, theme, f"Search {names[1]}")
    switcher, inner = inner.cut_right(theme.px(104))
    controls.icon_segments(canvas, switcher.inset(theme.px(6), 0), theme, views, views.index(view))
    path = inner.inset(theme.px(6), 0)
    canvas.outline(path, theme.border, radius=theme.px(6))
    canvas.mark(path)
    rest = path.inset(theme.px(8), 0)
    for number, name in enumerate(("Home", *names)):
        font = theme.font(13, "bold" if number == 2 else "regular")
        cell, rest = rest.cut_left(min(rest.width, font.width(name) + theme.px(4)))
        typesetting.line(canvas, cell, name, font, theme.text if number == 2 else theme.muted)
        if number < 2:
            mark, rest = rest.cut_left(theme.px(20))
            icon(canvas, mark.centred(theme.px(11), theme.px(11)), "right", theme.muted)


def _places(canvas: Canvas, area: Box, theme: Theme, materials: Materials, chosen: int) -> None:
    canvas.fill(area, mix(theme.surface, theme.text, 0.035))
    canvas.fill(area.cut_right(1)[0], theme.border)
    canvas.mark(area)
    rest = area.inset(theme.px(8), theme.px(10))
    for number, (name, title) in enumerate(_PLACES):
        row, rest = rest.cut_top(theme.px(30))
        if row.height < theme.px(30):
            return
        _place(canvas, row, theme, name, title, chosen=number == chosen)
    for title, places in (("Devices", _DRIVES), ("Bookmarks", ())):
        head, rest = rest.cut_top(theme.px(34))
        if rest.height < theme.px(40):
            return
        typesetting.line(canvas, head.inset(theme.px(8), 0), title, theme.font(11.5, "bold"), theme.muted)
        shown = places or tuple(("folder", materials.text.label(1)) for _ in range(4))
        for name, label in shown:
            row, rest = rest.cut_top(theme.px(30))
            if row.height < theme.px(30):
                return
            _place(canvas, row, theme, name, label, chosen=False)
            if name == "disk":
                bar, rest = rest.cut_top(theme.px(8))
                line = bar.inset(theme.px(10), 0).cut_top(theme.px(4))[0]
                controls.progress(canvas, line, theme, materials.text.number(15, 95) / 100)


def _place(canvas: Canvas, row: Box, theme: Theme, name: str, title: str, *, chosen: bool) -> None:
    if chosen:
        canvas.rounded(row, theme.soft_accent, theme.px(6))
        canvas.mark(row)
    cell, label = row.inset(theme.px(8), 0).cut_left(theme.px(26))
    side = theme.px(16)
    icon(canvas, cell.cut_left(side)[0].centred(side, side), name, theme.accent)
    typesetting.line(canvas, label, title, theme.font(13), theme.text)


def _status(canvas: Canvas, area: Box, theme: Theme, materials: Materials, opened: Folder) -> None:
    canvas.fill(area, mix(theme.surface, theme.text, 0.03))
    canvas.fill(area.cut_top(1)[0], theme.border)
    count = f"{len(opened.files)} items"
    if opened.selected:
        count += f", {len(opened.selected)} selected"
    free = f"{materials.text.number(3, 900)}.{materials.text.number(0, 10)} GB free"
    inner = area.inset(theme.px(12), 0)
    typesetting.line(canvas, inner, count, theme.font(12), theme.muted)
    typesetting.line(canvas, inner.cut_right(inner.width // 3)[0], free, theme.font(12), theme.muted, align="right")


def _above(
    canvas: Canvas, area: Box, theme: Theme, materials: Materials, opened: Folder, rng: np.random.Generator
) -> None:
    """Open a menu or a dialog now and then; perhaps the pointer is there."""
    chance = rng.random()
    if chance < 0.16:
        x, y = (int(rng.integers(low, low + size)) for low, size in ((area.x, area.width), (area.y, area.height)))
        opacity = float(rng.choice([1.0, 1.0, 0.96]))
        shown = Menu(entries=_MENU.entries, chosen=int(rng.choice([-1, 0, 4, 5])), width=220, opacity=opacity)
        menus.menu(canvas, canvas.area, x, y, theme, shown)
    elif chance < 0.22:
        texts = (
            f'Replace "{opened.files[0].name}"?',
            f'"{opened.name}" has a file of this name. {materials.text.sentence()}',
        )
        menus.dialog(canvas, area, theme, texts, ("Skip", "Keep both", "Replace"))
    if rng.random() < 0.5:
        pointer(canvas, (int(rng.integers(area.x, area.right)), int(rng.integers(area.y, area.bottom))), theme)
