"""Small controls that applications share: switches, sliders, check boxes, tabs, progress and scroll bars, chips."""

from collections.abc import Sequence

from datagen import typesetting
from datagen.canvas import Canvas, Colour
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.theme import Theme, mix

_WHITE = (255, 255, 255)


def rule(canvas: Canvas, area: Box, theme: Theme) -> None:
    """Draw a hairline along the lower edge of `area`."""
    canvas.fill(area.cut_bottom(max(1, theme.px(0.7)))[0], theme.border)


def sign(canvas: Canvas, area: Box, theme: Theme, name: str, size: float) -> None:
    """Draw a muted icon of a 1x size in the middle of `area`."""
    icon(canvas, area.centred(theme.px(size), theme.px(size)), name, theme.muted)


def switch(canvas: Canvas, area: Box, theme: Theme, *, on: bool) -> None:
    """Draw a toggle at the right end of `area`."""
    height = theme.px(22)
    track = area.cut_right(theme.px(38))[0].centred(theme.px(38), height)
    canvas.rounded(track, theme.accent if on else mix(theme.surface, theme.muted, 0.45), height / 2)
    knob = theme.px(18)
    x = track.right - knob - theme.px(2) if on else track.x + theme.px(2)
    canvas.rounded(box(x, track.y + (height - knob) // 2, knob, knob), _WHITE, knob / 2)
    canvas.mark(track)


def slider(canvas: Canvas, area: Box, theme: Theme, share: float, *, knob: float = 12) -> None:
    """Draw a slider along the middle of `area`, set to `share` (0..1) of its way."""
    track = area.centred(area.width, max(2, theme.px(3)))
    canvas.rounded(track, mix(theme.border, theme.muted, 0.25), track.height / 2)
    done, _ = track.cut_left(round(track.width * share))
    canvas.rounded(done, theme.accent, track.height / 2)
    side = theme.px(knob)
    if side:
        place = box(done.right - side // 2, area.y + (area.height - side) // 2, side, side)
        canvas.rounded(place, theme.accent if theme.dark else mix(theme.accent, (0, 0, 0), 0.1), side / 2)
    canvas.mark(area.centred(area.width, max(side, track.height)))


def progress(canvas: Canvas, area: Box, theme: Theme, share: float) -> None:
    """Draw a progress bar that fills `area`."""
    canvas.rounded(area, mix(theme.surface, theme.muted, 0.25), area.height / 2)
    canvas.rounded(area.cut_left(max(area.height, round(area.width * share)))[0], theme.accent, area.height / 2)
    canvas.mark(area)


def check_box(canvas: Canvas, area: Box, theme: Theme, *, on: bool) -> None:
    """Draw a check box in the middle of `area`."""
    side = theme.px(16)
    square = area.centred(side, side)
    if on:
        canvas.rounded(square, theme.accent, theme.px(4))
        icon(canvas, square, "check", theme.on_accent, weight=2.6)
    else:
        canvas.outline(square, theme.muted, radius=theme.px(4), thickness=max(1, theme.px(1.4)))
        canvas.mark(square)


def segments(canvas: Canvas, area: Box, theme: Theme, names: Sequence[str], chosen: int) -> None:
    """Draw a segmented control that fills `area`; names of known icons are drawn as icons by `icon_segments`."""
    canvas.rounded(area, theme.raised, theme.px(7))
    canvas.mark(area)
    for number, (cell, name) in enumerate(zip(area.inset(theme.px(2)).columns(len(names), 0), names, strict=True)):
        if number == chosen:
            canvas.rounded(cell, mix(theme.surface, _WHITE, 0.12 if theme.dark else 1.0), theme.px(6))
            canvas.mark(cell)
        colour = theme.text if number == chosen else theme.muted
        typesetting.line(canvas, cell, name, theme.font(12.5), colour, align="centre")


def icon_segments(canvas: Canvas, area: Box, theme: Theme, names: Sequence[str], chosen: int) -> None:
    """Draw a row of icons, the chosen one on a chip."""
    for number, (cell, name) in enumerate(zip(area.columns(len(names), 0), names, strict=True)):
        chip = cell.centred(min(cell.width, theme.px(28)), min(cell.height, theme.px(26)))
        if number == chosen:
            canvas.rounded(chip, theme.raised, theme.px(5))
            canvas.mark(chip)
        icon(canvas, chip.centred(theme.px(16), theme.px(16)), name, theme.text if number == chosen else theme.muted)


def scroll_bar(canvas: Canvas, track: Box, theme: Theme, position: float, share: float) -> None:
    """Draw an overlay scroll bar's thumb: `share` of the content is seen, scrolled to `position` (both 0..1)."""
    height = max(theme.px(24), round(track.height * min(1.0, share)))
    y = track.y + round((track.height - height) * position)
    thumb = box(track.x, y, track.width, min(height, track.height)).inset(theme.px(2), theme.px(1))
    canvas.rounded(thumb, mix(theme.surface, theme.muted, 0.5), thumb.width / 2)
    canvas.mark(thumb)


def chip(canvas: Canvas, area: Box, theme: Theme, text: str, *, colour: Colour | None = None) -> Box:
    """Draw a tag as wide as its text at the left of `area` and as high; return the rest of `area`.

    `colour` tints it; nothing is drawn where it does not fit.
    """
    font = theme.font(12)
    width = font.width(text) + theme.px(20)
    if width > area.width:
        return area.cut_left(area.width)[1]
    place, rest = area.cut_left(width)
    ground = theme.raised if colour is None else mix(theme.surface, colour, 0.2)
    ink = theme.text if colour is None else mix(colour, _WHITE if theme.dark else (0, 0, 0), 0.35)
    canvas.rounded(place, ground, place.height / 2)
    canvas.mark(place)
    typesetting.line(canvas, place, text, font, ink, align="centre")
    return rest.cut_left(theme.px(7))[1]
