"""What opens at the end of a desk's bar: the start menu, quick settings, the calendar."""

from datagen import controls, typesetting, widgets
from datagen.desktop_parts import APPS, DAYS, Desk, app_icon
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.texts import MONTHS


def flyout(desk: Desk, room: Box) -> None:
    """Open the start menu, quick settings or the calendar at the bar's end."""
    form = desk.rng.random()
    low = desk.style in ("centred", "classic")
    width, height = (desk.px(size) for size in ((470, 430) if form < 0.4 and low else (320, 330)))
    if room.width < width + desk.px(40) or room.height < height + desk.px(20):
        return
    y = room.bottom - height - desk.px(10) if low else room.y + desk.px(8)
    if form < 0.4 and low:
        x = room.x + (room.width - width) // 2 if desk.style == "centred" else room.x + desk.px(6)
        _start_menu(desk, box(x, y, width, height))
        return
    area = box(room.right - width - desk.px(10), y, width, height)
    if form < 0.75:
        _quick_settings(desk, area)
    else:
        _calendar(desk, area)


def _sheet(desk: Desk, area: Box) -> Box:
    desk.canvas.shadow(area, blur=desk.px(18), strength=0.35, offset=desk.px(6))
    desk.canvas.rounded(area, desk.theme.surface, desk.px(10))
    desk.canvas.outline(area, desk.theme.border, radius=desk.px(10))
    desk.canvas.mark(area)
    return area.inset(desk.px(18))


def _start_menu(desk: Desk, area: Box) -> None:
    canvas, theme, text = desk.canvas, desk.theme, desk.materials.text
    inner = _sheet(desk, area)
    field, rest = inner.cut_top(desk.px(34))
    widgets.search_field(canvas, field, theme, "Search for apps, settings and documents")
    head, rest = rest.cut_top(desk.px(10))[1].cut_top(desk.px(26))
    typesetting.line(canvas, head, "Pinned", theme.font(13, "bold"), theme.text)
    grid, rest = rest.cut_top(desk.px(216))
    for number, cell in enumerate(cell for row in grid.rows(3, 0) for cell in row.columns(6, 0)):
        picture, words = cell.cut_top(desk.px(46))
        app_icon(desk, picture, number % len(APPS), desk.px(32))
        shown = text.noun().capitalize()
        typesetting.line(canvas, words.cut_top(desk.px(17))[0], shown, theme.font(11), theme.text, align="centre")
    foot = rest.cut_bottom(desk.px(40))[0]
    name = text.full_name()
    who, words = foot.cut_left(desk.px(40))
    widgets.avatar(canvas, who.centred(desk.px(30), desk.px(30)), theme, desk.materials, name)
    typesetting.line(canvas, words, name, theme.font(13), theme.text)
    icon(canvas, foot.cut_right(desk.px(24))[0].centred(desk.px(18), desk.px(18)), "power", theme.text)


def _quick_settings(desk: Desk, area: Box) -> None:
    canvas, theme = desk.canvas, desk.theme
    inner = _sheet(desk, area)
    grid, rest = inner.cut_top(desk.px(190))
    names = (
        ("wifi", "Wi-Fi"),
        ("bluetooth", "Bluetooth"),
        ("plane", "Airplane"),
        ("moon", "Night light"),
        ("bell", "Quiet"),
        ("flash", "Saver"),
    )
    cells = [cell for row in grid.rows(2, desk.px(8)) for cell in row.columns(3, desk.px(8))]
    for cell, (sign, title) in zip(cells, names, strict=True):
        chip, words = cell.cut_top(desk.px(52))
        on = desk.chance(0.4)
        canvas.rounded(chip, theme.accent if on else theme.raised, desk.px(6))
        canvas.mark(chip)
        icon(canvas, chip.centred(desk.px(18), desk.px(18)), sign, theme.on_accent if on else theme.text)
        typesetting.line(canvas, words.cut_top(desk.px(22))[0], title, theme.font(11.5), theme.text, align="centre")
    for sign in ("sun", "speaker"):
        row, rest = rest.cut_top(desk.px(42))
        cell, line = row.cut_left(desk.px(32))
        controls.sign(canvas, cell, theme, sign, 17)
        controls.slider(canvas, line, theme, float(desk.rng.random()))


def _calendar(desk: Desk, area: Box) -> None:
    canvas, theme, text = desk.canvas, desk.theme, desk.materials.text
    inner = _sheet(desk, area)
    head, rest = inner.cut_top(desk.px(36))
    typesetting.line(canvas, head, f"{text.pick(MONTHS)} {text.number(2022, 2027)}", theme.font(15, "bold"), theme.text)
    first, today = text.number(0, 7), text.number(1, 29)
    rows = rest.rows(7, 0)
    for cell, day in zip(rows[0].columns(7, 0), DAYS, strict=True):
        typesetting.line(canvas, cell, day[:2], theme.font(11.5), theme.muted, align="centre")
    for number in range(1, 31):
        cell = rows[1 + (number + first - 1) // 7].columns(7, 0)[(number + first - 1) % 7]
        if number == today:
            disc = cell.centred(desk.px(28), desk.px(28))
            canvas.rounded(disc, theme.accent, disc.width / 2)
            canvas.mark(disc)
        ink = theme.on_accent if number == today else theme.text
        typesetting.line(canvas, cell, str(number), theme.font(12.5), ink, align="centre")
