"""Pages of paper documents: papers, reports, letters, manuals with headings, figures, tables, columns, and scans."""

from dataclasses import replace

import numpy as np

from datagen import charts, typesetting
from datagen.canvas import Canvas
from datagen.geometry import Box, box
from datagen.materials import Materials
from datagen.page_text import Body, set_body
from datagen.paper_style import Style
from datagen.texts import MONTHS, plural
from datagen.theme import mix


def draw_page(
    canvas: Canvas, page: Box, style: Style, materials: Materials, rng: np.random.Generator, number: int
) -> None:
    """Draw page `number` (1 = the first); the canvas' clip may hide parts of it."""
    canvas.fill(page, style.theme.page)
    canvas.mark(page)
    if style.kind == "scan":
        _scan(canvas, page, style, materials, rng)
        return
    inner = page.inset(style.px(62), style.px(58))
    _head_and_foot(canvas, page, style, number)
    if number == 1:
        inner = _front(canvas, inner, style, materials, rng)
    for column in inner.columns(style.num_columns, style.px(18)):
        _fill(canvas, column, style, materials, rng)


def continue_page(canvas: Canvas, page: Box, style: Style, materials: Materials, rng: np.random.Generator) -> None:
    """Draw the middle or end of a page whose top is out of sight; `page` is what can be seen of it."""
    canvas.fill(page, style.theme.page)
    canvas.mark(page)
    if style.kind == "scan":
        canvas.paste(page, materials.photo(page.width, page.height))
        return
    inner = page.inset(style.px(62), 0).cut_bottom(style.px(58))[1]
    for column in inner.columns(style.num_columns, style.px(18)):
        _fill(canvas, column, style, materials, rng)


def _scan(canvas: Canvas, page: Box, style: Style, materials: Materials, rng: np.random.Generator) -> None:
    """A page that was photographed as a whole, or one of an album."""
    if rng.random() < 0.4:
        canvas.paste(page, materials.photo(page.width, page.height))
        return
    inner = page.inset(style.px(float(rng.integers(30, 70))))
    for row in inner.rows(int(rng.integers(1, 4)), style.px(30)):
        words, picture = row.cut_bottom(style.px(30))
        canvas.paste(picture, materials.photo(picture.width, picture.height))
        typesetting.line(canvas, words, materials.text.sentence(), style.font(10, "italic"), style.theme.muted)


def _head_and_foot(canvas: Canvas, page: Box, style: Style, number: int) -> None:
    foot = page.cut_bottom(style.px(44))[0].inset(style.px(62), 0)
    small = style.font(8.5)
    typesetting.line(canvas, foot, str(number), small, style.theme.muted, align="centre" if style.serif else "right")
    if number > 1 and style.kind in ("paper", "manual", "report"):
        head = page.cut_top(style.px(50))[0].inset(style.px(62), 0)
        typesetting.line(canvas, head, style.title, small, style.theme.muted)


def _front(canvas: Canvas, area: Box, style: Style, materials: Materials, rng: np.random.Generator) -> Box:
    """Draw what stands at the head of the first page; return the rest."""
    if style.kind == "letter":
        return _letter_head(canvas, area, style, materials)
    if style.kind == "invoice":
        return _invoice(canvas, area, style, materials)
    text, theme = materials.text, style.theme
    if style.kind == "report" and rng.random() < 0.5:
        picture, area = area.cut_top(round(area.width * rng.uniform(0.3, 0.7)))
        canvas.paste(picture, materials.photo(picture.width, picture.height))
        area = area.cut_top(style.px(18))[1]
    centred = style.kind == "paper"
    title = Body(font=style.font(20 if centred else 26, "bold"), colour=style.heading, leading=1.2)
    rest = _centred(canvas, area, style.title, title) if centred else set_body(canvas, area, style.title, title)
    align: typesetting.Align = "centre" if centred else "left"
    names = ", ".join(text.full_name() for _ in range(text.number(1, 5)))
    by, rest = rest.cut_top(style.px(8))[1].cut_top(style.px(16))
    typesetting.line(canvas, by, names, style.font(10.5), theme.text, align=align)
    when, rest = rest.cut_top(style.px(16))
    facts = f"{text.place()} Institute of {plural(text.noun()).capitalize()}" if centred else text.date()
    typesetting.line(canvas, when, facts, style.font(9.5, "italic"), theme.muted, align=align)
    rest = rest.cut_top(style.px(12))[1]
    if centred:
        rest = _abstract(canvas, rest, style, materials)
    else:
        canvas.fill(rest.cut_top(max(1, style.px(1.2)))[0], style.heading)
    return rest.cut_top(style.px(14))[1]


