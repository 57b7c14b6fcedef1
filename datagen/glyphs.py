"""Coverage of a line of text, with grey or subpixel antialiasing.

A line is put together of glyphs that are drawn once a font and held. Every glyph stands on a whole pixel and moves the
pen by whole pixels, so a line looks the same whatever was drawn before. Kerning is left out, as FreeType's old kerning
tables are all that Pillow's basic layout knows and these fonts have none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from datagen.fonts import EMOJI_STRIKE, Font, advance, font
from datagen.shaping import visual_order

_SUBPIXELS = 3
_FILTER = (8, 77, 86)
"""FreeType's default LCD filter in 256ths, its outer half to its middle: it spreads each subpixel over five."""


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
class _Cell:
    """A glyph in columns: the part over its own advance, and what reaches over its neighbours."""

    advance: int
    """In columns: pixels, or subpixels."""
    columns: bytes
    """(advance, rows of the font)."""
    overhang: tuple[tuple[int, NDArray[np.uint8]], ...]
    """First column, relative to the pen, and columns (n, rows)."""
    top: int
    bottom: int
    """First row with ink and the row after the last; equal if there is none."""
    emblem: Emblem | None = None

    @property
    def reach(self) -> int:
        """Columns that its overhang needs beside its advance, at most."""
        return max((max(-at, at + len(part) - self.advance) for at, part in self.overhang), default=0)


class _GlyphSet(dict[str, _Cell]):
    """The glyphs of a font, drawn when they are first asked for."""

    def __init__(self, face: Font, *, subpixel: bool) -> None:
        super().__init__()
        self._font = face
        self._density = _SUBPIXELS if subpixel else 1
        # Accents, and glyphs that come from another typeface, may leave the font's own line.
        self.above = face.ascent + face.size // 2
        self.num_rows = face.height + 2 * (face.size // 2)

    def __missing__(self, char: str) -> _Cell:
        self[char] = self._cell(char)
        return self[char]

    def _cell(self, char: str) -> _Cell:
        face = self._font.holding(char)
        width = advance(self._font, char) * self._density
        blank = bytes(width * self.num_rows)
        if face is None or not width:
            return _Cell(advance=0, columns=b"", overhang=(), top=0, bottom=0)
        if face.family.kind == "emoji":
            emblem = _emblem(char, face)
            return _Cell(advance=width, columns=blank, overhang=(), top=0, bottom=0, emblem=emblem)
        left, columns = self._columns(char, face)
        ink = np.flatnonzero(columns.any(axis=0))
        if not len(ink):
            return _Cell(advance=width, columns=blank, overhang=(), top=0, bottom=0)
        own = np.zeros((width, self.num_rows), dtype=np.uint8)
        first, last = max(0, left), min(width, left + len(columns))
        own[first:last] = columns[first - left : last - left]
        before, after = columns[: max(0, -left)], columns[max(0, width - left) :]
        sides = ((left, before), (max(width, left), after))
        overhang = tuple((at, part) for at, part in sides if part.any())
        return _Cell(advance=width, columns=own.tobytes(), overhang=overhang, top=int(ink[0]), bottom=int(ink[-1]) + 1)

    def _columns(self, char: str, face: Font) -> tuple[int, NDArray[np.uint8]]:
        """Return the first column and the columns (n, num_rows) of a glyph."""
        if self._density == 1:
            left, top, ink = _draw(char, face)
        else:
            left, top, ink = _draw_subpixels(char, face)
        sheet = np.zeros((self.num_rows, ink.shape[1]), dtype=np.uint8)
        first, last = max(0, top + self.above), min(self.num_rows, top + self.above + len(ink))
        if first < last:
            sheet[first:last] = ink[first - top - self.above : last - top - self.above]
        return left, np.ascontiguousarray(sheet.T)


def draw_line(text: str, face: Font, *, subpixel: bool) -> Glyphs | None:
    """Return the coverage of one line, None if it has no ink."""
    glyphs = _glyph_set(face, subpixel)
    cells = [glyphs[char] for char in visual_order(text)]
    emblems = _placed(cells, _SUBPIXELS if subpixel else 1) if any(cell.emblem for cell in cells) else ()
    inked = [cell for cell in cells if cell.top < cell.bottom]
    if not inked:
        return Glyphs(left=0, top=0, coverage=np.zeros((0, 0), np.uint8), emblems=emblems) if emblems else None
    top, bottom = min([cell.top for cell in inked]), max([cell.bottom for cell in inked])
    # The filter reaches two subpixels to either side, so there is always a pixel for it.
    reach = max([cell.reach for cell in inked if cell.overhang], default=0)
    pad = _SUBPIXELS * (-(-reach // _SUBPIXELS) + 1) if subpixel else reach
    margin = bytes(pad * glyphs.num_rows)
    joined = bytearray().join([margin, *[cell.columns for cell in cells], margin])
    sheet = np.frombuffer(joined, dtype=np.uint8).reshape(-1, glyphs.num_rows)
    if reach:
        _overhangs(sheet, cells, pad)
    sheet = sheet[:, top:bottom]
    if not subpixel:
        return Glyphs(left=-pad, top=top - glyphs.above, coverage=sheet.T, emblems=emblems)
    stripes = np.ascontiguousarray(_filtered(sheet).T).reshape(bottom - top, -1, _SUBPIXELS)
    return Glyphs(left=-pad // _SUBPIXELS, top=top - glyphs.above, coverage=stripes, emblems=emblems)


def _overhangs(sheet: NDArray[np.uint8], cells: Sequence[_Cell], pad: int) -> None:
    """Add what reaches over neighbouring glyphs; where two have ink the stronger counts."""
    pen = pad
    for cell in cells:
        for at, part in cell.overhang:
            view = sheet[pen + at : pen + at + len(part)]
            np.maximum(view, part, out=view)
        pen += cell.advance


def _filtered(sheet: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return subpixel columns (n, rows) after the LCD filter; the outermost two are empty."""
    outer, inner, middle = _FILTER
    wide: NDArray[np.uint16] = sheet.astype(np.uint16)
    total = wide * np.uint16(middle)
    total[2:-2] += (wide[:-4] + wide[4:]) * np.uint16(outer)
    total[1:-1] += (wide[:-2] + wide[2:]) * np.uint16(inner)
    total += np.uint16(128)
    return (total >> np.uint16(8)).astype(np.uint8)


def _placed(cells: Sequence[_Cell], density: int) -> tuple[Emblem, ...]:
    found, pen = [], 0
    for cell in cells:
        if cell.emblem is not None:
            found.append(
                Emblem(
                    left=pen // density + cell.emblem.left,
                    top=cell.emblem.top,
                    colours=cell.emblem.colours,
                    coverage=cell.emblem.coverage,
                )
            )
        pen += cell.advance
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


@lru_cache(maxsize=256)
def _glyph_set(face: Font, subpixel: bool) -> _GlyphSet:
    return _GlyphSet(face, subpixel=subpixel)
