"""Structural similarity at one scale and at five, and visual information fidelity, over two planes 0..255.

Windows lie wholly inside the picture, as in their authors' programs; torchmetrics mirrors the picture at its border and
counts the windows there, too (for MS-SSIM at the coarsest scale alone), which gives other figures.
"""

import math
from dataclasses import dataclass

import numpy as np

from pipeline.evaluation.luma import Moments, Plane, decimated, gaussian, halved, local_moments

_WINDOW = 11
_SIGMA = 1.5
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
_SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_MIN_MS_SSIM = _WINDOW << (len(_SCALE_WEIGHTS) - 1)

_VIF_SCALES = 4
_VIF_NOISE = 2.0
_VIF_FLAT = 1e-10
"""A variance below counts as none."""
_MIN_VIF = 41
"""At the fourth scale one window fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Similarity:
    """Means over all windows of one scale, each at most 1."""

    ssim: float
    contrast: float
    """The contrast and structure terms without the luminance term."""


def structural_similarities(x: Plane, y: Plane) -> tuple[float | None, float | None]:
    """Return (SSIM, MS-SSIM) of two planes (H, W), 0..255; 1 for equal ones.

    SSIM: Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004: Gaussian
    windows of 11x11, sigma 1.5, K = 0.01 and 0.03, no down-scaling; None where a side is below 11.
    MS-SSIM: Wang et al., "Multi-scale structural similarity", 2003, eq. (7): five scales, each half the one before;
    None where a side is below 176. A negative mean of a scale has no power and counts as 0.
    """
    if min(x.shape) < _WINDOW:
        return None, None
    large = min(x.shape) >= _MIN_MS_SSIM
    if np.array_equal(x, y):
        return 1.0, 1.0 if large else None
    first = _similarity(x, y)
    if not large:
        return first.ssim, None
    scales = [first]
    for _ in _SCALE_WEIGHTS[1:]:
        x, y = halved(x), halved(y)
        scales.append(_similarity(x, y))
    factors = [*(scale.contrast for scale in scales[:-1]), scales[-1].ssim]
    powers = [max(factor, 0.0) ** weight for factor, weight in zip(factors, _SCALE_WEIGHTS, strict=True)]
    return first.ssim, math.prod(powers)


def visual_information_fidelity(x: Plane, y: Plane) -> float | None:
    """Return the share of an original's information that is left in a decoded plane; planes are (H, W), 0..255.

    Sheikh and Bovik, "Image information and visual quality", 2006, in the pixel domain (their VIFP): four scales,
    windows of 17, 9, 5 and 3 pixels with sigma a fifth of that, noise of variance 2. 1 for equal planes; more contrast
    than the original's may give more. None where a side is below 41, or where the original is flat: no information.
    """
    if min(x.shape) < _MIN_VIF:
        return None
    if np.array_equal(x, y):
        # By the formula 1 - 1e-10 or so, its constants' doing, and nothing for a flat picture.
        return 1.0
    if x.min() == x.max():
        return None
    kept, present = 0.0, 0.0
    for scale in range(_VIF_SCALES):
        size = (1 << (_VIF_SCALES - scale)) + 1
        window = gaussian(size, size / 5)
        if scale:
            x, y = decimated(x, window), decimated(y, window)
        for moments in local_moments(x, y, window):
            kept_here, present_here = _information(moments)
            kept, present = kept + kept_here, present + present_here
    return kept / present


def _similarity(x: Plane, y: Plane) -> Similarity:
    ssim, contrast, num_windows = 0.0, 0.0, 0
    for moments in local_moments(x, y, gaussian(_WINDOW, _SIGMA)):
        mean_x, mean_y = moments.mean_x, moments.mean_y
        contrasts = (2 * moments.covariance + _C2) / (moments.variance_x + moments.variance_y + _C2)
        luminance = (2 * mean_x * mean_y + _C1) / (np.square(mean_x) + np.square(mean_y) + _C1)
        contrast += float(contrasts.sum())
        ssim += float((luminance * contrasts).sum())
        num_windows += contrasts.size
    return Similarity(ssim=ssim / num_windows, contrast=contrast / num_windows)


def _information(moments: Moments) -> tuple[float, float]:
    """Return the information in the decoded and in the original plane, in units of log10."""
    variance_x = np.where(moments.variance_x < _VIF_FLAT, 0.0, moments.variance_x)
    usable = (variance_x > 0) & (moments.variance_y >= _VIF_FLAT) & (moments.covariance > 0)
    gain = np.where(usable, moments.covariance / (moments.variance_x + _VIF_FLAT), 0.0)
    # Where nothing of the original is left, all of the decoded plane is noise.
    noise = np.maximum(moments.variance_y - gain * moments.covariance, _VIF_FLAT)
    kept = np.log10(1 + np.square(gain) * variance_x / (noise + _VIF_NOISE))
    return float(kept.sum()), float(np.log10(1 + variance_x / _VIF_NOISE).sum())
