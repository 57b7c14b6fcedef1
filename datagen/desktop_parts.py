"""What a desk has around its windows: wallpaper, icons, taskbar or dock, menus, clock, quick settings."""

from dataclasses import dataclass

import numpy as np

from datagen import typesetting
from datagen.canvas import Canvas, Colour
from datagen.file_icons import folder, sheet
from datagen.file_names import File, folder_colour, make_file
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.materials import Materials
from datagen.texts import MONTHS
from datagen.theme import Theme, mix

_WHITE: Colour = (255, 255, 255)
_BLACK: Colour = (0, 0, 0)
APPS = (
    *("folder", "globe", "mail", "chat", "music", "image", "gear", "calendar", "play"),
    *("camera", "chart", "brush", "file", "compass", "cloud", "lock", "video", "card"),
)
_TRAY = ("up", "cloud", "wifi", "speaker", "bell", "bluetooth", "shield", "flash")
_MENUS = ("File", "Edit", "View", "Go", "Window", "Help")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One computer's desk."""

    canvas: Canvas
    theme: Theme
    materials: Materials
    rng: np.random.Generator
    style: str
    """centred, classic, dock or side: where the bars are."""
    bar: Colour
    """Ground of bars and flyouts."""
    opacity: float
    """Of bars and flyouts; at 1 nothing shines through."""
    apps: tuple[int, ...]
    """Order of the applications in bar and menus."""

    def px(self, size: float) -> int:
        """Return a length given at 1x, in pixels."""
        return self.theme.px(size)

    def chance(self, share: float) -> bool:
        """Return True with a probability of `share`."""
        return bool(self.rng.random() < share)


def make_desk(canvas: Canvas, theme: Theme, materials: Materials, rng: np.random.Generator) -> Desk:
    """Return a random desk."""
    dark = theme.dark or rng.random() < 0.3
    return Desk(
        canvas=canvas,
        theme=theme,
        materials=materials,
        rng=rng,
        style=str(rng.choice(["centred", "classic", "dock", "side"], p=[0.3, 0.25, 0.27, 0.18])),
        bar=(26, 28, 32) if dark else (240, 241, 244),
        opacity=float(rng.choice([1.0, 1.0, 0.88, 0.75])),
        apps=tuple(int(index) for index in rng.permutation(len(APPS))),
    )


def wallpaper(desk: Desk) -> None:
    """Cover the screen with a photograph, a gradient, drawn hills, or one colour."""
    canvas, theme, rng = desk.canvas, desk.theme, desk.rng
    area = canvas.area
    form = rng.random()
    if form < 0.55:
        canvas.paste(area, desk.materials.photo(area.width, area.height))
        return
    first, second = theme.series[0], theme.series[1]
    deep = mix(first, _BLACK, float(rng.uniform(0.2, 0.8)))
    if form < 0.72:
        canvas.gradient(
            area, deep, mix(second, _BLACK, float(rng.uniform(0.1, 0.6))), vertical=bool(rng.random() < 0.6)
        )
    elif form < 0.88:
        canvas.gradient(area, mix(second, _WHITE, 0.35), mix(first, _WHITE, 0.1))
        _hills(desk, first)
    else:
        canvas.fill(area, deep)
    canvas.mark(area)


def _hills(desk: Desk, colour: Colour) -> None:
    """Draw ridges behind each other, darker to the front."""
    width, height = desk.canvas.area.width, desk.canvas.area.height
    x = np.linspace(0, width, 40)
    num_ridges = int(desk.rng.integers(2, 5))
    for number in range(num_ridges):
        waves = sum(np.sin(x / width * turns + shift) for turns, shift in desk.rng.uniform((1, 0), (9, 6), (3, 2)))
        y = height * (0.45 + 0.5 * (number + 1) / (num_ridges + 1)) - waves * height * 0.05
        points = [(float(a), float(b)) for a, b in zip(x, y, strict=True)]
        shade = mix(colour, _BLACK, 0.15 + 0.6 * number / num_ridges)
        desk.canvas.polygon([(0, height), *points, (width, height)], shade)


def label(desk: Desk, area: Box, words: str) -> None:
    """Set words over the wallpaper, with the shadow that keeps them readable."""
    font = desk.theme.font(12)
    below = max(1, desk.px(1))
    typesetting.line(desk.canvas, area.moved(below, below), words, font, (16, 16, 18), align="centre")
    typesetting.line(desk.canvas, area, words, font, _WHITE, align="centre")


