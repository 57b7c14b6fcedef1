"""Charts and a street map as SVG; all in the page's colours."""

import numpy as np
from numpy.typing import NDArray

from datagen.browser.kit import repeat

_MONTHS = {
    "ru": "янв фев мар апр май июн июл авг сен окт ноя дек",
    "el": "Ιαν Φεβ Μαρ Απρ Μαι Ιουν Ιουλ Αυγ Σεπ Οκτ Νοε Δεκ",  # noqa: RUF001 -- these are Greek letters
}
_NUMBERED = "1月 2月 3月 4月 5月 6月 7月 8月 9月 10月 11月 12月"
_ENGLISH = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"


def lines(rng: np.random.Generator, width: int, height: int, language: str) -> str:
    """Return one to three lines over a year, the first one perhaps filled."""
    names = (_NUMBERED if language in ("ja", "zh") else _MONTHS.get(language, _ENGLISH)).split()
    left, bottom = 44, height - 26
    x = np.linspace(left, width - 10, 12)
    parts = [_rows(width, left, 12, bottom, top=100 * int(rng.integers(1, 20)))]
    parts += [f"<text x='{x[i]:.1f}' y='{height - 6}' text-anchor='middle'>{names[i]}</text>" for i in range(12)]
    smooth = bool(rng.random() < 0.5)
    for index in range(int(rng.integers(1, 4))):
        values = np.clip(0.35 + 0.12 * np.cumsum(rng.normal(0.08, 0.6, 12)), 0.05, 0.97)
        y = bottom - values * (bottom - 12)
        path = _curve(x, y) if smooth else "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))
        if index == 0 and rng.random() < 0.6:
            parts.append(
                f"<path d='{path}L{x[-1]:.1f} {bottom}L{x[0]:.1f} {bottom}Z' fill='var(--c{index})' opacity='.16'/>"
            )
        parts.append(f"<path d='{path}' fill='none' stroke='var(--c{index})' stroke-width='2.4'/>")
        if not smooth:
            parts += [
                f"<circle cx='{a:.1f}' cy='{b:.1f}' r='3.4' fill='var(--surface)' stroke='var(--c{index})'"
                " stroke-width='2'/>"
                for a, b in zip(x, y, strict=True)
            ]
    return _svg(width, height, parts)


def columns(rng: np.random.Generator, width: int, height: int) -> str:
    """Return grouped or stacked columns."""
    left, bottom, num_groups, num_series = 40, height - 24, int(rng.integers(6, 13)), int(rng.integers(1, 4))
    stacked = bool(rng.random() < 0.5)
    step = (width - left - 8) / num_groups
    parts = [_rows(width, left, 10, bottom, top=10 * int(rng.integers(2, 60)))]
    for group in range(num_groups):
        base = float(bottom)
        for series in range(num_series):
            tall = float(rng.uniform(0.15, 0.95)) * (bottom - 12) / (num_series if stacked else 1)
            wide = step * 0.62 / (1 if stacked else num_series)
            x = left + group * step + step * 0.19 + (0 if stacked else series * wide)
            parts.append(
                f"<rect x='{x:.1f}' y='{base - tall:.1f}' width='{wide - 1:.1f}' height='{tall:.1f}' rx='2'"
                f" fill='var(--c{series})'/>"
            )
            base = base - tall if stacked else float(bottom)
        parts.append(
            f"<text x='{left + group * step + step / 2:.1f}' y='{height - 6}' text-anchor='middle'>{group + 1}</text>"
        )
    return _svg(width, height, parts)


def donut(rng: np.random.Generator, width: int, height: int) -> str:
    """Return a ring of four to six shares."""
    shares = rng.dirichlet(np.full(int(rng.integers(3, 6)), 2.5))
    radius, turn = height * 0.36, 2 * np.pi * height * 0.36
    parts, start = [], 0.0
    thick = float(rng.choice([18, 28, 40]))
    for index, share in enumerate(shares):
        parts.append(
            f"<circle cx='{width / 2}' cy='{height / 2}' r='{radius:.1f}' fill='none' stroke='var(--c{index})'"
            f" stroke-width='{thick}' "
            f"stroke-dasharray='{share * turn - 2:.1f} {turn:.1f}' stroke-dashoffset='{-start * turn:.1f}'"
            f" transform='rotate(-90 {width / 2} {height / 2})'/>"
        )
        start += float(share)
    parts.append(
        f"<text x='{width / 2}' y='{height / 2 + 9}' text-anchor='middle'"
        f" style='font-size:26px;font-weight:700;fill:var(--text)'>{shares.max():.0%}</text>"
    )
    return _svg(width, height, parts)


