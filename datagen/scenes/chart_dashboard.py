"""A business dashboard: navigation, figures in cards, panels with charts, tables, goods and people."""

import numpy as np

from datagen import charts, typesetting, widgets
from datagen.albums import Album
from datagen.canvas import Canvas
from datagen.geometry import Box
from datagen.icons import icon
from datagen.materials import Materials
from datagen.scenes import dashboard_panels as panels
from datagen.scenes.dashboard_panels import BAD, GOOD, Board, Panel
from datagen.scenes.overlays import draw_some
from datagen.shapes import rounded
from datagen.texts import plural
from datagen.theme import Theme, choose_theme, mix

_SECTIONS = ("home", "chart", "user", "folder", "calendar", "bell", "gear")
_WIDE: dict[Panel, float] = {panels.bars: 3, panels.lines: 3, panels.table: 2, panels.calendar: 1}
"""Weights of panels that need width."""
_NARROW: dict[Panel, float] = {
    panels.pie: 2,
    panels.ranking: 1.5,
    panels.goods: 2,
    panels.photo: 2.5,
    panels.pictures: 2,
    panels.events: 1,
    panels.gauge: 1,
    panels.steps: 1,
    panels.bars: 1,
}
_ROW_HEIGHT, _COLUMN_WIDTH = 290, 430
"""About how large a panel is, at 1x."""


def draw(canvas: Canvas, materials: Materials, rng: np.random.Generator) -> None:
    """Draw the whole screen."""
    theme = choose_theme(rng, canvas, dark_share=0.4)
    text = materials.text
    canvas.fill(canvas.area, theme.page)
    name = f"{text.noun().capitalize()}{text.pick(['ly', 'Hub', 'Desk', 'Base'])}"
    if rng.random() < 0.75:
        titles = [f"{name} - Overview", *(text.headline() for _ in range(text.number(0, 4)))]
        body = widgets.browser_bar(canvas, canvas.area, theme, titles, f"{name.lower()}.example/overview")
    else:
        body = widgets.window_bar(canvas, canvas.area, theme, name, rng)
    room = body
    if rng.random() < 0.9:
        side, body = body.cut_left(theme.px(60) if rng.random() < 0.3 else min(theme.px(210), body.width // 5))
        _navigation(canvas, side, theme, materials, name)
    head, body = body.cut_top(theme.px(58))
    _head(canvas, head, theme, materials)
    gap = theme.px(float(rng.choice([10, 16, 22])))
    content = body.inset(gap)
    if rng.random() < 0.85:
        figures, content = content.cut_top(theme.px(92))
        for cell in figures.columns(max(2, min(6, figures.width // theme.px(230))), gap):
            _figure(canvas, cell, theme, materials, rng)
        content = content.cut_top(gap)[1]
    board = Board(
        canvas=canvas, theme=theme, materials=materials, rng=rng, album=Album(materials, rng, int(rng.integers(2, 6)))
    )
    _panels(board, content, gap)
    draw_some(canvas, room, theme, materials, rng)


def _panels(board: Board, area: Box, gap: int) -> None:
    """Fill `area` with rows of panels, one of each row wider than the others."""
    theme, rng = board.theme, board.rng
    num_rows = max(1, min(4, round(area.height / theme.px(_ROW_HEIGHT))))
    for row in area.rows(num_rows, gap):
        num_columns = max(1, min(4, round(area.width / theme.px(_COLUMN_WIDTH)) + int(rng.integers(0, 2))))
        widths = rng.uniform(0.8, 1.2, num_columns)
        widest = int(rng.integers(num_columns))
        widths[widest] *= 1.6
        rest = row
        for number in range(num_columns):
            share = widths[number] / widths[number:].sum()
            cell, rest = rest.cut_left(round((rest.width - gap * (num_columns - 1 - number)) * share))
            rest = rest.cut_left(gap)[1]
            kinds = _WIDE if number == widest else _NARROW
            weights = np.asarray(list(kinds.values()))
            list(kinds)[int(rng.choice(len(kinds), p=weights / weights.sum()))](board, cell)


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
        if row.height < theme.px(42):
            return
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
    if wide and rest.height >= theme.px(60):
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
    colour = GOOD if percent >= 0 else BAD
    typesetting.line(canvas, change, f"{percent:+.1f} % since last month", theme.font(12), mix(colour, theme.text, 0.1))
    if rng.random() < 0.3 and value.width > theme.px(190):
        spark = value.cut_right(theme.px(70))[0].inset(0, theme.px(4))
        walk = charts.random_walk(rng, 16, level=1.0)
        heights = (walk - walk.min()) / (walk.max() - walk.min())
        x = spark.x + np.linspace(0, spark.width, 16)
        points = [(float(a), float(b)) for a, b in zip(x, spark.bottom - heights * spark.height, strict=True)]
        canvas.polyline(points, colour, thickness=max(1.0, 1.6 * theme.scale))
