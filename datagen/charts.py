"""Charts: axes with a grid, bars, lines, areas, pies. Drawn from random data, so all of it is synthetic."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datagen import typesetting
from datagen.canvas import Canvas, Colour
from datagen.geometry import Box, box
from datagen.shapes import sector
from datagen.theme import Theme, mix

Series = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """A plot area and the value at its top; the bottom is 0."""

    plot: Box
    top: float

    def y(self, value: float) -> float:
        """Return the row of `value`."""
        return self.plot.bottom - value / self.top * self.plot.height


def random_walk(rng: np.random.Generator, num_points: int, *, level: float) -> Series:
    """Return a positive series that wanders around `level`."""
    steps = np.cumsum(rng.normal(0, 0.12, num_points)) + rng.normal(0, 0.05, num_points)
    return np.asarray(level * np.exp(np.clip(steps - steps.mean(), -1.2, 1.2)))


def axes(canvas: Canvas, area: Box, theme: Theme, labels: Sequence[str], highest: float) -> Axes:
    """Draw grid lines, value labels at the left and `labels` below; return the plot."""
    font = theme.font(11)
    step = _nice_step(highest / max(1, min(5, area.height // theme.px(38))))
    num_steps = int(-(-highest // step))
    left = max(font.width(_number(step * number)) for number in range(num_steps + 1)) + theme.px(10)
    plot = area.cut_left(left)[1].cut_bottom(theme.px(22))[1].cut_top(theme.px(6))[1]
    made = Axes(plot=plot, top=step * num_steps)
    for number in range(num_steps + 1):
        y = round(made.y(step * number))
        canvas.fill(box(plot.x, y, plot.width, 1), mix(theme.surface, theme.border, 0.7 if number else 1.0))
        row = box(area.x, y - theme.px(8), left - theme.px(8), theme.px(16))
        typesetting.line(canvas, row, _number(step * number), font, theme.muted, align="right")
    wanted = max(font.width(label) for label in labels) + theme.px(8)
    stride = max(1, -(-len(labels) * wanted // plot.width))
    width = plot.width / len(labels)
    for number in range(0, len(labels), stride):
        middle = plot.x + round((number + 0.5) * width)
        cell = box(middle - wanted // 2, plot.bottom + theme.px(4), wanted, theme.px(16))
        typesetting.line(canvas, cell, labels[number], font, theme.muted, align="centre")
    return made


def bars(canvas: Canvas, made: Axes, theme: Theme, groups: Sequence[Series]) -> None:
    """Draw one bar a value, groups side by side; the groups have the same length."""
    slot = made.plot.width / len(groups[0])
    width = max(2, int(slot * 0.7 / len(groups)))
    for order, values in enumerate(groups):
        for number, value in enumerate(values):
            x = round(made.plot.x + number * slot + slot * 0.15) + order * width
            y = round(made.y(float(value)))
            bar = box(x, y, max(1, width - 1), made.plot.bottom - y)
            # Clipped at the axis, so only the upper corners are round.
            with canvas.clipped(bar):
                tall = box(bar.x, bar.y, bar.width, bar.height + theme.px(6))
                canvas.rounded(tall, theme.series[order], min(theme.px(3), bar.width / 3))
            canvas.mark(bar)


def lines(canvas: Canvas, made: Axes, theme: Theme, groups: Sequence[Series], *, filled: bool) -> None:
    """Draw one line a series; `filled` shades the area under the first."""
    for order, values in enumerate(groups):
        slot = made.plot.width / len(values)
        x = made.plot.x + (np.arange(len(values)) + 0.5) * slot
        y = [made.y(float(value)) for value in values]
        points = list(zip(x.tolist(), y, strict=True))
        if filled and order == 0:
            bottom = float(made.plot.bottom)
            shade = mix(theme.surface, theme.series[order], 0.18)
            canvas.polygon([*points, (points[-1][0], bottom), (points[0][0], bottom)], shade)
        canvas.polyline(points, theme.series[order], thickness=theme.px(2))
    canvas.mark(made.plot)


def pie(canvas: Canvas, area: Box, theme: Theme, shares: Series, *, hole: float) -> None:
    """Draw a pie, or a ring if `hole` is above 0, as large as `area` allows; `shares` add up to 1."""
    side = min(area.width, area.height)
    disc = area.centred(side, side)
    start = -90.0
    for order, share in enumerate(shares):
        end = start + 360 * float(share)
        mask = sector(side, start, end, hole=hole)
        canvas.mask(disc, mask, theme.series[order % len(theme.series)])
        canvas.mark(disc, mask)
        start = end


def legend(canvas: Canvas, area: Box, theme: Theme, names: Sequence[str]) -> None:
    """Draw a swatch and a name a series, side by side, as many as fit."""
    font = theme.font(12)
    rest = area
    for order, name in enumerate(names):
        width = font.width(name) + theme.px(34)
        if rest.width < width:
            return
        cell, rest = rest.cut_left(width)
        swatch(canvas, cell.cut_left(theme.px(10))[0], theme.series[order], theme)
        typesetting.line(canvas, cell.cut_left(theme.px(16))[1], name, font, theme.muted)


def swatch(canvas: Canvas, area: Box, colour: Colour, theme: Theme) -> None:
    """Draw the small square that names a series' colour."""
    mark = area.centred(theme.px(10), theme.px(10))
    canvas.rounded(mark, colour, theme.px(2))
    canvas.mark(mark)


def _nice_step(rough: float) -> float:
    """Return 1, 2, 2.5 or 5 times a power of ten, at least `rough`."""
    power = 10.0 ** np.floor(np.log10(rough))
    return next(float(power * factor) for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough)


def _number(value: float) -> str:
    if value >= 10_000:
        return f"{value / 1000:g}k"
    return f"{value:g}"