def _abstract(canvas: Canvas, area: Box, style: Style, materials: Materials) -> Box:
    head, rest = area.cut_top(style.px(18))
    typesetting.line(canvas, head, "Abstract", style.font(10.5, "bold"), style.theme.text, align="centre")
    body = Body(font=style.font(9.5), colour=style.theme.text, justified=style.justified)
    words = materials.text.paragraph(materials.text.number(3, 6))
    end = set_body(canvas, rest.inset(style.px(26), 0), words, body)
    return box(rest.x, end.y, rest.width, max(0, rest.bottom - end.y))


def _centred(canvas: Canvas, area: Box, words: str, body: Body) -> Box:
    rest = area
    for shown in typesetting.break_lines(words, body.font, area.width):
        row, rest = rest.cut_top(body.step)
        typesetting.line(canvas, row, shown, body.font, body.colour, align="centre")
    return rest


def _letter_head(canvas: Canvas, area: Box, style: Style, materials: Materials) -> Box:
    text, theme = materials.text, style.theme
    street = f"{text.number(1, 200)} {text.noun().capitalize()} Street"
    office = f"{text.place()} {text.noun().capitalize()} Office"
    lines = (
        *(text.full_name(), street, text.place(), ""),
        *(text.full_name(), office, f"{text.number(10000, 99999)} {text.place()}", ""),
        *(text.date(), "", f"Re: {text.label(2)}", "", f"Dear {text.full_name()},", ""),
    )
    rest = area
    for number, shown in enumerate(lines):
        row, rest = rest.cut_top(style.px(15))
        bold = "bold" if number == 0 or shown.startswith("Re:") else "regular"
        typesetting.line(canvas, row, shown, style.font(style.text, bold), theme.text)
    return rest


def _invoice(canvas: Canvas, area: Box, style: Style, materials: Materials) -> Box:
    text, theme = materials.text, style.theme
    head, rest = area.cut_top(style.px(56))
    name = f"{text.adjective()} {text.noun()} Ltd".title()
    typesetting.line(canvas, head, name, style.font(17, "bold", sans=True), style.heading)
    number = f"Invoice {text.number(2019, 2027)}-{text.number(1, 9999):04d}"
    typesetting.line(canvas, head, number, style.font(11, sans=True), theme.muted, align="right")
    address, rest = rest.cut_top(style.px(62))
    lines = (text.full_name(), f"{text.noun().capitalize()} Road {text.number(1, 99)}", text.place())
    for row, shown in zip(address.rows(4, 0), lines, strict=False):
        typesetting.line(canvas, row, shown, style.font(10, sans=True), theme.text)
    used = _table(canvas, rest, style, materials, num_rows=text.number(4, 14))
    return rest.cut_top(used + style.px(16))[1]


def _fill(canvas: Canvas, area: Box, style: Style, materials: Materials, rng: np.random.Generator) -> None:
    """Fill a column with blocks, from its top to where it goes out of sight."""
    text, rest = materials.text, area
    section, figure = text.number(1, 4), text.number(1, 9)
    lowest = min(area.bottom, style.view.bottom)
    while lowest - rest.y > style.px(22) and rest.height > style.px(22):
        form = 1.0 if style.kind == "letter" else rng.random()
        if form < 0.15:
            rest = _heading(canvas, rest, style, materials, section)
            section += 1
        elif form < 0.27 and rest.height > style.px(150):
            rest = _figure(canvas, rest, style, materials, rng, figure)
            figure += 1
        elif form < 0.33 and rest.height > style.px(110):
            used = _table(canvas, rest, style, materials, num_rows=text.number(3, 7))
            rest = rest.cut_top(used + style.px(12))[1]
        elif form < 0.41:
            rest = _bullets(canvas, rest, style, materials, rng)
        else:
            end = set_body(canvas, rest, text.paragraph(text.number(2, 6)), style.body(rng))
            rest = end.cut_top(style.px(3 if style.kind == "paper" else 8))[1]


