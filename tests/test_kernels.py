"""Compiled loops over pixels, against the plain arithmetic."""

import numpy as np
import pytest

from datagen.kernels import lay_colour, set_glyphs
from pipeline.formats.sample import IGNORE, NATURAL, SYNTHETIC


@pytest.mark.parametrize("stripes", [False, True])
@pytest.mark.parametrize("own", [NATURAL, SYNTHETIC])
def test_colours_are_mixed_to_the_nearest_value_and_labels_kept_true(own: int, stripes: bool) -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 256, (200, 3 * 150), dtype=np.uint8)
    label = rng.choice([NATURAL, SYNTHETIC, IGNORE], (200, 150)).astype(np.uint8)
    coverage = rng.choice([0, 255, 1, 77, 128, 254], (90, 80, 3) if stripes else (90, 80)).astype(np.uint8)
    coverage[:30] = 255 * (coverage[:30] > 77)
    coverage.setflags(write=False)
    alpha = np.broadcast_to(coverage if stripes else coverage[:, :, None], (90, 80, 3))[5:75, 7:67]
    pixels, labelled = values.reshape(200, 150, 3).copy(), label.copy()
    seen, below = labelled[10:80, 20:80], pixels[10:80, 20:80]
    below[:] = np.rint((below * (255.0 - alpha) + np.array([3, 200, 255]) * alpha) / 255)
    full, none = (alpha == 255).all(axis=2), (alpha == 0).all(axis=2)
    seen[:] = np.where(full, own, np.where(none | (seen == own), seen, IGNORE))
    lay_colour((values, label), coverage, (10, 20, 5, 7, 70, 60), (3, 200, 255), own)
    assert np.array_equal(values.reshape(pixels.shape), pixels)
    assert np.array_equal(label, labelled)


_INK = np.array([10, 200, 30, 90], np.uint8)
_TABLE = np.array([[0, -1, -2, 2, 2, 1], [0, 0, 0, 0, 0, 5]], np.int32)
"""A glyph of 2 x 2 pixels that reaches back over the one before, and a space."""


def test_where_glyphs_overlap_the_stronger_counts() -> None:
    drawn = set_glyphs([0, 0, 1, 0], _TABLE, _INK, subpixel=False)
    assert drawn is not None
    left, top, coverage = drawn
    assert (left, top) == (-1, -2)
    assert coverage.tolist() == [[10, 200, 200, 0, 0, 0, 0, 10, 200], [30, 90, 90, 0, 0, 0, 0, 30, 90]]
    assert set_glyphs([1, 1], _TABLE, _INK, subpixel=False) is None
    assert set_glyphs([], _TABLE, _INK, subpixel=True) is None


def test_subpixels_are_spread_over_five_and_keep_their_ink() -> None:
    drawn = set_glyphs([1, 0], _TABLE, _INK, subpixel=True)
    assert drawn is not None
    left, top, coverage = drawn
    row = np.zeros(3 * 6)
    row[4:6] = 10, 200
    exact = np.convolve(row, [8, 77, 86, 77, 8], mode="same") / 256
    found = np.zeros(3 * 6)
    found[3 * left : 3 * left + coverage[0].size] = coverage[0].ravel()
    assert top == -2 and np.abs(found - exact).max() <= 0.5
