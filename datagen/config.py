"""What a corpus is made of."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from datagen.masks_config import MasksConfig as MasksConfig

PRESETS = Path(__file__).parent / "presets"
SPLITS = ("train", "val", "test")

RENDERERS = ("raster", "browser")


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
class LabelsConfig:
    """Who labels captured screens, whose labels nobody knows."""

    checkpoint: str | None = None
    """A checkpoint with a segmentation head; without one captured screens are 255 everywhere."""
    min_confidence: float = 0.8
    """Pixels that the labeller is less sure of are 255; 0.5..1."""

    everything: Literal["synthetic", "natural"] | None = None
    """All pixels of captured pictures are this: for a folder that holds photographs, or drawings, alone."""
    classes: Literal["folder", "source"] | None = None
    """`folder`: a captured picture shows what the folder it lies in is called; `source`: what its tar, parquet row or a
    table beside it says. Pictures are then dealt to the splits by chance, not in runs. Without: samples name no
    classes."""

    def __post_init__(self) -> None:
        if self.everything is not None and self.checkpoint is not None:
            raise ValueError("labels: either a checkpoint or everything, not both")
        if not 0.5 <= self.min_confidence <= 1:
            raise ValueError(f"labels: min_confidence is {self.min_confidence}, must be 0.5..1")


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityConfig:
    """What a sample must have. A drawing that fails is drawn again from another seed; every refusal is counted."""

    min_colours: int = 8
    """Fewer different colours: `too_few_colours`."""
    max_flat: float = 0.985
    """Largest share of the commonest colour; above it: `blank`."""
    natural_fraction: tuple[float, ...] = (0.0, 0.98)
    """Smallest and largest share of natural pixels; outside: `label_fraction`. Samples with unknown labels pass."""
    text: bool = True
    """Whether a synthesized screen must hold text; without: `no_text`."""
    near_duplicate_bits: int = 10
    """Samples of one shard whose perceptual hashes (256 bits) differ in fewer bits: `near_duplicate`; 0 = keep all."""
    attempts: int = 4
    """How often a synthesized sample is drawn before it is given up."""

    def __post_init__(self) -> None:
        low, high = self.natural_fraction if len(self.natural_fraction) == 2 else (1.0, 0.0)
        if not 0 <= low <= high <= 1:
            raise ValueError(f"quality: natural_fraction is {list(self.natural_fraction)}, must be [low, high] in 0..1")
        if self.min_colours < 0 or not 0 <= self.max_flat <= 1:
            raise ValueError("quality: min_colours must be 0 or more, max_flat 0..1")
        if not 0 <= self.near_duplicate_bits <= 64 or self.attempts < 1:
            raise ValueError("quality: near_duplicate_bits must be 0..64, attempts 1 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusConfig:
    """One corpus: how many samples, of what, from which sources."""

    name: str = "screens"
    """Starts every shard's name; letters, digits, `_` and `-`."""
    seed: int = 0
    sizes: tuple[str, ...] = ("1280x720",)
    """Screen sizes in device pixels, `WIDTHxHEIGHT`; one is chosen for each sample, repeats weigh."""
    scales: tuple[float, ...] = (1.0, 1.25, 1.5, 2.0)
    """Device pixels to a logical pixel (HiDPI); of those at which the scene fits the screen, repeats weigh."""
    num_samples: Counts = field(default_factory=lambda: Counts(train=16, val=4, test=4))
    """Synthesized samples by split; captured ones come on top."""
    samples_per_shard: int = 64
    renderers: dict[str, float] = field(default_factory=lambda: {"raster": 1.0})
    """Weight by renderer: `raster` draws by itself, `browser` draws pages in Chromium."""
    scenes: dict[str, float] = field(default_factory=dict)
    """Weight by scene name (of either renderer); empty = all scenes alike."""
    photos: str | None = None
    """Photographs: a folder, WebDataset tars or parquet files, locally or by URL; default: those in our libraries."""
    photo_licence: str = "unknown"
    """Licence of photographs that come without one."""
    photo_classes: Literal["folder", "source"] | None = None
    """Who says what photographs show, as `labels.classes`: samples that show one name its classes beside their scene.
    Without: what tars, parquet files and tables say stands with the source alone."""
    texts: str | None = None
    """Folder of text files to take sentences from; default: composed from the built-in words."""
    code: str | None = None
    """Folder of source files for editors and terminals; default: composed."""
    fonts: str | None = None
    """Folder of fonts to use beside those in our libraries; `system` = those installed."""
    scripts: dict[str, float] = field(default_factory=lambda: {"latin": 1.0})
    """Weight by script: latin, cyrillic, greek, cjk, arabic; emoji where a font has them."""
    pages: str | None = None
    """Pages of your own for the browser: a folder of HTML, a URL, a file with one URL a line."""
    captured: str | None = None
    """Folder of captured screens, or any screenshots, to add."""
    labels: LabelsConfig = field(default_factory=LabelsConfig)
    quality: QualityConfig = field(default_factory=QualityConfig)
    masks: MasksConfig = field(default_factory=MasksConfig)
    png_compress_level: int = 2
    """Of the PNG members, 0..9; level 6 takes 1.6 times as long for 3 % fewer bytes, 9 takes 4.5 times for 4 %."""

    def __post_init__(self) -> None:
        if not self.name or not all(char.isascii() and (char.isalnum() or char in "_-") for char in self.name):
            raise ValueError(f"name {self.name!r}: letters, digits, '_' and '-' only")
        for size in self.sizes:
            check_size(size)
        if not self.sizes or not self.scales or not all(0.5 <= scale <= 4 for scale in self.scales):
            raise ValueError("sizes and scales must not be empty, scales are 0.5 to 4")
        if self.samples_per_shard < 1:
            raise ValueError(f"samples_per_shard is {self.samples_per_shard}, must be 1 or more")
        if not 0 <= self.png_compress_level <= 9:
            raise ValueError(f"png_compress_level is {self.png_compress_level}, must be 0..9")
        if self.num_samples.total == 0 and self.captured is None and self.pages is None:
            raise ValueError("num_samples is 0 and neither captured screens nor pages are given; nothing to do")
        for name in ("scenes", "renderers", "scripts"):
            weights = getattr(self, name)
            if (weights or name != "scenes") and (min(weights.values(), default=0) < 0 or sum(weights.values()) <= 0):
                raise ValueError(f"{name}: weights must not be negative and not all 0")
        unknown = set(self.renderers) - set(RENDERERS)
        if unknown:
            raise ValueError(f"renderers: unknown '{min(unknown)}'; known: {', '.join(RENDERERS)}")

    def screens(self) -> tuple[tuple[int, int], ...]:
        """Return the sizes as (width, height)."""
        return tuple(check_size(size) for size in self.sizes)


def check_size(size: str) -> tuple[int, int]:
    """Return (width, height) of `WIDTHxHEIGHT`. Raises: ValueError."""
    width, cross, height = size.partition("x")
    if not (cross and width.isdecimal() and height.isdecimal()):
        raise ValueError(f"sizes: {size!r} is not WIDTHxHEIGHT")
    if not (320 <= int(width) <= 7680 and 320 <= int(height) <= 7680):
        raise ValueError(f"sizes: {size}: screens are 320 to 7680 pixels wide and high")
    return int(width), int(height)
