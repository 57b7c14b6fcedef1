"""The config of an MTL-SCI codec; free of torch."""

from dataclasses import dataclass
from typing import Literal

from pipeline.codecs.config import MAX_RATES


@dataclass(frozen=True, slots=True, kw_only=True)
class MtlSciConfig:
    """What fixes the shapes of all weights and tables.

    Raises: ValueError: a number is out of range.
    """

    base: Literal["hyperprior", "charm"] = "hyperprior"
    """Entropy model: `hyperprior` is the scale hyperprior of Balle et al. 2018 (arXiv:1802.01436), `charm` the
    channel-conditional one of Minnen and Singh 2020 (arXiv:2007.08739)."""
    num_channels: int = 192
    """Channels of all hidden layers and of the hyper-latent."""
    num_latents: int = 192
    """Channels of the latent."""
    synthesis: Literal["integer", "float"] = "integer"
    """What turns latents into pixels: exact integers, the same pixels on every machine, or floats, about three times
    faster, whose pixels may differ by their rounding. Latents are exact with both."""
    segmentation_head: bool = True
    """Build the second decoder, which tells natural from synthetic pixels. It never changes a byte."""
    num_head_channels: int | None = None
    """Channels of the head's hidden layers; as many as `num_channels` if not given."""
    num_rates: int = 1
    """Rates that one set of weights codes at, and all between them; 1: one rate, without gain units (gains.py)."""
    num_slices: int = 10
    """Slices that `charm` codes the latent in, one after another; divides `num_latents`."""
    num_support_slices: int = 5
    """Of them, the first so many are seen by all later ones."""
    slice_widths: tuple[int, ...] = (224, 128)
    """Channels of the two hidden layers of `charm`'s networks, of which each slice has three."""

    def __post_init__(self) -> None:
        for name in ("num_channels", "num_latents", "num_head_channels", "num_slices"):
            value = getattr(self, name)
            if value is not None and not 1 <= value <= 1024:
                raise ValueError(f"{name} must be 1..1024, got {value}")
        if not 1 <= self.num_rates <= MAX_RATES:
            raise ValueError(f"num_rates must be 1..{MAX_RATES}, got {self.num_rates}")
        if self.base == "charm" and self.num_latents % self.num_slices:
            raise ValueError(f"num_latents {self.num_latents} must be a multiple of num_slices {self.num_slices}")
        if not 0 <= self.num_support_slices <= self.num_slices:
            raise ValueError(f"num_support_slices must be 0..{self.num_slices}, got {self.num_support_slices}")
        if len(self.slice_widths) != 2 or not all(1 <= width <= 1024 for width in self.slice_widths):
            raise ValueError(f"slice_widths must be two numbers of 1..1024, got {list(self.slice_widths)}")
