"""How an archive is made."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipeline.base.config import to_table
from pipeline.codecs.config import MAX_BACKGROUND_STEP, MAX_RATES

PRESETS = Path(__file__).parent / "presets"

_HOW_RUN = ("engine", "workers", "ray_address", "pictures_per_chunk", "pixels_per_chunk")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveConfig:
    """Settings of `archive create`.

    Raises: ValueError: a number is out of range.
    """

    engine: Literal["local", "ray"] = "local"
    """Who codes: processes on this machine, or Ray Serve replicas. The bytes are the same."""
    workers: int = 1
    """Processes or replicas; each holds the codec's weights. 1 with the local engine codes in this process."""
    ray_address: str | None = None
    """Address of a running Ray cluster; if not given, one is started on this machine."""
    pictures_per_shard: int = 10_000
    """Inputs a shard; the unit of commit, and of what is done again after a crash."""
    pictures_per_chunk: int = 16
    """Most pictures handed to a worker at once."""
    pixels_per_chunk: int = 1 << 24
    """A chunk is closed when its pictures reach this many pixels."""
    max_pixels: int = 1 << 25
    """Largest picture coded; a larger one is rejected as `too_large`. 33 million pixels hold an 8K screen."""
    verify: bool = True
    """Decode every bitstream before it counts, and compare with the picture that the encoder promised."""
    rate: float | None = None
    """With weights of several rates: 0 (fewest bytes) to the last, fractions too; if not given, the middle one."""
    exact: Literal["all", "synthetic", "natural"] = "all"
    """With a lossless codec: which pixels stay exact."""
    background_step: int = 0
    """The others are off by at most half of it; 0: they are what the codec predicts."""
    labeller: str = ""
    """Checkpoint whose segmentation head tells drawn from photographed pixels; empty: the codec chooses."""

    def __post_init__(self) -> None:
        for name in ("workers", "pictures_per_shard", "pictures_per_chunk", "pixels_per_chunk", "max_pixels"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.rate is not None and not 0 <= self.rate < MAX_RATES:
            raise ValueError(f"rate must be 0 or more, below the codec's number of rates, got {self.rate:g}")
        if not 0 <= self.background_step <= MAX_BACKGROUND_STEP:
            raise ValueError(f"background_step must be 0..{MAX_BACKGROUND_STEP}, got {self.background_step}")
        if self.background_step and self.exact == "all":
            raise ValueError("background_step: there is no background where all pixels are exact")
        if self.pictures_per_shard > 1_000_000:
            raise ValueError(f"pictures_per_shard must be at most 1000000, got {self.pictures_per_shard}")


def lasting_settings(config: ArchiveConfig) -> dict[str, Any]:
    """Return the settings that an archive's bytes depend on; how the work was spread is not among them.

    Neither are those of a region of interest where all pixels are exact, so that archives begun without them go on.
    A rate that is not given is None, which the table leaves out.
    """
    table = {key: value for key, value in to_table(config).items() if key not in _HOW_RUN}
    defaults = ArchiveConfig()
    for key in ("exact", "background_step", "labeller"):
        if table[key] == getattr(defaults, key):
            del table[key]
    return table
