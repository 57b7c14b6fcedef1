"""Perceptual scores of many pictures: their columns in the results, and their mean by coder."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import pyarrow as pa

from pipeline.evaluation.perceptual import SCORES, PerceptualScores

COLUMNS = tuple((name, pa.float64()) for name in SCORES)
HEADINGS: Mapping[str, str] = {
    "psnr_luma": "PSNR luma",
    "psnr_s": "PSNR-S",
    "psnr_hvs": "PSNR-HVS",
    "psnr_hvs_m": "PSNR-HVS-M",
    "ssim": "SSIM",
    "ms_ssim": "MS-SSIM",
    "vifp": "VIFP",
}
_RATIOS = frozenset({"ssim", "ms_ssim", "vifp"})

NOTES = (
    "PSNR luma, PSNR-S (weighted by saliency), PSNR-HVS, PSNR-HVS-M in dB, SSIM, MS-SSIM and VIFP are of the BT.601 "
    "luma, 0..255, of whole pictures: means over the pictures that have a finite value.",
)

Coded = tuple[str, PerceptualScores]
"""(coder, one picture's scores)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PerceptualRow:
    """One coder over all pictures; None where no picture has a finite value."""

    coder: str
    psnr_luma: float | None
    psnr_s: float | None
    psnr_hvs: float | None
    psnr_hvs_m: float | None
    ssim: float | None
    ms_ssim: float | None
    vifp: float | None


def tabulate_scores(coded: Sequence[Coded]) -> tuple[PerceptualRow, ...]:
    """Average scores by coder, in order of first appearance."""
    rows = []
    for coder in dict.fromkeys(name for name, _ in coded):
        scores = [asdict(one) for name, one in coded if name == coder]
        rows.append(PerceptualRow(coder=coder, **{name: _mean(one[name] for one in scores) for name in SCORES}))
    return tuple(rows)


def describe_undefined(coded: Sequence[Coded]) -> str:
    """Return such as `ms_ssim 2, psnr_s 5 of 8 pictures`: for how many pictures of one coder a score is not defined."""
    first = [asdict(one) for name, one in coded if name == coded[0][0]]
    counts = {name: sum(one[name] is None for one in first) for name in SCORES}
    missing = [f"{name} {count}" for name, count in counts.items() if count]
    return f"{', '.join(missing)} of {len(first)} pictures" if missing else ""


def score_cell(name: str, value: float | None) -> str:
    """Return a mean as people read it: decibels with two digits, ratios with four, a dash for nothing."""
    if value is None:
        return "-"
    return f"{value:.4f}" if name in _RATIOS else f"{value:.2f}"


def _mean(values: Iterable[float | None]) -> float | None:
    finite = [value for value in values if value is not None and math.isfinite(value)]
    return math.fsum(finite) / len(finite) if finite else None
