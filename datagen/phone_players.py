"""Players of a phone: music with its cover, a video with the next ones."""

import numpy as np
from PIL import Image, ImageFilter

from datagen import controls, typesetting
from datagen.canvas import Colour
from datagen.geometry import Box, box
from datagen.icons import icon, solid_icon
from datagen.phone import BLACK, WHITE, Phone, face, navigation, pill_button, status_bar
from datagen.theme import mix
from pipeline.formats.picture import Pixels

_BLUR_SIDE = 48
"""Shorter side at which a picture is blurred for a background; enlarged smoothly afterwards."""


def _blurred(pixels: Pixels, width: int, height: int, brightness: float) -> Pixels:
    """Return a picture blurred and darkened until only its colours are left: still of the photograph alone."""
    small = Image.fromarray(pixels).resize((_BLUR_SIDE, _BLUR_SIDE), Image.Resampling.BOX)
    soft = small.filter(ImageFilter.GaussianBlur(7)).resize((width, height), Image.Resampling.BICUBIC)
    # At least 1 of each value stays, so that a dark photograph keeps its own colours.
    return (np.asarray(soft, dtype=np.float32) * brightness + 0.5).astype(np.uint8)


def player(phone: Phone) -> None:
    """A piece of music that plays, with its cover."""
    canvas, theme, text = phone.canvas, phone.theme, phone.materials.text
    screen = canvas.area
    side = min(screen.width - phone.px(56), screen.height * 9 // 20)
    cover = phone.materials.photo(side, side)
    soft = phone.chance(0.4)
    plain = not soft and phone.chance(0.5)
    if soft:
        canvas.paste(screen, _blurred(cover, screen.width, screen.height, 0.45))
    elif not plain:
        tone = theme.series[0]
        canvas.gradient(screen, mix(tone, BLACK, 0.25 if theme.dark else 0.1), mix(tone, BLACK, 0.8))
    else:
        canvas.fill(screen, theme.surface)
    ink: Colour = theme.text if plain else WHITE
    dim: Colour = theme.muted if plain else (214, 216, 220)
    area = status_bar(phone, ink)
    head, rest = area.cut_top(phone.px(52))
    for cell, sign in ((head.cut_left(phone.px(56))[0], "down"), (head.cut_right(phone.px(56))[0], "dots")):
        icon(canvas, cell.centred(phone.px(22), phone.px(22)), sign, ink)
    typesetting.line(
        canvas, head.inset(phone.px(56), 0), f"Playing from {text.noun()}", theme.font(12.5), dim, align="centre"
    )
    place = box(rest.x + (rest.width - side) // 2, rest.y + phone.px(8), side, side)
    if not plain and not soft:
        canvas.shadow(place, blur=phone.px(18), strength=0.3, offset=phone.px(6))
    canvas.paste(place, cover, radius=phone.px(float(phone.rng.choice([4, 8, 14]))))
    rest = box(rest.x, place.bottom, rest.width, rest.bottom - place.bottom).inset(phone.px(28), phone.px(18))
    row, rest = rest.cut_top(phone.px(30))
    typesetting.line(canvas, row.cut_right(phone.px(34))[1], text.label(2), theme.font(21, "bold"), ink)
    solid_icon(canvas, row.cut_right(phone.px(24))[0], "heart", theme.accent if plain else WHITE)
    row, rest = rest.cut_top(phone.px(26))
    typesetting.line(canvas, row, text.full_name(), theme.font(15), dim)
    bar, rest = rest.cut_top(phone.px(40))
    length, share = phone.number(120, 400), float(phone.rng.random())
    line = bar.centred(bar.width, max(2, phone.px(4)))
    canvas.rounded(line, mix(dim, BLACK, 0.45) if not plain else theme.border, line.height / 2)
    canvas.rounded(line.cut_left(max(line.height, round(line.width * share)))[0], ink, line.height / 2)
    canvas.mark(line)
    stamps, rest = rest.cut_top(phone.px(16))
    now = int(length * share)
    typesetting.line(canvas, stamps, f"{now // 60}:{now % 60:02d}", theme.font(11.5), dim)
    typesetting.line(canvas, stamps, f"{length // 60}:{length % 60:02d}", theme.font(11.5), dim, align="right")
    keys, rest = rest.cut_top(min(phone.px(92), rest.height))
    for cell, sign in zip(keys.columns(5, 0), ("shuffle", "previous", "pause", "next", "repeat"), strict=True):
        size = phone.px(26)
        if sign == "pause":
            disc = cell.centred(phone.px(60), phone.px(60))
            canvas.rounded(disc, ink, disc.width / 2)
            canvas.mark(disc)
            icon(canvas, disc.centred(size, size), sign, BLACK if ink == WHITE or theme.dark else WHITE, weight=2.6)
        else:
            icon(canvas, cell.centred(size, size), sign, ink)
    if rest.height > phone.px(70) and plain:
        _queue(phone, rest.cut_top(phone.px(8))[1])
    navigation(phone, ink)


def _queue(phone: Phone, area: Box) -> None:
    canvas, theme, text = phone.canvas, phone.theme, phone.materials.text
    rest = area
    while rest.height >= phone.px(52):
        row, rest = rest.cut_top(phone.px(54))
        picture, words = row.centred(row.width, phone.px(44)).cut_left(phone.px(44))
        canvas.paste(picture, phone.album.crop(picture.width, picture.height), radius=phone.px(5))
        upper, lower = words.cut_left(phone.px(12))[1].rows(2, 0)
        typesetting.line(canvas, upper, text.label(2), theme.font(14), theme.text)
        typesetting.line(canvas, lower, text.full_name(), theme.font(12), theme.muted)


def video(phone: Phone) -> None:
    """A video with its title, comments and the next ones."""
    canvas, theme, text = phone.canvas, phone.theme, phone.materials.text
    canvas.fill(canvas.area, theme.surface)
    area = status_bar(phone, theme.text)
    frame, rest = area.cut_top(area.width * 9 // 16)
    canvas.paste(frame, phone.materials.photo(frame.width, frame.height))
    if phone.chance(0.5):
        for cell, sign in zip(
            frame.centred(frame.width * 2 // 3, phone.px(48)).columns(3, 0), ("previous", "pause", "next"), strict=True
        ):
            disc = cell.centred(phone.px(46), phone.px(46))
            canvas.veil(disc, BLACK, 0.5, radius=disc.width / 2)
            icon(canvas, disc.centred(phone.px(24), phone.px(24)), sign, WHITE, weight=2.2)
        stamp = frame.inset(phone.px(12), phone.px(10)).cut_bottom(phone.px(20))[0]
        typesetting.line(
            canvas,
            stamp,
            f"{text.number(0, 9)}:{text.number(10, 60)} / {text.number(9, 40)}:{text.number(10, 60)}",
            theme.font(12, "bold"),
            WHITE,
        )
    line = box(frame.x, frame.bottom - phone.px(3), frame.width, phone.px(3))
    canvas.fill(line, (140, 140, 142))
    canvas.fill(line.cut_left(line.width * text.number(5, 95) // 100)[0], (230, 33, 23))
    body = rest.inset(phone.px(14), phone.px(10))
    used = typesetting.paragraph(
        canvas, body.cut_top(phone.px(50))[0], text.headline(), theme.font(17, "bold"), theme.text
    )
    stats = box(body.x, used.bottom + phone.px(4), body.width, phone.px(20))
    typesetting.line(
        canvas, stats, f"{text.number(2, 900)}K views · {text.number(2, 11)} months ago", theme.font(12.5), theme.muted
    )
    owner = box(body.x, stats.bottom + phone.px(8), body.width, phone.px(44))
    who, words = owner.cut_left(phone.px(50))
    name = text.full_name()
    face(phone, who.cut_left(phone.px(40))[0], name)
    action, words = words.cut_right(phone.px(100))
    pill_button(phone, action.centred(action.width, phone.px(34)), "Subscribe")
    typesetting.line(canvas, words, name, theme.font(14.5, "bold"), theme.text)
    chips = box(body.x, owner.bottom + phone.px(10), body.width, phone.px(32))
    for title in (f"{text.number(2, 99)}K likes", "Share", "Save", "Report", "Clip"):
        chips = controls.chip(canvas, chips, theme, title)
    y = owner.bottom + phone.px(56)
    with canvas.clipped(rest):
        while y < rest.bottom:
            y = _next_video(phone, box(rest.x, y, rest.width, phone.px(100)))
    navigation(phone, theme.text)


def _next_video(phone: Phone, area: Box) -> int:
    canvas, theme, text = phone.canvas, phone.theme, phone.materials.text
    row = area.inset(phone.px(14), phone.px(6))
    picture, words = row.cut_left(row.height * 16 // 9)
    canvas.paste(picture, phone.album.crop(picture.width, picture.height), radius=phone.px(8))
    font = theme.font(11, "bold")
    shown = f"{text.number(1, 30)}:{text.number(10, 60)}"
    badge = box(0, 0, font.width(shown) + phone.px(8), phone.px(17))
    badge = badge.moved(picture.right - badge.width - phone.px(5), picture.bottom - badge.height - phone.px(5))
    canvas.rounded(badge, (22, 22, 24), phone.px(4))
    canvas.mark(badge)
    typesetting.line(canvas, badge, shown, font, WHITE, align="centre")
    words = words.cut_left(phone.px(12))[1]
    used = typesetting.paragraph(canvas, words.cut_top(phone.px(46))[0], text.headline(), theme.font(14), theme.text)
    below = box(words.x, used.bottom + phone.px(3), words.width, phone.px(18))
    typesetting.line(canvas, below, f"{text.full_name()} · {text.number(2, 900)}K", theme.font(12), theme.muted)
    return area.bottom
