"""The views of a file manager: icons with thumbnails, a list, columns, a preview of one file."""

from dataclasses import dataclass

import numpy as np

from datagen import controls, typesetting
from datagen.albums import Album
from datagen.canvas import Canvas, Colour
from datagen.file_icons import folder, miniature, sheet
from datagen.file_names import KINDS, File, make_file
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.materials import Materials
from datagen.theme import Theme, mix


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """The folder that is open."""

    name: str
    files: tuple[File, ...]
    selected: frozenset[int]
    colour: Colour
    """Of folder icons."""
    album: Album
    thumbnails: bool


def grid_view(
    canvas: Canvas, area: Box, theme: Theme, materials: Materials, opened: Folder, rng: np.random.Generator
) -> None:
    """Draw the files as icons with their names, scrolled somewhere."""
    side = theme.px(float(rng.choice([48, 64, 80, 96, 128, 128, 160, 200])))
    gap = theme.px(float(rng.integers(8, 22)))
    label = theme.px(36)
    inner = area.inset(theme.px(14), 0)
    across = max(1, inner.width // (max(side, theme.px(74)) + gap))
    wide = inner.width // across
    high = side + label + gap
    rows = -(-len(opened.files) // across)
    overflow = max(0, rows * high + gap - area.height)
    scroll = round(overflow * float(rng.choice([0.0, 0.0, rng.random()])))
    first = scroll // high * across
    for number in range(first, len(opened.files)):
        y = area.y + gap - scroll + number // across * high
        if y >= area.bottom:
            break
        cell = box(inner.x + number % across * wide, y, wide, high)
        _tile(canvas, cell.inset(gap // 2, 0).cut_top(side + label)[0], theme, materials, opened, number)
    if overflow:
        track = area.cut_right(theme.px(11))[0]
        controls.scroll_bar(canvas, track, theme, scroll / overflow, area.height / (rows * high))


def _tile(canvas: Canvas, area: Box, theme: Theme, materials: Materials, opened: Folder, number: int) -> None:
    file = opened.files[number]
    if number in opened.selected:
        canvas.rounded(area.inset(0, -theme.px(3)), theme.soft_accent, theme.px(6))
        canvas.mark(area)
    foot, picture = area.cut_bottom(theme.px(36))
    _sign(canvas, picture, theme, materials, opened, file)
    font = theme.font(12)
    lines = typesetting.break_lines(_breakable(file.name), font, foot.width - theme.px(4))[:2]
    for row, shown in zip(foot.cut_top(theme.px(4))[1].rows(2, 0), lines, strict=False):
        typesetting.line(canvas, row, shown.replace("\u200b", ""), font, theme.text, align="centre")


def _breakable(name: str) -> str:
    return name.replace("_", "_ ", 1) if len(name) > 16 and " " not in name else name


def _sign(canvas: Canvas, area: Box, theme: Theme, materials: Materials, opened: Folder, file: File) -> None:
    """Draw a file's thumbnail, or its icon, in the middle of `area`."""
    small = area.height < theme.px(17)
    if file.kind == "folder":
        folder(canvas, area, opened.colour)
    elif file.kind in ("image", "video") and opened.thumbnails and not small:
        shown = opened.album.fit(area.width, area.height)
        place = area.centred(shown.shape[1], shown.shape[0])
        canvas.paste(place, shown, radius=theme.px(3) if area.height > theme.px(40) else 0)
        if file.kind == "video" and area.height > theme.px(40):
            side = min(place.width, place.height) // 3
            disc = place.centred(side, side)
            canvas.veil(disc, (0, 0, 0), 0.55, radius=side / 2)
            icon(canvas, disc.centred(side * 2 // 3, side * 2 // 3), "play", (255, 255, 255), weight=2.2)
    elif file.kind in ("pdf", "text") and opened.thumbnails and area.height >= theme.px(90):
        page = area.centred(area.height * 7 // 10, area.height)
        canvas.outline(page.inset(-1), theme.border)
        miniature(canvas, page, materials.text)
    else:
        sheet(canvas, area, theme, file.kind, file.name.rpartition(".")[2])


def list_view(
    canvas: Canvas, area: Box, theme: Theme, materials: Materials, opened: Folder, rng: np.random.Generator
) -> None:
    """Draw the files as rows of a table."""
    height = theme.px(float(rng.choice([24, 28, 34, 48, 60])))
    head, rest = area.cut_top(theme.px(28))
    striped, num_columns = bool(rng.random() < 0.5), 4 if area.width > theme.px(600) else 3
    first = int(rng.integers(max(1, len(opened.files) - rest.height // height + 1))) if rng.random() < 0.4 else 0
    with canvas.clipped(rest):
        for number in range(first, len(opened.files)):
            row = box(rest.x, rest.y + (number - first) * height, rest.width, height)
            if row.y >= rest.bottom:
                break
            if number in opened.selected:
                canvas.fill(row, theme.soft_accent)
                canvas.mark(row)
            elif striped and number % 2:
                canvas.fill(row, mix(theme.surface, theme.text, 0.03))
            file = opened.files[number]
            cells = _cells(row, theme, num_columns)
            mark, label = cells[0].cut_left(max(height, theme.px(30)))
            _sign(canvas, mark.inset(theme.px(3)), theme, materials, opened, file)
            typesetting.line(canvas, label.cut_left(theme.px(4))[1], file.name, theme.font(13), theme.text)
            for cell, fact in zip(cells[1:], (file.date, file.size, KINDS[file.kind].name), strict=False):
                align: typesetting.Align = "right" if fact == file.size else "left"
                typesetting.line(canvas, cell.inset(theme.px(6), 0), fact, theme.font(12.5), theme.muted, align=align)
    controls.rule(canvas, head, theme)
    for cell, title in zip(_cells(head, theme, num_columns), ("Name", "Modified", "Size", "Kind"), strict=False):
        align = "right" if title == "Size" else "left"
        typesetting.line(canvas, cell.inset(theme.px(6), 0), title, theme.font(12), theme.muted, align=align)
        canvas.fill(cell.cut_right(1)[0].inset(0, theme.px(6)), theme.border)


def _cells(row: Box, theme: Theme, num_columns: int) -> list[Box]:
    cells, rest = [], row.inset(theme.px(8), 0)
    for share in (24, 12, 16)[: num_columns - 1][::-1]:
        cell, rest = rest.cut_right(row.width * share // 100)
        cells.append(cell)
    return [rest, *cells[::-1]]


def column_view(
    canvas: Canvas, area: Box, theme: Theme, materials: Materials, opened: Folder, rng: np.random.Generator
) -> None:
    """Draw the folders above and the files, each in a column, and a preview."""
    width = theme.px(float(rng.integers(180, 240)))
    height = theme.px(26)
    panel, rest = area.cut_right(max(theme.px(230), area.width % width))
    while rest.width >= width // 2:
        column, rest = rest.cut_left(width)
        deepest = rest.width < width // 2
        files = (
            opened.files if deepest else [make_file(materials.text, "folder") for _ in range(int(rng.integers(4, 30)))]
        )
        chosen = min(opened.selected, default=0) if deepest else int(rng.integers(len(files)))
        for number in range(min(len(files), column.height // height)):
            row = box(column.x, column.y + theme.px(4) + number * height, column.width, height).inset(theme.px(5), 0)
            if number == chosen:
                canvas.rounded(row, theme.accent if deepest else theme.soft_accent, theme.px(5))
                canvas.mark(row)
            ink = theme.on_accent if number == chosen and deepest else theme.text
            mark, label = row.cut_left(theme.px(28))
            file = files[number]
            _sign(canvas, mark.inset(theme.px(5)), theme, materials, opened, file)
            if file.kind == "folder":
                more, label = label.cut_right(theme.px(18))
                icon(canvas, more.centred(theme.px(11), theme.px(11)), "right", theme.muted)
            typesetting.line(canvas, label, file.name, theme.font(13), ink)
        canvas.fill(column.cut_right(1)[0], theme.border)
    preview(canvas, panel, theme, materials, opened)


def preview(canvas: Canvas, area: Box, theme: Theme, materials: Materials, opened: Folder) -> None:
    """Draw a panel that shows the selected file and its facts."""
    canvas.fill(area, theme.surface)
    canvas.fill(area.cut_left(1)[0], theme.border)
    file = opened.files[min(opened.selected, default=0)]
    inner = area.inset(theme.px(16))
    picture, rest = inner.cut_top(min(inner.width * 3 // 4, inner.height // 2))
    _sign(canvas, picture, theme, materials, opened, file)
    name, rest = rest.cut_top(theme.px(12))[1].cut_top(theme.px(24))
    typesetting.line(canvas, name, file.name, theme.font(14.5, "bold"), theme.text)
    facts = [
        ("Kind", KINDS[file.kind].name),
        ("Size", file.size),
        ("Modified", file.date),
        ("Owner", materials.text.full_name()),
    ]
    if file.kind == "image":
        facts += [
            ("Place", materials.text.place()),
            ("Pixels", f"{materials.text.number(9, 60) * 100} x {materials.text.number(7, 50) * 100}"),
        ]
    for label, value in facts:
        row, rest = rest.cut_top(theme.px(25))
        if row.height < theme.px(25):
            return
        left, right = row.cut_left(row.width * 2 // 5)
        typesetting.line(canvas, left, label, theme.font(12.5), theme.muted)
        typesetting.line(canvas, right, value, theme.font(12.5), theme.text)
