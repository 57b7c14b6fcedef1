"""Apps of a phone that show pictures in grids and singly: the camera, its roll, a shop."""

from datagen import controls, typesetting, widgets
from datagen.geometry import Box, box
from datagen.icons import icon, solid_icon
from datagen.phone import BLACK, WHITE, Phone, header, navigation, pill_button, status_bar, tabs
from datagen.texts import MONTHS
from datagen.theme import mix


def camera_roll(phone: Phone) -> None:
    """The pictures that were taken, in squares by month."""
    canvas, theme, text = phone.canvas, phone.theme, phone.materials.text
    canvas.fill(canvas.area, theme.surface)
    area = status_bar(phone, theme.text)
    rest = tabs(
        phone, area, ("image", "heart", "search", "folder"), 0, labels=("Photos", "For you", "Search", "Albums")
    )
    rest = header(phone, rest, text.pick(["Photos", "Library", "Recents", text.place()]), ("search", "dots"))
    across = phone.number(3, 6) + (2 if phone.wide else 0)
    gap = max(1, phone.px(float(phone.rng.choice([1, 2, 4]))))
    side = (rest.width - gap * (across - 1)) // across
    choosing = phone.chance(0.25)
    month = phone.number(0, 12)
    y = rest.y - phone.number(0, side)
    with canvas.clipped(rest):
        while y < rest.bottom:
            words = box(rest.x + phone.px(14), y, rest.width, phone.px(40))
            typesetting.line(
                canvas, words, f"{MONTHS[month]} {text.number(2019, 2026)}", theme.font(16, "bold"), theme.text
            )
            y = words.bottom
            for number in range(phone.number(3, across * 5)):
                x = rest.x + number % across * (side + gap)
                place = box(
                    x,
                    y + number // across * (side + gap),
                    side if number % across < across - 1 else rest.right - x,
                    side,
                )
                if place.y < rest.bottom and place.bottom > rest.y:
                    _shot(phone, place, choosing=choosing)
            y += (number // across + 1) * (side + gap)
            month = (month - 1) % 12
    navigation(phone, theme.text)


def _shot(phone: Phone, place: Box, *, choosing: bool) -> None:
    canvas, theme = phone.canvas, phone.theme
    canvas.paste(place, phone.album.crop(place.width, place.height))
    corner = place.inset(phone.px(5)).cut_bottom(phone.px(16))[0]
    if phone.chance(0.12):
        words = f"{phone.number(0, 4)}:{phone.number(0, 60):02d}"
        typesetting.line(canvas, corner, words, theme.font(11, "bold"), WHITE, align="right")
    if choosing and phone.chance(0.4):
        disc = corner.cut_right(phone.px(20))[0].centred(phone.px(20), phone.px(20))
        canvas.rounded(disc, theme.accent, disc.width / 2)
        icon(canvas, disc.inset(phone.px(3)), "check", theme.on_accent, weight=2.6)


def camera(phone: Phone) -> None:
    """The camera's view with its buttons."""
    canvas, theme, text = phone.canvas, phone.theme, phone.materials.text
    canvas.fill(canvas.area, BLACK)
    area = status_bar(phone, WHITE)
    top, rest = area.cut_top(phone.px(46))
    for cell, sign in zip(top.columns(4, 0), ("flash", "moon", "clock", "gear"), strict=True):
        icon(canvas, cell.centred(phone.px(21), phone.px(21)), sign, WHITE)
    height = min(rest.width * 4 // 3, rest.height - phone.px(150))
    view, rest = rest.cut_top(height)
    canvas.paste(view, phone.materials.photo(view.width, view.height))
    if phone.chance(0.5):
        for part in (1, 2):
            canvas.fill(box(view.x + view.width * part // 3, view.y, 1, view.height), (235, 235, 235))
            canvas.fill(box(view.x, view.y + view.height * part // 3, view.width, 1), (235, 235, 235))
    if phone.chance(0.5):
        spot = box(
            view.x + view.width * phone.number(20, 70) // 100,
            view.y + view.height * phone.number(20, 70) // 100,
            phone.px(64),
            phone.px(64),
        )
        canvas.outline(spot, (255, 204, 0), thickness=max(1, phone.px(1.2)))
    zooms = view.cut_bottom(phone.px(52))[0].centred(phone.px(132), phone.px(34))
    for number, (cell, words) in enumerate(zip(zooms.columns(3, phone.px(10)), (".5", "1x", "3"), strict=True)):
        disc = cell.centred(phone.px(32), phone.px(32))
        canvas.rounded(disc, (30, 30, 32), disc.width / 2)
        canvas.mark(disc)
        ink = (255, 204, 0) if number == 1 else WHITE
        typesetting.line(canvas, disc, words, theme.font(12, "bold"), ink, align="centre")
    modes, rest = rest.cut_top(phone.px(38))
    for number, (cell, words) in enumerate(
        zip(modes.columns(5, 0), ("SLOW", "VIDEO", "PHOTO", "PORTRAIT", "PANO"), strict=True)
    ):
        ink = (255, 204, 0) if number == 2 else WHITE
        typesetting.line(canvas, cell, words, theme.font(12, "bold"), ink, align="centre")
    left, middle, right = rest.centred(rest.width, phone.px(72)).columns(3, 0)
    disc = middle.centred(phone.px(68), phone.px(68))
    canvas.rounded(disc, WHITE, disc.width / 2)
    canvas.outline(disc.inset(phone.px(4)), BLACK, radius=disc.width / 2, thickness=max(1, phone.px(2)))
    canvas.mark(disc)
    last = left.centred(phone.px(48), phone.px(48))
    canvas.paste(last, phone.album.crop(last.width, last.height), radius=phone.px(8))
    icon(canvas, right.centred(phone.px(28), phone.px(28)), "reload", WHITE)
    if phone.chance(0.3):
        typesetting.line(canvas, top, f"{text.number(1, 900)} left", theme.font(11), WHITE, align="centre")
    navigation(phone, WHITE)


def shop(phone: Phone) -> None:
    """A shop's list of goods, or the page of one."""
    if phone.chance(0.35):
        _product(phone)
        return
    canvas, theme, text = phone.canvas, phone.theme, phone.materials.text
    canvas.fill(canvas.area, theme.page)
    area = status_bar(phone, theme.text)
    rest = tabs(
        phone,
        area,
        ("home", "grid", "heart", "basket", "user"),
        phone.number(0, 2),
        labels=("Home", "Browse", "Saved", "Basket", "Account"),
    )
    rest = header(phone, rest, text.noun().capitalize(), ("bell", "basket"))
    field, rest = rest.cut_top(phone.px(44))
    widgets.search_field(canvas, field.inset(phone.px(14), phone.px(3)), theme, f"Search {text.noun()}")
    chips, rest = rest.cut_top(phone.px(44))
    line = chips.inset(phone.px(14), phone.px(8))
    for number in range(6):
        line = controls.chip(
            canvas, line, theme, text.noun().capitalize(), colour=theme.accent if number == 0 else None
        )
    with canvas.clipped(rest):
        column = box(rest.x, rest.y, rest.width, 4 * canvas.area.height).inset(phone.px(14), 0)
        if phone.chance(0.4):
            column = _banner(phone, column)
        across = (3 if phone.wide else 2) if phone.chance(0.8) else (4 if phone.wide else 3)
        gap = phone.px(12)
        tall = phone.chance(0.4)
        while column.y < rest.bottom:
            cells = column.columns(across, gap)
            side = cells[0].width * (5 if tall else 4) // 4
            for cell in cells:
                _goods(phone, box(cell.x, cell.y, cell.width, side))
            column = column.cut_top(side + phone.px(74))[1]
    navigation(phone, theme.text)


def _banner(phone: Phone, area: Box) -> Box:
    canvas, theme, text = phone.canvas, phone.theme, phone.materials.text
    place = box(area.x, area.y, area.width, phone.px(140))
    canvas.paste(place, phone.album.crop(place.width, place.height), radius=phone.px(14))
    words = place.inset(phone.px(16), phone.px(20))
    head, rest = words.cut_top(phone.px(34))
    typesetting.line(canvas, head, text.label(2), theme.font(24, "bold"), WHITE)
    line, rest = rest.cut_top(phone.px(22))
    typesetting.line(canvas, line, f"Up to {text.number(2, 8) * 10} % off", theme.font(14), WHITE)
    pill_button(phone, rest.cut_top(phone.px(6))[1].cut_left(phone.px(100))[0].cut_top(phone.px(32))[0], "Shop now")
    return area.cut_top(place.height + phone.px(14))[1]


def _goods(phone: Phone, picture: Box) -> None:
    canvas, theme, text = phone.canvas, phone.theme, phone.materials.text
    canvas.paste(picture, phone.album.crop(picture.width, picture.height), radius=phone.px(10))
    spot = box(picture.right - phone.px(34), picture.y + phone.px(6), phone.px(28), phone.px(28))
    canvas.rounded(spot, WHITE, spot.width / 2)
    icon(canvas, spot.centred(phone.px(17), phone.px(17)), "heart", (70, 72, 78))
    rows = box(picture.x, picture.bottom + phone.px(4), picture.width, phone.px(60)).rows(3, 0)
    typesetting.line(canvas, rows[0], text.label(3), theme.font(13), theme.text)
    price = f"${text.number(2, 400)}.{text.pick(['00', '50', '95', '99'])}"
    typesetting.line(canvas, rows[1], price, theme.font(14.5, "bold"), theme.text)
    star, count = rows[2].cut_left(phone.px(16))
    solid_icon(canvas, star.cut_left(phone.px(12))[0], "star", (244, 176, 34))
    typesetting.line(
        canvas, count, f"{text.number(30, 51) / 10:.1f} ({text.number(3, 4000)})", theme.font(11.5), theme.muted
    )


def _product(phone: Phone) -> None:
    canvas, theme, text = phone.canvas, phone.theme, phone.materials.text
    canvas.fill(canvas.area, theme.surface)
    top = canvas.area.cut_top(canvas.area.height * phone.number(38, 52) // 100)[0]
    canvas.paste(top, phone.materials.photo(top.width, top.height))
    area = status_bar(phone, WHITE if phone.chance(0.5) else BLACK)
    signs = area.cut_top(phone.px(50))[0].inset(phone.px(12), 0)
    for cell, sign in ((signs.cut_left(phone.px(36))[0], "back"), (signs.cut_right(phone.px(36))[0], "heart")):
        disc = cell.centred(phone.px(34), phone.px(34))
        canvas.rounded(disc, theme.surface, disc.width / 2)
        icon(canvas, disc.centred(phone.px(19), phone.px(19)), sign, theme.text)
    for number in range(4):
        dot = box(
            top.x + top.width // 2 + phone.px(10 * number - 20), top.bottom - phone.px(30), phone.px(6), phone.px(6)
        )
        canvas.rounded(dot, WHITE if number else theme.accent, dot.width / 2)
    sheet = box(area.x, top.bottom - phone.px(16), area.width, canvas.area.bottom - top.bottom + phone.px(60))
    canvas.rounded(sheet, theme.surface, phone.px(18))
    foot = area.cut_bottom(phone.px(62))[0]
    rest = box(sheet.x, sheet.y, sheet.width, foot.y - sheet.y).inset(phone.px(18), phone.px(18))
    for words, size, ink, height in (
        (text.label(3), 21, theme.text, 30),
        (f"${text.number(5, 900)}.00", 19, theme.accent, 30),
        (f"{text.number(30, 51) / 10:.1f} stars, {text.number(3, 4000)} reviews", 12.5, theme.muted, 24),
    ):
        row, rest = rest.cut_top(phone.px(height))
        typesetting.line(canvas, row, words, theme.font(size, "regular" if size < 14 else "bold"), ink)
    sizes, rest = rest.cut_top(phone.px(52))
    for number, (cell, words) in enumerate(
        zip(
            sizes.centred(sizes.width, phone.px(36)).columns(6, phone.px(8)),
            ("XS", "S", "M", "L", "XL", "2XL"),
            strict=True,
        )
    ):
        canvas.outline(
            cell, theme.accent if number == 2 else theme.border, radius=phone.px(8), thickness=max(1, phone.px(1.3))
        )
        canvas.mark(cell)
        typesetting.line(canvas, cell, words, theme.font(13), theme.text, align="centre")
    typesetting.paragraph(
        canvas, rest, text.paragraph(6), theme.font(13.5), mix(theme.text, theme.surface, 0.25), leading=1.5
    )
    pill_button(phone, foot.inset(phone.px(18), phone.px(8)), "Add to basket")
    navigation(phone, theme.text)
