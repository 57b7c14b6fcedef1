"""Around the participants of a video call: the controls, the panel at the side, the captions."""

from dataclasses import dataclass

import numpy as np

from datagen import controls, typesetting, widgets
from datagen.canvas import Canvas, Colour
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.materials import Materials
from datagen.shapes import rounded
from datagen.theme import Theme

RED: Colour = (226, 52, 48)
WHITE: Colour = (255, 255, 255)
_CONTROLS = ("mic", "video", "screen", "hand", "smile", "chat", "dots")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    theme: Theme
    ground: Colour
    tile: Colour
    """Of participants without a picture."""
    ink: Colour
    gap: int
    radius: int
    cameras: float
    """Share of participants that are seen."""
    name_style: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    name: str
    seen: bool
    muted: bool
    speaking: bool
    hand: bool


def control_bar(canvas: Canvas, area: Box, look: Look, materials: Materials, rng: np.random.Generator) -> None:
    """The controls: round buttons in the middle, the last one hangs up."""
    theme = look.theme
    pitch = theme.px(54)
    names = _CONTROLS[: max(2, min(len(_CONTROLS), area.width // pitch - 2))]
    strip = area.centred(pitch * (len(names) + 1) + theme.px(16), area.height)
    labelled = rng.random() < 0.35
    square = bool(rng.random() < 0.4)
    for number, name in enumerate(names):
        cell = box(strip.x + number * pitch, strip.y, pitch, strip.height)
        off = number < 2 and rng.random() < 0.35
        disc = cell.centred(theme.px(42), theme.px(42)).moved(0, -theme.px(8) if labelled else 0)
        radius = theme.px(10) if square else disc.width / 2
        canvas.rounded(disc, RED if off else look.tile, radius)
        canvas.mark(disc, rounded(disc.width, disc.height, radius))
        icon(canvas, disc.centred(theme.px(20), theme.px(20)), name, WHITE if off else look.ink)
        if labelled:
            below = box(cell.x, disc.bottom + theme.px(2), cell.width, theme.px(15))
            label = {"mic": "Mute", "dots": "More", "smile": "React"}.get(name, name.capitalize())
            typesetting.line(canvas, below, label, theme.font(10.5), look.ink, align="centre")
    end = box(strip.right - pitch - theme.px(4), strip.y, theme.px(58), strip.height).centred(
        theme.px(58), theme.px(40)
    )
    canvas.rounded(end, RED, theme.px(10) if square else end.height / 2)
    canvas.mark(end)
    icon(canvas, end.centred(theme.px(20), theme.px(20)), "phone", WHITE)
    left = strip.x - area.x - theme.px(36)
    if left > theme.px(120):
        words = f"{materials.text.clock()}  |  {materials.text.noun()}-{materials.text.noun()[:4]}"
        typesetting.line(canvas, box(area.x + theme.px(18), area.y, left, area.height), words, theme.font(14), look.ink)


def _panel(canvas: Canvas, area: Box, look: Look, title: str) -> Box:
    theme = look.theme
    canvas.rounded(area, theme.surface, look.radius)
    canvas.mark(area, rounded(area.width, area.height, look.radius))
    inner = area.inset(theme.px(16), theme.px(12))
    head, rest = inner.cut_top(theme.px(34))
    typesetting.line(canvas, head, title, theme.font(16, "bold"), theme.text)
    close = head.cut_right(theme.px(20))[0]
    icon(canvas, close.centred(theme.px(17), theme.px(17)), "close", theme.muted)
    return rest.cut_top(theme.px(8))[1]


def chat(canvas: Canvas, area: Box, look: Look, materials: Materials, people: list[Person]) -> None:
    """Draw the messages written during the call."""
    theme, text = look.theme, materials.text
    rest = _panel(canvas, area, look, "In-call messages")
    entry, rest = rest.cut_bottom(theme.px(42))
    canvas.rounded(entry, theme.raised, entry.height / 2)
    canvas.mark(entry, rounded(entry.width, entry.height, entry.height / 2))
    typesetting.line(canvas, entry.inset(theme.px(14), 0), "Send a message", theme.font(13), theme.muted)
    sign = entry.cut_right(theme.px(42))[0]
    icon(canvas, sign.centred(theme.px(18), theme.px(18)), "send", theme.accent)
    for _ in range(text.number(1, 14)):
        if rest.height < theme.px(80):
            return
        row, rest = rest.cut_top(theme.px(22))
        name = typesetting.line(canvas, row, text.pick(people).name, theme.font(13, "bold"), theme.text)
        stamp = row.cut_left(name.width + theme.px(8))[1]
        typesetting.line(canvas, stamp, text.clock(), theme.font(11.5), theme.muted)
        words = rest.cut_bottom(theme.px(12))[1]
        used = typesetting.paragraph(canvas, words, text.chat_line(), theme.font(13.5), theme.text)
        rest = rest.cut_top(used.height + theme.px(12))[1]


def participant_list(canvas: Canvas, area: Box, look: Look, materials: Materials, people: list[Person]) -> None:
    """Draw everyone's name; `materials` gives the portraits."""
    theme = look.theme
    rest = _panel(canvas, area, look, f"People ({len(people)})")
    field, rest = rest.cut_top(theme.px(46))
    widgets.search_field(canvas, field.cut_top(theme.px(34))[0], theme, "Search for people")
    for person in people:
        if rest.height < theme.px(46):
            return
        row, rest = rest.cut_top(theme.px(46))
        face, words = row.inset(0, theme.px(6)).cut_left(theme.px(34))
        widgets.avatar(canvas, face, theme, materials, person.name)
        sign, words = words.cut_left(theme.px(10))[1].cut_right(theme.px(30))
        controls.sign(canvas, sign, theme, "mic" if person.muted else "dots", 16)
        typesetting.line(canvas, words, person.name, theme.font(13.5), theme.text)


def captions(canvas: Canvas, area: Box, look: Look, materials: Materials) -> None:
    """Draw what is being said, over the lower edge of `area`."""
    theme = look.theme
    strip = area.cut_bottom(theme.px(64))[0]
    strip = strip.centred(min(strip.width, theme.px(640)), strip.height)
    canvas.rounded(strip, (22, 22, 24), theme.px(8))
    canvas.mark(strip)
    words = f"{materials.text.full_name()}: {materials.text.paragraph(2)}"
    typesetting.paragraph(canvas, strip.inset(theme.px(16), theme.px(6)), words, theme.font(16), WHITE)
