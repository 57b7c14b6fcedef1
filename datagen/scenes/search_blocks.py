"""Blocks of a search page beside its plain results: pictures, videos, questions, an overview, the subject's panel."""

from dataclasses import dataclass

import numpy as np

from datagen import typesetting
from datagen.albums import Album
from datagen.canvas import Canvas, Colour
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.materials import Materials
from datagen.shapes import rounded
from datagen.texts import plural
from datagen.theme import Theme


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How one search engine looks."""

    theme: Theme
    link: Colour
    visited: Colour
    address: Colour
    thumbnails: float
    """Share of results with a picture."""
    compact: bool
    """Whether a result's address is one line without the site's name."""


def picture_row(canvas: Canvas, area: Box, look: Look, materials: Materials) -> Box:
    """A row of pictures; return what is left below, as every block does."""
    theme = look.theme
    head, rest = area.cut_top(theme.px(34))
    typesetting.line(canvas, head, "Images", theme.font(19), theme.text)
    row, rest = rest.cut_top(theme.px(110))
    count = materials.text.number(3, 6)
    for cell in row.columns(count, theme.px(6)):
        canvas.paste(cell, materials.photo(cell.width, cell.height), radius=theme.px(6))
    return rest.cut_top(theme.px(24))[1]


def videos(canvas: Canvas, area: Box, look: Look, materials: Materials) -> Box:
    """Videos with their lengths over the pictures."""
    theme, text = look.theme, materials.text
    head, rest = area.cut_top(theme.px(34))
    typesetting.line(canvas, head, "Videos", theme.font(19), theme.text)
    for _ in range(text.number(2, 4)):
        row, rest = rest.cut_top(theme.px(96))
        frame, words = row.cut_left(theme.px(154))
        frame = frame.cut_top(theme.px(86))[0]
        canvas.paste(frame, materials.photo(frame.width, frame.height), radius=theme.px(8))
        length = f"{text.number(0, 40)}:{text.number(0, 60):02d}"
        font = theme.font(11, "bold")
        width = font.width(length) + theme.px(8)
        stamp = box(frame.right - width - theme.px(5), frame.bottom - theme.px(22), width, theme.px(17))
        canvas.rounded(stamp, (20, 20, 22), theme.px(4))
        typesetting.line(canvas, stamp, length, font, (255, 255, 255), align="centre")
        words = words.cut_left(theme.px(14))[1]
        title, below = words.cut_top(theme.px(44))
        typesetting.paragraph(canvas, title, text.headline(), theme.font(16), look.link, leading=1.3)
        where = f"{text.label(1)} - {text.full_name()} - {text.date()}"
        typesetting.line(canvas, below.cut_top(theme.px(20))[0], where, theme.font(12.5), theme.muted)
    return rest.cut_top(theme.px(20))[1]


def questions(canvas: Canvas, area: Box, look: Look, materials: Materials) -> Box:
    """Questions that unfold."""
    theme, text = look.theme, materials.text
    head, rest = area.cut_top(theme.px(36))
    typesetting.line(canvas, head, "People also ask", theme.font(19), theme.text)
    for _ in range(text.number(3, 5)):
        row, rest = rest.cut_top(theme.px(46))
        canvas.fill(row.cut_top(1)[0], theme.border)
        sign, words = row.cut_right(theme.px(30))
        question = (
            f"{text.pick(['How does', 'Why does', 'Can'])} the {text.noun()} {text.verb()} {plural(text.noun())}?"
        )
        typesetting.line(canvas, words, question, theme.font(15), theme.text)
        icon(canvas, sign.centred(theme.px(16), theme.px(16)), "down", theme.muted)
    return rest.cut_top(theme.px(22))[1]


def answer(canvas: Canvas, area: Box, look: Look, materials: Materials) -> Box:
    """An overview in a tinted box, perhaps with a picture."""
    theme, text = look.theme, materials.text
    card, rest = area.cut_top(theme.px(150))
    canvas.rounded(card, look.theme.soft_accent, theme.px(12))
    canvas.mark(card, rounded(card.width, card.height, theme.px(12)))
    words = card.inset(theme.px(18), theme.px(14))
    if text.number(0, 2):
        place, words = words.cut_right(words.height)
        canvas.paste(place, materials.photo(place.width, place.height), radius=theme.px(8))
        words = words.cut_right(theme.px(16))[1]
    head, words = words.cut_top(theme.px(24))
    typesetting.line(canvas, head, "Overview", theme.font(14, "bold"), theme.accent)
    typesetting.paragraph(canvas, words, text.paragraph(4), theme.font(15), theme.text, leading=1.5)
    return rest.cut_top(theme.px(24))[1]


def panel(canvas: Canvas, area: Box, look: Look, materials: Materials, subject: str) -> None:
    """Draw what is known about the subject: pictures, a summary, facts, related subjects."""
    theme, text = look.theme, materials.text
    form, num_facts = text.number(0, 3), text.number(3, 8)
    frame, _ = area.cut_top(theme.px((175 if form else 0) + 205 + 26 * num_facts))
    canvas.outline(frame, theme.border, radius=theme.px(10))
    canvas.mark(frame)
    rest = frame.inset(1, 1)
    if form:
        pictures, rest = rest.cut_top(theme.px(170))
        canvas.fill(pictures, theme.raised)
        left, right = pictures.cut_left(pictures.width if form == 1 else pictures.width * 3 // 5)
        canvas.paste(left, materials.photo(left.width, left.height))
        if form == 2:
            for cell in right.cut_left(2)[1].rows(2, 2):
                canvas.paste(cell, materials.photo(cell.width, cell.height))
    rest = rest.inset(theme.px(18), theme.px(12))
    head, rest = rest.cut_top(theme.px(36))
    typesetting.line(canvas, head, subject.title(), theme.font(24), theme.text)
    row, rest = rest.cut_top(theme.px(22))
    typesetting.line(canvas, row, text.label(2), theme.font(13.5), theme.muted)
    summary = rest.cut_top(theme.px(8))[1].cut_top(theme.px(110))[0]
    used = typesetting.paragraph(canvas, summary, text.paragraph(3), theme.font(14), theme.text, leading=1.5)
    rest = rest.cut_top(used.bottom - rest.y + theme.px(10))[1]
    for _ in range(num_facts):
        if rest.height < theme.px(26):
            return
        row, rest = rest.cut_top(theme.px(26))
        name = typesetting.line(canvas, row, f"{text.noun().capitalize()}:", theme.font(14, "bold"), theme.text)
        value = text.pick([text.full_name(), text.date(), f"{text.number(2, 900)} {plural(text.noun())}", text.place()])
        left = row.cut_left(name.width + theme.px(6))[1]
        typesetting.line(canvas, left, value, theme.font(14), look.link if text.number(0, 3) == 0 else theme.text)


def picture_grid(canvas: Canvas, area: Box, look: Look, materials: Materials, rng: np.random.Generator) -> None:
    """Fill `area` with rows of pictures of one height each, with captions; perhaps one is opened at the right."""
    theme, text = look.theme, materials.text
    if area.width > theme.px(900) and rng.random() < 0.35:
        opened, area = area.cut_right(area.width * 38 // 100)
        area = area.cut_right(theme.px(16))[1]
        _opened_picture(canvas, opened, look, materials)
    chips, rest = area.cut_top(theme.px(46))
    while chips.width > theme.px(120):
        name = text.noun()
        chip, chips = chips.cut_left(theme.font(13).width(name) + theme.px(30))
        chip = chip.inset(theme.px(3), theme.px(7))
        canvas.rounded(chip, theme.raised, theme.px(8))
        canvas.mark(chip, rounded(chip.width, chip.height, theme.px(8)))
        typesetting.line(canvas, chip, name, theme.font(13), theme.text, align="centre")
    album = Album(materials, rng, num_photos=8)
    wanted = theme.px(float(rng.choice([130, 165, 200])))
    gap = theme.px(12)
    while rest.height > 0:
        ratios = [
            float(rng.choice([0.7, 1.0, 1.33, 1.5, 1.78])) for _ in range(max(2, round(rest.width / wanted / 1.3)))
        ]
        height = max(1, round((rest.width - gap * (len(ratios) - 1)) / sum(ratios)))
        x = rest.x
        for ratio in ratios:
            picture = box(x, rest.y, min(round(height * ratio), rest.right - x), height)
            canvas.paste(picture, album.crop(picture.width, picture.height), radius=theme.px(10))
            below = box(x, picture.bottom + theme.px(4), picture.width, theme.px(19))
            typesetting.line(canvas, below, text.label(3), theme.font(13), theme.text)
            below = below.moved(0, theme.px(18))
            typesetting.line(canvas, below, f"{text.noun()}.example", theme.font(12), theme.muted)
            x += picture.width + gap
        rest = rest.cut_top(height + theme.px(56))[1]


def _opened_picture(canvas: Canvas, area: Box, look: Look, materials: Materials) -> None:
    theme, text = look.theme, materials.text
    canvas.rounded(area, theme.raised, theme.px(14))
    canvas.mark(area, rounded(area.width, area.height, theme.px(14)))
    inner = area.inset(theme.px(18), theme.px(14))
    head, rest = inner.cut_top(theme.px(34))
    close, name = head.cut_right(theme.px(34))
    typesetting.line(canvas, name, f"{text.noun()}.example", theme.font(13.5), theme.muted)
    icon(canvas, close.centred(theme.px(18), theme.px(18)), "close", theme.text)
    picture, rest = rest.cut_top(min(rest.height * 3 // 5, round(rest.width * 0.7)))
    canvas.paste(picture, materials.photo(picture.width, picture.height), radius=theme.px(8))
    rest = rest.cut_top(theme.px(12))[1]
    used = typesetting.paragraph(canvas, rest.cut_top(theme.px(60))[0], text.headline(), theme.font(19), theme.text)
    rest = rest.cut_top(used.height + theme.px(6))[1]
    row, rest = rest.cut_top(theme.px(20))
    note = "Images may be subject to copyright."
    typesetting.line(canvas, row, note, theme.font(12), theme.muted)