def heat(rng: np.random.Generator, width: int, height: int) -> str:
    """Return a calendar of coloured squares."""
    cell = 15
    field = rng.random((height // cell, width // cell)) ** 1.6
    return _svg(
        width,
        height,
        [
            f"<rect x='{column * cell}' y='{row * cell}' width='{cell - 3}' height='{cell - 3}' rx='3'"
            f" fill='var(--accent)' opacity='{0.08 + 0.92 * field[row, column]:.2f}'/>"
            for row in range(field.shape[0])
            for column in range(field.shape[1])
        ],
    )


def scatter(rng: np.random.Generator, width: int, height: int) -> str:
    """Return a cloud of points in a few colours."""
    left, bottom = 44, height - 20
    parts = [_rows(width, left, 10, bottom, top=10 * int(rng.integers(1, 50)))]
    for index in range(int(rng.integers(2, 5))):
        centre = rng.uniform(0.2, 0.8, 2)
        for x, y in np.clip(rng.normal(centre, (0.12, 0.14), (int(rng.integers(12, 50)), 2)), 0.01, 0.99):
            parts.append(
                f"<circle cx='{left + x * (width - left - 12):.1f}' cy='{bottom - y * (bottom - 12):.1f}'"
                f" r='{rng.uniform(2.5, 7):.1f}' fill='var(--c{index})' opacity='.75'/>"
            )
    return _svg(width, height, parts)


def spark(rng: np.random.Generator, width: int, height: int, colour: str) -> str:
    """Return a small line without axes."""
    y = np.cumsum(rng.normal(0, 1, 16))
    y = height - 3 - (y - y.min()) / max(1e-6, float(np.ptp(y))) * (height - 6)
    path = _curve(np.linspace(2, width - 2, 16), y)
    return (
        f"<svg width='{width}' height='{height}'><path d='{path}' fill='none' stroke='{colour}'"
        " stroke-width='2'/></svg>"
    )


def street_map(rng: np.random.Generator, width: int, height: int, *, dark: bool) -> str:
    """Return a town seen from above: blocks, parks, a river, roads with names of no place."""
    land, block, park, water, road, main = (
        ("#1f2733", "#283241", "#20392f", "#16324a", "#3a475a", "#59657a")
        if dark
        else ("#f2efe9", "#e8e3da", "#cfe6bf", "#aad3df", "#ffffff", "#fbd77b")
    )
    parts = [f"<rect width='{width}' height='{height}' fill='{land}'/>"]
    for _ in range(40):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        parts.append(
            f"<rect x='{x:.0f}' y='{y:.0f}' width='{rng.uniform(12, 60):.0f}' height='{rng.uniform(12, 46):.0f}'"
            f" fill='{block}'/>"
        )
    for _ in range(4):
        x, y, r = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(24, 70)
        parts.append(f"<ellipse cx='{x:.0f}' cy='{y:.0f}' rx='{r:.0f}' ry='{r * 0.7:.0f}' fill='{park}'/>")
    along = np.linspace(-20, width + 20, 7)
    parts.append(
        f"<path d='{_curve(along, height * 0.5 + np.cumsum(rng.normal(0, height * 0.09, 7)))}' fill='none'"
        f" stroke='{water}' stroke-width='{rng.uniform(14, 34):.0f}'/>"
    )
    slant = rng.uniform(-0.3, 0.3)
    for step in range(-4, 16):
        wide = 2.5 if step % 3 else 6
        colour = road if step % 3 else main
        at = step * width / 11
        parts.append(
            f"<path d='M{at:.0f} 0L{at + slant * height:.0f} {height}' stroke='{colour}' stroke-width='{wide}'/>"
        )
        level = step * height / 8
        parts.append(
            f"<path d='M0 {level:.0f}L{width} {level + slant * width * 0.5:.0f}' stroke='{colour}'"
            f" stroke-width='{wide}'/>"
        )
    return (
        f"<svg class='cover' viewBox='0 0 {width} {height}' preserveAspectRatio='xMidYMid slice'>{repeat(parts)}</svg>"
    )


def _rows(width: int, left: int, top_y: int, bottom: int, *, top: int) -> str:
    rows = []
    for step in range(5):
        y = bottom - (bottom - top_y) * step / 4
        rows.append(
            f"<path d='M{left} {y:.1f}H{width - 8}' stroke='var(--line)'/><text x='{left - 8}' y='{y + 4:.1f}'"
            f" text-anchor='end'>{top * step // 4}</text>"
        )
    return repeat(rows)


def _curve(x: NDArray[np.float64], y: NDArray[np.float64]) -> str:
    path = [f"M{x[0]:.1f} {y[0]:.1f}"]
    for i in range(1, len(x)):
        middle = (x[i - 1] + x[i]) / 2
        path.append(f"C{middle:.1f} {y[i - 1]:.1f} {middle:.1f} {y[i]:.1f} {x[i]:.1f} {y[i]:.1f}")
    return "".join(path)


def _svg(width: int, height: int, parts: list[str]) -> str:
    style = "font-family:var(--sans);font-size:11px;fill:var(--muted)"
    return f"<svg class='chart' viewBox='0 0 {width} {height}' style='{style}'>{repeat(parts)}</svg>"
