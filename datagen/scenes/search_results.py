"""A web search: results with snippets, advertisements, pictures in rows and grids, a panel about the subject."""

import numpy as np

from datagen import typesetting, widgets
from datagen.canvas import Canvas, Colour
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.materials import Materials
from datagen.scenes import overlays, search_blocks
from datagen.scenes.search_blocks import Look
from datagen.shapes import rounded
from datagen.texts import TextBank
from datagen.theme import Theme, choose_theme, mix

_KINDS = ("All", "Images", "News", "Videos", "Maps", "Shopping", "Books", "Finance")
_LINK_LIGHT: tuple[Colour, ...] = ((26, 13, 171), (20, 60, 200), (0, 84, 166), (60, 20, 160))
_LINK_DARK: tuple[Colour, ...] = ((138, 180, 248), (150, 190, 250), (168, 199, 250))
_VISITED_LIGHT: Colour = (104, 29, 168)
_VISITED_DARK: Colour = (197, 138, 249)
_WIDEST_RESULT = 652
_LONGEST_BLOCK = 1000
"""Height of all that may be drawn below the window's lower edge."""
_PANEL_ROOM = 1040
"""Logical width from which a panel fits beside the results."""


def draw(canvas: Canvas, materials: Materials, rng: np.random.Generator) -> None:
    """Draw the whole screen."""
    theme = choose_theme(rng, canvas, dark_share=0.3)
    text = materials.text
    look = _choose_look(rng, theme)
    canvas.fill(canvas.area, theme.surface)
    query = text.pick([f"{text.adjective()} {text.noun()}", f"{text.noun()} {text.place()}", text.label(3).lower()])
    titles = [f"{query} - Search", *(text.headline() for _ in range(text.number(0, 4)))]
    page = widgets.browser_bar(canvas, canvas.area, theme, titles, f"find.example/search?q={query.replace(' ', '+')}")
    with canvas.clipped(page):
        chosen = int(rng.choice([0, 0, 0, 1]))
        indent = min(theme.px(float(rng.choice([24, 140, 180]))), page.width // 9)
        body = _header(canvas, page, look, materials, (query, chosen, indent))
        if chosen == 1:
            search_blocks.picture_grid(canvas, body.inset(theme.px(24), theme.px(12)), look, materials, rng)
        else:
            _results_page(canvas, body.cut_left(indent)[1], look, materials, rng, query)
        overlays.draw_some(canvas, page, theme, materials, rng, web=True)
    track = page.cut_right(theme.px(12))[0]
    canvas.fill(track, theme.raised)
    thumb = box(track.x + theme.px(3), track.y + theme.px(4), track.width - theme.px(6), page.height // 3)
    canvas.rounded(thumb, theme.border, thumb.width / 2)


def _choose_look(rng: np.random.Generator, theme: Theme) -> Look:
    links = _LINK_DARK if theme.dark else _LINK_LIGHT
    return Look(
        theme=theme,
        link=links[int(rng.integers(len(links)))],
        visited=_VISITED_DARK if theme.dark else _VISITED_LIGHT,
        address=(129, 201, 149) if theme.dark else (0, 102, 33),
        thumbnails=float(rng.choice([0.0, 0.2, 0.45])),
        compact=bool(rng.random() < 0.3),
    )


def _header(canvas: Canvas, area: Box, look: Look, materials: Materials, state: tuple[str, int, int]) -> Box:
    """Draw logo, query field and the kinds of results; `state` is query, chosen kind, indent. Return the rest."""
    theme = look.theme
    query, chosen, indent = state
    head, rest = area.cut_top(theme.px(72))
    logo, field = head.cut_left(max(indent, theme.px(120)))
    _logo(canvas, logo.inset(theme.px(14), 0), theme, materials.text)
    right, field = field.cut_right(theme.px(110))
    field = field.cut_left(min(field.width, theme.px(690)))[0].inset(0, theme.px(14))
    if not theme.dark:
        canvas.shadow(field, blur=theme.px(5), strength=0.12, offset=theme.px(1))
    canvas.rounded(field, theme.raised if theme.dark else theme.surface, field.height / 2)
    canvas.outline(field, theme.border, radius=field.height / 2)
    canvas.mark(field, rounded(field.width, field.height, field.height / 2))
    signs, words = field.inset(theme.px(16), 0).cut_right(theme.px(84))
    typesetting.line(canvas, words, query, theme.font(16), theme.text)
    names = (("close", theme.muted), ("image", theme.accent), ("search", theme.accent))
    for (name, colour), cell in zip(names, signs.columns(3, 0), strict=True):
        icon(canvas, cell.centred(theme.px(18), theme.px(18)), name, colour)
    grid, face = right.columns(2, 0)
    icon(canvas, grid.centred(theme.px(20), theme.px(20)), "grid", theme.muted)
    widgets.avatar(canvas, face.centred(theme.px(32), theme.px(32)), theme, materials, materials.text.full_name())
    row, rest = rest.cut_top(theme.px(42))
    canvas.fill(row.cut_bottom(1)[0], theme.border)
    row = row.cut_left(max(indent, theme.px(20)))[1]
    for number, name in enumerate(_KINDS):
        font = theme.font(14, "bold" if number == chosen else "regular")
        cell, row = row.cut_left(font.width(name) + theme.px(26))
        if cell.width < theme.px(30) or row.width == 0:
            break
        used = typesetting.line(canvas, cell, name, font, theme.accent if number == chosen else theme.muted)
        if number == chosen:
            canvas.fill(box(used.x, cell.bottom - theme.px(3), used.width, theme.px(3)), theme.accent)
    return rest


def _logo(canvas: Canvas, area: Box, theme: Theme, text: TextBank) -> None:
    font = theme.font(25, "bold")
    name = text.noun().capitalize()[:7]
    x, baseline = area.x, area.y + (area.height - font.height) // 2 + font.ascent
    for number, letter in enumerate(name):
        if x + font.width(letter) > area.right:
            break
        x = canvas.text(x, baseline, letter, font, theme.series[number % 4])
    canvas.mark(box(area.x, baseline - font.ascent, x - area.x, font.height))


def _results_page(
    canvas: Canvas, area: Box, look: Look, materials: Materials, rng: np.random.Generator, query: str
) -> None:
    theme = look.theme
    main = area.cut_left(min(theme.px(_WIDEST_RESULT), area.width - theme.px(30)))[0]
    if area.width >= theme.px(_PANEL_ROOM) and rng.random() < 0.6:
        panel = box(main.right + theme.px(40), area.y + theme.px(20), theme.px(368), area.height)
        search_blocks.panel(canvas, panel, look, materials, query)
    number_found = f"{materials.text.number(12, 900)},{materials.text.number(0, 1000):03d},000"
    count = f"About {number_found} results (0.{materials.text.number(18, 88)} seconds)"
    # Longer than the window, which cuts what it does not show.
    stats, rest = box(main.x, main.y, main.width, main.height + theme.px(_LONGEST_BLOCK)).cut_top(theme.px(40))
    typesetting.line(canvas, stats, count, theme.font(13), theme.muted)
    for _ in range(int(rng.choice([0, 0, 1, 2, 3]))):
        rest = _result(canvas, rest, look, materials, rng, sponsored=True)
    blocks = (search_blocks.picture_row, search_blocks.questions, search_blocks.videos, search_blocks.answer)
    chosen = rng.permutation(len(blocks))[: int(rng.integers(0, 4))]
    after = dict(zip(rng.permutation(7).tolist(), chosen.tolist(), strict=False))
    number = 0
    while rest.y < main.bottom:
        if number in after:
            rest = blocks[after[number]](canvas, rest, look, materials)
        rest = _result(canvas, rest, look, materials, rng, sponsored=False)
        number += 1


def _result(
    canvas: Canvas, area: Box, look: Look, materials: Materials, rng: np.random.Generator, *, sponsored: bool
) -> Box:
    theme, text = look.theme, materials.text
    rest = area
    body = rest
    if rng.random() < look.thumbnails:
        side = theme.px(92)
        place, body = rest.cut_right(side)
        shown = box(place.x, place.y + theme.px(8), side, side)
        canvas.paste(shown, materials.photo(side, side), radius=theme.px(8))
        body = body.cut_right(theme.px(20))[1]
    if sponsored:
        row, body = body.cut_top(theme.px(20))
        typesetting.line(canvas, row, "Sponsored", theme.font(13, "bold"), theme.text)
    site = f"{text.noun()}.example"
    if look.compact:
        row, body = body.cut_top(theme.px(20))
        typesetting.line(canvas, row, f"https://{site}/{text.noun()}/{text.noun()}", theme.font(13.5), look.address)
    else:
        row, body = body.cut_top(theme.px(40))
        badge, names = row.cut_left(theme.px(28))
        disc = badge.centred(theme.px(26), theme.px(26))
        canvas.rounded(disc, theme.series[text.number(0, 8)], disc.width / 2)
        canvas.mark(disc, rounded(disc.width, disc.height, disc.width / 2))
        typesetting.line(canvas, disc, site[0].upper(), theme.font(13, "bold"), (255, 255, 255), align="centre")
        upper, lower = names.cut_left(theme.px(10))[1].inset(0, theme.px(2)).rows(2, 0)
        typesetting.line(canvas, upper, text.label(2), theme.font(14), theme.text)
        typesetting.line(canvas, lower, f"https://{site} > {text.noun()} > {text.noun()}", theme.font(12), theme.muted)
    row, body = body.cut_top(theme.px(30))
    colour = look.visited if rng.random() < 0.2 else look.link
    typesetting.line(canvas, row, text.headline(), theme.font(20), colour)
    words = text.paragraph(2)
    if rng.random() < 0.5:
        words = f"{text.date()} - {words}"
    limit = box(body.x, body.y, body.width, min(body.height, theme.px(46)))
    used = typesetting.paragraph(
        canvas, limit, words, theme.font(14), mix(theme.text, theme.surface, 0.2), leading=1.55
    )
    bottom = used.bottom
    if rng.random() < 0.18 and body.height > theme.px(90):
        bottom = _site_links(canvas, body.cut_top(used.bottom - body.y)[1], look, text).y
    return area.cut_top(max(bottom, area.y + theme.px(100 if look.thumbnails else 60)) - area.y + theme.px(22))[1]


def _site_links(canvas: Canvas, area: Box, look: Look, text: TextBank) -> Box:
    rows, rest = area.cut_top(look.theme.px(52))
    for row in rows.rows(2, 0):
        for cell in row.columns(3, look.theme.px(16)):
            typesetting.line(canvas, cell, text.label(2), look.theme.font(14), look.link)
    return rest
