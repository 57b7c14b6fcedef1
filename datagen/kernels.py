"""Loops over pixels, compiled: laying a colour through a coverage onto a picture and its label, joining glyphs.

Integers only, rounded to nearest, so they give the same on every machine.
"""

import numba
import numpy as np
from numba.extending import register_jitable
from numpy.typing import NDArray

from datagen.compiled import Kernels, integers
from pipeline.formats.sample import IGNORE, SYNTHETIC

Bytes = NDArray[np.uint8]
Int32s = NDArray[np.int32]
Colour = tuple[int, int, int]
Place = tuple[int, int, int, int, int, int]
"""Row and column on the canvas, row and column in the coverage, number of rows and of columns."""
Line = tuple[int, int, int, int, int, int]
"""Column of the origin, row of the baseline, and what is drawn on: first column and row, and those after the last."""

_SUBPIXELS = 3
_OUTER, _INNER, _MIDDLE = 8, 77, 86
"""FreeType's default LCD filter in 256ths: it spreads each subpixel over five."""


def lay_colour(canvas: tuple[Bytes, Bytes], coverage: Bytes, place: Place, colour: Colour, own: int) -> None:
    """Lay a colour of the label class `own` over values (H, 3 * W) and label (H, W), in place.

    `coverage` is (h, w), or (h, w, 3) for the red, green and blue stripes of each pixel; `place` must lie inside both.
    """
    values, label = canvas
    kernel = _KERNELS[_lay_grey if coverage.ndim == 2 else _lay_stripes]
    kernel(values, label, coverage, place, colour, own)


def set_glyphs(numbers: list[int], table: Int32s, ink: Bytes, *, subpixel: bool) -> tuple[int, int, Bytes] | None:
    """Return the first column, the first row and the coverage, (H, W) or (H, W, 3), of a line; None if it has no ink.

    `numbers` are rows of `table` (n, 6): where a glyph's ink begins in `ink`, its first column relative to the pen, its
    first row relative to the baseline, its columns, its rows, and how far it moves the pen. With `subpixel` columns are
    thirds of pixels. Where glyphs overlap the stronger counts.
    """
    held = np.array(numbers, dtype=np.int32)
    left, top, width, height = _KERNELS[_measure](held, table)
    if not height:
        return None
    if not subpixel:
        sheet = np.zeros((height, width), dtype=np.uint8)
        _KERNELS[_join](held, table, ink, sheet, left, top)
        return left, top, sheet
    # The filter reaches two subpixels to either side.
    first, last = (left - 2) // _SUBPIXELS, -(-(left + width + 2) // _SUBPIXELS)
    sheet = np.zeros((height, _SUBPIXELS * (last - first)), dtype=np.uint8)
    _KERNELS[_join](held, table, ink, sheet, _SUBPIXELS * first, top)
    spread = np.empty((height, last - first, _SUBPIXELS), dtype=np.uint8)
    _KERNELS[_filter](sheet, spread.reshape(sheet.shape))
    return first, top, spread


def lay_line(
    canvas: tuple[Bytes, Bytes], line: tuple[list[int], Int32s, Bytes], at: Line, colour: Colour, *, subpixel: bool
) -> tuple[int, int, int]:
    """Lay a line of glyphs, as of `set_glyphs`, in a drawn colour over values (H, 3 * W) and label (H, W), in place.

    Returns how many pixels of the ink's box were inside the clip, how many it has, and how far the pen moved.
    """
    numbers, table, ink = line
    held = (np.array(numbers, dtype=np.int32), table, ink)
    seen, whole, pen = _KERNELS[_lay_line](canvas, held, at, colour, subpixel)
    return seen, whole, pen // (_SUBPIXELS if subpixel else 1)


# A sum s of 255ths, 0..255 * 255, is divided with rounding to nearest by t = s + 128, (t + t // 256) // 256.


@register_jitable
def _lay_grey(values: Bytes, label: Bytes, coverage: Bytes, place: Place, colour: Colour, own: int) -> None:
    row, column, from_row, from_column, num_rows, num_columns = place
    red, green, blue = colour
    for y in range(num_rows):
        for x in range(num_columns):
            alpha = int(coverage[from_row + y, from_column + x])
            if alpha == 0:
                continue
            at = 3 * (column + x)
            if alpha == 255:
                values[row + y, at] = red
                values[row + y, at + 1] = green
                values[row + y, at + 2] = blue
                label[row + y, column + x] = own
                continue
            rest = 255 - alpha
            mixed = int(values[row + y, at]) * rest + red * alpha + 128
            values[row + y, at] = (mixed + (mixed >> 8)) >> 8
            mixed = int(values[row + y, at + 1]) * rest + green * alpha + 128
            values[row + y, at + 1] = (mixed + (mixed >> 8)) >> 8
            mixed = int(values[row + y, at + 2]) * rest + blue * alpha + 128
            values[row + y, at + 2] = (mixed + (mixed >> 8)) >> 8
            if label[row + y, column + x] != own:
                label[row + y, column + x] = IGNORE


@register_jitable
def _lay_stripes(values: Bytes, label: Bytes, coverage: Bytes, place: Place, colour: Colour, own: int) -> None:
    row, column, from_row, from_column, num_rows, num_columns = place
    for y in range(num_rows):
        for x in range(num_columns):
            some, all_of_it = 0, 255
            for stripe in range(3):
                alpha = int(coverage[from_row + y, from_column + x, stripe])
                some = max(some, alpha)
                all_of_it = min(all_of_it, alpha)
                at = 3 * (column + x) + stripe
                mixed = int(values[row + y, at]) * (255 - alpha) + colour[stripe] * alpha + 128
                values[row + y, at] = (mixed + (mixed >> 8)) >> 8
            if all_of_it == 255:
                label[row + y, column + x] = own
            elif some > 0 and label[row + y, column + x] != own:
                label[row + y, column + x] = IGNORE


