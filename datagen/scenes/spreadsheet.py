"""A spreadsheet: ribbon or menus, formula bar, cells of many kinds, selections, charts and pictures above them."""

from dataclasses import dataclass, replace

import numpy as np

from datagen import charts, controls, typesetting
from datagen.albums import Album
from datagen.canvas import Canvas, Colour
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.materials import Materials
from datagen.scenes import office, overlays
from datagen.shapes import rounded
from datagen.tabular import STATUSES, Column, write_table
from datagen.texts import TextBank
from datagen.theme import Theme, choose_theme, mix

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MAX_ROWS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    size: float
    """Of letters in cells, at 1x."""
    row_height: int
    """In pixels."""
    grid_lines: bool
    banded: bool
    coloured_head: bool
    scale_column: int
    """Column whose cells are shaded by their values, -1 for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """Where the cells are."""

    area: Box
    lefts: tuple[int, ...]
    """Left edge of each column, and the right edge of the last."""
    row_height: int
    num_rows: int
    first_row: int
    """Number of the row below the frozen ones, from 1."""
    num_frozen: int

    def cell(self, column: int, row: int) -> Box:
        """Return the cell in the `row`-th row from the top of the view."""
        left, right = self.lefts[column : column + 2]
        return box(left, self.area.y + row * self.row_height, right - left, self.row_height)

    def name(self, column: int, row: int) -> str:
        return f"{_name(column)}{self.number(row)}"

    def number(self, row: int) -> int:
        """Return the number of the `row`-th row from the top of the view."""
        return row + 1 if row < self.num_frozen else row - self.num_frozen + self.first_row


def draw(canvas: Canvas, materials: Materials, rng: np.random.Generator) -> None:
    """Draw the whole screen."""
    theme = choose_theme(rng, canvas, dark_share=0.2)
    text = materials.text
    canvas.fill(canvas.area, theme.surface)
    style = office.STYLES[int(rng.integers(len(office.STYLES)))]
    name = f"{text.label(2)} {text.number(2022, 2027)}.{text.pick(['xlsx', 'ods', 'csv'])}"
    body = office.header(canvas, canvas.area, theme, materials, style, name)
    status, body = body.cut_bottom(theme.px(24))
    tabs, body = body.cut_bottom(theme.px(30))
    formula, body = body.cut_top(theme.px(28))
    has_photos = bool(rng.random() < 0.3)
    look = _Look(
        size=float(rng.choice([11.5, 12.5, 13.5])),
        row_height=theme.px(float(rng.integers(44, 80)) if has_photos else float(rng.choice([20, 21, 24, 28]))),
        grid_lines=bool(rng.random() < 0.85),
        banded=bool(rng.random() < 0.3),
        coloured_head=bool(rng.random() < 0.5),
        scale_column=int(rng.integers(-6, 8)),
    )
    num_rows = min(_MAX_ROWS, body.height // look.row_height + 1)
    columns = write_table(text, rng, num_rows=num_rows, width=round(body.width / theme.scale), photos=has_photos)
    with canvas.clipped(body):
        sheet = _frame(canvas, body, theme, look, columns, rng)
        shown = _fill(columns, sheet, rng)
        chosen = _selection(shown, rng)
        _shade(canvas, theme, look, sheet, shown)
        album = Album(materials, rng, num_photos=6) if has_photos else None
        for number, column in enumerate(shown):
            _column(canvas, theme, look, sheet, (number, column), album)
        _select(canvas, theme, sheet, chosen)
        with canvas.clipped(sheet.area):
            _floating(canvas, theme, sheet, materials, rng)
    _formula(canvas, formula, theme, sheet, shown, chosen)
    _tabs(canvas, tabs, theme, text)
    total = f"Average: {text.number(10, 9000):,}   Count: {text.number(2, 60)}   Sum: {text.number(1000, 900000):,}"
    office.status_bar(canvas, status, theme, "Ready", total if chosen[2] > 1 else "")
    overlays.draw_some(canvas, body, theme, materials, rng)


def _name(column: int) -> str:
    return _LETTERS[column] if column < 26 else _name(column // 26 - 1) + _LETTERS[column % 26]


def _frame(
    canvas: Canvas, area: Box, theme: Theme, look: _Look, columns: list[Column], rng: np.random.Generator
) -> _Sheet:
    """Draw column letters, row numbers and grid lines."""
    head, rows = area.cut_top(theme.px(22))
    side, cells = rows.cut_left(theme.px(44))
    ground = theme.raised
    canvas.fill(head, ground)
    canvas.fill(side, ground)
    lefts = [cells.x]
    for column in columns:
        lefts.append(lefts[-1] + theme.px(column.width))
    sheet = _Sheet(
        area=cells,
        lefts=tuple(lefts),
        row_height=look.row_height,
        num_rows=cells.height // look.row_height + 1,
        first_row=2 if rng.random() < 0.7 else int(rng.integers(2, 900)),
        num_frozen=1,
    )
    line = mix(theme.surface, theme.border, 0.75)
    font = theme.font(11.5)
    for number in range(len(columns)):
        cell = box(lefts[number], head.y, lefts[number + 1] - lefts[number], head.height)
        typesetting.line(canvas, cell, _name(number), font, theme.muted, align="centre")
        canvas.fill(cell.cut_right(1)[0], theme.border)
        if look.grid_lines:
            canvas.fill(box(cell.right - 1, cells.y, 1, cells.height), line)
    for row in range(sheet.num_rows):
        y = cells.y + row * look.row_height
        number_box = box(side.x, y, side.width, look.row_height)
        typesetting.line(canvas, number_box, str(sheet.number(row)), font, theme.muted, align="centre")
        canvas.fill(number_box.cut_bottom(1)[0], theme.border)
        if look.grid_lines:
            canvas.fill(box(cells.x, y + look.row_height - 1, cells.width, 1), line)
    canvas.fill(head.cut_bottom(1)[0], theme.border)
    canvas.fill(box(side.right - 1, area.y, 1, area.height), theme.border)
    return sheet


def _fill(columns: list[Column], sheet: _Sheet, rng: np.random.Generator) -> list[Column]:
    """Return the columns that hold something, with as many rows as were filled in."""
    full = rng.random() < 0.5
    num_rows = sheet.num_rows if full else int(rng.integers(min(4, sheet.num_rows), sheet.num_rows + 1))
    num_columns = len(columns) if rng.random() < 0.6 else int(rng.integers(min(3, len(columns)), len(columns) + 1))
    return [replace(column, cells=column.cells[: num_rows - 1]) for column in columns[:num_columns]]


def _shade(canvas: Canvas, theme: Theme, look: _Look, sheet: _Sheet, columns: list[Column]) -> None:
    """Draw the header's ground and the bands of rows."""
    width = sheet.lefts[len(columns)] - sheet.area.x
    if look.coloured_head:
        canvas.fill(box(sheet.area.x, sheet.area.y, width, sheet.row_height), mix(theme.accent, theme.surface, 0.1))
    if look.banded:
        for row in range(1, 1 + len(columns[0].cells), 2):
            y = sheet.area.y + row * sheet.row_height
            canvas.fill(box(sheet.area.x, y, width, sheet.row_height), theme.soft_accent)


