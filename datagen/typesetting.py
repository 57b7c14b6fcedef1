"""Text that fits its box: lines cut with an ellipsis, paragraphs broken into lines."""

import re
from collections.abc import Iterator
from typing import Literal

from datagen.canvas import Canvas, Colour
from datagen.fonts import Font
from datagen.geometry import Box, box
from datagen.shaping import is_right_to_left

ELLIPSIS = "…"
Align = Literal["left", "centre", "right"]

_IDEOGRAPH = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_CLOSING = (
    "\u3001\u3002\uff0c\uff0e\uff1a\uff1b\uff1f\uff01\u300d\u300f\uff09\u3011\u3009\u300b\u3015\u2026\u30fc\u3005"
    "\u3041\u3043\u3045\u3047\u3049\u3063\u3083\u3085\u3087\u30a1\u30a3\u30a5\u30a7\u30a9\u30c3\u30e3\u30e5\u30e7"
)
"""Closing brackets, stops, small kana: no line begins with these."""
_OPENING = "\u300c\u300e\uff08\u3010\u3008\u300a\u3014"
"""Opening brackets: no line ends with these."""
_UNIT = re.compile(
    f"[{_OPENING}]*(?:{_IDEOGRAPH.pattern}|[^{_IDEOGRAPH.pattern[1:-1]}{_OPENING}{_CLOSING}]+)[{_CLOSING}]*|.+?"
)


def shorten(text: str, font: Font, width: int) -> str:
    """Return `text`, or as much of it as fits into `width` pixels with an ellipsis; "" if nothing fits."""
    return _fitted(text, font, width)[0]


def _fitted(text: str, font: Font, width: int) -> tuple[str, int]:
    """Return the same and its width."""
    whole = font.width(text)
    if whole <= width:
        return text, whole
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if font.width(text[:middle].rstrip() + ELLIPSIS) <= width:
            low = middle
        else:
            high = middle - 1
    shown = text[:low].rstrip() + ELLIPSIS if low else ""
    return shown, font.width(shown)


def break_lines(text: str, font: Font, width: int) -> list[str]:
    """Return `text` in lines of at most `width` pixels, broken at spaces and between Chinese or Japanese characters.

    A word too long is shortened.
    """
    lines: list[str] = []
    line, used = "", 0
    space = font.width(" ")
    for unit, spaced in _units(text):
        step = font.width(unit)
        gap = space if spaced and line else 0
        if line and used + gap + step > width:
            lines.append(line)
            line, used, gap = "", 0, 0
        shown = shorten(unit, font, width) if step > width else unit
        line += f" {shown}" if gap else shown
        used += gap + step
    return [*lines, line] if line else lines


def _units(text: str) -> Iterator[tuple[str, bool]]:
    """Yield what a line break may not cut, and whether a space goes before it."""
    for word in text.split():
        if word.isascii() or not _IDEOGRAPH.search(word):
            yield word, True
            continue
        for number, unit in enumerate(_UNIT.findall(word)):
            yield unit, number == 0


def line(canvas: Canvas, area: Box, text: str, font: Font, colour: Colour, *, align: Align = "left") -> Box:
    """Set one line, vertically in the middle of `area`, cut to its width; mark it and return its box."""
    shown, width = _fitted(text, font, area.width)
    if align == "left" and is_right_to_left(shown):
        align = "right"
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
    turned = is_right_to_left(text)
    for number, shown in enumerate(lines):
        x = area.right - font.width(shown) if turned else area.x
        canvas.text(x, area.y + number * step + gap + font.ascent, shown, font, colour)
    used = box(area.x, area.y, area.width, len(lines) * step)
    if lines:
        canvas.mark(used)
    return used
