"""Feeds of a phone: pictures, short posts, videos and stories that fill the screen."""

import numpy as np

from datagen import controls, typesetting
from datagen.geometry import Box, box
from datagen.icons import icon, solid_icon
from datagen.phone import BLACK, WHITE, Phone, face, header, navigation, status_bar, tabs

_SHAPES = ((1, 1), (4, 5), (4, 3), (16, 9), (3, 2))
"""Width and height of posted pictures."""


def pictures_feed(phone: Phone) -> None:
    """A feed of large pictures with stories above."""
    canvas, theme, text = phone.canvas, phone.theme, phone.materials.text
    canvas.fill(canvas.area, theme.surface)
    area = status_bar(phone, theme.text)
    rest = tabs(phone, area, ("home", "search", "plus", "play", "user"), 0)
    rest = header(phone, rest, text.noun().capitalize() + text.pick(["gram", "ly", "space", "pics"]), ("heart", "send"))
    with canvas.clipped(rest):
        column = rest.centred(min(rest.width, phone.px(560)), rest.height)
        column = column.moved(0, -phone.number(0, phone.px(260)) if phone.chance(0.5) else 0)
        # Taller than what is seen, so that the last post is cut off rather than squeezed.
        column = _stories(phone, box(column.x, column.y, column.width, 4 * canvas.area.height))
        while column.y < rest.bottom:
            column = _post(phone, column)
    navigation(phone, theme.text)


