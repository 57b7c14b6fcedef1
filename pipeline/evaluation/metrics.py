"""Distortion of decoded pictures: whole, and over the synthetic and the natural pixels apart.

Sums of squared differences are integers, so nothing is lost before the one division and the one logarithm. PSNR is
10 log10(255^2 / MSE) with the MSE over all pixels and all three colour channels: None when there is no pixel to
measure, infinite when the pictures are equal there.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.formats.picture import Pixels
from pipeline.formats.sample import NATURAL, SYNTHETIC

PEAK = 255
NUM_CHANNELS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Distortion:
    """The squared error of some pixels; distortions of several pictures add up."""

    num_pixels: int
    squared_error: int
    """Sum over those pixels and their three channels of (decoded - original)^2."""

    @property
    def mse(self) -> float | None:
        """Mean squared error a colour sample, 0..65025; None over no pixels."""
        return self.squared_error / (self.num_pixels * NUM_CHANNELS) if self.num_pixels else None

    @property
    def psnr(self) -> float | None:
        """Peak signal-to-noise ratio in dB; infinite for equal pixels, None over no pixels."""
        mse = self.mse
        if mse is None:
            return None
        return math.inf if mse == 0 else 10 * math.log10(PEAK**2 / mse)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassDistortion:
    """One decoded picture's distortion, whole and by class; ignored pixels count in `whole` alone."""

    whole: Distortion
    synthetic: Distortion
    natural: Distortion


@dataclass(frozen=True, slots=True, kw_only=True)
class MeanDistortion:
    """Many pictures' distortion, averaged in both of the usual ways, which differ."""

    num_pictures: int
    """Pictures that have such pixels at all."""
    num_exact: int
    """Of these, pictures without any error; their PSNR is infinite and no part of `mean_psnr`."""
    mean_psnr: float | None
    """Mean of the pictures' finite PSNRs in dB: every picture weighs the same. None if there is none."""
    pooled_psnr: float | None
    """PSNR in dB of the MSE over all pictures' pixels together: every pixel weighs the same."""


def measure(original: Pixels, decoded: Pixels, mask: NDArray[np.bool_] | None = None) -> Distortion:
    """Compare two RGB pictures (H, W, 3), uint8, over the pixels where `mask` (H, W) is true (default: all).

    Raises: ValueError: shapes or types do not fit.
    """
    if original.shape != decoded.shape or original.ndim != NUM_CHANNELS or original.shape[2] != NUM_CHANNELS:
        raise ValueError(f"expected two RGB pictures of one size, got {original.shape} and {decoded.shape}")
    if original.dtype != np.uint8 or decoded.dtype != np.uint8:
        raise ValueError(f"expected uint8, got {original.dtype} and {decoded.dtype}")
    if mask is None:
        mask = np.ones(original.shape[:2], dtype=np.bool_)
    if mask.shape != original.shape[:2]:
        raise ValueError(f"expected a mask of {original.shape[:2]}, got {mask.shape}")
    return _measure(_squared_error_map(original, decoded), mask)


def measure_classes(original: Pixels, decoded: Pixels, label: NDArray[np.uint8] | None) -> ClassDistortion:
    """Compare two RGB pictures (H, W, 3), uint8, whole and by class; `label` (H, W) holds 0, 1 or 255.

    Without a label both classes are empty. Raises: ValueError: shapes or types do not fit.
    """
    whole = measure(original, decoded)
    if label is None:
        empty = Distortion(num_pixels=0, squared_error=0)
        return ClassDistortion(whole=whole, synthetic=empty, natural=empty)
    if label.shape != original.shape[:2]:
        raise ValueError(f"expected a label map of {original.shape[:2]}, got {label.shape}")
    errors = _squared_error_map(original, decoded)
    return ClassDistortion(
        whole=whole, synthetic=_measure(errors, label == SYNTHETIC), natural=_measure(errors, label == NATURAL)
    )


def mean(distortions: Iterable[Distortion]) -> MeanDistortion:
    """Average pictures' distortions; those over no pixels are left out."""
    present = [distortion for distortion in distortions if distortion.num_pixels]
    values = [distortion.psnr for distortion in present]
    finite = [value for value in values if value is not None and math.isfinite(value)]
    pooled = Distortion(
        num_pixels=sum(distortion.num_pixels for distortion in present),
        squared_error=sum(distortion.squared_error for distortion in present),
    )
    return MeanDistortion(
        num_pictures=len(present),
        num_exact=len(present) - len(finite),
        mean_psnr=math.fsum(finite) / len(finite) if finite else None,
        pooled_psnr=pooled.psnr,
    )


def _squared_error_map(original: Pixels, decoded: Pixels) -> NDArray[np.int32]:
    """Return (H, W): the squared error summed over the channels, at most 3 * 255^2."""
    difference = original.astype(np.int32) - decoded
    errors: NDArray[np.int32] = np.square(difference).sum(axis=2, dtype=np.int32)
    return errors


def _measure(errors: NDArray[np.int32], mask: NDArray[np.bool_]) -> Distortion:
    return Distortion(num_pixels=int(mask.sum()), squared_error=int(errors.sum(where=mask, dtype=np.int64)))
