"""What the apps of a phone or tablet share: size class, status bar, navigation, headers, tabs, keyboard."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from datagen import typesetting, widgets
from datagen.albums import Album
from datagen.canvas import Canvas, Colour
from datagen.geometry import Box, box
from datagen.icons import icon, solid_icon
from datagen.materials import Materials
from datagen.theme import Theme, choose_theme, mix

_TALL = 1.5
"""Height to width from which a screen may be a phone's."""
_TABLET_FROM = 600
"""Logical width from which a tall screen may be a tablet's as well."""
_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
WHITE: Colour = (255, 255, 255)
BLACK: Colour = (0, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """One device and what an app draws with."""

    canvas: Canvas
    theme: Theme
    materials: Materials
    rng: np.random.Generator
    album: Album
    wide: bool
    """Whether it is a tablet."""
    buttons: bool
    """Whether there are three buttons below, else a bar to swipe."""
    cutout: str
    """none, hole or island: the camera in the screen's upper edge."""
    time: str

    def px(self, size: float) -> int:
        """Return a length given at 1x, in pixels."""
        return self.theme.px(size)

    def chance(self, share: float) -> bool:
        """Return True with a probability of `share`."""
        return bool(self.rng.random() < share)

    def number(self, low: int, high: int) -> int:
        """Return an integer in [low, high)."""
        return int(self.rng.integers(low, high))


def make_phone(canvas: Canvas, materials: Materials, rng: np.random.Generator) -> Phone:
    """Return a device that fits the canvas: its interface is 340 to 430 units wide on phones, 700 to 900 on tablets."""
    theme = choose_theme(rng, canvas, dark_share=0.45)
    width, height = canvas.area.width, canvas.area.height
    logical = width / canvas.display.scale
    tall = height >= _TALL * width
    wide = not tall or bool(logical >= _TABLET_FROM and rng.random() < 0.3)
    units = float(rng.uniform(700, 900) if wide else rng.uniform(345, 425))
    # A small screen shows less rather than everything smaller.
    units = min(units, max(logical, 320) * 1.06)
    return Phone(
        canvas=canvas,
        theme=replace(theme, scale=width / units),
        materials=materials,
        rng=rng,
        album=Album(materials, rng, int(rng.integers(3, 8))),
        wide=wide,
        buttons=bool(rng.random() < 0.25),
        cutout=str(rng.choice(["none", "hole", "island"], p=[0.5, 0.25, 0.25])) if tall else "none",
        time=f"{int(rng.integers(0, 24))}:{int(rng.integers(0, 60)):02d}",
    )


def status_bar(phone: Phone, ink: Colour) -> Box:
    """Draw time, signal and battery over what is there; return the screen below and above the navigation's strip."""
    canvas, theme = phone.canvas, phone.theme
    bar, rest = canvas.area.cut_top(phone.px(24 if phone.cutout == "none" else 36))
    inner = bar.inset(phone.px(16), 0)
    typesetting.line(canvas, inner.cut_left(phone.px(60))[0], phone.time, theme.font(13, "bold"), ink)
    if phone.cutout != "none":
        size = (phone.px(92), phone.px(25)) if phone.cutout == "island" else (phone.px(17), phone.px(17))
        hole = bar.centred(*size)
        canvas.rounded(hole, BLACK, hole.height / 2)
        canvas.mark(hole)
    right = _battery(phone, inner, ink)
    wifi, right = right.cut_right(phone.px(21))
    icon(canvas, wifi.centred(phone.px(15), phone.px(15)), "wifi", ink, weight=2.2)
    bars, _ = right.cut_right(phone.px(20))
    strength = phone.number(1, 5)
    for number in range(4):
        height = phone.px(3 + 2.4 * number)
        x = bars.x + phone.px(4.2 * number)
        y = bars.y + (bars.height + phone.px(11)) // 2 - height
        if number < strength or phone.cutout == "hole":
            canvas.fill(box(x, y, max(1, phone.px(3)), height), ink)
    canvas.mark(bars.centred(bars.width, phone.px(11)))
    return rest.cut_bottom(phone.px(40 if phone.buttons else 20))[1]


def _battery(phone: Phone, area: Box, ink: Colour) -> Box:
    canvas = phone.canvas
    level = phone.number(4, 101)
    cell, rest = area.cut_right(phone.px(25))
    body = cell.cut_left(phone.px(22))[0].centred(phone.px(22), phone.px(11))
    canvas.outline(body, ink, radius=phone.px(3), thickness=max(1, phone.px(1)))
    charge = body.inset(max(2, phone.px(2)))
    low = (235, 70, 60) if level < 20 else ink
    canvas.fill(charge.cut_left(max(1, charge.width * level // 100))[0], low)
    canvas.fill(box(body.right, body.y + body.height // 3, max(1, phone.px(1.5)), body.height // 3), ink)
    canvas.mark(body)
    if level % 2:
        font = phone.theme.font(11.5)
        words, rest = rest.cut_right(phone.px(34))
        typesetting.line(canvas, words.cut_right(phone.px(4))[1], f"{level}%", font, ink, align="right")
    return rest.cut_right(phone.px(4))[1]


def navigation(phone: Phone, ink: Colour) -> None:
    """Draw the bar to swipe, or the three buttons, at the lower edge over what is there."""
    canvas = phone.canvas
    strip = canvas.area.cut_bottom(phone.px(40 if phone.buttons else 20))[0]
    if not phone.buttons:
        bar = strip.centred(phone.px(126), max(2, phone.px(4.5)))
        canvas.rounded(bar, ink, bar.height / 2)
        canvas.mark(bar)
        return
    for cell, name in zip(strip.columns(3, 0), ("back", "ellipse", "square"), strict=True):
        icon(canvas, cell.centred(phone.px(18), phone.px(18)), name, ink, weight=2)


def header(phone: Phone, area: Box, title: str, signs: Sequence[str] = (), *, back: bool = False) -> Box:
    """Draw an app's title bar; return what is left below."""
    canvas, theme = phone.canvas, phone.theme
    bar, rest = area.cut_top(phone.px(50))
    inner = bar.inset(phone.px(14), 0)
    if back:
        cell, inner = inner.cut_left(phone.px(34))
        icon(canvas, cell.cut_left(phone.px(22))[0].centred(phone.px(22), phone.px(22)), "back", theme.text, weight=2)
    for name in reversed(signs):
        cell, inner = inner.cut_right(phone.px(38))
        icon(canvas, cell.centred(phone.px(21), phone.px(21)), name, theme.text)
    typesetting.line(canvas, inner, title, theme.font(19, "bold"), theme.text)
    return rest


def tabs(phone: Phone, area: Box, names: Sequence[str], chosen: int, *, labels: Sequence[str] = ()) -> Box:
    """Draw the tabs at the foot of `area`, and their ground down to the screen's end; return what is left above."""
    canvas, theme = phone.canvas, phone.theme
    bar, rest = area.cut_bottom(phone.px(50))
    canvas.fill(box(area.x, bar.y, area.width, canvas.area.bottom - bar.y), theme.surface)
    canvas.fill(bar.cut_top(1)[0], theme.border)
    for number, (cell, name) in enumerate(zip(bar.columns(len(names), 0), names, strict=True)):
        ink = theme.accent if number == chosen else theme.muted
        sign, words = cell, cell
        if labels:
            words, sign = cell.inset(0, phone.px(4)).cut_bottom(phone.px(15))
        place = sign.centred(phone.px(23), phone.px(23))
        if number == chosen and name in ("heart", "star", "chat", "bookmark", "play"):
            solid_icon(canvas, place, name, ink)
        else:
            icon(canvas, place, name, ink)
        if labels:
            typesetting.line(canvas, words, labels[number], theme.font(10.5), ink, align="centre")
    return rest


def keyboard(phone: Phone, area: Box) -> Box:
    """Draw a keyboard at the foot of `area`, down to the screen's end; return what is left above."""
    canvas, theme = phone.canvas, phone.theme
    board, rest = area.cut_bottom(phone.px(216))
    ground = mix(theme.page, theme.text, 0.16)
    canvas.fill(box(board.x, board.y, board.width, canvas.area.bottom - board.y), ground)
    key_ground = mix(theme.surface, WHITE, 0.2) if theme.dark else WHITE
    hints, keys = board.cut_top(phone.px(36))
    for cell in hints.columns(3, 0):
        typesetting.line(canvas, cell, phone.materials.text.noun(), theme.font(14), theme.text, align="centre")
    font = theme.font(18)
    gap = phone.px(6)
    unit = keys.width // 10
    rows = keys.inset(phone.px(3), phone.px(4)).rows(4, gap)
    for row, letters in zip(rows, _KEYS, strict=False):
        line = row.centred(unit * len(letters), row.height)
        for number, letter in enumerate(letters):
            cell = box(line.x + number * unit, line.y, unit, line.height).inset(gap // 2, 0)
            canvas.rounded(cell, key_ground, phone.px(5))
            canvas.mark(cell)
            typesetting.line(canvas, cell, letter, font, theme.text, align="centre")
    for words, place in (("123", (0, 2)), (" ", (2, 6)), ("return", (8, 2))):
        cell = box(keys.x + place[0] * unit, rows[3].y, place[1] * unit, rows[3].height).inset(gap // 2, 0)
        canvas.rounded(cell, key_ground if words == " " else mix(ground, theme.text, 0.15), phone.px(5))
        canvas.mark(cell)
        typesetting.line(canvas, cell, words, theme.font(14), theme.text, align="centre")
    return rest


def pill_button(phone: Phone, area: Box, text: str, *, primary: bool = True) -> None:
    """Draw a button with round ends that fills `area`."""
    canvas, theme = phone.canvas, phone.theme
    canvas.rounded(area, theme.accent if primary else theme.raised, area.height / 2)
    canvas.mark(area)
    ink = theme.on_accent if primary else theme.text
    typesetting.line(canvas, area, text, theme.font(14.5, "bold"), ink, align="centre")


def face(phone: Phone, area: Box, name: str) -> None:
    """Draw a person's round picture in the middle of `area`."""
    widgets.avatar(phone.canvas, area, phone.theme, phone.materials, name)
