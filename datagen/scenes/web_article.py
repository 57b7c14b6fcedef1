"""A news page in a browser: an article with photographs, columns, related stories; or the front page."""

import numpy as np

from datagen import typesetting, widgets
from datagen.canvas import Canvas
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.materials import Materials
from datagen.scenes import overlays
from datagen.scenes.front_page import draw_front, opener
from datagen.theme import Theme, choose_theme

_BELOW = 40
"""Height at 1x that is set below the window's edge, which cuts through lines."""


def draw(canvas: Canvas, materials: Materials, rng: np.random.Generator) -> None:
    """Draw the whole screen."""
    theme = choose_theme(rng, canvas, dark_share=0.25)
    text = materials.text
    canvas.fill(canvas.area, theme.surface)
    name = f"The {text.place()} {text.pick(['Courier', 'Observer', 'Times', 'Gazette', 'Herald'])}"
    titles = [text.headline() for _ in range(text.number(2, 6))]
    address = f"{name.split()[1].lower()}-{name.split()[2].lower()}.example/{text.noun()}/{text.noun()}-{text.noun()}"
    page = widgets.browser_bar(canvas, canvas.area, theme, titles, address)
    with canvas.clipped(page):
        # A scrolled page starts above the window's edge; the masthead may be out of sight.
        scroll = theme.px(float(rng.choice([0, 0, 40, 110])))
        sheet = box(page.x, page.y - scroll, page.width, page.height + scroll + theme.px(_BELOW))
        sheet = _masthead(canvas, sheet, theme, materials, name)
        width = min(sheet.width - theme.px(48), theme.px(float(rng.choice([900, 1060, 1240]))))
        content = box(sheet.x + (sheet.width - width) // 2, sheet.y, width, sheet.height)
        form = rng.random()
        if form < 0.3:
            draw_front(canvas, content, theme, materials, rng, page.bottom)
        else:
            title = titles[0]
            if form < 0.45:
                title = ""
                content = opener(canvas, sheet, theme, materials, titles[0], content)
            if rng.random() < 0.7:
                main, side = content.cut_left(width * 7 // 10)
                _related(canvas, side.cut_left(theme.px(36))[1], theme, materials, page.bottom)
            else:
                main = content.inset(width // 8, 0)
            _article(canvas, main, theme, materials, title, rng)
        overlays.draw_some(canvas, page, theme, materials, rng, web=True)
    _scrollbar(canvas, page, theme, scroll)


def _masthead(canvas: Canvas, area: Box, theme: Theme, materials: Materials, name: str) -> Box:
    head, rest = area.cut_top(theme.px(60))
    left, middle = head.inset(theme.px(24), 0).cut_left(theme.px(90))
    menu, find = left.columns(2, 0)
    for cell, sign in ((menu, "menu"), (find, "search")):
        icon(canvas, cell.cut_left(theme.px(20))[0].centred(theme.px(20), theme.px(20)), sign, theme.text)
    right, middle = middle.cut_right(theme.px(90))
    widgets.button(canvas, right.centred(right.width, theme.px(32)), theme, "Subscribe")
    typesetting.line(canvas, middle, name, theme.serif_font(25, "bold"), theme.text, align="centre")
    sections, rest = rest.cut_top(theme.px(38))
    canvas.fill(sections.cut_top(1)[0], theme.border)
    canvas.fill(sections.cut_bottom(1)[0], theme.border)
    names = [materials.text.noun().capitalize() for _ in range(8)]
    inner = sections.inset(theme.px(80), 0)
    for number, (cell, section) in enumerate(zip(inner.columns(8, theme.px(8)), names, strict=True)):
        font = theme.font(13.5, "bold" if number == 0 else "regular")
        used = typesetting.line(canvas, cell, section, font, theme.text, align="centre")
        if number == 0:
            canvas.fill(box(used.x, sections.bottom - theme.px(3), used.width, theme.px(3)), theme.accent)
    return rest


def _article(
    canvas: Canvas, area: Box, theme: Theme, materials: Materials, title: str, rng: np.random.Generator
) -> None:
    text = materials.text
    rest = area.cut_top(theme.px(22))[1]
    used = typesetting.line(
        canvas, rest.cut_top(theme.px(18))[0], text.noun().upper(), theme.font(12, "bold"), theme.accent
    )
    rest = _below(rest, used, theme.px(4))
    font = theme.serif_font(float(rng.choice([30, 34, 38])), "bold")
    if title:
        rest = _below(rest, typesetting.paragraph(canvas, rest, title, font, theme.text, leading=1.18), theme.px(10))
    lead = theme.serif_font(18, "italic")
    rest = _below(rest, typesetting.paragraph(canvas, rest, text.sentence(), lead, theme.muted), theme.px(12))
    rest = _byline(canvas, rest, theme, materials)
    layout = int(rng.integers(3))
    if layout == 0:
        rest = _figure(canvas, rest, theme, materials, rest.width, round(rest.width * rng.uniform(0.38, 0.58)))
        _columns(canvas, rest, theme, materials, num_columns=1)
    elif layout == 1:
        picture, body = rest.cut_left(rest.width * 45 // 100)
        left = _figure(canvas, picture, theme, materials, picture.width, round(picture.width * rng.uniform(0.6, 1.1)))
        _columns(canvas, left, theme, materials, num_columns=1)
        _columns(canvas, body.cut_left(theme.px(26))[1], theme, materials, num_columns=1)
    else:
        for _ in range(int(rng.integers(1, 3))):
            rest = _below(rest, _text(canvas, rest, theme, materials), theme.px(12))
        pair = rest.columns(2, theme.px(16))
        height = round(pair[0].width * rng.uniform(0.55, 0.8))
        ends = [_figure(canvas, part, theme, materials, part.width, height) for part in pair]
        lowest = max(end.y for end in ends)
        rest = box(rest.x, lowest, rest.width, max(0, rest.bottom - lowest))
        _columns(canvas, rest, theme, materials, num_columns=2)


def _byline(canvas: Canvas, area: Box, theme: Theme, materials: Materials) -> Box:
    row, rest = area.cut_top(theme.px(40))
    name = materials.text.full_name()
    face, words = row.cut_left(row.height)
    widgets.avatar(canvas, face, theme, materials, name)
    upper, lower = words.cut_left(theme.px(10))[1].rows(2, 0)
    typesetting.line(canvas, upper, f"By {name}", theme.font(13.5, "bold"), theme.text)
    when = f"{materials.text.date()} - {materials.text.number(2, 15)} min read"
    typesetting.line(canvas, lower, when, theme.font(12.5), theme.muted)
    return rest.cut_top(theme.px(14))[1]


def _figure(canvas: Canvas, area: Box, theme: Theme, materials: Materials, width: int, height: int) -> Box:
    """Draw a photograph with its caption at the top of `area`; return what is left below."""
    shown = box(area.x, area.y, width, height)
    canvas.paste(shown, materials.photo(width, height))
    _, rest = area.cut_top(height + theme.px(5))
    caption = f"{materials.text.sentence()} Photograph: {materials.text.full_name()}"
    used = typesetting.paragraph(canvas, rest, caption, theme.font(12.5), theme.muted)
    return _below(rest, used, theme.px(14))


def _columns(canvas: Canvas, area: Box, theme: Theme, materials: Materials, *, num_columns: int) -> None:
    for column in area.columns(num_columns, theme.px(24)):
        rest = column
        while rest.height > theme.px(26):
            rest = _below(rest, _text(canvas, rest, theme, materials), theme.px(12))


def _text(canvas: Canvas, area: Box, theme: Theme, materials: Materials) -> Box:
    words = materials.text.paragraph(materials.text.number(3, 7))
    return typesetting.paragraph(canvas, area, words, theme.serif_font(16), theme.text, leading=1.5)


def _related(canvas: Canvas, area: Box, theme: Theme, materials: Materials, bottom: int) -> None:
    rest = area.cut_top(theme.px(24))[1]
    head, rest = rest.cut_top(theme.px(30))
    canvas.fill(head.cut_top(theme.px(2))[0], theme.text)
    typesetting.line(canvas, head, "Most read", theme.font(15, "bold"), theme.text)
    number = 0
    rest = box(rest.x, rest.y, rest.width, rest.height + theme.px(500))
    while rest.y < bottom:
        rest = rest.cut_top(theme.px(10))[1]
        if number % 3 == 0:
            photo, rest = rest.cut_top(rest.width * 9 // 16)
            canvas.paste(photo, materials.photo(photo.width, photo.height), radius=theme.px(4))
            rest = rest.cut_top(theme.px(6))[1]
        title = materials.text.headline()
        used = typesetting.paragraph(canvas, rest, title, theme.serif_font(16, "bold"), theme.text, leading=1.25)
        rest = _below(rest, used, theme.px(2))
        stamp, rest = rest.cut_top(theme.px(18))
        if stamp.height == theme.px(18):
            typesetting.line(canvas, stamp, materials.text.date(), theme.font(12), theme.muted)
        rule, rest = rest.cut_top(theme.px(9))
        canvas.fill(rule.cut_bottom(1)[0], theme.border)
        number += 1


def _scrollbar(canvas: Canvas, page: Box, theme: Theme, scroll: int) -> None:
    track = page.cut_right(theme.px(12))[0]
    canvas.fill(track, theme.raised)
    thumb = box(track.x + theme.px(2), track.y + scroll // 4, track.width - theme.px(4), page.height // 4)
    canvas.rounded(thumb, theme.border, thumb.width / 2)
    canvas.mark(track)


def _below(area: Box, used: Box, gap: int) -> Box:
    """Return the part of `area` that lies `gap` below `used`."""
    return area.cut_top(used.bottom - area.y + gap)[1]
