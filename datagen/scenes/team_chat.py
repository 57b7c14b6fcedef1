"""A team's chat: channels at the left, messages one below another with reactions, threads, pictures and code."""

import numpy as np

from datagen import typesetting, widgets
from datagen.canvas import Canvas, Colour
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.materials import Materials
from datagen.shapes import rounded
from datagen.theme import Theme, mix

_LONGEST = 700
"""Height at 1x of all that may be drawn below the pane's lower edge."""
_MEMBERS_ROOM = 1050
_REACTIONS = ("heart", "smile", "check", "star")
_RATIOS = (0.56, 0.66, 0.75, 1.0, 1.25)


def draw_team(canvas: Canvas, area: Box, theme: Theme, materials: Materials, rng: np.random.Generator) -> None:
    """Fill `area` with the whole application."""
    text = materials.text
    people = [text.full_name() for _ in range(14)]
    dark_side = theme.dark or rng.random() < 0.6
    ground: Colour = mix(theme.accent, (10, 10, 14), 0.78) if dark_side else theme.raised
    ink: Colour = (214, 216, 224) if dark_side else theme.text
    if rng.random() < 0.5:
        rail, area = area.cut_left(theme.px(64))
        _rail(canvas, rail, theme, mix(ground, (0, 0, 0), 0.3 if dark_side else 0.06), materials)
    side, area = area.cut_left(min(theme.px(int(rng.integers(190, 260))), area.width * 3 // 10))
    channels = [f"{text.noun()}-{text.noun()}" if text.number(0, 2) else text.noun() for _ in range(24)]
    _side(canvas, side, theme, (ground, ink), materials, (channels, people))
    head, area = area.cut_top(theme.px(52))
    if area.width > theme.px(_MEMBERS_ROOM) and rng.random() < 0.5:
        members, area = area.cut_right(theme.px(240))
        _members(canvas, members, theme, materials, people)
    _head(canvas, head, theme, channels[0], text.sentence())
    entry, log = area.cut_bottom(theme.px(84))
    _log(canvas, log, theme, materials, rng, people[: text.number(2, 8)])
    _entry(canvas, entry, theme, channels[0])


def _rail(canvas: Canvas, area: Box, theme: Theme, ground: Colour, materials: Materials) -> None:
    """Workspaces: letters, or pictures."""
    canvas.fill(area, ground)
    rest = area.inset(0, theme.px(10))
    for number in range(materials.text.number(2, 7)):
        cell, rest = rest.cut_top(theme.px(56))
        badge = cell.centred(theme.px(42), theme.px(42))
        radius = theme.px(12) if number == 0 else badge.width / 2
        if materials.text.number(0, 3) == 0:
            canvas.paste(badge, materials.photo(badge.width, badge.height), radius=radius)
            continue
        canvas.rounded(badge, theme.series[number % 8], radius)
        canvas.mark(badge, rounded(badge.width, badge.height, radius))
        letter = materials.text.noun()[0].upper()
        typesetting.line(canvas, badge, letter, theme.font(18, "bold"), (255, 255, 255), align="centre")


def _side(
    canvas: Canvas,
    area: Box,
    theme: Theme,
    colours: tuple[Colour, Colour],
    materials: Materials,
    names: tuple[list[str], list[str]],
) -> None:
    """The list of channels and people; `colours` are the ground and the ink."""
    ground, ink = colours
    channels, people = names
    canvas.fill(area, ground)
    head, rest = area.cut_top(theme.px(52))
    canvas.fill(head.cut_bottom(1)[0], mix(ground, ink, 0.15))
    title = head.inset(theme.px(16), 0)
    typesetting.line(canvas, title, materials.text.label(2), theme.font(16, "bold"), mix(ink, (255, 255, 255), 0.4))
    num_channels = materials.text.number(5, 16)
    rest = rest.cut_top(theme.px(10))[1]
    rows = [("", "Channels"), *(("channel", name) for name in channels[:num_channels])]
    rows += [("", "Direct messages"), *(("person", name) for name in people)]
    for number, (kind, name) in enumerate(rows):
        row, rest = rest.cut_top(theme.px(29))
        if row.height < theme.px(29):
            return
        line = row.inset(theme.px(8), theme.px(1))
        colour = mix(ink, ground, 0.25)
        if number == 1:
            canvas.rounded(line, mix(ground, theme.accent, 0.6), theme.px(6))
            canvas.mark(line)
            colour = (255, 255, 255)
        elif materials.text.number(0, 6) == 0:
            colour = ink
        sign, words = line.inset(theme.px(10), 0).cut_left(theme.px(26))
        if kind == "person":
            widgets.avatar(canvas, sign.cut_left(theme.px(20))[0], theme, materials, name)
        elif kind == "channel":
            typesetting.line(canvas, sign, "#", theme.font(15), colour)
        else:
            words = line.inset(theme.px(10), 0)
        style = "bold" if colour == ink else "regular"
        typesetting.line(canvas, words, name, theme.font(14, style), colour)


def _members(canvas: Canvas, area: Box, theme: Theme, materials: Materials, people: list[str]) -> None:
    canvas.fill(area, theme.surface)
    canvas.fill(area.cut_left(1)[0], theme.border)
    rest = area.inset(theme.px(16), theme.px(16))
    head, rest = rest.cut_top(theme.px(28))
    typesetting.line(canvas, head, f"Members - {len(people)}", theme.font(12.5, "bold"), theme.muted)
    for name in people:
        row, rest = rest.cut_top(theme.px(44))
        if row.height < theme.px(44):
            return
        face, words = row.inset(0, theme.px(6)).cut_left(theme.px(32))
        widgets.avatar(canvas, face, theme, materials, name)
        dot = box(face.right - theme.px(9), face.bottom - theme.px(9), theme.px(10), theme.px(10))
        canvas.rounded(dot, (50, 170, 90) if materials.text.number(0, 3) else theme.muted, dot.width / 2)
        typesetting.line(canvas, words.cut_left(theme.px(12))[1], name, theme.font(14), theme.text)


def _head(canvas: Canvas, area: Box, theme: Theme, channel: str, topic: str) -> None:
    canvas.fill(area, theme.surface)
    canvas.fill(area.cut_bottom(1)[0], theme.border)
    right, rest = area.inset(theme.px(16), 0).cut_right(theme.px(116))
    name = typesetting.line(canvas, rest, f"# {channel}", theme.font(16, "bold"), theme.text)
    left = rest.cut_left(name.width + theme.px(16))[1]
    typesetting.line(canvas, left, topic, theme.font(13), theme.muted)
    for sign, cell in zip(("user", "bell", "search"), right.columns(3, 0), strict=True):
        icon(canvas, cell.centred(theme.px(19), theme.px(19)), sign, theme.muted)


def _log(
    canvas: Canvas, area: Box, theme: Theme, materials: Materials, rng: np.random.Generator, people: list[str]
) -> None:
    """Messages from the top, as after a jump to an older one."""
    canvas.fill(area, theme.surface)
    text = materials.text
    pad = theme.px(20)
    # Longer than the pane, which cuts what it does not show.
    rest = box(area.x + pad, area.y - theme.px(20), area.width - 2 * pad, area.height + theme.px(_LONGEST))
    minute = text.number(7 * 60, 18 * 60)
    with canvas.clipped(area):
        while rest.y < area.bottom:
            if rng.random() < 0.08:
                rest = _date(canvas, rest, theme, text.date())
            minute += text.number(0, 25)
            stamp = f"{minute // 60 % 24}:{minute % 60:02d}"
            rest = _message(canvas, rest, theme, materials, rng, (text.pick(people), stamp))


def _date(canvas: Canvas, area: Box, theme: Theme, date: str) -> Box:
    row, rest = area.cut_top(theme.px(34))
    canvas.fill(row.centred(row.width, 1), theme.border)
    font = theme.font(12, "bold")
    chip = row.centred(font.width(date) + theme.px(26), theme.px(24))
    canvas.rounded(chip, theme.surface, chip.height / 2)
    canvas.outline(chip, theme.border, radius=chip.height / 2)
    canvas.mark(chip)
    typesetting.line(canvas, chip, date, font, theme.text, align="centre")
    return rest


def _message(
    canvas: Canvas,
    area: Box,
    theme: Theme,
    materials: Materials,
    rng: np.random.Generator,
    said: tuple[str, str],
) -> Box:
    """One message; `said` is by whom and when. Return what is left below."""
    text = materials.text
    name, stamp = said
    rest = area.cut_top(theme.px(8))[1]
    widgets.avatar(canvas, box(rest.x, rest.y + theme.px(2), theme.px(38), theme.px(38)), theme, materials, name)
    rest = rest.cut_left(theme.px(50))[1]
    head, rest = rest.cut_top(theme.px(21))
    named = typesetting.line(canvas, head, name, theme.font(14.5, "bold"), theme.text)
    right = head.cut_left(named.width + theme.px(9))[1]
    typesetting.line(canvas, right, stamp, theme.font(12), theme.muted)
    for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
        words = " ".join(text.chat_line() for _ in range(int(rng.choice([1, 1, 2, 3]))))
        line = rest.cut_left(min(rest.width, theme.px(760)))[0]
        used = typesetting.paragraph(canvas, line, words, theme.font(14.5), theme.text, leading=1.42)
        rest = rest.cut_top(used.height + theme.px(3))[1]
    form = rng.random()
    if form < 0.2:
        rest = _pictures(canvas, rest, theme, materials, rng)
    elif form < 0.3:
        rest = _code(canvas, rest, theme, materials)
    elif form < 0.38:
        rest = _link(canvas, rest, theme, materials)
    if rng.random() < 0.25:
        rest = _reactions(canvas, rest, theme, materials)
    if rng.random() < 0.12:
        row, rest = rest.cut_top(theme.px(28))
        face, beside = row.cut_left(theme.px(30))
        widgets.avatar(canvas, face.cut_left(theme.px(22))[0], theme, materials, text.full_name())
        replies = f"{text.number(2, 30)} replies"
        typesetting.line(canvas, beside, replies, theme.font(13, "bold"), theme.accent)
    return box(area.x, rest.y + theme.px(6), area.width, max(0, rest.height - theme.px(6)))


def _pictures(canvas: Canvas, area: Box, theme: Theme, materials: Materials, rng: np.random.Generator) -> Box:
    count = int(rng.choice([1, 1, 1, 2, 3]))
    width = min((area.width - theme.px(16)) // count, theme.px(int(rng.integers(170, 400)) // (1 if count == 1 else 2)))
    height = max(1, round(width * float(rng.choice(_RATIOS))))
    row, rest = area.cut_top(height + theme.px(10))
    for number in range(count):
        shown = box(row.x + number * (width + theme.px(6)), row.y + theme.px(4), width, height)
        canvas.paste(shown, materials.photo(width, height), radius=theme.px(8))
    return rest


def _code(canvas: Canvas, area: Box, theme: Theme, materials: Materials) -> Box:
    lines = materials.code(num_lines=20).lines[: materials.text.number(3, 9)]
    font = theme.mono_font(12.5)
    step = round(font.size * 1.45)
    row, rest = area.cut_top(len(lines) * step + theme.px(22))
    frame = row.cut_left(min(row.width, theme.px(720)))[0].inset(0, theme.px(4))
    canvas.rounded(frame, theme.raised, theme.px(6))
    canvas.outline(frame, theme.border, radius=theme.px(6))
    canvas.mark(frame)
    with canvas.clipped(frame):
        for number, tokens in enumerate(lines):
            baseline = frame.y + theme.px(7) + number * step + font.ascent
            canvas.text(frame.x + theme.px(10), baseline, "".join(token for token, _ in tokens), font, theme.text)
    return rest


def _link(canvas: Canvas, area: Box, theme: Theme, materials: Materials) -> Box:
    """A card that shows what a link leads to."""
    text = materials.text
    row, rest = area.cut_top(theme.px(104))
    card = row.cut_left(min(row.width, theme.px(460)))[0].inset(0, theme.px(4))
    canvas.fill(card.cut_left(theme.px(4))[0], text.pick(theme.series))
    inner = card.inset(theme.px(16), theme.px(6))
    if text.number(0, 2):
        place, inner = inner.cut_right(inner.height)
        canvas.paste(place, materials.photo(place.width, place.height), radius=theme.px(6))
        inner = inner.cut_right(theme.px(12))[1]
    first, second = inner.cut_top(theme.px(20))
    typesetting.line(canvas, first, f"{text.noun()}.example", theme.font(12.5), theme.muted)
    title, words = second.cut_top(theme.px(22))
    typesetting.line(canvas, title, text.headline(), theme.font(14, "bold"), theme.accent)
    typesetting.paragraph(canvas, words, text.paragraph(2), theme.font(13), theme.text)
    return rest


def _reactions(canvas: Canvas, area: Box, theme: Theme, materials: Materials) -> Box:
    row, rest = area.cut_top(theme.px(32))
    for sign in _REACTIONS[: materials.text.number(1, 5)]:
        cell, row = row.cut_left(theme.px(56))
        chip = cell.inset(theme.px(2), theme.px(3))
        own = materials.text.number(0, 3) == 0
        canvas.rounded(chip, theme.soft_accent if own else theme.raised, chip.height / 2)
        canvas.outline(chip, theme.accent if own else theme.border, radius=chip.height / 2)
        canvas.mark(chip)
        left, right = chip.inset(theme.px(6), 0).columns(2, 0)
        icon(canvas, left.centred(theme.px(15), theme.px(15)), sign, theme.accent if own else theme.muted)
        count = str(materials.text.number(1, 25))
        typesetting.line(canvas, right, count, theme.font(12), theme.text, align="centre")
    return rest


def _entry(canvas: Canvas, area: Box, theme: Theme, channel: str) -> None:
    canvas.fill(area, theme.surface)
    field = area.inset(theme.px(20), theme.px(8))
    canvas.rounded(field, theme.surface, theme.px(8))
    canvas.outline(field, theme.border, radius=theme.px(8))
    canvas.mark(field)
    upper, lower = field.inset(theme.px(12), theme.px(3)).rows(2, 0)
    typesetting.line(canvas, upper, f"Message #{channel}", theme.font(14), theme.muted)
    for sign in ("plus", "type", "smile", "clip", "mic"):
        cell, lower = lower.cut_left(theme.px(32))
        icon(canvas, cell.centred(theme.px(17), theme.px(17)), sign, theme.muted)
    send = lower.cut_right(theme.px(30))[0]
    icon(canvas, send.centred(theme.px(18), theme.px(18)), "send", theme.accent)
