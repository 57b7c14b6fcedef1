"""Lines of text put together of held glyphs."""

import numpy as np
import pytest

from datagen import fonts, glyphs
from datagen.canvas import Antialiasing, Canvas, Display
from datagen.fonts import FAMILIES, font
from datagen.glyphs import draw_line

TEXT = "The quick fjord, AVATAR 123 (office) Wolf"


@pytest.mark.parametrize("style", ["regular", "bold", "italic"])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_line_looks_as_pillow_sets_it(family: str, style: str) -> None:
    face = font(family, 15, style)
    core, (left, top) = face.face.getmask2(TEXT, mode="L", anchor="ls")
    width, height = core.size
    expected = np.zeros((60, 800), np.int64)
    expected[30 + top : 30 + top + height, 20 + left : 20 + left + width] = np.asarray(core).reshape(height, width)
    drawn = draw_line(TEXT, face, subpixel=False)
    assert drawn is not None
    found = np.zeros_like(expected)
    height, width = drawn.coverage.shape
    found[30 + drawn.top : 30 + drawn.top + height, 20 + drawn.left : 20 + drawn.left + width] = drawn.coverage
    # Where glyphs overlap the stronger counts here and their sum there.
    assert (found != expected).mean() < 0.001
    assert np.abs(found - expected).max() <= 128 and expected.any()


@pytest.mark.parametrize("subpixel", [False, True])
def test_what_was_drawn_before_does_not_matter(subpixel: bool) -> None:
    face = font("source-serif", 16, "italic")
    glyphs._case.cache_clear()
    alone = draw_line(TEXT, face, subpixel=subpixel)
    glyphs._case.cache_clear()
    for char in reversed(TEXT):
        draw_line(char, face, subpixel=subpixel)
    again = draw_line(TEXT, face, subpixel=subpixel)
    assert alone is not None and again is not None
    assert np.array_equal(alone.coverage, again.coverage) and (alone.left, alone.top) == (again.left, again.top)


def test_stripes_hold_as_much_ink_as_grey_levels_and_no_colour_on_average() -> None:
    face = font("roboto", 18)
    grey, stripes = (draw_line(TEXT, face, subpixel=subpixel) for subpixel in (False, True))
    assert grey is not None and stripes is not None
    assert stripes.coverage.ndim == 3
    ink = stripes.coverage.sum(axis=(0, 1)) / 255
    assert np.abs(ink - grey.coverage.sum() / 255).max() < 0.08 * ink.mean()
    assert np.ptp(ink) < 0.01 * ink.mean()
    assert (np.ptp(stripes.coverage.astype(int), axis=2) > 60).any()


@pytest.mark.parametrize("antialiasing", ["grey", "rgb"])
def test_the_ink_lies_where_the_width_says(antialiasing: Antialiasing) -> None:
    for name in FAMILIES:
        canvas = Canvas(400, 60, (255, 255, 255), display=Display(antialiasing=antialiasing))
        face = font(name, 17)
        end = canvas.text(30, 40, "Hamburg fonts", face, (0, 0, 0))
        columns = np.flatnonzero((canvas.picture != 255).any(axis=(0, 2)))
        assert end == 30 + face.width("Hamburg fonts")
        assert 29 <= columns[0] <= 33 and end - 4 <= columns[-1] <= end + 1


def test_a_missing_character_comes_from_a_typeface_that_has_it() -> None:
    # Source Serif's wheel has no Hebrew, DejaVu Sans has.
    face = font("source-serif", 20)
    assert not FAMILIES["source-serif"].covers("\u05d0") and FAMILIES["dejavu-sans"].covers("\u05d0")
    drawn, own = (draw_line("\u05d0", held, subpixel=False) for held in (face, font("dejavu-sans", 20)))
    assert drawn is not None and own is not None
    assert np.array_equal(drawn.coverage, own.coverage)


def test_a_character_that_no_typeface_has_leaves_neither_box_nor_gap() -> None:
    face = font("roboto", 20)
    assert face.width("a\U00013000b") == face.width("ab") and fonts.advance(face, "\U00013000") == 0
    assert draw_line("\U00013000", face, subpixel=False) is None
