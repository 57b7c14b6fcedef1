"""A map, of streets or from above: a search for places with photographs, or a dashboard of things on the move."""

import numpy as np

from datagen import charts, controls, map_layers, typesetting, widgets
from datagen.albums import Album
from datagen.canvas import Canvas
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.map_layers import Ground, stars
from datagen.materials import Materials
from datagen.scenes.overlays import draw_some
from datagen.texts import MONTHS
from datagen.theme import Theme, choose_theme, mix

_STATES = (("On time", (22, 163, 74)), ("Late", (220, 60, 60)), ("Parked", (120, 125, 135)), ("Loading", (37, 99, 235)))
_FACTS = ("pin", "clock", "phone", "globe", "star")


def draw(canvas: Canvas, materials: Materials, rng: np.random.Generator) -> None:
    """Draw the whole screen."""
    theme = choose_theme(rng, canvas, dark_share=0.35)
    text = materials.text
    name = f"{text.noun().capitalize()} {text.pick(['Maps', 'Atlas', 'Fleet', 'Routes', 'Explorer'])}"
    canvas.fill(canvas.area, theme.page)
    if rng.random() < 0.7:
        titles = [name, *(text.headline() for _ in range(text.number(0, 5)))]
        body = widgets.browser_bar(canvas, canvas.area, theme, titles, f"{name.split()[0].lower()}.example/map")
    else:
        body = widgets.window_bar(canvas, canvas.area, theme, name, rng)
    album = Album(materials, rng, int(rng.integers(2, 5)))
    fleet = bool(rng.random() < 0.45)
    if fleet:
        head, body = body.cut_top(theme.px(52))
        _head(canvas, head, theme, materials, name)
    width = min(theme.px(float(rng.integers(300, 390))), body.width * 2 // 5)
    form = rng.random()
    panel, view = body.cut_left(width) if form < 0.55 else body.cut_right(width)
    if form > 0.9:
        # No panel: the map has all the room, and a floating field.
        panel, view = body.cut_left(0)
    with canvas.clipped(view):
        ground = map_layers.lay_ground(canvas, view, theme, materials, rng, photographed=bool(rng.random() < 0.15))
        _layers(canvas, ground, theme, materials, rng, album)
    if panel.width:
        with canvas.clipped(panel):
            canvas.fill(panel, theme.surface)
            canvas.mark(panel)
            if fleet:
                _figures(canvas, panel, theme, materials, rng)
            elif rng.random() < 0.5:
                _place(canvas, panel, theme, materials, album)
            else:
                _results(canvas, panel, theme, materials, album)
            edge = panel.cut_right(1)[0] if panel.x < view.x else panel.cut_left(1)[0]
            canvas.fill(edge, theme.border)
    else:
        field = box(view.x + theme.px(14), view.y + theme.px(14), min(theme.px(360), view.width // 2), theme.px(44))
        _field(canvas, field, theme, text.place())
    draw_some(canvas, body, theme, materials, rng)


def _layers(
    canvas: Canvas, ground: Ground, theme: Theme, materials: Materials, rng: np.random.Generator, album: Album
) -> None:
    text = materials.text
    if rng.random() < 0.25 and not ground.photographed:
        map_layers.heat(canvas, ground, theme, rng)
    if rng.random() < 0.4:
        map_layers.route(canvas, ground, theme, rng)
    map_layers.markers(canvas, ground, theme, text, rng, int(rng.integers(2, 34)))
    if rng.random() < 0.35:
        map_layers.place_card(canvas, ground, theme, materials, album)
    map_layers.map_controls(canvas, ground.area, theme, text, ("layers", "compass", "plus", "minus"))
    if rng.random() < 0.5:
        _filters(canvas, ground.area, theme, materials)


def _filters(canvas: Canvas, area: Box, theme: Theme, materials: Materials) -> None:
    rest = area.inset(theme.px(14)).cut_top(theme.px(32))[0]
    for _ in range(6):
        before = rest
        rest = controls.chip(canvas, rest, theme, materials.text.noun().capitalize())
        if rest.width == 0:
            return
        chip = box(before.x, before.y, rest.x - before.x - theme.px(7), before.height)
        canvas.outline(chip, theme.border, radius=chip.height / 2)


def _head(canvas: Canvas, area: Box, theme: Theme, materials: Materials, name: str) -> None:
    canvas.fill(area, theme.surface)
    controls.rule(canvas, area, theme)
    inner = area.inset(theme.px(18), theme.px(10))
    typesetting.line(canvas, inner, name, theme.font(17, "bold"), theme.text)
    action, rest = inner.cut_right(theme.px(100))
    widgets.button(canvas, action, theme, materials.text.pick(["Export", "Plan route", "New stop"]))
    period, rest = rest.cut_right(theme.px(10))[1].cut_right(theme.px(220))
    controls.segments(canvas, period, theme, ("Live", "Today", "Week"), materials.text.number(0, 3))
    who = rest.cut_right(theme.px(56))[0].centred(theme.px(32), theme.px(32))
    widgets.avatar(canvas, who, theme, materials, materials.text.full_name())


def _field(canvas: Canvas, area: Box, theme: Theme, words: str) -> None:
    canvas.shadow(area, blur=theme.px(8), strength=0.25, offset=theme.px(2))
    canvas.rounded(area, theme.surface, theme.px(10))
    canvas.mark(area)
    inner = area.inset(theme.px(14), 0)
    for sign in ("close", "search"):
        cell, inner = inner.cut_right(theme.px(32))
        icon(canvas, cell.centred(theme.px(18), theme.px(18)), sign, theme.muted)
    typesetting.line(canvas, inner, words, theme.font(14.5), theme.text)


def _place(canvas: Canvas, area: Box, theme: Theme, materials: Materials, album: Album) -> None:
    """One place: its picture, its rating, how to get there, what people say."""
    text = materials.text
    picture, rest = area.cut_top(min(area.width * 6 // 10, area.height * 2 // 5))
    canvas.paste(picture, album.crop(picture.width, picture.height))
    _field(canvas, picture.inset(theme.px(12)).cut_top(theme.px(42))[0], theme, text.place())
    rest = rest.inset(theme.px(18), theme.px(14))
    head, rest = rest.cut_top(theme.px(30))
    typesetting.line(canvas, head, text.label(3), theme.font(20, "bold"), theme.text)
    row, rest = rest.cut_top(theme.px(24))
    stars(canvas, row, theme, text)
    row, rest = rest.cut_top(theme.px(76))
    for number, (cell, name) in enumerate(
        zip(row.columns(5, 0), ("Route", "Save", "Nearby", "Send", "Share"), strict=True)
    ):
        disc = cell.cut_top(theme.px(50))[0].centred(theme.px(36), theme.px(36))
        canvas.rounded(disc, theme.accent if number == 0 else theme.soft_accent, disc.width / 2)
        canvas.mark(disc)
        sign = ("route", "bookmark", "compass", "phone", "share")[number]
        ink = theme.on_accent if number == 0 else theme.accent
        icon(canvas, disc.centred(theme.px(18), theme.px(18)), sign, ink)
        words = cell.cut_bottom(theme.px(24))[0]
        typesetting.line(canvas, words, name, theme.font(11.5), theme.accent, align="centre")
    canvas.fill(rest.cut_top(1)[0], theme.border)
    rest = rest.cut_top(theme.px(8))[1]
    facts = (
        f"{text.number(1, 200)} {text.noun().capitalize()} Street, {text.place()}",
        f"Open until {text.number(17, 24)}:00",
        f"+{text.number(10, 99)} {text.number(100, 999)} {text.number(1000, 9999)}",
        f"{text.noun()}.example",
        "Add a note",
    )
    for sign, fact in zip(_FACTS, facts, strict=True):
        row, rest = rest.cut_top(theme.px(34))
        if row.height < theme.px(34):
            return
        cell, words = row.cut_left(theme.px(34))
        icon(canvas, cell.cut_left(theme.px(18))[0].centred(theme.px(18), theme.px(18)), sign, theme.accent)
        typesetting.line(canvas, words, fact, theme.font(13), theme.text)
    rest = rest.cut_top(theme.px(10))[1]
    if rest.height > theme.px(90):
        row, rest = rest.cut_top(theme.px(84))
        for cell in row.columns(3, theme.px(8)):
            canvas.paste(cell, album.crop(cell.width, cell.height), radius=theme.px(8))
    while rest.height > theme.px(100):
        rest = _review(canvas, rest.cut_top(theme.px(14))[1], theme, materials)


def _review(canvas: Canvas, area: Box, theme: Theme, materials: Materials) -> Box:
    head, rest = area.cut_top(theme.px(36))
    who, words = head.cut_left(theme.px(34))
    name = materials.text.full_name()
    widgets.avatar(canvas, who.centred(theme.px(32), theme.px(32)), theme, materials, name)
    upper, lower = words.cut_left(theme.px(10))[1].rows(2, 0)
    typesetting.line(canvas, upper, name, theme.font(13, "bold"), theme.text)
    stars(canvas, lower, theme, materials.text)
    body = rest.cut_top(theme.px(58))[0]
    used = typesetting.paragraph(canvas, body, materials.text.paragraph(2), theme.font(12.5), theme.muted)
    return rest.cut_top(used.height + theme.px(6))[1]


def _results(canvas: Canvas, area: Box, theme: Theme, materials: Materials, album: Album) -> None:
    """Places that were found, most with a photograph."""
    text = materials.text
    top, rest = area.cut_top(theme.px(66))
    _field(canvas, top.inset(theme.px(12), theme.px(11)), theme, f"{text.noun()} in {text.place()}")
    chips, rest = rest.cut_top(theme.px(38))
    line = chips.inset(theme.px(14), theme.px(4))
    for words in ("Open now", "Rating", "Price", "More"):
        line = controls.chip(canvas, line, theme, words)
    pictured = text.number(0, 4)
    while rest.height > theme.px(20):
        row, rest = rest.cut_top(theme.px(104))
        controls.rule(canvas, row, theme)
        row = box(row.x, row.y, row.width, theme.px(104)).inset(theme.px(16), theme.px(12))
        if pictured:
            picture, row = row.cut_right(row.height)
            canvas.paste(picture, album.crop(picture.width, picture.height), radius=theme.px(8))
            row = row.cut_right(theme.px(12))[1]
        rows = row.rows(4, 0)
        typesetting.line(canvas, rows[0], text.label(2), theme.font(14.5, "bold"), theme.text)
        stars(canvas, rows[1], theme, text)
        kind = f"{text.noun().capitalize()} · {text.number(1, 200)} {text.noun().capitalize()} Road"
        typesetting.line(canvas, rows[2], kind, theme.font(12.5), theme.muted)
        opened = f"Open · Closes {text.number(17, 24)}:00"
        typesetting.line(canvas, rows[3], opened, theme.font(12.5), mix((22, 140, 70), theme.text, 0.15))


def _figures(canvas: Canvas, area: Box, theme: Theme, materials: Materials, rng: np.random.Generator) -> None:
    """Figures, charts and the list of what moves."""
    text = materials.text
    rest = area.inset(theme.px(14), theme.px(14))
    row, rest = rest.cut_top(theme.px(70))
    for cell in row.columns(3, theme.px(10)):
        canvas.rounded(cell, theme.raised, theme.px(8))
        canvas.mark(cell)
        upper, lower = cell.inset(theme.px(10), theme.px(9)).rows(2, 0)
        typesetting.line(canvas, upper, text.noun().capitalize(), theme.font(11.5), theme.muted)
        typesetting.line(canvas, lower, f"{text.number(2, 4000):,}", theme.font(18, "bold"), theme.text)
    for form in rng.permutation(2)[: int(rng.integers(1, 3))]:
        if rest.height < theme.px(250):
            break
        block, rest = rest.cut_top(theme.px(14))[1].cut_top(min(theme.px(190), rest.height * 2 // 5))
        head, plot = block.cut_top(theme.px(26))
        typesetting.line(canvas, head, f"{text.label(2)} per day", theme.font(13.5, "bold"), theme.text)
        labels = [f"{MONTHS[text.number(0, 12)][:3]} {day}" for day in range(1, int(rng.integers(7, 13)))]
        groups = [charts.random_walk(rng, len(labels), level=10 ** rng.uniform(1, 3)) for _ in range(1 + int(form))]
        made = charts.axes(canvas, plot, theme, labels, max(float(group.max()) for group in groups))
        if form:
            charts.bars(canvas, made, theme, groups)
        else:
            charts.lines(canvas, made, theme, groups, filled=True)
    head, rest = rest.cut_top(theme.px(12))[1].cut_top(theme.px(30))
    typesetting.line(canvas, head, f"Active {text.noun()}s", theme.font(13.5, "bold"), theme.text)
    while rest.height >= theme.px(30):
        row, rest = rest.cut_top(theme.px(46))
        canvas.fill(row.cut_top(1)[0], theme.border)
        sign, words = row.cut_left(theme.px(32))
        icon(canvas, sign.cut_left(theme.px(18))[0].centred(theme.px(18), theme.px(18)), "navigate", theme.muted)
        state, colour = _STATES[int(rng.integers(len(_STATES)))]
        chip, words = words.cut_right(theme.px(82))
        controls.chip(canvas, chip.centred(chip.width, theme.px(22)), theme, state, colour=colour)
        upper, lower = words.inset(0, theme.px(5)).rows(2, 0)
        number = f"{text.pick('ABCDEFGHKL')}{text.pick('MNPRSTVX')}-{text.number(100, 999)} {text.full_name()}"
        typesetting.line(canvas, upper, number, theme.font(13), theme.text)
        where = f"{text.noun().capitalize()} Road, {text.number(3, 90)} km/h"
        typesetting.line(canvas, lower, where, theme.font(11.5), theme.muted)
