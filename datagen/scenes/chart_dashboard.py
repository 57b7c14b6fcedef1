"""A business dashboard: navigation, figures in cards, bar, line and pie charts, a table, perhaps a photograph."""

from collections.abc import Callable

import numpy as np

from datagen import charts, typesetting, widgets
from datagen.canvas import Canvas
from datagen.geometry import Box
from datagen.icons import icon
from datagen.materials import Materials
from datagen.shapes import rounded
from datagen.texts import MONTHS, plural
from datagen.theme import Theme, choose_theme, mix

_GOOD, _BAD = (22, 163, 74), (220, 60, 60)
_SECTIONS = ("home", "chart", "user", "folder", "calendar", "bell", "gear")


def draw(canvas: Canvas, materials: Materials, rng: np.random.Generator) -> None:
    """Draw the whole screen."""
    theme = choose_theme(rng, canvas, dark_share=0.4)
    text = materials.text
    canvas.fill(canvas.area, theme.page)
    name = f"{text.noun().capitalize()}{text.pick(['ly', 'Hub', 'Desk', 'Base'])}"
    body = canvas.area
    if rng.random() < 0.6:
        titles = [f"{name} - Overview", *(text.headline() for _ in range(text.number(0, 4)))]
        body = widgets.browser_bar(canvas, body, theme, titles, f"{name.lower()}.example/overview")
    side, body = body.cut_left(theme.px(60) if rng.random() < 0.3 else min(theme.px(210), body.width // 5))
    _navigation(canvas, side, theme, materials, name)
    head, body = body.cut_top(theme.px(58))
    _head(canvas, head, theme, materials)
    gap = theme.px(16)
    content = body.inset(gap)
    figures, content = content.cut_top(theme.px(92))
    for cell in figures.columns(4 if content.width > theme.px(800) else 3, gap):
        _figure(canvas, cell, theme, materials, rng)
    content = content.cut_top(gap)[1]
    upper, lower = content.rows(2, gap)
    wide = upper.width * int(rng.integers(58, 68)) // 100
    first, second = upper.cut_left(wide)
    panels = [_bars, _lines, _pie, _photo]
    order = [int(index) for index in rng.permutation(2)]
    panels[order[0]](canvas, first, theme, materials, rng)
    panels[2 + int(rng.random() < 0.45)](canvas, second.cut_left(gap)[1], theme, materials, rng)
    narrow = lower.width * int(rng.integers(36, 48)) // 100
    left, right = lower.cut_left(narrow)
    panels[order[1]](canvas, left, theme, materials, rng)
    _table(canvas, right.cut_left(gap)[1], theme, materials)


Panel = Callable[[Canvas, Box, Theme, Materials, np.random.Generator], None]


def _navigation(canvas: Canvas, area: Box, theme: Theme, materials: Materials, name: str) -> None:
    canvas.fill(area, theme.surface)
    canvas.fill(area.cut_right(1)[0], theme.border)
    wide = area.width > theme.px(100)
    logo, rest = area.cut_top(theme.px(58))
    badge, label = logo.inset(theme.px(16), 0).cut_left(theme.px(28))
    badge = badge.centred(theme.px(28), theme.px(28))
    canvas.gradient(badge, theme.accent, theme.series[1], radius=theme.px(8))
    canvas.mark(badge)
    if wide:
        typesetting.line(canvas, label.cut_left(theme.px(10))[1], name, theme.font(17, "bold"), theme.text)
    for number, sign in enumerate(_SECTIONS):
        row, rest = rest.cut_top(theme.px(42))
        row = row.inset(theme.px(10), theme.px(2))
        if number == 0:
            canvas.rounded(row, theme.soft_accent, theme.px(8))
            canvas.mark(row, rounded(row.width, row.height, theme.px(8)))
        colour = theme.accent if number == 0 else theme.muted
        sign_box, label = row.cut_left(theme.px(40))
        icon(canvas, sign_box.centred(theme.px(19), theme.px(19)), sign, colour)
        if wide:
            title = "Overview" if number == 0 else plural(materials.text.noun()).capitalize()
            typesetting.line(canvas, label, title, theme.font(14), theme.text if number == 0 else theme.muted)
    if wide:
        person = materials.text.full_name()
        foot = rest.cut_bottom(theme.px(60))[0].inset(theme.px(14), theme.px(12))
        face, label = foot.cut_left(foot.height)
        widgets.avatar(canvas, face, theme, materials, person)
        typesetting.line(canvas, label.cut_left(theme.px(10))[1], person, theme.font(13), theme.text)


def _head(canvas: Canvas, area: Box, theme: Theme, materials: Materials) -> None:
    inner = area.inset(theme.px(18), theme.px(12))
    title, rest = inner.cut_left(inner.width * 2 // 5)
    typesetting.line(canvas, title, "Overview", theme.font(21, "bold"), theme.text)
    action, rest = rest.cut_right(theme.px(104))
    widgets.button(canvas, action, theme, materials.text.pick(["Export", "New report", "Share"]))
    period, rest = rest.cut_left(rest.width - theme.px(10))[0].cut_right(theme.px(130))
    widgets.button(
        canvas, period, theme, materials.text.pick(["Last 7 days", "Last 30 days", "This year"]), primary=False
    )
    field = rest.cut_left(rest.width - theme.px(10))[0]
    if field.width > theme.px(120):
        widgets.search_field(canvas, field, theme, "Search")


def _figure(canvas: Canvas, area: Box, theme: Theme, materials: Materials, rng: np.random.Generator) -> None:
    widgets.card(canvas, area, theme)
    inner = area.inset(theme.px(16), theme.px(12))
    upper, rest = inner.cut_top(theme.px(20))
    typesetting.line(canvas, upper, materials.text.label(2), theme.font(12.5), theme.muted)
    value, change = rest.cut_top(theme.px(30))
    amount = int(10 ** rng.uniform(1.5, 5.5))
    shown = materials.text.pick([f"{amount:,}", f"${amount:,}", f"{amount % 1000 / 10:.1f} %"])
    typesetting.line(canvas, value, shown, theme.font(23, "bold"), theme.text)
    percent = float(rng.normal(3, 8))
    colour = _GOOD if percent >= 0 else _BAD
    typesetting.line(canvas, change, f"{percent:+.1f} % since last month", theme.font(12), mix(colour, theme.text, 0.1))


def _panel(canvas: Canvas, area: Box, theme: Theme, title: str) -> Box:
    """Draw a titled card; return the room inside."""
    widgets.card(canvas, area, theme)
    head, rest = area.inset(theme.px(16), theme.px(12)).cut_top(theme.px(26))
    more, label = head.cut_right(theme.px(20))
    icon(canvas, more.centred(theme.px(17), theme.px(17)), "dots", theme.muted)
    typesetting.line(canvas, label, title, theme.font(14.5, "bold"), theme.text)
    return rest.cut_top(theme.px(4))[1]


def _bars(canvas: Canvas, area: Box, theme: Theme, materials: Materials, rng: np.random.Generator) -> None:
    room = _panel(canvas, area, theme, f"{materials.text.label(2)} by month")
    names = [materials.text.noun().capitalize() for _ in range(int(rng.integers(1, 4)))]
    key, room = room.cut_top(theme.px(22))
    charts.legend(canvas, key, theme, names)
    months = [month[:3] for month in MONTHS][: int(rng.integers(6, 13))]
    level = 10 ** rng.uniform(1.3, 4)
    groups = [charts.random_walk(rng, len(months), level=level) for _ in names]
    made = charts.axes(canvas, room, theme, months, max(float(group.max()) for group in groups))
    charts.bars(canvas, made, theme, groups)


def _lines(canvas: Canvas, area: Box, theme: Theme, materials: Materials, rng: np.random.Generator) -> None:
    room = _panel(canvas, area, theme, f"{materials.text.label(2)} per day")
    names = [materials.text.noun().capitalize() for _ in range(int(rng.integers(1, 5)))]
    key, room = room.cut_top(theme.px(22))
    charts.legend(canvas, key, theme, names)
    month = materials.text.pick([name[:3] for name in MONTHS])
    labels = [f"{month} {day}" for day in range(1, int(rng.integers(15, 29)))]
    level = 10 ** rng.uniform(1.3, 4)
    groups = [charts.random_walk(rng, len(labels), level=level) for _ in names]
    made = charts.axes(canvas, room, theme, labels, max(float(group.max()) for group in groups))
    charts.lines(canvas, made, theme, groups, filled=bool(rng.random() < 0.5))


def _pie(canvas: Canvas, area: Box, theme: Theme, materials: Materials, rng: np.random.Generator) -> None:
    room = _panel(canvas, area, theme, f"{materials.text.noun().capitalize()} by {materials.text.noun()}")
    shares = np.sort(rng.dirichlet(np.full(int(rng.integers(3, 7)), 2.0)))[::-1]
    disc, key = room.cut_left(min(room.height, room.width // 2))
    charts.pie(canvas, disc.inset(theme.px(6)), theme, shares, hole=float(rng.choice([0.0, 0.6, 0.7])))
    rest = key.cut_left(theme.px(14))[1].inset(0, theme.px(8))
    for order, share in enumerate(shares):
        row, rest = rest.cut_top(theme.px(24))
        if row.height < theme.px(24):
            return
        mark, label = row.cut_left(theme.px(18))
        charts.swatch(canvas, mark, theme.series[order], theme)
        value, label = label.cut_right(theme.px(50))
        typesetting.line(canvas, label, materials.text.noun().capitalize(), theme.font(13), theme.text)
        typesetting.line(canvas, value, f"{share:.0%}", theme.font(13), theme.muted, align="right")


def _photo(canvas: Canvas, area: Box, theme: Theme, materials: Materials, rng: np.random.Generator) -> None:
    room = _panel(canvas, area, theme, f"{materials.text.noun().capitalize()} of the week")
    words, picture = room.cut_bottom(theme.px(46))
    if min(picture.width, picture.height) < theme.px(24):
        return
    canvas.paste(
        picture, materials.photo(picture.width, picture.height), radius=theme.px(float(rng.choice([0, 6, 10])))
    )
    typesetting.paragraph(
        canvas, words.cut_top(theme.px(8))[1], materials.text.sentence(), theme.font(12.5), theme.muted
    )


def _table(canvas: Canvas, area: Box, theme: Theme, materials: Materials) -> None:
    text = materials.text
    room = _panel(canvas, area, theme, f"Recent {plural(text.noun())}")
    head, rest = room.cut_top(theme.px(26))
    small = theme.font(11.5)
    for cell, title in zip(_cells(head), ("Name", "Place", "Status", "Amount"), strict=True):
        align: typesetting.Align = "right" if title == "Amount" else "left"
        typesetting.line(canvas, cell, title, small, theme.muted, align=align)
    height = theme.px(36)
    while rest.height >= height:
        row, rest = rest.cut_top(height)
        canvas.fill(row.cut_top(1)[0], theme.border)
        who, where, status, amount = _cells(row)
        name = text.full_name()
        face, who = who.cut_left(theme.px(34))
        widgets.avatar(
            canvas, face.cut_left(theme.px(24))[0].centred(theme.px(24), theme.px(24)), theme, materials, name
        )
        typesetting.line(canvas, who, name, theme.font(13), theme.text)
        typesetting.line(canvas, where, text.place(), theme.font(13), theme.muted)
        _status(canvas, status, theme, text.pick(["Paid", "Open", "Late", "Draft"]))
        typesetting.line(
            canvas,
            amount,
            f"{text.number(1, 9999)}.{text.number(0, 100):02d}",
            theme.font(13),
            theme.text,
            align="right",
        )


def _cells(row: Box) -> tuple[Box, Box, Box, Box]:
    who, rest = row.cut_left(row.width * 38 // 100)
    where, rest = rest.cut_left(row.width * 22 // 100)
    status, amount = rest.cut_left(row.width * 18 // 100)
    return who, where, status, amount


def _status(canvas: Canvas, area: Box, theme: Theme, word: str) -> None:
    colour = {"Paid": _GOOD, "Open": (37, 99, 235), "Late": _BAD, "Draft": (120, 125, 135)}[word]
    font = theme.font(11.5, "bold")
    width = min(area.width, font.width(word) + theme.px(18))
    chip = area.cut_left(width)[0].centred(width, theme.px(20))
    canvas.rounded(chip, mix(theme.surface, colour, 0.2), chip.height / 2)
    canvas.mark(chip, rounded(chip.width, chip.height, chip.height / 2))
    ink = mix(colour, (255, 255, 255), 0.4) if theme.dark else mix(colour, (0, 0, 0), 0.2)
    typesetting.line(canvas, chip, word, font, ink, align="centre")