def _column(
    canvas: Canvas, theme: Theme, look: _Look, sheet: _Sheet, item: tuple[int, Column], album: Album | None
) -> None:
    number, column = item
    font, bold = theme.font(look.size), theme.font(look.size, "bold")
    pad = theme.px(5)
    ink = theme.on_accent if look.coloured_head else theme.text
    align: typesetting.Align = "right" if column.is_number else "left"
    typesetting.line(canvas, sheet.cell(number, 0).inset(pad, 0), column.title, bold, ink, align=align)
    for row, words in enumerate(column.cells, 1):
        cell = sheet.cell(number, row)
        if cell.y >= sheet.area.bottom or not words:
            continue
        if number == look.scale_column and column.is_number:
            tone: Colour = (220, 60, 50) if column.shares[row - 1] < 0.5 else (40, 170, 90)
            canvas.fill(cell, mix(theme.surface, tone, abs(column.shares[row - 1] - 0.5)))
        if column.kind == "photo" and album is not None:
            shown = cell.inset(theme.px(3), theme.px(2))
            canvas.paste(shown, album.crop(shown.width, shown.height))
        elif column.kind == "check":
            controls.check_box(canvas, cell, theme, on=column.shares[row - 1] > 0.4)
        elif column.kind == "bar":
            track = cell.inset(theme.px(6), 0).centred(cell.width - theme.px(12), theme.px(9))
            controls.progress(canvas, track, theme, column.shares[row - 1])
        elif column.kind == "status":
            tone = theme.series[STATUSES.index(words)]
            chip = cell.inset(theme.px(4), 0).centred(cell.width - theme.px(8), theme.px(18))
            canvas.rounded(chip, mix(theme.surface, tone, 0.25), chip.height / 2)
            typesetting.line(canvas, chip.inset(pad, 0), words, font, mix(tone, theme.text, 0.5), align="centre")
        else:
            _text(canvas, cell.inset(pad, 0), words, theme, look, column)


