"""A video call: participants in a grid or one large, a shared screen, controls, a chat or a list at the side."""

import numpy as np

from datagen import typesetting, widgets
from datagen.canvas import Canvas
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.materials import Materials, through_jpeg
from datagen.presentations import choose_style, write_slides
from datagen.resizing import resized
from datagen.scenes import call_parts, overlays, terminal
from datagen.scenes.call_parts import RED, WHITE, Look, Person
from datagen.scenes.slide_pages import draw_slide
from datagen.shapes import rounded
from datagen.theme import Theme, choose_theme, mix
from pipeline.formats.picture import Pixels

_PANEL_ROOM = 900
"""Logical width from which a panel fits beside the participants."""
_VIDEO_RATIO = 16 / 9


def draw(canvas: Canvas, materials: Materials, rng: np.random.Generator) -> None:
    """Draw the whole screen."""
    theme = choose_theme(rng, canvas, dark_share=0.75)
    look = _choose_look(theme, rng)
    body = canvas.area
    text = materials.text
    canvas.fill(body, look.ground)
    title = f"{text.label(2)} {text.pick(['weekly', 'review', 'stand-up', 'planning', 'call'])}"
    form = rng.random()
    if form < 0.4:
        body = widgets.window_bar(canvas, body, theme, title, rng)
    elif form < 0.7:
        titles = [title, *(text.label(2) for _ in range(text.number(0, 3)))]
        body = widgets.browser_bar(canvas, body, theme, titles, f"meet.example/{text.noun()[:3]}-{text.noun()[:4]}")
    people = _people(materials, rng, look)
    if rng.random() < 0.5:
        head, body = body.cut_top(theme.px(46))
        _head(canvas, head, look, materials, title, len(people))
    bar, body = body.cut_bottom(theme.px(72))
    call_parts.control_bar(canvas, bar, look, materials, rng)
    if body.width > theme.px(_PANEL_ROOM) and rng.random() < 0.45:
        panel, body = body.cut_right(theme.px(int(rng.integers(300, 370))))
        shown = call_parts.chat if rng.random() < 0.6 else call_parts.participant_list
        shown(canvas, panel.inset(theme.px(6), theme.px(6)), look, materials, people)
    with canvas.clipped(body):
        _stage(canvas, body.inset(look.gap), look, materials, rng, people)
    if rng.random() < 0.2:
        call_parts.captions(canvas, body, look, materials)
    overlays.draw_some(canvas, body, theme, materials, rng)


def _choose_look(theme: Theme, rng: np.random.Generator) -> Look:
    ground = mix(theme.page, (0, 0, 0), 0.35) if theme.dark else theme.raised
    return Look(
        theme=theme,
        ground=ground,
        tile=mix(ground, theme.text, 0.12),
        ink=theme.text,
        gap=theme.px(float(rng.choice([3, 8, 12, 16]))),
        radius=theme.px(float(rng.choice([0, 6, 10, 16]))),
        cameras=float(rng.choice([0.0, 0.4, 0.7, 0.9, 1.0], p=[0.08, 0.22, 0.25, 0.25, 0.2])),
        name_style=int(rng.integers(3)),
    )


def _people(materials: Materials, rng: np.random.Generator, look: Look) -> list[Person]:
    count = int(rng.choice([2, 3, 4, 5, 6, 8, 9, 12, 16, 20, 25]))
    speaker = int(rng.integers(count))
    return [
        Person(
            name=materials.text.full_name(),
            seen=bool(rng.random() < look.cameras),
            muted=number != speaker and bool(rng.random() < 0.6),
            speaking=number == speaker and bool(rng.random() < 0.8),
            hand=bool(rng.random() < 0.06),
        )
        for number in range(count)
    ]


