"""Apps of a phone that are mostly lists: messages, one conversation, settings, mail."""

from datagen import controls, typesetting, widgets
from datagen.canvas import Colour
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.phone import WHITE, Phone, face, header, keyboard, navigation, status_bar, tabs
from datagen.theme import mix

_SETTINGS = (
    (("plane", "Airplane mode", "switch"), ("wifi", "Wi-Fi", "word"), ("bluetooth", "Bluetooth", "On")),
    (("bell", "Notifications", ""), ("speaker", "Sounds", ""), ("moon", "Do not disturb", "switch")),
    (("gear", "General", ""), ("sun", "Display", ""), ("image", "Wallpaper", ""), ("lock", "Security", "")),
    (("phone", "Mobile network", ""), ("clock", "Screen time", ""), ("flash", "Battery", "percent")),
    (("card", "Wallet", ""), ("globe", "Language", "word"), ("cloud", "Backup", "switch"), ("shield", "Privacy", "")),
)
_MAIL_TABS = (("mail", "Inbox"), ("search", "Search"), ("calendar", "Events"), ("user", "You"))
_CHAT_TABS = (("chat", "Chats"), ("phone", "Calls"), ("camera", "Stories"), ("gear", "Settings"))


def conversations(phone: Phone) -> None:
    """The list of chats or of mails."""
    canvas, theme, text = phone.canvas, phone.theme, phone.materials.text
    canvas.fill(canvas.area, theme.surface)
    area = status_bar(phone, theme.text)
    mail = phone.chance(0.3)
    names, labels = zip(*(_MAIL_TABS if mail else _CHAT_TABS), strict=True)
    rest = tabs(phone, area, names, 0, labels=labels)
    rest = header(phone, rest, "Inbox" if mail else text.pick(["Chats", "Messages"]), ("camera", "pen"))
    field, rest = rest.cut_top(phone.px(44))
    widgets.search_field(canvas, field.inset(phone.px(14), phone.px(3)), theme, "Search")
    height = phone.px(86 if mail else 70)
    y = rest.y - (phone.number(0, height) if phone.chance(0.4) else 0)
    minute = phone.number(9 * 60, 23 * 60)
    with canvas.clipped(rest):
        while y < rest.bottom:
            _row(phone, box(rest.x, y, rest.width, height), minute, mail=mail)
            y += height
            minute = max(0, minute - phone.number(1, 60))
    navigation(phone, theme.text)


def _row(phone: Phone, area: Box, minute: int, *, mail: bool) -> None:
    canvas, theme, text = phone.canvas, phone.theme, phone.materials.text
    who, words = area.inset(phone.px(14), phone.px(9)).cut_left(phone.px(64))
    name = text.full_name()
    face(phone, who.cut_left(phone.px(50))[0].centred(phone.px(50), phone.px(50)), name)
    canvas.fill(box(words.x, area.bottom - 1, words.width + phone.px(14), 1), theme.border)
    unread = phone.chance(0.3)
    rows = words.rows(3 if mail else 2, 0)
    stamp, head = rows[0].cut_right(phone.px(52))
    ink = theme.accent if unread else theme.muted
    typesetting.line(canvas, stamp, f"{minute // 60}:{minute % 60:02d}", theme.font(12), ink, align="right")
    typesetting.line(canvas, head, name, theme.font(15.5, "bold" if unread or not mail else "regular"), theme.text)
    below = rows[-1]
    if unread:
        badge, below = below.cut_right(phone.px(32))
        disc = badge.cut_right(phone.px(20))[0].centred(phone.px(20), phone.px(20))
        canvas.rounded(disc, theme.accent, disc.width / 2)
        canvas.mark(disc)
        typesetting.line(
            canvas, disc, str(phone.number(1, 10)), theme.font(11.5, "bold"), theme.on_accent, align="centre"
        )
    if mail:
        typesetting.line(canvas, rows[1], text.label(3), theme.font(13.5, "bold" if unread else "regular"), theme.text)
    typesetting.line(canvas, below, text.sentence() if mail else text.chat_line(), theme.font(14), theme.muted)