def _heading(canvas: Canvas, area: Box, style: Style, materials: Materials, section: int) -> Box:
    row, rest = area.cut_top(style.px(6))[1].cut_top(style.px(22))
    words = materials.text.label(materials.text.number(1, 4))
    shown = f"{section}  {words}" if style.numbered else words
    typesetting.line(canvas, row, shown, style.font(13, "bold"), style.heading)
    return rest.cut_top(style.px(3))[1]


def _figure(
    canvas: Canvas, area: Box, style: Style, materials: Materials, rng: np.random.Generator, number: int
) -> Box:
    width = round(area.width * (1.0 if style.num_columns == 2 else float(rng.choice([0.6, 0.8, 1.0]))))
    height = min(round(width * rng.uniform(0.45, 0.75)), area.height - style.px(40))
    place = box(area.x + (area.width - width) // 2, area.y + style.px(4), width, height)
    if rng.random() < style.photo_share:
        canvas.paste(place, materials.photo(width, height))
    else:
        _chart(canvas, place, style, materials, rng)
    caption, rest = area.cut_top(height + style.px(9))[1].cut_top(style.px(14))
    words = f"Figure {number}: {materials.text.sentence()}"
    typesetting.line(canvas, caption, words, style.font(8.5, "italic"), style.theme.muted, align="centre")
    return rest.cut_top(style.px(10))[1]


def _chart(canvas: Canvas, area: Box, style: Style, materials: Materials, rng: np.random.Generator) -> None:
    canvas.outline(area, style.theme.border)
    key, room = area.inset(style.px(10)).cut_top(style.px(16))
    labels = [month[:3] for month in MONTHS][: int(rng.integers(5, 13))]
    level = 10 ** rng.uniform(0.6, 3)
    groups = [charts.random_walk(rng, len(labels), level=level) for _ in range(int(rng.integers(1, 4)))]
    charts.legend(canvas, key, style.theme, [materials.text.noun().capitalize() for _ in groups])
    made = charts.axes(canvas, room, style.theme, labels, max(float(group.max()) for group in groups))
    if rng.random() < 0.5:
        charts.bars(canvas, made, style.theme, groups)
    else:
        charts.lines(canvas, made, style.theme, groups, filled=False)


def _table(canvas: Canvas, area: Box, style: Style, materials: Materials, *, num_rows: int) -> int:
    """Draw a table at the top of `area`; return its height."""
    text, theme = materials.text, style.theme
    num_columns, height = text.number(3, 6), style.px(17)
    ruled, striped = text.number(0, 2), text.number(0, 2)
    num_rows = max(0, min(num_rows, area.height // height - 1))
    for number in range(num_rows):
        row = box(area.x, area.y + number * height, area.width, height)
        if number == 0 and not ruled:
            canvas.fill(row, mix(theme.page, style.heading, 0.16))
        elif striped and number % 2:
            canvas.fill(row, theme.raised)
        canvas.fill(row.cut_bottom(1)[0], theme.text if number in (0, num_rows - 1) and ruled else theme.border)
        for place, cell in enumerate(row.inset(style.px(4), 0).columns(num_columns, style.px(6))):
            words = text.noun().capitalize() if number == 0 or place == 0 else f"{text.number(1, 99999) / 100:,.2f}"
            face = style.font(9, "bold" if number == 0 else "regular")
            typesetting.line(canvas, cell, words, face, theme.text, align="right" if place else "left")
    if ruled:
        canvas.fill(box(area.x, area.y, area.width, max(1, style.px(1))), theme.text)
    return num_rows * height


def _bullets(canvas: Canvas, area: Box, style: Style, materials: Materials, rng: np.random.Generator) -> Box:
    rest = area
    ordered = rng.random() < 0.4
    body = replace(style.body(rng), indent=0, justified=False, marked=None)
    for number in range(int(rng.integers(2, 6))):
        if rest.height < style.px(20):
            break
        sign = f"{number + 1}." if ordered else "•"
        baseline = rest.y + (body.step - body.font.height) // 2 + body.font.ascent
        canvas.text(rest.x + style.px(5), baseline, sign, body.font, body.colour)
        end = set_body(canvas, rest.cut_left(style.px(20))[1], materials.text.sentence(), body)
        rest = box(area.x, end.y, area.width, end.height).cut_top(style.px(3))[1]
    return rest.cut_top(style.px(5))[1]
