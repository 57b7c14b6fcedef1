"""A presentation: the editor with thumbnails and notes, the sorter, the presenter's view, the show itself."""

from dataclasses import dataclass

import numpy as np

from datagen import controls, typesetting
from datagen.canvas import Canvas, Colour
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.materials import Materials
from datagen.presentations import Slide, choose_style, write_slides
from datagen.scenes import office, overlays
from datagen.scenes.slide_pages import draw_slide
from datagen.theme import Theme, choose_theme, mix

_RATIOS = (16 / 9, 16 / 9, 16 / 9, 4 / 3, 16 / 10)
_BLACK: Colour = (0, 0, 0)
_WHITE: Colour = (255, 255, 255)
_PANEL_ROOM = 1100
"""Logical width from which the editor has room for a panel of properties."""

_OBJECTS = ((0.05, 0.05, 0.9, 0.13), (0.05, 0.22, 0.9, 0.66), (0.05, 0.22, 0.43, 0.66), (0.52, 0.22, 0.43, 0.66))
"""Where objects usually lie on a slide: left, top, width, height as shares."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deck:
    slides: list[Slide]
    style: Theme
    ratio: float
    """Width to height of a slide."""
    chosen: int


def draw(canvas: Canvas, materials: Materials, rng: np.random.Generator) -> None:
    """Draw the whole screen."""
    theme = choose_theme(rng, canvas, dark_share=0.25)
    form = rng.random()
    count = int(rng.integers(9, 20)) if form < 0.15 else int(rng.integers(4, 12)) if form < 0.88 else 5
    slides = write_slides(materials, rng, count, pictures=float(rng.choice([0.1, 0.5, 0.9])))
    deck = _Deck(
        slides=slides,
        style=choose_style(theme, rng),
        ratio=float(rng.choice(_RATIOS)),
        chosen=int(rng.integers(min(5, len(slides)))),
    )
    if form >= 0.88:
        _show(canvas, deck, rng)
        return
    canvas.fill(canvas.area, theme.page)
    if form >= 0.8:
        _presenter(canvas, theme, deck, materials)
        return
    name = f"{materials.text.label(2)}.{materials.text.pick(['pptx', 'odp', 'key'])}"
    program = office.STYLES[int(rng.integers(len(office.STYLES)))]
    body = office.header(canvas, canvas.area, theme, materials, program, name)
    status, body = body.cut_bottom(theme.px(24))
    if form < 0.15:
        _sorter(canvas, body, theme, deck)
    else:
        _editor(canvas, body, theme, deck, materials, rng)
    office.status_bar(canvas, status, theme, f"Slide {deck.chosen + 1} of {count}", "English")
    overlays.draw_some(canvas, body, theme, materials, rng)


def _fitted(area: Box, ratio: float) -> Box:
    """Return the largest box of a width to height ratio in the middle of `area`."""
    width = max(1, min(area.width, round(area.height * ratio)))
    return area.centred(width, max(1, round(width / ratio)))


def _show(canvas: Canvas, deck: _Deck, rng: np.random.Generator) -> None:
    """One slide on the whole screen, with bars where its shape differs."""
    canvas.fill(canvas.area, _BLACK)
    screen = _fitted(canvas.area, deck.ratio if rng.random() < 0.6 else canvas.area.width / canvas.area.height)
    draw_slide(canvas, screen, deck.slides[deck.chosen], deck.style)
    style = deck.style
    if rng.random() < 0.35:
        strip = box(screen.x + style.px(16), screen.bottom - style.px(50), style.px(190), style.px(36))
        canvas.rounded(strip, (44, 46, 50), style.px(8))
        canvas.mark(strip)
        for name, cell in zip(("back", "forward", "pen", "search", "dots"), strip.columns(5, 0), strict=True):
            icon(canvas, cell.centred(style.px(18), style.px(18)), name, (230, 232, 236))
    if rng.random() < 0.2:
        side = style.px(14)
        x, y = int(rng.integers(screen.x, screen.right - side)), int(rng.integers(screen.y, screen.bottom - side))
        canvas.rounded(box(x, y, side, side), (235, 40, 40), side / 2)


def _presenter(canvas: Canvas, theme: Theme, deck: _Deck, materials: Materials) -> None:
    """The current and the next slide, the notes and the time."""
    canvas.fill(canvas.area, (28, 29, 32))
    head, body = canvas.area.cut_top(theme.px(56))
    foot, body = body.cut_bottom(theme.px(52))
    text = materials.text
    time = f"0:{text.number(0, 59):02d}:{text.number(0, 60):02d}"
    row = head.inset(theme.px(24), 0)
    typesetting.line(canvas, row, time, theme.font(24), _WHITE)
    typesetting.line(canvas, row, text.clock(), theme.font(24), (170, 172, 178), align="right")
    left, right = body.inset(theme.px(20), 0).cut_left(body.width * 62 // 100)
    draw_slide(canvas, _fitted(left, deck.ratio), deck.slides[deck.chosen], deck.style)
    right = right.cut_left(theme.px(24))[1]
    upper, notes = right.cut_top(right.height * 4 // 10)
    label, upper = upper.cut_top(theme.px(26))
    typesetting.line(canvas, label, "Next slide", theme.font(14), (170, 172, 178))
    following = deck.slides[(deck.chosen + 1) % len(deck.slides)]
    draw_slide(canvas, _fitted(upper, deck.ratio), following, deck.style)
    words = notes.cut_top(theme.px(20))[1]
    typesetting.paragraph(canvas, words, text.paragraph(5), theme.font(18), (232, 233, 236), leading=1.5)
    strip = foot.centred(theme.px(260), foot.height)
    for name, cell in zip(("previous", "next", "pen", "search", "grid"), strip.columns(5, 0), strict=True):
        icon(canvas, cell.centred(theme.px(22), theme.px(22)), name, (210, 212, 216))
    count = f"Slide {deck.chosen + 1} of {len(deck.slides)}"
    typesetting.line(canvas, foot.inset(theme.px(24), 0), count, theme.font(15), (170, 172, 178))


def _sorter(canvas: Canvas, area: Box, theme: Theme, deck: _Deck) -> None:
    """All slides in rows."""
    canvas.fill(area, mix(theme.page, theme.text, 0.06))
    num_columns = max(2, area.width // theme.px(270))
    width = (area.width - theme.px(24)) // num_columns
    height = round((width - theme.px(24)) / deck.ratio) + theme.px(34)
    with canvas.clipped(area):
        for number, slide in enumerate(deck.slides):
            cell = box(
                area.x + theme.px(12) + number % num_columns * width,
                area.y + theme.px(14) + number // num_columns * height,
                width,
                height,
            )
            if cell.y >= area.bottom:
                return
            shown = cell.inset(theme.px(12), 0).cut_top(height - theme.px(34))[0]
            _framed(canvas, shown, theme, deck, number)
            below = box(shown.x, shown.bottom + theme.px(4), shown.width, theme.px(20))
            typesetting.line(canvas, below, str(slide.number), theme.font(12), theme.muted, align="centre")


def _framed(canvas: Canvas, area: Box, theme: Theme, deck: _Deck, number: int) -> None:
    """A thumbnail with a border, thick around the chosen one."""
    draw_slide(canvas, area, deck.slides[number], deck.style)
    if number == deck.chosen:
        canvas.outline(area.inset(-theme.px(4)), theme.accent, radius=theme.px(4), thickness=max(1, theme.px(2.5)))
    else:
        canvas.outline(area.inset(-1), theme.border)


def _editor(
    canvas: Canvas, area: Box, theme: Theme, deck: _Deck, materials: Materials, rng: np.random.Generator
) -> None:
    strip, body = area.cut_left(theme.px(int(rng.integers(150, 230))))
    _thumbnails(canvas, strip, theme, deck)
    if body.width > theme.px(_PANEL_ROOM) and rng.random() < 0.4:
        panel, body = body.cut_right(theme.px(270))
        _panel(canvas, panel, theme, materials)
    if rng.random() < 0.5:
        notes, body = body.cut_bottom(theme.px(int(rng.integers(56, 120))))
        canvas.fill(notes, theme.surface)
        canvas.fill(notes.cut_top(1)[0], theme.border)
        words = materials.text.paragraph(3) if rng.random() < 0.6 else "Click to add notes"
        typesetting.paragraph(canvas, notes.inset(theme.px(16), theme.px(8)), words, theme.font(13), theme.muted)
    canvas.fill(body, mix(theme.page, theme.text, 0.08))
    margin = theme.px(int(rng.integers(16, 60)))
    slide = _fitted(body.inset(margin, margin), deck.ratio)
    canvas.shadow(slide, blur=theme.px(8), strength=0.25, offset=theme.px(2))
    draw_slide(canvas, slide, deck.slides[deck.chosen], deck.style)
    if rng.random() < 0.45 and deck.slides[deck.chosen].kind not in ("title", "quote"):
        _handles(canvas, slide, theme, rng)


def _thumbnails(canvas: Canvas, area: Box, theme: Theme, deck: _Deck) -> None:
    canvas.fill(area, theme.surface)
    canvas.fill(area.cut_right(1)[0], theme.border)
    width = area.width - theme.px(52)
    height = round(width / deck.ratio)
    with canvas.clipped(area):
        for number in range(len(deck.slides)):
            y = area.y + theme.px(14) + number * (height + theme.px(16))
            if y >= area.bottom:
                return
            shown = box(area.x + theme.px(34), y, width, height)
            label = box(area.x, y, theme.px(28), theme.px(20))
            colour = theme.accent if number == deck.chosen else theme.muted
            typesetting.line(canvas, label, str(number + 1), theme.font(12), colour, align="right")
            _framed(canvas, shown, theme, deck, number)


def _panel(canvas: Canvas, area: Box, theme: Theme, materials: Materials) -> None:
    """Properties of the chosen object."""
    text = materials.text
    canvas.fill(area, theme.surface)
    canvas.fill(area.cut_left(1)[0], theme.border)
    rest = area.inset(theme.px(18), theme.px(14))
    head, rest = rest.cut_top(theme.px(32))
    typesetting.line(canvas, head, f"Format {text.noun()}", theme.font(15, "bold"), theme.text)
    while rest.height > theme.px(44):
        row, rest = rest.cut_top(theme.px(38))
        name, value = row.cut_left(row.width * 45 // 100)
        typesetting.line(canvas, name, text.noun().capitalize(), theme.font(13), theme.text)
        form = text.number(0, 4)
        if form == 0:
            controls.slider(canvas, value, theme, text.number(5, 96) / 100)
        elif form == 1:
            controls.switch(canvas, value, theme, on=bool(text.number(0, 2)))
        elif form == 2:
            swatch = value.cut_right(theme.px(40))[0].centred(theme.px(40), theme.px(20))
            canvas.rounded(swatch, text.pick(theme.series), theme.px(4))
            canvas.mark(swatch)
        else:
            field = value.inset(0, theme.px(6))
            canvas.outline(field, theme.border, radius=theme.px(4))
            canvas.mark(field)
            words = f"{text.number(1, 99)} pt"
            typesetting.line(canvas, field.inset(theme.px(8), 0), words, theme.font(12.5), theme.text)


def _handles(canvas: Canvas, slide: Box, theme: Theme, rng: np.random.Generator) -> None:
    """The frame of a chosen object with its eight handles."""
    left, top, across_share, down_share = _OBJECTS[int(rng.integers(len(_OBJECTS)))]
    width, height = round(slide.width * across_share), round(slide.height * down_share)
    x, y = slide.x + round(slide.width * left), slide.y + round(slide.height * top)
    frame = box(x, y, width, height)
    canvas.outline(frame, theme.accent)
    side = theme.px(8)
    for across in (0.0, 0.5, 1.0):
        for down in (0.0, 0.5, 1.0):
            if across == down == 0.5:
                continue
            place = box(round(x + across * width) - side // 2, round(y + down * height) - side // 2, side, side)
            canvas.rounded(place, _WHITE, side / 2)
            canvas.outline(place, theme.accent, radius=side / 2)
