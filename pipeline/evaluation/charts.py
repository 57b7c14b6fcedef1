"""Charts as inline SVG, drawn by matplotlib: the same figures give the same bytes, and colours follow the page's theme.

Lines and dots are drawn in marker colours that the page's style sheet knows by name; each is replaced by `var(--name)`.
"""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INCH = 72.0
"""SVG units an inch, as matplotlib writes them; all sizes below are in units."""
WIDTH, HEIGHT = 420, 260
_LEGEND_COLUMNS, _LEGEND_LINE = 3, 18

INK, MUTED, LINE = "ink", "muted", "line"
CLASS_COLOURS = {"whole": INK, "synthetic": "synthetic", "natural": "natural"}
SERIES = tuple(f"series-{number}" for number in range(1, 9))
# Colours that nothing else on a chart has; never seen, since each becomes a CSS variable.
_MARKERS = {
    name: f"#0102{place:02x}" for place, name in enumerate((INK, MUTED, LINE, "synthetic", "natural", *SERIES), start=1)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Points joined in order."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    colour: str
    dots: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Dots:
    """One value a row; None is left out."""

    name: str
    values: tuple[float | None, ...]
    colour: str


def line_chart(lines: Sequence[Line], *, title: str, x_label: str) -> str:
    """Return lines over one axis as SVG."""
    figure, axes = _open(WIDTH, HEIGHT, title)
    for line in lines:
        dots: Mapping[str, Any] = {"marker": "o", "markersize": 5} if line.dots else {}
        axes.plot(line.x, line.y, color=_MARKERS[line.colour], linewidth=2, label=_literal(line.name), **dots)
    axes.set_xlabel(x_label, color=_MARKERS[MUTED])
    axes.grid(axis="y", color=_MARKERS[LINE], linewidth=1)
    if len(lines) > 1:
        _legend(axes, columns=len(lines))
    return _close(figure, title)


def dot_chart(rows: Sequence[str], series: Sequence[Dots], *, title: str, x_label: str) -> str:
    """Return values in horizontal rows, a dot a series, as SVG."""
    figure, axes = _open(WIDTH, 120 + 34 * len(rows), title)
    places = list(range(len(rows)))
    for one in series:
        points = [(value, place) for place, value in zip(places, one.values, strict=True) if value is not None]
        axes.scatter(
            [value for value, _ in points],
            [place for _, place in points],
            s=11**2,
            color=_MARKERS[one.colour],
            label=_literal(one.name),
            zorder=3,
        )
    axes.set_yticks(places, [_literal(row) for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.margins(x=0.1)
    axes.grid(axis="both", color=_MARKERS[LINE], linewidth=1)
    axes.set_xlabel(x_label, color=_MARKERS[MUTED])
    _legend(axes, columns=len(series))
    return _close(figure, title)


def scatter_chart(series: Sequence[Line], *, title: str, x_label: str, y_label: str) -> str:
    """Return points in a plane as SVG; names of many series are listed in several lines."""
    columns = min(len(series), _LEGEND_COLUMNS)
    num_more = -(-len(series) // columns) - 1
    figure, axes = _open(WIDTH, HEIGHT + _LEGEND_LINE * num_more, title, more_lines=num_more)
    for one in series:
        axes.scatter(one.x, one.y, s=8**2, color=_MARKERS[one.colour], label=_literal(one.name), alpha=0.85)
    axes.set_xlabel(x_label, color=_MARKERS[MUTED])
    axes.set_ylabel(y_label, color=_MARKERS[MUTED])
    axes.grid(color=_MARKERS[LINE], linewidth=1)
    _legend(axes, columns=columns)
    return _close(figure, title)


def _literal(words: str) -> str:
    """Keep matplotlib from reading a formula between dollar signs."""
    return words.replace("$", r"\$")


def _open(width: int, height: int, title: str, *, more_lines: int = 0) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / _INCH, height / _INCH), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(
        title, loc="left", color=_MARKERS[INK], fontsize=14, fontweight="bold", pad=22 + _LEGEND_LINE * more_lines
    )
    axes.set_axisbelow(True)
    axes.patch.set_visible(False)
    figure.patch.set_visible(False)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_MARKERS[LINE])
    axes.tick_params(length=0, labelcolor=_MARKERS[MUTED], labelsize=12)
    axes.xaxis.label.set_fontsize(12)
    axes.yaxis.label.set_fontsize(12)
    return figure, axes


def _legend(axes: "Axes", *, columns: int) -> None:
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        borderaxespad=0.1,
        ncols=columns,
        frameon=False,
        fontsize=12,
        labelcolor=_MARKERS[MUTED],
        handlelength=1.2,
        handletextpad=0.4,
        columnspacing=1.2,
        borderpad=0,
    )


def _close(figure: "Figure", title: str) -> str:
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = io.StringIO()
    # Text stays text, set in the page's font; ids come from the salt, not from chance; no date, no creator.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": title, "svg.image_inline": True}):
        canvas: Any = FigureCanvasSVG(figure)
        canvas.print_svg(buffer, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    return _themed(buffer.getvalue(), title)


def _themed(svg: str, title: str) -> str:
    svg = svg[svg.index("<svg") :]
    # A style element inside an inline SVG would style the whole page.
    svg = re.sub(r"<(metadata|style)\b.*?</\1>", "", svg, flags=re.DOTALL)
    # Every chart calls its parts figure_1, axes_1, ...; on one page the ids have to differ.
    prefix = re.sub(r"[^a-z0-9]+", "-", title.lower())
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}-", svg)
    svg = re.sub(r"font-family: [^;\"]*", "font-family: var(--font)", svg)
    for name, marker in _MARKERS.items():
        svg = svg.replace(marker, f"var(--{name})")
    return svg.replace("<svg", '<svg role="img" class="chart"', 1).strip()
