"""Panels and marks of picture editors: histogram, curves, sliders, layers, colours, rulers, selections."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from datagen import controls, typesetting
from datagen.albums import Album
from datagen.canvas import Canvas, Colour
from datagen.geometry import Box, box
from datagen.icons import icon
from datagen.texts import TextBank
from datagen.theme import Theme, mix
from pipeline.formats.picture import Pixels

_CHANNELS: tuple[Colour, ...] = ((210, 66, 66), (66, 168, 86), (70, 118, 222))
_CHECKS: tuple[Colour, Colour] = ((255, 255, 255), (204, 204, 204))


def titled(canvas: Canvas, area: Box, theme: Theme, title: str) -> Box:
    """Draw a panel's heading with its arrow; return what is left below, with a margin."""
    head, rest = area.cut_top(theme.px(27))
    canvas.fill(head, theme.raised)
    canvas.fill(head.cut_top(1)[0], theme.border)
    canvas.mark(head)
    sign, words = head.inset(theme.px(8), 0).cut_left(theme.px(18))
    side = theme.px(11)
    icon(canvas, sign.cut_left(side)[0].centred(side, side), "down", theme.muted, weight=2.2)
    typesetting.line(canvas, words, title, theme.font(12, "bold"), theme.text)
    return rest.inset(theme.px(10), theme.px(8))


def histogram(canvas: Canvas, area: Box, theme: Theme, rng: np.random.Generator) -> None:
    """Draw a plot of tones: from random bumps, never from a photograph, so it is drawn and nothing else."""
    canvas.fill(area, mix(theme.surface, (0, 0, 0), 0.25 if theme.dark else 0.05))
    canvas.mark(area)
    position = np.linspace(0, 1, 48)
    for colour in (*_CHANNELS, theme.muted)[: int(rng.integers(1, 5))]:
        bumps = zip(rng.uniform(0.05, 0.95, 3), rng.uniform(0.04, 0.2, 3), rng.uniform(0.2, 1, 3), strict=True)
        curve = sum(high * np.exp(-(((position - centre) / wide) ** 2)) for centre, wide, high in bumps)
        tops = area.bottom - curve / np.max(curve) * area.height * float(rng.uniform(0.5, 0.95))
        points = [(area.x + x * area.width, float(y)) for x, y in zip(position, tops, strict=True)]
        shade = mix(theme.surface, colour, 0.5)
        canvas.polygon([(area.x, area.bottom), *points, (area.right, area.bottom)], shade)
        canvas.polyline(points, colour, thickness=max(1, theme.px(1)))


