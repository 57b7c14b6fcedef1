"""A news site's front page, stories in a grid; and the opening of a long article, its title over a photograph."""

import numpy as np

from datagen import typesetting, widgets
from datagen.canvas import Canvas, Colour
from datagen.geometry import Box, box
from datagen.materials import Materials
from datagen.theme import Theme

_LONGEST = 700
"""Height at 1x of all that may be drawn below the window's edge."""
_WHITE: Colour = (255, 255, 255)


def draw_front(
    canvas: Canvas, area: Box, theme: Theme, materials: Materials, rng: np.random.Generator, bottom: int
) -> None:
    """Fill `area` down to the row `bottom` with a lead story and rows of others."""
    rest = box(area.x, area.y + theme.px(18), area.width, area.height + theme.px(_LONGEST))
    rest = _lead(canvas, rest, theme, materials, rng)
    pictures = float(rng.choice([0.3, 0.7, 1.0]))
    while rest.y < bottom:
        if rng.random() < 0.2:
            rest = _advertisement(canvas, rest, theme, materials)
        count = int(rng.choice([2, 3, 4])) if area.width > theme.px(620) else 2
        shown = rng.random() < pictures
        ends = [_story(canvas, cell, theme, materials, shown=bool(shown)) for cell in rest.columns(count, theme.px(22))]
        lowest = max(ends) + theme.px(14)
        rest = box(rest.x, lowest, rest.width, max(0, rest.bottom - lowest))
        canvas.fill(box(rest.x, lowest - theme.px(8), rest.width, 1), theme.border)


def _lead(canvas: Canvas, area: Box, theme: Theme, materials: Materials, rng: np.random.Generator) -> Box:
    """The main story: a large photograph with its title below, beside or over it."""
    text = materials.text
    form = int(rng.integers(3))
    if form == 0:
        place, rest = area.cut_top(area.width * 45 // 100)
        _over(canvas, place, theme, materials, text.headline())
        return rest.cut_top(theme.px(20))[1]
    height = area.width * 36 // 100
    row, rest = area.cut_top(height)
    place, words = row.cut_left(area.width * 58 // 100) if form == 1 else row.cut_right(area.width * 58 // 100)
    canvas.paste(place, materials.photo(place.width, place.height))
    gap = theme.px(24)
    words = words.cut_left(gap)[1] if form == 1 else words.cut_right(gap)[1]
    kicker, words = words.cut_top(theme.px(22))
    typesetting.line(canvas, kicker, text.noun().upper(), theme.font(12, "bold"), theme.accent)
    face = theme.serif_font(30, "bold")
    used = typesetting.paragraph(canvas, words, text.headline(), face, theme.text, leading=1.18)
    words = words.cut_top(used.height + theme.px(10))[1]
    typesetting.paragraph(canvas, words, text.paragraph(4), theme.serif_font(16), theme.muted, leading=1.45)
    return rest.cut_top(theme.px(22))[1]


def _story(canvas: Canvas, area: Box, theme: Theme, materials: Materials, *, shown: bool) -> int:
    """One story of the grid; return the row where it ends."""
    text = materials.text
    rest = area
    if shown:
        place, rest = rest.cut_top(rest.width * 9 // 16)
        canvas.paste(place, materials.photo(place.width, place.height), radius=theme.px(3))
    rest = rest.cut_top(theme.px(8))[1]
    face = theme.serif_font(19, "bold")
    used = typesetting.paragraph(canvas, rest, text.headline(), face, theme.text, leading=1.22)
    rest = rest.cut_top(used.height + theme.px(5))[1]
    used = typesetting.paragraph(canvas, rest, text.sentence(), theme.font(14), theme.muted, leading=1.4)
    rest = rest.cut_top(used.height + theme.px(4))[1]
    row, rest = rest.cut_top(theme.px(20))
    typesetting.line(canvas, row, f"{text.full_name()} - {text.date()}", theme.font(12), theme.muted)
    return rest.y


def _advertisement(canvas: Canvas, area: Box, theme: Theme, materials: Materials) -> Box:
    """A banner: a ground of one colour, a slogan, a button, perhaps a picture."""
    text = materials.text
    row, rest = area.cut_top(theme.px(130))
    label, banner = row.cut_top(theme.px(20))
    typesetting.line(canvas, label, "Advertisement", theme.font(11), theme.muted, align="centre")
    banner = banner.centred(min(banner.width, theme.px(760)), theme.px(96))
    canvas.gradient(banner, theme.series[3], theme.series[4], vertical=False)
    canvas.mark(banner)
    inner = banner
    if text.number(0, 2):
        place, inner = inner.cut_left(theme.px(150))
        canvas.paste(place, materials.photo(place.width, place.height))
    button, words = inner.inset(theme.px(18), 0).cut_right(theme.px(120))
    typesetting.line(canvas, words, text.label(3), theme.font(22, "bold"), _WHITE)
    widgets.button(canvas, button.centred(button.width, theme.px(36)), theme, text.verb().capitalize(), primary=False)
    return rest.cut_top(theme.px(16))[1]


def opener(canvas: Canvas, area: Box, theme: Theme, materials: Materials, title: str, content: Box) -> Box:
    """Draw a photograph across the page with the title over it; return `content` below it."""
    place, rest = area.cut_top(min(area.height // 2, area.width * 2 // 5))
    _over(canvas, place, theme, materials, title)
    return box(content.x, rest.y, content.width, rest.height)


def _over(canvas: Canvas, place: Box, theme: Theme, materials: Materials, title: str) -> None:
    """A photograph with white words over its shaded lower third."""
    canvas.paste(place, materials.photo(place.width, place.height))
    shade, _ = place.cut_bottom(place.height * 3 // 10)
    ramp = np.linspace(0, 200, max(1, shade.height)).astype(np.uint8)
    canvas.mask(shade, np.repeat(ramp[:, None], shade.width, axis=1), (0, 0, 0))
    words = shade.inset(theme.px(30), theme.px(6))
    line = words.cut_bottom(theme.px(48))[0]
    typesetting.line(canvas, line, title, theme.serif_font(32, "bold"), _WHITE)
