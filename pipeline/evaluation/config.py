"""What an evaluation measures, and beside what."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.evaluation.peers import find_peer

PRESETS = Path(__file__).parent / "presets"
REPORT_PRESETS = PRESETS / "report"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateConfig:
    """Settings of `diptych evaluate`."""

    split: str = "test"
    """Which split is measured if the pictures are a corpus."""
    max_pictures: int | None = None
    """At most so many pictures, evenly spaced over all; default: all."""
    peers: tuple[str, ...] = ("jpeg", "webp")
    """Lossy peers, each given the bytes that the first checkpoint needed for the same picture."""
    references: tuple[str, ...] = ("png", "webp_lossless")
    """Lossless peers, measured for their size alone."""
    labels: Literal["auto", "none"] = "auto"
    """`auto`: the class of each pixel comes from the label map beside the picture, else from the first checkpoint's
    segmentation head if it has one, else there is none. `none`: whole pictures only."""
    num_examples: int = 3
    """So many pictures, evenly spaced, are kept with all their decoded versions, as PNG; the report shows them."""
    metrics: Literal["psnr", "all"] = "psnr"
    """`psnr`: over R, G and B, whole and by class. `all`: also PSNR, PSNR-HVS, PSNR-HVS-M, SSIM, MS-SSIM and VIFP of
    the luma, at some seconds for each 3840x2160 pixels of each lossy coder."""
    saliency: str | None = None
    """Folder of saliency maps for PSNR-S, with `metrics = "all"`: 8-bit grey PNG of the picture's size, named as the
    picture (a file's ending replaced by `.png`, a corpus's key with it); pictures without one have no PSNR-S."""
    device: str = "cpu"
    """Where the networks run: `cpu`, `cuda`, ..."""
    threads: int = 1
    """CPU threads of the networks. The peers use one, so seconds compare at 1."""

    def __post_init__(self) -> None:
        if self.max_pictures is not None and self.max_pictures < 1:
            raise ValueError(f"max_pictures must be at least 1, got {self.max_pictures}")
        if self.threads < 1:
            raise ValueError(f"threads must be at least 1, got {self.threads}")
        if self.num_examples < 0:
            raise ValueError(f"num_examples must be at least 0, got {self.num_examples}")
        if self.saliency is not None and self.metrics != "all":
            raise ValueError("saliency maps are used with metrics = 'all' alone")
        for name in self.peers:
            if find_peer(name).qualities is None:
                raise ValueError(f"peers: {name!r} is lossless; it belongs in references")
        for name in self.references:
            if find_peer(name).qualities is not None:
                raise ValueError(f"references: {name!r} is lossy; it belongs in peers")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportConfig:
    """Settings of `diptych report`."""

    title: str = "Diptych report"
    num_samples: int = 6
    """At most so many of the corpus's scenes are shown."""
    num_examples: int = 3
    """At most so many of the evaluation's examples are shown."""

    def __post_init__(self) -> None:
        for name in ("num_samples", "num_examples"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)}")
