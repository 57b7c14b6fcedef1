"""What a corpus is made of."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

PRESETS = Path(__file__).parent / "presets"
SPLITS = ("train", "val", "test")

MaskEngine = Literal["auto", "layout", "felzenszwalb", "sam", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many synthesized samples each split gets."""

    train: int = 0
    val: int = 0
    test: int = 0

    def __post_init__(self) -> None:
        if min(self.train, self.val, self.test) < 0:
            raise ValueError("num_samples: counts must not be negative")

    def of(self, split: str) -> int:
        """Return the count of `train`, `val` or `test`."""
        return {"train": self.train, "val": self.val, "test": self.test}[split]

    @property
    def total(self) -> int:
        return self.train + self.val + self.test


@dataclass(frozen=True, slots=True, kw_only=True)
class MasksConfig:
    """How region maps are made."""

    engine: MaskEngine = "auto"
    """`auto`: sam if a checkpoint is given, else layout for synthesized and felzenszwalb for captured samples."""
    felzenszwalb_scale: float = 200.0
    """Larger values give larger regions (Felzenszwalb and Huttenlocher 2004, parameter k)."""
    felzenszwalb_sigma: float = 0.6
    """Width of the Gaussian smoothing before, in pixels of the downscaled copy."""
    felzenszwalb_min_size: int = 60
    """Smallest region, in pixels of the downscaled copy."""
    downscale: int = 3
    """The graph is built on a copy reduced by this factor; region borders are exact to that many pixels."""
    sam_checkpoint: str | None = None
    """A checkpoint in Segment Anything's own format; the model's size is read from its weights."""
    sam_points_per_side: int = 16
    """Prompt points along each side; the cost grows with its square."""
    sam_device: str = "cpu"

    def __post_init__(self) -> None:
        if self.downscale < 1 or self.felzenszwalb_min_size < 1 or self.sam_points_per_side < 1:
            raise ValueError("masks: downscale, felzenszwalb_min_size and sam_points_per_side must be 1 or more")
        if self.felzenszwalb_scale <= 0 or self.felzenszwalb_sigma < 0:
            raise ValueError("masks: felzenszwalb_scale must be positive, felzenszwalb_sigma not negative")
        if self.engine == "sam" and self.sam_checkpoint is None:
            raise ValueError("masks: engine 'sam' needs sam_checkpoint")


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusConfig:
    """One corpus: how many samples, of what, from which sources."""

    name: str = "screens"
    """Starts every shard's name; letters, digits, `_` and `-`."""
    seed: int = 0
    width: int = 1280
    height: int = 720
    num_samples: Counts = field(default_factory=lambda: Counts(train=16, val=4, test=4))
    """Synthesized samples by split; captured ones come on top."""
    samples_per_shard: int = 64
    scenes: dict[str, float] = field(default_factory=dict)
    """Weight by scene name; empty = all scenes alike."""
    photos: str | None = None
    """Folder of photographs, searched with its subfolders; default: scikit-image's bundled ones."""
    captured: str | None = None
    """Folder of captured screens to add; nobody knows their labels, so they are 255 everywhere."""
    masks: MasksConfig = field(default_factory=MasksConfig)
    png_compress_level: int = 6
    """zlib level of the PNG members, 0..9."""

    def __post_init__(self) -> None:
        if not self.name or not all(char.isascii() and (char.isalnum() or char in "_-") for char in self.name):
            raise ValueError(f"name {self.name!r}: letters, digits, '_' and '-' only")
        if not (480 <= self.width <= 7680 and 320 <= self.height <= 4320):
            raise ValueError(f"{self.width}x{self.height}: screens are 480x320 to 7680x4320 pixels")
        if self.samples_per_shard < 1:
            raise ValueError(f"samples_per_shard is {self.samples_per_shard}, must be 1 or more")
        if not 0 <= self.png_compress_level <= 9:
            raise ValueError(f"png_compress_level is {self.png_compress_level}, must be 0..9")
        if self.num_samples.total == 0 and self.captured is None:
            raise ValueError("num_samples is 0 and no captured folder is given; nothing to do")
        if self.scenes and (min(self.scenes.values()) < 0 or sum(self.scenes.values()) <= 0):
            raise ValueError("scenes: weights must not be negative and not all 0")
