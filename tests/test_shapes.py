"""Masks of shapes: what is drawn in parts looks like the whole."""

import numpy as np
import pytest

from datagen import shapes
from datagen.canvas import Canvas
from datagen.geometry import Box, box
from datagen.shapes import Mask, Point

SIZES = [(1, 1), (2, 9), (10, 10), (11, 10), (64, 30), (200, 120)]
RADII = [0, 0.5, 1, 3, 4.5, 12, 80]


def assembled(parts: list[tuple[Box, Mask | None]], width: int, height: int) -> Mask:
    """Return the mask that parts of a box at (7, 5) make, and fail if two overlap."""
    whole = np.zeros((height, width), np.uint8)
    seen = np.zeros((height, width), np.uint8)
    for part, mask in parts:
        rows, columns = slice(part.y - 5, part.bottom - 5), slice(part.x - 7, part.right - 7)
        whole[rows, columns] = 255 if mask is None else mask
        seen[rows, columns] += 1
    assert seen.max() <= 1
    return whole


@pytest.mark.parametrize("radius", RADII)
@pytest.mark.parametrize("size", SIZES)
def test_parts_of_rounded_rectangles_and_borders_make_the_whole(size: tuple[int, int], radius: float) -> None:
    area = box(7, 5, *size)
    assert np.array_equal(assembled(shapes.rounded_parts(area, radius), *size), shapes.rounded(*size, radius))
    for thickness in (1, 2, 5):
        parts = shapes.outline_parts(area, radius, thickness)
        assert np.array_equal(assembled(parts, *size), shapes.outline(*size, radius, thickness))


@pytest.mark.parametrize(
    "points",
    [
        [(3.0, 90.0), (390.0, 7.5)],
        [(x, 50 + 40 * np.sin(x / 17)) for x in range(5, 395, 3)],
        [(10.0, 10.0), (380.0, 20.0), (380.0, 90.0), (20.0, 60.0), (200.0, 5.0)],
        [(200.0, 4.0), (200.0, 95.0), (203.0, 5.0)],
    ],
)
def test_a_long_line_in_strips_looks_like_the_line_in_one_piece(points: list[Point]) -> None:
    canvas = Canvas(400, 100, (0, 0, 0))
    canvas.polyline(points, (255, 255, 255), thickness=2.5)
    whole = shapes.polyline(points, 400, 100, thickness=2.5).astype(int)
    different = np.abs(canvas.picture[:, :, 0].astype(int) - whole)
    # Two of the sixteen samples of a pixel may fall on another side of an edge.
    assert different.max() <= 32
    assert (different > 0).mean() < 0.004
    assert whole.any()


def test_a_shadow_leaves_out_the_middle_that_its_card_hides() -> None:
    canvas = Canvas(300, 300, (200, 200, 200))
    canvas.shadow(box(50, 50, 200, 200), blur=10, strength=0.5)
    mask = shapes.soft_rectangle(200, 200, 10)
    shown = canvas.picture[40:260, 40:260, 0]
    edge = np.ones((220, 220), bool)
    edge[34:186, 34:186] = False
    expected = np.rint(200 * (1 - (mask * 0.5) / 255))
    assert np.abs(shown[edge] - expected[edge]).max() <= 1
    assert (shown[~edge] == 200).all()
