"""Coverage of a line of text, with grey or subpixel antialiasing.

A line is put together of glyphs that are drawn once a font and held. Every glyph stands on a whole pixel and moves the
pen by whole pixels, so a line looks the same whatever was drawn before. Kerning is left out, as FreeType's old kerning
tables are all that Pillow's basic layout knows and these fonts have none.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from datagen import kernels
from datagen.fonts import EMOJI_STRIKE, Font, advance, font
from datagen.kernels import Colour, Line, set_glyphs
from datagen.shaping import visual_order

Ink = NDArray[np.uint8]

_SUBPIXELS = 3
_HELD_BYTES = 64_000_000
_LOOK_EVERY = 32
"""After how many more sets their memory is summed up."""
_OVERHEAD_BYTES = 8_000
"""Of a set's dictionary and objects, about."""
_NO_INK = np.zeros((0, 0), dtype=np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Emblem:
    """A glyph with colours of its own, such as an emoji, placed relative to the line's origin."""

    left: int
    top: int
    colours: NDArray[np.uint8]
    """(H, W, 3)."""
    coverage: NDArray[np.uint8]
    """(H, W)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyphs:
    """A drawn line of text, placed relative to its origin on the baseline."""

    left: int
    top: int
    coverage: NDArray[np.uint8]
    """(H, W) grey, or (H, W, 3) for the red, green and blue stripes of each pixel."""
    emblems: tuple[Emblem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Laid:
    """What became of a line that was set on a canvas."""

    width: int
    """How far the pen moved."""
    num_letters: int
    """How many characters are in sight, about."""
    emblems: tuple[Emblem, ...]


class _GlyphSet(dict[str, int]):
    """The glyphs of a font by number, drawn when they are first asked for."""

    def __init__(self, face: Font, *, subpixel: bool) -> None:
        super().__init__()
        self._font = face
        self._subpixel = subpixel
        # Accents, and glyphs that come from another typeface, may leave the font's own line.
        self._highest = -(face.ascent + face.size // 2)
        self._lowest = self._highest + face.height + 2 * (face.size // 2)
        self._num_bytes = 0
        self.ink = np.empty(1 << 12, dtype=np.uint8)
        """The ink of all glyphs, one after the other."""
        self.table = np.empty((64, 6), dtype=np.int32)
        """As `kernels.set_glyphs` wants it."""
        self.emblems: dict[int, Emblem] = {}

    def __missing__(self, char: str) -> int:
        number = len(self)
        face = self._font.holding(char)
        width = advance(self._font, char) * (_SUBPIXELS if self._subpixel else 1)
        left, top, ink = 0, 0, _NO_INK
        if face is not None and width:
            if face.family.kind == "emoji":
                self.emblems[number] = _emblem(char, face)
            else:
                left, top, ink = self._cut(*(_draw_subpixels if self._subpixel else _draw)(char, face))
        self._append(number, ink, (left, top, ink.shape[1], len(ink), width))
        self[char] = number
        return number

    def _cut(self, left: int, top: int, ink: NDArray[np.uint8]) -> tuple[int, int, NDArray[np.uint8]]:
        """Return what lies in the rows that the font keeps, without empty rows above and below."""
        first, last = max(0, self._highest - top), min(len(ink), self._lowest - top)
        rows = np.flatnonzero(ink[first : max(first, last)].any(axis=1))
        if not len(rows):
            return 0, 0, _NO_INK
        return left, top + first + int(rows[0]), ink[first + int(rows[0]) : first + int(rows[-1]) + 1]

    @property
    def num_bytes(self) -> int:
        """What it holds in memory, apart from emblems."""
        return self.ink.nbytes + self.table.nbytes + _OVERHEAD_BYTES

    def _append(self, number: int, ink: NDArray[np.uint8], measures: tuple[int, int, int, int, int]) -> None:
        start, self._num_bytes = self._num_bytes, self._num_bytes + ink.size
        if self._num_bytes > len(self.ink):
            self.ink = np.concatenate([self.ink, np.empty(self._num_bytes, dtype=np.uint8)])
        if number == len(self.table):
            self.table = np.concatenate([self.table, np.empty_like(self.table)])
        self.ink[start : self._num_bytes] = ink.reshape(-1)
        self.table[number] = (start, *measures)


def lay_line(canvas: tuple[Ink, Ink], at: Line, text: str, face: Font, colour: Colour, *, subpixel: bool) -> Laid:
    """Set one line in a drawn colour on values (H, 3 * W) and label (H, W), in place; emblems are left to the caller.

    `at` is as of `kernels.lay_line`.
    """
    glyphs = _case()(face, subpixel)
    numbers = [glyphs[char] for char in visual_order(text)]
    emblems = _placed(numbers, glyphs, _SUBPIXELS if subpixel else 1) if glyphs.emblems else ()
    line = (numbers, glyphs.table, glyphs.ink)
    seen, whole, width = kernels.lay_line(canvas, line, at, colour, subpixel=subpixel)
    return Laid(width=width, num_letters=len(text) * seen // max(1, whole), emblems=emblems)


def draw_line(text: str, face: Font, *, subpixel: bool) -> Glyphs | None:
    """Return the coverage of one line, None if it has no ink."""
    glyphs = _case()(face, subpixel)
    numbers = [glyphs[char] for char in visual_order(text)]
    emblems = _placed(numbers, glyphs, _SUBPIXELS if subpixel else 1) if glyphs.emblems else ()
    drawn = set_glyphs(numbers, glyphs.table, glyphs.ink, subpixel=subpixel)
    if drawn is None:
        return Glyphs(left=0, top=0, coverage=_NO_INK, emblems=emblems) if emblems else None
    left, top, coverage = drawn
    return Glyphs(left=left, top=top, coverage=coverage, emblems=emblems)


def _placed(numbers: Sequence[int], glyphs: _GlyphSet, density: int) -> tuple[Emblem, ...]:
    found, pen = [], 0
    for number in numbers:
        emblem = glyphs.emblems.get(number)
        if emblem is not None:
            found.append(replace(emblem, left=pen // density + emblem.left))
        pen += int(glyphs.table[number, 5])
    return tuple(found)


def _draw(char: str, face: Font) -> tuple[int, int, NDArray[np.uint8]]:
    """Return a glyph's left and top, relative to the pen on the baseline, and its ink (H, W)."""
    core, (left, top) = face.face.getmask2(char, mode="L", anchor="ls")
    width, height = core.size
    ink = np.asarray(core, dtype=np.uint8).reshape(height, width) if width and height else np.zeros((0, 0), np.uint8)
    return left, top, ink


def _draw_subpixels(char: str, face: Font) -> tuple[int, int, NDArray[np.uint8]]:
    """Return the same with the left and the columns of `ink` in subpixels."""
    large = font(face.family, face.size * _SUBPIXELS, face.style)
    left, top, ink = _draw(char, large)
    if not ink.size:
        return left, 0, np.zeros((0, 0), np.uint8)
    first, last = top // _SUBPIXELS, -(-(top + len(ink)) // _SUBPIXELS)
    sheet = np.zeros(((last - first) * _SUBPIXELS, ink.shape[1]), dtype=np.uint8)
    above = top - first * _SUBPIXELS
    sheet[above : above + len(ink)] = ink
    rows = np.asarray(Image.fromarray(sheet).reduce((1, _SUBPIXELS)), dtype=np.uint8)
    # The pen moves by whole pixels; what that adds to the glyph's own advance goes to both of its sides.
    spare = advance(face, char) * _SUBPIXELS - round(large.face.getlength(char))
    return left + spare // 2, first, rows


def _emblem(char: str, face: Font) -> Emblem:
    strike = font(face.family, EMOJI_STRIKE, face.style).face
    left, top, right, bottom = strike.getbbox(char, anchor="ls")
    size = (max(1, round(right - left)), max(1, round(bottom - top)))
    image = Image.new("RGBA", size)
    ImageDraw.Draw(image).text((-left, -top), char, font=strike, embedded_color=True, anchor="ls")
    factor = face.size / EMOJI_STRIKE
    # Premultiplied, so that the colour of clear pixels does not bleed into the edge.
    small = image.convert("RGBa").resize(
        (max(1, round(size[0] * factor)), max(1, round(size[1] * factor))), Image.Resampling.BOX
    )
    pixels = np.array(small.convert("RGBA"), dtype=np.uint8)
    return Emblem(
        left=round(left * factor),
        top=round(top * factor),
        colours=np.ascontiguousarray(pixels[:, :, :3]),
        coverage=np.ascontiguousarray(pixels[:, :, 3]),
    )


class _Case:
    """The glyph sets that a process holds: those last used, as many as fit into `max_bytes`."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._sets: OrderedDict[tuple[Font, bool], _GlyphSet] = OrderedDict()

    def __call__(self, face: Font, subpixel: bool) -> _GlyphSet:
        """Return the set of a font, with grey or subpixel antialiasing."""
        key = (face, subpixel)
        found = self._sets.get(key)
        if found is None:
            if len(self._sets) % _LOOK_EVERY == 0:
                # Sets grow after they were handed out, so the sum is taken anew.
                held = sum(kept.num_bytes for kept in self._sets.values())
                while held > self._max_bytes:
                    held -= self._sets.popitem(last=False)[1].num_bytes
            found = self._sets[key] = _GlyphSet(face, subpixel=subpixel)
        else:
            self._sets.move_to_end(key)
        return found


@lru_cache(maxsize=1)
def _case() -> _Case:
    return _Case(_HELD_BYTES)