def _stage(
    canvas: Canvas,
    area: Box,
    look: Look,
    materials: Materials,
    rng: np.random.Generator,
    people: list[Person],
) -> None:
    """Place the participants, or one thing large and the others small."""
    form = rng.random()
    if form < 0.45:
        for cell, person in zip(_grid(area, len(people), look), people, strict=True):
            _tile(canvas, cell, look, materials, rng, person)
        return
    if area.width > area.height and rng.random() < 0.5:
        strip, main = area.cut_right(min(look.theme.px(210), area.width // 4))
        step = round(strip.width / _VIDEO_RATIO) + look.gap
        small = [box(strip.x, strip.y + i * step, strip.width, step - look.gap) for i in range(strip.height // step)]
        main = main.cut_right(look.gap)[1]
    else:
        strip, main = area.cut_top(min(look.theme.px(124), area.height // 4))
        step = round(strip.height * _VIDEO_RATIO) + look.gap
        count = min(len(people) - 1, strip.width // step)
        left = strip.x + (strip.width - count * step) // 2
        small = [box(left + i * step, strip.y, step - look.gap, strip.height) for i in range(count)]
        main = main.cut_top(look.gap)[1]
    for cell, person in zip(small, people[1:], strict=False):
        _tile(canvas, cell, look, materials, rng, person)
    if form < 0.7:
        _tile(canvas, main, look, materials, rng, people[0])
    else:
        _shared(canvas, main, look, materials, rng, people[0].name)


def _grid(area: Box, count: int, look: Look) -> list[Box]:
    """Return the cells that show `count` pictures largest; a last row that is not full is centred."""
    best = max(range(1, count + 1), key=lambda columns: _cell_width(area, count, columns, look))
    rows = -(-count // best)
    width = max(1, _cell_width(area, count, best, look))
    height = max(1, round(width / _VIDEO_RATIO))
    top = area.y + (area.height - rows * height - (rows - 1) * look.gap) // 2
    cells = []
    for row in range(rows):
        in_row = min(best, count - row * best)
        left = area.x + (area.width - in_row * width - (in_row - 1) * look.gap) // 2
        cells += [
            box(left + column * (width + look.gap), top + row * (height + look.gap), width, height)
            for column in range(in_row)
        ]
    return cells


def _cell_width(area: Box, count: int, columns: int, look: Look) -> int:
    rows = -(-count // columns)
    across = (area.width - (columns - 1) * look.gap) // columns
    down = (area.height - (rows - 1) * look.gap) // rows
    return min(across, round(down * _VIDEO_RATIO))


def _tile(
    canvas: Canvas, area: Box, look: Look, materials: Materials, rng: np.random.Generator, person: Person
) -> None:
    theme = look.theme
    if person.seen:
        canvas.paste(area, _video(materials, rng, area.width, area.height), radius=look.radius)
    else:
        canvas.rounded(area, mix(look.tile, theme.series[len(person.name) % 8], 0.15), look.radius)
        canvas.mark(area, rounded(area.width, area.height, look.radius))
        side = max(8, min(theme.px(110), min(area.width, area.height) * 45 // 100))
        widgets.avatar(canvas, area.centred(side, side), theme, materials, person.name)
    if person.speaking:
        canvas.outline(area, theme.accent, radius=look.radius, thickness=max(1, theme.px(3)))
    if area.width < theme.px(90):
        return
    _name(canvas, area.inset(theme.px(6)), look, person)
    if person.hand:
        badge = box(area.x + theme.px(8), area.y + theme.px(8), theme.px(28), theme.px(28))
        canvas.rounded(badge, (250, 196, 60), badge.width / 2)
        icon(canvas, badge.centred(theme.px(17), theme.px(17)), "hand", (40, 34, 10))


def _name(canvas: Canvas, area: Box, look: Look, person: Person) -> None:
    """The name at the lower left: on a dark plate that lets the video through, on a solid one, or bare."""
    theme = look.theme
    font = theme.font(12.5)
    sign = theme.px(20) if person.muted else 0
    width = min(area.width, font.width(person.name) + sign + theme.px(14))
    plate = box(area.x, area.bottom - theme.px(24), width, theme.px(24))
    ink = WHITE
    if look.name_style == 0:
        canvas.veil(plate, (0, 0, 0), 0.55, radius=theme.px(5))
    elif look.name_style == 1:
        canvas.rounded(plate, (32, 33, 36), theme.px(5))
    elif not person.seen:
        ink = look.ink
    inner = plate.inset(theme.px(7), 0)
    if person.muted:
        cell, inner = inner.cut_left(sign)
        icon(canvas, cell.cut_left(theme.px(14))[0].centred(theme.px(14), theme.px(14)), "mic", RED)
    typesetting.line(canvas, inner, person.name, font, ink)


def _video(materials: Materials, rng: np.random.Generator, width: int, height: int) -> Pixels:
    """Return a frame as a call transmits it: often with fewer pixels than are shown, and compressed hard."""
    factor = float(rng.choice([1.0, 1.0, 1.5, 2.0, 3.0]))
    small = materials.photo(max(8, round(width / factor)), max(8, round(height / factor)))
    if factor == 1:
        return small
    shown = through_jpeg(small, quality=int(rng.integers(35, 80)))
    return resized(shown, width, height)


def _shared(canvas: Canvas, area: Box, look: Look, materials: Materials, rng: np.random.Generator, name: str) -> None:
    """Someone's screen: slides, a terminal, a photograph."""
    theme = look.theme
    form = rng.random()
    width = min(area.width, round(area.height * _VIDEO_RATIO))
    screen = area.centred(width, max(1, round(width / _VIDEO_RATIO)))
    if form < 0.6:
        slide = write_slides(materials, rng, 2, pictures=0.6)[1]
        draw_slide(canvas, screen, slide, choose_style(theme, rng))
    elif form < 0.85 and screen.width > theme.px(500) and screen.height > theme.px(330):
        inner = Canvas(screen.width, screen.height, (0, 0, 0), display=canvas.display)
        terminal.draw(inner, materials, rng)
        canvas.compose(screen, inner)
    else:
        canvas.fill(area, (12, 12, 13))
        canvas.paste(screen, materials.photo(screen.width, screen.height))
    words = f"{name} is presenting"
    font = theme.font(13)
    pill = box(area.x, area.y + theme.px(8), font.width(words) + theme.px(48), theme.px(30))
    pill = pill.moved((area.width - pill.width) // 2, 0)
    canvas.rounded(pill, (32, 33, 36), pill.height / 2)
    canvas.mark(pill, rounded(pill.width, pill.height, pill.height / 2))
    sign, rest = pill.inset(theme.px(10), 0).cut_left(theme.px(24))
    icon(canvas, sign.centred(theme.px(17), theme.px(17)), "screen", WHITE)
    typesetting.line(canvas, rest, words, font, WHITE)


def _head(canvas: Canvas, area: Box, look: Look, materials: Materials, title: str, count: int) -> None:
    theme = look.theme
    inner = area.inset(theme.px(18), 0)
    used = typesetting.line(canvas, inner, title, theme.font(15, "bold"), look.ink)
    if materials.text.number(0, 3) == 0:
        dot = box(used.right + theme.px(14), area.y, theme.px(10), area.height).centred(theme.px(10), theme.px(10))
        canvas.rounded(dot, RED, dot.width / 2)
        rec = box(dot.right + theme.px(6), area.y, theme.px(60), area.height)
        typesetting.line(canvas, rec, "REC", theme.font(12, "bold"), look.ink)
    right = f"{count}    {materials.text.clock()}"
    typesetting.line(canvas, inner, right, theme.font(13.5), look.ink, align="right")