def _text(canvas: Canvas, cell: Box, words: str, theme: Theme, look: _Look, column: Column) -> None:
    """Set a cell's text; what does not fit is cut at its edge, as spreadsheets do."""
    font = theme.font(look.size)
    width = font.width(words)
    x = cell.right - width if column.is_number else cell.x
    used = box(x, cell.y + (cell.height - font.height) // 2, width, font.height)
    ink = (210, 50, 45) if words.startswith("-") and column.kind == "money" else theme.text
    if width <= cell.width:
        canvas.text(x, used.y + font.ascent, words, font, ink)
        canvas.mark(used)
        return
    with canvas.clipped(cell):
        canvas.text(x, used.y + font.ascent, words, font, ink)
        canvas.mark(used)


def _selection(columns: list[Column], rng: np.random.Generator) -> tuple[int, int, int]:
    """Return the active cell's column and row, and how many rows are selected."""
    column = int(rng.integers(0, len(columns)))
    row = int(rng.integers(1, max(2, len(columns[0].cells))))
    return column, row, int(rng.choice([1, 1, 1, 4, 9]))


def _select(canvas: Canvas, theme: Theme, sheet: _Sheet, chosen: tuple[int, int, int]) -> None:
    column, row, count = chosen
    cell = sheet.cell(column, row)
    area = box(cell.x - 1, cell.y - 1, cell.width + 1, cell.height * count + 1)
    with canvas.clipped(sheet.area):
        if count > 1:
            canvas.veil(area.cut_top(cell.height)[1], theme.accent, 0.14)
        canvas.outline(area, theme.accent, thickness=max(1, theme.px(2)))
        knob = theme.px(6)
        canvas.fill(box(area.right - knob // 2 - 1, area.bottom - knob // 2 - 1, knob, knob), theme.accent)


def _formula(
    canvas: Canvas, area: Box, theme: Theme, sheet: _Sheet, columns: list[Column], chosen: tuple[int, int, int]
) -> None:
    canvas.fill(area, theme.surface)
    canvas.fill(area.cut_bottom(1)[0], theme.border)
    place, rest = area.cut_left(theme.px(84))
    font = theme.font(13)
    typesetting.line(canvas, place.inset(theme.px(10), 0), sheet.name(*chosen[:2]), font, theme.text)
    canvas.fill(place.cut_right(1)[0], theme.border)
    sign, rest = rest.cut_left(theme.px(40))
    typesetting.line(canvas, sign, "fx", theme.serif_font(14, "italic"), theme.muted, align="centre")
    column = columns[chosen[0]]
    cells = column.cells[chosen[1] - 1 : chosen[1]]
    words = cells[0] if cells else ""
    if column.is_number and chosen[1] % 2:
        above, left = sheet.name(chosen[0], chosen[1] - 1), sheet.name(max(0, chosen[0] - 1), chosen[1])
        words = f"=SUM({sheet.name(chosen[0], 1)}:{above})" if chosen[1] > 2 else f"=ROUND({left}*1.19, 2)"
    typesetting.line(canvas, rest, words, font, theme.text)


def _floating(canvas: Canvas, theme: Theme, sheet: _Sheet, materials: Materials, rng: np.random.Generator) -> None:
    """Put a chart or a picture above the cells, perhaps."""
    form = rng.random()
    if form > 0.6 or sheet.area.width < theme.px(560):
        return
    width, height = theme.px(int(rng.integers(260, 460))), theme.px(int(rng.integers(170, 290)))
    x = sheet.area.right - width - theme.px(int(rng.integers(10, 160)))
    y = sheet.area.y + int(rng.integers(theme.px(30), max(theme.px(31), sheet.area.height - height)))
    area = box(x, y, width, height)
    if form < 0.3:
        canvas.paste(area, materials.photo(width, height))
        if rng.random() < 0.4:
            canvas.outline(area, theme.accent, thickness=max(1, theme.px(2)))
        return
    canvas.fill(area, theme.surface)
    canvas.outline(area, theme.border)
    canvas.mark(area)
    inner = area.inset(theme.px(14), theme.px(8))
    head, plot = inner.cut_top(theme.px(26))
    typesetting.line(canvas, head, materials.text.label(2), theme.font(13.5, "bold"), theme.text, align="centre")
    values = [charts.random_walk(rng, int(rng.integers(5, 13)), level=80.0) for _ in range(1 if form < 0.45 else 2)]
    labels = [f"Q{number % 4 + 1}" for number in range(len(values[0]))]
    made = charts.axes(canvas, plot, theme, labels, max(float(series.max()) for series in values))
    if form < 0.5:
        charts.bars(canvas, made, theme, [series[: len(values[0])] for series in values[:1]])
    else:
        charts.lines(canvas, made, theme, values, filled=False)


def _tabs(canvas: Canvas, area: Box, theme: Theme, text: TextBank) -> None:
    canvas.fill(area, theme.raised)
    canvas.fill(area.cut_top(1)[0], theme.border)
    sign, rest = area.cut_left(theme.px(60))
    for name, cell in zip(("plus", "menu"), sign.columns(2, 0), strict=True):
        icon(canvas, cell.centred(theme.px(15), theme.px(15)), name, theme.muted)
    for number in range(text.number(1, 6)):
        name = text.pick([f"Sheet{number + 1}", text.noun().capitalize(), f"Q{number + 1}"])
        cell, rest = rest.cut_left(theme.font(12.5).width(name) + theme.px(30))
        if number == 0:
            canvas.fill(cell, theme.surface)
            canvas.fill(cell.cut_bottom(max(1, theme.px(2)))[0], theme.accent)
            canvas.mark(cell, rounded(cell.width, cell.height, 0))
        colour = theme.accent if number == 0 else theme.muted
        typesetting.line(canvas, cell, name, theme.font(12.5), colour, align="centre")
