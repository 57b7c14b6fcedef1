"""Perceptual scores against closed forms, other libraries, and their papers' formulas written out a second time."""

import math

import numpy as np
import pytest
import torch
from scipy.fft import dctn
from scipy.signal import convolve2d
from skimage.metrics import structural_similarity
from torchmetrics.functional.image import visual_information_fidelity as torch_vif
from torchmetrics.functional.image.ssim import _ssim_update

from pipeline.base.seeds import generator
from pipeline.evaluation import luma as luma_module
from pipeline.evaluation.luma import halved, luma
from pipeline.evaluation.perceptual import SCORES, PerceptualScores, measure_perceptual
from tests.evaluation_inputs import make_sample


def _screen(height=200, width=240):
    return make_sample("perceptual", height=height, width=width).picture


def _noisy(picture, amount=12):
    noise = generator(0, "perceptual").integers(-amount, amount + 1, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def _blurred(picture):
    return ((picture.astype(np.uint16) + np.roll(picture, 1, 1) + np.roll(picture, 2, 1)) // 3).astype(np.uint8)


@pytest.fixture(scope="module", params=["noise", "blur", "levels", "inverted"])
def pair(request):
    """A screen, half strokes on a flat background, half noisy gradient, and one of four damages."""
    picture = _screen()
    damages = {
        "noise": _noisy(picture),
        "blur": _blurred(picture),
        "levels": picture // 24 * 24,
        "inverted": 255 - picture,
    }
    return picture, damages[request.param]


def _planes(pair):
    return tuple(luma(picture).astype(np.float64) for picture in pair)


def test_luma_is_bt601_and_greys_keep_their_value():
    rng = generator(1, "luma")
    picture = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    assert luma(picture) == pytest.approx(picture @ np.array([0.299, 0.587, 0.114]), abs=2e-5)
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(luma(np.dstack([grey] * 3)), grey)


def test_equal_pictures_are_perfect():
    picture = _screen()
    exact = {"ssim": 1.0, "ms_ssim": 1.0, "vifp": 1.0}
    saliency = np.ones(picture.shape[:2], np.uint8)
    assert measure_perceptual(picture, picture.copy(), saliency) == PerceptualScores(
        **dict.fromkeys(("psnr_luma", "psnr_s", "psnr_hvs", "psnr_hvs_m"), math.inf), **exact
    )


@pytest.mark.parametrize("level", [1, 5, 40])
def test_a_constant_error_follows_the_formulas(level):
    original = np.full((64, 48, 3), 90, np.uint8)
    scores = measure_perceptual(original, original + np.uint8(level))
    assert scores.psnr_luma == pytest.approx(20 * math.log10(255 / level), abs=1e-9)
    # Only the DC coefficient differs, by 8 * level; it is weighted by 1.608443 and never masked.
    assert scores.psnr_hvs == pytest.approx(20 * math.log10(255 / (1.608443 * level)), abs=1e-6)
    assert scores.psnr_hvs_m == pytest.approx(scores.psnr_hvs, abs=1e-9)
    c1, other = 2.55**2, 90 + level
    assert scores.ssim == pytest.approx((2 * 90 * other + c1) / (90**2 + other**2 + c1), abs=1e-12)
    assert scores.vifp is None


def test_psnr_s_weighs_errors_by_saliency(pair):
    x, y = _planes(pair)
    saliency = generator(2, "saliency").integers(0, 256, x.shape, dtype=np.uint8)
    weights = saliency / saliency.mean()
    expected = 10 * math.log10(255**2 / np.mean(weights * (x - y) ** 2))
    assert measure_perceptual(*pair, saliency).psnr_s == pytest.approx(expected, abs=1e-9)


def test_psnr_s_of_an_even_map_is_the_psnr_and_errors_elsewhere_do_not_count():
    original = _screen()
    decoded = original.copy()
    decoded[:, :50] ^= 16
    even = measure_perceptual(original, decoded, np.full(original.shape[:2], 7, np.uint8))
    assert even.psnr_s == pytest.approx(even.psnr_luma, abs=1e-9)
    saliency = np.zeros(original.shape[:2], np.uint8)
    assert measure_perceptual(original, decoded, saliency).psnr_s is None
    saliency[:, 50:] = 9
    assert measure_perceptual(original, decoded, saliency).psnr_s == math.inf
    assert measure_perceptual(original, decoded).psnr_s is None


# The papers' tables are JPEG's luminance table (ITU-T T.81, table K.1) in other units.
_JPEG_TABLE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)
_SENSITIVITY = 25.73509 / _JPEG_TABLE
_MASKING = (10 / _JPEG_TABLE) ** 2


def _masking_of(block, coefficients):
    def spread(pixels):
        return pixels.var(ddof=1) * pixels.size

    if spread(block) == 0:
        return 0.0
    energy = (coefficients**2 * _MASKING).sum() - coefficients[0, 0] ** 2 * _MASKING[0, 0]
    quarters = sum(spread(block[row : row + 4, column : column + 4]) for row in (0, 4) for column in (0, 4))
    return math.sqrt(energy * quarters / spread(block)) / 32


def _psnr_hvs_by_blocks(x, y):
    plain, masked, num_coefficients = 0.0, 0.0, 0
    for top in range(0, x.shape[0] - 7, 8):
        for left in range(0, x.shape[1] - 7, 8):
            blocks = [plane[top : top + 8, left : left + 8] for plane in (x, y)]
            spectra = [dctn(block, norm="ortho") for block in blocks]
            mask = max(_masking_of(block, spectrum) for block, spectrum in zip(blocks, spectra, strict=True))
            difference = np.abs(spectra[0] - spectra[1])
            visible = np.maximum(difference - mask / _MASKING, 0)
            visible[0, 0] = difference[0, 0]
            plain += ((difference * _SENSITIVITY) ** 2).sum()
            masked += ((visible * _SENSITIVITY) ** 2).sum()
            num_coefficients += 64
    return tuple(10 * math.log10(255**2 * num_coefficients / error) for error in (plain, masked))


def test_psnr_hvs_and_hvs_m_follow_their_papers(pair):
    scores = measure_perceptual(*pair)
    # The published tables have seven digits.
    assert (scores.psnr_hvs, scores.psnr_hvs_m) == pytest.approx(_psnr_hvs_by_blocks(*_planes(pair)), abs=1e-4)


def test_psnr_hvs_leaves_out_what_is_no_whole_block():
    original = _screen(70, 93)
    decoded = _noisy(original)
    whole = measure_perceptual(original[:64, :88], decoded[:64, :88])
    scores = measure_perceptual(original, decoded)
    assert (scores.psnr_hvs, scores.psnr_hvs_m) == pytest.approx((whole.psnr_hvs, whole.psnr_hvs_m), abs=1e-9)


def _scikit_ssim(x, y):
    return structural_similarity(x, y, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255)


def test_ssim_equals_scikit_image(pair):
    assert measure_perceptual(*pair).ssim == pytest.approx(_scikit_ssim(*_planes(pair)), abs=1e-9)


def test_ssim_equals_torchmetrics_where_windows_lie_inside(pair):
    x, y = (torch.from_numpy(plane)[None, None] for plane in _planes(pair))
    _, full = _ssim_update(y, x, data_range=255.0, return_full_image=True)
    assert measure_perceptual(*pair).ssim == pytest.approx(float(full[..., 5:-5, 5:-5].mean()), abs=1e-9)


def test_ms_ssim_weighs_five_scales_as_published(pair):
    x, y = _planes(pair)
    expected = 1.0
    for scale, weight in enumerate((0.0448, 0.2856, 0.3001, 0.2363, 0.1333)):
        tensors = [torch.from_numpy(plane)[None, None] for plane in (y, x)]
        _, contrast = _ssim_update(*tensors, data_range=255.0, return_contrast_sensitivity=True)
        factor = _scikit_ssim(x, y) if scale == 4 else float(contrast)
        expected *= max(factor, 0.0) ** weight
        # Odd sides repeat their last pixel, as imfilter(..., 'symmetric') does in the authors' program.
        x, y = (np.pad(plane, ((0, plane.shape[0] % 2), (0, plane.shape[1] % 2)), mode="edge") for plane in (x, y))
        x, y = (convolve2d(plane, np.full((2, 2), 0.25), mode="valid")[::2, ::2] for plane in (x, y))
    assert measure_perceptual(*pair).ms_ssim == pytest.approx(expected, abs=1e-9)


def test_halving_repeats_the_last_row_and_column_of_odd_sizes():
    plane = np.arange(15, dtype=np.float64).reshape(3, 5)
    assert np.array_equal(halved(plane), [[3, 5, 6.5], [10.5, 12.5, 14]])


def _vifp_by_formula(x, y):
    numerator, denominator = 0.0, 0.0
    for size in (17, 9, 5, 3):
        distances = np.arange(size) - size // 2
        window = np.exp(-(distances[:, None] ** 2 + distances[None] ** 2) / (2 * (size / 5) ** 2))
        window /= window.sum()

        def smooth(plane, window=window):
            return convolve2d(plane, window, mode="valid")

        if size < 17:
            x, y = smooth(x)[::2, ::2], smooth(y)[::2, ::2]
        mean_x, mean_y = smooth(x), smooth(y)
        variance_x = np.maximum(smooth(x * x) - mean_x**2, 0)
        variance_y = np.maximum(smooth(y * y) - mean_y**2, 0)
        covariance = smooth(x * y) - mean_x * mean_y
        gain = covariance / (variance_x + 1e-10)
        noise = variance_y - gain * covariance
        flat = variance_x < 1e-10
        gain[flat], noise[flat], variance_x[flat] = 0, variance_y[flat], 0
        gain[variance_y < 1e-10], noise[variance_y < 1e-10] = 0, 0
        noise[gain < 0] = variance_y[gain < 0]
        gain = np.maximum(gain, 0)
        noise = np.maximum(noise, 1e-10)
        numerator += np.log10(1 + gain**2 * variance_x / (noise + 2)).sum()
        denominator += np.log10(1 + variance_x / 2).sum()
    return numerator / denominator


def test_vifp_follows_its_formula(pair):
    assert measure_perceptual(*pair).vifp == pytest.approx(_vifp_by_formula(*_planes(pair)), abs=1e-8)


def test_vifp_equals_torchmetrics_in_double_precision(pair):
    x, y = (torch.from_numpy(plane)[None, None] for plane in _planes(pair))
    assert measure_perceptual(*pair).vifp == pytest.approx(float(torch_vif(y, x)), abs=1e-8)


def test_more_contrast_is_more_than_all_the_information():
    original = (_screen() // 2 + 60).astype(np.uint8)
    stronger = np.clip((original.astype(np.int16) - 122) * 13 // 10 + 122, 0, 255).astype(np.uint8)
    assert measure_perceptual(original, stronger).vifp > 1.01


@pytest.mark.parametrize("strip_pixels", [1, 1000, 12345])
def test_strips_change_nothing(monkeypatch, strip_pixels):
    original = _screen(181, 203)
    decoded = _noisy(original)
    saliency = generator(3, "saliency").integers(0, 256, original.shape[:2], dtype=np.uint8)
    expected = measure_perceptual(original, decoded, saliency)
    monkeypatch.setattr(luma_module, "STRIP_PIXELS", strip_pixels)
    found = measure_perceptual(original, decoded, saliency)
    for name in SCORES:
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-10)


@pytest.mark.parametrize(
    ("side", "undefined"),
    [
        (1, {"psnr_hvs", "psnr_hvs_m", "ssim", "ms_ssim", "vifp"}),
        (7, {"psnr_hvs", "psnr_hvs_m", "ssim", "ms_ssim", "vifp"}),
        (8, {"ssim", "ms_ssim", "vifp"}),
        (10, {"ssim", "ms_ssim", "vifp"}),
        (11, {"ms_ssim", "vifp"}),
        (40, {"ms_ssim", "vifp"}),
        (41, {"ms_ssim"}),
        (175, {"ms_ssim"}),
        (176, set()),
    ],
)
@pytest.mark.parametrize("upright", [False, True])
@pytest.mark.parametrize("equal", [False, True])
def test_small_pictures_have_the_scores_that_are_defined(side, undefined, upright, equal):
    shape = (190, side, 3) if upright else (side, 190, 3)
    original = generator(4, "small").integers(0, 256, shape, dtype=np.uint8)
    decoded = original if equal else original // 32 * 32
    scores = measure_perceptual(original, decoded, np.ones(shape[:2], np.uint8))
    assert {name for name in SCORES if getattr(scores, name) is None} == undefined


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 2, 3), (2, 1, 3), (13, 9, 3)])
def test_the_smallest_pictures_have_a_psnr(shape):
    original = np.zeros(shape, np.uint8)
    assert measure_perceptual(original, original + np.uint8(255)).psnr_luma == pytest.approx(0, abs=1e-12)


def test_what_does_not_fit_is_refused():
    picture = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(ValueError, match="of one size"):
        measure_perceptual(picture, picture[:7])
    with pytest.raises(ValueError, match="uint8"):
        measure_perceptual(picture, picture.astype(np.float64))
    with pytest.raises(ValueError, match="saliency"):
        measure_perceptual(picture, picture, np.ones((8, 7), np.uint8))
