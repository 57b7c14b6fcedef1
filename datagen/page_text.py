"""Text as pages of documents have it: broken into lines by word widths, ragged or justified, perhaps highlighted."""

from dataclasses import dataclass

from datagen.canvas import Canvas, Colour
from datagen.fonts import Font
from datagen.geometry import Box, box

_SMALLEST_SPACE = 0.27
"""In em."""
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


def word_space(font: Font) -> float:
    """Return the space between words; in small type hinting leaves too little of the font's own."""
    return max(font.face.getlength(" "), _SMALLEST_SPACE * font.size)


def break_words(text: str, font: Font, width: int, *, indent: int = 0) -> list[list[str]]:
    """Return the words of each line; each word is measured once, kerning across spaces aside."""
    lines: list[list[str]] = [[]]
    measure = font.face.getlength
    space = word_space(font)
    left = float(width - indent)
    for word in text.split():
        size = measure(word)
        if size > left and lines[-1]:
            lines.append([])
            left = float(width)
        lines[-1].append(word)
        left -= size + space
    return lines if lines[-1] else lines[:-1]


def set_body(canvas: Canvas, area: Box, text: str, body: Body) -> Box:
    """Set a paragraph from the top of `area`, as many lines as fit; mark it and return what is left below."""
    lines = break_words(text, body.font, area.width, indent=body.indent)[: max(0, area.height // body.step)]
    gap = (body.step - body.font.height) // 2
    for number, words in enumerate(lines):
        x = area.x + (body.indent if number == 0 else 0)
        y = area.y + number * body.step
        if body.marked is not None and 0 < number < 3:
            canvas.fill(box(x, y, area.right - x, body.step), body.marked)
        last = number == len(lines) - 1
        if body.justified and not last and len(words) > 1:
            free = area.right - x - sum(map(body.font.face.getlength, words))
            _set_words(canvas, (x, y + gap + body.font.ascent), words, body, space=free / (len(words) - 1))
        elif body.font.size <= _SMALL_TYPE:
            _set_words(canvas, (x, y + gap + body.font.ascent), words, body, space=word_space(body.font))
        else:
            canvas.text(x, y + gap + body.font.ascent, " ".join(words), body.font, body.colour)
    used, rest = area.cut_top(len(lines) * body.step)
    if lines:
        canvas.mark(used)
    return rest


def _set_words(canvas: Canvas, at: tuple[int, int], words: list[str], body: Body, *, space: float) -> None:
    x = float(at[0])
    for word in words:
        canvas.text(round(x), at[1], word, body.font, body.colour)
        x += body.font.face.getlength(word) + space
