"""Distortion against closed forms and against scikit-image."""

import math

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from pipeline.base.seeds import generator
from pipeline.evaluation.metrics import Distortion, mean, measure, measure_classes
from pipeline.formats.sample import IGNORE, NATURAL, SYNTHETIC


def _pair(height=37, width=53):
    rng = generator(0, "metrics")
    original = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    noise = rng.integers(-9, 10, original.shape)
    return original, np.clip(original + noise, 0, 255).astype(np.uint8)


def test_psnr_of_a_constant_error_follows_the_formula():
    original = np.full((5, 7, 3), 100, np.uint8)
    distortion = measure(original, original + np.uint8(3))
    assert distortion == Distortion(num_pixels=35, squared_error=35 * 3 * 9)
    assert distortion.psnr == pytest.approx(20 * math.log10(255 / 3), abs=1e-12)


def test_black_against_white_is_zero_decibels_and_does_not_overflow():
    black = np.zeros((2048, 1024, 3), np.uint8)
    assert measure(black, black + np.uint8(255)).psnr == pytest.approx(0, abs=1e-12)


def test_psnr_equals_scikit_image():
    original, decoded = _pair()
    assert measure(original, decoded).psnr == pytest.approx(peak_signal_noise_ratio(original, decoded), abs=1e-9)


def test_masked_psnr_equals_scikit_image_on_the_chosen_pixels():
    original, decoded = _pair()
    mask = generator(0, "mask").random(original.shape[:2]) < 0.3
    expected = peak_signal_noise_ratio(original[mask], decoded[mask])
    assert measure(original, decoded, mask).psnr == pytest.approx(expected, abs=1e-9)


def test_equal_pictures_are_infinite_and_no_pixels_are_none():
    original, decoded = _pair()
    assert measure(original, original).psnr == math.inf
    nothing = measure(original, decoded, np.zeros(original.shape[:2], np.bool_))
    assert nothing.psnr is None
    assert nothing.mse is None


def test_classes_see_their_own_pixels_only():
    original, _ = _pair(4, 6)
    label = np.array([[SYNTHETIC] * 2 + [NATURAL] * 2 + [IGNORE] * 2] * 4, np.uint8)
    decoded = original.copy()
    decoded[:, 2:4] ^= 1
    decoded[:, 4:] ^= 2
    classes = measure_classes(original, decoded, label)
    assert classes.synthetic.psnr == math.inf
    assert classes.natural == Distortion(num_pixels=8, squared_error=24)
    assert classes.whole == Distortion(num_pixels=24, squared_error=24 + 96)


def test_without_a_label_the_classes_are_empty():
    classes = measure_classes(*_pair(), None)
    assert classes.whole.psnr is not None
    assert classes.synthetic.psnr is None
    assert classes.natural.psnr is None


def test_mean_of_psnrs_and_pooled_psnr_are_told_apart():
    small = Distortion(num_pixels=10, squared_error=30 * 1)
    large = Distortion(num_pixels=90, squared_error=270 * 100)
    averaged = mean(
        [small, large, Distortion(num_pixels=5, squared_error=0), Distortion(num_pixels=0, squared_error=0)]
    )
    assert (averaged.num_pictures, averaged.num_exact) == (3, 1)
    assert averaged.mean_psnr == pytest.approx(20 * math.log10(255) - 10)
    assert averaged.pooled_psnr == pytest.approx(10 * math.log10(255**2 * 105 * 3 / 27030))


def test_mean_of_exact_pictures_has_no_finite_mean():
    averaged = mean([Distortion(num_pixels=4, squared_error=0)])
    assert averaged.mean_psnr is None
    assert averaged.pooled_psnr == math.inf
    assert mean([]).pooled_psnr is None


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5, 3), np.uint8)),
        (np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8)),
        (np.zeros((4, 4, 3)), np.zeros((4, 4, 3))),
    ],
)
def test_what_is_no_pair_of_rgb_pictures_is_refused(first, second):
    with pytest.raises(ValueError, match="expected"):
        measure(first, second)


def test_masks_and_labels_of_another_size_are_refused():
    original, decoded = _pair(4, 4)
    with pytest.raises(ValueError, match="mask"):
        measure(original, decoded, np.ones((4, 5), np.bool_))
    with pytest.raises(ValueError, match="label map"):
        measure_classes(original, decoded, np.zeros((5, 4), np.uint8))
