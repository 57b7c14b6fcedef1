"""The label rule, pixel by pixel: photographed 1, drawn 0, mixed 255."""

import numpy as np
import pytest

from datagen.canvas import Canvas
from datagen.fonts import font
from datagen.geometry import box
from datagen.shapes import outline, rounded, sector
from pipeline.formats.sample import IGNORE, NATURAL, SYNTHETIC
from tests.small_corpus import noise

PHOTO = box(20, 10, 60, 50)


@pytest.fixture
def canvas() -> Canvas:
    return Canvas(120, 90, (250, 250, 250))


def paste(canvas: Canvas, radius: float = 0) -> None:
    canvas.paste(PHOTO, noise(1, height=PHOTO.height, width=PHOTO.width), radius=radius)


def test_a_photograph_with_square_corners_is_natural_everywhere_and_nowhere_else(canvas: Canvas) -> None:
    paste(canvas)
    expected = np.zeros((90, 120), np.uint8)
    expected[10:60, 20:80] = NATURAL
    assert np.array_equal(canvas.label, expected)
    assert np.array_equal(canvas.picture[10:60, 20:80], noise(1, height=50, width=60))


def test_only_the_antialiased_pixels_of_rounded_corners_are_ignored(canvas: Canvas) -> None:
    paste(canvas, radius=12)
    mask = rounded(60, 50, 12)
    inside = canvas.label[10:60, 20:80]
    assert np.array_equal(inside == NATURAL, mask == 255)
    assert np.array_equal(inside == SYNTHETIC, mask == 0)
    assert np.array_equal(inside == IGNORE, (mask > 0) & (mask < 255))
    assert (inside == IGNORE).any()


def test_text_on_a_photograph_is_synthetic_where_opaque_and_ignored_at_its_edges(canvas: Canvas) -> None:
    paste(canvas)
    before = canvas.picture.copy()
    canvas.text(25, 45, "Hill", font("roboto", 30), (255, 0, 0))
    changed = (canvas.picture != before).any(axis=2)
    opaque = (canvas.picture == (255, 0, 0)).all(axis=2) & changed
    assert opaque.any() and (canvas.label[opaque] == SYNTHETIC).mean() > 0.95
    assert set(np.unique(canvas.label[changed & ~opaque])) == {IGNORE}
    assert (canvas.label[10:60, 20:80][~changed[10:60, 20:80]] != SYNTHETIC).all()


def test_text_beside_a_photograph_is_synthetic_at_its_edges_too(canvas: Canvas) -> None:
    canvas.text(25, 45, "Hill", font("roboto", 30), (255, 0, 0))
    assert (canvas.label == SYNTHETIC).all()


def test_a_shadow_on_a_photograph_mixes_both(canvas: Canvas) -> None:
    paste(canvas)
    canvas.shadow(box(40, 30, 70, 40), blur=6, strength=0.5)
    assert canvas.label[45, 60] == IGNORE
    assert canvas.label[80, 90] == SYNTHETIC
    assert canvas.label[12, 22] == NATURAL


def test_an_opaque_shape_makes_a_mixed_pixel_synthetic_again(canvas: Canvas) -> None:
    paste(canvas, radius=12)
    canvas.fill(canvas.area, (1, 2, 3))
    assert (canvas.label == SYNTHETIC).all()


def test_a_photograph_over_a_photograph_stays_natural_at_its_corners(canvas: Canvas) -> None:
    paste(canvas)
    canvas.paste(box(40, 30, 20, 20), noise(2, height=20, width=20), radius=8)
    assert (canvas.label[10:60, 20:80] == NATURAL).all()


def test_drawing_is_cut_at_the_clip_and_at_the_canvas(canvas: Canvas) -> None:
    with canvas.clipped(box(0, 0, 50, 90)):
        paste(canvas)
        canvas.rounded(box(-10, -10, 300, 14), (9, 9, 9), 5)
    assert (canvas.label[:, 50:] == SYNTHETIC).all() and (canvas.picture[:, 50:] == 250).all()
    assert (canvas.label[10:60, 20:50] == NATURAL).all()
    assert (canvas.picture[0, 0:50] == 9).all()
    assert canvas.regions[0].area == box(20, 10, 30, 50)


def test_what_is_out_of_sight_leaves_no_region(canvas: Canvas) -> None:
    canvas.mark(box(200, 10, 30, 30))
    canvas.mark(box(10, -40, 30, 30))
    assert canvas.regions == []


def test_a_gradient_runs_from_the_first_to_the_last_colour(canvas: Canvas) -> None:
    canvas.gradient(box(0, 0, 120, 90), (0, 10, 20), (200, 210, 220))
    assert tuple(canvas.picture[0, 5]) == (0, 10, 20) and tuple(canvas.picture[-1, 5]) == (200, 210, 220)
    assert (np.diff(canvas.picture[:, 5, 0].astype(int)) >= 0).all()


def test_lines_and_polygons_cover_their_insides(canvas: Canvas) -> None:
    canvas.polygon([(10, 10), (50, 10), (10, 50)], (0, 0, 255))
    canvas.polyline([(60, 80), (110, 80)], (255, 0, 0), thickness=4)
    assert tuple(canvas.picture[15, 15]) == (0, 0, 255) and tuple(canvas.picture[48, 48]) == (250, 250, 250)
    assert tuple(canvas.picture[80, 90]) == (255, 0, 0) and tuple(canvas.picture[86, 90]) == (250, 250, 250)


def test_shapes_have_the_area_that_geometry_says() -> None:
    assert abs(rounded(60, 60, 30).sum() / 255 - np.pi * 900) < 10
    assert outline(20, 10, 0, 2).sum() / 255 == 20 * 10 - 16 * 6
    quarter = sector(80, 0, 90).sum() / 255
    assert abs(quarter - np.pi * 1600 / 4) < 40
    assert abs(sector(80, 0, 90, hole=0.5).sum() / 255 - quarter * 0.75) < 40