def curve(canvas: Canvas, area: Box, theme: Theme, rng: np.random.Generator) -> None:
    """Draw a tone curve over its grid, with the points that it was pulled at."""
    side = min(area.width, area.height)
    plot = area.cut_top(side)[0].centred(side, side)
    canvas.fill(plot, mix(theme.surface, (0, 0, 0), 0.25 if theme.dark else 0.04))
    canvas.mark(plot)
    for part in (1, 2, 3):
        canvas.fill(box(plot.x + side * part // 4, plot.y, 1, side), theme.border)
        canvas.fill(box(plot.x, plot.y + side * part // 4, side, 1), theme.border)
    shares = np.linspace(0, 1, 30)
    waves = np.sin(shares * np.pi), np.sin(shares * 2 * np.pi)
    bend = float(rng.uniform(-0.18, 0.18)) * waves[0] + float(rng.uniform(-0.1, 0.1)) * waves[1]
    tones = np.clip(shares + bend, 0, 1)
    points = [
        (plot.x + x * (side - 1), plot.bottom - 1 - y * (side - 1))
        for x, y in zip(shares.tolist(), tones.tolist(), strict=True)
    ]
    colour = (theme.text, *_CHANNELS)[int(rng.integers(4))]
    canvas.polyline(points, colour, thickness=max(1.0, 1.4 * theme.scale))
    for number in (0, int(rng.integers(6, 24)), 29):
        x, y = points[number]
        knob = theme.px(7)
        canvas.rounded(box(round(x) - knob // 2, round(y) - knob // 2, knob, knob), colour, knob / 2)


def sliders(canvas: Canvas, area: Box, theme: Theme, names: Sequence[str], rng: np.random.Generator) -> Box:
    """Draw named sliders with their values, as many as fit; return what is left below."""
    rest = area
    for name in names:
        if rest.height < theme.px(30):
            return rest
        row, rest = rest.cut_top(theme.px(30))
        label, line = row.cut_left(min(theme.px(84), row.width * 2 // 5))
        value, line = line.cut_right(theme.px(38))
        amount = int(rng.integers(-100, 101)) if rng.random() < 0.6 else 0
        typesetting.line(canvas, label, name, theme.font(12), theme.muted)
        typesetting.line(canvas, value, f"{amount:+d}" if amount else "0", theme.font(12), theme.text, align="right")
        controls.slider(canvas, line.inset(theme.px(5), 0), theme, (amount + 100) / 200, knob=9)
    return rest


def layers(canvas: Canvas, area: Box, theme: Theme, text: TextBank, album: Album) -> None:
    """Draw the list of layers: pictures, words, adjustments, groups; one is chosen."""
    rest = area
    height = theme.px(42)
    chosen = text.number(0, 4)
    number = 0
    while rest.height >= height:
        row, rest = rest.cut_top(height)
        if number == chosen:
            canvas.fill(row, theme.soft_accent)
            canvas.mark(row)
        canvas.fill(row.cut_bottom(1)[0], theme.border)
        eye, rest_of_row = row.cut_left(theme.px(28))
        if text.number(0, 6):
            icon(canvas, eye.centred(theme.px(15), theme.px(15)), "eye", theme.muted)
        thumb, words = rest_of_row.cut_left(height)
        _layer_sign(canvas, thumb.inset(theme.px(5)), theme, text, album)
        if text.number(0, 4) == 0:
            mask, words = words.cut_left(height)
            spot = mask.inset(theme.px(5))
            canvas.gradient(spot, (0, 0, 0), (255, 255, 255), vertical=bool(text.number(0, 2)))
            canvas.mark(spot)
        lock, words = words.cut_left(theme.px(6))[1].cut_right(theme.px(22))
        if number % 5 == 4:
            icon(canvas, lock.centred(theme.px(13), theme.px(13)), "lock", theme.muted)
        typesetting.line(canvas, words, text.label(2), theme.font(12.5), theme.text)
        number += 1


def _layer_sign(canvas: Canvas, area: Box, theme: Theme, text: TextBank, album: Album) -> None:
    form = text.number(0, 10)
    if form < 5:
        canvas.paste(area, album.crop(area.width, area.height))
        return
    canvas.fill(area, theme.series[form % len(theme.series)] if form == 5 else (248, 248, 250))
    canvas.mark(area)
    if form > 5:
        sign = ("type", "sliders", "folder", "ellipse")[form % 4]
        icon(canvas, area.centred(area.width * 2 // 3, area.height * 2 // 3), sign, (60, 62, 70))


def colours(canvas: Canvas, area: Box, theme: Theme, rng: np.random.Generator) -> None:
    """Draw a colour picker: a field of shades, a strip of hues, a row of samples."""
    field, rest = area.cut_top(max(1, area.height - theme.px(54)))
    hue = float(rng.random())
    pure = np.asarray(_hue(hue))
    across = np.linspace(0, 1, field.width)[None, :, None]
    down = np.linspace(1, 0, field.height)[:, None, None]
    shades = ((255 * (1 - across) + pure * across) * down).astype(np.uint8)
    canvas.lay(field, shades)
    canvas.mark(field)
    spot = box(
        field.x + int(rng.integers(field.width)), field.y + int(rng.integers(field.height)), theme.px(10), theme.px(10)
    )
    with canvas.clipped(field):
        canvas.outline(spot, (255, 255, 255), radius=theme.px(5), thickness=max(1, theme.px(1.4)))
    strip, rest = rest.cut_top(theme.px(8))[1].cut_top(theme.px(13))
    steps = np.linspace(0, 1, strip.width)
    row = np.asarray([_hue(float(step)) for step in steps], dtype=np.uint8)
    canvas.lay(strip, np.ascontiguousarray(np.broadcast_to(row[None], (strip.height, strip.width, 3))))
    canvas.mark(strip)
    samples = rest.cut_top(theme.px(8))[1].cut_top(theme.px(19))[0]
    for cell in samples.columns(8, theme.px(4)):
        canvas.fill(cell, _hue(float(rng.random())))
        canvas.mark(cell)


def _hue(share: float) -> Colour:
    """Return the full colour at `share` (0..1) of the way round."""
    red, green, blue = (round(255 * min(1.0, max(0.0, abs((share * 6 + shift) % 6 - 3) - 1))) for shift in (0, 4, 2))
    return red, green, blue


def checks(canvas: Canvas, area: Box, side: int) -> None:
    """Draw the checkered ground that stands for nothing being there."""
    rows, columns = np.arange(area.height) // side, np.arange(area.width) // side
    odd = (rows[:, None] + columns[None, :]) % 2
    canvas.lay(area, np.asarray(_CHECKS, dtype=np.uint8)[odd])
    canvas.mark(area)


def rulers(canvas: Canvas, area: Box, theme: Theme) -> Box:
    """Draw rulers along the top and the left; return what is left."""
    wide = theme.px(17)
    top, rest = area.cut_top(wide)
    left, rest = rest.cut_left(wide)
    step = max(4, theme.px(8))
    for strip, length in ((top, top.width), (left, left.height)):
        marks = np.zeros((wide, length), dtype=bool)
        marks[wide * 2 // 3 :, ::step] = True
        marks[wide // 4 :, :: step * 10] = True
        shown = np.where(marks[..., None], np.asarray(theme.muted, np.uint8), np.asarray(theme.surface, np.uint8))
        canvas.lay(strip, shown if strip is top else np.ascontiguousarray(shown.transpose(1, 0, 2)))
        canvas.mark(strip)
    font = theme.font(8.5)
    for number in range(top.width // (step * 10)):
        spot = box(top.x + number * step * 10 + theme.px(3), top.y, step * 10, wide * 3 // 4)
        typesetting.line(canvas, spot, str(number * 100), font, theme.muted)
    return rest


def ants(canvas: Canvas, area: Box, phase: int, dash: int) -> None:
    """Draw the dashed border of a selection, black and white in turn."""
    for edge in (area.cut_top(1)[0], area.cut_bottom(1)[0], area.cut_left(1)[0], area.cut_right(1)[0]):
        run = (np.arange(edge.width + edge.height - 1) + phase) // dash % 2 * 255
        line = np.repeat(run.astype(np.uint8)[:, None], 3, axis=1)
        canvas.lay(edge, line[None] if edge.height == 1 else line[:, None])


def handles(canvas: Canvas, area: Box, theme: Theme, colour: Colour) -> None:
    """Draw the frame and the handles of something that can be moved and scaled."""
    canvas.outline(area, colour, thickness=max(1, theme.px(1)))
    side = max(5, theme.px(8))
    for x in (area.x, area.x + area.width // 2, area.right):
        for y in (area.y, area.y + area.height // 2, area.bottom):
            if (x, y) == (area.x + area.width // 2, area.y + area.height // 2):
                continue
            knob = box(x - side // 2, y - side // 2, side, side)
            canvas.fill(knob, colour)
            canvas.fill(knob.inset(max(1, theme.px(1))), (255, 255, 255))
    canvas.mark(area)


def crop_frame(canvas: Canvas, shown: Box, theme: Theme, rng: np.random.Generator) -> None:
    """Shade what a crop leaves out of a shown picture, and draw its frame and its thirds."""
    inner = shown.inset(int(shown.width * rng.uniform(0.02, 0.09)), int(shown.height * rng.uniform(0.02, 0.09)))
    above, rest = shown.cut_top(inner.y - shown.y)
    below, rest = rest.cut_bottom(shown.bottom - inner.bottom)
    left, rest = rest.cut_left(inner.x - shown.x)
    for side in (above, below, left, rest.cut_right(shown.right - inner.right)[0]):
        canvas.veil(side, (0, 0, 0), 0.55)
    for part in (1, 2):
        canvas.fill(box(inner.x + inner.width * part // 3, inner.y, 1, inner.height), (225, 225, 228))
        canvas.fill(box(inner.x, inner.y + inner.height * part // 3, inner.width, 1), (225, 225, 228))
    handles(canvas, inner, theme, (240, 240, 240))


def toned(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a photograph with another tone: grey, sepia, warm, cold, faded. What is shown stays the photograph's."""
    form = int(rng.integers(5))
    values: NDArray[np.float32] = pixels.astype(np.float32)
    if form < 2:
        grey = values @ np.asarray([0.299, 0.587, 0.114], dtype=np.float32)
        tint = (1.0, 1.0, 1.0) if form == 0 else (1.0, 0.86, 0.68)
        values = grey[:, :, None] * np.asarray(tint, dtype=np.float32)
    elif form < 4:
        values = values * np.asarray((1.0, 0.93, 0.78) if form == 2 else (0.8, 0.94, 1.0), dtype=np.float32)
    else:
        values = values * 0.7 + 50
    return (values + 0.5).astype(np.uint8)
