"""Which class each pixel is of."""

import numpy as np
import pytest

from pipeline.codecs.seec.classes import IGNORE, cheapest_classes, checked_classes, sampled, tried


def test_labels_are_classes_and_unknown_ones_the_first() -> None:
    label = np.array([[0, 1, IGNORE]], np.uint8)
    assert checked_classes(label, 2).tolist() == [[0, 1, 0]]
    assert checked_classes(label, 1).tolist() == [[0, 0, 0]]
    with pytest.raises(ValueError, match="class 2; this codec has 2"):
        checked_classes(np.array([[2]], np.uint8), 2)


def test_a_block_is_of_the_class_that_prices_it_least() -> None:
    prices = np.ones((2, 1, 40, 20), np.float32)
    prices[1, 0, :16, :16] = 0.5
    prices[0, 0, 32:, 16:] = 2.0
    classes = cheapest_classes(prices)
    expected = np.zeros((1, 40, 20), np.uint8)
    expected[0, :16, :16] = expected[0, 32:, 16:] = 1
    assert np.array_equal(classes, expected)


def test_a_quarter_of_the_pixels_prices_every_block() -> None:
    seen = sampled((1, 33, 18))
    assert abs(seen.mean() - 0.25) < 0.02
    assert seen[0, 32, 16:].any() or seen[0, 32].any()


def test_some_blocks_are_tried_by_chance_whole_and_the_same_for_the_same_seed() -> None:
    classes = np.zeros((8, 200, 330), np.uint8)
    changed = tried(classes, 2, np.random.default_rng(3))
    assert np.array_equal(changed, tried(classes, 2, np.random.default_rng(3)))
    # One block in 16 is drawn; half of those stay what they were.
    assert 0.01 < changed.mean() < 0.06
    blocks = changed[:, :192, :320].reshape(8, 12, 16, 20, 16)
    assert (blocks.min(axis=(2, 4)) == blocks.max(axis=(2, 4))).all()
    assert tried(classes, 3, np.random.default_rng(4)).max() == 2
