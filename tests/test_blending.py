"""Integer blending: exactly the nearest value, for every input that 8 bits can give."""

import numpy as np
import pytest

from datagen.blending import blend, row_of, spread

BYTES = np.arange(256, dtype=np.int64)


@pytest.mark.parametrize("alpha", [0, 1, 77, 127, 128, 254, 255])
def test_every_pair_of_values_gives_the_nearest_integer(alpha: int) -> None:
    below = np.repeat(BYTES[:, None], 768, axis=1).astype(np.uint8)
    above = np.tile(BYTES, 3).astype(np.uint8)
    exact = np.rint((BYTES[:, None] * (255 - alpha) + np.tile(BYTES, 3) * alpha) / 255)
    for weights in (alpha, np.full(below.shape, alpha, np.uint8)):
        mixed = below.copy()
        blend(mixed, above, weights)
        assert np.array_equal(mixed, exact)


def test_values_and_weights_that_differ_from_pixel_to_pixel() -> None:
    rng = np.random.default_rng(0)
    below, above, alpha = (rng.integers(0, 256, (200, 3 * 40), dtype=np.uint8) for _ in range(3))
    exact = np.rint((below * (255.0 - alpha) + above * (alpha * 1.0)) / 255)
    whole = np.zeros((210, 3 * 60), np.uint8)
    whole[5:205, 30:150] = below
    blend(whole[5:205, 30:150], above, alpha)
    assert np.array_equal(whole[5:205, 30:150], exact)
    assert not whole[:5].any() and not whole[:, 150:].any()


def test_a_coverage_becomes_one_value_for_each_colour() -> None:
    grey = np.array([[1, 2], [3, 4]], np.uint8)
    assert spread(grey).tolist() == [[1, 1, 1, 2, 2, 2], [3, 3, 3, 4, 4, 4]]
    assert spread(np.dstack([grey, grey, grey]))[0].tolist() == [1, 1, 1, 2, 2, 2]
    assert row_of((7, 8, 9), 2).tolist() == [7, 8, 9, 7, 8, 9]
