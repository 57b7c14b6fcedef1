"""Text as pages of documents have it: broken into lines by word widths, ragged or justified, perhaps highlighted."""

from dataclasses import dataclass

from datagen import typesetting
from datagen.canvas import Canvas, Colour
from datagen.fonts import Font
from datagen.geometry import Box, box
from datagen.shaping import is_right_to_left

_SMALLEST_SPACE = 0.27
"""In em."""
_MARKED_UP_TO = 3
"""Lines after the first that a highlighter covers, plus one."""
_SMALL_TYPE = 8
"""Em size in pixels up to which words are placed one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """How running text is set."""

    font: Font
    colour: Colour
    leading: float = 1.3
    """Distance of baselines, in em."""
    justified: bool = False
    indent: int = 0
    """Of the first line, in pixels."""
    marked: Colour | None = None
    """Highlighter over some lines, None for none."""

    @property
    def step(self) -> int:
        """Distance of baselines in pixels."""
        return max(1, round(self.font.size * self.leading))


def set_body(canvas: Canvas, area: Box, text: str, body: Body) -> Box:
    """Set a paragraph from the top of `area`, as many lines as fit; mark it and return what is left below."""
    turned = is_right_to_left(text)
    lines = _break(text, body, area.width)[: max(0, area.height // body.step)]
    gap = (body.step - body.font.height) // 2
    for number, shown in enumerate(lines):
        x = area.x + (body.indent if number == 0 and not turned else 0)
        y = area.y + number * body.step
        if body.marked is not None and 0 < number < _MARKED_UP_TO:
            canvas.fill(box(x, y, area.right - x, body.step), body.marked)
        x = area.right - body.font.width(shown) if turned else x
        words = [] if turned else shown.split()
        stretched = body.justified and number < len(lines) - 1
        if len(words) > 1 and (stretched or body.font.size <= _SMALL_TYPE):
            free = area.right - x - sum(map(body.font.width, words))
            space = free / (len(words) - 1) if stretched else min(free / (len(words) - 1), _space(body.font))
            _set_words(canvas, (x, y + gap + body.font.ascent), words, body, space=space)
        else:
            canvas.text(x, y + gap + body.font.ascent, shown, body.font, body.colour)
    used, rest = area.cut_top(len(lines) * body.step)
    if lines:
        canvas.mark(used)
    return rest


def _break(text: str, body: Body, width: int) -> list[str]:
    if not body.indent:
        return typesetting.break_lines(text, body.font, width)
    text = " ".join(text.split())
    first = typesetting.break_lines(text, body.font, width - body.indent)[:1]
    return [*first, *typesetting.break_lines(text[len(first[0]) :] if first else "", body.font, width)]


def _space(font: Font) -> float:
    """Return the space between words; in small type hinting leaves too little of the font's own."""
    return max(font.width(" "), _SMALLEST_SPACE * font.size)


def _set_words(canvas: Canvas, at: tuple[int, int], words: list[str], body: Body, *, space: float) -> None:
    x = float(at[0])
    for word in words:
        canvas.text(round(x), at[1], word, body.font, body.colour)
        x += body.font.width(word) + space