def _stories(phone: Phone, area: Box) -> Box:
    canvas, theme = phone.canvas, phone.theme
    row, rest = area.cut_top(phone.px(96))
    side = phone.px(60)
    with canvas.clipped(row):
        for number in range(row.width // phone.px(74) + 1):
            ring = box(row.x + phone.px(10) + number * phone.px(74), row.y + phone.px(6), side, side)
            if number:
                canvas.gradient(ring, theme.series[0], theme.series[1], radius=side / 2)
            canvas.rounded(ring.inset(phone.px(2)), theme.surface, side / 2)
            name = phone.materials.text.first_name()
            face(phone, ring.inset(phone.px(4)), name)
            words = box(ring.x - phone.px(6), ring.bottom + phone.px(3), side + phone.px(12), phone.px(18))
            typesetting.line(canvas, words, name.lower(), theme.font(11), theme.text, align="centre")
    controls.rule(canvas, row, theme)
    return rest


def _post(phone: Phone, area: Box) -> Box:
    """Draw one picture with its head, buttons and caption; return what is left below."""
    canvas, theme, text = phone.canvas, phone.theme, phone.materials.text
    head, rest = area.cut_top(phone.px(52))
    inner = head.inset(phone.px(12), phone.px(9))
    who, words = inner.cut_left(inner.height)
    name = text.full_name()
    face(phone, who, name)
    more, words = words.cut_left(phone.px(10))[1].cut_right(phone.px(24))
    icon(canvas, more.centred(phone.px(18), phone.px(18)), "dots", theme.text)
    upper, lower = words.rows(2, 0)
    typesetting.line(canvas, upper, name.lower().replace(" ", "."), theme.font(13, "bold"), theme.text)
    typesetting.line(canvas, lower, text.place(), theme.font(11.5), theme.muted)
    across, down = text.pick(_SHAPES)
    whole, rest = rest.cut_top(rest.width * down // across)
    canvas.paste(whole, phone.album.crop(whole.width, whole.height))
    if phone.chance(0.2):
        _badge(phone, whole, f"1/{text.number(2, 9)}")
    row, rest = rest.cut_top(phone.px(44))
    inner = row.inset(phone.px(10), 0)
    liked = phone.chance(0.3)
    for sign in ("heart", "chat", "send"):
        cell, inner = inner.cut_left(phone.px(38))
        place = cell.centred(phone.px(23), phone.px(23))
        if sign == "heart" and liked:
            solid_icon(canvas, place, sign, (237, 73, 86))
        else:
            icon(canvas, place, sign, theme.text)
    icon(canvas, inner.cut_right(phone.px(30))[0].centred(phone.px(22), phone.px(22)), "bookmark", theme.text)
    body = rest.inset(phone.px(12), 0)
    likes, body = body.cut_top(phone.px(20))
    typesetting.line(canvas, likes, f"{text.number(3, 20000):,} likes", theme.font(13, "bold"), theme.text)
    caption = f"{name.lower().replace(' ', '.')} {text.sentence()}"
    used = typesetting.paragraph(canvas, body.cut_top(phone.px(57))[0], caption, theme.font(13), theme.text)
    stamp = box(body.x, used.bottom, body.width, phone.px(20))
    typesetting.line(canvas, stamp, f"{text.number(2, 23)} hours ago", theme.font(11), theme.muted)
    return area.cut_top(stamp.bottom + phone.px(12) - area.y)[1]


def _badge(phone: Phone, picture: Box, words: str) -> None:
    font = phone.theme.font(11.5, "bold")
    place = box(0, 0, font.width(words) + phone.px(16), phone.px(22))
    place = place.moved(picture.right - place.width - phone.px(8), picture.y + phone.px(8))
    phone.canvas.rounded(place, (38, 38, 42), place.height / 2)
    phone.canvas.mark(place)
    typesetting.line(phone.canvas, place, words, font, WHITE, align="centre")


def words_feed(phone: Phone) -> None:
    """A feed of short posts, some with a picture or a link."""
    canvas, theme, text = phone.canvas, phone.theme, phone.materials.text
    canvas.fill(canvas.area, theme.surface)
    area = status_bar(phone, theme.text)
    rest = tabs(phone, area, ("home", "search", "bell", "mail"), 0)
    rest = header(phone, rest, text.noun().capitalize(), ("sliders",))
    share = float(phone.rng.choice([0.0, 0.3, 0.6]))
    with canvas.clipped(rest):
        column = rest.centred(min(rest.width, phone.px(600)), rest.height)
        column = box(column.x, column.y, column.width, 4 * canvas.area.height)
        while column.y < rest.bottom:
            column = _note(phone, column, share)
    if phone.chance(0.6):
        spot = box(rest.right - phone.px(70), rest.bottom - phone.px(70), phone.px(54), phone.px(54))
        canvas.rounded(spot, theme.accent, spot.width / 2)
        canvas.mark(spot)
        icon(canvas, spot.centred(phone.px(24), phone.px(24)), "pen", theme.on_accent)
    navigation(phone, theme.text)


def _note(phone: Phone, area: Box, share: float) -> Box:
    canvas, theme, text = phone.canvas, phone.theme, phone.materials.text
    inner = area.inset(phone.px(14), phone.px(11))
    who, body = inner.cut_left(phone.px(50))
    name = text.full_name()
    face(phone, who.cut_top(phone.px(42))[0].cut_left(phone.px(42))[0], name)
    head, body = body.cut_top(phone.px(20))
    font = theme.font(14, "bold")
    title, handle = head.cut_left(min(head.width, font.width(name) + phone.px(6)))
    typesetting.line(canvas, title, name, font, theme.text)
    words = f"@{name.split()[0].lower()}{text.number(1, 99)} · {text.number(1, 23)}h"
    typesetting.line(canvas, handle, words, theme.font(13), theme.muted)
    used = typesetting.paragraph(
        canvas, body.cut_top(phone.px(96))[0], text.paragraph(text.number(1, 3)), theme.font(14), theme.text
    )
    rest = box(body.x, used.bottom + phone.px(7), body.width, max(0, area.bottom - used.bottom - phone.px(7)))
    if phone.chance(share):
        place = box(rest.x, rest.y, rest.width, rest.width * phone.number(48, 90) // 100)
        canvas.paste(place, phone.album.crop(place.width, place.height), radius=phone.px(12))
        rest = rest.cut_top(place.height + phone.px(8))[1]
    row = box(rest.x, rest.y, rest.width, phone.px(24))
    for cell, sign in zip(row.columns(4, 0), ("chat", "repeat", "heart", "share"), strict=True):
        mark, count = cell.cut_left(phone.px(22))
        icon(canvas, mark.cut_left(phone.px(16))[0].centred(phone.px(16), phone.px(16)), sign, theme.muted)
        if sign != "share":
            typesetting.line(canvas, count, str(text.number(0, 900)), theme.font(12), theme.muted)
    canvas.fill(box(area.x, row.bottom + phone.px(8), area.width, 1), theme.border)
    return area.cut_top(row.bottom + phone.px(9) - area.y)[1]


def full_video(phone: Phone) -> None:
    """A video or story that fills the screen, with buttons over it."""
    canvas, theme, text = phone.canvas, phone.theme, phone.materials.text
    story = phone.chance(0.4)
    screen = canvas.area
    canvas.fill(screen, BLACK)
    shown = screen.cut_bottom(phone.px(70))[1] if phone.chance(0.5) else screen
    canvas.paste(shown, phone.materials.photo(shown.width, shown.height), radius=phone.px(10) if shown != screen else 0)
    if phone.chance(0.5):
        _darken(phone, shown.cut_bottom(shown.height // 5)[0])
    area = status_bar(phone, WHITE)
    name = text.full_name()
    if story:
        bars, rest = area.inset(phone.px(10), 0).cut_top(phone.px(8))
        for number, cell in enumerate(bars.columns(phone.number(2, 7), phone.px(4))):
            line = cell.centred(cell.width, max(2, phone.px(2.5)))
            canvas.rounded(line, WHITE if number < 2 else (150, 150, 152), line.height / 2)
            canvas.mark(line)
        head = rest.cut_top(phone.px(46))[0]
    else:
        head = area.cut_bottom(phone.px(170))[0].cut_top(phone.px(42))[0].inset(phone.px(14), 0)
        for number, sign in enumerate(("heart", "chat", "bookmark", "share")):
            spot = box(area.right - phone.px(52), area.bottom - phone.px(340 - 62 * number), phone.px(40), phone.px(34))
            solid_icon(canvas, spot, sign, WHITE) if sign in ("heart", "bookmark") else icon(canvas, spot, sign, WHITE)
            words = box(spot.x - phone.px(8), spot.bottom, phone.px(56), phone.px(18))
            typesetting.line(
                canvas, words, f"{text.number(10, 990) / 10:.1f}K", theme.font(12, "bold"), WHITE, align="centre"
            )
        body = box(head.x, head.bottom + phone.px(4), area.width * 7 // 10, phone.px(62))
        typesetting.paragraph(canvas, body, text.paragraph(2), theme.font(13.5), WHITE)
    who, words = head.cut_left(phone.px(36))
    face(phone, who.centred(phone.px(34), phone.px(34)), name)
    typesetting.line(
        canvas, words.cut_left(phone.px(9))[1], f"{name}   {text.number(1, 23)}h", theme.font(14, "bold"), WHITE
    )
    foot = area.cut_bottom(phone.px(54))[0]
    if story or shown == screen:
        field = foot.inset(phone.px(12), phone.px(7)).cut_right(phone.px(44))[1]
        canvas.outline(field, WHITE, radius=field.height / 2, thickness=max(1, phone.px(1)))
        typesetting.line(canvas, field.inset(phone.px(16), 0), "Send a message", theme.font(13.5), WHITE)
        icon(canvas, foot.cut_right(phone.px(50))[0].centred(phone.px(24), phone.px(24)), "send", WHITE)
    else:
        for cell, sign in zip(foot.columns(5, 0), ("home", "search", "plus", "mail", "user"), strict=True):
            icon(canvas, cell.centred(phone.px(24), phone.px(24)), sign, WHITE)
    navigation(phone, WHITE)


def _darken(phone: Phone, area: Box) -> None:
    """Shade a picture towards its lower end, so that words over it can be read."""
    ramp = np.linspace(0, 170, area.height, dtype=np.uint8)
    phone.canvas.mask(area, np.ascontiguousarray(np.broadcast_to(ramp[:, None], (area.height, area.width))), BLACK)
