"""Panels of a dashboard: charts of many kinds, tables, goods and people with pictures, what has happened."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from datagen import charts, controls, typesetting, widgets
from datagen.albums import Album
from datagen.canvas import Canvas, Colour
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.materials import Materials
from datagen.shapes import rounded
from datagen.texts import MONTHS, past, plural
from datagen.theme import Theme, mix

GOOD, BAD = (22, 163, 74), (220, 60, 60)
_WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """What the panels of one dashboard are drawn with."""

    canvas: Canvas
    theme: Theme
    materials: Materials
    rng: np.random.Generator
    album: Album

    def panel(self, area: Box, title: str) -> Box:
        """Draw a titled card; return the room inside."""
        theme = self.theme
        widgets.card(self.canvas, area, theme)
        head, rest = area.inset(theme.px(16), theme.px(12)).cut_top(theme.px(26))
        more, label = head.cut_right(theme.px(20))
        icon(self.canvas, more.centred(theme.px(17), theme.px(17)), "dots", theme.muted)
        typesetting.line(self.canvas, label, title, theme.font(14.5, "bold"), theme.text)
        return rest.cut_top(theme.px(4))[1]

    def nouns(self, low: int, high: int) -> list[str]:
        """Return some names for series."""
        return [self.materials.text.noun().capitalize() for _ in range(int(self.rng.integers(low, high)))]


Panel = Callable[[Board, Box], None]


def bars(board: Board, area: Box) -> None:
    """Bars side by side by month."""
    theme, rng = board.theme, board.rng
    room = board.panel(area, f"{board.materials.text.label(2)} by month")
    names = board.nouns(1, 4)
    key, room = room.cut_top(theme.px(22))
    charts.legend(board.canvas, key, theme, names)
    months = [month[:3] for month in MONTHS][: int(rng.integers(6, 13))]
    level = 10 ** rng.uniform(1.3, 4)
    groups = [charts.random_walk(rng, len(months), level=level) for _ in names]
    made = charts.axes(board.canvas, room, theme, months, max(float(group.max()) for group in groups))
    charts.bars(board.canvas, made, theme, groups)


def lines(board: Board, area: Box) -> None:
    """Lines by day, perhaps with a shaded area."""
    theme, rng, text = board.theme, board.rng, board.materials.text
    room = board.panel(area, f"{text.label(2)} per day")
    names = board.nouns(1, 5)
    key, room = room.cut_top(theme.px(22))
    charts.legend(board.canvas, key, theme, names)
    month = text.pick([name[:3] for name in MONTHS])
    labels = [f"{month} {day}" for day in range(1, int(rng.integers(15, 29)))]
    level = 10 ** rng.uniform(1.3, 4)
    groups = [charts.random_walk(rng, len(labels), level=level) for _ in names]
    made = charts.axes(board.canvas, room, theme, labels, max(float(group.max()) for group in groups))
    charts.lines(board.canvas, made, theme, groups, filled=bool(rng.random() < 0.5))


def pie(board: Board, area: Box) -> None:
    """A pie or a ring with its shares beside it."""
    canvas, theme, rng, text = board.canvas, board.theme, board.rng, board.materials.text
    room = board.panel(area, f"{text.noun().capitalize()} by {text.noun()}")
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
        typesetting.line(canvas, label, text.noun().capitalize(), theme.font(13), theme.text)
        typesetting.line(canvas, value, f"{share:.0%}", theme.font(13), theme.muted, align="right")


def ranking(board: Board, area: Box) -> None:
    """Names with a bar and a value each, the longest first."""
    canvas, theme, rng, text = board.canvas, board.theme, board.rng, board.materials.text
    rest = board.panel(area, f"Top {plural(text.noun())}")
    values = np.sort(rng.uniform(0.05, 1, 20))[::-1]
    colour = theme.series[int(rng.integers(3))]
    top = int(10 ** rng.uniform(2, 5))
    for value in values / values[0]:
        row, rest = rest.cut_top(theme.px(38))
        if row.height < theme.px(38):
            return
        words, line = row.cut_top(theme.px(21))
        typesetting.line(canvas, words, text.label(1), theme.font(12.5), theme.text)
        typesetting.line(canvas, words, f"{int(top * value):,}", theme.font(12.5), theme.muted, align="right")
        bar = line.cut_top(theme.px(8))[0]
        canvas.rounded(bar, theme.raised, bar.height / 2)
        canvas.rounded(bar.cut_left(max(bar.height, int(bar.width * value)))[0], colour, bar.height / 2)
        canvas.mark(bar)


def calendar(board: Board, area: Box) -> None:
    """Squares by day and hour, darker where more happened."""
    canvas, theme, rng = board.canvas, board.theme, board.rng
    room = board.panel(area, f"{board.materials.text.label(2)} by hour")
    names, grid = room.cut_left(theme.px(34))
    colour = theme.series[int(rng.integers(3))]
    num_columns = max(6, min(24, grid.width // theme.px(22)))
    gap = max(1, theme.px(3))
    strength = rng.random((7, num_columns)) * (0.3 + 0.7 * np.sin(np.linspace(0.2, 2.9, num_columns)))
    for row, cells, day in zip(names.rows(7, gap), grid.rows(7, gap), range(7), strict=True):
        typesetting.line(canvas, row, _WEEK[day], theme.font(11), theme.muted)
        for column, cell in enumerate(cells.columns(num_columns, gap)):
            canvas.fill(cell, mix(theme.raised, colour, float(strength[day, column])))
    canvas.mark(grid)


def gauge(board: Board, area: Box) -> None:
    """One share of a goal as a ring."""
    canvas, theme, rng, text = board.canvas, board.theme, board.rng, board.materials.text
    room = board.panel(area, f"{text.noun().capitalize()} goal")
    share = float(rng.uniform(0.1, 0.98))
    side = min(room.width, room.height)
    if side < theme.px(60):
        return
    disc = room.centred(side, side).inset(theme.px(4))
    two_tone = replace(theme, series=(theme.accent, theme.raised))
    charts.pie(canvas, disc, two_tone, np.asarray([share, 1 - share]), hole=0.78)
    typesetting.line(
        canvas, disc, f"{share:.0%}", theme.font(side / theme.scale / 6, "bold"), theme.text, align="centre"
    )


def photo(board: Board, area: Box) -> None:
    """A picture with a line about it."""
    canvas, theme, text = board.canvas, board.theme, board.materials.text
    room = board.panel(area, f"{text.noun().capitalize()} of the week")
    words, picture = room.cut_bottom(theme.px(46))
    if picture.height < theme.px(30):
        return
    radius = theme.px(float(board.rng.choice([0, 6, 10])))
    canvas.paste(picture, board.materials.photo(picture.width, picture.height), radius=radius)
    words = words.cut_top(theme.px(8))[1]
    typesetting.paragraph(canvas, words, text.sentence(), theme.font(12.5), theme.muted)


def goods(board: Board, area: Box) -> None:
    """Goods with their pictures, prices and stocks."""
    canvas, theme, text = board.canvas, board.theme, board.materials.text
    rest = board.panel(area, f"Best selling {plural(text.noun())}")
    height = theme.px(52)
    while rest.height >= height:
        row, rest = rest.cut_top(height)
        canvas.fill(row.cut_top(1)[0], theme.border)
        picture, words = row.cut_left(height)
        side = theme.px(40)
        spot = picture.cut_left(side)[0].centred(side, side)
        canvas.paste(spot, board.album.crop(side, side), radius=theme.px(6))
        price, words = words.cut_right(theme.px(74))
        typesetting.line(canvas, price, f"${text.number(3, 900)}.00", theme.font(13, "bold"), theme.text, align="right")
        upper, lower = words.inset(0, theme.px(7)).rows(2, 0)
        typesetting.line(canvas, upper, text.label(2), theme.font(13), theme.text)
        typesetting.line(canvas, lower, f"{text.number(2, 900)} sold", theme.font(11.5), theme.muted)


def pictures(board: Board, area: Box) -> None:
    """The newest uploads in a grid."""
    theme = board.theme
    room = board.panel(area, f"New {board.materials.text.pick(['uploads', 'photos', 'listings'])}")
    gap = theme.px(8)
    across = max(1, room.width // theme.px(110))
    down = max(1, room.height // theme.px(84))
    if room.height < theme.px(30):
        return
    for row in room.rows(down, gap):
        for cell in row.columns(across, gap):
            board.canvas.paste(cell, board.album.crop(cell.width, cell.height), radius=theme.px(6))


def events(board: Board, area: Box) -> None:
    """What people have done, the last first."""
    canvas, theme, text = board.canvas, board.theme, board.materials.text
    rest = board.panel(area, "Activity")
    height = theme.px(48)
    while rest.height >= height:
        row, rest = rest.cut_top(height)
        who, words = row.cut_left(theme.px(44))
        name = text.full_name()
        widgets.avatar(
            canvas, who.cut_left(theme.px(32))[0].centred(theme.px(32), theme.px(32)), theme, board.materials, name
        )
        upper, lower = words.inset(0, theme.px(6)).rows(2, 0)
        words_of_it = f"{name} {past(text.verb())} {text.label(2).lower()}"
        typesetting.line(canvas, upper, words_of_it, theme.font(13), theme.text)
        typesetting.line(canvas, lower, f"{text.number(2, 59)} minutes ago", theme.font(11.5), theme.muted)


def table(board: Board, area: Box) -> None:
    """Orders, invoices or the like with people and states."""
    canvas, theme, text = board.canvas, board.theme, board.materials.text
    room = board.panel(area, f"Recent {plural(text.noun())}")
    head, rest = room.cut_top(theme.px(26))
    for cell, title in zip(_cells(head), ("Name", "Place", "Status", "Amount"), strict=True):
        align: typesetting.Align = "right" if title == "Amount" else "left"
        typesetting.line(canvas, cell, title, theme.font(11.5), theme.muted, align=align)
    height = theme.px(36)
    while rest.height >= height:
        row, rest = rest.cut_top(height)
        canvas.fill(row.cut_top(1)[0], theme.border)
        who, where, status, amount = _cells(row)
        name = text.full_name()
        face, who = who.cut_left(theme.px(34))
        spot = face.cut_left(theme.px(24))[0].centred(theme.px(24), theme.px(24))
        widgets.avatar(canvas, spot, theme, board.materials, name)
        typesetting.line(canvas, who, name, theme.font(13), theme.text)
        typesetting.line(canvas, where, text.place(), theme.font(13), theme.muted)
        _status(canvas, status, theme, text.pick(["Paid", "Open", "Late", "Draft"]))
        value = f"{text.number(1, 9999)}.{text.number(0, 100):02d}"
        typesetting.line(canvas, amount, value, theme.font(13), theme.text, align="right")


def _cells(row: Box) -> tuple[Box, Box, Box, Box]:
    who, rest = row.cut_left(row.width * 38 // 100)
    where, rest = rest.cut_left(row.width * 22 // 100)
    status, amount = rest.cut_left(row.width * 18 // 100)
    return who, where, status, amount


def _status(canvas: Canvas, area: Box, theme: Theme, word: str) -> None:
    states: dict[str, Colour] = {"Paid": GOOD, "Open": (37, 99, 235), "Late": BAD, "Draft": (120, 125, 135)}
    colour = states[word]
    font = theme.font(11.5, "bold")
    width = min(area.width, font.width(word) + theme.px(18))
    chip = area.cut_left(width)[0].centred(width, theme.px(20))
    canvas.rounded(chip, mix(theme.surface, colour, 0.2), chip.height / 2)
    canvas.mark(chip, rounded(chip.width, chip.height, chip.height / 2))
    ink = mix(colour, (255, 255, 255), 0.4) if theme.dark else mix(colour, (0, 0, 0), 0.2)
    typesetting.line(canvas, chip, word, font, ink, align="centre")


def steps(board: Board, area: Box) -> None:
    """Tasks with how far they are."""
    canvas, theme, text = board.canvas, board.theme, board.materials.text
    rest = board.panel(area, f"{text.label(1)} progress")
    while rest.height >= theme.px(44):
        row, rest = rest.cut_top(theme.px(44))
        words, line = row.cut_top(theme.px(26))
        percent = text.number(2, 101)
        typesetting.line(canvas, words, text.label(3), theme.font(13), theme.text)
        typesetting.line(canvas, words, f"{percent} %", theme.font(12.5), theme.muted, align="right")
        controls.progress(canvas, box(line.x, line.y, line.width, max(3, theme.px(6))), theme, percent / 100)
