"""A messenger: conversations at the left, bubbles with avatars and pictures at the right; or a team's channels."""

from dataclasses import dataclass

import numpy as np

from datagen import typesetting, widgets
from datagen.canvas import Canvas
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.materials import Materials
from datagen.scenes import overlays
from datagen.scenes.team_chat import draw_team
from datagen.shapes import rounded
from datagen.theme import Theme, choose_theme, mix


@dataclass(frozen=True, slots=True, kw_only=True)
class _Message:
    mine: bool
    sender: str
    lines: tuple[str, ...]
    picture: tuple[int, int] | None
    """Width and height of an attached picture, in pixels."""
    time: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contact:
    name: str
    time: str
    chosen: bool


def draw(canvas: Canvas, materials: Materials, rng: np.random.Generator) -> None:
    """Draw the whole screen."""
    theme = choose_theme(rng, canvas, dark_share=0.45)
    text = materials.text
    people = [text.full_name() for _ in range(16)]
    canvas.fill(canvas.area, theme.page)
    body = widgets.window_bar(canvas, canvas.area, theme, f"{people[0]} - {text.label(1)} Messenger", rng)
    if rng.random() < 0.4:
        draw_team(canvas, body, theme, materials, rng)
        overlays.draw_some(canvas, body, theme, materials, rng)
        return
    if rng.random() < 0.6:
        rail, body = body.cut_left(theme.px(56))
        _rail(canvas, rail, theme)
    width = theme.px(int(rng.integers(250, 330)))
    sidebar, conversation = body.cut_left(min(width, body.width // 3))
    _sidebar(canvas, sidebar, theme, materials, people)
    _conversation(canvas, conversation, theme, materials, people, rng)
    overlays.draw_some(canvas, body, theme, materials, rng)


def _rail(canvas: Canvas, area: Box, theme: Theme) -> None:
    canvas.fill(area, mix(theme.accent, (0, 0, 0), 0.45 if theme.dark else 0.25))
    rest = area.inset(0, theme.px(12))
    for number, name in enumerate(("chat", "phone", "user", "star", "gear")):
        cell, rest = rest.cut_top(theme.px(52))
        if number == 0:
            chip = cell.centred(theme.px(40), theme.px(40))
            canvas.rounded(chip, theme.accent, theme.px(10))
            canvas.mark(chip)
        icon(
            canvas, cell.centred(theme.px(22), theme.px(22)), name, theme.on_accent if number == 0 else (225, 228, 235)
        )


def _sidebar(canvas: Canvas, area: Box, theme: Theme, materials: Materials, people: list[str]) -> None:
    canvas.fill(area, theme.surface)
    canvas.fill(area.cut_right(1)[0], theme.border)
    head, rest = area.cut_top(theme.px(56))
    title, _ = head.inset(theme.px(16), 0).cut_left(head.width - theme.px(70))
    typesetting.line(canvas, title, "Chats", theme.font(19, "bold"), theme.text)
    icon(canvas, head.cut_right(theme.px(48))[0].centred(theme.px(20), theme.px(20)), "plus", theme.muted)
    field, rest = rest.cut_top(theme.px(46))
    widgets.search_field(
        canvas, box(field.x + theme.px(12), field.y, field.width - theme.px(25), theme.px(34)), theme, "Search"
    )
    height = theme.px(64)
    minute = materials.text.number(11 * 60, 23 * 60)
    with canvas.clipped(rest):
        for number in range(rest.height // height + 1):
            row = box(rest.x, rest.y + number * height, rest.width - 1, height)
            name = people[number % len(people)]
            _chat_row(canvas, row, theme, materials, _Contact(name=name, time=_clock(minute), chosen=number == 0))
            minute -= materials.text.number(3, 70)


def _chat_row(canvas: Canvas, row: Box, theme: Theme, materials: Materials, contact: _Contact) -> None:
    if contact.chosen:
        canvas.fill(row, theme.soft_accent)
        canvas.mark(row)
    inner = row.inset(theme.px(12), theme.px(10))
    face, rest = inner.cut_left(theme.px(44))
    widgets.avatar(canvas, face, theme, materials, contact.name)
    _, rest = rest.cut_left(theme.px(12))
    upper, lower = rest.rows(2, 0)
    time, upper = upper.cut_right(theme.px(44))
    typesetting.line(canvas, time, contact.time, theme.font(11.5), theme.muted, align="right")
    typesetting.line(canvas, upper, contact.name, theme.font(14, "bold"), theme.text)
    num_unread = max(0, materials.text.number(-8, 7))
    badge, lower = lower.cut_right(theme.px(30))
    typesetting.line(canvas, lower, materials.text.chat_line(), theme.font(13), theme.muted)
    if num_unread and not contact.chosen:
        dot = badge.cut_right(theme.px(20))[0].centred(theme.px(20), theme.px(20))
        canvas.rounded(dot, theme.accent, dot.width / 2)
        canvas.mark(dot, rounded(dot.width, dot.height, dot.width / 2))
        typesetting.line(canvas, dot, str(num_unread), theme.font(11, "bold"), theme.on_accent, align="centre")


def _conversation(
    canvas: Canvas, area: Box, theme: Theme, materials: Materials, people: list[str], rng: np.random.Generator
) -> None:
    head, rest = area.cut_top(theme.px(60))
    entry, log = rest.cut_bottom(theme.px(62))
    _wallpaper(canvas, log, theme, materials, rng)
    num_people = int(rng.integers(1, 4))
    widest = min(theme.px(460), log.width * 3 // 5)
    bottom = log.bottom - theme.px(14)
    before: _Message | None = None
    minute = materials.text.number(11 * 60, 23 * 60)
    with canvas.clipped(log):
        while bottom > log.y:
            message = _message(theme, materials, people[:num_people], rng, widest=widest, time=_clock(minute))
            minute -= materials.text.number(0, 9)
            together = before is not None and (before.mine, before.sender) == (message.mine, message.sender)
            bottom = _bubble(canvas, log, theme, materials, message, bottom - theme.px(3 if together else 10))
            before = message
            if rng.random() < 0.07:
                bottom = _date(canvas, log, theme, materials.text.date(), bottom - theme.px(8))
    _head(canvas, head, theme, materials, people[0])
    _entry(canvas, entry, theme)


def _wallpaper(canvas: Canvas, area: Box, theme: Theme, materials: Materials, rng: np.random.Generator) -> None:
    """The ground behind the bubbles: plain, a gradient, a pattern, a photograph."""
    form = rng.random()
    canvas.fill(area, theme.page)
    if form < 0.1:
        canvas.paste(area, materials.photo(area.width, area.height))
    elif form < 0.25:
        canvas.gradient(area, *(mix(theme.page, theme.series[number], 0.3) for number in (1, 2)))
    elif form < 0.4:
        ink = mix(theme.page, theme.text, 0.06)
        pitch = theme.px(58)
        signs = ("star", "heart", "smile", "chat", "home", "image")
        for number in range((area.width // pitch + 1) * (area.height // pitch + 1)):
            column, row = number % (area.width // pitch + 1), number // (area.width // pitch + 1)
            place = box(area.x + column * pitch, area.y + row * pitch, theme.px(22), theme.px(22))
            with canvas.clipped(area):
                icon(canvas, place, signs[(column + 2 * row) % len(signs)], ink)


def _message(
    theme: Theme, materials: Materials, people: list[str], rng: np.random.Generator, *, widest: int, time: str
) -> _Message:
    text = materials.text
    picture: tuple[int, int] | None = None
    if rng.random() < 0.3:
        width = min(widest, theme.px(int(rng.integers(200, 380))))
        picture = (width, round(width * float(rng.choice([0.56, 0.66, 0.75, 1.0, 1.2]))))
    words = "" if picture and rng.random() < 0.6 else text.chat_line()
    if words and rng.random() < 0.25:
        words += " " + text.chat_line()
    room = (picture[0] if picture else widest) - theme.px(24)
    return _Message(
        mine=bool(rng.random() < 0.45),
        sender=text.pick(people),
        lines=tuple(typesetting.break_lines(words, theme.font(14.5), room)),
        picture=picture,
        time=time,
    )


def _bubble(canvas: Canvas, log: Box, theme: Theme, materials: Materials, message: _Message, bottom: int) -> int:
    """Draw a message that ends at `bottom`; return the row where it starts."""
    font, small = theme.font(14.5), theme.font(11)
    step, pad = theme.px(20), theme.px(12)
    text_width = max((font.width(shown) for shown in message.lines), default=0)
    time_width = small.width(message.time)
    text_height = len(message.lines) * step + theme.px(8 + 16 + 4) if message.lines else 0
    picture_width, picture_height = message.picture or (0, 0)
    width = max(text_width + 2 * pad, time_width + 2 * pad + theme.px(16), picture_width)
    area = box(0, bottom - text_height - picture_height, width, text_height + picture_height)
    margin = theme.px(16) if message.mine else theme.px(60)
    area = area.moved(log.right - margin - width if message.mine else log.x + margin, 0)
    fill = theme.accent if message.mine else mix(theme.raised, theme.text, 0.05)
    ink = theme.on_accent if message.mine else theme.text
    radius = theme.px(14)
    canvas.rounded(area, fill, radius)
    canvas.mark(area, rounded(area.width, area.height, radius))
    upper, lower = area.cut_top(picture_height)
    if message.picture:
        # Its lower corners are square where text follows: they lie below what is shown.
        below = radius if message.lines else 0
        whole = box(upper.x, upper.y, upper.width, upper.height + below)
        with canvas.clipped(upper):
            canvas.paste(whole, materials.photo(whole.width, whole.height), radius=radius)
    for number, words in enumerate(message.lines):
        row = box(lower.x + pad, lower.y + theme.px(8) + number * step, text_width, step)
        canvas.text(row.x, row.y + (step - font.height) // 2 + font.ascent, words, font, ink)
    if message.lines:
        canvas.mark(box(lower.x + pad, lower.y + theme.px(8), text_width, len(message.lines) * step))
        stamp = lower.cut_bottom(theme.px(22))[0].inset(pad, 0)
        if message.mine:
            tick, stamp = stamp.cut_right(theme.px(16))
            icon(canvas, tick.centred(theme.px(13), theme.px(13)), "check", mix(fill, ink, 0.8), weight=2.2)
        typesetting.line(canvas, stamp, message.time, small, mix(fill, ink, 0.65), align="right")
    if not message.mine:
        side = theme.px(32)
        widgets.avatar(canvas, box(log.x + theme.px(16), bottom - side, side, side), theme, materials, message.sender)
    return area.y


def _date(canvas: Canvas, log: Box, theme: Theme, date: str, bottom: int) -> int:
    """Draw the chip between two days that ends at `bottom`; return the row where it starts."""
    font = theme.font(12)
    width, height = font.width(date) + theme.px(24), theme.px(24)
    chip = box(log.x + (log.width - width) // 2, bottom - height, width, height)
    canvas.rounded(chip, mix(theme.raised, theme.text, 0.08), height / 2)
    canvas.mark(chip)
    typesetting.line(canvas, chip, date, font, theme.muted, align="centre")
    return chip.y - theme.px(4)


def _head(canvas: Canvas, head: Box, theme: Theme, materials: Materials, name: str) -> None:
    canvas.fill(head, theme.surface)
    canvas.fill(head.cut_bottom(1)[0], theme.border)
    inner = head.inset(theme.px(16), theme.px(10))
    face, rest = inner.cut_left(inner.height)
    widgets.avatar(canvas, face, theme, materials, name)
    actions, rest = rest.cut_right(theme.px(126))
    for sign, cell in zip(("phone", "video", "dots"), actions.columns(3, 0), strict=True):
        icon(canvas, cell.centred(theme.px(20), theme.px(20)), sign, theme.muted)
    upper, lower = rest.cut_left(theme.px(12))[1].rows(2, 0)
    typesetting.line(canvas, upper, name, theme.font(15, "bold"), theme.text)
    typesetting.line(canvas, lower, "online", theme.font(12), theme.muted)


def _entry(canvas: Canvas, area: Box, theme: Theme) -> None:
    canvas.fill(area, theme.surface)
    canvas.fill(area.cut_top(1)[0], theme.border)
    inner = area.inset(theme.px(14), theme.px(11))
    left, rest = inner.cut_left(theme.px(72))
    for sign, cell in zip(("clip", "smile"), left.columns(2, 0), strict=True):
        icon(canvas, cell.centred(theme.px(21), theme.px(21)), sign, theme.muted)
    send, field = rest.cut_right(theme.px(52))
    canvas.rounded(field, theme.raised, field.height / 2)
    canvas.mark(field, rounded(field.width, field.height, field.height / 2))
    typesetting.line(canvas, field.inset(theme.px(16), 0), "Write a message", theme.font(14), theme.muted)
    disc = send.cut_right(theme.px(40))[0].centred(theme.px(40), theme.px(40))
    canvas.rounded(disc, theme.accent, disc.width / 2)
    canvas.mark(disc, rounded(disc.width, disc.height, disc.width / 2))
    icon(canvas, disc.centred(theme.px(19), theme.px(19)), "send", theme.on_accent)


def _clock(minute: int) -> str:
    """Return a minute of the day as a time; the conversation is drawn backwards from its newest line."""
    return f"{minute // 60 % 24}:{minute % 60:02d}"
