"""Compiled passes over whole pictures, against numpy and Pillow."""

import numpy as np
import pytest
from PIL import Image

from datagen.survey_kernels import count_colours, in_sight, luma_means


@pytest.mark.parametrize("num_colours", [1, 7, 5000])
def test_colours_are_counted_as_numpy_counts_them(num_colours: int) -> None:
    rng = np.random.default_rng(num_colours)
    palette = rng.integers(0, 256, (num_colours, 3), dtype=np.uint8)
    picture = palette[rng.integers(0, num_colours, (203, 311))]
    for step in (2, 3, 50):
        seen = picture[::step, ::step].reshape(-1, 3)
        counts = np.unique(seen, axis=0, return_counts=True)[1]
        assert count_colours(picture, step) == (len(counts), counts.max(), len(seen))
    with pytest.raises(ValueError, match="too small"):
        count_colours(np.zeros((400, 400, 3), np.uint8), 1)


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (64, 96), (101, 97)])
@pytest.mark.parametrize("factor", [1, 2, 5])
def test_means_of_blocks_are_those_of_pillow(size: tuple[int, int], factor: int) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (*size, 3), dtype=np.uint8)
    means = luma_means(picture, factor, 1)
    exact = np.asarray(Image.fromarray(picture).convert("F", matrix=None).reduce(factor), dtype=np.float64)
    assert means.shape == exact.shape and np.abs(means - exact).max() <= 0.6
    rows = luma_means(picture, factor, 2)
    assert rows.shape == means.shape


def test_sums_do_not_overflow_and_too_many_rows_are_refused() -> None:
    white = np.full((514, 300, 3), 255, np.uint8)
    assert (luma_means(white, 257, 1) == 255).all() and (luma_means(white, 514, 2) == 255).all()
    with pytest.raises(ValueError, match="257"):
        luma_means(white, 514, 1)


def test_ids_are_looked_for_in_their_areas_alone() -> None:
    ids = np.zeros((6, 8), np.uint16)
    ids[2:4, 3:5], ids[5, 7] = 1, 3
    areas = np.array([[0, 0, 8, 6], [0, 0, 8, 6], [0, 0, 8, 6], [2, 2, 2, 2]], np.int32)
    assert in_sight(ids, areas).tolist() == [True, False, True, False]
    areas[0], areas[2] = (0, 0, 3, 6), (7, 5, 8, 6)
    assert in_sight(ids, areas).tolist() == [False, False, True, False]
