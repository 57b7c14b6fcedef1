"""Text that fits its box: lines cut with an ellipsis, paragraphs broken into lines."""

from typing import Literal

from datagen.canvas import Canvas, Colour
from datagen.fonts import Font
from datagen.geometry import Box, box

ELLIPSIS = "…"
Align = Literal["left", "centre", "right"]


def shorten(text: str, font: Font, width: int) -> str:
    """Return `text`, or as much of it as fits into `width` pixels with an ellipsis; "" if nothing fits."""
    if font.width(text) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if font.width(text[:middle].rstrip() + ELLIPSIS) <= width:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + ELLIPSIS if low else ""


def break_lines(text: str, font: Font, width: int) -> list[str]:
    """Return `text` in lines of at most `width` pixels, broken at spaces; a word too long is shortened."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if font.width(longer) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        line = shorten(word, font, width)
    return [*lines, line] if line else lines


def line(canvas: Canvas, area: Box, text: str, font: Font, colour: Colour, *, align: Align = "left") -> Box:
    """Set one line, vertically in the middle of `area`, cut to its width; mark it and return its box."""
    shown = shorten(text, font, area.width)
    width = font.width(shown)
    x = area.x + {"left": 0, "centre": (area.width - width) // 2, "right": area.width - width}[align]
    ascent, height = font.ascent, font.height
    top = area.y + (area.height - height) // 2
    used = box(x, top, width, height)
    if shown:
        canvas.text(x, top + ascent, shown, font, colour)
        canvas.mark(used)
    return used


def paragraph(canvas: Canvas, area: Box, text: str, font: Font, colour: Colour, *, leading: float = 1.35) -> Box:
    """Set a paragraph from the top of `area`; whole lines only, as many as fit. Mark it and return the box it used."""
    step = round(font.size * leading)
    lines = break_lines(text, font, area.width)[: max(0, area.height // step)]
    gap = (step - font.height) // 2
    for number, shown in enumerate(lines):
        canvas.text(area.x, area.y + number * step + gap + font.ascent, shown, font, colour)
    used = box(area.x, area.y, area.width, len(lines) * step)
    if lines:
        canvas.mark(used)
    return used
