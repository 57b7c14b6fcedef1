"""A map and the weather on a phone."""

from datagen import map_layers, typesetting
from datagen.canvas import Colour
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.phone import BLACK, WHITE, Phone, face, navigation, pill_button, status_bar
from datagen.phone_screens import DAYS
from datagen.theme import mix

_SKIES: tuple[Colour, ...] = ((46, 110, 190), (24, 34, 66), (96, 116, 140), (228, 140, 90))
_WEATHER = ("sun", "cloud", "drop")
_SUNNY: Colour = (255, 214, 90)


def city_map(phone: Phone) -> None:
    """A map with a search field above and a sheet about a place below."""
    canvas, theme, text = phone.canvas, phone.theme, phone.materials.text
    screen = canvas.area
    below = screen.height * phone.number(22, 50) // 100
    view = screen.cut_bottom(below - phone.px(16))[1]
    ground = map_layers.lay_ground(canvas, view, theme, phone.materials, phone.rng, photographed=phone.chance(0.15))
    if phone.chance(0.5):
        map_layers.route(canvas, ground, theme, phone.rng)
    map_layers.markers(canvas, ground, theme, text, phone.rng, phone.number(2, 14))
    ink = WHITE if theme.dark or ground.photographed else (30, 32, 36)
    area = status_bar(phone, ink)
    field = area.cut_top(phone.px(56))[0].inset(phone.px(12), phone.px(5))
    field = field.centred(min(field.width, phone.px(520)), field.height)
    canvas.shadow(field, blur=phone.px(7), strength=0.25, offset=phone.px(2))
    canvas.rounded(field, theme.surface, field.height / 2)
    canvas.mark(field)
    who, words = field.inset(phone.px(8), 0).cut_right(phone.px(38))
    face(phone, who.centred(phone.px(30), phone.px(30)), text.full_name())
    sign, words = words.cut_left(phone.px(34))
    icon(canvas, sign.centred(phone.px(19), phone.px(19)), "search", theme.muted)
    typesetting.line(canvas, words, text.pick(["Search here", text.place(), text.label(2)]), theme.font(15), theme.text)
    sheet = box(screen.x, screen.bottom - below, screen.width, below + phone.px(30))
    canvas.rounded(sheet, theme.surface, phone.px(18))
    canvas.mark(sheet.intersection(screen))
    grip = box(sheet.x + sheet.width // 2 - phone.px(18), sheet.y + phone.px(7), phone.px(36), phone.px(4))
    canvas.rounded(grip, theme.border, grip.height / 2)
    rest = box(sheet.x, sheet.y + phone.px(18), sheet.width, area.bottom - sheet.y - phone.px(18)).inset(
        phone.px(16), 0
    )
    row, rest = rest.cut_top(phone.px(32))
    typesetting.line(canvas, row, text.label(2), theme.font(20, "bold"), theme.text)
    row, rest = rest.cut_top(phone.px(24))
    map_layers.stars(canvas, row, theme, text)
    row, rest = rest.cut_top(phone.px(46))
    go, row = row.centred(row.width, phone.px(36)).cut_left(phone.px(120))
    pill_button(phone, go, "Directions")
    pill_button(phone, row.cut_left(phone.px(10))[1].cut_left(phone.px(90))[0], "Save", primary=False)
    while rest.height > phone.px(70):
        row, rest = rest.cut_top(phone.px(8))[1].cut_top(min(phone.px(150), rest.height - phone.px(10)))
        for cell in row.columns(2 if not phone.wide else 4, phone.px(8)):
            canvas.paste(cell, phone.album.crop(cell.width, cell.height), radius=phone.px(10))
    navigation(phone, theme.text)


def weather(phone: Phone) -> None:
    """Today's weather and the next days', over a sky that is drawn or photographed."""
    canvas, text = phone.canvas, phone.materials.text
    if phone.chance(0.35):
        canvas.paste(canvas.area, phone.materials.photo(canvas.area.width, canvas.area.height))
        ground: Colour = (32, 44, 66)
    else:
        sky = _SKIES[phone.number(0, len(_SKIES))]
        canvas.gradient(canvas.area, sky, mix(sky, WHITE, 0.35))
        ground = mix(sky, BLACK, 0.18)
    area = status_bar(phone, WHITE)
    rest = area.centred(min(area.width, phone.px(560)), area.height).inset(phone.px(16), phone.px(20))
    state, now = text.pick(("Mostly clear", "Light rain", "Overcast")), text.number(-6, 34)
    for words, size, height in ((text.place(), 27, 36), (f"{now}°", 78, 92), (state, 17, 30)):
        row, rest = rest.cut_top(phone.px(height))
        typesetting.line(canvas, row, words, phone.theme.font(size), WHITE, align="centre")
    card, rest = rest.cut_top(phone.px(16))[1].cut_top(phone.px(112))
    canvas.rounded(card, ground, phone.px(16))
    canvas.mark(card)
    for number, cell in enumerate(card.inset(phone.px(8), phone.px(10)).columns(6, 0)):
        rows = cell.rows(3, 0)
        typesetting.line(canvas, rows[0], f"{(number * 2 + 9) % 24}:00", phone.theme.font(12.5), WHITE, align="centre")
        icon(canvas, rows[1].centred(phone.px(24), phone.px(24)), text.pick(_WEATHER), _SUNNY)
        shown = f"{now + text.number(-3, 4)}°"
        typesetting.line(canvas, rows[2], shown, phone.theme.font(14.5, "bold"), WHITE, align="centre")
    card = rest.cut_top(phone.px(12))[1]
    num_days = min(8, (card.height - phone.px(12)) // phone.px(44))
    card = card.cut_top(max(0, num_days) * phone.px(44) + phone.px(12))[0]
    canvas.rounded(card, ground, phone.px(16))
    canvas.mark(card)
    rest = card.inset(phone.px(16), phone.px(6))
    for number in range(num_days):
        row, rest = rest.cut_top(phone.px(44))
        _weather_of_day(phone, row, (DAYS[number % 7], now), ground)
    navigation(phone, WHITE)


def _weather_of_day(phone: Phone, row: Box, day: tuple[str, int], ground: Colour) -> None:
    """Draw a line of the forecast; `day` is its name and about how warm it will be."""
    canvas, theme, text = phone.canvas, phone.theme, phone.materials.text
    name, line = row.cut_left(phone.px(104))
    typesetting.line(canvas, name, day[0], theme.font(15), WHITE)
    sign, line = line.cut_left(phone.px(40))
    icon(canvas, sign.centred(phone.px(20), phone.px(20)), text.pick(_WEATHER), _SUNNY)
    track = line.centred(line.width - phone.px(70), max(2, phone.px(4)))
    canvas.rounded(track, mix(ground, BLACK, 0.3), track.height / 2)
    low, high = day[1] - phone.number(4, 9), day[1] + phone.number(0, 5)
    start, width = track.width * (low - day[1] + 11) // 18, max(track.height, track.width * (high - low) // 18)
    warm = box(track.x + start, track.y, width, track.height)
    canvas.gradient(warm, (120, 200, 230), (250, 180, 80), radius=track.height / 2, vertical=False)
    left, right = line.cut_left(phone.px(30))[0], line.cut_right(phone.px(30))[0]
    typesetting.line(canvas, left, f"{low}°", theme.font(13), (205, 212, 222))
    typesetting.line(canvas, right, f"{high}°", theme.font(13), WHITE, align="right")
