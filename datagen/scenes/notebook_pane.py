"""A notebook: cells of code and prose, with figures, tables and pictures that the code printed below them."""

import numpy as np

from datagen import charts, typesetting
from datagen.canvas import Canvas
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.materials import Materials
from datagen.scenes.code_pane import CodeView
from datagen.theme import Theme
from datagen.writings import Listing

_LONGEST = 700
"""Height at 1x of all that may be drawn below the pane's lower edge."""


def draw_notebook(
    canvas: Canvas, area: Box, theme: Theme, view: CodeView, materials: Materials, rng: np.random.Generator
) -> None:
    """Fill `area` with the cells of a notebook whose code is the view's listing."""
    width = min(area.width - theme.px(40), theme.px(1000))
    # Longer than the pane, which cuts what it does not show.
    rest = box(area.x + theme.px(20), area.y + theme.px(14), width, area.height + theme.px(_LONGEST))
    first = view.first_number
    executed = materials.text.number(1, 40)
    with canvas.clipped(area):
        while rest.y < area.bottom:
            if rng.random() < 0.2:
                rest = _prose(canvas, rest, theme, materials)
            count = int(rng.integers(2, 8))
            rest = _cell(canvas, rest, theme, view, first, (executed, count))
            first, executed = (first + count) % max(1, len(view.listing.lines) - 8), executed + 1
            if rng.random() < 0.7:
                rest = _output(canvas, rest.cut_left(theme.px(64))[1], theme, materials, rng, view)
                rest = box(area.x + theme.px(20), rest.y, width, rest.height)


def _prose(canvas: Canvas, area: Box, theme: Theme, materials: Materials) -> Box:
    row, rest = area.cut_left(theme.px(64))[1].cut_top(theme.px(40))
    typesetting.line(canvas, row, materials.text.label(3), theme.font(22, "bold"), theme.text)
    words = materials.text.paragraph(materials.text.number(1, 4))
    used = typesetting.paragraph(canvas, rest, words, theme.font(14.5), theme.text, leading=1.5)
    return area.cut_top(used.bottom - area.y + theme.px(14))[1]


def _cell(canvas: Canvas, area: Box, theme: Theme, view: CodeView, first: int, state: tuple[int, int]) -> Box:
    """A cell of code; `state` is its number and how many lines it has."""
    executed, count = state
    listing: Listing = view.listing
    frame, rest = area.cut_top(count * view.step + theme.px(18))
    mark, frame = frame.cut_left(theme.px(64))
    label = f"[{executed}]:"
    row = mark.cut_top(view.step + theme.px(18))[0].cut_left(theme.px(56))[0]
    typesetting.line(canvas, row, label, theme.mono_font(12), theme.muted, align="right")
    canvas.rounded(frame, theme.raised, theme.px(4))
    canvas.outline(frame, theme.border, radius=theme.px(4))
    canvas.mark(frame)
    font = view.font
    with canvas.clipped(frame):
        for number, tokens in enumerate(listing.lines[first : first + count]):
            x = frame.x + theme.px(12)
            y = frame.y + theme.px(9) + number * view.step
            baseline = y + (view.step - font.height) // 2 + font.ascent
            for token, kind in tokens:
                x = canvas.text(x, baseline, token, font, view.colours.get(kind, theme.text))
    return rest.cut_top(theme.px(10))[1]


def _output(
    canvas: Canvas, area: Box, theme: Theme, materials: Materials, rng: np.random.Generator, view: CodeView
) -> Box:
    form = int(rng.integers(5))
    if form == 0:
        return _printed(canvas, area, theme, materials, view)
    if form == 1:
        return _table(canvas, area, theme, materials)
    if form == 2:
        plot, rest = area.cut_top(theme.px(250))
        plot = plot.cut_left(theme.px(460))[0]
        canvas.fill(plot, theme.surface)
        values = [charts.random_walk(rng, 12, level=50.0) for _ in range(int(rng.integers(1, 4)))]
        names = [str(number) for number in range(12)]
        inner = plot.inset(theme.px(10))
        made = charts.axes(canvas, inner, theme, names, max(float(series.max()) for series in values))
        draw = charts.bars if len(values) == 2 else charts.lines
        if draw is charts.bars:
            charts.bars(canvas, made, theme, values)
        else:
            charts.lines(canvas, made, theme, values, filled=False)
        return rest.cut_top(theme.px(14))[1]
    row, rest = area.cut_top(theme.px(int(rng.integers(110, 260))))
    count = int(rng.choice([1, 1, 2, 4]))
    for cell in row.cut_left(min(row.width, round(row.height * 1.3) * count))[0].columns(count, theme.px(8)):
        canvas.paste(cell, materials.photo(cell.width, cell.height))
    return rest.cut_top(theme.px(14))[1]


def _printed(canvas: Canvas, area: Box, theme: Theme, materials: Materials, view: CodeView) -> Box:
    text = materials.text
    rest = area
    for _ in range(text.number(1, 6)):
        row, rest = rest.cut_top(view.step)
        words = f"{text.noun()}: {text.number(0, 999)}.{text.number(0, 99):02d} {text.noun()}"
        typesetting.line(canvas, row, words, view.font, theme.text)
    return rest.cut_top(theme.px(12))[1]


def _table(canvas: Canvas, area: Box, theme: Theme, materials: Materials) -> Box:
    text = materials.text
    num_columns = text.number(3, 7)
    rest = area
    for number in range(text.number(4, 8)):
        row, rest = rest.cut_top(theme.px(26))
        row = row.cut_left(theme.px(100) * num_columns)[0]
        canvas.fill(row, theme.raised if number % 2 == 0 else theme.surface)
        for column, cell in enumerate(row.columns(num_columns, theme.px(10))):
            shown = text.noun() if number == 0 else f"{text.number(0, 99)}.{text.number(0, 9999):04d}"
            shown = str(number - 1) if column == 0 and number else shown
            style = "bold" if number == 0 or column == 0 else "regular"
            typesetting.line(canvas, cell, shown, theme.font(13, style), theme.text, align="right")
    return rest.cut_top(theme.px(14))[1]


def draw_toolbar(canvas: Canvas, area: Box, theme: Theme) -> None:
    """Draw what runs and adds cells."""
    canvas.fill(area, theme.page)
    canvas.fill(area.cut_bottom(1)[0], theme.border)
    rest = area.inset(theme.px(16), 0)
    for name, words in (("plus", "Code"), ("plus", "Text"), ("play", "Run all"), ("reload", "Restart")):
        sign, rest = rest.cut_left(theme.px(22))
        icon(canvas, sign.cut_left(theme.px(15))[0].centred(theme.px(15), theme.px(15)), name, theme.text)
        cell, rest = rest.cut_left(theme.px(76))
        typesetting.line(canvas, cell, words, theme.font(13), theme.text)