@register_jitable
def _measure(numbers: Int32s, table: Int32s) -> tuple[int, int, int, int]:
    """Return first column, first row, columns and rows of a line's ink; no rows if there is none."""
    left = top = 1 << 30
    right = bottom = -(1 << 30)
    pen = 0
    for number in numbers:
        if table[number, 4] > 0:
            left = min(left, pen + int(table[number, 1]))
            right = max(right, pen + int(table[number, 1] + table[number, 3]))
            top = min(top, int(table[number, 2]))
            bottom = max(bottom, int(table[number, 2] + table[number, 4]))
        pen += int(table[number, 5])
    if bottom <= top:
        return 0, 0, 0, 0
    return left, top, right - left, bottom - top


@register_jitable
def _join(numbers: Int32s, table: Int32s, ink: Bytes, sheet: Bytes, left: int, top: int) -> None:
    pen = -left
    for number in numbers:
        at, num_columns, num_rows = int(table[number, 0]), int(table[number, 3]), int(table[number, 4])
        first, above = pen + int(table[number, 1]), int(table[number, 2]) - top
        for y in range(num_rows):
            for x in range(num_columns):
                drawn = ink[at + y * num_columns + x]
                if drawn > sheet[above + y, first + x]:
                    sheet[above + y, first + x] = drawn
        pen += int(table[number, 5])


@register_jitable
def _filter(sheet: Bytes, out: Bytes) -> None:
    """Spread subpixels (H, 3 * W) over their neighbours; the outermost two of a row are empty."""
    height, width = sheet.shape
    for y in range(height):
        out[y, 0] = (int(sheet[y, 1]) * _INNER + int(sheet[y, 2]) * _OUTER + 128) >> 8
        out[y, 1] = (int(sheet[y, 2]) * _INNER + int(sheet[y, 3]) * _OUTER + 128) >> 8
        out[y, width - 1] = (int(sheet[y, width - 2]) * _INNER + int(sheet[y, width - 3]) * _OUTER + 128) >> 8
        out[y, width - 2] = (int(sheet[y, width - 3]) * _INNER + int(sheet[y, width - 4]) * _OUTER + 128) >> 8
        for x in range(2, width - 2):
            inner = int(sheet[y, x - 1]) + int(sheet[y, x + 1])
            outer = int(sheet[y, x - 2]) + int(sheet[y, x + 2])
            out[y, x] = (int(sheet[y, x]) * _MIDDLE + inner * _INNER + outer * _OUTER + 128) >> 8


def _lay_line(
    canvas: tuple[Bytes, Bytes], line: tuple[Int32s, Int32s, Bytes], at: Line, colour: Colour, subpixel: bool
) -> tuple[int, int, int]:
    values, label = canvas
    numbers, table, ink = line
    x, baseline, clip_left, clip_top, clip_right, clip_bottom = at
    pen = 0
    for number in numbers:
        pen += int(table[number, 5])
    left, top, width, height = _measure(numbers, table)
    if height == 0:
        return 0, 0, pen
    # The filter reaches two subpixels to either side.
    first = (left - 2) // _SUBPIXELS if subpixel else left
    num_columns = -(-(left + width + 2) // _SUBPIXELS) - first if subpixel else width
    column, row = max(x + first, clip_left), max(baseline + top, clip_top)
    seen_columns = min(x + first + num_columns, clip_right) - column
    seen_rows = min(baseline + top + height, clip_bottom) - row
    if seen_columns <= 0 or seen_rows <= 0:
        return 0, num_columns * height, pen
    place = (row, column, row - baseline - top, column - x - first, seen_rows, seen_columns)
    if subpixel:
        sheet = np.zeros((height, _SUBPIXELS * num_columns), np.uint8)
        _join(numbers, table, ink, sheet, _SUBPIXELS * first, top)
        spread = np.empty((height, num_columns, _SUBPIXELS), np.uint8)
        _filter(sheet, spread.reshape(height, _SUBPIXELS * num_columns))
        _lay_stripes(values, label, spread, place, colour, SYNTHETIC)
    else:
        sheet = np.zeros((height, num_columns), np.uint8)
        _join(numbers, table, ink, sheet, left, top)
        _lay_grey(values, label, sheet, place, colour, SYNTHETIC)
    return seen_columns * seen_rows, num_columns * height, pen


_WHOLE = numba.types.Array(numba.uint8, 2, "C")
# Of any layout, writable or not, so that each kernel is compiled once.
_ANY = {ndim: numba.types.Array(numba.uint8, ndim, "A", readonly=True) for ndim in (2, 3)}
_NUMBERS, _TABLE = numba.types.Array(numba.int32, 1, "C"), numba.types.Array(numba.int32, 2, "C")
_INK = numba.types.Array(numba.uint8, 1, "C")
_KERNELS = Kernels(
    {
        _lay_grey: numba.void(_WHOLE, _WHOLE, _ANY[2], integers(6), integers(3), numba.int64),
        _lay_stripes: numba.void(_WHOLE, _WHOLE, _ANY[3], integers(6), integers(3), numba.int64),
        _lay_line: integers(3)(
            numba.types.UniTuple(_WHOLE, 2),  # type: ignore[no-untyped-call]
            numba.types.Tuple((_NUMBERS, _TABLE, _INK)),  # type: ignore[no-untyped-call]
            integers(6),
            integers(3),
            numba.boolean,
        ),
        _measure: integers(4)(_NUMBERS, _TABLE),
        _join: numba.void(_NUMBERS, _TABLE, _INK, _WHOLE, numba.int64, numba.int64),
        _filter: numba.void(_WHOLE, _WHOLE),
    }
)
