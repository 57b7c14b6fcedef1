"""The lock screen and the home screen of a phone, over a wallpaper."""

from datagen import typesetting
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.phone import BLACK, WHITE, Phone, face, navigation, status_bar
from datagen.texts import MONTHS
from datagen.theme import mix

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_APPS = ("phone", "mail", "camera", "music", "calendar", "chat", "compass", "cloud", "gear", "clock", "heart", "basket",
         "video", "image", "file", "folder", "chart", "card", "mic", "globe", "pin", "play", "bookmark", "train",
         "lock", "pen", "search", "star")  # fmt: skip


def lock_screen(phone: Phone) -> None:
    """The time over a picture, and what has come in."""
    canvas, theme, text = phone.canvas, phone.theme, phone.materials.text
    _wallpaper(phone)
    area = status_bar(phone, WHITE)
    head, rest = area.cut_top(area.height // 3)
    words = head.centred(head.width, phone.px(120))
    date, clock = words.cut_top(phone.px(30))
    day = f"{text.pick(DAYS)} {text.number(1, 29)} {text.pick(MONTHS)}"
    typesetting.line(canvas, date, day, theme.font(18, "bold"), WHITE, align="centre")
    typesetting.line(
        canvas, clock, phone.time, theme.font(78, "bold" if phone.chance(0.5) else "regular"), WHITE, align="centre"
    )
    see_through = phone.chance(0.4)
    for _ in range(phone.number(1, 3 if see_through else 6)):
        card, rest = rest.cut_top(phone.px(76))
        if rest.height < phone.px(80):
            break
        _notice(phone, card.inset(phone.px(10), phone.px(4)), see_through=see_through)
    foot = area.cut_bottom(phone.px(84))[0].inset(phone.px(40), 0)
    for cell, sign in ((foot.cut_left(phone.px(50))[0], "flash"), (foot.cut_right(phone.px(50))[0], "camera")):
        disc = cell.centred(phone.px(50), phone.px(50))
        canvas.rounded(disc, (44, 44, 48), disc.width / 2)
        canvas.mark(disc)
        icon(canvas, disc.centred(phone.px(24), phone.px(24)), sign, WHITE)
    typesetting.line(canvas, foot.inset(phone.px(52), 0), "Swipe up to open", theme.font(13), WHITE, align="centre")
    navigation(phone, WHITE)


def _notice(phone: Phone, card: Box, *, see_through: bool) -> None:
    canvas, theme, text = phone.canvas, phone.theme, phone.materials.text
    card = card.centred(min(card.width, phone.px(460)), card.height)
    if see_through:
        canvas.veil(card, theme.surface, 0.78, radius=phone.px(16))
    else:
        canvas.rounded(card, theme.surface, phone.px(16))
    canvas.mark(card)
    sign, words = card.inset(phone.px(12), phone.px(10)).cut_left(phone.px(48))
    chip = sign.cut_left(phone.px(38))[0].centred(phone.px(38), phone.px(38))
    if phone.chance(0.4):
        face(phone, chip, text.full_name())
    else:
        canvas.rounded(chip, theme.series[phone.number(0, 6)], phone.px(9))
        canvas.mark(chip)
        icon(canvas, chip.centred(phone.px(22), phone.px(22)), _APPS[phone.number(0, len(_APPS))], WHITE)
    upper, lower = words.rows(2, 0)
    stamp, upper = upper.cut_right(phone.px(44))
    typesetting.line(canvas, stamp, f"{text.number(1, 59)}m", theme.font(11.5), theme.muted, align="right")
    typesetting.line(canvas, upper, text.full_name(), theme.font(14, "bold"), theme.text)
    typesetting.line(canvas, lower, text.chat_line(), theme.font(13.5), theme.text)


def _wallpaper(phone: Phone) -> None:
    canvas, theme = phone.canvas, phone.theme
    if phone.chance(0.75):
        canvas.paste(canvas.area, phone.materials.photo(canvas.area.width, canvas.area.height))
    else:
        tones = (mix(theme.series[0], BLACK, 0.3), mix(theme.series[1], BLACK, 0.6))
        canvas.gradient(canvas.area, *tones)


def home_screen(phone: Phone) -> None:
    """Apps over a wallpaper, perhaps a widget, and the dock."""
    canvas, theme, text = phone.canvas, phone.theme, phone.materials.text
    _wallpaper(phone)
    area = status_bar(phone, WHITE)
    across = 6 if phone.wide else phone.number(4, 6)
    dock, rest = area.cut_bottom(phone.px(92))
    cell_height = phone.px(96)
    if phone.chance(0.55):
        block, rest = rest.cut_top(phone.px(8))[1].cut_top(phone.px(160))
        _widget(phone, block.inset(phone.px(18), phone.px(6)))
    inner = rest.inset(phone.px(10), phone.px(4))
    order = [int(index) for index in phone.rng.permutation(len(_APPS))]
    rows = min(inner.height // cell_height, phone.number(2, 7))
    for number in range(rows * across - phone.number(0, across)):
        cell = box(
            inner.x + number % across * (inner.width // across),
            inner.y + number // across * cell_height,
            inner.width // across,
            cell_height,
        )
        _app(phone, cell.cut_top(phone.px(66))[0], order[number % len(order)])
        title = text.noun().capitalize()
        typesetting.line(
            canvas,
            cell.cut_bottom(phone.px(28))[0].cut_top(phone.px(18))[0],
            title,
            theme.font(12),
            WHITE,
            align="centre",
        )
    bar = dock.inset(phone.px(12), phone.px(6))
    if phone.chance(0.5):
        canvas.veil(bar, WHITE, 0.3, radius=phone.px(24))
    for number, cell in enumerate(bar.columns(4, 0)):
        _app(phone, cell, order[-1 - number])
    navigation(phone, WHITE)


def _app(phone: Phone, cell: Box, number: int) -> None:
    canvas, theme = phone.canvas, phone.theme
    chip = cell.centred(phone.px(58), phone.px(58))
    tone = (*theme.series, WHITE, (40, 42, 48))[number % (len(theme.series) + 2)]
    if number % 3:
        canvas.gradient(chip, mix(tone, WHITE, 0.2), mix(tone, BLACK, 0.12), radius=phone.px(14))
    else:
        canvas.rounded(chip, tone, phone.px(14))
    canvas.mark(chip)
    ink = theme.series[number % 5] if tone == WHITE else WHITE
    icon(canvas, chip.centred(phone.px(33), phone.px(33)), _APPS[number], ink, weight=2)


def _widget(phone: Phone, area: Box) -> None:
    canvas, theme, text = phone.canvas, phone.theme, phone.materials.text
    left, right = area.columns(2, phone.px(14))
    if phone.chance(0.5):
        canvas.paste(left, phone.album.crop(left.width, left.height), radius=phone.px(20))
    else:
        canvas.rounded(left, theme.surface, phone.px(20))
        canvas.mark(left)
        inner = left.inset(phone.px(14))
        head, rest = inner.cut_top(phone.px(22))
        typesetting.line(canvas, head, text.pick(DAYS).upper(), theme.font(12, "bold"), (226, 60, 52))
        day, rest = rest.cut_top(phone.px(44))
        typesetting.line(canvas, day, str(text.number(1, 31)), theme.font(36), theme.text)
        typesetting.paragraph(canvas, rest, text.label(3), theme.font(13), theme.muted)
    canvas.gradient(right, (64, 132, 214), (116, 178, 236), radius=phone.px(20))
    canvas.mark(right)
    inner = right.inset(phone.px(14))
    rows = (text.place(), f"{text.number(-5, 36)}°", text.pick(["Sunny", "Cloudy", "Rain", "Clear"]))
    for words, size, height in zip(rows, (15, 38, 13), (22, 48, 20), strict=True):
        row, inner = inner.cut_top(phone.px(height))
        typesetting.line(canvas, row, words, theme.font(size), WHITE)
