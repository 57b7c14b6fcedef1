"""Full-reference quality of a decoded picture: PSNR, PSNR-S, PSNR-HVS, PSNR-HVS-M, SSIM, MS-SSIM and VIFP.

They are the columns of the table in Prakash et al., "Semantic Perceptual Image Compression using Deep Convolution
Networks", 2017, arXiv:1612.08712.

All are of the whole picture's BT.601 luma, 0..255 (`luma.luma`), PSNR included: it is not the PSNR over R, G and B of
`metrics.py`, and lies above it where colour is what suffered.
"""

import contextlib
import functools
import importlib
import io
import math
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from pipeline.base.errors import MissingDependency
from pipeline.evaluation.luma import Array, Plane, luma, strips
from pipeline.evaluation.metrics import NUM_CHANNELS, PEAK
from pipeline.evaluation.similarity import structural_similarities, visual_information_fidelity
from pipeline.formats.picture import Pixels

_BLOCK = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PerceptualScores:
    """One decoded picture's scores; None where a measure is not defined for such a picture."""

    psnr_luma: float
    """dB; infinite where the lumas are equal."""
    psnr_s: float | None
    """dB; squared errors weighted by saliency. None without a saliency map, or where it is 0 everywhere."""
    psnr_hvs: float | None
    """dB; errors of 8x8 DCT coefficients weighted by the eye's contrast sensitivity. None where a side is below 8."""
    psnr_hvs_m: float | None
    """dB; the same, less what the block's other coefficients mask; infinite where all is masked."""
    ssim: float | None
    """At most 1. None where a side is below 11."""
    ms_ssim: float | None
    """0..1. None where a side is below 176."""
    vifp: float | None
    """0..1, above 1 for more contrast than the original's. None where a side is below 41 or the original is flat."""


SCORES = tuple(field.name for field in fields(PerceptualScores))


def measure_perceptual(
    original: Pixels, decoded: Pixels, saliency: NDArray[np.uint8] | None = None
) -> PerceptualScores:
    """Compare two RGB pictures (H, W, 3), uint8, of any size; `saliency` (H, W) is larger where people look.

    Raises: ValueError: shapes or types do not fit; MissingDependency.
    """
    if original.shape != decoded.shape or original.ndim != NUM_CHANNELS or original.shape[2] != NUM_CHANNELS:
        raise ValueError(f"expected two RGB pictures of one size, got {original.shape} and {decoded.shape}")
    if original.dtype != np.uint8 or decoded.dtype != np.uint8:
        raise ValueError(f"expected uint8, got {original.dtype} and {decoded.dtype}")
    if saliency is not None and saliency.shape != original.shape[:2]:
        raise ValueError(f"expected a saliency map of {original.shape[:2]}, got {saliency.shape}")
    x, y = luma(original), luma(decoded)
    psnr_hvs, psnr_hvs_m = _psnr_hvs(x, y)
    ssim, ms_ssim = structural_similarities(x, y)
    return PerceptualScores(
        psnr_luma=_psnr(_squared_error(x, y) / x.size),
        psnr_s=None if saliency is None else _psnr_s(x, y, saliency),
        psnr_hvs=psnr_hvs,
        psnr_hvs_m=psnr_hvs_m,
        ssim=ssim,
        ms_ssim=ms_ssim,
        vifp=visual_information_fidelity(x, y),
    )


def _psnr(mse: float, peak: float = PEAK) -> float:
    return 10 * math.log10(peak**2 / mse) if mse else math.inf


def _squared_error(x: Plane, y: Plane) -> float:
    return math.fsum(float(np.square(_difference(x, y, rows)).sum()) for rows in strips(*x.shape))


def _psnr_s(x: Plane, y: Plane, saliency: NDArray[np.uint8]) -> float | None:
    """Return the PSNR of the mean of w (x - y)^2, w the saliency divided by its mean over the picture."""
    total = int(saliency.sum(dtype=np.int64))
    if total == 0:
        return None
    error = math.fsum(float((saliency[rows] * np.square(_difference(x, y, rows))).sum()) for rows in strips(*x.shape))
    return _psnr(error / total)


def _difference(x: Plane, y: Plane, rows: slice) -> Array:
    return x[rows].astype(np.float64) - y[rows]


def _psnr_hvs(x: Plane, y: Plane) -> tuple[float | None, float | None]:
    """Return (PSNR-HVS, PSNR-HVS-M) over the 8x8 blocks that lie wholly inside, as their authors' program does.

    Egiazarian et al., "New full-reference quality metrics based on HVS", 2006; Ponomarenko et al., "On
    between-coefficient contrast masking of DCT basis functions", 2007.
    """
    height, width = (side // _BLOCK * _BLOCK for side in x.shape)
    if not height or not width:
        return None, None
    block_errors = _hvs_block_errors()
    weighted, masked = 0.0, 0.0
    for rows in strips(height, width, multiple=_BLOCK):
        # The library takes planes 0..1, and divides 0 by 0 in flat blocks, whose result it then leaves out.
        with np.errstate(divide="ignore", invalid="ignore"):
            found = block_errors(*(plane[rows, :width].astype(np.float64) / PEAK for plane in (x, y)))
        weighted += float(found[0].sum())
        masked += float(found[1].sum())
    num_blocks = (height // _BLOCK) * (width // _BLOCK)
    return _psnr(weighted / num_blocks, peak=1), _psnr(masked / num_blocks, peak=1)


@functools.cache
def _hvs_block_errors() -> Callable[[Array, Array], tuple[Array, Array]]:
    """Return psnr_hvsm's function from two planes to each block's mean squared error: weighted, weighted and masked."""
    try:
        # On import the library prints a line for each of its back ends that is not installed, with no switch for it.
        with contextlib.redirect_stdout(io.StringIO()):
            library = importlib.import_module("psnr_hvsm.numpy")
    except ImportError as error:
        raise MissingDependency(f"{error.name} is not installed; pip install 'diptych[evaluate]'") from error
    block_errors: Callable[[Array, Array], tuple[Array, Array]] = library.hvs_hvsm_mse_tiles
    return block_errors