def icons(desk: Desk, area: Box) -> None:
    """Draw files and folders on the desk, in columns at the left or the right."""
    canvas, text, rng = desk.canvas, desk.materials.text, desk.rng
    wide, high = desk.px(88), desk.px(92)
    rows = max(1, (area.height - desk.px(10)) // high)
    colour = folder_colour(text)
    kinds = ("folder", "folder", "pdf", "text", "sheet", "image", "archive", "video", "slides")
    for number in range(int(rng.integers(1, 26))):
        column = number // rows
        if (column + 1) * wide > area.width // 2:
            return
        x = (
            area.right - (column + 1) * wide - desk.px(6)
            if desk.style == "dock"
            else area.x + column * wide + desk.px(6)
        )
        cell = box(x, area.y + desk.px(8) + number % rows * high, wide, high)
        file = make_file(text, str(rng.choice(kinds)))
        picture, words = cell.cut_top(desk.px(54))
        _file(desk, picture.centred(desk.px(46), desk.px(46)), file, colour)
        label(desk, words.cut_top(desk.px(20))[0].inset(desk.px(2), 0), file.name)
    canvas.mark(area.cut_left(1)[0])


def _file(desk: Desk, area: Box, file: File, colour: Colour) -> None:
    if file.kind == "folder":
        folder(desk.canvas, area, colour)
    else:
        sheet(desk.canvas, area, desk.theme, file.kind, file.name.rpartition(".")[2])


def bars(desk: Desk) -> Box:
    """Draw the desk's bars; return the room that they leave for windows."""
    area = desk.canvas.area
    if desk.style in ("centred", "classic"):
        bar, rest = area.cut_bottom(desk.px(44))
        _ground(desk, bar)
        _task_bar(desk, bar)
        return rest
    bar, rest = area.cut_top(desk.px(27))
    _ground(desk, bar)
    _menu_bar(desk, bar)
    if desk.style == "dock":
        return rest.cut_bottom(desk.px(74))[1]
    side, rest = rest.cut_left(desk.px(58))
    _ground(desk, side)
    for number, app in enumerate(desk.apps[: min(10, side.height // desk.px(54))]):
        app_icon(
            desk, box(side.x, side.y + desk.px(6) + number * desk.px(52), side.width, desk.px(48)), app, desk.px(38)
        )
    return rest


def _ground(desk: Desk, area: Box, radius: float = 0) -> None:
    if desk.opacity < 1:
        desk.canvas.veil(area, desk.bar, desk.opacity, radius=radius)
    else:
        desk.canvas.rounded(area, desk.bar, radius)
    desk.canvas.mark(area)


def _ink(desk: Desk) -> Colour:
    return _WHITE if sum(desk.bar) < 380 else (24, 26, 30)


def app_icon(desk: Desk, cell: Box, app: int, side: int) -> None:
    """Draw an application's icon in the middle of `cell`."""
    series = desk.theme.series
    tone = (*series, (248, 248, 250), (52, 56, 64))[app % (len(series) + 2)]
    chip = cell.centred(side, side)
    desk.canvas.gradient(chip, mix(tone, _WHITE, 0.22), mix(tone, _BLACK, 0.1), radius=side * 0.24)
    desk.canvas.mark(chip)
    ink = series[app % 4] if tone == (248, 248, 250) else _WHITE
    icon(desk.canvas, chip.centred(side * 3 // 5, side * 3 // 5), APPS[app], ink, weight=2)


def _task_bar(desk: Desk, bar: Box) -> None:
    canvas, theme, text = desk.canvas, desk.theme, desk.materials.text
    ink = _ink(desk)
    rest = _tray(desk, bar)
    start = box(0, bar.y, desk.px(46), bar.height)
    num_apps = 5 + text.number(0, 5)
    if desk.style == "centred":
        start = start.moved(bar.x + (bar.width - desk.px(46) * (num_apps + 1)) // 2, 0)
    else:
        start = start.moved(bar.x, 0)
    for cell in start.centred(desk.px(18), desk.px(18)).rows(2, desk.px(2)):
        for pane in cell.columns(2, desk.px(2)):
            canvas.fill(pane, (0, 120, 215) if desk.style == "centred" else ink)
    canvas.mark(start.centred(desk.px(18), desk.px(18)))
    x = start.right
    if desk.style == "classic":
        field = box(x, bar.y, desk.px(230), bar.height).inset(desk.px(4), desk.px(6))
        if bar.width > desk.px(900):
            canvas.rounded(field, mix(desk.bar, ink, 0.1), desk.px(3))
            canvas.mark(field)
            sign, words = field.inset(desk.px(8), 0).cut_left(desk.px(24))
            icon(canvas, sign.cut_left(desk.px(15))[0].centred(desk.px(15), desk.px(15)), "search", ink)
            typesetting.line(canvas, words, "Type here to search", theme.font(12.5), mix(ink, desk.bar, 0.3))
            x = field.right + desk.px(4)
    for number in range(num_apps):
        named = desk.style == "classic" and number < 3 and bar.width > desk.px(1100)
        cell = box(x, bar.y, desk.px(170 if named else 46), bar.height)
        if cell.right > rest.right:
            return
        if number == 0:
            canvas.rounded(cell.inset(desk.px(2), desk.px(3)), mix(desk.bar, ink, 0.14), desk.px(4))
        sign, words = cell.cut_left(desk.px(46))
        app_icon(desk, sign, desk.apps[number], desk.px(26))
        if number < 3:
            run = box(sign.x + desk.px(15), bar.bottom - desk.px(4), desk.px(16), max(2, desk.px(3)))
            canvas.rounded(run, theme.accent, run.height / 2)
        if named:
            typesetting.line(canvas, words, text.label(2), theme.font(12.5), ink)
        x = cell.right


def _tray(desk: Desk, bar: Box) -> Box:
    """Draw clock and signs at the right of a task bar; return what is left."""
    canvas, theme, text = desk.canvas, desk.theme, desk.materials.text
    ink = _ink(desk)
    clock, rest = bar.cut_right(desk.px(86))
    upper, lower = clock.inset(desk.px(8), desk.px(5)).rows(2, 0)
    typesetting.line(canvas, upper, text.clock(), theme.font(12), ink, align="right")
    day = f"{text.number(1, 29):02d}/{text.number(1, 13):02d}/{text.number(2022, 2027)}"
    typesetting.line(canvas, lower, day, theme.font(12), ink, align="right")
    for name in _TRAY[: text.number(3, len(_TRAY))]:
        cell, rest = rest.cut_right(desk.px(27))
        icon(canvas, cell.centred(desk.px(16), desk.px(16)), name, ink)
    return rest


def _menu_bar(desk: Desk, bar: Box) -> None:
    canvas, theme, text = desk.canvas, desk.theme, desk.materials.text
    ink = _ink(desk)
    rest = bar.inset(desk.px(12), 0)
    day = f"{text.pick(DAYS)} {text.number(1, 29)} {text.pick(MONTHS)[:3]}  {text.clock()}"
    font = theme.font(12.5)
    if desk.style == "side":
        typesetting.line(canvas, bar, day, theme.font(12.5, "bold"), ink, align="centre")
        typesetting.line(canvas, rest, "Activities", font, ink)
    else:
        clock, rest = rest.cut_right(font.width(day) + desk.px(4))
        typesetting.line(canvas, clock, day, font, ink, align="right")
        sign, rest = rest.cut_left(desk.px(30))
        canvas.rounded(sign.cut_left(desk.px(14))[0].centred(desk.px(14), desk.px(14)), ink, desk.px(7))
        for number, name in enumerate((text.noun().capitalize(), *_MENUS)):
            face = theme.font(12.5, "bold" if number == 0 else "regular")
            cell, rest = rest.cut_left(face.width(name) + desk.px(18))
            if rest.width < desk.px(220):
                return
            typesetting.line(canvas, cell, name, face, ink)
    for name in ("flash", "speaker", "wifi", "search"):
        cell, rest = rest.cut_right(desk.px(29))
        icon(canvas, cell.centred(desk.px(15), desk.px(15)), name, ink)


def dock(desk: Desk) -> None:
    """Draw the dock over whatever reaches below it; only desks with one have it."""
    if desk.style != "dock":
        return
    side = desk.px(48)
    count = min(len(desk.apps), max(4, desk.canvas.area.width * 3 // 5 // (side + desk.px(8))), 5 + desk.apps[0] % 8)
    width = count * (side + desk.px(8)) + desk.px(10)
    bar = box((desk.canvas.area.width - width) // 2, desk.canvas.area.bottom - desk.px(68), width, desk.px(62))
    _ground(desk, bar, desk.px(16))
    for number in range(count):
        cell = box(bar.x + desk.px(9) + number * (side + desk.px(8)), bar.y, side, bar.height)
        app_icon(desk, cell, desk.apps[number], side)
        if number < 3:
            dot = box(cell.x + side // 2 - desk.px(2), bar.bottom - desk.px(6), max(2, desk.px(4)), max(2, desk.px(4)))
            desk.canvas.rounded(dot, _ink(desk), dot.width / 2)