def conversation(phone: Phone) -> None:
    """One chat with bubbles and pictures, perhaps with the keyboard."""
    canvas, theme, text = phone.canvas, phone.theme, phone.materials.text
    pictured = phone.chance(0.12)
    canvas.fill(canvas.area, theme.page)
    area = status_bar(phone, theme.text)
    name = text.full_name()
    bar, rest = area.cut_top(phone.px(54))
    _partner(phone, bar, name)
    if phone.chance(0.35):
        rest = keyboard(phone, rest)
    entry, log = rest.cut_bottom(phone.px(54))
    if pictured:
        canvas.paste(log, phone.materials.photo(log.width, log.height))
    _entry(phone, entry)
    share = float(phone.rng.choice([0.0, 0.12, 0.3]))
    mine = theme.accent if phone.chance(0.5) else mix(theme.surface, theme.accent, 0.3)
    bottom = log.bottom - phone.px(10)
    with canvas.clipped(log):
        while bottom > log.y:
            bottom = _bubble(phone, log, bottom, mine, share)
            if phone.chance(0.12):
                bottom -= phone.px(28)
                _day(phone, log, bottom)
                bottom -= phone.px(8)
    navigation(phone, theme.text)


def _day(phone: Phone, log: Box, y: int) -> None:
    canvas, theme = phone.canvas, phone.theme
    chip = box(0, 0, phone.px(84), phone.px(22)).moved(log.x + (log.width - phone.px(84)) // 2, y)
    canvas.rounded(chip, theme.raised, chip.height / 2)
    canvas.mark(chip)
    day = phone.materials.text.pick(("Today", "Yesterday", "Monday"))
    typesetting.line(canvas, chip, day, theme.font(11.5), theme.muted, align="centre")


def _partner(phone: Phone, bar: Box, name: str) -> None:
    canvas, theme = phone.canvas, phone.theme
    ground = box(bar.x, 0, bar.width, bar.bottom)
    canvas.fill(box(bar.x, bar.y, bar.width, bar.height), theme.surface)
    canvas.fill(ground.cut_bottom(1)[0], theme.border)
    inner = bar.inset(phone.px(10), phone.px(8))
    back, inner = inner.cut_left(phone.px(30))
    icon(canvas, back.centred(phone.px(22), phone.px(22)), "back", theme.accent, weight=2)
    who, inner = inner.cut_left(phone.px(46))
    face(phone, who.cut_left(phone.px(38))[0].centred(phone.px(38), phone.px(38)), name)
    for sign in ("phone", "video"):
        cell, inner = inner.cut_right(phone.px(40))
        icon(canvas, cell.centred(phone.px(22), phone.px(22)), sign, theme.accent)
    upper, lower = inner.rows(2, 0)
    typesetting.line(canvas, upper, name, theme.font(15, "bold"), theme.text)
    typesetting.line(canvas, lower, "online" if phone.chance(0.6) else "last seen today", theme.font(12), theme.muted)


def _entry(phone: Phone, area: Box) -> None:
    canvas, theme = phone.canvas, phone.theme
    canvas.fill(area, theme.surface)
    inner = area.inset(phone.px(8), phone.px(8))
    for side, sign in (("left", "plus"), ("right", "mic"), ("right", "camera")):
        cell, inner = inner.cut_left(phone.px(38)) if side == "left" else inner.cut_right(phone.px(38))
        icon(canvas, cell.centred(phone.px(22), phone.px(22)), sign, theme.accent)
    canvas.rounded(inner, theme.raised, inner.height / 2)
    canvas.mark(inner)
    words = phone.materials.text.chat_line() if phone.chance(0.3) else "Message"
    typesetting.line(canvas, inner.inset(phone.px(14), 0), words, theme.font(14.5), theme.muted)


def _bubble(phone: Phone, log: Box, bottom: int, mine: Colour, share: float) -> int:
    """Draw one message that ends at `bottom`; return where the one before it ends."""
    canvas, theme, text = phone.canvas, phone.theme, phone.materials.text
    own = phone.chance(0.5)
    widest = min(log.width * 3 // 4, phone.px(420))
    font = theme.font(15)
    pad = phone.px(12)
    if phone.chance(share):
        width = widest * phone.number(70, 100) // 100
        height = width * phone.number(60, 130) // 100
        x = log.right - width - phone.px(12) if own else log.x + phone.px(12)
        canvas.paste(box(x, bottom - height, width, height), phone.album.crop(width, height), radius=phone.px(16))
        return bottom - height - phone.px(6)
    words = " ".join(text.chat_line() for _ in range(1 if phone.chance(0.7) else 2))
    lines = typesetting.break_lines(words, font, widest - 2 * pad)
    width = max(font.width(line) for line in lines) + 2 * pad
    step = round(font.size * 1.3)
    height = len(lines) * step + phone.px(15)
    x = log.right - width - phone.px(12) if own else log.x + phone.px(12)
    place = box(x, bottom - height, width, height)
    canvas.rounded(place, mine if own else theme.surface, min(phone.px(17), height / 2))
    canvas.mark(place)
    ink = theme.on_accent if own and mine == theme.accent else theme.text
    typesetting.paragraph(canvas, place.inset(pad, phone.px(7)), words, font, ink, leading=1.3)
    return place.y - phone.px(4 if phone.chance(0.6) else 14)


def settings(phone: Phone) -> None:
    """The system's settings in groups."""
    canvas, theme, text = phone.canvas, phone.theme, phone.materials.text
    ground = theme.page if not theme.dark else mix(theme.page, (0, 0, 0), 0.3)
    canvas.fill(canvas.area, mix(ground, theme.text, 0.03))
    rest = header(phone, status_bar(phone, theme.text), "Settings", ("search",))
    column = rest.inset(phone.px(14), 0).centred(min(rest.width - phone.px(28), phone.px(620)), rest.height)
    if phone.chance(0.35):
        column = column.moved(0, -phone.px(90))
    column = box(column.x, column.y, column.width, canvas.area.bottom - column.y)
    coloured = phone.chance(0.6)
    with canvas.clipped(box(rest.x, rest.y, rest.width, canvas.area.bottom - rest.y)):
        head, column = column.cut_top(phone.px(76))
        canvas.rounded(head, theme.surface, phone.px(12))
        canvas.mark(head)
        who, words = head.inset(phone.px(14), phone.px(12)).cut_left(phone.px(64))
        name = text.full_name()
        face(phone, who.cut_left(phone.px(52))[0], name)
        upper, lower = words.rows(2, 0)
        typesetting.line(canvas, upper, name, theme.font(17, "bold"), theme.text)
        typesetting.line(canvas, lower, "Account, cloud and more", theme.font(13), theme.muted)
        for index in phone.rng.permutation(len(_SETTINGS)):
            group = _SETTINGS[int(index)]
            column = column.cut_top(phone.px(18))[1]
            block, column = column.cut_top(phone.px(47) * len(group))
            block = box(block.x, block.y, block.width, phone.px(47) * len(group))
            canvas.rounded(block, theme.surface, phone.px(12))
            canvas.mark(block)
            for number, (row, entry) in enumerate(zip(block.rows(len(group), 0), group, strict=True)):
                if number:
                    canvas.fill(row.cut_top(1)[0].cut_left(phone.px(56))[1], theme.border)
                colour = theme.series[(int(index) * 3 + number) % len(theme.series)] if coloured else None
                _setting(phone, row.inset(phone.px(14), 0), entry, colour)
    navigation(phone, theme.text)


def _setting(phone: Phone, row: Box, entry: tuple[str, str, str], colour: Colour | None) -> None:
    canvas, theme, text = phone.canvas, phone.theme, phone.materials.text
    sign, title, value = entry
    cell, rest = row.cut_left(phone.px(42))
    chip = cell.cut_left(phone.px(29))[0].centred(phone.px(29), phone.px(29))
    if colour is None:
        icon(canvas, chip.centred(phone.px(22), phone.px(22)), sign, theme.muted)
    else:
        canvas.rounded(chip, colour, phone.px(7))
        canvas.mark(chip)
        icon(canvas, chip.centred(phone.px(18), phone.px(18)), sign, WHITE, weight=2)
    if value == "switch":
        controls.switch(canvas, rest, theme, on=phone.chance(0.5))
    else:
        more, rest = rest.cut_right(phone.px(18))
        icon(canvas, more.centred(phone.px(14), phone.px(14)), "right", theme.muted)
        shown = {"word": text.place(), "percent": f"{text.number(5, 100)} %"}.get(value, value)
        if shown:
            typesetting.line(canvas, rest, shown, theme.font(14.5), theme.muted, align="right")
    typesetting.line(canvas, rest.cut_left(rest.width * 6 // 10)[0], title, theme.font(15.5), theme.text)
